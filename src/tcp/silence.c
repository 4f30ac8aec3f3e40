/* What the owner of several subflows wants to know of each, and to tell it: whether its path has gone silent,
 * that it works again, and that it sends too fast for what the others do. */
#include "tcp/internal.h"

/* How much later than expected an ACK may come: for the batches that peers and this host work in. */
#define SILENCE_MARGIN (25 * BRAID_MS)
/* What came while this end stood still is read by then. */
#define RESUMED_GRACE (200 * BRAID_MS)

/* Twice the smoothed round trip at most: where that grows quickly, its variation says little. */
static int64_t spread(const struct rtt *r)
{
    int64_t half = r->srtt_us / 2, deviation = 4 * (int64_t)r->rttvar_us;

    if (deviation < half)
        return half;
    return deviation < r->srtt_us ? deviation : r->srtt_us;
}

static braid_time later(braid_time a, braid_time b)
{
    return a > b ? a : b;
}

/* Two conditions: the oldest segment in flight is overdue, and nothing at all has been acknowledged for a
 * while. The second keeps a queue that grows from being taken for silence. docs/architecture.md has the
 * numbers. */
braid_time subflow_silent_at(const struct subflow *sf, unsigned patience)
{
    const struct rtt *r = &sf->rtt;
    int64_t margin = SILENCE_MARGIN;
    braid_time progress = later(sf->activity.progress_at, sf->env->resumed_at), oldest = progress;

    if (list_empty(&sf->flight->maps) || r->srtt_us == 0)
        return BRAID_NEVER;
    if (sf->flight->board.pipe <= sf->size.mss) /* a single segment is acknowledged late */
        margin += TCP_DELACK_TIME;
    if (!list_empty(&sf->flight->board.by_time))
        oldest = later(sent_of_link(sf->flight->board.by_time.next)->at, sf->env->resumed_at);
    braid_time overdue = oldest + r->srtt_us + ((spread(r) + margin) << patience);
    braid_time quiet = progress + ((r->srtt_us / 2 + margin) << patience);
    return later(overdue, quiet);
}

/* The answer may acknowledge what was lost on the way back only, with a timestamp of before: it must not
 * take a recovery back. */
void subflow_ask(struct subflow *sf, braid_time now)
{
    recovery_forget_undo(sf);
    subflow_probe(sf, now);
}

/* What was lost in the silence would wait for a timeout that has been doubled meanwhile (RFC 6298 (5.5)):
 * the path has answered, so the reason for the backoff is gone. */
void subflow_retry(struct subflow *sf, braid_time now)
{
    if (!tcp_outstanding(sf))
        return;
    sf->rtt.backoff = 0;
    sf->due.rto_base = now - rtt_rto(&sf->rtt);
    tcp_deadlines_update(sf);
}

/* The time once more, but no more than twice in all, however often that happens: a round trip may be longer
 * than the time from one pause to the next. What came in waits in the tunnel, and has to be read first. */
static void wait_once_more(struct subflow *sf, braid_time now)
{
    int64_t rto = rtt_rto(&sf->rtt);
    braid_time twice = sf->activity.progress_at + rto, base = now < twice ? now : twice;
    braid_time least = now - rto + RESUMED_GRACE;

    sf->due.rto_base = later(sf->due.rto_base, later(base, least));
}

/* Timers that ran out in the meantime say nothing of the path or the peer. */
void subflow_resumed(struct subflow *sf, braid_time now)
{
    if (sf->state == TCP_STATE_CLOSED || sf->state == TCP_STATE_TIME_WAIT)
        return;
    sf->env->resumed_at = now;
    wait_once_more(sf, now);
    /* Peers may have timed out meanwhile, and begin with one segment: they need each ACK at once. */
    sf->ack.quick = TCP_QUICK_ACKS;
    if (sf->ack.bytes > 0 || !list_empty(&sf->ooo->pieces))
        sf->ack.now = true;
    tcp_deadlines_update(sf);
}
