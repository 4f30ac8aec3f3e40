/* ICMP errors: the path MTU (RFC 1191, 8201) and unreachable peers, with the caution of RFC 5927. */
#include "tcp_harness.h"

#define SEG 1448u
#define RTT (100 * BRAID_MS)

static void icmp(struct harness *h, enum wire_icmp_class class, uint64_t off, uint32_t mtu)
{
    struct wire_packet p = {
        .kind = WIRE_ICMP_ERROR,
        .src = h->sf.local,
        .dst = h->sf.remote,
        .icmp = class,
        .quoted_seq = h->sf.syn.iss + (uint32_t)off,
        .mtu = mtu,
    };
    subflow_icmp(&h->sf, &p, h->now);
    if (h->sf.state != TCP_STATE_CLOSED)
        subflow_check(&h->sf);
    subflow_flush(&h->sf, h->now);
}

static struct harness *in_flight(uint32_t n)
{
    struct harness *h = h_passive(h_new(), RTT);

    h_send_raw(h, n * SEG);
    h->taken = h->n_out;
    return h;
}

START_TEST(too_big_segments_leave_again_smaller_without_a_penalty)
{
    struct harness *h = in_flight(4);

    icmp(h, WIRE_ICMP_TOO_BIG, 1, 1300);
    ck_assert_uint_eq(h->wakes, 1);
    ck_assert_uint_eq(h->sf.size.path_mtu, 1300);
    ck_assert_uint_eq(h->sf.size.mss, 1248);
    ck_assert_uint_eq(h->sf.cc.mss, 1248);
    ck_assert_uint_eq(h->out[h->n_out - 1].gso_size, 1248);
    uint64_t again = 0;
    while (h->taken < h->n_out)
        again += h_next(h)->p.payload_len;
    ck_assert_uint_eq(again, 4 * SEG);
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    SAY(h, .seq = 1, .ack = 1 + 4 * SEG);
    ck_assert_uint_eq(h->maps_acked, 1);
    h->sf.cwnd.initial = 0; /* which ends with less than a segment */
    ck_assert_uint_eq(subflow_space(&h->sf, h->now) % 1248, 0);
    h_free(h);
}
END_TEST

/* Linux that has fallen back loses data where segments overlap in part. */
START_TEST(no_segment_that_leaves_again_reaches_over_a_border)
{
    static const uint32_t mtus[] = {1300, 1000, 1400};
    struct harness *h = in_flight(4);
    uint64_t borders[256] = {1, 1 + SEG, 1 + 2 * SEG, 1 + 3 * SEG, 1 + 4 * SEG};
    unsigned n = 5;

    for (unsigned i = 0; i < 3; i++) {
        if (mtus[i] < h->sf.size.path_mtu) {
            icmp(h, WIRE_ICMP_TOO_BIG, 1, mtus[i]);
        } else {
            h->sf.size.path_mtu = (uint16_t)mtus[i];
            subflow_update_mss(&h->sf);
        }
        h_run(h, i < 2 ? BRAID_SECOND : 20 * BRAID_SECOND); /* timeouts repeat what did not leave at once */
        ck_assert(h->taken < h->n_out);
        while (h->taken < h->n_out) {
            const struct sent_segment *s = &h->out[h->taken++];
            uint32_t start = s->p.tcp.seq - h->sf.syn.iss, len = s->p.payload_len;
            uint32_t each = s->gso_size ? s->gso_size : len;
            for (uint32_t at = start; at < start + len; at += each) {
                uint32_t end = at + each < start + len ? at + each : start + len;
                for (unsigned k = 0; k < n; k++)
                    ck_assert_msg(borders[k] <= at || borders[k] >= end, "%u to %u over %u", at, end,
                                  (unsigned)borders[k]);
                ck_assert_uint_lt(n, 256);
                borders[n++] = end;
            }
        }
    }
    h_free(h);
}
END_TEST

START_TEST(small_segments_stay_in_flight)
{
    struct harness *h = h_passive(h_new(), RTT);

    h_send_raw(h, 100);
    h_send_raw(h, 2 * SEG);
    h->taken = h->n_out;
    icmp(h, WIRE_ICMP_TOO_BIG, 101, 1300);
    h_expect(h, TCP_ACK, 101, 1, SEG); /* each by itself: in two pieces now */
    h_expect(h, TCP_ACK | TCP_PSH, 101 + SEG, 1, SEG);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(only_what_is_in_flight_can_be_too_big)
{
    struct harness *h = in_flight(4);

    icmp(h, WIRE_ICMP_TOO_BIG, 1 + 4 * SEG, 1300);
    icmp(h, WIRE_ICMP_TOO_BIG, 0, 1300);
    icmp(h, WIRE_ICMP_TOO_BIG, 1 + (1u << 30), 1300);
    ck_assert_uint_eq(h->sf.size.path_mtu, H_MTU);
    icmp(h, WIRE_ICMP_TOO_BIG, 1, 1500); /* not smaller */
    ck_assert_uint_eq(h->sf.size.path_mtu, H_MTU);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(there_is_a_least_mtu)
{
    struct harness *h = in_flight(4);

    icmp(h, WIRE_ICMP_TOO_BIG, 1, 68);
    ck_assert_uint_eq(h->sf.size.path_mtu, 576);
    ck_assert_uint_eq(h->sf.size.mss, 576 - 52);
    h_free(h);

    h = h_new();
    h->sf.local = h_addr("[2001:db8::1]:80");
    h->sf.remote = h_addr("[2001:db8::2]:5000");
    h_passive(h, RTT);
    h_send_raw(h, 1000);
    icmp(h, WIRE_ICMP_TOO_BIG, 1, 600);
    ck_assert_uint_eq(h->sf.size.path_mtu, 1280);
    h_free(h);
}
END_TEST

/* RFC 1191 section 7.1 */
START_TEST(a_router_that_names_no_mtu_lowers_it_by_a_plateau)
{
    struct harness *h = in_flight(4);

    icmp(h, WIRE_ICMP_TOO_BIG, 1, 0);
    ck_assert_uint_eq(h->sf.size.path_mtu, 1492);
    icmp(h, WIRE_ICMP_TOO_BIG, 1, 0);
    ck_assert_uint_eq(h->sf.size.path_mtu, 1006);
    icmp(h, WIRE_ICMP_TOO_BIG, 1, 0);
    icmp(h, WIRE_ICMP_TOO_BIG, 1, 0);
    ck_assert_uint_eq(h->sf.size.path_mtu, 576);
    h_free(h);
}
END_TEST

START_TEST(unreachable_ends_only_an_attempt)
{
    struct harness *h = in_flight(1);

    icmp(h, WIRE_ICMP_UNREACHABLE_HARD, 1, 0);
    icmp(h, WIRE_ICMP_UNREACHABLE_SOFT, 1, 0);
    ck_assert_uint_eq(h->closed, 0);
    h_free(h);

    h = h_new();
    subflow_open_active(&h->sf, &cc_fixed, h->now);
    icmp(h, WIRE_ICMP_UNREACHABLE_HARD, 7, 0); /* quotes something else */
    ck_assert_uint_eq(h->closed, 0);
    icmp(h, WIRE_ICMP_UNREACHABLE_SOFT, 0, 0);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_UNREACHABLE);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp and icmp");
    TCase *tc = tcase_create("icmp");

    tcase_add_test(tc, too_big_segments_leave_again_smaller_without_a_penalty);
    tcase_add_test(tc, no_segment_that_leaves_again_reaches_over_a_border);
    tcase_add_test(tc, small_segments_stay_in_flight);
    tcase_add_test(tc, only_what_is_in_flight_can_be_too_big);
    tcase_add_test(tc, there_is_a_least_mtu);
    tcase_add_test(tc, a_router_that_names_no_mtu_lowers_it_by_a_plateau);
    tcase_add_test(tc, unreachable_ends_only_an_attempt);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
