/* LIA, the Linked Increases algorithm of RFC 6356: in congestion avoidance all subflows of a connection
 * together take about what one TCP would take on the best path. Slow start and decrease are those of RFC
 * 5681. */
#include "cc/window.h"

struct lia {
    struct episode episode;
    double fraction;      /* of a byte, to be added to cwnd; instead of the RFC's rounding up of 0 to 1 */
    uint64_t uses_window; /* bool: at the last ACK, data was waiting for cwnd */
};
_Static_assert(sizeof(struct lia) <= sizeof(((struct cc *)0)->priv), "private state fits");

const struct cc_ops cc_lia;

static struct lia *state(struct cc *cc)
{
    return (struct lia *)cc->priv;
}

/* NULL for a sibling under another algorithm. */
static const struct lia *sibling_state(const struct cc *cc)
{
    return cc->ops == &cc_lia ? (const struct lia *)cc->priv : NULL;
}

/* cwnd_i as section 3 wants it in the sums: in fast recovery what it will be afterwards, and not more than
 * the application uses. After a timeout cwnd is as small as the flow is. */
static double effective_window(const struct cc *cc)
{
    const struct lia *l = sibling_state(cc);
    bool timed_out = l && l->episode.state == EPISODE_TIMEOUT;
    bool idle = cc->in_flight == 0 || (l && !l->uses_window);
    uint64_t window = cc->in_recovery && !timed_out ? cc->ssthresh : cc->cwnd;

    return (double)(idle && cc->in_flight < window ? cc->in_flight : window);
}

/* alpha / cwnd_total, formula (2): cwnd_total cancels out. 0: no subflow has a round-trip time. */
static double coupled_gain(const struct cc *cc)
{
    const struct cc *i = cc;
    double best = 0, rate = 0;

    do {
        if (i->usable && i->srtt_us > 0) {
            double rtt = (double)i->srtt_us, window = effective_window(i);
            double candidate = window / (rtt * rtt);
            best = candidate > best ? candidate : best;
            rate += window / rtt;
        }
        i = i->group_next;
    } while (i != cc);
    return rate > 0 ? best / (rate * rate) : 0;
}

static void lia_init(struct cc *cc, braid_time now)
{
    (void)now;
    *state(cc) = (struct lia){0};
}

static void lia_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct lia *l = state(cc);

    episode_end(&l->episode);
    l->uses_window = ack->cwnd_limited;
    if (!ack->cwnd_limited)
        return;
    uint64_t acked = cc_slow_start(cc, ack->acked);
    if (acked == 0)
        return;
    double gain = coupled_gain(cc), reno = 1 / (double)cc->cwnd;
    if (gain == 0 || gain > reno)
        gain = reno;
    cc_grow(cc, gain * cc->mss * (double)acked, &l->fraction);
}

static void lia_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    uint64_t window = episode_begin(&state(cc)->episode, cc, loss);

    if (window > 0)
        cc_set_ssthresh(cc, window, 0.5);
}

static void lia_on_undo(struct cc *cc, braid_time now)
{
    (void)now;
    episode_undo(&state(cc)->episode, cc);
}

static void lia_on_recovered(struct cc *cc, braid_time now)
{
    (void)now;
    episode_end(&state(cc)->episode);
}

const struct cc_ops cc_lia = {
    .name = "lia",
    .about = "Linked Increases (RFC 6356): all subflows together take what one TCP would on the best path",
    .init = lia_init,
    .on_ack = lia_on_ack,
    .on_loss = lia_on_loss,
    .on_undo = lia_on_undo,
    .on_recovered = lia_on_recovered,
};
