/* MPTCP options: the byte layouts of RFC 8684 and of Linux, exact lengths, duplicates, damage. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "property.h"
#include "wire/mptcp.h"
#include "suite.h"

static struct wire_mptcp m;

static void setup(void)
{
    memset(&m, 0xa5, sizeof(m)); /* what `has` does not name must not matter */
    m.has = 0;
    m.malformed = false;
}

/* Hexadecimal, with blanks, to bytes. */
static unsigned hex(const char *text, uint8_t *out)
{
    unsigned n = 0;

    for (; *text; text += *text == ' ' ? 1 : 2) {
        if (*text != ' ')
            out[n++] = (uint8_t)strtoul((char[]){text[0], text[1], 0}, NULL, 16);
    }
    return n;
}

static int parse(const char *text, bool syn, bool ack)
{
    uint8_t opt[256];

    hex(text, opt);
    return mptcp_option_parse(opt, opt[1], syn, ack, &m);
}

/* The options in m must encode to these bytes, padding included. */
static void expect_bytes(const char *text)
{
    uint8_t expected[256], got[256];
    unsigned n = hex(text, expected);

    memset(got, 0xee, sizeof(got));
    ck_assert_uint_eq(mptcp_options_size(&m), n);
    ck_assert_uint_eq(mptcp_options_encode(&m, got, sizeof(got)), n);
    ck_assert_int_eq(memcmp(got, expected, n), 0);
    ck_assert_uint_eq(got[n], 0xee);
    ck_assert_uint_eq(mptcp_options_encode(&m, got, n), n);
    ck_assert_uint_eq(mptcp_options_encode(&m, got, n - 1), 0);
}

#define KEY_A "0102030405060708"
#define KEY_B "1112131415161718"

START_TEST(capable_has_a_form_for_each_step_of_the_handshake)
{
    ck_assert_int_eq(parse("1e 04 01 81", true, false), 0);
    ck_assert_uint_eq(m.has, MPTCP_HAS(MPTCP_CAPABLE));
    ck_assert_uint_eq(m.capable.version, 1);
    ck_assert_uint_eq(m.capable.flags, MPTCP_CAPABLE_CHECKSUM | MPTCP_CAPABLE_SHA256);
    ck_assert_uint_eq(m.capable.n_keys, 0);
    expect_bytes("1e040181");
    setup();
    ck_assert_int_eq(parse("1e 0c 01 01 " KEY_A, true, true), 0);
    ck_assert_uint_eq(m.capable.n_keys, 1);
    ck_assert_uint_eq(m.capable.sender_key, 0x0102030405060708ULL);
    expect_bytes("1e0c0101" KEY_A);
    setup();
    ck_assert_int_eq(parse("1e 14 01 01 " KEY_A KEY_B, false, true), 0);
    ck_assert_uint_eq(m.capable.n_keys, 2);
    ck_assert_uint_eq(m.capable.receiver_key, 0x1112131415161718ULL);
    ck_assert(!m.capable.has_len && !m.capable.has_csum);
    expect_bytes("1e140101" KEY_A KEY_B);
}
END_TEST

START_TEST(capable_with_data_carries_a_length_and_maybe_a_checksum)
{
    ck_assert_int_eq(parse("1e 16 01 01 " KEY_A KEY_B "1234", false, true), 0);
    ck_assert(m.capable.has_len && !m.capable.has_csum);
    ck_assert_uint_eq(m.capable.data_len, 0x1234);
    expect_bytes("1e160101" KEY_A KEY_B "1234 0101");
    setup();
    ck_assert_int_eq(parse("1e 18 01 81 " KEY_A KEY_B "1234 abcd", false, true), 0);
    ck_assert(m.capable.has_len && m.capable.has_csum);
    ck_assert_uint_eq(m.capable.csum, 0xabcd);
    expect_bytes("1e180181" KEY_A KEY_B "1234abcd");
}
END_TEST

START_TEST(join_has_a_form_for_each_step_of_the_handshake)
{
    ck_assert_int_eq(parse("1e 0c 11 05 66840dda aabbccdd", true, false), 0);
    ck_assert(m.join.kind == MPTCP_JOIN_SYN && m.join.backup);
    ck_assert_uint_eq(m.join.addr_id, 5);
    ck_assert_uint_eq(m.join.token, 0x66840dda);
    ck_assert_uint_eq(m.join.nonce, 0xaabbccdd);
    expect_bytes("1e0c110566840ddaaabbccdd");
    setup();
    ck_assert_int_eq(parse("1e 10 10 02 72bea43c69c0c206 11223344", true, true), 0);
    ck_assert(m.join.kind == MPTCP_JOIN_SYNACK && !m.join.backup);
    ck_assert_uint_eq(m.join.nonce, 0x11223344);
    ck_assert_int_eq(memcmp(m.join.hmac, "\x72\xbe\xa4\x3c\x69\xc0\xc2\x06\0\0", 10), 0);
    expect_bytes("1e10100272bea43c69c0c20611223344");
    setup();
    ck_assert_int_eq(parse("1e 18 10 00 c2986b9ffe33dedc10955fc5c9c31544e3ac05c0", false, true), 0);
    ck_assert(m.join.kind == MPTCP_JOIN_ACK);
    ck_assert_uint_eq(m.join.hmac[19], 0xc0);
    expect_bytes("1e181000c2986b9ffe33dedc10955fc5c9c31544e3ac05c0");
}
END_TEST

START_TEST(dss_carries_what_its_flags_say)
{
    ck_assert_int_eq(parse("1e 0c 20 03 0011223344556677", false, true), 0);
    ck_assert(m.dss.has_ack && m.dss.ack64 && !m.dss.has_map && !m.dss.data_fin && !m.dss.has_csum);
    ck_assert_uint_eq(m.dss.data_ack, 0x0011223344556677ULL);
    expect_bytes("1e0c20030011223344556677");
    setup();
    ck_assert_int_eq(parse("1e 08 20 01 89abcdef", false, true), 0);
    ck_assert(m.dss.has_ack && !m.dss.ack64);
    ck_assert_uint_eq(m.dss.data_ack, 0x89abcdef);
    expect_bytes("1e08200189abcdef");
    setup();
    ck_assert_int_eq(parse("1e 1c 20 1f 0011223344556677 8899aabbccddeeff 00000001 0578 beef", false, true),
                     0);
    ck_assert(m.dss.has_map && m.dss.dsn64 && m.dss.data_fin && m.dss.has_csum);
    ck_assert_uint_eq(m.dss.dsn, 0x8899aabbccddeeffULL);
    ck_assert_uint_eq(m.dss.ssn, 1);
    ck_assert_uint_eq(m.dss.len, 0x578);
    ck_assert_uint_eq(m.dss.csum, 0xbeef);
    expect_bytes("1e1c201f00112233445566778899aabbccddeeff000000010578beef");
    setup();
    ck_assert_int_eq(parse("1e 1a 20 0f 0011223344556677 8899aabbccddeeff 00000001 0578", false, true), 0);
    expect_bytes("1e1a200f00112233445566778899aabbccddeeff000000010578 0101");
    setup();
    ck_assert_int_eq(parse("1e 0e 20 04 ccddeeff 00000001 0000", false, true), 0);
    ck_assert(m.dss.has_map && !m.dss.has_ack && !m.dss.dsn64);
    ck_assert_uint_eq(m.dss.len, 0);
    expect_bytes("1e0e2004ccddeeff000000010000 0101");
}
END_TEST

/* For each of the 256 flag bytes: exactly the implied length is right, and with a mapping two more. */
START_TEST(dss_length_must_be_what_the_flags_imply)
{
    for (unsigned flags = 0; flags < 256; flags++) {
        unsigned size = 4;

        size += flags & 1 ? (flags & 2 ? 8 : 4) : 0;
        size += flags & 4 ? (flags & 8 ? 8 : 4) + 6 : 0;
        for (unsigned len = 3; len <= 40; len++) {
            uint8_t opt[40] = {30, (uint8_t)len, MPTCP_DSS << 4, (uint8_t)flags};
            bool good = len == size || (flags & 4 && len == size + 2);

            setup();
            must(mptcp_option_parse(opt, len, false, true, &m) == (good ? 0 : -1));
            must(m.malformed == !good && m.has == (good ? MPTCP_HAS(MPTCP_DSS) : 0));
            must(!good || m.dss.has_csum == (len == size + 2));
        }
    }
}
END_TEST

START_TEST(dss_flags_without_their_field_mean_nothing)
{
    ck_assert_int_eq(parse("1e 04 20 1a", false, true), 0); /* a, m and F without A and M */
    ck_assert(!m.dss.has_ack && !m.dss.ack64 && !m.dss.has_map && !m.dss.dsn64 && !m.dss.data_fin);
    expect_bytes("1e042000");
}
END_TEST

START_TEST(add_addr_length_tells_family_port_and_echo)
{
    char text[ADDR_TEXT];

    ck_assert_int_eq(parse("1e 10 30 02 c0000201 7a89d0b1fb7ea024", false, true), 0);
    ck_assert(!m.add_addr.echo && !m.add_addr.has_port);
    ck_assert_uint_eq(m.add_addr.id, 2);
    ck_assert_str_eq(addr_text(&m.add_addr.addr, text), "192.0.2.1:0");
    ck_assert_uint_eq(m.add_addr.hmac[7], 0x24);
    expect_bytes("1e103002c00002017a89d0b1fb7ea024");
    setup();
    ck_assert_int_eq(parse("1e 12 30 02 c0000201 20fb 88bceaa79917cfbb", false, true), 0);
    ck_assert_str_eq(addr_text(&m.add_addr.addr, text), "192.0.2.1:8443");
    expect_bytes("1e123002c000020120fb88bceaa79917cfbb 0101");
    setup();
    ck_assert_int_eq(parse("1e 1e 30 02 20010db8000000000000000000000001 20fb 88bceaa79917cfbb", false, true),
                     0);
    ck_assert_str_eq(addr_text(&m.add_addr.addr, text), "[2001:db8::1]:8443");
    expect_bytes("1e1e300220010db800000000000000000000000120fb88bceaa79917cfbb 0101");
    setup();
    ck_assert_int_eq(parse("1e 08 31 02 c0000201", false, true), 0);
    ck_assert(m.add_addr.echo);
    expect_bytes("1e083102c0000201");
    setup();
    ck_assert_int_eq(parse("1e 16 31 02 20010db8000000000000000000000001 20fb", false, true), 0);
    ck_assert(m.add_addr.echo && m.add_addr.has_port);
    expect_bytes("1e16310220010db800000000000000000000000120fb 0101");
}
END_TEST

START_TEST(version_0_has_keys_in_the_syn_and_addresses_without_hmac)
{
    char text[ADDR_TEXT];
    ck_assert_int_eq(parse("1e 0c 00 81 " KEY_A, true, false), 0);
    ck_assert_uint_eq(m.capable.version, 0);
    ck_assert_uint_eq(m.capable.n_keys, 1);
    ck_assert_uint_eq(m.capable.sender_key, 0x0102030405060708ULL);
    expect_bytes("1e0c0081" KEY_A);
    setup();
    ck_assert_int_eq(parse("1e 08 34 02 c0000201", false, true), 0);
    ck_assert(m.add_addr.bare && !m.add_addr.echo && !m.add_addr.has_port && m.add_addr.id == 2);
    ck_assert_str_eq(addr_text(&m.add_addr.addr, text), "192.0.2.1:0");
    expect_bytes("1e083402c0000201");
    setup();
    ck_assert_int_eq(parse("1e 16 36 02 20010db8000000000000000000000001 20fb", false, true), 0);
    ck_assert(m.add_addr.bare);
    ck_assert_str_eq(addr_text(&m.add_addr.addr, text), "[2001:db8::1]:8443");
    expect_bytes("1e16360220010db800000000000000000000000120fb 0101");
    setup();
    ck_assert_int_eq(parse("1e 14 36 02 00000000000000000000ffffc0000201", false, true), -1);
    setup();
    ck_assert_int_eq(parse("1e 04 51 07", false, true), 0);
    ck_assert(m.prio_backup && m.prio_has_id && m.prio_id == 7);
    expect_bytes("1e045107");
}
END_TEST

START_TEST(a_v4_mapped_address_in_an_ipv6_add_addr_is_malformed)
{
    ck_assert_int_eq(parse("1e 1c 30 02 00000000000000000000ffffc0000201 7a89d0b1fb7ea024", false, true), -1);
    ck_assert(m.malformed && m.has == 0);
}
END_TEST

START_TEST(the_short_options_have_linux_layout)
{
    ck_assert_int_eq(parse("1e 05 40 03 09", false, true), 0);
    ck_assert_uint_eq(m.remove_addr.n, 2);
    ck_assert_uint_eq(m.remove_addr.ids[1], 9);
    expect_bytes("1e05400309 010101");
    setup();
    ck_assert_int_eq(parse("1e 03 51", false, true), 0);
    ck_assert(m.prio_backup);
    expect_bytes("1e0351 01");
    setup();
    ck_assert_int_eq(parse("1e 0c 60 00 0011223344556677", false, true), 0);
    ck_assert_uint_eq(m.fail_dsn, 0x0011223344556677ULL);
    expect_bytes("1e0c60000011223344556677");
    setup();
    ck_assert_int_eq(parse("1e 0c 70 00 " KEY_B, false, true), 0);
    ck_assert_uint_eq(m.fastclose.key, 0x1112131415161718ULL);
    expect_bytes("1e0c7000" KEY_B);
    setup();
    ck_assert_int_eq(parse("1e 04 81 06", false, true), 0);
    ck_assert_uint_eq(m.rst_flags, MPTCP_RST_TRANSIENT);
    ck_assert_uint_eq(m.rst_reason, MPTCP_RST_MIDDLEBOX);
    expect_bytes("1e048106");
}
END_TEST

START_TEST(thirty_seven_addresses_can_be_removed_at_once)
{
    uint8_t opt[40] = {30, 40, MPTCP_REMOVE_ADDR << 4};

    for (unsigned i = 3; i < 40; i++)
        opt[i] = (uint8_t)i;
    ck_assert_int_eq(mptcp_option_parse(opt, 40, false, true, &m), 0);
    ck_assert_uint_eq(m.remove_addr.n, 37);
    ck_assert_uint_eq(m.remove_addr.ids[36], 39);
}
END_TEST

START_TEST(several_options_go_out_in_linux_order)
{
    ck_assert_int_eq(parse("1e 04 80 06", false, true), 0);
    ck_assert_int_eq(parse("1e 0c 70 00 " KEY_B, false, true), 0);
    expect_bytes("1e0c7000" KEY_B "1e048006");
    setup();
    ck_assert_int_eq(parse("1e 04 40 02", false, true), 0);
    ck_assert_int_eq(parse("1e 03 50", false, true), 0);
    ck_assert_int_eq(parse("1e 0c 20 03 0011223344556677", false, true), 0);
    expect_bytes("1e0c20030011223344556677 1e044002 1e035001");
    m.has = 0;
    ck_assert_uint_eq(mptcp_options_encode(&m, (uint8_t[4]){0}, 4), 0);
}
END_TEST

/* The lengths that each subtype may have, by segment: SYN, SYN/ACK, ACK. */
START_TEST(every_other_length_is_malformed)
{
    static const struct {
        unsigned subtype;
        bool syn, ack;
        const char *lengths;
    } good[] = {
        {MPTCP_CAPABLE | 16, true, false, "\x04"}, /* version 1 */
        {MPTCP_CAPABLE | 16, true, true, "\x0c"},
        {MPTCP_CAPABLE | 16, false, true, "\x14\x16\x18"},
        {MPTCP_CAPABLE, true, false, "\x04\x0c"}, /* version 0 */
        {MPTCP_CAPABLE, true, true, "\x0c"},
        {MPTCP_CAPABLE, false, true, "\x14"},
        {MPTCP_JOIN, true, false, "\x0c"},
        {MPTCP_JOIN, true, true, "\x10"},
        {MPTCP_JOIN, false, true, "\x18"},
        {MPTCP_ADD_ADDR, false, true, "\x10\x12\x1c\x1e"},
        {MPTCP_ADD_ADDR | 16, false, true, "\x08\x0a\x14\x16"},             /* echo */
        {MPTCP_ADD_ADDR | 4 << 4, false, true, "\x08\x0a\x10\x12\x1c\x1e"}, /* version 0, or reserved bits */
        {MPTCP_ADD_ADDR | 6 << 4, false, true, "\x10\x12\x14\x16\x1c\x1e"},
        {MPTCP_ADD_ADDR | 2 << 4, false, true, "\x10\x12\x1c\x1e"},
        {MPTCP_REMOVE_ADDR, false, true,
         "\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b"
         "\x1c\x1d\x1e"
         "\x1f\x20\x21\x22\x23\x24\x25\x26\x27\x28"},
        {MPTCP_PRIO, false, true, "\x03\x04"},
        {MPTCP_FAIL, false, true, "\x0c"},
        {MPTCP_FASTCLOSE, false, true, "\x0c"},
        {MPTCP_TCPRST, false, true, "\x04"},
        {9, false, true, ""},
        {10, true, false, ""},
        {15, false, true, ""},
    };

    for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
        for (unsigned len = 0; len < 256; len++) {
            uint8_t opt[256] = {30, (uint8_t)len, (uint8_t)(good[i].subtype << 4 | good[i].subtype >> 4)};
            bool expected = len > 0 && strchr(good[i].lengths, (int)len);

            setup();
            must((mptcp_option_parse(opt, len, good[i].syn, good[i].ack, &m) == 0) == expected);
            must(m.malformed == !expected);
            must(m.has == (expected ? MPTCP_HAS(good[i].subtype & 15) : 0));
        }
    }
}
END_TEST

START_TEST(a_repeated_option_is_fine_if_it_says_the_same)
{
    ck_assert_int_eq(parse("1e 0c 20 03 0011223344556677", false, true), 0);
    ck_assert_int_eq(parse("1e 0c 20 e3 0011223344556677", false, true), 0); /* reserved bits differ */
    ck_assert(!m.malformed);
    ck_assert_int_eq(parse("1e 0c 20 03 0011223344556678", false, true), -1);
    ck_assert(m.malformed);
    ck_assert_uint_eq(m.dss.data_ack, 0x0011223344556677ULL);
    ck_assert_uint_eq(m.has, MPTCP_HAS(MPTCP_DSS));
}
END_TEST

START_TEST(a_damaged_repetition_leaves_the_first)
{
    static const struct {
        const char *first, *second;
    } pairs[] = {
        {"1e 03 51", "1e 03 50"},
        {"1e 03 51", "1e 04 51 00"},
        {"1e 05 40 03 09", "1e 04 40 03"},
        {"1e 0c 60 00 0011223344556677", "1e 0c 60 00 0011223344556670"},
        {"1e 0c 70 00 0011223344556677", "1e 0b 70 00 00112233445566"},
        {"1e 04 81 06", "1e 04 80 06"},
        {"1e 08 31 02 c0000201", "1e 08 31 02 c0000202"},
        {"1e 08 31 02 c0000201", "1e 10 30 02 c0000201 7a89d0b1fb7ea024"},
        {"1e 14 01 01 " KEY_A KEY_B, "1e 16 01 01 " KEY_A KEY_B "0001"},
    };

    for (unsigned i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        uint8_t before[40], after[40];
        unsigned n;

        setup();
        ck_assert_int_eq(parse(pairs[i].first, false, true), 0);
        n = mptcp_options_encode(&m, before, sizeof(before));
        ck_assert_int_eq(parse(pairs[i].first, false, true), 0);
        ck_assert(!m.malformed);
        ck_assert_int_eq(parse(pairs[i].second, false, true), -1);
        ck_assert(m.malformed);
        ck_assert_uint_eq(mptcp_options_encode(&m, after, sizeof(after)), n);
        ck_assert_int_eq(memcmp(before, after, n), 0);
    }
}
END_TEST

/* Random bytes in an exactly allocated buffer: no overrun (seen by ASan), and what parses comes back the
 * same. */
START_TEST(random_options_never_overrun_and_survive_a_round_trip)
{
    uint64_t seed = 9;
    unsigned good = 0;

    for (unsigned i = 0; i < 200000; i++) {
        unsigned len = 2 + (unsigned)rng_below(&seed, 39), form = (unsigned)rng_below(&seed, 3);
        uint8_t *opt = malloc(len), one[64], two[64];
        unsigned n;

        for (unsigned b = 0; b < len; b++)
            opt[b] = (uint8_t)rng_next(&seed);
        opt[0] = 30;
        opt[1] = (uint8_t)len;
        setup();
        if (mptcp_option_parse(opt, len, form<2, form> 0, &m) == 0) {
            good++;
            n = mptcp_options_encode(&m, one, sizeof(one));
            must(n >= len && n < len + 4);
            setup();
            must(mptcp_option_parse(one, one[1], form<2, form> 0, &m) == 0);
            must(mptcp_options_encode(&m, two, sizeof(two)) == n && memcmp(one, two, n) == 0);
        }
        free(opt);
    }
    ck_assert_uint_gt(good, 5000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire_mptcp");
    TCase *t = tcase_create("wire_mptcp");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, capable_has_a_form_for_each_step_of_the_handshake);
    tcase_add_test(t, capable_with_data_carries_a_length_and_maybe_a_checksum);
    tcase_add_test(t, join_has_a_form_for_each_step_of_the_handshake);
    tcase_add_test(t, dss_carries_what_its_flags_say);
    tcase_add_test(t, dss_length_must_be_what_the_flags_imply);
    tcase_add_test(t, dss_flags_without_their_field_mean_nothing);
    tcase_add_test(t, add_addr_length_tells_family_port_and_echo);
    tcase_add_test(t, version_0_has_keys_in_the_syn_and_addresses_without_hmac);
    tcase_add_test(t, a_v4_mapped_address_in_an_ipv6_add_addr_is_malformed);
    tcase_add_test(t, the_short_options_have_linux_layout);
    tcase_add_test(t, thirty_seven_addresses_can_be_removed_at_once);
    tcase_add_test(t, several_options_go_out_in_linux_order);
    tcase_add_test(t, every_other_length_is_malformed);
    tcase_add_test(t, a_repeated_option_is_fine_if_it_says_the_same);
    tcase_add_test(t, a_damaged_repetition_leaves_the_first);
    tcase_add_test(t, random_options_never_overrun_and_survive_a_round_trip);
    suite_add_tcase(s, t);
    return run_suite(s);
}
