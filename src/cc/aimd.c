/* Slow start and reaction to loss, see aimd.h. Windows are bytes; what grows by less than a byte is kept in
 * `fraction`. */
#include "cc/aimd.h"

const struct braid_field aimd_state[] = {AIMD_FIELDS(struct aimd, ), {0}};

struct aimd *aimd(struct cc *cc)
{
    return (struct aimd *)cc->priv;
}

void aimd_init(struct cc *cc, braid_time now)
{
    (void)now;
    *aimd(cc) = (struct aimd){0};
}

/* on_ack is not called in recovery, so an ACK here says that the episode is over. After a timeout nothing
 * else does: src/tcp calls on_recovered after fast recovery only. The other two are what siblings ask of this
 * subflow (coupled_window). */
void aimd_note_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct aimd *a = aimd(cc);

    a->episode = EPISODE_OVER;
    a->uses_window = ack->cwnd_limited;
    a->last_ack = ack->now;
}

uint64_t aimd_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    aimd_note_ack(cc, ack);
    if (!ack->cwnd_limited)
        return 0; /* a window that is not used says nothing of the path (RFC 7661 section 4.3) */
    uint64_t acked = cc_slow_start(cc, ack->acked);
    return acked < cc->cwnd ? acked : cc->cwnd; /* one round trip's worth, however much an ACK brings */
}

/* Only OLIA and wVegas ever take bytes away. Of a negative sum the next whole byte below comes off cwnd, and
 * the difference goes into the fraction, which so stays within 0 .. 1. */
void aimd_change(struct cc *cc, double bytes)
{
    uint64_t least = 2 * (uint64_t)cc->mss; /* below that no duplicate ACK tells of a loss */
    double sum = aimd(cc)->fraction + bytes;

    if (sum >= 0) {
        cc_grow(cc, bytes, &aimd(cc)->fraction);
        return;
    }
    uint64_t whole = (uint64_t)-sum + 1;
    aimd(cc)->fraction = sum + (double)whole;
    if (cc->cwnd > least)
        cc->cwnd = cc->cwnd - least > whole ? cc->cwnd - whole : least;
    if (cc->ssthresh > cc->cwnd) /* or slow start would take back what was just given up */
        cc->ssthresh = cc->cwnd;
}

void aimd_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    uint64_t window = episode_begin(&aimd(cc)->episode, cc, loss);

    if (window > 0)
        cc_set_ssthresh(cc, window, 0.5);
}

void aimd_on_undo(struct cc *cc, braid_time now)
{
    (void)now;
    episode_undo(&aimd(cc)->episode, cc);
}

/* cwnd is what src/tcp made of it, ssthresh; only the bookkeeping of the episode ends. */
void aimd_on_recovered(struct cc *cc, braid_time now)
{
    (void)now;
    aimd(cc)->episode = EPISODE_OVER;
}

void aimd_on_penalty(struct cc *cc, braid_time now)
{
    uint64_t half = cc->cwnd / 2, least = 2 * (uint64_t)cc->mss;
    bool slow_start = cc->cwnd < cc->ssthresh;

    (void)now;
    if (cc->cwnd > least)
        cc->cwnd = half > least ? half : least;
    if (!slow_start) /* which is to go on where it was: nothing was lost */
        cc->ssthresh = cc->cwnd;
}
