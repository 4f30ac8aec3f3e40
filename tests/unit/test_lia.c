/* LIA: the formulas of RFC 6356, and its goals. */
#include "coupled_tests.h"

extern const struct cc_ops cc_lia;
#define CC              (&cc_lia)
#define BOTTLENECK_PART 0.1

/* Formula (2) of section 3, from windows in segments and RTTs in seconds. */
static double alpha_of(unsigned n, const double *w, const double *rtt)
{
    double total = 0, best = 0, sum = 0;
    for (unsigned i = 0; i < n; i++) {
        total += w[i];
        best = fmax(best, w[i] / (rtt[i] * rtt[i]));
        sum += w[i] / rtt[i];
    }
    return total * best / (sum * sum);
}

/* Formula (1), for a whole window acknowledged. */
static double increase_of(unsigned n, const double *w, const double *rtt, unsigned i)
{
    double total = 0;
    for (unsigned j = 0; j < n; j++)
        total += w[j];
    return fmin(alpha_of(n, w, rtt) * w[i] / total, 1);
}

START_TEST(increase_is_formula_1_with_the_alpha_of_formula_2)
{
    check_increase(CC, increase_of, (unsigned)_i);
}
END_TEST

/* Worked by hand: w = 10 and 20, RTT 100 and 50 ms. SUM = 100 + 400 = 500, MAX = 20/.05^2 = 8000, alpha = 30
 * * 8000 / 250000 = 0.96; 10 segments acknowledged on the first add .96 * 10/30 of a segment, 20 on the
 * second .64. */
START_TEST(increase_of_a_worked_example)
{
    setup_flows(CC, 2);
    set_flow(0, 10, 100000);
    set_flow(1, 20, 50000);
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), 320, 1);
    set_flow(0, 10, 100000);
    ck_assert_double_eq_tol((double)ack(1, 20 * MSS, true), 640, 1);
}
END_TEST

/* Equal RTTs: the total grows by alpha = 1/n segments per round trip. */
START_TEST(equal_flows_share_the_increase)
{
    for (unsigned n = 1; n <= FLOWS; n++) {
        uint64_t grown = 0;
        setup_flows(CC, n);
        for (unsigned i = 0; i < n; i++) {
            grown += (uint64_t)ack(i, 100 * MSS, true);
            set_flow(i, 100, 100000);
        }
        ck_assert_double_eq_tol((double)grown, (double)MSS / n, n);
    }
}
END_TEST

/* Goal 2: formula (1) is bounded by what TCP would do, for any windows, RTTs and states. */
START_TEST(no_flow_ever_grows_faster_than_reno)
{
    check_bounds(CC, 0, 1);
}
END_TEST

START_TEST(siblings_that_do_not_count_do_not_slow_down)
{
    setup_flows(CC, 3);
    set_flow(0, 10, 100000);
    flow[1].usable = false;
    flow[2].srtt_us = 0;
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), MSS, 1.01);
}
END_TEST

/* Where an ACK is worth less than a byte, the parts add up instead of being rounded. */
START_TEST(parts_of_a_byte_are_not_lost)
{
    uint64_t grown = 0;
    setup_flows(CC, 2);
    set_flow(0, 50000, 100000);
    set_flow(1, 50000, 100000);
    for (int i = 0; i < 50000; i++)
        grown += (uint64_t)ack(0, MSS, true);
    ck_assert_double_eq_tol((double)grown, MSS / 4.0, 2);
}
END_TEST

COUPLED_TESTS

int main(void)
{
    Suite *s = suite_create("lia");
    TCase *t = tcase_create("rfc6356");
    tcase_add_loop_test(t, increase_is_formula_1_with_the_alpha_of_formula_2, 0, COUPLED_CASES);
    tcase_add_test(t, increase_of_a_worked_example);
    tcase_add_test(t, equal_flows_share_the_increase);
    tcase_add_test(t, no_flow_ever_grows_faster_than_reno);
    tcase_add_test(t, siblings_that_do_not_count_do_not_slow_down);
    tcase_add_test(t, parts_of_a_byte_are_not_lost);
    add_coupled_tests(t);
    tcase_set_timeout(t, SECONDS_OF_REAL_TIME);
    suite_add_tcase(s, t);
    return run_suite(s);
}
