/* One flow under CUBIC, or under an algorithm that is built on it, in virtual time. */
#ifndef BRAID_TESTS_CUBIC_FLOW_H
#define BRAID_TESTS_CUBIC_FLOW_H

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <braid/cc.h>
#include "suite.h"

#define MSS  1000u
#define C    0.4
#define BETA 0.7

extern const struct cc_ops cc_cubic;

/* One flow on a path without a bottleneck of its own: the test decides on RTT and loss. */
struct flow {
    struct cc cc;
    uint64_t priv[32], saved[32]; /* the private state of the algorithm */
    braid_time now;
    double at; /* now, without the rounding */
};

static inline void flow_init_with(struct flow *f, const struct cc_ops *ops, double segments, int64_t rtt_us)
{
    *f = (struct flow){0};
    ck_assert_uint_le(ops->priv_size, sizeof(f->priv));
    ck_assert_uint_le(ops->saved_size, sizeof(f->saved));
    f->cc = (struct cc){.ops = ops,
                        .priv = f->priv,
                        .saved = f->saved,
                        .mss = MSS,
                        .usable = true,
                        .srtt_us = rtt_us,
                        .min_rtt_us = rtt_us,
                        .cwnd = (uint64_t)(segments * MSS),
                        .ssthresh = CC_SSTHRESH_INFINITE};
    f->cc.group_next = &f->cc;
    ops->init(&f->cc, 0);
}

static inline void flow_init(struct flow *f, double segments, int64_t rtt_us)
{
    flow_init_with(f, &cc_cubic, segments, rtt_us);
}

static inline double segments(const struct flow *f)
{
    return (double)f->cc.cwnd / MSS;
}

/* With so many bytes in flight. */
static inline void ack_of(struct flow *f, uint64_t in_flight, uint64_t bytes, bool limited, bool round_start)
{
    struct cc_ack a = {.now = f->now,
                       .acked = bytes,
                       .prior_in_flight = in_flight,
                       .rtt_us = f->cc.srtt_us,
                       .cwnd_limited = limited,
                       .round_start = round_start};
    f->cc.ops->on_ack(&f->cc, &a);
}

static inline void ack(struct flow *f, uint64_t bytes, bool limited, bool round_start)
{
    ack_of(f, f->cc.cwnd, bytes, limited, round_start);
}

/* Lets the time pass that bytes take at one window per RTT, and acknowledges them. */
static inline void deliver(struct flow *f, uint64_t bytes)
{
    f->at += (double)bytes / (double)f->cc.cwnd * (double)f->cc.srtt_us;
    f->now = (braid_time)f->at;
    ack(f, bytes, true, false);
}

static inline void run_until(struct flow *f, braid_time end)
{
    while (f->now < end)
        deliver(f, f->cc.cwnd / 50 > MSS ? f->cc.cwnd / 50 : MSS);
}

static inline void loss(struct flow *f, bool timeout)
{
    struct cc_loss l = {.now = f->now, .in_flight = f->cc.cwnd, .timeout = timeout};
    f->cc.ops->on_loss(&f->cc, &l);
}

/* A loss, and a recovery that takes no time. */
static inline void lose(struct flow *f)
{
    loss(f, false);
    f->cc.cwnd = f->cc.ssthresh;
    f->cc.ops->on_recovered(&f->cc, f->now);
}

#endif
