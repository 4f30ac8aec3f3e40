/* What a subflow keeps of what it sent goes when all of it has arrived, unless losses are to be remembered.
 */
#include "tcp_harness.h"

#define SEG 1448u
#define RTT (100 * BRAID_MS)
#define CC  mem_cost(cc_fixed.priv_size) /* the state of cc_fixed, which is there throughout */

static size_t extra(const struct harness *h)
{
    return h->account.used - CC;
}

START_TEST(an_idle_subflow_keeps_nothing)
{
    struct harness *h = h_passive(h_new(), RTT);

    ck_assert_uint_eq(extra(h), 0);
    ck_assert_uint_eq(h_send(h, 3 * SEG, 3 * SEG), 3 * SEG);
    ck_assert_uint_gt(extra(h), 0);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + SEG);
    ck_assert_uint_gt(extra(h), 0);
    SAY(h, .seq = 1, .ack = 1 + 3 * SEG);
    ck_assert_uint_eq(extra(h), 0);
    h_free(h);
}
END_TEST

/* The owner asked how much it may send, and then had nothing. */
START_TEST(what_was_allocated_ahead_goes_at_the_end_of_the_batch)
{
    struct harness *h = h_passive(h_new(), RTT);

    ck_assert_uint_gt(subflow_space(&h->sf, h->now), 0);
    ck_assert_uint_gt(extra(h), 0);
    subflow_flush(&h->sf, h->now);
    ck_assert_uint_eq(extra(h), 0);
    h_free(h);
}
END_TEST

/* A DSACK may come long after the acknowledgement of everything, and takes the recovery back. */
START_TEST(a_recovery_is_remembered_until_it_is_taken_back)
{
    struct harness *h = h_passive(h_new(), RTT);

    h->sf.cc.cwnd = 8 * SEG;
    h_send_raw(h, 8 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .sack = {{1 + SEG, 1 + 4 * SEG}});
    ck_assert(h->sf.cc.in_recovery);
    h_run(h, BRAID_MS);
    SAY(h, .seq = 1, .ack = 1 + 8 * SEG);
    ck_assert_uint_eq(h->sf.cc.cwnd, 4 * SEG);
    ck_assert_uint_eq(h->sf.undo->retrans, SEG);
    ck_assert_uint_eq(extra(h), mem_cost(sizeof(struct tcp_undo) + cc_fixed.saved_size));
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 8 * SEG, .sack = {{1, 1 + SEG}});
    ck_assert_uint_eq(h->sf.cc.cwnd, 8 * SEG);
    ck_assert_uint_eq(h->sf.undo->marker, 0);
    ck_assert_ptr_null(h->sf.cc.saved);
    ck_assert_uint_eq(extra(h), 0);
    h_free(h);
}
END_TEST

/* RACK adapts to it for good (RFC 8985 section 6.2 step 4), also where it comes out of nothing. */
START_TEST(a_dsack_to_an_idle_subflow_is_remembered)
{
    struct harness *h = h_passive(h_new(), RTT);

    h_send(h, SEG, SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + SEG);
    ck_assert_uint_eq(extra(h), 0);
    SAY(h, .seq = 1, .ack = 1 + SEG, .sack = {{1, 1 + SEG}});
    ck_assert_uint_eq(h->sf.reo_wnd.mult, 2);
    ck_assert_uint_eq(extra(h), 0);
    h_free(h);
}
END_TEST

/* Before the handshake is complete nothing is in flight but a SYN, which the scoreboard does not know. */
START_TEST(a_router_that_wants_the_syn_smaller_changes_the_mtu_alone)
{
    struct harness *h = h_new();

    h_half_open(h);
    subflow_icmp(
        &h->sf,
        &(struct wire_packet){
            .kind = WIRE_ICMP_ERROR, .icmp = WIRE_ICMP_TOO_BIG, .mtu = 1300, .quoted_seq = h->sf.syn.iss},
        h->now);
    ck_assert_uint_eq(h->sf.size.path_mtu, 1300);
    ck_assert_uint_eq(h->account.used, 0);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("what is in flight");
    TCase *t = tcase_create("memory");

    tcase_add_test(t, an_idle_subflow_keeps_nothing);
    tcase_add_test(t, what_was_allocated_ahead_goes_at_the_end_of_the_batch);
    tcase_add_test(t, a_recovery_is_remembered_until_it_is_taken_back);
    tcase_add_test(t, a_dsack_to_an_idle_subflow_is_remembered);
    tcase_add_test(t, a_router_that_wants_the_syn_smaller_changes_the_mtu_alone);
    suite_add_tcase(s, t);
    return run_suite(s);
}
