/* The view of siblings, and growing by it, see coupled.h. RFC 6356 section 3 leaves open what the window of a
 * subflow is that does not use it, or is in recovery; whoever does not send now must not hold the others
 * back, and whoever will send again in a moment must not be forgotten. */
#include "cc/coupled.h"

/* A flow with nothing in flight that had an ACK this recently is about to send. */
static bool is_active(const struct cc *cc, const struct aimd *a, braid_time now)
{
    return cc->in_flight > 0 || (a && a->uses_window && now - a->last_ack <= cc->srtt_us);
}

/* Only of a sibling under the same algorithm is the private state known to begin with struct aimd. After a
 * timeout cwnd is what the subflow is down to, and ssthresh would count what it no longer sends. */
double coupled_window(const struct cc *cc, const struct cc *sibling, braid_time now)
{
    const struct aimd *a = sibling->ops == cc->ops ? (const struct aimd *)sibling->priv : NULL;
    bool timed_out = a && a->episode == EPISODE_TIMEOUT;
    bool uses_window = is_active(sibling, a, now) && (!a || a->uses_window);
    /* In recovery cwnd is what the recovery makes of it (PRR), and ssthresh what will be left. */
    bool aims = sibling->in_recovery && !timed_out && sibling->ssthresh != CC_SSTHRESH_INFINITE;
    uint64_t window = aims ? sibling->ssthresh : sibling->cwnd;

    if (!sibling->usable || sibling->srtt_us <= 0)
        return 0;
    return (double)(!uses_window && sibling->in_flight < window ? sibling->in_flight : window);
}

/* Anew at each ACK: a running sum would have to be corrected whenever a sibling comes, goes, or takes another
 * sample, and there are few of them. */
struct coupled_sum coupled_sum(const struct cc *cc, braid_time now)
{
    struct coupled_sum sum = {.own = coupled_window(cc, cc, now)};
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

void coupled_on_ack(struct cc *cc, const struct cc_ack *ack, coupled_gain *gain)
{
    uint64_t acked = aimd_on_ack(cc, ack);

    if (acked == 0)
        return;
    struct coupled_sum sum = coupled_sum(cc, ack->now);
    aimd_change(cc, gain(cc, &sum, 1 / (double)cc->cwnd, ack->now) * cc->mss * (double)acked);
}
