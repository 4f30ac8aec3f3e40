/* OLIA: the formulas of its paper, and the distances between losses that they need. */
#include "coupled_tests.h"

extern const struct cc_ops cc_olia, cc_cubic;
#define CC              (&cc_olia)
#define BOTTLENECK_PART 0.15

/* Lets flow i deliver so many segments, as an ACK that does nothing else. */
static void deliver(unsigned i, double segments)
{
    flow[i].delivered += (uint64_t)(segments * MSS);
}

/* The increase per window of flow i in segments: windows in segments, RTTs in seconds, l in segments. */
static double increase_of(unsigned n, const double *w, const double *rtt, const double *l, unsigned i)
{
    double sum = 0, quality = 0, largest = 0, alpha = 0;
    unsigned collected = 0, maximal = 0;

    for (unsigned j = 0; j < n; j++) {
        sum += w[j] / rtt[j];
        quality = fmax(quality, l[j] / (rtt[j] * rtt[j]));
        largest = fmax(largest, w[j]);
    }
    for (unsigned j = 0; j < n; j++) {
        maximal += w[j] == largest;
        collected += w[j] < largest && l[j] / (rtt[j] * rtt[j]) == quality;
    }
    if (collected > 0 && w[i] == largest)
        alpha = -1.0 / (n * maximal);
    else if (collected > 0 && l[i] / (rtt[i] * rtt[i]) == quality)
        alpha = 1.0 / (n * collected);
    return w[i] * (w[i] / (rtt[i] * rtt[i]) / (sum * sum)) + alpha;
}

static void set_all(unsigned n, const double *w, const double *rtt, const double *l)
{
    setup_flows(CC, n);
    for (unsigned j = 0; j < n; j++) {
        deliver(j, l[j]);
        lose(j);
        set_flow(j, w[j], (int64_t)llround(rtt[j] * 1e6));
        flow[j].ssthresh = 2 * MSS;
        ack(j, 0, true);
    }
}

static const double cases_w[][3] = {{10, 20, 30}, {100, 5, 50}, {8, 400, 1000}, {64, 64, 64},
                                    {30, 30, 20}, {20, 20, 30}, {40, 20, 20},   {50, 60, 55}};
static const double cases_rtt[][3] = {{.1, .05, .2}, {.01, .3, .02}, {.5, .1, .001}, {.02, .02, .02},
                                      {.1, .1, .1},  {.1, .1, .1},   {.1, .1, .1},   {.2, .1, .05}};
static const double cases_l[][3] = {{9e4, 2e3, 3e4}, {1e5, 9e9, 5e3}, {9e9, 1e3, 1e3}, {1e4, 2e4, 3e4},
                                    {1e4, 1e4, 3e4}, {1e4, 1e4, 9e3}, {1e4, 2e4, 2e4}, {64e4, 16e4, 4e4 + 1}};

/* Among the cases: the best path has the largest window, some window, one of two largest; two best paths. */
START_TEST(increase_is_that_of_the_paper)
{
    const double *w = cases_w[_i], *rtt = cases_rtt[_i], *l = cases_l[_i];

    for (unsigned i = 0; i < 3; i++) {
        set_all(3, w, rtt, l);
        double expected = increase_of(3, w, rtt, l, i) * MSS;
        ck_assert_double_eq_tol((double)ack_window(i), expected, 1.01);
    }
}
END_TEST

/* Worked by hand: two paths, RTT 100 ms, w = 30 and 10, the second loses less. Rates 300 and 100, sum 400.
 * The first: (30/.01)/400^2 = .01875 per segment, * 30 = .5625, less 1/2. The second: (10/.01)/400^2 =
 * .00625,
 * * 10 = .0625, and 1/2. */
START_TEST(increase_of_a_worked_example)
{
    static const double w[] = {30, 10}, rtt[] = {.1, .1}, l[] = {1000, 1001};

    set_all(2, w, rtt, l);
    ck_assert_double_eq_tol((double)ack_window(0), 62.5, 1);
    set_all(2, w, rtt, l);
    ck_assert_double_eq_tol((double)ack_window(1), 562.5, 1);
}
END_TEST

/* Two flows, RTT 100 ms, of which the first has the larger window: its window shrinks by .5 - .36 in a round
 * trip if the second has the best path, and grows by .36 if not. */
static bool second_is_best(void)
{
    set_flow(0, 60, 100000);
    set_flow(1, 40, 100000);
    int64_t change = ack(0, 0, true) + ack_window(0);
    flow[0].delivered -= 60 * MSS;
    ck_assert(fabs((double)change + 140) < 3 || fabs((double)change - 360) < 3);
    return change < 0;
}

START_TEST(before_any_loss_everything_counts)
{
    setup_flows(CC, 2);
    deliver(0, 500);
    deliver(1, 600);
    ck_assert(second_is_best());
    deliver(0, 200);
    ck_assert(!second_is_best());
}
END_TEST

/* l is the larger of the distance between the last two losses and of that since the last. */
START_TEST(only_the_last_two_losses_count)
{
    setup_flows(CC, 2);
    deliver(0, 1000);
    deliver(1, 5000);
    lose(0);
    lose(1);
    ck_assert(second_is_best()); /* 1000, 5000 */
    deliver(0, 900);
    ck_assert(second_is_best());
    deliver(0, 4200);
    ck_assert(!second_is_best()); /* 5100 since, 5000 */
    lose(0);
    ck_assert(!second_is_best()); /* between */
    deliver(1, 300);
    lose(1);
    deliver(1, 5050);
    ck_assert(!second_is_best()); /* 5100, 5050 since; the 5000 are forgotten */
    deliver(0, 10);
    lose(0);
    ck_assert(second_is_best()); /* 10 */
}
END_TEST

/* What recovery delivers counts, too: on_ack is not called then. */
START_TEST(bytes_delivered_in_recovery_count)
{
    setup_flows(CC, 2);
    deliver(0, 1000);
    deliver(1, 900);
    lose(0);
    tell_loss(1, false);
    deliver(1, 1050);
    flow[1].ops->on_recovered(&flow[1], now);
    ck_assert(second_is_best());
}
END_TEST

START_TEST(a_timeout_in_recovery_is_the_same_loss)
{
    setup_flows(CC, 2);
    deliver(0, 1000);
    deliver(1, 2000);
    lose(0);
    tell_loss(1, false);
    deliver(1, 1);
    tell_loss(1, true);
    deliver(1, 1);
    tell_loss(1, true);
    ack(1, 0, true);
    ck_assert(second_is_best());
}
END_TEST

START_TEST(a_loss_that_was_none_does_not_count)
{
    setup_flows(CC, 2);
    deliver(0, 1000);
    deliver(1, 1500);
    lose(0);
    deliver(1, 10);
    lose(1);
    deliver(1, 20);
    lose(1);
    ck_assert(!second_is_best()); /* 1000, 20 */
    undo(1);
    ck_assert(second_is_best()); /* 1510 */
}
END_TEST

START_TEST(a_penalty_is_no_loss)
{
    setup_flows(CC, 2);
    deliver(0, 1000);
    deliver(1, 1200);
    CC->on_penalty(&flow[1], now);
    deliver(0, 100);
    ck_assert(second_is_best());
    deliver(0, 60);
    ck_assert(!second_is_best());
}
END_TEST

START_TEST(siblings_that_do_not_count_get_nothing)
{
    setup_flows(CC, 2);
    deliver(0, 1000);
    deliver(1, 5000);
    ck_assert(second_is_best());
    setup_flows(CC, 2);
    deliver(1, 5000);
    flow[1].usable = false;
    ck_assert_double_eq_tol((double)ack_window(0), MSS, 1.01);
    setup_flows(CC, 2);
    deliver(1, 5000);
    now += 1000000;
    set_flow(1, 40, 100000);
    flow[1].in_flight = 0; /* idle */
    ck_assert_double_eq_tol((double)ack_window(0), MSS, 1.01);
}
END_TEST

/* Its private state is not ours to read. */
START_TEST(a_sibling_under_another_algorithm_is_not_best)
{
    setup_flows(CC, 2);
    deliver(0, 1);
    deliver(1, 5000);
    flow[1].ops = &cc_cubic;
    ck_assert(!second_is_best());
}
END_TEST

/* 100.9 segments are no more than 100.0. */
START_TEST(windows_are_compared_in_segments)
{
    setup_flows(CC, 2);
    deliver(1, 5000);
    set_flow(0, 100.9, 100000);
    set_flow(1, 100, 100000);
    ck_assert_int_gt(ack_window(0), 0);
    set_flow(0, 101, 100000);
    ck_assert_int_lt(ack_window(0), 0);
}
END_TEST

/* Where a window shrinks slow start must not take it up again. */
START_TEST(ssthresh_follows_a_shrinking_window_down_to_two_segments)
{
    setup_flows(CC, 8);
    deliver(1, 5e6);
    flow[0].ssthresh = 100 * MSS;
    for (unsigned i = 0; i < 8; i++)
        set_flow(i, 99, 100000);
    set_flow(0, 100, 100000);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t before = flow[0].cwnd;
        ack_window(0);
        ck_assert_uint_le(flow[0].cwnd, before);
        ck_assert_uint_ge(flow[0].cwnd, flow[0].ssthresh);
        for (unsigned j = 1; j < 8; j++)
            set_flow(j, (double)flow[0].cwnd / MSS - 1, 100000);
        if (flow[0].cwnd == 2 * MSS)
            break;
    }
    ck_assert_uint_eq(flow[0].cwnd, 2 * MSS);
}
END_TEST

/* The first term is at most Reno's, and a at most 1/2 either way. */
START_TEST(no_flow_leaves_its_bounds)
{
    check_bounds(CC, 0.5, 1.5);
}
END_TEST

COUPLED_TESTS

int main(void)
{
    Suite *s = suite_create("olia");
    TCase *t = tcase_create("olia");

    tcase_add_loop_test(t, increase_is_that_of_the_paper, 0, 8);
    tcase_add_test(t, increase_of_a_worked_example);
    tcase_add_test(t, before_any_loss_everything_counts);
    tcase_add_test(t, only_the_last_two_losses_count);
    tcase_add_test(t, bytes_delivered_in_recovery_count);
    tcase_add_test(t, a_timeout_in_recovery_is_the_same_loss);
    tcase_add_test(t, a_loss_that_was_none_does_not_count);
    tcase_add_test(t, a_penalty_is_no_loss);
    tcase_add_test(t, siblings_that_do_not_count_get_nothing);
    tcase_add_test(t, a_sibling_under_another_algorithm_is_not_best);
    tcase_add_test(t, windows_are_compared_in_segments);
    tcase_add_test(t, ssthresh_follows_a_shrinking_window_down_to_two_segments);
    tcase_add_test(t, no_flow_leaves_its_bounds);
    add_coupled_tests(t);
    tcase_set_timeout(t, SECONDS_OF_REAL_TIME);
    suite_add_tcase(s, t);
    return run_suite(s);
}
