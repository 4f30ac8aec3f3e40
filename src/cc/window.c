/* Window arithmetic shared by the loss-based algorithms, see window.h. */
#include "cc/window.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

const struct braid_field before_episode_state[] = {BEFORE_FIELDS(struct before_episode, ), {0}};

/* What can be put back is remembered at the beginning of an episode only: a timeout during fast recovery
 * reduces once more, and an undo takes back both. */
uint64_t episode_begin(enum episode *e, const struct cc *cc, const struct cc_loss *loss)
{
    struct before_episode *before = (struct before_episode *)cc->saved;
    uint64_t window = cc->cwnd;

    if (*e == EPISODE_TIMEOUT && loss->timeout)
        return 0; /* of the same data: the window that it was sent with has been cut already */
    if (*e != EPISODE_OVER && window < cc->ssthresh && cc->ssthresh != CC_SSTHRESH_INFINITE)
        window = cc->ssthresh; /* PRR or the timeout holds cwnd below what the recovery aims at */
    else if (*e == EPISODE_OVER && before)
        *before = (struct before_episode){cc->cwnd, cc->ssthresh};
    *e = loss->timeout ? EPISODE_TIMEOUT : EPISODE_LOSS;
    return window;
}

/* The DSACK that proves a loss spurious may come after the recovery. */
bool episode_undo(enum episode *e, struct cc *cc)
{
    struct before_episode *before = (struct before_episode *)cc->saved;

    if (!before || before->cwnd == 0)
        return false;
    if (cc->cwnd < before->cwnd) /* what has grown further meanwhile stays */
        cc->cwnd = before->cwnd;
    cc->ssthresh = before->ssthresh;
    before->cwnd = 0;
    *e = EPISODE_OVER;
    return true;
}

void cc_set_ssthresh(struct cc *cc, uint64_t window, double factor)
{
    uint64_t reduced = (uint64_t)((double)window * factor);
    uint64_t least = 2 * (uint64_t)cc->mss; /* RFC 5681, equation (4) */
    cc->ssthresh = reduced > least ? reduced : least;
}

uint64_t cc_slow_start(struct cc *cc, uint64_t acked)
{
    if (cc->cwnd >= cc->ssthresh)
        return acked;
    uint64_t limit = min_u64(cc->ssthresh, CC_CWND_MAX);
    uint64_t room = cc->cwnd < limit ? limit - cc->cwnd : 0;
    /* An ACK may be for both: what slow start has no use for belongs to congestion avoidance. */
    uint64_t used = min_u64(acked, room);
    cc->cwnd += used;
    return acked - used;
}

void cc_grow(struct cc *cc, double bytes, double *fraction)
{
    double sum = bytes + *fraction;
    /* Were each ACK rounded, a large window would not grow at all, or by a whole byte where a part is due. */
    uint64_t whole = (uint64_t)sum;
    *fraction = sum - (double)whole;
    if (cc->cwnd < CC_CWND_MAX)
        cc->cwnd = min_u64(cc->cwnd + whole, CC_CWND_MAX);
}
