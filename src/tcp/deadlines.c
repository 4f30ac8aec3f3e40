/* One wheel timer per subflow stands for all its deadlines. It is armed lazily: when a deadline moves to a
 * later time, as the retransmission timer's does on each ACK, the wheel is left alone and the timer fires
 * early once. Here deadlines are set; timers.c acts on them. */
#include "tcp/internal.h"

#define HANDSHAKE_RTO  BRAID_SECOND
#define PROBE_MAX_TIME (60 * BRAID_SECOND)

static braid_time earliest(braid_time a, braid_time b)
{
    return a < b ? a : b;
}

/* A deadline that moved to a later time leaves the wheel as it is: on_timer finds nothing due, and arms
 * again. Only an earlier one has to be told. */
void tcp_deadlines_arm(struct subflow *sf)
{
    braid_time at =
        earliest(earliest(sf->due.rexmit, sf->due.delack), earliest(sf->due.keepalive, sf->due.pace));

    if (at == BRAID_NEVER)
        wheel_cancel(&sf->env->wheel, &sf->due.timer);
    else if (at < sf->due.timer.at)
        wheel_arm(&sf->env->wheel, &sf->due.timer, at);
}

void tcp_deadlines_stop(struct subflow *sf)
{
    sf->due.rexmit = sf->due.delack = sf->due.keepalive = sf->due.pace = BRAID_NEVER;
    sf->tries.kind = REXMIT_OFF;
    wheel_cancel(&sf->env->wheel, &sf->due.timer);
}

/* RFC 9293 section 3.8.6.1: the first probe after one RTO, then with exponential backoff, but at least
 * once a minute, since the peer's window update may have been lost. */
static braid_time probe_interval(const struct subflow *sf)
{
    /* Far beyond the minute already; more would shift bits out. */
    unsigned shift = sf->tries.probes < 16 ? sf->tries.probes : 16;

    return earliest(rtt_rto(&sf->rtt) << shift, PROBE_MAX_TIME);
}

static void set_rexmit(struct subflow *sf, enum tcp_rexmit_timer kind, braid_time at)
{
    sf->tries.kind = kind;
    sf->due.rexmit = at;
}

/* RFC 6298 (2.1) and (5.5): one second, doubled each time. The owner may take its time before the SYN/ACK
 * leaves; until then nobody waits for an ACK. */
static braid_time handshake_deadline(const struct subflow *sf)
{
    /* 64 s at most, where the owner allows a handshake to take so long. */
    unsigned shift = sf->syn.retries < 6 ? sf->syn.retries : 6;

    if (sf->state == TCP_STATE_SYN_RECEIVED && !sf->syn.answered)
        return BRAID_NEVER;
    return earliest(sf->due.rto_base + (HANDSHAKE_RTO << shift), sf->syn.since + sf->env->syn_timeout);
}

/* Which of its uses the retransmission timer has now. */
void tcp_rexmit_choose(struct subflow *sf)
{
    braid_time rto_at = sf->due.rto_base + rtt_rto(&sf->rtt);

    if (sf->state == TCP_STATE_SYN_SENT || sf->state == TCP_STATE_SYN_RECEIVED) {
        set_rexmit(sf, REXMIT_RTO, handshake_deadline(sf));
        return;
    }
    if (!tcp_outstanding(sf)) {
        if (sf->cwnd.blocked)
            set_rexmit(sf, REXMIT_PERSIST, sf->due.rto_base + probe_interval(sf));
        else
            set_rexmit(sf, REXMIT_OFF, BRAID_NEVER);
        return;
    }
    set_rexmit(sf, REXMIT_RTO, rto_at);
    /* One at a time (RFC 8985 section 8), and the reordering timer first: while it runs segments that left
     * later have arrived, and it takes no probe to find out what was lost. */
    if (sf->flight->rack.reorder_at < rto_at) {
        set_rexmit(sf, REXMIT_REORDER, sf->flight->rack.reorder_at);
    } else if (tlp_allowed(sf)) {
        /* Counted from the last transmission or ACK, and never later than the RTO (RFC 8985 section 7.2). */
        braid_time last = sent_of_link(sf->flight->board.by_time.prev)->at;
        braid_time at = (sf->due.rto_base > last ? sf->due.rto_base : last) + tlp_timeout(sf);

        set_rexmit(sf, REXMIT_TLP, earliest(at, rto_at));
    }
}

/* After each segment that came or went: both halves are cheap, and which event moves what would be a long
 * list. */
void tcp_deadlines_update(struct subflow *sf)
{
    tcp_rexmit_choose(sf);
    tcp_deadlines_arm(sf);
}
