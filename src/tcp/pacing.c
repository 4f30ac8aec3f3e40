/* Pacing of a subflow: see pacing.h. The bucket itself is pacer.c. */
#include "tcp/pacing.h"

#include "tcp/internal.h"

/* When bursts cannot grow further (a super-packet is full), let this much of the schedule leave ahead of
 * time, so that a fast flow does not need a timer per packet: a burst is then about a millisecond of the
 * rate, as it is for slower flows. */
#define PACE_AHEAD (1 * BRAID_MS)

/* Who has a model of the path counts on its rate. */
void tcp_pacing_sent(struct subflow *sf, uint64_t bytes, braid_time now)
{
    pacer_sent(&sf->pacer, bytes, sf->cc.ops->pacing_rate ? 0 : TCP_INITIAL_WINDOW * sf->size.mss, now);
}

/* Twice the rate of the window in slow start, which doubles each round trip, and a fifth more than it
 * afterwards, so that pacing never is what limits the rate (as in Linux). */
void tcp_update_pacing(struct subflow *sf)
{
    const struct cc *cc = &sf->cc;
    uint64_t window = max_u64(cc->cwnd, sf->flight->board.pipe);

    if (cc->srtt_us == 0)
        return;
    if (cc->ops->pacing_rate) {
        pacer_set_rate(&sf->pacer, cc->ops->pacing_rate(cc));
        return;
    }
    uint64_t per_second = window * (uint64_t)BRAID_SECOND / (uint64_t)cc->srtt_us;
    pacer_set_rate(&sf->pacer, cc->cwnd < cc->ssthresh ? per_second * 2 : per_second + per_second / 5);
}

/* The timer is armed once per wait; a later call only compares. */
bool tcp_pacing_admits(struct subflow *sf, braid_time now)
{
    struct pacer *pacer = &sf->pacer;
    bool coarse = pacer_quantum(pacer, sf->size.mss) + sf->size.mss > PACER_BURST_MAX;

    if (sf->due.pace != BRAID_NEVER && now < sf->due.pace)
        return false;
    sf->due.pace = BRAID_NEVER;
    if (pacer_ready(pacer, coarse ? now + PACE_AHEAD : now))
        return true;
    sf->due.pace = pacer->next;
    tcp_deadlines_arm(sf);
    return false;
}
