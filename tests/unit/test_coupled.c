/* Which siblings count for a coupled algorithm, and with which window (RFC 6356 section 3). */
#include "cc_flows.h"

#include "cc/coupled.h"

extern const struct cc_ops cc_lia, cc_cubic;
#define CC (&cc_lia)

/* The window with which flow 1 counts for flow 0, in segments. */
static double counted(void)
{
    return coupled_window(&flow[0], &flow[1], now) / MSS;
}

START_TEST(the_window_counts)
{
    setup_flows(CC, 2);
    set_flow(1, 40, 100000);
    ck_assert_double_eq(counted(), 40);
    flow[1].in_flight = 30 * MSS; /* for the moment */
    ck_assert_double_eq(counted(), 40);
}
END_TEST

START_TEST(flows_that_are_not_usable_or_have_no_rtt_do_not_count)
{
    setup_flows(CC, 2);
    flow[1].usable = false;
    ck_assert_double_eq(counted(), 0);
    flow[1].usable = true;
    flow[1].srtt_us = 0;
    ck_assert_double_eq(counted(), 0);
}
END_TEST

START_TEST(a_flow_in_fast_recovery_counts_with_ssthresh)
{
    setup_flows(CC, 2);
    tell_loss(1, false);
    flow[1].in_recovery = true;
    flow[1].cwnd = flow[1].in_flight = 80 * MSS;
    ck_assert_double_eq(counted(), 50);
}
END_TEST

START_TEST(a_flow_after_a_timeout_counts_with_its_small_window)
{
    setup_flows(CC, 2);
    tell_loss(1, true);
    flow[1].in_recovery = true;
    flow[1].cwnd = flow[1].in_flight = MSS;
    ck_assert_double_eq(counted(), 1);
}
END_TEST

START_TEST(a_flow_that_does_not_use_its_window_counts_with_what_is_in_flight)
{
    setup_flows(CC, 2);
    flow[1].in_flight = 30 * MSS;
    ack(1, MSS, false);
    ck_assert_double_eq(counted(), 30);
    flow[1].in_flight = 300 * MSS; /* the window was reduced since */
    ck_assert_double_eq(counted(), 100);
}
END_TEST

/* Between an ACK of all and the next transmission it is no different; later it is idle. */
START_TEST(a_flow_with_nothing_in_flight_counts_for_one_round_trip)
{
    setup_flows(CC, 2);
    flow[1].in_flight = 0;
    ck_assert_double_eq(counted(), 100);
    now += 100000;
    ck_assert_double_eq(counted(), 100);
    now++;
    ck_assert_double_eq(counted(), 0);
}
END_TEST

/* Its private state is not ours to read. */
START_TEST(a_flow_under_another_algorithm_counts_while_something_is_in_flight)
{
    setup_flows(CC, 2);
    flow[1].ops = &cc_cubic;
    for (unsigned i = 0; i < CC_TEST_PRIV; i++)
        flow[1].priv[i] = UINT64_MAX;
    ck_assert_double_eq(counted(), 100);
    flow[1].in_flight = 0;
    ck_assert_double_eq(counted(), 0);
    flow[1].in_recovery = true;
    flow[1].in_flight = 80 * MSS;
    flow[1].ssthresh = 50 * MSS;
    ck_assert_double_eq(counted(), 50);
}
END_TEST

/* RTTs of 100, 50 and 200 ms: rates of 100, 800 and 10 segments per second. */
START_TEST(the_sums)
{
    setup_flows(CC, 4);
    set_flow(0, 10, 100000);
    set_flow(1, 40, 50000);
    set_flow(2, 2, 200000);
    flow[3].usable = false;
    for (unsigned i = 0; i < 3; i++) {
        struct coupled_sum sum = coupled_sum(&flow[i], now);

        ck_assert_uint_eq(sum.n, 3);
        ck_assert_double_eq_tol(sum.rate * 1e6 / MSS, 910, 1e-6);
        ck_assert_double_eq_tol(sum.best_rate * 1e6 / MSS, 800, 1e-6);
        ck_assert_double_eq_tol(sum.best_gain * 1e12 / MSS, 16000, 1e-6);
        ck_assert_double_eq(sum.own, (double)flow[i].cwnd);
    }
    ck_assert_double_eq(coupled_sum(&flow[3], now).own, 0); /* it does not count, its siblings do */
    ck_assert_uint_eq(coupled_sum(&flow[3], now).n, 3);
    for (unsigned i = 0; i < 3; i++)
        flow[i].usable = false;
    ck_assert_uint_eq(coupled_sum(&flow[0], now).n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("coupled");
    TCase *t = tcase_create("siblings");

    tcase_add_test(t, the_window_counts);
    tcase_add_test(t, flows_that_are_not_usable_or_have_no_rtt_do_not_count);
    tcase_add_test(t, a_flow_in_fast_recovery_counts_with_ssthresh);
    tcase_add_test(t, a_flow_after_a_timeout_counts_with_its_small_window);
    tcase_add_test(t, a_flow_that_does_not_use_its_window_counts_with_what_is_in_flight);
    tcase_add_test(t, a_flow_with_nothing_in_flight_counts_for_one_round_trip);
    tcase_add_test(t, a_flow_under_another_algorithm_counts_while_something_is_in_flight);
    tcase_add_test(t, the_sums);
    tcase_set_timeout(t, SECONDS_OF_REAL_TIME);
    suite_add_tcase(s, t);
    return run_suite(s);
}
