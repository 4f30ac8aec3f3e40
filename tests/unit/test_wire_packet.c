/* IP packets: IPv4 and IPv6 headers, extension headers, fragments, and the headers that we build. */
#include <check.h>
#include <stdlib.h>

#include "packets.h"
#include "property.h"
#include "suite.h"

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

START_TEST(a_bare_tcp_header_is_a_packet)
{
    syn = (struct wire_tcp){.flags = TCP_RST};
    make_v4(0);
    ck_assert_uint_eq(raw_len, 40);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_uint_eq(p.payload_len, 0);
    ck_assert_uint_eq(p.tcp.flags, TCP_RST);
}
END_TEST

/* The header is built into memory that held something else. */
START_TEST(every_byte_of_a_header_is_written)
{
    static const char *const ends[2][2] = {{"192.0.2.1:1", "192.0.2.2:2"},
                                           {"[2001:db8::1]:1", "[2001:db8::2]:2"}};

    for (unsigned family = 0; family < 2; family++) {
        struct packet_spec spec = {addr(ends[family][0]), addr(ends[family][1]), &syn, 5, 64, 0, 0};
        struct packet_header zeros, ones;

        memset(&zeros, 0, sizeof(zeros));
        memset(&ones, 0xff, sizeof(ones));
        ck_assert_int_eq(packet_header_build(&spec, &zeros), 0);
        ck_assert_int_eq(packet_header_build(&spec, &ones), 0);
        ck_assert_int_eq(memcmp(zeros.bytes, ones.bytes, zeros.len), 0);
    }
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

START_TEST(a_traffic_class_is_written_into_either_header)
{
    static const char *const ends[2][2] = {{"192.0.2.1:1", "192.0.2.2:2"},
                                           {"[2001:db8::1]:1", "[2001:db8::2]:2"}};

    for (unsigned family = 0; family < 2; family++) {
        struct packet_spec spec = {.src = addr(ends[family][0]),
                                   .dst = addr(ends[family][1]),
                                   .tcp = &syn,
                                   .hop_limit = 64,
                                   .traffic_class = 0xbc};
        struct packet_header h;

        ck_assert_int_eq(packet_header_build(&spec, &h), 0);
        memcpy(raw, h.bytes, h.len);
        raw_len = h.len;
        ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_OK);
        ck_assert_uint_eq(p.traffic_class, 0xbc);
    }
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
            must((parse() == WIRE_OK && p.kind == WIRE_TCP) == unprotected);
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
    put16(raw + 2, 20);
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_TRUNCATED);
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
    raw[9] = 58; /* ICMPv6 in IPv4 */
    fix_ip4_checksum();
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_OTHER);
    ck_assert_uint_eq(p.protocol, 58);
    ck_assert_uint_eq(p.protocol_at, 9);
}
END_TEST

/* Makes the TCP packet in raw a UDP datagram of its first `len` bytes. */
static void make_udp(unsigned ip, uint16_t len)
{
    struct braid_addr src = addr(ip == 20 ? "192.0.2.1:0" : "[2001:db8::1]:0"),
                      dst = addr(ip == 20 ? "198.51.100.7:0" : "[2001:db8:1::7]:0");

    if (ip == 20) {
        make_v4(30);
        raw[9] = 17;
        fix_ip4_checksum();
    } else {
        make_v6(30);
        raw[6] = 17;
    }
    put16(raw + ip + 4, len);
    put16(raw + ip + 6, 0);
    put16(raw + ip + 6,
          (uint16_t)~checksum_fold(checksum_add(checksum_pseudo(&src.ip, &dst.ip, 17, len), raw + ip, len)));
}

START_TEST(a_udp_datagram_must_be_whole_and_right)
{
    static const unsigned headers[] = {20, 40};

    for (unsigned i = 0; i < 2; i++) {
        unsigned ip = headers[i];

        make_udp(ip, 40);
        ck_assert_int_eq(parse(), WIRE_OK);
        ck_assert(p.kind == WIRE_OTHER && p.protocol == 17);
        raw[ip + 20] ^= 1;
        ck_assert_int_eq(parse(), WIRE_CHECKSUM);
        ck_assert_int_eq(packet_parse(raw, raw_len, false, &p), WIRE_OK);
        put16(raw + ip + 6, 0);
        ck_assert_int_eq(parse(), ip == 20 ? WIRE_OK : WIRE_CHECKSUM);
        make_udp(ip, 7);
        ck_assert_int_eq(parse(), WIRE_MALFORMED);
        put16(raw + ip + 4, 60);
        ck_assert_int_eq(parse(), WIRE_TRUNCATED);
    }
}
END_TEST

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
    insert_extension(60, 2, 0);
    ck_assert_int_eq(parse(), WIRE_OK);
    ck_assert_int_eq(p.kind, WIRE_OTHER);
    ck_assert_uint_eq(p.protocol, 51);
    ck_assert_uint_eq(p.protocol_at, 40);
    make_v6(10);
    raw[6] = 59; /* nothing follows, whatever follows */
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
    put16(raw + 4, 7); /* not even a whole one */
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

START_TEST(the_partial_checksum_is_the_sum_of_the_pseudo_header)
{
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 60000, 64, 0, 0};
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
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 65535 - 44, 64, 0, 0};
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
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 0, 64, 0, 0};
    struct packet_header h;

    syn.has_ts = true;
    syn.n_sack = 3;
    ck_assert_int_eq(packet_header_build(&spec, &h), -1);
}
END_TEST

/* Carries of carries are rare: it takes many headers to meet one. */
START_TEST(the_ipv4_header_checksum_is_right_for_any_address_and_length)
{
    uint64_t seed = 19;

    for (unsigned round = 0; round < 200000; round++) {
        uint64_t bits = rng_next(&seed), more = rng_next(&seed);
        struct packet_spec spec = {.tcp = &syn,
                                   .payload_len = (more & 0xffff) % 65000,
                                   .hop_limit = (uint8_t)(more >> 16),
                                   .traffic_class = (uint8_t)(more >> 24)};
        struct packet_header h;

        spec.src.ip = ip_from_v4((const uint8_t *)&bits);
        spec.dst.ip = ip_from_v4((const uint8_t *)&bits + 4);
        must(packet_header_build(&spec, &h) == 0);
        must(checksum_fold(checksum_add(0, h.bytes, 20)) == 0xffff);
        must(h.bytes[1] == spec.traffic_class);
    }
}
END_TEST

START_TEST(checksums_over_odd_pieces_are_right)
{
    struct packet_spec spec = {addr("192.0.2.1:1"), addr("192.0.2.2:2"), &syn, 0, 64, 0, 0};
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

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_built_ipv4_packet_parses);
    tcase_add_test(t, a_bare_tcp_header_is_a_packet);
    tcase_add_test(t, every_byte_of_a_header_is_written);
    tcase_add_test(t, a_built_ipv6_packet_parses);
    tcase_add_test(t, a_traffic_class_is_written_into_either_header);
    tcase_add_test(t, every_damaged_bit_is_noticed_when_verifying);
    tcase_add_test(t, without_verifying_a_partial_checksum_passes);
    tcase_add_test(t, bytes_behind_the_packet_are_ignored);
    tcase_add_test(t, every_truncation_is_noticed);
    tcase_add_test(t, a_length_of_zero_is_truncated);
    tcase_add_test(t, impossible_ip_fields_are_malformed);
    tcase_add_test(t, a_v4_mapped_address_in_an_ipv6_header_is_malformed);
    tcase_add_test(t, ipv4_options_are_passed_over);
    tcase_add_test(t, fragments_and_other_protocols_are_told_apart);
    tcase_add_test(t, a_udp_datagram_must_be_whole_and_right);
    tcase_add_test(t, ipv6_extension_headers_are_walked);
    tcase_add_test(t, ipv6_extension_headers_that_we_do_not_walk_are_refused);
    tcase_add_test(t, tcp_damage_is_told_apart);
    tcase_add_test(t, the_partial_checksum_is_the_sum_of_the_pseudo_header);
    tcase_add_test(t, a_packet_of_more_than_64_kib_is_refused);
    tcase_add_test(t, options_that_do_not_fit_are_refused);
    tcase_add_test(t, the_ipv4_header_checksum_is_right_for_any_address_and_length);
    tcase_add_test(t, checksums_over_odd_pieces_are_right);
    tcase_add_test(t, damaged_packets_never_overrun);
    suite_add_tcase(s, t);
    return run_suite(s);
}
