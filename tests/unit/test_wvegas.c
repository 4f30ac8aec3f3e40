/* wVegas over paths that are a rate, a delay and a queue: where it settles, and what it does about changes.
 */
#include "cc_flows.h"

extern const struct cc_ops cc_wvegas;
#define CC    (&cc_wvegas)
#define PATHS 4

/* A path, and what others have in its queue. */
struct path {
    double rate; /* segments per second */
    double base; /* seconds without a queue */
    double others;
};

static struct path path[PATHS];
static unsigned path_of[FLOWS];
static double next_at[FLOWS]; /* when flow i has the next window acknowledged, seconds */

static double window_of(unsigned i)
{
    return (double)flow[i].cwnd / MSS;
}

/* Segments in the queue of path p beside those of others. */
static double backlog(unsigned n, unsigned p)
{
    double sum = -path[p].rate * path[p].base;

    for (unsigned i = 0; i < n; i++)
        sum += path_of[i] == p ? window_of(i) : 0;
    return sum > 0 ? sum : 0;
}

static double rtt_of(unsigned n, unsigned i)
{
    const struct path *p = &path[path_of[i]];

    return p->base + (backlog(n, path_of[i]) + p->others) / p->rate;
}

/* A window is acknowledged in ten pieces. */
static void round_trip(unsigned n, unsigned i)
{
    double rtt = rtt_of(n, i);
    uint64_t left = flow[i].cwnd;

    flow[i].in_flight = flow[i].cwnd;
    flow[i].srtt_us = (int64_t)(rtt * 1e6);
    for (unsigned k = 0; k < 10; k++) {
        struct cc_ack a = {.now = now, .rtt_us = (int64_t)(rtt * 1e6), .cwnd_limited = true};
        a.acked = k < 9 ? left / 10 : left - 9 * (left / 10);
        a.round_start = k == 0;
        flow[i].delivered += a.acked;
        CC->on_ack(&flow[i], &a);
    }
    next_at[i] += rtt;
}

/* Runs n flows for so many seconds. */
static void run(unsigned n, double seconds)
{
    double end = (double)now / 1e6 + seconds;

    for (;;) {
        unsigned first = 0;
        for (unsigned i = 1; i < n; i++)
            first = next_at[i] < next_at[first] ? i : first;
        if (next_at[first] >= end)
            break;
        now = (braid_time)(next_at[first] * 1e6);
        round_trip(n, first);
    }
    now = (braid_time)(end * 1e6);
}

/* n flows of one connection at the beginning of slow start, flow i on path i. */
static void setup_paths(unsigned n)
{
    setup_flows(CC, n);
    for (unsigned i = 0; i < n; i++) {
        set_flow(i, 2, 0);
        flow[i].ssthresh = CC_SSTHRESH_INFINITE;
        CC->init(&flow[i], 0);
        path_of[i] = i;
        next_at[i] = 0.001 * i;
    }
    for (unsigned p = 0; p < PATHS; p++)
        path[p] = (struct path){.rate = 1000, .base = 0.05};
}

START_TEST(ten_segments_wait_in_the_queue)
{
    static const double rates[] = {400, 1000, 5000}, bases[] = {.005, .05, .2};

    for (unsigned i = 0; i < 9; i++) {
        setup_paths(1);
        path[0] = (struct path){.rate = rates[i % 3], .base = bases[i / 3]};
        run(1, 600);
        /* Not in the middle of a new measurement of the base. */
        for (unsigned k = 0; k < 100 && backlog(1, 0) < 9; k++)
            run(1, .5);
        ck_assert_double_eq_tol(backlog(1, 0), 10, 1.01);
    }
}
END_TEST

/* Least and largest backlog of path p in the next seconds. */
static void watch(unsigned n, unsigned p, double seconds, double *least, double *most)
{
    *least = INFINITY;
    *most = 0;
    for (double t = 0; t < seconds; t += .01) {
        run(n, .01);
        *least = fmin(*least, backlog(n, p));
        *most = fmax(*most, backlog(n, p));
    }
}

/* The ten are shared out by rate, with two at least. */
START_TEST(the_target_follows_the_rates)
{
    double least, most;

    setup_paths(3);
    path[0].rate = 3000;
    path[1].rate = 1000;
    path[2].rate = 100;
    run(3, 55);
    watch(3, 0, 4, &least, &most);
    ck_assert_double_eq_tol((least + most) / 2, 7.3, 1);
    watch(3, 1, 1, &least, &most);
    ck_assert_double_eq_tol((least + most) / 2, 2.4, 1);
    watch(3, 2, 1, &least, &most);
    ck_assert_double_eq_tol((least + most) / 2, 2, 1);
}
END_TEST

/* One flow that is its own connection, beside two of one connection: they share a queue half and half. */
START_TEST(two_subflows_take_as_much_as_one_flow)
{
    double both = 0, one = 0;

    setup_paths(3);
    path_of[0] = path_of[1] = path_of[2] = 0;
    path[0].rate = 2000;
    flow[0].group_next = &flow[1];
    flow[1].group_next = &flow[0];
    flow[2].group_next = &flow[2];
    run(3, 30);
    for (unsigned k = 0; k < 30000; k++) {
        run(3, .01);
        both += window_of(0) + window_of(1);
        one += window_of(2);
    }
    double share = both / (both + one);
    ck_assert_msg(share > 0.4 && share < 0.6, "share %.3f", share);
}
END_TEST

/* Rate moves to the path where less waits: the second is shared with others. */
START_TEST(traffic_leaves_the_congested_path)
{
    setup_paths(2);
    run(2, 25);
    double before = window_of(1) / rtt_of(2, 1);
    path[1].others = 40;
    run(2, 4);
    ck_assert_double_lt(window_of(1) / rtt_of(2, 1), before / 2);
    ck_assert_double_ge(window_of(1), 2);
}
END_TEST

/* Doubling ends at the first sign of a queue: not much more than twice what the path holds is ever sent. */
START_TEST(slow_start_ends_early)
{
    double most = 0;

    setup_paths(1);
    path[0].rate = 20000; /* holds 1000 segments */
    for (unsigned k = 0; k < 200; k++) {
        run(1, .01);
        most = fmax(most, window_of(0));
    }
    ck_assert_double_gt(most, 500);
    ck_assert_double_lt(most, 2100);
    ck_assert_double_le(backlog(1, 0), 10);
    ck_assert_uint_ge(flow[0].cwnd, flow[0].ssthresh);
}
END_TEST

/* A longer route at first looks like a queue; the base RTT is measured again before long. */
START_TEST(a_longer_path_is_recognised)
{
    setup_paths(1);
    run(1, 25);
    path[0].base = 0.2; /* holds 200 segments instead of 50 */
    run(1, 3);
    ck_assert_double_lt(window_of(0), 60);
    run(1, 22); /* ten seconds of belief, two round trips, slow start */
    ck_assert_double_gt(window_of(0), 190);
    ck_assert_double_lt(backlog(1, 0), 11);
}
END_TEST

/* The window that filled the longer one keeps the RTT up, until it is cut for measuring. */
START_TEST(a_shorter_path_is_recognised)
{
    setup_paths(1);
    path[0].base = 0.2;
    run(1, 30);
    path[0].base = 0.05;
    run(1, 18);
    ck_assert_double_eq_tol(backlog(1, 0), 10, 1.5);
}
END_TEST

/* Measuring the base again must not add other flows' queues to it for ever. */
START_TEST(the_base_does_not_drift_up)
{
    double least, most, sum = 0;

    setup_paths(4);
    for (unsigned i = 0; i < 4; i++) {
        path_of[i] = 0;
        flow[i].group_next = &flow[i]; /* connections of their own */
        next_at[i] = 3.7 * i;          /* and at different times */
    }
    path[0].rate = 4000;
    run(4, 600);
    for (unsigned k = 0; k < 60; k++) {
        watch(4, 0, 1, &least, &most);
        sum += most;
    }
    ck_assert_msg(sum / 60 < 60, "%.1f segments wait", sum / 60); /* 40 are meant */
}
END_TEST

/* One window's worth of the present RTT: how the window changed. */
static double one_round(double rtt)
{
    struct cc_ack a = {.now = now, .acked = 1, .rtt_us = (int64_t)(rtt * 1e6), .cwnd_limited = true};
    double before;

    flow[0].srtt_us = a.rtt_us;
    CC->on_ack(&flow[0], &a);
    before = window_of(0);
    a.round_start = true;
    CC->on_ack(&flow[0], &a);
    return window_of(0) - before;
}

/* In congestion avoidance with 100 segments, a base RTT of 100 ms. */
static void setup_settled(void)
{
    setup_flows(CC, 1);
    one_round(.1);
    set_flow(0, 100, 100000);
}

START_TEST(one_segment_per_round_trip_either_way)
{
    setup_settled();
    ck_assert_double_eq_tol(one_round(.105), 1, .002);  /* 100 * 5/105 = 4.8 wait */
    ck_assert_double_eq_tol(one_round(.109), 1, .002);  /* 101 * 9/109 = 8.3 */
    ck_assert_double_eq_tol(one_round(.112), -1, .002); /* 102 * 12/112 = 10.9 */
    ck_assert_double_eq_tol(one_round(.111), -1, .002); /* 101 * 11/111 = 10.01 */
    ck_assert_double_eq_tol(one_round(.100), 1, .002);
}
END_TEST

/* Half of what the path holds: 102 * 100/125 / 2. */
START_TEST(a_doubled_queueing_delay_cuts_the_window)
{
    setup_settled();
    one_round(.112);
    one_round(.112);
    set_flow(0, 102, 125000);
    one_round(.125);
    ck_assert_double_eq_tol(window_of(0), 101 * .8 / 2, .02);
    /* Slow start then leads to what the path holds. */
    ck_assert_double_eq_tol((double)flow[0].ssthresh / MSS, 101 * .8, .02);
}
END_TEST

/* A queueing delay near nothing can double by chance: only more than the target is a reason to cut. */
START_TEST(noise_does_not_cut_the_window)
{
    setup_settled();
    one_round(.1001);
    for (unsigned k = 0; k < 50; k++)
        ck_assert_double_eq_tol(one_round(.1004), 1, .002);
}
END_TEST

START_TEST(a_window_that_is_not_used_does_not_change)
{
    setup_settled();
    for (unsigned k = 0; k < 400; k++) {
        struct cc_ack a = {.now = now, .acked = MSS, .rtt_us = k % 2 ? 100000 : 300000, .round_start = true};
        now += 100000;
        CC->on_ack(&flow[0], &a);
        ck_assert_uint_eq(flow[0].cwnd, 100 * MSS);
    }
}
END_TEST

/* However much waits, and whoever it is from, two segments stay. */
START_TEST(two_segments_stay_in_a_long_queue)
{
    setup_settled();
    for (unsigned k = 0; k < 300; k++) {
        now += 10000;
        one_round(3);
        ck_assert_uint_ge(flow[0].cwnd, 2 * MSS);
    }
    ck_assert_double_le(window_of(0), 11);
}
END_TEST

/* Whatever RTTs a peer pretends, windows stay within bounds. */
START_TEST(any_rtts_are_survived)
{
    uint64_t x = 88172645463325252u;

    for (unsigned k = 0; k < 40000; k++) {
        if (k % 500 == 0)
            set_any_flows(CC, 1 + k / 500 % FLOWS, &x);
        struct cc_ack a = {.now = now, .acked = 1 + next_random(&x) % flow[0].cwnd};
        now += (braid_time)(next_random(&x) % (BRAID_SECOND / 2));
        a.rtt_us = 1 + (int64_t)(next_random(&x) % (UINT64_C(1) << next_random(&x) % 26));
        a.cwnd_limited = next_random(&x) % 4 != 0;
        a.round_start = next_random(&x) % 4 == 0;
        CC->on_ack(&flow[0], &a);
        ck_assert_uint_ge(flow[0].cwnd, 2 * MSS);
        ck_assert_uint_le(flow[0].cwnd, UINT64_C(1) << 40);
        if (next_random(&x) % 64 == 0)
            lose(0);
    }
}
END_TEST

CC_TESTS

int main(void)
{
    Suite *s = suite_create("wvegas");
    TCase *t = tcase_create("wvegas");

    tcase_add_test(t, ten_segments_wait_in_the_queue);
    tcase_add_test(t, the_target_follows_the_rates);
    tcase_add_test(t, two_subflows_take_as_much_as_one_flow);
    tcase_add_test(t, traffic_leaves_the_congested_path);
    tcase_add_test(t, slow_start_ends_early);
    tcase_add_test(t, a_longer_path_is_recognised);
    tcase_add_test(t, a_shorter_path_is_recognised);
    tcase_add_test(t, the_base_does_not_drift_up);
    tcase_add_test(t, one_segment_per_round_trip_either_way);
    tcase_add_test(t, a_doubled_queueing_delay_cuts_the_window);
    tcase_add_test(t, noise_does_not_cut_the_window);
    tcase_add_test(t, a_window_that_is_not_used_does_not_change);
    tcase_add_test(t, two_segments_stay_in_a_long_queue);
    tcase_add_test(t, any_rtts_are_survived);
    add_cc_tests(t);
    tcase_set_timeout(t, SECONDS_OF_REAL_TIME);
    suite_add_tcase(s, t);
    return run_suite(s);
}
