/* wVegas, the weighted Vegas of Cao, Xu and Fu ("Delay-based Congestion Control for Multipath TCP", 2012):
 * takes the delay of queues for the sign of congestion. Of each subflow about `target` segments wait in the
 * queues of its path; the connection has ten of them, shared out by the subflows' rates, so that rate moves
 * to where it causes least delay. Once per round trip, with its mean RTT, the window changes by one segment
 * towards the target; slow start ends as soon as one segment waits. A loss halves, as in RFC 5681.
 *
 * The base RTT, that of empty queues, is known only from empty queues. As in the paper, a window is cut to
 * half of what the path holds when the queueing delay has doubled. The paper takes the least RTT ever for the
 * base, and starves on a path that has become longer; here it is believed for ten seconds, then measured
 * again with a cut window. Flows that share a queue see each other's cut as a low RTT, and so come to
 * measure at the same time, when the queue is empty indeed. */
#include "cc/coupled.h"

/* total_alpha, initial_alpha and gamma of the authors' implementation for Linux. */
#define TOTAL_TARGET 10.0                /* segments, of all subflows together */
#define TARGET_MIN   2.0                 /* segments, of one */
#define GAMMA        1.0                 /* segments, ends slow start */
#define BASE_WINDOW  (10 * BRAID_SECOND) /* how long a base RTT is believed */
#define PROBE_TIME   (200 * BRAID_MS)    /* least time for measuring it again */

struct wvegas {
    struct aimd aimd; /* first */
    double target;    /* segments to keep in queues */
    int64_t base_rtt_us;
    braid_time base_at;     /* when an RTT was last that low */
    braid_time probe_until; /* 0: the base RTT is not being measured */
    int64_t probe_rtt_us;   /* least sample meanwhile, 0: none */
    int64_t least_queue_us; /* least queueing delay of a round since the last cut, 0: none */
    int64_t rtt_sum_us;     /* of this round */
    uint64_t rtt_n;
    uint64_t round_from; /* cc.delivered at its start */
};

static struct wvegas *state(struct cc *cc)
{
    return (struct wvegas *)cc->priv;
}

static void wvegas_init(struct cc *cc, braid_time now)
{
    *state(cc) = (struct wvegas){.target = TARGET_MIN, .base_at = now, .round_from = cc->delivered};
}

/* A sample as low as the base confirms it: the ten seconds begin again. */
static void take_sample(struct wvegas *v, int64_t rtt_us, braid_time now)
{
    if (rtt_us <= 0)
        return;
    v->rtt_sum_us += rtt_us;
    v->rtt_n++;
    if (v->base_rtt_us == 0 || rtt_us <= v->base_rtt_us) {
        v->base_rtt_us = rtt_us;
        v->base_at = now;
    }
    if (v->probe_rtt_us == 0 || rtt_us < v->probe_rtt_us)
        v->probe_rtt_us = rtt_us;
}

/* What the path holds without a queue, from the window and the RTT that belongs to it; no more than a window
 * can be. */
static double pipe_of(const struct cc *cc, int64_t base_rtt_us, double rtt_us)
{
    double pipe = (double)cc->cwnd * (double)base_rtt_us / rtt_us;

    return pipe < (double)CC_CWND_MAX ? pipe : (double)CC_CWND_MAX;
}

/* Two segments at least, as in aimd_change. */
static void set_window(struct cc *cc, double bytes)
{
    uint64_t least = 2 * (uint64_t)cc->mss, window = (uint64_t)bytes;

    cc->cwnd = window > least ? window : least;
}

/* The queues are to run empty; slow start then brings the window back. A flow that does not use its window
 * has no queue of its own. */
static void begin_probe(struct cc *cc, const struct cc_ack *ack)
{
    struct wvegas *v = state(cc);
    int64_t two_rounds = 2 * cc->srtt_us;

    v->probe_until = ack->now + (two_rounds > PROBE_TIME ? two_rounds : PROBE_TIME);
    v->probe_rtt_us = 0;
    if (ack->cwnd_limited && cc->srtt_us > v->base_rtt_us)
        set_window(cc, pipe_of(cc, v->base_rtt_us, (double)cc->srtt_us) / 2);
}

/* Whatever was the least meanwhile is the base now, higher or lower than before. Slow start brings the window
 * back, until a segment waits (leave_slow_start). */
static void end_probe(struct cc *cc, braid_time now)
{
    struct wvegas *v = state(cc);

    v->base_rtt_us = v->probe_rtt_us;
    v->base_at = now;
    v->probe_until = 0;
    v->least_queue_us = 0;
    cc->ssthresh = CC_SSTHRESH_INFINITE;
}

/* The share of the target that a subflow's share of the rate gives it. */
static double weighted_target(const struct cc *cc, braid_time now)
{
    double window = coupled_window(cc, cc, now);

    if (window == 0)
        return TOTAL_TARGET;
    double target = TOTAL_TARGET * window / (double)cc->srtt_us / coupled_sum(cc, now).rate;
    return target > TARGET_MIN ? target : TARGET_MIN;
}

/* The queueing delay has doubled: others have come, or what is taken for empty is not. */
static void drain_if_doubled(struct cc *cc, struct wvegas *v, double rtt_us)
{
    int64_t queue_us = (int64_t)rtt_us - v->base_rtt_us;

    if (v->least_queue_us == 0 || queue_us < v->least_queue_us)
        v->least_queue_us = queue_us;
    if (queue_us < 2 * v->least_queue_us)
        return;
    double pipe = pipe_of(cc, v->base_rtt_us, rtt_us);
    set_window(cc, pipe / 2);
    cc->ssthresh = (uint64_t)pipe > cc->cwnd ? (uint64_t)pipe : cc->cwnd;
    v->least_queue_us = 0;
}

/* The RTT of a round is that of the window of the round before. Meanwhile slow start has doubled it, but what
 * was delivered is that window. */
static void leave_slow_start(struct cc *cc, const struct wvegas *v, double rtt_us)
{
    double window = (double)(cc->delivered - v->round_from), pipe = window * (double)v->base_rtt_us / rtt_us;

    if (window - pipe <= GAMMA * cc->mss)
        return;
    if (pipe + cc->mss < (double)cc->cwnd)
        set_window(cc, pipe + cc->mss);
    cc->ssthresh = cc->cwnd;
}

/* The target is weighed anew only when it has been reached, as in the paper: a subflow that has not yet
 * filled its part does not give it up. */
static void avoid_congestion(struct cc *cc, struct wvegas *v, double rtt_us, braid_time now)
{
    double waiting = ((double)cc->cwnd - pipe_of(cc, v->base_rtt_us, rtt_us)) / cc->mss;

    if (waiting >= v->target)
        v->target = weighted_target(cc, now);
    if (waiting < v->target)
        aimd_change(cc, cc->mss);
    else if (waiting > v->target)
        aimd_change(cc, -(double)cc->mss);
    if (waiting > v->target)
        drain_if_doubled(cc, v, rtt_us);
}

/* Once per round trip. The mean of its samples is what Vegas compares: single ones jump with delayed ACKs. A
 * round that did not use the window, or measured the base, says nothing about it. */
static void end_round(struct cc *cc, const struct cc_ack *ack)
{
    struct wvegas *v = state(cc);
    double rtt_us = v->rtt_n > 0 ? (double)v->rtt_sum_us / (double)v->rtt_n : 0;

    if (rtt_us > 0 && ack->cwnd_limited && v->probe_until == 0) {
        if (cc->cwnd < cc->ssthresh)
            leave_slow_start(cc, v, rtt_us);
        else
            avoid_congestion(cc, v, rtt_us, ack->now);
    }
    v->rtt_sum_us = 0;
    v->rtt_n = 0;
    v->round_from = cc->delivered;
}

/* While the base is measured the window stays cut. A probe without any sample goes on, since a base of 0
 * would take the whole round trip for queueing. What aimd_on_ack leaves over from slow start is not used: in
 * congestion avoidance the window moves in end_round. */
static void wvegas_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct wvegas *v = state(cc);

    take_sample(v, ack->rtt_us, ack->now);
    if (v->probe_until > 0 && ack->now >= v->probe_until && v->probe_rtt_us > 0)
        end_probe(cc, ack->now);
    else if (v->probe_until == 0 && v->base_rtt_us > 0 && ack->now - v->base_at > BASE_WINDOW)
        begin_probe(cc, ack);
    if (v->probe_until > 0)
        aimd_note_ack(cc, ack);
    else
        aimd_on_ack(cc, ack);
    if (ack->round_start)
        end_round(cc, ack);
}

static const struct braid_field wvegas_state[] = {AIMD_FIELDS(struct wvegas, aimd.),
                                                  BRAID_REAL(10, struct wvegas, target, BRAID_MUCH),
                                                  BRAID_NUMBER(11, struct wvegas, base_rtt_us, INT32_MAX),
                                                  BRAID_TIME(12, struct wvegas, base_at),
                                                  BRAID_TIME(13, struct wvegas, probe_until),
                                                  BRAID_NUMBER(14, struct wvegas, probe_rtt_us, INT32_MAX),
                                                  BRAID_TIME(15, struct wvegas, least_queue_us),
                                                  BRAID_NUMBER(16, struct wvegas, rtt_sum_us, BRAID_MUCH),
                                                  BRAID_ANY(17, struct wvegas, rtt_n),
                                                  BRAID_ANY(18, struct wvegas, round_from),
                                                  {0}};

const struct cc_ops cc_wvegas = {
    .name = "wvegas",
    .about = "weighted Vegas: coupled, keeps queues short; yields to flows that fill them",
    .priv_size = sizeof(struct wvegas),
    .saved_size = sizeof(struct before_episode),
    .state = wvegas_state,
    .saved_state = before_episode_state,
    .init = wvegas_init,
    .on_ack = wvegas_on_ack,
    .on_loss = aimd_on_loss,
    .on_undo = aimd_on_undo,
    .on_recovered = aimd_on_recovered,
    .on_penalty = aimd_on_penalty,
};
