/* TCP headers: Linux's option layout, options of the wrong size or place, truncation. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "property.h"
#include "wire/tcp.h"
#include "suite.h"

static struct wire_tcp t;

static void setup(void)
{
    memset(&t, 0xa5, sizeof(t)); /* the parser has to set what counts */
}

/* A header with these option bytes, padded with EOL. */
static int parse(uint8_t flags, const void *options, unsigned len)
{
    uint8_t raw[TCP_HEADER_MAX] = {0x12, 0x34, 0x00, 0x50, 1, 2, 3, 4, 5, 6, 7, 8};
    unsigned header = (TCP_HEADER_MIN + len + 3) / 4 * 4;

    raw[12] = (uint8_t)(header / 4 << 4);
    raw[13] = flags;
    raw[14] = 0xfa;
    raw[15] = 0xf0;
    raw[18] = 0x0b;
    raw[19] = 0xad;
    memcpy(raw + TCP_HEADER_MIN, options, len);
    return tcp_header_parse(raw, header, &t);
}

static void expect_options(const void *options, unsigned len)
{
    uint8_t out[TCP_HEADER_MAX];
    unsigned mptcp = mptcp_options_size(&t.mp);

    ck_assert_int_eq(tcp_header_encode(&t, out), (int)(TCP_HEADER_MIN + len));
    ck_assert_uint_eq(tcp_options_size(&t) + mptcp, len);
    ck_assert_int_eq(memcmp(out + TCP_HEADER_MIN, options, len), 0);
    ck_assert_uint_eq(out[12], (TCP_HEADER_MIN + len) / 4 << 4);
}

static struct wire_tcp blank(uint8_t flags)
{
    return (struct wire_tcp){.src_port = 1, .dst_port = 2, .flags = flags};
}

START_TEST(the_fixed_part_is_read_and_written)
{
    uint8_t out[TCP_HEADER_MAX];

    ck_assert_int_eq(parse(TCP_ACK | TCP_CWR | TCP_URG, "", 0), 20);
    ck_assert_uint_eq(t.src_port, 0x1234);
    ck_assert_uint_eq(t.dst_port, 80);
    ck_assert_uint_eq(t.seq, 0x01020304);
    ck_assert_uint_eq(t.ack, 0x05060708);
    ck_assert_uint_eq(t.flags, TCP_ACK | TCP_CWR | TCP_URG);
    ck_assert_uint_eq(t.window, 0xfaf0);
    ck_assert_uint_eq(t.urgent, 0x0bad);
    ck_assert(!t.has_mss && !t.has_wscale && !t.sack_ok && !t.has_ts && t.n_sack == 0 && t.mp.has == 0);
    ck_assert(!t.mp.malformed);
    ck_assert_int_eq(tcp_header_encode(&t, out), 20);
    ck_assert_int_eq(memcmp(out, "\x12\x34\0\x50\1\2\3\4\5\6\7\x08\x50\xb0\xfa\xf0\0\0\x0b\xad", 20), 0);
}
END_TEST

START_TEST(syn_options_stand_in_linux_order)
{
    t = blank(TCP_SYN);
    t.has_mss = t.sack_ok = t.has_ts = t.has_wscale = true;
    t.mss = 1460;
    t.wscale = 10;
    t.tsval = 0x11223344;
    t.tsecr = 0;
    t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    expect_options("\2\4\x05\xb4\4\2\x08\x0a\x11\x22\x33\x44\0\0\0\0\1\3\3\x0a\x1e\4\1\1", 24);
    t.has_ts = false;
    expect_options("\2\4\x05\xb4\1\1\4\2\1\3\3\x0a\x1e\4\1\1", 16);
    t.sack_ok = false;
    t.has_ts = true;
    t.mp.has = 0;
    expect_options("\2\4\x05\xb4\1\1\x08\x0a\x11\x22\x33\x44\0\0\0\0\1\3\3\x0a", 20);
}
END_TEST

START_TEST(other_segments_start_with_timestamps_then_sack)
{
    t = blank(TCP_ACK);
    t.has_ts = true;
    t.tsval = 1;
    t.tsecr = 2;
    t.n_sack = 1;
    t.sack[0] = (struct wire_sack){0x10, 0x20};
    t.mp.has = MPTCP_HAS(MPTCP_DSS);
    t.mp.dss = (struct mptcp_dss){.has_ack = true, .data_ack = 0x77};
    expect_options("\1\1\x08\x0a\0\0\0\1\0\0\0\2\1\1\5\x0a\0\0\0\x10\0\0\0\x20\x1e\x08\x20\1\0\0\0\x77", 32);
}
END_TEST

START_TEST(what_does_not_fit_forty_bytes_is_refused)
{
    uint8_t out[TCP_HEADER_MAX];

    t = blank(TCP_ACK);
    t.has_ts = true;
    t.mp.has = MPTCP_HAS(MPTCP_DSS);
    t.mp.dss = (struct mptcp_dss){.has_ack = true, .ack64 = true, .has_map = true, .dsn64 = true};
    ck_assert_int_eq(tcp_header_encode(&t, out), 60);
    t.n_sack = 1;
    ck_assert_int_eq(tcp_header_encode(&t, out), -1);
    t.mp.has = 0;
    t.n_sack = 4;
    ck_assert_uint_eq(tcp_options_size(&t), 48);
    ck_assert_int_eq(tcp_header_encode(&t, out), -1);
    t.n_sack = 3;
    ck_assert_int_eq(tcp_header_encode(&t, out), 60);
    t.has_ts = false;
    t.n_sack = 4;
    ck_assert_int_eq(tcp_header_encode(&t, out), 56);
}
END_TEST

START_TEST(every_option_of_a_syn_is_read_in_any_order)
{
    ck_assert_int_eq(
        parse(TCP_SYN, "\x1e\4\1\1\3\3\7\4\2\x08\x0a\0\0\0\5\0\0\0\6\2\4\x02\x18\x22\4\xaa\xbb", 27), 48);
    ck_assert(t.has_mss && t.has_wscale && t.sack_ok && t.has_ts);
    ck_assert_uint_eq(t.mss, 536);
    ck_assert_uint_eq(t.wscale, 7);
    ck_assert_uint_eq(t.tsval, 5);
    ck_assert_uint_eq(t.tsecr, 6);
    ck_assert_uint_eq(t.mp.has, MPTCP_HAS(MPTCP_CAPABLE));
}
END_TEST

START_TEST(mss_window_scale_and_sack_permitted_count_in_a_syn_only)
{
    ck_assert_int_eq(parse(TCP_ACK, "\2\4\x05\xb4\3\3\7\4\2", 9), 32);
    ck_assert(!t.has_mss && !t.has_wscale && !t.sack_ok);
}
END_TEST

START_TEST(a_window_scale_above_fourteen_is_fourteen)
{
    ck_assert_int_eq(parse(TCP_SYN, "\3\3\x0f\1", 4), 24);
    ck_assert(t.has_wscale && t.wscale == 14);
    ck_assert_int_eq(parse(TCP_SYN, "\3\3\xff\1", 4), 24);
    ck_assert_uint_eq(t.wscale, 14);
}
END_TEST

START_TEST(an_option_of_the_wrong_size_is_skipped)
{
    /* MSS of 3, window scale of 4, SACK-permitted of 3, timestamps of 9; then a good one. */
    ck_assert_int_eq(parse(TCP_SYN, "\2\3\5\3\4\1\1\4\3\0\x08\x09\0\0\0\5\0\0\0\2\4\x05\xb4", 23), 44);
    ck_assert(t.has_mss && !t.has_wscale && !t.sack_ok && !t.has_ts);
    ck_assert_uint_eq(t.mss, 1460);
    ck_assert_int_eq(parse(TCP_ACK, "\5\x09\0\0\0\1\0\0\0\5\2", 11), 32);
    ck_assert_uint_eq(t.n_sack, 0);
    ck_assert_int_eq(parse(TCP_ACK, "\5\x0b\0\0\0\1\0\0\0\5\2", 11), 32); /* a block and a bit */
    ck_assert_uint_eq(t.n_sack, 0);
    ck_assert_int_eq(parse(TCP_ACK, "\5\2\1\1", 4), 24);
    ck_assert_uint_eq(t.n_sack, 0);
    ck_assert_int_eq(parse(TCP_ACK, "\x1e\4\x50\0\x1e\3\x51\1", 8), 28);
    ck_assert(t.mp.malformed && t.mp.has == MPTCP_HAS(MPTCP_PRIO));
}
END_TEST

START_TEST(up_to_four_sack_blocks_are_read)
{
    uint8_t opt[34] = {5};

    for (unsigned n = 1; n <= 4; n++) {
        opt[1] = (uint8_t)(2 + 8 * n);
        opt[5] = 9;
        opt[2 + 8 * n - 1] = (uint8_t)n;
        ck_assert_int_gt(parse(TCP_ACK, opt, opt[1]), 0);
        ck_assert_uint_eq(t.n_sack, n);
        ck_assert_uint_eq(t.sack[0].start, 9);
        ck_assert_uint_eq(t.sack[n - 1].end, n);
    }
}
END_TEST

START_TEST(nothing_after_end_of_options_counts)
{
    ck_assert_int_eq(parse(TCP_SYN, "\0\2\4\5\xb4\xff\xff", 7), 28);
    ck_assert(!t.has_mss);
}
END_TEST

START_TEST(options_that_run_past_the_end_are_malformed)
{
    ck_assert_int_eq(parse(TCP_SYN, "\1\1\1\2", 4), -1);     /* no length byte */
    ck_assert_int_eq(parse(TCP_SYN, "\1\1\2\4", 4), -1);     /* no room for the MSS */
    ck_assert_int_eq(parse(TCP_SYN, "\xfe\xff\0\0", 4), -1); /* unknown kind, too long */
    ck_assert_int_eq(parse(TCP_SYN, "\xfe\0\0\0", 4), -1);   /* would never end */
    ck_assert_int_eq(parse(TCP_SYN, "\xfe\1\0\0", 4), -1);
    ck_assert_int_eq(parse(TCP_ACK, "\1\x1e\4\x20", 4), -1);
}
END_TEST

START_TEST(a_header_shorter_than_it_says_is_malformed)
{
    uint8_t raw[TCP_HEADER_MAX] = {0};

    for (unsigned words = 0; words < 16; words++) {
        raw[12] = (uint8_t)(words << 4);
        for (unsigned len = 0; len <= sizeof(raw); len++) {
            int expected = words >= 5 && words * 4 <= len ? (int)words * 4 : -1;

            must(tcp_header_parse(raw, len, &t) == expected);
        }
    }
}
END_TEST

START_TEST(random_headers_never_overrun_and_survive_a_round_trip)
{
    uint64_t seed = 11;
    unsigned good = 0;

    for (unsigned i = 0; i < 100000; i++) {
        unsigned len = 20 + 4 * (unsigned)rng_below(&seed, 11);
        uint8_t *raw = malloc(len), one[TCP_HEADER_MAX], two[TCP_HEADER_MAX];
        static const uint8_t likely[] = {0, 1, 1, 2, 3, 4, 4, 5, 8, 10, 10, 12, 30, 0x20, 0x50};
        int n;

        for (unsigned b = 0; b < len; b++) {
            raw[b] = b < 20 || rng_below(&seed, 4) == 0 ? (uint8_t)rng_next(&seed)
                                                        : likely[rng_below(&seed, sizeof(likely))];
        }
        raw[12] = (uint8_t)(len / 4 << 4);
        setup();
        if (tcp_header_parse(raw, len, &t) > 0 && (n = tcp_header_encode(&t, one)) > 0) {
            good++;
            setup();
            must(tcp_header_parse(one, (size_t)n, &t) == n);
            must(tcp_header_encode(&t, two) == n && memcmp(one, two, (size_t)n) == 0);
        }
        free(raw);
    }
    ck_assert_uint_gt(good, 5000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire_tcp");
    TCase *tc = tcase_create("wire_tcp");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, the_fixed_part_is_read_and_written);
    tcase_add_test(tc, syn_options_stand_in_linux_order);
    tcase_add_test(tc, other_segments_start_with_timestamps_then_sack);
    tcase_add_test(tc, what_does_not_fit_forty_bytes_is_refused);
    tcase_add_test(tc, every_option_of_a_syn_is_read_in_any_order);
    tcase_add_test(tc, mss_window_scale_and_sack_permitted_count_in_a_syn_only);
    tcase_add_test(tc, a_window_scale_above_fourteen_is_fourteen);
    tcase_add_test(tc, an_option_of_the_wrong_size_is_skipped);
    tcase_add_test(tc, up_to_four_sack_blocks_are_read);
    tcase_add_test(tc, nothing_after_end_of_options_counts);
    tcase_add_test(tc, options_that_run_past_the_end_are_malformed);
    tcase_add_test(tc, a_header_shorter_than_it_says_is_malformed);
    tcase_add_test(tc, random_headers_never_overrun_and_survive_a_round_trip);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
