/* The view of siblings, see coupled.h. */
#include "cc/coupled.h"

/* A flow with nothing in flight that had an ACK this recently is about to send. */
static bool is_active(const struct cc *cc, const struct aimd *a, braid_time now)
{
    return cc->in_flight > 0 || (a && a->uses_window && now - a->last_ack <= cc->srtt_us);
}

double coupled_window(const struct cc *cc, const struct cc *sibling, braid_time now)
{
    const struct aimd *a = sibling->ops == cc->ops ? (const struct aimd *)sibling->priv : NULL;
    bool timed_out = a && a->episode.state == EPISODE_TIMEOUT;
    bool uses_window = is_active(sibling, a, now) && (!a || a->uses_window);
    uint64_t window = sibling->in_recovery && !timed_out ? sibling->ssthresh : sibling->cwnd;

    if (!sibling->usable || sibling->srtt_us <= 0)
        return 0;
    return (double)(!uses_window && sibling->in_flight < window ? sibling->in_flight : window);
}

struct coupled_sum coupled_sum(const struct cc *cc, braid_time now)
{
    struct coupled_sum sum = {0};
    const struct cc *i = cc;

    do {
        double window = coupled_window(cc, i, now);
        if (window > 0) {
            double rtt = (double)i->srtt_us, rate = window / rtt;
            sum.n++;
            sum.rate += rate;
            sum.best_rate = rate > sum.best_rate ? rate : sum.best_rate;
            sum.best_gain = rate / rtt > sum.best_gain ? rate / rtt : sum.best_gain;
        }
        i = i->group_next;
    } while (i != cc);
    return sum;
}
