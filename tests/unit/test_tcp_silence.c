/* When a path has to be taken for silent, and what its owner may do about it. The round trip is RTT
 * throughout: SRTT is that, RTTVAR half of it. */
#include "tcp_harness.h"

#define SEG    1448u
#define RTT    (100 * BRAID_MS)
#define MARGIN (25 * BRAID_MS)
#define LATE   (40 * BRAID_MS) /* the ACK of a single segment may be delayed by so much */

static struct harness *settled(void)
{
    return h_passive(h_new(), RTT);
}

START_TEST(who_waits_for_nothing_is_never_silent)
{
    struct harness *h = settled();

    ck_assert_int_eq(subflow_silent_at(&h->sf, 0), BRAID_NEVER);
    h_send(h, 2 * SEG, 2 * SEG);
    ck_assert_int_ne(subflow_silent_at(&h->sf, 0), BRAID_NEVER);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG);
    ck_assert_int_eq(subflow_silent_at(&h->sf, 0), BRAID_NEVER);
    h_free(h);
}
END_TEST

/* 4 RTTVAR are two round trips here, of which one counts. */
START_TEST(the_oldest_segment_has_two_round_trips_and_a_margin)
{
    struct harness *h = settled();
    braid_time sent = h->now;

    h_send(h, 2 * SEG, 2 * SEG);
    ck_assert_int_eq(subflow_silent_at(&h->sf, 0), sent + 2 * RTT + MARGIN);
    ck_assert_int_lt(subflow_silent_at(&h->sf, 0), sent + rtt_rto(&h->sf.rtt));
    h_free(h);
}
END_TEST

START_TEST(a_single_segment_has_the_time_of_a_delayed_ack_as_well)
{
    struct harness *h = settled();
    braid_time sent = h->now;

    h_send(h, SEG, SEG);
    ck_assert_int_eq(subflow_silent_at(&h->sf, 0), sent + 2 * RTT + MARGIN + LATE);
    h_free(h);
}
END_TEST

START_TEST(patience_doubles_the_grace_and_not_the_round_trip)
{
    struct harness *h = settled();
    braid_time sent = h->now;

    h_send(h, 2 * SEG, 2 * SEG);
    for (unsigned patience = 0; patience < 5; patience++)
        ck_assert_int_eq(subflow_silent_at(&h->sf, patience), sent + RTT + ((RTT + MARGIN) << patience));
    h_free(h);
}
END_TEST

/* A queue that grows: the oldest segment is overdue, but ACKs keep coming. */
START_TEST(half_a_round_trip_without_any_progress_is_needed_too)
{
    struct harness *h = settled();

    h_send(h, 4 * SEG, 2 * SEG);
    h_run(h, 2 * RTT + MARGIN);
    SAY(h, .seq = 1, .ack = 1 + SEG, .no_ts = true);
    int64_t half = h->sf.rtt.srtt_us / 2;
    ck_assert_int_gt(subflow_silent_at(&h->sf, 0), h->now);
    ck_assert_int_ge(subflow_silent_at(&h->sf, 0), h->now + half + MARGIN);
    h_free(h);
}
END_TEST

START_TEST(after_a_pause_of_this_end_everything_counts_from_its_end)
{
    struct harness *h = settled();

    h_send(h, 2 * SEG, 2 * SEG);
    h->now += 3 * BRAID_SECOND;
    subflow_resumed(&h->sf, h->now);
    ck_assert_int_eq(subflow_silent_at(&h->sf, 0), h->now + 2 * RTT + MARGIN);
    h_free(h);
}
END_TEST

/* The path has answered: what it lost does not wait for a timeout that was doubled meanwhile. */
START_TEST(a_retry_makes_the_timeout_due)
{
    struct harness *h = settled();

    h_send(h, 2 * SEG, 2 * SEG);
    h_run(h, 2 * BRAID_SECOND);
    ck_assert_uint_gt(h->sf.rtt.backoff, 0);
    h->taken = h->n_out;
    unsigned before = h->timeouts;
    subflow_retry(&h->sf, h->now);
    ck_assert_uint_eq(h->sf.rtt.backoff, 0);
    h_run(h, BRAID_MS);
    ck_assert_uint_eq(h->timeouts, before + 1);
    h_free(h);
}
END_TEST

START_TEST(a_retry_of_an_idle_subflow_does_nothing)
{
    struct harness *h = settled();

    subflow_retry(&h->sf, h->now);
    h_run(h, 5 * BRAID_SECOND);
    h_nothing(h);
    ck_assert_uint_eq(h->timeouts, 0);
    h_free(h);
}
END_TEST

/* Its answer may have the timestamp of before, which otherwise proves that nothing was lost. */
START_TEST(the_answer_to_a_question_takes_no_recovery_back)
{
    struct harness *h = settled();
    uint32_t before = h_last_tsval(h);

    h->sf.cc.cwnd = 8 * SEG;
    h_send_raw(h, 8 * SEG);
    h_run(h, 2 * BRAID_SECOND);
    ck_assert(h->sf.flight->recovery.by_rto);
    subflow_ask(&h->sf, h->now);
    h->taken = h->n_out;
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG, .tsecr = before);
    ck_assert(h->sf.flight->recovery.by_rto);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_SPURIOUS_RTOS], 0);
    h_free(h);
}
END_TEST

START_TEST(an_idle_subflow_can_be_asked_too)
{
    struct harness *h = settled();

    subflow_ask(&h->sf, h->now);
    h_expect_ack(h, 0, 1);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_penalty_halves_the_window_once_and_not_in_recovery)
{
    struct harness *h = settled();

    h->sf.cc.cwnd = 8 * SEG;
    subflow_penalize(&h->sf, h->now);
    ck_assert_uint_eq(h->sf.cc.cwnd, 4 * SEG);
    h->sf.cc.ssthresh = 4 * SEG; /* congestion avoidance: as a loss */
    subflow_penalize(&h->sf, h->now);
    ck_assert_uint_eq(h->sf.cc.cwnd, 2 * SEG);
    ck_assert_uint_eq(h->sf.cc.ssthresh, 2 * SEG);
    h->sf.cc.cwnd = 8 * SEG;
    h_send_raw(h, 8 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .sack = {{1 + SEG, 1 + 4 * SEG}});
    ck_assert(h->sf.cc.in_recovery);
    uint64_t cwnd = h->sf.cc.cwnd;
    subflow_penalize(&h->sf, h->now);
    ck_assert_uint_eq(h->sf.cc.cwnd, cwnd);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("silence");
    TCase *t = tcase_create("paths");

    tcase_add_test(t, who_waits_for_nothing_is_never_silent);
    tcase_add_test(t, the_oldest_segment_has_two_round_trips_and_a_margin);
    tcase_add_test(t, a_single_segment_has_the_time_of_a_delayed_ack_as_well);
    tcase_add_test(t, patience_doubles_the_grace_and_not_the_round_trip);
    tcase_add_test(t, half_a_round_trip_without_any_progress_is_needed_too);
    tcase_add_test(t, after_a_pause_of_this_end_everything_counts_from_its_end);
    tcase_add_test(t, a_retry_makes_the_timeout_due);
    tcase_add_test(t, a_retry_of_an_idle_subflow_does_nothing);
    tcase_add_test(t, the_answer_to_a_question_takes_no_recovery_back);
    tcase_add_test(t, an_idle_subflow_can_be_asked_too);
    tcase_add_test(t, a_penalty_halves_the_window_once_and_not_in_recovery);
    suite_add_tcase(s, t);
    return run_suite(s);
}
