/* ICMP errors: those that reach us, by type, code and quoted packet, and those that we send. */
#include <check.h>
#include <stdlib.h>

#include "packets.h"
#include "suite.h"
#include "wire/icmp.h"

START_TEST(an_icmp_error_names_the_packet_it_quotes)
{
    make_v4(100);
    wrap_icmp(3, 1, 0, 28);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_ICMP_ERROR);
    expect_text(&p.src, "192.0.2.1:40000");
    expect_text(&p.dst, "198.51.100.7:443");
    ck_assert_uint_eq(p.quoted_seq, 0x01020304);
    ck_assert_int_eq(p.icmp, WIRE_ICMP_UNREACHABLE_SOFT);
    ck_assert_uint_eq(p.hop_limit, 99);
    setup();
    make_v6(100);
    insert_extension(60, 1, 0);
    wrap_icmp(1, 4, 0, 56);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_ICMP_ERROR);
    expect_text(&p.src, "[2001:db8::1]:40000");
    expect_text(&p.dst, "[2001:db8:1::7]:443");
    ck_assert_uint_eq(p.quoted_seq, 0x01020304);
    ck_assert_int_eq(p.icmp, WIRE_ICMP_UNREACHABLE_HARD);
}
END_TEST

/* Behind a translation that turns back the outer header only. */
START_TEST(an_icmp_error_tells_whom_it_came_to)
{
    struct braid_addr ours;

    make_tcp("203.0.113.9:40000", "198.51.100.7:443", 100);
    wrap_icmp(3, 1, 0, 28);
    ck_assert_int_eq(parse(), WIRE_OK);
    expect_text(&p.src, "203.0.113.9:40000");
    ours = addr("192.0.2.1:0");
    ck_assert(ip_equal(&p.addressee, &ours.ip));
    setup();
    make_tcp("[2001:db8:77::9]:40000", "[2001:db8:1::7]:443", 100);
    wrap_icmp(2, 0, 1280, 48);
    ck_assert_int_eq(parse(), WIRE_OK);
    expect_text(&p.src, "[2001:db8:77::9]:40000");
    ours = addr("[2001:db8::1]:0");
    ck_assert(ip_equal(&p.addressee, &ours.ip));
}
END_TEST

START_TEST(icmp_types_and_codes_have_their_class)
{
    enum { NONE = -1 };
    static const struct {
        bool v6;
        uint8_t type, code;
        int class;
    } cases[] = {
        {false, 3, 0, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 3, 1, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 3, 2, WIRE_ICMP_UNREACHABLE_HARD},
        {false, 3, 3, WIRE_ICMP_UNREACHABLE_HARD},
        {false, 3, 5, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 3, 9, WIRE_ICMP_UNREACHABLE_HARD},
        {false, 3, 10, WIRE_ICMP_UNREACHABLE_HARD},
        {false, 3, 12, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 3, 13, WIRE_ICMP_UNREACHABLE_HARD},
        {false, 3, 255, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 11, 0, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 11, 1, WIRE_ICMP_UNREACHABLE_SOFT},
        {false, 0, 0, NONE},
        {false, 5, 0, NONE},
        {false, 12, 0, NONE},
        {true, 1, 0, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 1, 1, WIRE_ICMP_UNREACHABLE_HARD},
        {true, 1, 3, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 1, 4, WIRE_ICMP_UNREACHABLE_HARD},
        {true, 1, 6, WIRE_ICMP_UNREACHABLE_HARD},
        {true, 1, 255, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 3, 0, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 4, 0, NONE},
        {true, 129, 0, NONE},
        {true, 135, 0, NONE},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        setup();
        if (cases[i].v6)
            make_v6(0);
        else
            make_v4(0);
        wrap_icmp(cases[i].type, cases[i].code, 0, raw_len);
        if (cases[i].class == NONE) {
            ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
        } else {
            ck_assert_int_eq(parse(), WIRE_OK);
            ck_assert_int_eq(p.icmp, cases[i].class);
            ck_assert_uint_eq(p.mtu, 0);
        }
    }
}
END_TEST

START_TEST(too_big_tells_the_mtu)
{
    make_v4(1000);
    wrap_icmp(3, 4, 1400, 28);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.icmp, WIRE_ICMP_TOO_BIG);
    ck_assert_uint_eq(p.mtu, 1400);
    setup();
    make_v6(1000);
    wrap_icmp(2, 0, 100000, 48);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.icmp, WIRE_ICMP_TOO_BIG);
    ck_assert_uint_eq(p.mtu, 100000);
}
END_TEST

START_TEST(icmp_errors_that_concern_nobody_are_refused)
{
    make_v4(100);
    wrap_icmp(3, 1, 0, 27); /* one byte short of the sequence number */
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
    make_v4(100);
    wrap_icmp(3, 1, 0, 28);
    raw[27] ^= 1;
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_CHECKSUM);
    make_v4(100);
    raw[9] = 17;
    wrap_icmp(3, 1, 0, 28);
    ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
    make_v4(100);
    put16(raw + 6, 100); /* a later fragment: those are not TCP ports */
    wrap_icmp(3, 1, 0, 28);
    ck_assert_int_eq(parse(), WIRE_FRAGMENT);
    make_v4(100);
    wrap_icmp(3, 1, 0, 0);
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
    raw_len = 27; /* not even a whole ICMP header */
    put16(raw + 2, 27);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
    make_v4(0);
    wrap_icmp(3, 1, 0, 44);
    raw[28] = 0x60; /* IPv6 quoted in ICMPv4 */
    put16(raw + 22, 0);
    put16(raw + 22, (uint16_t)~checksum_fold(checksum_add(0, raw + 20, raw_len - 20)));
    ck_assert_int_eq(parse(), WIRE_MALFORMED);
}
END_TEST

START_TEST(the_quoted_header_may_have_been_changed_on_its_way)
{
    make_v4(100);
    raw[8] = 1; /* hop limit counted down, header checksum stale */
    wrap_icmp(11, 0, 0, 28);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_ICMP_ERROR);
}
END_TEST

START_TEST(an_unreachable_message_is_one_that_we_understand)
{
    struct braid_ip from4 = addr("203.0.113.9:0").ip, from6 = addr("[2001:db8:9::9]:0").ip;
    uint8_t out[ICMP_ERROR_MAX];
    size_t n;

    make_v4(1000);
    n = icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out);
    ck_assert_uint_eq(n, ICMP_ERROR_MAX);
    ck_assert_int_eq(packet_parse(out, n, true, &p), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_ICMP_ERROR);
    expect_text(&p.src, "192.0.2.1:40000");
    ck_assert_int_eq(memcmp(out + 12, "\xcb\0\x71\x09\xc0\0\2\1", 8), 0); /* from us to its sender */
    ck_assert_int_eq(memcmp(out + 20, "\3\1", 2), 0);
    ck_assert_int_eq(memcmp(out + 28, raw, n - 28), 0);
    make_v4(10);
    n = icmp_error_build(ICMP_ERROR_HOST, raw, raw_len + 50, &from4, 0, out);
    ck_assert_uint_eq(n, 28 + raw_len); /* not what lies behind the packet */
    setup();
    make_v6(0);
    n = icmp_error_build(ICMP_ERROR_HOST, raw, raw_len + 50, &from6, 0, out);
    ck_assert_uint_eq(n, 48 + raw_len);
    ck_assert_int_eq(packet_parse(out, n, true, &p), WIRE_OK);
    expect_text(&p.dst, "[2001:db8:1::7]:443");
    ck_assert_int_eq(memcmp(out + 24, raw + 8, 16), 0);
    ck_assert_int_eq(memcmp(out + 40, "\1\3", 2), 0);
}
END_TEST

START_TEST(no_unreachable_message_answers_what_must_not_be_answered)
{
    struct braid_ip from4 = addr("203.0.113.9:0").ip, from6 = addr("[2001:db8:9::9]:0").ip;
    static const uint8_t bad_sources[] = {0, 127, 224, 255};
    uint8_t out[ICMP_ERROR_MAX];

    make_v4(0);
    ck_assert_uint_gt(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out), 0);
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, 19, &from4, 0, out), 0);
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, 0, &from4, 0, out), 0);
    for (unsigned i = 0; i < sizeof(bad_sources); i++) {
        make_v4(0);
        raw[12] = bad_sources[i];
        ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out), 0);
    }
    make_v4(0);
    raw[16] = 224;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out), 0);
    make_v4(0);
    raw[9] = 1;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out), 0);
    make_v4(0);
    raw[7] = 1;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out), 0);
    make_v6(0);
    raw[6] = 58;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    make_v6(0);
    raw[24] = 0xff;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    make_v6(0);
    raw[8] = 0xff;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    make_v6(0);
    memset(raw + 8, 0, 16);
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    raw[23] = 1;
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    raw[23] = 2;
    ck_assert_uint_gt(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from6, 0, out), 0);
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, 39, &from6, 0, out), 0);
    ck_assert_uint_eq(icmp_error_build(ICMP_ERROR_HOST, raw, raw_len, &from4, 0, out), 0);
}
END_TEST

/* Makes what is in raw an echo request with `payload` bytes. */
static void make_echo(bool v6, unsigned payload)
{
    if (v6)
        make_v6(payload);
    else
        make_v4(payload);
    wrap_icmp(v6 ? 128 : 8, 0, 0x12340001, raw_len);
}

START_TEST(an_echo_reply_is_the_request_with_its_addresses_exchanged)
{
    for (unsigned i = 0; i < 200; i++) {
        bool v6 = i % 2;
        size_t ip = v6 ? 40 : 20, len = v6 ? 16 : 4, src = v6 ? 8 : 12;
        struct packet_header h;
        struct wire_packet reply;
        uint8_t out[2048];

        setup();
        make_echo(v6, i);
        if (!v6) {
            put16(raw + 4, 0xbeef);
            put16(raw + 6, i % 4 ? 0x4000 : 0);
            fix_ip4_checksum();
        }
        ck_assert_int_eq(parse(), WIRE_OK);
        ck_assert_int_eq(p.kind, WIRE_ECHO);
        ck_assert_int_eq(icmp_echo_reply(raw, &p, &h), 0);
        ck_assert_uint_eq(h.len + p.payload_len, raw_len);
        memcpy(out, h.bytes, h.len);
        memcpy(out + h.len, p.payload, p.payload_len);
        ck_assert_int_eq(out[ip], v6 ? 129 : 0);
        ck_assert_int_eq(packet_parse(out, raw_len, true, &reply), WIRE_UNSUPPORTED);
        ck_assert(memcmp(out + src, raw + src + len, len) == 0 &&
                  memcmp(out + src + len, raw + src, len) == 0);
        ck_assert_int_eq(memcmp(out + ip + 4, raw + ip + 4, raw_len - ip - 4), 0);
        uint64_t sum = v6 ? checksum_pseudo(&p.src.ip, &p.dst.ip, 58, (uint32_t)(raw_len - ip)) : 0;
        ck_assert_uint_eq(checksum_fold(checksum_add(sum, out + ip, raw_len - ip)), 0xffff);
        if (!v6)
            ck_assert_int_eq(memcmp(out + 4, raw + 4, 4), 0); /* identification and DF */
        ck_assert_uint_eq(out[v6 ? 7 : 8], 64);
    }
}
END_TEST

START_TEST(echo_requests_are_checked)
{
    for (int v6 = 0; v6 < 2; v6++) {
        size_t ip = v6 ? 40 : 20;

        setup();
        make_echo(v6, 10);
        raw[raw_len - 1] ^= 1;
        ck_assert_int_eq(parse(), WIRE_CHECKSUM);
        raw[raw_len - 1] ^= 1;
        raw[ip + 1] = 1;
        put16(raw + ip + 2, (uint16_t)(get16(raw + ip + 2) - 1));
        ck_assert_int_eq(parse(), WIRE_MALFORMED);
    }
}
END_TEST

START_TEST(nobody_is_sent_an_echo_reply_that_is_no_host)
{
    static const char *const sources[] = {
        "224.0.0.1:0", "127.0.0.1:0", "255.255.255.255:0", "0.0.0.0:0", "[ff02::1]:0", "[::1]:0", "[::]:0"};

    for (unsigned i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        struct braid_addr from = addr(sources[i]);
        bool v6 = !ip_is_v4(&from.ip);
        struct packet_header h;

        setup();
        make_echo(v6, 10);
        ck_assert_int_eq(parse(), WIRE_OK);
        memcpy(raw + (v6 ? 8 : 12), from.ip.b + (v6 ? 0 : 12), v6 ? 16 : 4);
        ck_assert_int_eq(icmp_echo_reply(raw, &p, &h), -1);
    }
}
END_TEST

START_TEST(each_error_has_its_type_and_code)
{
    static const struct {
        enum icmp_error error;
        uint8_t v4[2], v6[2];
        uint32_t rest; /* over IPv6 */
    } cases[] = {{ICMP_ERROR_HOST, {3, 1}, {1, 3}, 0},
                 {ICMP_ERROR_PORT, {3, 3}, {1, 4}, 0},
                 {ICMP_ERROR_PROTOCOL, {3, 2}, {4, 1}, 6}};
    struct braid_ip from4 = addr("203.0.113.9:0").ip, from6 = addr("[2001:db8:9::9]:0").ip;
    uint8_t out[ICMP_ERROR_MAX];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        make_v4(10);
        ck_assert_uint_gt(icmp_error_build(cases[i].error, raw, raw_len, &from4, 6, out), 0);
        ck_assert(memcmp(out + 20, cases[i].v4, 2) == 0 && get32(out + 24) == 0);
        make_v6(10);
        ck_assert_uint_gt(icmp_error_build(cases[i].error, raw, raw_len, &from6, 6, out), 0);
        ck_assert(memcmp(out + 40, cases[i].v6, 2) == 0 && get32(out + 44) == cases[i].rest);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire_icmp");
    TCase *t = tcase_create("wire_icmp");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, an_icmp_error_names_the_packet_it_quotes);
    tcase_add_test(t, an_icmp_error_tells_whom_it_came_to);
    tcase_add_test(t, icmp_types_and_codes_have_their_class);
    tcase_add_test(t, too_big_tells_the_mtu);
    tcase_add_test(t, icmp_errors_that_concern_nobody_are_refused);
    tcase_add_test(t, the_quoted_header_may_have_been_changed_on_its_way);
    tcase_add_test(t, an_unreachable_message_is_one_that_we_understand);
    tcase_add_test(t, no_unreachable_message_answers_what_must_not_be_answered);
    tcase_add_test(t, an_echo_reply_is_the_request_with_its_addresses_exchanged);
    tcase_add_test(t, echo_requests_are_checked);
    tcase_add_test(t, nobody_is_sent_an_echo_reply_that_is_no_host);
    tcase_add_test(t, each_error_has_its_type_and_code);
    suite_add_tcase(s, t);
    return run_suite(s);
}
