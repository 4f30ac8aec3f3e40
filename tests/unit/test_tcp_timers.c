/* Timers other than those of loss recovery: persist, keepalive, giving up. */
#include "tcp_harness.h"

#define SEG 1448u
#define RTT (100 * BRAID_MS)

static struct harness *settled(void)
{
    return h_passive(h_new(), RTT);
}

/* RFC 9293 section 3.8.6.1: exponential backoff, never given up while the peer answers. */
START_TEST(a_closed_window_is_probed_with_backoff)
{
    struct harness *h = settled();
    braid_time wait = 300 * BRAID_MS;

    SAY(h, .seq = 1, .ack = 1, .len = 1, .no_window = true);
    h->taken = h->n_out;
    subflow_set_blocked(&h->sf, true, h->now);
    for (unsigned i = 0; i < 12; i++) {
        h_run(h, wait - BRAID_MS);
        h_nothing(h);
        h_run(h, 2 * BRAID_MS);
        h_expect_ack(h, 0, 2); /* an old number, no payload */
        h_nothing(h);
        SAY(h, .seq = 2, .ack = 1, .no_window = true);
        h->now -= BRAID_MS;
        wait = 2 * wait < 60 * BRAID_SECOND ? 2 * wait : 60 * BRAID_SECOND;
    }
    ck_assert_uint_eq(h->closed, 0);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_WIN_PROBE], 12);
    SAY(h, .seq = 2, .ack = 1);
    ck_assert_uint_gt(subflow_space(&h->sf, h->now), 0);
    subflow_set_blocked(&h->sf, false, h->now);
    h_run(h, 200 * BRAID_SECOND);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_silent_peer_with_a_closed_window_is_given_up)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 1, .no_window = true);
    subflow_set_blocked(&h->sf, true, h->now);
    h_run(h, 99 * BRAID_SECOND);
    ck_assert_uint_eq(h->closed, 0);
    h_run(h, 70 * BRAID_SECOND);
    ck_assert_uint_eq(h->closed, 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_TIMEOUT);
    h_free(h);
}
END_TEST

START_TEST(while_data_is_in_flight_nothing_is_probed)
{
    struct harness *h = settled();

    h_send_raw(h, SEG);
    h->taken = h->n_out;
    subflow_set_blocked(&h->sf, true, h->now);
    h_run(h, 200 * BRAID_MS);
    ck_assert_int_ne(h->sf.tries.kind, REXMIT_PERSIST);
    SAY(h, .seq = 1, .ack = 1 + SEG);
    ck_assert_int_eq(h->sf.tries.kind, REXMIT_PERSIST);
    h_free(h);
}
END_TEST

START_TEST(an_idle_peer_is_asked_nine_times)
{
    struct harness *h = h_new();

    h->keepalive.idle = 600 * BRAID_SECOND;
    h_passive(h, RTT);
    h_run(h, 599 * BRAID_SECOND);
    h_nothing(h);
    for (unsigned i = 0; i < 9; i++) {
        h_run(h, 2 * BRAID_SECOND);
        h_expect_ack(h, 0, 1);
        h_nothing(h);
        h_run(h, 73 * BRAID_SECOND);
    }
    h_nothing(h);
    ck_assert_uint_eq(h->closed, 0);
    h_run(h, 2 * BRAID_SECOND);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_TIMEOUT);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_KEEPALIVE], 9);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_ABORT_ON_TIMEOUT], 1);
    h_free(h);
}
END_TEST

START_TEST(an_answer_to_a_keepalive_starts_anew)
{
    struct harness *h = h_new();

    h->keepalive.idle = 600 * BRAID_SECOND;
    h_passive(h, RTT);
    for (unsigned i = 0; i < 20; i++) {
        h_run(h, 601 * BRAID_SECOND);
        h_expect_ack(h, 0, 1);
        h_nothing(h);
        SAY(h, .seq = 1, .ack = 1);
    }
    ck_assert_uint_eq(h->closed, 0);
    h_free(h);
}
END_TEST

/* Who asks is there: nobody asks back. One that acknowledges what was not sent proves nothing. */
START_TEST(a_question_of_the_peer_puts_the_keepalive_off)
{
    struct harness *h = h_new();

    h->keepalive.idle = 600 * BRAID_SECOND;
    h_passive(h, RTT);
    h_run(h, 400 * BRAID_SECOND);
    SAY(h, .seq = 0, .ack = _i ? 1000 : 1);
    h_expect_ack(h, 1, 1);
    h_run(h, 599 * BRAID_SECOND);
    if (_i)
        h_expect_ack(h, 0, 1);
    else
        h_nothing(h);
    h_run(h, 2 * BRAID_SECOND);
    if (!_i)
        h_expect_ack(h, 0, 1);
    h_free(h);
}
END_TEST

/* Who knows of somebody on the way that forgets after half a minute, and says so. */
START_TEST(keepalives_may_be_closer_than_their_steps)
{
    struct harness *h = h_new();

    h->keepalive.idle = 20 * BRAID_SECOND;
    h_passive(h, RTT);
    for (unsigned i = 0; i < 10; i++) {
        h_run(h, 21 * BRAID_SECOND);
        h_expect_ack(h, 0, 1);
        h_nothing(h);
        SAY(h, .seq = 1, .ack = 1);
    }
    for (unsigned i = 0; i < 9; i++) {
        h_run(h, 21 * BRAID_SECOND);
        h_expect_ack(h, 0, 1);
    }
    h_run(h, 21 * BRAID_SECOND);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_TIMEOUT);
    h_free(h);
}
END_TEST

START_TEST(step_and_number_of_keepalives_are_the_owners_to_say)
{
    struct harness *h = h_new();

    h->keepalive = (struct tcp_keepalive){.idle = 20 * BRAID_SECOND, .step = 3 * BRAID_SECOND, .most = 2};
    h_passive(h, RTT);
    h_run(h, 21 * BRAID_SECOND);
    h_expect_ack(h, 0, 1);
    h_nothing(h);
    h_run(h, 3 * BRAID_SECOND);
    h_expect_ack(h, 0, 1);
    h_nothing(h);
    ck_assert_uint_eq(h->closed, 0);
    h_run(h, 3 * BRAID_SECOND);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_TIMEOUT);
    h_free(h);
}
END_TEST

START_TEST(traffic_puts_the_keepalive_off)
{
    struct harness *h = h_new();

    h->keepalive.idle = 600 * BRAID_SECOND;
    h_passive(h, RTT);
    for (unsigned i = 0; i < 5; i++) {
        h_run(h, 400 * BRAID_SECOND);
        SAY(h, .seq = 1, .ack = 1);
    }
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(retransmissions_end_after_a_hundred_seconds)
{
    struct harness *h = settled();
    braid_time start = h->now;

    h_send_raw(h, SEG);
    while (!h->closed && h->now < start + 400 * BRAID_SECOND)
        h_run(h, 100 * BRAID_MS);
    ck_assert_uint_eq(h->closed, 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_TIMEOUT);
    ck_assert_int_ge(h->now - start, 100 * BRAID_SECOND);
    ck_assert_int_le(h->now - start, 170 * BRAID_SECOND);
    ck_assert_uint_eq(h->maps_acked, 0);
    h_free(h);
}
END_TEST

START_TEST(progress_counts_anew)
{
    struct harness *h = settled();

    h_send_raw(h, 3 * SEG);
    for (unsigned i = 1; i <= 3; i++) {
        h_run(h, 80 * BRAID_SECOND);
        SAY(h, .seq = 1, .ack = 1 + i * SEG);
    }
    ck_assert_uint_eq(h->closed, 0);
    ck_assert_uint_eq(h->maps_acked, 1);
    h_free(h);
}
END_TEST

START_TEST(a_peer_that_closes_its_window_upon_data_is_not_given_up)
{
    struct harness *h = settled();

    h_send_raw(h, SEG);
    SAY(h, .seq = 1, .ack = 1, .len = 1, .no_window = true); /* it took back what it had offered */
    for (unsigned i = 0; i < 300; i++) {
        h_run(h, BRAID_SECOND);
        SAY(h, .seq = 2, .ack = 1, .no_window = true);
    }
    ck_assert_uint_eq(h->closed, 0);
    SAY(h, .seq = 2, .ack = 1 + SEG);
    ck_assert_uint_eq(h->maps_acked, 1);
    h_free(h);
}
END_TEST

START_TEST(a_probe_of_the_owner_leaves_at_once)
{
    struct harness *h = settled();

    subflow_probe(&h->sf, h->now);
    h_expect_ack(h, 0, 1);
    h_free(h);
}
END_TEST

/* The answer acknowledges what had arrived before the path fell silent, with a timestamp of then; the first
 * time around before any timeout, then after several. */
START_TEST(the_answer_to_a_probe_is_no_sample_of_the_round_trip)
{
    braid_time silence = _i ? 5 * BRAID_SECOND : 290 * BRAID_MS;
    struct harness *h = settled();
    struct rtt before = h->sf.rtt;
    uint32_t ts = h_last_tsval(h);

    h->sf.tries.tlp_sampled = false; /* no tail loss probe */
    for (unsigned i = 0; i < 4; i++)
        h_send_raw(h, SEG);
    h_run(h, silence);
    ck_assert_uint_eq(h->timeouts, _i ? 4 : 0);
    subflow_probe(&h->sf, h->now);
    h_run(h, 100 * BRAID_MS);
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG, .tsecr = ts);
    ck_assert_int_eq(h->sf.rtt.srtt_us, before.srtt_us);
    ck_assert_int_eq(h->sf.rtt.rttvar_us, before.rttvar_us);
    ck_assert_uint_eq(h->sf.rtt.backoff, 0);
    SAY(h, .seq = 1, .ack = 1 + 4 * SEG);
    ck_assert_int_ne(h->sf.rtt.srtt_us, before.srtt_us); /* the next one counts */
    h_free(h);
}
END_TEST

/* braid_core_resumed: this end stood still until just before its timers were due. */
START_TEST(after_a_pause_everything_in_flight_gets_its_time_once_more)
{
    struct harness *h = settled();
    struct rtt before = h->sf.rtt;
    uint32_t ts = h_last_tsval(h);

    h->sf.tries.tlp_sampled = false; /* no tail loss probe */
    for (unsigned i = 0; i < 4; i++)
        h_send_raw(h, SEG);
    h_run(h, 299 * BRAID_MS);
    ck_assert_int_le(subflow_silent_at(&h->sf, 0), h->now);
    subflow_resumed(&h->sf, h->now);
    ck_assert_int_ge(subflow_silent_at(&h->sf, 0), h->now + before.srtt_us);
    h_run(h, 299 * BRAID_MS);
    ck_assert_uint_eq(h->timeouts, 0);
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG, .tsecr = ts);
    ck_assert_int_eq(h->sf.rtt.srtt_us, before.srtt_us);
    h_send_raw(h, SEG);
    h_run(h, 50 * BRAID_MS);
    SAY(h, .seq = 1, .ack = 1 + 5 * SEG);
    ck_assert_int_lt(h->sf.rtt.srtt_us, before.srtt_us); /* what was sent since counts */
    h_free(h);
}
END_TEST

START_TEST(pauses_that_follow_each_other_do_not_put_a_timeout_off_for_ever)
{
    struct harness *h = settled();

    h->sf.tries.tlp_sampled = false;
    h_send_raw(h, SEG);
    for (unsigned i = 0; i < 4; i++) {
        h_run(h, 250 * BRAID_MS);
        subflow_resumed(&h->sf, h->now);
        ck_assert_uint_eq(h->timeouts, i > 1);
    }
    h_free(h);
}
END_TEST

START_TEST(after_a_pause_what_has_come_is_acknowledged_at_once)
{
    struct harness *h = settled();

    for (unsigned i = 0; i < 40; i++) /* acknowledged at once while it is young */
        SAY(h, .seq = 1 + i * SEG, .ack = 1, .len = SEG);
    h->taken = h->n_out;
    SAY(h, .seq = 1 + 40 * SEG, .ack = 1, .len = SEG);
    h_nothing(h);
    subflow_resumed(&h->sf, h->now);
    subflow_flush(&h->sf, h->now);
    h_expect_ack(h, 1, 1 + 41 * SEG);
    SAY(h, .seq = 1 + 41 * SEG, .ack = 1, .len = SEG);
    h_expect_ack(h, 1, 1 + 42 * SEG);
    h_free(h);
}
END_TEST

START_TEST(an_idle_subflow_has_no_timer)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 10);
    h_send_raw(h, 10);
    SAY(h, .seq = 11, .ack = 11);
    h_run(h, 10 * BRAID_SECOND);
    ck_assert_int_eq(wheel_next(&h->env.wheel), BRAID_NEVER);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp timers");
    TCase *tc = tcase_create("persist");

    tcase_add_test(tc, a_closed_window_is_probed_with_backoff);
    tcase_add_test(tc, a_silent_peer_with_a_closed_window_is_given_up);
    tcase_add_test(tc, while_data_is_in_flight_nothing_is_probed);
    suite_add_tcase(s, tc);
    tc = tcase_create("keepalive");
    tcase_add_test(tc, an_idle_peer_is_asked_nine_times);
    tcase_add_test(tc, an_answer_to_a_keepalive_starts_anew);
    tcase_add_loop_test(tc, a_question_of_the_peer_puts_the_keepalive_off, 0, 2);
    tcase_add_test(tc, keepalives_may_be_closer_than_their_steps);
    tcase_add_test(tc, step_and_number_of_keepalives_are_the_owners_to_say);
    tcase_add_test(tc, traffic_puts_the_keepalive_off);
    tcase_add_test(tc, a_probe_of_the_owner_leaves_at_once);
    tcase_add_loop_test(tc, the_answer_to_a_probe_is_no_sample_of_the_round_trip, 0, 2);
    suite_add_tcase(s, tc);
    tc = tcase_create("giving up");
    tcase_add_test(tc, retransmissions_end_after_a_hundred_seconds);
    tcase_add_test(tc, progress_counts_anew);
    tcase_add_test(tc, a_peer_that_closes_its_window_upon_data_is_not_given_up);
    tcase_add_test(tc, an_idle_subflow_has_no_timer);
    tcase_add_test(tc, after_a_pause_everything_in_flight_gets_its_time_once_more);
    tcase_add_test(tc, pauses_that_follow_each_other_do_not_put_a_timeout_off_for_ever);
    tcase_add_test(tc, after_a_pause_what_has_come_is_acknowledged_at_once);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
