/* Scheduler ecf, after Lim, Nahum, Towsley, Gibbens: "ECF: An MPTCP path scheduler to manage heterogeneous
 * paths", CoNEXT 2017: earliest completion first.
 *
 * When the fast path F is full and the slow path S has room, what is waiting, k bytes, could go over F alone
 * in n = 1 + k / cwnd_F of its round trips. If that ends before a single round trip of S,
 *     n * RTT_F < (1 + waiting * beta) * (RTT_S + delta),           delta = max(rttvar_F, rttvar_S)
 * and S would not be done with it while F gets room again, which takes about two round trips,
 *     k / cwnd_S * RTT_S >= 2 * RTT_F + delta,
 * then using S makes the end later: wait for F. Otherwise, with more to send than F can take in that time,
 * both are used. beta = 1/4 is a hysteresis: whoever has begun to wait does not stop for a small change.
 *
 * Pitfalls: cwnd and k must have the same unit, bytes here. A k below one cwnd still takes a round trip, so
 * it counts as cwnd at least. RTT_F includes the queue of F, so a bloated F has to be compared as it is now,
 * not at its minimum. The flag must fall when the first condition does, or it would keep the bonus for ever.
 * A path that turns silent while it is waited for is given up before its timeout (sched_may_wait). */
#include "sched/candidates.h"

#define BETA_DIVISOR 4 /* 1 / beta */

struct ecf {
    uint64_t waiting; /* 0 or 1 */
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Both conditions, multiplied out: no division, and no product beyond 64 bits, as bytes are below 2^34, and
 * microseconds below 2^27, the longest retransmission timeout. */
static bool fast_is_earlier(struct ecf *e, const struct sched_view *v, const struct sched_path *fast,
                            const struct sched_path *slow)
{
    uint64_t rtt_f = (uint64_t)fast->srtt_us, rtt_s = (uint64_t)slow->srtt_us;
    uint64_t delta = larger((uint64_t)fast->rttvar_us, (uint64_t)slow->rttvar_us);
    uint64_t over_fast = rtt_f * (larger(v->unsent, fast->cwnd) + fast->cwnd);
    uint64_t once_slow = fast->cwnd * (rtt_s + delta);

    if (over_fast >= once_slow + e->waiting * (once_slow / BETA_DIVISOR)) {
        e->waiting = 0;
        return false;
    }
    return rtt_s * larger(v->unsent, slow->cwnd) >= slow->cwnd * (2 * rtt_f + delta);
}

static int ecf_pick(struct sched *s, const struct sched_view *v)
{
    struct ecf *e = (struct ecf *)s->priv;
    int with_space = sched_lowest_rtt(v, sched_candidates(v)), fast = sched_lowest_rtt(v, sched_in_play(v));

    if (with_space < 0 || with_space == fast || v->tried || v->paths[with_space].srtt_us == 0)
        return with_space;
    if (!fast_is_earlier(e, v, &v->paths[fast], &v->paths[with_space]) || !sched_may_wait(v, fast))
        return with_space;
    e->waiting = 1;
    return -1;
}

static const struct braid_field ecf_state[] = {BRAID_NUMBER(1, struct ecf, waiting, 1), {0}};

const struct sched_ops sched_ecf = {
    .name = "ecf",
    .about = "minrtt, but waits for the fast path when that ends the transfer earlier (ECF)",
    .priv_size = sizeof(struct ecf),
    .state = ecf_state,
    .pick = ecf_pick,
    .sent = sched_waited,
};
