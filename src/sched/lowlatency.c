/* Scheduler lowlatency, for interactive traffic: everything goes over the path on which it arrives soonest,
 * and the others are there for recovery.
 *
 * Soonest is judged by the least round-trip time of late, plus what late segments take beyond it. Of that
 * srtt + rttvar tell, but not all: a peer delays the ACKs of single segments, by 40 ms mostly, so for a
 * stream of small messages a part of both says nothing of the path, and only what a delayed ACK cannot
 * explain counts. That is what a queue that has built up adds, or a radio link that wavers. A path that loses
 * one segment in a hundred, which a user notices, is late as often by two round trips (a tail loss probe, RFC
 * 8985 section 7.2); one that loses fewer counts as the part of that. The path is changed only for one that
 * is a quarter better, as each change lets later bytes overtake earlier ones.
 *
 * A path that this connection leaves idle may be full of what another one sends. What those see who fill a
 * path goes before our own samples (sched_path.busy_rtt_us).
 *
 * A path that goes away while it is in use costs what it takes to notice. One that has done so twice of late
 * is later by that: who comes and goes is left to those who want its rate.
 *
 * A full path is waited for, unless what waits would take longer there than a trip over the path that has
 * room: then the connection carries a bulk transfer, and delay is governed by throughput. Reinjections take
 * the best path that has not carried the bytes. */
#include "sched/candidates.h"

#define ACK_DELAY      (50 * BRAID_MS) /* no mean plus deviation of samples with and without 40 ms is above */
#define AWAY           (100 * BRAID_MS)    /* silent for so long: something has happened to the path */
#define AWAY_COSTS     (200 * BRAID_MS)    /* the least RTO */
#define AWAY_AGAIN     (12 * BRAID_SECOND) /* satellites are handed over every 15 s */
#define AWAY_COUNTS    (30 * BRAID_SECOND)
#define LATE_ONE_IN    100
#define SEGMENTS_FIRST 50 /* counted as sent before, so that an early loss is not taken for a rate */

struct lowlatency {
    uint64_t chosen;           /* 1 + the number of the subflow in use; 0: none yet */
    uint64_t fallen;           /* the last one that fell silent in use, likewise */
    braid_time fell_at;        /* and when */
    uint64_t away;             /* the last one of which that lasted, likewise */
    braid_time unsteady_until; /* or when that one was found away for the first time */
};

/* How much of a repair's time counts: 1 if a segment in a hundred is lost. */
static double repairs(const struct sched_path *p)
{
    double segments = (double)p->bytes_sent / p->mss + SEGMENTS_FIRST;
    double share = LATE_ONE_IN * (double)p->retransmits / segments;
    return share < 1 ? share : 1;
}

/* Of late, without a queue. */
static int64_t least(const struct sched_path *p)
{
    return p->min_rtt_us < p->srtt_us ? p->min_rtt_us : p->srtt_us;
}

/* A round trip as a user notices it, were there nobody else. */
static int64_t lateness_alone(const struct sched_path *p)
{
    if (p->srtt_us == 0)
        return INT64_MAX / 4;
    int64_t beyond = p->srtt_us + p->rttvar_us - least(p) - ACK_DELAY;
    return least(p) + (beyond > 0 ? beyond : 0) + (int64_t)(repairs(p) * 2 * (double)least(p));
}

/* And behind what others have queued. They see it now, while our own samples are from when we last used the
 * path; and where they fill it, what is lost there is lost to a full queue, whoever sends. */
static int64_t lateness_with_all(const struct sched_path *p)
{
    if (p->busy_rtt_us == 0)
        return lateness_alone(p);
    return p->busy_rtt_us > least(p) ? p->busy_rtt_us : least(p);
}

static int64_t lateness(const struct lowlatency *l, const struct sched_view *v, unsigned i)
{
    const struct sched_path *p = &v->paths[i];
    bool unsteady = l->away == (uint64_t)p->id + 1 && v->now < l->unsteady_until;
    return lateness_with_all(p) + (unsteady ? AWAY_COSTS : 0);
}

static int soonest(const struct lowlatency *l, const struct sched_view *v, uint64_t among)
{
    int best = -1;

    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(among >> i & 1))
            continue;
        if (best < 0 || lateness(l, v, i) < lateness(l, v, (unsigned)best))
            best = (int)i;
    }
    return best;
}

static void note_away(struct lowlatency *l, braid_time now)
{
    bool again = l->away == l->fallen && l->fell_at - l->unsteady_until < AWAY_AGAIN;
    l->unsteady_until = again ? now + AWAY_COUNTS : now;
    l->away = l->fallen;
}

/* Delayed ACKs look like silence for a moment, too. */
static void note_silence(struct lowlatency *l, const struct sched_view *v)
{
    for (unsigned i = 0; i < v->n_paths; i++) {
        uint64_t who = (uint64_t)v->paths[i].id + 1;
        if (v->paths[i].usable)
            continue;
        if (l->chosen == who) {
            l->chosen = 0;
            l->fallen = who;
            l->fell_at = v->now;
        } else if (l->fallen == who && v->now - l->fell_at >= AWAY) {
            note_away(l, v->now);
            l->fallen = 0;
        }
    }
}

/* The path in use, or a better one. -1: none is usable. */
static int choose(struct lowlatency *l, const struct sched_view *v)
{
    uint64_t in_play = sched_in_play(v);
    note_silence(l, v);
    int best = soonest(l, v, in_play);

    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        if (!(in_play >> i & 1) || l->chosen != (uint64_t)p->id + 1)
            continue;
        int64_t late = lateness(l, v, i);
        if (late - late / 4 <= lateness(l, v, (unsigned)best))
            return (int)i;
    }
    if (best >= 0)
        l->chosen = (uint64_t)v->paths[best].id + 1;
    return best;
}

/* Whether all that waits would be through the full path before a segment was over the other. */
static bool worth_waiting(const struct lowlatency *l, const struct sched_view *v, int full, int other)
{
    const struct sched_path *p = &v->paths[full];
    if (v->paths[other].srtt_us == 0)
        return true;
    uint64_t rounds_bytes = p->cwnd + v->unsent; /* n * cwnd: see ecf.c */
    return (uint64_t)p->srtt_us * rounds_bytes <= p->cwnd * (uint64_t)lateness(l, v, (unsigned)other);
}

static int lowlatency_pick(struct sched *s, const struct sched_view *v)
{
    struct lowlatency *l = (struct lowlatency *)s->priv;
    uint64_t candidates = sched_candidates(v);

    if (v->tried)
        return soonest(l, v, candidates);
    int best = choose(l, v);
    if (best < 0 || v->paths[best].space > 0)
        return best;
    int other = soonest(l, v, candidates);
    if (other < 0 || (worth_waiting(l, v, best, other) && sched_may_wait(v, best)))
        return -1;
    return other;
}

static const struct braid_field lowlatency_state[] = {
    BRAID_ANY(1, struct lowlatency, chosen),          BRAID_ANY(2, struct lowlatency, fallen),
    BRAID_TIME(3, struct lowlatency, fell_at),        BRAID_ANY(4, struct lowlatency, away),
    BRAID_TIME(5, struct lowlatency, unsteady_until), {0},
};

const struct sched_ops sched_lowlatency = {
    .name = "lowlatency",
    .about = "the path where bytes arrive soonest; the others for recovery, and when that one is swamped",
    .impatient = true,
    .looks_around = true,
    .priv_size = sizeof(struct lowlatency),
    .state = lowlatency_state,
    .pick = lowlatency_pick,
    .sent = sched_waited,
};
