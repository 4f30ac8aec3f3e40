/* IP packets: IPv4 and IPv6 headers, extension headers, fragments, ICMP errors, and the packets that we
 * build. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "property.h"
#include "wire/checksum.h"
#include "wire/packet.h"

static struct wire_packet p;
static uint8_t raw[2048];
static size_t raw_len;
static struct wire_tcp syn;

static void setup(void)
{
    memset(&p, 0xa5, sizeof(p));
    memset(raw, 0, sizeof(raw));
    syn = (struct wire_tcp){.seq = 0x01020304, .flags = TCP_SYN, .has_mss = true, .mss = 1460};
}

static struct braid_addr addr(const char *text)
{
    struct braid_addr a;

    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* Puts a TCP packet with a correct checksum into raw. */
static void make_tcp(const char *src, const char *dst, unsigned payload_len)
{
    struct packet_spec spec = {addr(src), addr(dst), &syn, payload_len, 64};
    struct packet_header h;
    struct iovec body;

    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    for (unsigned i = 0; i < payload_len; i++)
        raw[h.len + i] = (uint8_t)i;
    body = (struct iovec){raw + h.len, payload_len};
    packet_checksum_fill(&h, &body, 1);
    memcpy(raw, h.bytes, h.len);
    raw_len = h.len + payload_len;
}

static void make_v4(unsigned payload_len)
{
    make_tcp("192.0.2.1:40000", "198.51.100.7:443", payload_len);
}

static void make_v6(unsigned payload_len)
{
    make_tcp("[2001:db8::1]:40000", "[2001:db8:1::7]:443", payload_len);
}

static void fix_ip4_checksum(void)
{
    put16(raw + 10, 0);
    put16(raw + 10, (uint16_t)~checksum_fold(checksum_add(0, raw, (raw[0] & 15) * 4u)));
}

static enum wire_status parse(void)
{
    return packet_parse(raw, raw_len, true, &p);
}

static void expect_text(const struct braid_addr *a, const char *expected)
{
    char text[ADDR_TEXT];

    ck_assert_str_eq(addr_text(a, text), expected);
}

START_TEST(a_built_ipv4_packet_parses)
{
    make_v4(100);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_TCP);
    expect_text(&p.src, "192.0.2.1:40000");
    expect_text(&p.dst, "198.51.100.7:443");
    ck_assert_ptr_eq(p.payload, raw + 44);
    ck_assert_uint_eq(p.payload_len, 100);
    ck_assert_uint_eq(p.hop_limit, 64);
    ck_assert_uint_eq(p.traffic_class, 0);
    ck_assert_uint_eq(p.tcp.mss, 1460);
    ck_assert_uint_eq(get16(raw + 6), 0x4000); /* DF */
}
END_TEST

START_TEST(a_built_ipv6_packet_parses)
{
    make_v6(101);
    raw[0] |= 0x0a;
    raw[1] |= 0xb0;
    ck_assert_int_eq(parse(), WIRE_OK);
    expect_text(&p.src, "[2001:db8::1]:40000");
    expect_text(&p.dst, "[2001:db8:1::7]:443");
    ck_assert_uint_eq(p.payload_len, 101);
    ck_assert_uint_eq(p.traffic_class, 0xab);
}
END_TEST

START_TEST(every_damaged_bit_is_noticed_when_verifying)
{
    for (unsigned family = 0; family < 2; family++) {
        setup();
        if (family == 0)
            make_v4(33);
        else
            make_v6(33);
        for (size_t bit = 0; bit < 8 * raw_len; bit++) {
            /* Traffic class, flow label and hop limit of IPv6 are in no checksum. */
            bool unprotected = family == 1 && (bit < 4 || (bit >= 8 && bit < 32) || bit / 8 == 7);

            raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
            must((parse() == WIRE_OK) == unprotected);
            raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        must(parse() == WIRE_OK);
    }
}
END_TEST

START_TEST(without_verifying_a_partial_checksum_passes)
{
    make_v4(100);
    put16(raw + 36, 0x1234);
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_OK);
    ck_assert_int_eq(parse(), WIRE_CHECKSUM);
    raw[8]--; /* the IPv4 header's own checksum always counts */
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_CHECKSUM);
}
END_TEST

START_TEST(bytes_behind_the_packet_are_ignored)
{
    make_v4(10);
    raw_len += 20;
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_uint_eq(p.payload_len, 10);
    setup();
    make_v6(10);
    raw_len += 20;
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_uint_eq(p.payload_len, 10);
}
END_TEST

START_TEST(every_truncation_is_noticed)
{
    for (unsigned family = 0; family < 2; family++) {
        size_t whole;

        setup();
        if (family == 0)
            make_v4(5);
        else
            make_v6(5);
        whole = raw_len;
        for (raw_len = 0; raw_len < whole; raw_len++)
            ck_assert_int_eq(parse(), WIRE_TRUNCATED);
    }
}
END_TEST

START_TEST(a_length_of_zero_is_truncated)
{
    make_v4(10);
    put16(raw + 2, 0);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
    setup();
    make_v6(10);
    put16(raw + 4, 0);
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
}
END_TEST

START_TEST(impossible_ip_fields_are_malformed)
{
    make_v4(10);
    raw[0] = 0x44;
    ck_assert_int_eq(parse(), WIRE_MALFORMED);
    raw[0] = 0x55;
    ck_assert_int_eq(parse(), WIRE_MALFORMED);
    raw[0] = 0x45;
    put16(raw + 2, 19);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_MALFORMED);
    put16(raw + 2, 30); /* no room for a TCP header */
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
}
END_TEST

START_TEST(a_v4_mapped_address_in_an_ipv6_header_is_malformed)
{
    static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};

    make_v6(0);
    memcpy(raw + 8, mapped, 16);
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_MALFORMED);
    make_v6(0);
    memcpy(raw + 24, mapped, 16);
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_MALFORMED);
}
END_TEST

START_TEST(ipv4_options_are_passed_over)
{
    make_v4(10);
    memmove(raw + 28, raw + 20, raw_len - 20);
    memset(raw + 20, 1, 8);
    raw[0] = 0x47;
    raw_len += 8;
    put16(raw + 2, (uint16_t)raw_len);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_uint_eq(p.payload_len, 10);
    ck_assert_uint_eq(p.tcp.seq, 0x01020304);
}
END_TEST

START_TEST(fragments_and_other_protocols_are_told_apart)
{
    make_v4(10);
    put16(raw + 6, 0x2000);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_FRAGMENT);
    put16(raw + 6, 5);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_FRAGMENT);
    put16(raw + 6, 0);
    raw[9] = 17;
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
    raw[9] = 58; /* ICMPv6 in IPv4 */
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
}
END_TEST

/* Inserts an extension header of 8 * units bytes behind the IPv6 header. */
static void insert_extension(uint8_t proto, unsigned units, uint8_t third)
{
    uint8_t *x = raw + 40;

    memmove(x + 8 * units, x, raw_len - 40);
    memset(x, 0, 8 * units);
    x[0] = raw[6];
    x[1] = (uint8_t)(units - 1);
    x[3] = third;
    raw[6] = proto;
    raw_len += 8 * units;
    put16(raw + 4, (uint16_t)(raw_len - 40));
}

START_TEST(ipv6_extension_headers_are_walked)
{
    make_v6(10);
    insert_extension(60, 1, 0);
    insert_extension(43, 3, 0);
    insert_extension(60, 2, 0);
    insert_extension(0, 1, 0);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_uint_eq(p.payload_len, 10);
    ck_assert_uint_eq(p.tcp.seq, 0x01020304);
}
END_TEST

START_TEST(ipv6_extension_headers_that_we_do_not_walk_are_refused)
{
    make_v6(10);
    insert_extension(43, 1, 1); /* segments left */
    ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
    make_v6(10);
    insert_extension(44, 1, 0);
    ck_assert_int_eq(parse(), WIRE_FRAGMENT);
    make_v6(10);
    insert_extension(51, 1, 0);
    ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
    make_v6(10);
    insert_extension(0, 1, 0);
    insert_extension(60, 1, 0); /* hop-by-hop is not the first any more */
    ck_assert_int_eq(parse(), WIRE_MALFORMED);
    make_v6(10);
    for (int i = 0; i < 9; i++)
        insert_extension(60, 1, 0);
    ck_assert_int_eq(parse(), WIRE_UNSUPPORTED);
    make_v6(0);
    raw[6] = 60;
    raw[41] = 200; /* longer than the packet */
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
}
END_TEST

START_TEST(tcp_damage_is_told_apart)
{
    make_v4(0);
    raw[32] = 0x40; /* data offset below five words */
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_MALFORMED);
    raw[32] = 0x70; /* beyond the packet */
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_TRUNCATED);
    raw[32] = 0x60;
    raw[41] = 5; /* MSS option past the end */
    ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_MALFORMED);
}
END_TEST

/* Wraps what is in raw into an ICMP error of the same family, cut to `quote` bytes. */
static void wrap_icmp(uint8_t type, uint8_t code, uint32_t rest, size_t quote)
{
    bool v6 = raw[0] >> 4 == 6;
    size_t ip = v6 ? 40 : 20;
    uint8_t quoted[1024];
    uint64_t sum = 0;

    memcpy(quoted, raw, quote);
    if (v6) {
        struct braid_ip src = addr("[2001:db8:ff::1]:0").ip, dst = addr("[2001:db8::1]:0").ip;

        memset(raw, 0, 40);
        raw[0] = 0x60;
        put16(raw + 4, (uint16_t)(8 + quote));
        raw[6] = 58;
        raw[7] = 99;
        memcpy(raw + 8, src.b, 16);
        memcpy(raw + 24, dst.b, 16);
        sum = checksum_pseudo(&src, &dst, 58, (uint32_t)(8 + quote));
    } else {
        memset(raw, 0, 20);
        raw[0] = 0x45;
        put16(raw + 2, (uint16_t)(28 + quote));
        raw[8] = 99;
        raw[9] = 1;
        memcpy(raw + 12, "\x0a\0\0\1\xc0\0\2\1", 8);
        fix_ip4_checksum();
    }
    raw[ip] = type;
    raw[ip + 1] = code;
    put16(raw + ip + 2, 0);
    put32(raw + ip + 4, rest);
    memcpy(raw + ip + 8, quoted, quote);
    put16(raw + ip + 2, (uint16_t)~checksum_fold(checksum_add(sum, raw + ip, 8 + quote)));
    raw_len = ip + 8 + quote;
}

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
        {false, 8, 0, NONE},
        {false, 12, 0, NONE},
        {true, 1, 0, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 1, 1, WIRE_ICMP_UNREACHABLE_HARD},
        {true, 1, 3, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 1, 4, WIRE_ICMP_UNREACHABLE_HARD},
        {true, 1, 6, WIRE_ICMP_UNREACHABLE_HARD},
        {true, 1, 255, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 3, 0, WIRE_ICMP_UNREACHABLE_SOFT},
        {true, 4, 0, NONE},
        {true, 128, 0, NONE},
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

START_TEST(the_partial_checksum_is_the_sum_of_the_pseudo_header)
{
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 60000, 64};
    struct packet_header h;

    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    ck_assert_uint_eq(h.csum_start, 20);
    ck_assert_uint_eq(h.len, 44);
    ck_assert(!h.v6);
    ck_assert_uint_eq(get16(h.bytes + 36),
                      checksum_fold(checksum_pseudo(&spec.src.ip, &spec.dst.ip, 6, 60024)));
    ck_assert_uint_eq(get16(h.bytes + 2), 60044);
}
END_TEST

START_TEST(a_packet_of_more_than_64_kib_is_refused)
{
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 65535 - 44, 64};
    struct packet_header h;

    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    spec.payload_len++;
    ck_assert_int_eq(packet_header_build(&spec, &h), -1);
    spec.payload_len = UINT32_MAX;
    ck_assert_int_eq(packet_header_build(&spec, &h), -1);
    spec.src = addr("[2001:db8::1]:1");
    spec.dst = addr("[2001:db8::2]:1");
    spec.payload_len = 65535 - 24; /* IPv6 does not count its own header */
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    spec.payload_len++;
    ck_assert_int_eq(packet_header_build(&spec, &h), -1);
}
END_TEST

START_TEST(options_that_do_not_fit_are_refused)
{
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 0, 64};
    struct packet_header h;

    syn.has_ts = true;
    syn.n_sack = 3;
    ck_assert_int_eq(packet_header_build(&spec, &h), -1);
}
END_TEST

START_TEST(checksums_over_odd_pieces_are_right)
{
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 0, 64};
    uint64_t seed = 13;

    for (unsigned round = 0; round < 300; round++) {
        struct packet_header h;
        struct iovec parts[5];
        unsigned len = 0;

        for (unsigned i = 0; i < 5; i++) {
            parts[i] = (struct iovec){raw + 44 + len, rng_below(&seed, 50)};
            len += (unsigned)parts[i].iov_len;
        }
        for (unsigned i = 0; i < len; i++)
            raw[44 + i] = (uint8_t)rng_next(&seed);
        spec.payload_len = len;
        ck_assert_int_eq(packet_header_build(&spec, &h), 0);
        packet_checksum_fill(&h, parts, 5);
        memcpy(raw, h.bytes, h.len);
        raw_len = h.len + len;
        ck_assert_int_eq(parse(), WIRE_OK);
    }
}
END_TEST

START_TEST(an_unreachable_message_is_one_that_we_understand)
{
    struct braid_ip from4 = addr("203.0.113.9:0").ip, from6 = addr("[2001:db8:9::9]:0").ip;
    uint8_t out[PACKET_ICMP_MAX];
    size_t n;

    make_v4(1000);
    n = packet_icmp_unreachable(raw, raw_len, &from4, out);
    ck_assert_uint_eq(n, PACKET_ICMP_MAX);
    ck_assert_int_eq(packet_parse(out, n, true, &p), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_ICMP_ERROR);
    expect_text(&p.src, "192.0.2.1:40000");
    ck_assert_int_eq(memcmp(out + 12, "\xcb\0\x71\x09\xc0\0\2\1", 8), 0); /* from us to its sender */
    ck_assert_int_eq(memcmp(out + 20, "\3\1", 2), 0);
    ck_assert_int_eq(memcmp(out + 28, raw, n - 28), 0);
    setup();
    make_v6(0);
    n = packet_icmp_unreachable(raw, raw_len + 50, &from6, out);
    ck_assert_uint_eq(n, 48 + raw_len); /* not what lies behind the packet */
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
    uint8_t out[PACKET_ICMP_MAX];

    make_v4(0);
    ck_assert_uint_gt(packet_icmp_unreachable(raw, raw_len, &from4, out), 0);
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from6, out), 0);
    ck_assert_uint_eq(packet_icmp_unreachable(raw, 19, &from4, out), 0);
    ck_assert_uint_eq(packet_icmp_unreachable(raw, 0, &from4, out), 0);
    for (unsigned i = 0; i < sizeof(bad_sources); i++) {
        make_v4(0);
        raw[12] = bad_sources[i];
        ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from4, out), 0);
    }
    make_v4(0);
    raw[16] = 225;
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from4, out), 0);
    make_v4(0);
    raw[9] = 1;
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from4, out), 0);
    make_v4(0);
    raw[7] = 1;
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from4, out), 0);
    make_v6(0);
    raw[6] = 58;
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from6, out), 0);
    make_v6(0);
    raw[24] = 0xff;
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from6, out), 0);
    make_v6(0);
    memset(raw + 8, 0, 16);
    ck_assert_uint_eq(packet_icmp_unreachable(raw, raw_len, &from6, out), 0);
}
END_TEST

/* Damages good packets at random, in exactly allocated memory, so that ASan sees any overrun. */
START_TEST(damaged_packets_never_overrun)
{
    uint64_t seed = 17;
    unsigned by_status[WIRE_UNSUPPORTED + 1] = {0};

    for (unsigned i = 0; i < 60000; i++) {
        uint8_t *copy;

        if (i % 2)
            make_v6(8);
        else
            make_v4(8);
        if (i % 3 == 0 && i % 2)
            insert_extension(60, 2, 0);
        if (i % 5 == 0)
            wrap_icmp(i % 2 ? 1 : 3, 1, 0, raw_len);
        for (unsigned hit = 0; hit < 1 + i % 4; hit++)
            raw[rng_below(&seed, raw_len)] = (uint8_t)rng_next(&seed);
        if (i % 7 == 0)
            raw_len = rng_below(&seed, raw_len + 1);
        if (i % 2 == 0 && raw_len >= 60)
            fix_ip4_checksum();
        copy = malloc(raw_len + 1);
        memcpy(copy + 1, raw, raw_len);
        by_status[packet_parse(copy + 1, raw_len, i % 11 == 0, &p)]++;
        free(copy);
    }
    for (unsigned status = 0; status <= WIRE_UNSUPPORTED; status++)
        ck_assert_uint_gt(by_status[status], 10);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire_packet");
    TCase *t = tcase_create("wire_packet");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_built_ipv4_packet_parses);
    tcase_add_test(t, a_built_ipv6_packet_parses);
    tcase_add_test(t, every_damaged_bit_is_noticed_when_verifying);
    tcase_add_test(t, without_verifying_a_partial_checksum_passes);
    tcase_add_test(t, bytes_behind_the_packet_are_ignored);
    tcase_add_test(t, every_truncation_is_noticed);
    tcase_add_test(t, a_length_of_zero_is_truncated);
    tcase_add_test(t, impossible_ip_fields_are_malformed);
    tcase_add_test(t, a_v4_mapped_address_in_an_ipv6_header_is_malformed);
    tcase_add_test(t, ipv4_options_are_passed_over);
    tcase_add_test(t, fragments_and_other_protocols_are_told_apart);
    tcase_add_test(t, ipv6_extension_headers_are_walked);
    tcase_add_test(t, ipv6_extension_headers_that_we_do_not_walk_are_refused);
    tcase_add_test(t, tcp_damage_is_told_apart);
    tcase_add_test(t, an_icmp_error_names_the_packet_it_quotes);
    tcase_add_test(t, icmp_types_and_codes_have_their_class);
    tcase_add_test(t, too_big_tells_the_mtu);
    tcase_add_test(t, icmp_errors_that_concern_nobody_are_refused);
    tcase_add_test(t, the_quoted_header_may_have_been_changed_on_its_way);
    tcase_add_test(t, the_partial_checksum_is_the_sum_of_the_pseudo_header);
    tcase_add_test(t, a_packet_of_more_than_64_kib_is_refused);
    tcase_add_test(t, options_that_do_not_fit_are_refused);
    tcase_add_test(t, checksums_over_odd_pieces_are_right);
    tcase_add_test(t, an_unreachable_message_is_one_that_we_understand);
    tcase_add_test(t, no_unreachable_message_answers_what_must_not_be_answered);
    tcase_add_test(t, damaged_packets_never_overrun);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
