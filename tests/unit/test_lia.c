/* LIA: the formulas of RFC 6356, and its goals. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <braid/cc.h>

#define MSS   1000u
#define FLOWS 8

extern const struct cc_ops cc_lia;

static struct cc flow[FLOWS];

/* n flows in congestion avoidance that use their windows. */
static void setup_flows(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        flow[i] = (struct cc){.ops = &cc_lia,
                              .mss = MSS,
                              .usable = true,
                              .srtt_us = 100000,
                              .min_rtt_us = 100000,
                              .cwnd = 100 * MSS,
                              .in_flight = 100 * MSS,
                              .ssthresh = 2 * MSS,
                              .group_next = &flow[(i + 1) % n]};
        cc_lia.init(&flow[i], 0);
    }
    for (unsigned i = 0; i < n; i++) {
        struct cc_ack nothing = {.cwnd_limited = true};
        cc_lia.on_ack(&flow[i], &nothing);
    }
}

static void set_flow(unsigned i, double segments, int64_t rtt_us)
{
    flow[i].cwnd = flow[i].in_flight = (uint64_t)(segments * MSS);
    flow[i].srtt_us = rtt_us;
}

/* Acknowledges bytes on flow i and returns by how much its window grew. */
static uint64_t ack(unsigned i, uint64_t bytes, bool limited)
{
    struct cc_ack a = {.acked = bytes, .prior_in_flight = flow[i].in_flight, .cwnd_limited = limited};
    uint64_t before = flow[i].cwnd;
    cc_lia.on_ack(&flow[i], &a);
    return flow[i].cwnd - before;
}

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

/* Formula (1), in bytes. */
static double increase_of(unsigned n, const double *w, const double *rtt, unsigned i, double acked)
{
    double total = 0;
    for (unsigned j = 0; j < n; j++)
        total += w[j];
    return fmin(alpha_of(n, w, rtt) * acked / total, acked / w[i]);
}

START_TEST(increase_is_formula_1_with_the_alpha_of_formula_2)
{
    static const double w[][3] = {{10, 20, 30}, {100, 5, 50}, {2, 400, 1000}, {64, 64, 64}, {2, 2, 10000}};
    static const double rtt[][3] = {
        {.1, .05, .2}, {.01, .3, .02}, {.5, .1, .001}, {.02, .02, .02}, {.6, .001, 2}};
    for (unsigned i = 0; i < 3; i++) {
        setup_flows(3);
        for (unsigned j = 0; j < 3; j++)
            set_flow(j, w[_i][j], (int64_t)llround(rtt[_i][j] * 1e6));
        double expected = increase_of(3, w[_i], rtt[_i], i, w[_i][i] * MSS);
        ck_assert_double_eq_tol((double)ack(i, flow[i].cwnd, true), expected, 1.01);
    }
}
END_TEST

/* Worked by hand: w = 10 and 20, RTT 100 and 50 ms. SUM = 100 + 400 = 500, MAX = 20/.05^2 = 8000, alpha = 30
 * * 8000 / 250000 = 0.96; 10 segments acknowledged on the first add .96 * 10/30 of a segment, 20 on the
 * second .64. */
START_TEST(increase_of_a_worked_example)
{
    setup_flows(2);
    set_flow(0, 10, 100000);
    set_flow(1, 20, 50000);
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), 320, 1);
    set_flow(0, 10, 100000);
    ck_assert_double_eq_tol((double)ack(1, 20 * MSS, true), 640, 1);
}
END_TEST

START_TEST(a_single_path_grows_like_reno)
{
    setup_flows(1);
    for (unsigned w = 2; w < 2000; w += 7) {
        set_flow(0, w, 1000 * w);
        ck_assert_double_eq_tol((double)ack(0, w * MSS, true), MSS, 1.01);
    }
}
END_TEST

/* Equal RTTs: the total grows by alpha = 1/n segments per round trip. */
START_TEST(equal_flows_share_the_increase)
{
    for (unsigned n = 1; n <= FLOWS; n++) {
        uint64_t grown = 0;
        setup_flows(n);
        for (unsigned i = 0; i < n; i++) {
            grown += ack(i, 100 * MSS, true);
            set_flow(i, 100, 100000);
        }
        ck_assert_double_eq_tol((double)grown, (double)MSS / n, n);
    }
}
END_TEST

/* n flows that lose one in 1/p segments each: the mean of their total window. */
static double mean_total(unsigned n, double period)
{
    double left[FLOWS], sum = 0;
    const unsigned rounds = 20000;
    setup_flows(n);
    for (unsigned i = 0; i < n; i++) {
        set_flow(i, sqrt(2 * period) / n, 100000);
        left[i] = period * (i + 1) / n;
    }
    for (unsigned r = 0; r < rounds; r++)
        for (unsigned i = 0; i < n; i++) {
            double window = (double)flow[i].cwnd / MSS;
            sum += window;
            ack(i, flow[i].cwnd, true);
            left[i] -= window;
            if (left[i] < 0) {
                struct cc_loss l = {.in_flight = flow[i].cwnd};
                left[i] += period;
                cc_lia.on_loss(&flow[i], &l);
                flow[i].cwnd = flow[i].ssthresh;
                cc_lia.on_recovered(&flow[i], 0);
            }
            flow[i].in_flight = flow[i].cwnd;
        }
    return sum / rounds;
}

/* Goal 2: subflows with the same loss rate and RTT take together what one TCP takes. */
START_TEST(flows_over_one_bottleneck_take_as_much_as_one)
{
    double one = mean_total(1, 1e5), together = mean_total((unsigned)_i, 1e5);
    ck_assert_double_eq_tol(one, sqrt(1.5 * 1e5), 0.03 * one); /* Reno's own formula */
    ck_assert_msg(fabs(together / one - 1) < 0.1, "%d flows: %.1f, one: %.1f", _i, together, one);
}
END_TEST

/* Goal 2: formula (1) is bounded by what TCP would do, for any windows, RTTs and states. */
START_TEST(no_flow_ever_grows_faster_than_reno)
{
    uint64_t x = 88172645463325252u;
    for (unsigned run = 0; run < 20000; run++) {
        unsigned n = 1 + run % FLOWS;
        setup_flows(n);
        for (unsigned i = 0; i < n; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            set_flow(i, (double)(2 + (x >> 8) % 100000), 1 + (int64_t)(x >> 32 & 0xfffff));
            flow[i].usable = x % 4 != 0;
            flow[i].in_recovery = x % 16 == 1;
            flow[i].in_flight = x >> 3 & 1 ? flow[i].cwnd : x % flow[i].cwnd;
            if (x % 32 == 2)
                flow[i].srtt_us = 0;
        }
        uint64_t acked = 1 + x % flow[0].cwnd;
        double reno = (double)acked * MSS / (double)flow[0].cwnd;
        ck_assert_double_le((double)ack(0, acked, true), reno + 1);
    }
}
END_TEST

/* Two flows with windows of 10 and w, RTT 100 ms, of which the first gets 10 segments acknowledged. */
static double expected_beside(double w)
{
    return increase_of(2, (const double[]){10, w}, (const double[]){.1, .1}, 0, 10 * MSS);
}

START_TEST(flows_that_are_not_usable_or_have_no_rtt_do_not_count)
{
    setup_flows(3);
    set_flow(0, 10, 100000);
    flow[1].usable = false;
    flow[2].srtt_us = 0;
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), MSS, 1.01);
}
END_TEST

START_TEST(a_flow_in_fast_recovery_counts_with_ssthresh)
{
    setup_flows(2);
    set_flow(0, 10, 100000);
    set_flow(1, 40, 100000);
    flow[1].in_recovery = true;
    flow[1].ssthresh = 20 * MSS;
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), expected_beside(20), 1.01);
}
END_TEST

START_TEST(a_flow_after_a_timeout_counts_with_its_small_window)
{
    struct cc_loss l = {.in_flight = 40 * MSS, .timeout = true};
    setup_flows(2);
    set_flow(0, 10, 100000);
    set_flow(1, 40, 100000);
    flow[1].in_recovery = true;
    cc_lia.on_loss(&flow[1], &l);
    flow[1].cwnd = flow[1].in_flight = MSS;
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), expected_beside(1), 1.01);
}
END_TEST

START_TEST(a_flow_that_does_not_use_its_window_counts_with_what_is_in_flight)
{
    setup_flows(2);
    set_flow(1, 100, 100000);
    flow[1].in_flight = 30 * MSS;
    set_flow(0, 10, 100000);
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), expected_beside(100), 1.01);
    set_flow(0, 10, 100000);
    ack(1, MSS, false);
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), expected_beside(30), 1.01);
}
END_TEST

START_TEST(a_flow_with_nothing_in_flight_does_not_count)
{
    setup_flows(2);
    set_flow(0, 10, 100000);
    flow[1].in_flight = 0;
    ck_assert_double_eq_tol((double)ack(0, 10 * MSS, true), MSS, 1.01);
}
END_TEST

START_TEST(a_window_that_is_not_used_does_not_grow)
{
    setup_flows(2);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(ack(0, 50 * MSS, false), 0);
}
END_TEST

START_TEST(slow_start_is_not_coupled)
{
    setup_flows(4);
    flow[0].ssthresh = CC_SSTHRESH_INFINITE;
    ck_assert_uint_eq(ack(0, 100 * MSS, true), 100 * MSS);
    flow[0].cwnd = 100 * MSS;
    flow[0].ssthresh = 150 * MSS;
    uint64_t grown = ack(0, 100 * MSS, true);
    ck_assert_uint_gt(grown, 50 * MSS);
    ck_assert_uint_lt(grown, 51 * MSS);
}
END_TEST

/* Where an ACK is worth less than a byte, the parts add up instead of being rounded. */
START_TEST(parts_of_a_byte_are_not_lost)
{
    uint64_t grown = 0;
    setup_flows(2);
    set_flow(0, 50000, 100000);
    set_flow(1, 50000, 100000);
    for (int i = 0; i < 50000; i++)
        grown += ack(0, MSS, true);
    ck_assert_double_eq_tol((double)grown, MSS / 4.0, 2);
}
END_TEST

START_TEST(a_loss_halves_and_undo_puts_back)
{
    struct cc_loss l = {.in_flight = 90 * MSS};
    setup_flows(2);
    cc_lia.on_loss(&flow[0], &l);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
    flow[0].cwnd = flow[0].ssthresh;
    cc_lia.on_recovered(&flow[0], 0);
    cc_lia.on_undo(&flow[0], 0);
    ck_assert_uint_eq(flow[0].cwnd, 100 * MSS);
    ck_assert_uint_eq(flow[0].ssthresh, 2 * MSS);
    flow[0].cwnd = 3 * MSS;
    cc_lia.on_loss(&flow[0], &l);
    ck_assert_uint_eq(flow[0].ssthresh, 2 * MSS);
}
END_TEST

START_TEST(repeated_timeouts_of_the_same_data_keep_ssthresh)
{
    struct cc_loss l = {.in_flight = 100 * MSS, .timeout = true};
    setup_flows(2);
    cc_lia.on_loss(&flow[0], &l);
    flow[0].cwnd = MSS;
    cc_lia.on_loss(&flow[0], &l);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
}
END_TEST

START_TEST(list_names_each_algorithm_once)
{
    ck_assert_str_eq(cc_algorithms[0]->name, "cubic");
    ck_assert_str_eq(cc_algorithms[1]->name, "lia");
    ck_assert_ptr_null(cc_algorithms[2]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lia");
    TCase *t = tcase_create("rfc6356");
    tcase_add_loop_test(t, increase_is_formula_1_with_the_alpha_of_formula_2, 0, 5);
    tcase_add_test(t, increase_of_a_worked_example);
    tcase_add_test(t, a_single_path_grows_like_reno);
    tcase_add_test(t, equal_flows_share_the_increase);
    tcase_add_loop_test(t, flows_over_one_bottleneck_take_as_much_as_one, 1, 6);
    tcase_add_test(t, no_flow_ever_grows_faster_than_reno);
    tcase_add_test(t, flows_that_are_not_usable_or_have_no_rtt_do_not_count);
    tcase_add_test(t, a_flow_in_fast_recovery_counts_with_ssthresh);
    tcase_add_test(t, a_flow_after_a_timeout_counts_with_its_small_window);
    tcase_add_test(t, a_flow_that_does_not_use_its_window_counts_with_what_is_in_flight);
    tcase_add_test(t, a_flow_with_nothing_in_flight_does_not_count);
    tcase_add_test(t, a_window_that_is_not_used_does_not_grow);
    tcase_add_test(t, slow_start_is_not_coupled);
    tcase_add_test(t, parts_of_a_byte_are_not_lost);
    tcase_add_test(t, a_loss_halves_and_undo_puts_back);
    tcase_add_test(t, repeated_timeouts_of_the_same_data_keep_ssthresh);
    tcase_add_test(t, list_names_each_algorithm_once);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
