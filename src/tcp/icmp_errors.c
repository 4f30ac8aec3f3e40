/* ICMP errors that quote a packet of ours (RFC 5927, RFC 1191, RFC 8201). */
#include "tcp/internal.h"

#include "base/seq.h"

/* What was too large leaves again at once, in smaller segments. */
static void too_big(struct subflow *sf, uint32_t mtu, braid_time now)
{
    if (!tcp_mtu_limit(sf, mtu, now))
        return;
    tcp_deadlines_update(sf);
    sf->env->ops->wake(sf);
}

/* Anyone can send these, so they end nothing that is established (RFC 5927 section 5.2), and the quoted
 * number has to be in flight: a stranger would have to guess it. */
void subflow_icmp(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    uint64_t off = seq_extend(sf->snd.una, p->quoted_seq - sf->syn.iss);

    if (sf->state == TCP_STATE_CLOSED || sf->state == TCP_STATE_TIME_WAIT)
        return;
    if (seq64_before(off, sf->snd.una) || !seq64_before(off, sf->snd.nxt))
        return; /* RFC 5927 section 4: not about anything in flight */
    if (p->icmp == WIRE_ICMP_TOO_BIG)
        too_big(sf, p->mtu, now);
    else if (sf->state == TCP_STATE_SYN_SENT) /* soft errors too: RFC 5461 section 4.1, as Linux does */
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_UNREACHABLE, now);
}
