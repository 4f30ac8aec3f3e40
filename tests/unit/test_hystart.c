/* The first slow start: HyStart++ (RFC 9406). */
#include "cubic_flow.h"

/* Acknowledges one window in segments at a constant RTT. */
static void one_round(struct flow *f, int64_t rtt_us)
{
    uint64_t window = f->cc.cwnd;
    f->cc.srtt_us = rtt_us;
    f->now += rtt_us;
    for (uint64_t done = 0; done < window; done += MSS)
        ack(f, MSS, true, done == 0);
}

START_TEST(first_slow_start_doubles_each_round)
{
    struct flow f;
    flow_init(&f, 10, 40000);
    for (int i = 1; i <= 6; i++) {
        one_round(&f, 40000);
        ck_assert_uint_eq(f.cc.cwnd, (10u << i) * MSS);
    }
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

/* The threshold is an eighth of the RTT, between 4 and 16 ms. */
START_TEST(a_small_rise_of_the_rtt_does_not_end_slow_start)
{
    static const int64_t rtt[][2] = {{1000, 4900}, {40000, 44900}, {400000, 415900}};
    struct flow f;
    flow_init(&f, 10, rtt[_i][0]);
    one_round(&f, rtt[_i][0]);
    one_round(&f, rtt[_i][1]);
    ck_assert_uint_eq(f.cc.cwnd, 40 * MSS);
    one_round(&f, rtt[_i][1]);
    ck_assert_uint_eq(f.cc.cwnd, 80 * MSS);
}
END_TEST

START_TEST(a_rise_of_the_rtt_leads_over_css_to_congestion_avoidance)
{
    static const int64_t rtt[][2] = {{1000, 5100}, {40000, 45100}, {400000, 416100}};
    struct flow f;
    flow_init(&f, 16, rtt[_i][0]);
    one_round(&f, rtt[_i][0]);
    double before = segments(&f);
    one_round(&f, rtt[_i][1]); /* seven ACKs until the eighth sample shows it */
    ck_assert_double_eq_tol(segments(&f), before + 7 + (before - 7) / 4, 0.1);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
        before = segments(&f);
        one_round(&f, rtt[_i][1]);
        ck_assert_double_eq_tol(segments(&f), before * 1.25, 0.5);
    }
    /* Five rounds in CSS are over. */
    before = segments(&f);
    one_round(&f, rtt[_i][1]);
    ck_assert_uint_ne(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
    ck_assert_double_lt(segments(&f), before + 3);
}
END_TEST

START_TEST(a_false_alarm_resumes_slow_start)
{
    struct flow f;
    flow_init(&f, 16, 40000);
    one_round(&f, 40000);
    one_round(&f, 60000);
    one_round(&f, 40000);
    double before = segments(&f);
    one_round(&f, 40000);
    ck_assert_double_eq_tol(segments(&f), 2 * before, 0.1);
    for (int i = 0; i < 4; i++)
        one_round(&f, 40000);
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

/* A home uplink: 50 Mbit/s, 30 ms, and a queue of one second. Plain slow start would fill it. */
START_TEST(slow_start_ends_before_a_deep_queue_is_full)
{
    const double rate = 6.25e6, base = 0.03, bdp = rate * base, queue = rate;
    struct flow f;
    flow_init(&f, 10, 30000);
    while (f.cc.ssthresh == CC_SSTHRESH_INFINITE) {
        double standing = (double)f.cc.cwnd - bdp;
        ck_assert_double_lt(standing, queue / 2);
        one_round(&f, (int64_t)((base + (standing > 0 ? standing / rate : 0)) * 1e6));
    }
    ck_assert_double_gt((double)f.cc.cwnd, bdp);
}
END_TEST

/* A peer that receives in batches acknowledges 16 segments at once: four ACKs in this round. */
static void batched_round(struct flow *f, int64_t rtt_us)
{
    uint64_t window = f->cc.cwnd;
    f->cc.srtt_us = rtt_us;
    f->now += rtt_us;
    for (uint64_t done = 0; done < window; done += 16 * MSS)
        ack(f, 16 * MSS, true, done == 0);
}

START_TEST(few_acks_of_many_segments_are_samples_enough)
{
    struct flow f;
    flow_init(&f, 64, 10000);
    batched_round(&f, 10000);
    double before = segments(&f);
    batched_round(&f, 20000);
    ck_assert_double_le(segments(&f), before + before / 4 + 16);
}
END_TEST

START_TEST(a_queue_that_grows_by_less_than_the_threshold_each_round_is_noticed)
{
    struct flow f;
    flow_init(&f, 16, 1000);
    one_round(&f, 1000);
    one_round(&f, 3500);
    double before = segments(&f);
    one_round(&f, 6000);
    ck_assert_double_lt(segments(&f), before * 1.5);
}
END_TEST

START_TEST(css_ends_when_the_queue_goes_on_growing)
{
    struct flow f;
    flow_init(&f, 16, 10000);
    one_round(&f, 10000);
    one_round(&f, 16000);
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
    one_round(&f, 19000); /* less than the threshold above the first round of CSS */
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
    one_round(&f, 21000);
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE); /* only a whole round's least is believed */
    one_round(&f, 21000);
    ck_assert_uint_ne(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

/* Leaves slow start by a rise from 100 to 140 ms. */
static void leave_slow_start(struct flow *f)
{
    flow_init(f, 16, 100000);
    one_round(f, 100000);
    for (int i = 0; i < 6; i++)
        one_round(f, 140000);
    ck_assert_uint_ne(f->cc.ssthresh, CC_SSTHRESH_INFINITE);
}

/* A queue would have stayed, since the window has not shrunk. Two rounds: what is acknowledged in the first
 * was on its way when it began. */
START_TEST(a_rise_that_goes_again_was_no_queue_and_slow_start_goes_on)
{
    struct flow f;
    leave_slow_start(&f);
    for (int i = 0; i < 2; i++)
        one_round(&f, 115000);
    double before = segments(&f);
    one_round(&f, 115000);
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
    ck_assert_double_eq_tol(segments(&f), 2 * before, 1);
    one_round(&f,
              150000); /* from 100 ms, the 40 of jitter and the threshold of 12.5 would have to be exceeded */
    one_round(&f, 150000);
    ck_assert_double_ge(segments(&f), 7 * before);
    one_round(&f, 154000);
    one_round(&f, 154000);
    ck_assert_double_lt(segments(&f), 15 * before);
}
END_TEST

START_TEST(a_rise_that_stays_ends_slow_start_for_good)
{
    struct flow f;
    leave_slow_start(&f);
    for (int i = 0; i < 20; i++)
        one_round(&f, 125000);
    ck_assert_uint_ne(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

/* Whoever does not use the window has drained the queue himself. */
START_TEST(a_window_that_is_not_used_proves_nothing)
{
    struct flow f;
    leave_slow_start(&f);
    f.cc.srtt_us = 100000;
    for (int i = 0; i < 10; i++) {
        f.now += 100000;
        for (int n = 0; n < 10; n++)
            ack(&f, MSS, false, n == 0);
    }
    ck_assert_uint_ne(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

/* Nor does one that something else has stopped in between, such as the peer's window: the last
 * acknowledgements before it say that the window is the limit, and that it is nearly empty. */
START_TEST(a_window_that_was_full_some_time_ago_proves_nothing)
{
    struct flow f;
    leave_slow_start(&f);
    f.cc.srtt_us = 100000;
    for (int i = 0; i < 10; i++) {
        f.now += 100000;
        for (int n = 0; n < 10; n++)
            ack_of(&f, f.cc.cwnd * (9 - (unsigned)n) / 10, MSS, true, n == 0);
    }
    ck_assert_uint_ne(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

/* Nor does one that was cut: that has drained the queue, too. */
START_TEST(after_a_loss_slow_start_is_over_for_good)
{
    struct flow f;
    leave_slow_start(&f);
    loss(&f, false);
    f.cc.cwnd = f.cc.ssthresh;
    for (int i = 0; i < 10; i++)
        one_round(&f, 100000);
    ck_assert_uint_ne(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

START_TEST(second_slow_start_goes_straight_to_ssthresh)
{
    struct flow f;
    flow_init(&f, 100, 40000);
    loss(&f, true);
    f.cc.cwnd = MSS;
    for (int i = 0; i < 6; i++)
        one_round(&f, 40000 + i * 20000);
    ck_assert_uint_eq(f.cc.cwnd, 64 * MSS);
    one_round(&f, 200000);
    ck_assert_uint_ge(f.cc.cwnd, 70 * MSS);
    ck_assert_uint_le(f.cc.cwnd, 71 * MSS);
}
END_TEST

static TCase *rfc9406(void)
{
    TCase *t = tcase_create("rfc9406");
    tcase_add_test(t, first_slow_start_doubles_each_round);
    tcase_add_loop_test(t, a_small_rise_of_the_rtt_does_not_end_slow_start, 0, 3);
    tcase_add_loop_test(t, a_rise_of_the_rtt_leads_over_css_to_congestion_avoidance, 0, 3);
    tcase_add_test(t, a_false_alarm_resumes_slow_start);
    tcase_add_test(t, slow_start_ends_before_a_deep_queue_is_full);
    tcase_add_test(t, few_acks_of_many_segments_are_samples_enough);
    tcase_add_test(t, a_queue_that_grows_by_less_than_the_threshold_each_round_is_noticed);
    tcase_add_test(t, css_ends_when_the_queue_goes_on_growing);
    tcase_add_test(t, a_rise_that_goes_again_was_no_queue_and_slow_start_goes_on);
    tcase_add_test(t, a_rise_that_stays_ends_slow_start_for_good);
    tcase_add_test(t, a_window_that_is_not_used_proves_nothing);
    tcase_add_test(t, a_window_that_was_full_some_time_ago_proves_nothing);
    tcase_add_test(t, after_a_loss_slow_start_is_over_for_good);
    tcase_add_test(t, second_slow_start_goes_straight_to_ssthresh);
    return t;
}

int main(void)
{
    Suite *s = suite_create("hystart");
    suite_add_tcase(s, rfc9406());
    return run_suite(s);
}
