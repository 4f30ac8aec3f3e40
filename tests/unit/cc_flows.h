/* A connection's subflows as an algorithm of congestion control sees them, for tests of its arithmetic. */
#ifndef BRAID_TESTS_CC_FLOWS_H
#define BRAID_TESTS_CC_FLOWS_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <braid/cc.h>
#include "suite.h"

#define MSS          1000u
#define FLOWS        8
#define CC_TEST_PRIV 32 /* words of private state, enough for each algorithm */

static struct cc flow[FLOWS];
static uint64_t flow_priv[FLOWS][CC_TEST_PRIV], flow_saved[FLOWS][CC_TEST_PRIV];
static braid_time now;

static inline void set_flow(unsigned i, double segments, int64_t rtt_us)
{
    flow[i].cwnd = flow[i].in_flight = (uint64_t)(segments * MSS);
    flow[i].srtt_us = rtt_us;
}

/* Acknowledges bytes on flow i; returns by how much its window changed. */
static inline int64_t ack(unsigned i, uint64_t bytes, bool limited)
{
    struct cc_ack a = {.now = now, .acked = bytes, .prior_in_flight = flow[i].in_flight};
    uint64_t before = flow[i].cwnd;

    a.cwnd_limited = limited;
    flow[i].delivered += bytes;
    flow[i].ops->on_ack(&flow[i], &a);
    return (int64_t)(flow[i].cwnd - before);
}

/* A whole window. */
static inline int64_t ack_window(unsigned i)
{
    return ack(i, flow[i].cwnd, true);
}

/* n flows in congestion avoidance that use their windows of 100 segments, RTT 100 ms. */
static inline void setup_flows(const struct cc_ops *ops, unsigned n)
{
    now = 0;
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_le(ops->priv_size, sizeof(flow_priv[i]));
        ck_assert_uint_le(ops->saved_size, sizeof(flow_saved[i]));
        memset(flow_priv[i], 0, sizeof(flow_priv[i]));
        memset(flow_saved[i], 0, sizeof(flow_saved[i]));
        flow[i] = (struct cc){.ops = ops,
                              .priv = flow_priv[i],
                              .saved = flow_saved[i],
                              .mss = MSS,
                              .usable = true,
                              .min_rtt_us = 100000,
                              .ssthresh = 2 * MSS,
                              .group_next = &flow[(i + 1) % n]};
        set_flow(i, 100, 100000);
        ops->init(&flow[i], now);
    }
    for (unsigned i = 0; i < n; i++)
        ack(i, 0, true);
}

static inline void tell_loss(unsigned i, bool timeout)
{
    struct cc_loss l = {.now = now, .in_flight = flow[i].in_flight, .timeout = timeout};

    flow[i].ops->on_loss(&flow[i], &l);
}

/* A loss, and a recovery that takes no time. */
static inline void lose(unsigned i)
{
    tell_loss(i, false);
    flow[i].cwnd = flow[i].in_flight = flow[i].ssthresh;
    flow[i].ops->on_recovered(&flow[i], now);
}

static inline void undo(unsigned i)
{
    flow[i].ops->on_undo(&flow[i], now);
}

/* Reproducible numbers without a pattern. */
static inline uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13, *x ^= *x >> 7, *x ^= *x << 17;
    return *x;
}

/* Flows in any state: windows of 2 to 100000 segments, RTTs from 1 us to a second. */
static inline void set_any_flows(const struct cc_ops *ops, unsigned n, uint64_t *x)
{
    setup_flows(ops, n);
    for (unsigned i = 0; i < n; i++) {
        set_flow(i, (double)(2 + next_random(x) % 100000), 1 + (int64_t)(next_random(x) % 1000000));
        flow[i].usable = next_random(x) % 4 != 0;
        flow[i].in_recovery = i > 0 && next_random(x) % 16 == 1;
        if (next_random(x) % 2)
            flow[i].in_flight = next_random(x) % flow[i].cwnd;
        if (next_random(x) % 32 == 2)
            flow[i].srtt_us = 0;
    }
}

/* n flows that lose one in `period` segments each: the mean of their total window, in segments. */
static inline double mean_total(const struct cc_ops *ops, unsigned n, double period)
{
    double left[FLOWS], sum = 0;
    const unsigned rounds = 20000;

    setup_flows(ops, n);
    for (unsigned i = 0; i < n; i++) {
        set_flow(i, sqrt(2 * period) / n, 100000);
        left[i] = period * (i + 1) / n;
    }
    for (unsigned r = 0; r < rounds; r++, now += 100000)
        for (unsigned i = 0; i < n; i++) {
            double window = (double)flow[i].cwnd / MSS;

            sum += window;
            ack_window(i);
            left[i] -= window;
            if (left[i] < 0) {
                left[i] += period;
                lose(i);
            }
            flow[i].in_flight = flow[i].cwnd;
        }
    return sum / rounds;
}

/* ---- what holds for each algorithm that halves or more at a loss ------------------------------------- */

static inline void check_unused_window_stays(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(ack(0, 50 * MSS, false), 0);
}

static inline void check_slow_start(const struct cc_ops *ops)
{
    setup_flows(ops, 4);
    flow[0].ssthresh = CC_SSTHRESH_INFINITE;
    ck_assert_int_eq(ack(0, 100 * MSS, true), 100 * MSS);
    flow[0].cwnd = 100 * MSS;
    flow[0].ssthresh = 150 * MSS;
    int64_t grown = ack(0, 100 * MSS, true);
    ck_assert_int_ge(grown, 50 * MSS);
    ck_assert_int_lt(grown, 51 * MSS);
}

static inline void check_loss_and_undo(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    tell_loss(0, false);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
    flow[0].cwnd = flow[0].ssthresh;
    ops->on_recovered(&flow[0], 0);
    undo(0);
    ck_assert_uint_eq(flow[0].cwnd, 100 * MSS);
    ck_assert_uint_eq(flow[0].ssthresh, 2 * MSS);
    undo(0);
    ck_assert_uint_eq(flow[0].cwnd, 100 * MSS);
}

static inline void check_two_segments_stay(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    for (unsigned i = 0; i < 20; i++) {
        lose(0);
        ck_assert_uint_ge(flow[0].ssthresh, 2 * MSS);
        now += 100000;
        ack(0, 1, true);
    }
    ck_assert_uint_eq(flow[0].ssthresh, 2 * MSS);
}

static inline void check_timeouts(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    tell_loss(0, true);
    flow[0].cwnd = MSS;
    tell_loss(0, true);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
    /* The data behind it can be lost again: a new episode. */
    flow[0].cwnd = flow[0].in_flight = 40 * MSS;
    ack(0, 1, true);
    uint64_t window = flow[0].cwnd;
    tell_loss(0, true);
    ck_assert_uint_le(flow[0].ssthresh, window / 2);
    undo(0);
    ck_assert_uint_eq(flow[0].cwnd, window);
}

/* A timeout in fast recovery is a second reduction, but what comes back is from before the first. */
static inline void check_timeout_in_recovery(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    tell_loss(0, false);
    flow[0].in_recovery = true;
    flow[0].cwnd = 30 * MSS; /* PRR's */
    tell_loss(0, true);
    ck_assert_uint_le(flow[0].ssthresh, 25 * MSS);
    flow[0].cwnd = MSS;
    undo(0);
    ck_assert_uint_eq(flow[0].cwnd, 100 * MSS);
    ck_assert_uint_eq(flow[0].ssthresh, 2 * MSS);
}

/* Half as fast, and a loss that is undone later does not know of it. */
static inline void check_penalty(const struct cc_ops *ops)
{
    setup_flows(ops, 2);
    ops->on_penalty(&flow[0], now);
    ck_assert_uint_eq(flow[0].cwnd, 50 * MSS);
    ck_assert_uint_eq(flow[0].ssthresh, 50 * MSS);
    flow[0].ssthresh = CC_SSTHRESH_INFINITE; /* in slow start */
    for (unsigned i = 0; i < 10; i++)
        ops->on_penalty(&flow[0], now);
    ck_assert_uint_eq(flow[0].cwnd, 2 * MSS);
    ck_assert_uint_eq(flow[0].ssthresh, CC_SSTHRESH_INFINITE);
    undo(0);
    ck_assert_uint_eq(flow[0].cwnd, 2 * MSS);
}

/* Windows at the limit, RTTs at the extremes, and losses: everything stays within bounds. */
static inline void check_extremes(const struct cc_ops *ops)
{
    static const uint64_t windows[] = {2 * MSS, UINT64_C(1) << 40};
    static const int64_t rtts[] = {1, 60000000};

    for (unsigned c = 0; c < 16; c++) {
        setup_flows(ops, 2);
        for (unsigned i = 0; i < 2; i++) {
            flow[i].cwnd = flow[i].in_flight = windows[c >> i & 1];
            flow[i].srtt_us = rtts[c >> (2 + i) & 1];
        }
        for (unsigned r = 0; r < 100; r++) {
            ack(r % 2, flow[r % 2].in_flight, true);
            ck_assert_uint_ge(flow[r % 2].cwnd, 2 * MSS);
            ck_assert_uint_le(flow[r % 2].cwnd, UINT64_C(1) << 40);
        }
        lose(0);
        ck_assert_uint_ge(flow[0].cwnd, 2 * MSS);
        ck_assert_uint_le(flow[0].cwnd, UINT64_C(1) << 39);
    }
}

/* RFC 6356, goal 2: n subflows with the same loss rate and RTT take together what one TCP takes, give or take
 * a part. */
static inline void check_one_bottleneck(const struct cc_ops *ops, unsigned n, double part)
{
    double one = mean_total(ops, 1, 1e5), together = mean_total(ops, n, 1e5);

    ck_assert_double_eq_tol(one, sqrt(1.5 * 1e5), 0.03 * one); /* Reno's own formula */
    ck_assert_msg(fabs(together / one - 1) < part, "%u flows: %.1f, one: %.1f", n, together, one);
}

#define CC_TEST(name)                                                                                        \
    START_TEST(name)                                                                                         \
    {                                                                                                        \
        check_##name(CC);                                                                                    \
    }                                                                                                        \
    END_TEST

/* A file that defines CC says CC_TESTS, and in main add_cc_tests(t). */
#define CC_TESTS                                                                                             \
    CC_TEST(unused_window_stays)                                                                             \
    CC_TEST(slow_start)                                                                                      \
    CC_TEST(loss_and_undo)                                                                                   \
    CC_TEST(two_segments_stay)                                                                               \
    CC_TEST(timeouts)                                                                                        \
    CC_TEST(timeout_in_recovery)                                                                             \
    CC_TEST(penalty)                                                                                         \
    CC_TEST(extremes)                                                                                        \
    static void add_cc_tests(TCase *t)                                                                       \
    {                                                                                                        \
        tcase_add_test(t, unused_window_stays);                                                              \
        tcase_add_test(t, slow_start);                                                                       \
        tcase_add_test(t, loss_and_undo);                                                                    \
        tcase_add_test(t, two_segments_stay);                                                                \
        tcase_add_test(t, timeouts);                                                                         \
        tcase_add_test(t, timeout_in_recovery);                                                              \
        tcase_add_test(t, penalty);                                                                          \
        tcase_add_test(t, extremes);                                                                         \
    }

#define SECONDS_OF_REAL_TIME 60 /* for each test, on a busy machine */

#endif
