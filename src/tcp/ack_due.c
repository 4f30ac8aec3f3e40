/* Which acknowledgements are due: see ack_due.h. Sending them is for others. */
#include "tcp/internal.h"
#include "tcp/sack_blocks.h"

/* The field has 16 bits, so that what the owner offers is cut to what a scaled field can say: more would
 * be believed here and unknown to the peer. */
uint64_t tcp_window_now(const struct subflow *sf)
{
    uint64_t field = sf->env->ops->window((struct subflow *)sf) >> sf->syn.rcv_wscale;

    return min_u64(field, UINT16_MAX) << sf->syn.rcv_wscale;
}

/* Every segment after the SYN acknowledges. One with payload has no room for SACK blocks: if there are
 * any, the pure ACK is still owed. Quick acknowledgements count segments (of the peer's size), not ACKs. */
void tcp_ack_was_sent(struct subflow *sf, bool pure, uint64_t window)
{
    sf->ack.last = sf->rcv.nxt;
    sf->rcv.small = false;
    sf->rcv.adv = max_u64(sf->rcv.adv, sf->rcv.nxt + window);
    if (!pure && sf->ack.now && sack_pending(sf))
        return;
    uint32_t segments = (sf->ack.bytes + sf->rcv.mss - 1) / sf->rcv.mss;
    if (sf->ack.bytes > 0)
        sf->ack.quick -= sf->ack.quick < segments ? sf->ack.quick : segments;
    sf->ack.bytes = 0;
    sf->ack.now = sf->ack.third = sf->ack.fourth = false;
    if (pure)
        sf->ack.forced = false;
    sf->ack.delayed = false;
    sf->due.delack = BRAID_NEVER;
}

/* Of the window of our SYN or SYN/ACK, the only one that the peer knows, it has used less than a quarter. */
static bool first_window_lasts(const struct subflow *sf)
{
    uint64_t used = sf->rcv.nxt - sf->ack.last;

    return sf->ack.last == 1 + (uint64_t)sf->syn.acked && used < (sf->rcv.adv - sf->ack.last + 3) / 4;
}

/* Has the window opened so much that the peer should hear of it, though no ACK is due (RFC 9293 section
 * 3.8.6.2.2)? Only where it may soon be short of window: ACKs of data tell it anyway. */
static bool window_opened(const struct subflow *sf)
{
    /* A SYN cannot announce more than 64 KB, so nearly every window has opened since. */
    if (first_window_lasts(sf))
        return false;
    uint64_t window = tcp_window_now(sf), edge = sf->rcv.nxt + window;
    /* Two segments, or less where the buffer is so small that it would never open by two at once. */
    uint64_t step = min_u64(2 * (uint64_t)sf->rcv.mss, sf->env->rcvbuf_max / 4);

    return edge >= sf->rcv.adv + step && sf->rcv.adv - sf->rcv.nxt <= window - window / 4;
}

/* A short request: if the answer comes soon, it is the acknowledgement, too. */
static bool awaits_answer(const struct subflow *sf)
{
    return sf->ack.patient && sf->ack.bytes < sf->size.mss;
}

/* RFC 9293 section 3.8.6.3 with RFC 5681 section 4.2: at once for what is out of order, at least every second
 * full segment (and as soon as there is more than one, as Linux does: the end of a burst is seldom full, and
 * its sender waits), and each segment while the peer is in its first windows and grows with every ACK. */
bool tcp_ack_is_due(const struct subflow *sf)
{
    if (sf->ack.now || sf->ack.forced)
        return true;
    if (sf->ack.bytes > 0 && (sf->ack.bytes > sf->rcv.mss || (sf->ack.quick > 0 && !awaits_answer(sf))))
        return true;
    return window_opened(sf);
}

/* The deadline counts from the first segment that is owed an ACK; later ones do not move it. */
void tcp_ack_delay(struct subflow *sf, braid_time now)
{
    if (sf->ack.bytes == 0 || sf->ack.delayed)
        return;
    sf->ack.delayed = true;
    sf->due.delack = now + (sf->ack.quick > 0 ? TCP_DELACK_QUICK : TCP_DELACK_TIME);
}

void subflow_ack_soon(struct subflow *sf)
{
    sf->ack.forced = true;
}

void subflow_ack_shortly(struct subflow *sf, braid_time now)
{
    sf->ack.fourth = sf->ack.delayed = true;
    sf->due.delack = now + TCP_DELACK_QUICK;
}
