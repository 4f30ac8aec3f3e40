/* What holds for each coupled algorithm, whatever its formula: tests that a file gets with COUPLED_TESTS,
 * besides CC_TESTS. */
#ifndef BRAID_TESTS_COUPLED_TESTS_H
#define BRAID_TESTS_COUPLED_TESTS_H

#include "cc_flows.h"

/* Three subflows as the papers' formulas have them: windows in segments, RTTs in seconds. Among them: about
 * equal ones, a fat and short path beside thin and long ones, the reverse, all the same, almost everything on
 * one. */
#define COUPLED_CASES 5
static const double coupled_w[COUPLED_CASES][3] = {
    {10, 20, 30}, {100, 5, 50}, {2, 400, 1000}, {64, 64, 64}, {2, 2, 10000}};
static const double coupled_rtt[COUPLED_CASES][3] = {
    {.1, .05, .2}, {.01, .3, .02}, {.5, .1, .001}, {.02, .02, .02}, {.6, .001, 2}};

/* By how many segments subflow i grows when its whole window is acknowledged. */
typedef double coupled_increase(unsigned n, const double *w, const double *rtt, unsigned i);

/* Each subflow of a case grows as the formula says, but for parts of a byte. */
static inline void check_increase(const struct cc_ops *ops, coupled_increase *increase, unsigned number)
{
    const double *w = coupled_w[number], *rtt = coupled_rtt[number];

    for (unsigned i = 0; i < 3; i++) {
        setup_flows(ops, 3);
        for (unsigned j = 0; j < 3; j++)
            set_flow(j, w[j], (int64_t)llround(rtt[j] * 1e6));
        ck_assert_double_eq_tol((double)ack_window(i), increase(3, w, rtt, i) * MSS, 1.01);
    }
}

static inline void check_a_single_path_grows_like_reno(const struct cc_ops *ops)
{
    setup_flows(ops, 1);
    for (unsigned w = 2; w < 2000; w += 7) {
        set_flow(0, w, 1000 * w);
        ck_assert_double_eq_tol((double)ack_window(0), MSS, 1.01);
    }
}

/* It knows no rates yet. */
static inline void check_a_flow_without_rtt_grows_like_reno(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    flow[0].srtt_us = 0;
    ck_assert_double_eq_tol((double)ack_window(0), MSS, 1.01);
}

/* In any state, a part of the window acknowledged adds at most `most` times Reno's increase, and takes at
 * most `least` times that away. */
static inline void check_bounds(const struct cc_ops *ops, double least, double most)
{
    uint64_t x = 88172645463325252u;

    for (unsigned run = 0; run < 20000; run++) {
        set_any_flows(ops, 1 + run % FLOWS, &x);
        for (unsigned i = 0; i < FLOWS; i++)
            flow[i].delivered = next_random(&x) % 100000000;
        uint64_t acked = 1 + next_random(&x) % flow[0].cwnd;
        double reno = (double)acked * MSS / (double)flow[0].cwnd;
        double change = (double)ack(0, acked, true);
        ck_assert_double_le(change, most * reno + 1);
        ck_assert_double_ge(change, -least * reno - (least > 0 ? 1 : 0));
    }
}

/* A file that defines CC, and BOTTLENECK_PART, says COUPLED_TESTS, and in main add_coupled_tests(t).
 * BOTTLENECK_PART: what several subflows over one bottleneck may take more or less than one flow. */
#define COUPLED_TESTS                                                                                        \
    CC_TESTS                                                                                                 \
    CC_TEST(a_single_path_grows_like_reno)                                                                   \
    CC_TEST(a_flow_without_rtt_grows_like_reno)                                                              \
    START_TEST(flows_over_one_bottleneck_take_as_much_as_one)                                                \
    {                                                                                                        \
        check_one_bottleneck(CC, (unsigned)_i, BOTTLENECK_PART);                                             \
    }                                                                                                        \
    END_TEST                                                                                                 \
    static void add_coupled_tests(TCase *t)                                                                  \
    {                                                                                                        \
        add_cc_tests(t);                                                                                     \
        tcase_add_test(t, a_single_path_grows_like_reno);                                                    \
        tcase_add_test(t, a_flow_without_rtt_grows_like_reno);                                               \
        tcase_add_loop_test(t, flows_over_one_bottleneck_take_as_much_as_one, 1, 6);                         \
    }

#endif
