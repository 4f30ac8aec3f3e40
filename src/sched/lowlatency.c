/* Scheduler lowlatency, for interactive traffic: everything goes over the path on which it arrives soonest,
 * and the others are there for recovery.
 *
 * Soonest is judged by srtt + 4 * rttvar, the time that almost every segment stays below (RFC 6298 sets its
 * timeout there): one delay in a hundred is what a user notices, and a path with a low mean and a wide spread
 * is worse for that than a steady one. The path is changed only for one that is a quarter better, as each
 * change lets later bytes overtake earlier ones.
 *
 * A full path is waited for, unless what waits would take longer there than a trip over the path that has
 * room: then the connection carries a bulk transfer, and delay is governed by throughput. Reinjections take
 * the best path that has not carried the bytes. */
#include "sched/candidates.h"

struct lowlatency {
    uint64_t chosen; /* 1 + the number of the subflow in use; 0: none yet */
};
_Static_assert(sizeof(struct lowlatency) <= sizeof(((struct sched *)0)->priv), "private state fits");

static int64_t delay_bound(const struct sched_path *p)
{
    return p->srtt_us > 0 ? p->srtt_us + 4 * p->rttvar_us : INT64_MAX / 4;
}

static int soonest(const struct sched_view *v, uint64_t among)
{
    int best = -1;

    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(among >> i & 1))
            continue;
        if (best < 0 || delay_bound(&v->paths[i]) < delay_bound(&v->paths[best]))
            best = (int)i;
    }
    return best;
}

/* The path in use, or a better one. -1: none is usable. */
static int choose(struct lowlatency *l, const struct sched_view *v)
{
    uint64_t in_play = sched_in_play(v);
    int best = soonest(v, in_play);

    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        if (!(in_play >> i & 1) || l->chosen != (uint64_t)p->id + 1)
            continue;
        if (delay_bound(p) - delay_bound(p) / 4 <= delay_bound(&v->paths[best]))
            return (int)i;
    }
    if (best >= 0)
        l->chosen = (uint64_t)v->paths[best].id + 1;
    return best;
}

/* Whether all that waits would be through the full path before a segment was over the other. */
static bool worth_waiting(const struct sched_view *v, int full, int other)
{
    const struct sched_path *p = &v->paths[full];
    if (v->paths[other].srtt_us == 0)
        return true;
    uint64_t rounds_bytes = p->cwnd + v->unsent; /* n * cwnd: see ecf.c */
    return (uint64_t)p->srtt_us * rounds_bytes <= p->cwnd * (uint64_t)delay_bound(&v->paths[other]);
}

static int lowlatency_pick(struct sched *s, const struct sched_view *v)
{
    uint64_t candidates = sched_candidates(v);

    if (v->tried)
        return soonest(v, candidates);
    int best = choose((struct lowlatency *)s->priv, v);
    if (best < 0 || v->paths[best].space > 0)
        return best;
    int other = soonest(v, candidates);
    if (other < 0 || (worth_waiting(v, best, other) && sched_may_wait(v, best)))
        return -1;
    return other;
}

const struct sched_ops sched_lowlatency = {
    .name = "lowlatency",
    .about = "the path where bytes arrive soonest; the others for recovery, and when that one is swamped",
    .pick = lowlatency_pick,
    .sent = sched_waited,
};
