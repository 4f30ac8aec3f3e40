/* A scheduler and what it sees, for the tests of schedulers. */
#ifndef BRAID_TESTS_SCHED_VIEW_H
#define BRAID_TESTS_SCHED_VIEW_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <braid/sched.h>
#include "suite.h"

#define MSS 1400u

static struct sched s;
static uint64_t sched_priv[8];
static struct sched_path path[SCHED_MAX_PATHS];
static uint64_t mark[SCHED_MAX_PATHS];
static struct sched_view view;

/* n usable paths with ids 10, 11, .., room, and round-trip times of 10, 20, .. ms. */
static inline void setup_paths(const struct sched_ops *ops, unsigned n)
{
    ck_assert_uint_le(ops->priv_size, sizeof(sched_priv));
    memset(sched_priv, 0, sizeof(sched_priv));
    s = (struct sched){.ops = ops, .priv = sched_priv};
    if (ops->init)
        ops->init(&s);
    for (unsigned i = 0; i < n; i++) {
        mark[i] = 0;
        path[i] = (struct sched_path){.id = 10 + i,
                                      .usable = true,
                                      .mss = MSS,
                                      .cwnd = 100 * MSS,
                                      .space = 100 * MSS,
                                      .srtt_us = 10000 * (i + 1),
                                      .min_rtt_us = 10000 * (i + 1),
                                      .weight = 1,
                                      .mark = &mark[i]};
    }
    view = (struct sched_view){.now = 1000 * BRAID_SECOND,
                               .paths = path,
                               .n_paths = n,
                               .unsent = 1 << 20,
                               .data_window = 1 << 20,
                               .send_window = 8 << 20};
}

/* The path has no space: its whole cwnd is in flight. */
static inline void fill(int i)
{
    path[i].space = 0;
    path[i].in_flight = path[i].cwnd;
}

static inline void drain(int i)
{
    path[i].space = path[i].cwnd;
    path[i].in_flight = 0;
}

static inline int pick(void)
{
    return s.ops->pick(&s, &view);
}

static inline void sent(int i, uint64_t bytes)
{
    if (s.ops->sent)
        s.ops->sent(&s, &view, i, bytes);
}

static inline int pick_and_send(uint64_t bytes)
{
    int i = pick();
    if (i >= 0)
        sent(i, bytes);
    return i;
}

#endif
