/* BALIA: the formulas of its paper, and its bounds. */
#include "coupled_tests.h"

extern const struct cc_ops cc_balia, cc_cubic;
#define CC              (&cc_balia)
#define BOTTLENECK_PART 0.15

/* The increase per window of flow i, in segments: windows in segments, RTTs in seconds. */
static double increase_of(unsigned n, const double *w, const double *rtt, unsigned i)
{
    double sum = 0, best = 0, x = w[i] / rtt[i];

    for (unsigned j = 0; j < n; j++) {
        sum += w[j] / rtt[j];
        best = fmax(best, w[j] / rtt[j]);
    }
    double alpha = best / x;
    return w[i] * x / (rtt[i] * sum * sum) * ((1 + alpha) / 2) * ((4 + alpha) / 5);
}

START_TEST(increase_is_that_of_the_paper)
{
    check_increase(CC, increase_of, (unsigned)_i);
}
END_TEST

/* Worked by hand: w = 10 and 20, RTT 100 and 50 ms, x = 100 and 400. The first: g = 4, 100 / (.1 * 500^2) =
 * .004, * 5/2 * 8/5 = .016 per segment. The second: g = 1, 400 / (.05 * 500^2) = .032. */
START_TEST(increase_of_a_worked_example)
{
    setup_flows(CC, 2);
    set_flow(0, 10, 100000);
    set_flow(1, 20, 50000);
    ck_assert_double_eq_tol((double)ack_window(0), 160, 1);
    set_flow(0, 10, 100000);
    ck_assert_double_eq_tol((double)ack_window(1), 640, 1);
}
END_TEST

START_TEST(no_flow_ever_grows_faster_than_reno)
{
    check_bounds(CC, 0, 1);
}
END_TEST

/* The better the sibling, the less this flow may grow. */
START_TEST(a_better_sibling_slows_down)
{
    int64_t previous = INT64_MAX;

    for (unsigned w = 1; w < 100000; w = w * 3 / 2 + 1) {
        setup_flows(CC, 2);
        set_flow(0, 100, 100000);
        set_flow(1, w, 100000);
        int64_t grown = ack_window(0);
        ck_assert_int_le(grown, previous);
        previous = grown;
    }
    ck_assert_double_eq_tol((double)previous, MSS / 10.0, 3); /* the limit of (4f^2 + 5f m + m^2)/10 */
}
END_TEST

/* What is left of 100 segments after a loss, beside a flow with w segments and the same RTT. */
static double left_beside(double w)
{
    setup_flows(CC, 2);
    set_flow(0, 100, 100000);
    set_flow(1, w, 100000);
    tell_loss(0, false);
    return (double)flow[0].ssthresh / MSS;
}

START_TEST(decrease_follows_the_best_flow)
{
    ck_assert_double_eq_tol(left_beside(50), 50, 0.002); /* this is the best */
    ck_assert_double_eq_tol(left_beside(100), 50, 0.002);
    ck_assert_double_eq_tol(left_beside(120), 40, 0.002); /* g = 1.2, no integer */
    ck_assert_double_eq_tol(left_beside(140), 30, 0.002);
    ck_assert_double_eq_tol(left_beside(150), 25, 0.002);
    ck_assert_double_eq_tol(left_beside(1e5), 25, 0.002);
}
END_TEST

/* It is rates that are compared, not windows. */
START_TEST(decrease_compares_rates)
{
    setup_flows(CC, 2);
    set_flow(0, 100, 100000);
    set_flow(1, 28, 20000); /* x = 1000 and 1400 segments per second */
    tell_loss(0, false);
    ck_assert_double_eq_tol((double)flow[0].ssthresh / MSS, 30, 0.002);
}
END_TEST

START_TEST(decrease_without_a_better_sibling_is_half)
{
    setup_flows(CC, 3);
    set_flow(1, 1000, 100000);
    set_flow(2, 1000, 100000);
    flow[1].usable = false;
    flow[2].srtt_us = 0;
    tell_loss(0, false);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
    setup_flows(CC, 2);
    flow[0].srtt_us = 0;
    tell_loss(0, false);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
}
END_TEST

START_TEST(a_sibling_under_another_algorithm_counts)
{
    setup_flows(CC, 2);
    set_flow(1, 140, 100000);
    flow[1].ops = &cc_cubic;
    tell_loss(0, false);
    ck_assert_double_eq_tol((double)flow[0].ssthresh / MSS, 30, 0.002);
}
END_TEST

COUPLED_TESTS

int main(void)
{
    Suite *s = suite_create("balia");
    TCase *t = tcase_create("balia");

    tcase_add_loop_test(t, increase_is_that_of_the_paper, 0, COUPLED_CASES);
    tcase_add_test(t, increase_of_a_worked_example);
    tcase_add_test(t, no_flow_ever_grows_faster_than_reno);
    tcase_add_test(t, a_better_sibling_slows_down);
    tcase_add_test(t, decrease_follows_the_best_flow);
    tcase_add_test(t, decrease_compares_rates);
    tcase_add_test(t, decrease_without_a_better_sibling_is_half);
    tcase_add_test(t, a_sibling_under_another_algorithm_counts);
    add_coupled_tests(t);
    tcase_set_timeout(t, SECONDS_OF_REAL_TIME);
    suite_add_tcase(s, t);
    return run_suite(s);
}
