/* Timestamps: see timestamps.h. */
#include "tcp/internal.h"

#include "base/seq.h"

/* A little less than half of the time in which a clock of milliseconds wraps. */
#define PAWS_IDLE (24 * 24 * 3600 * BRAID_SECOND) /* RFC 7323 section 5.5: then the last one is outdated */

/* An old pure ACK that was merely overtaken does not deserve an answer. */
bool tcp_paws_rejects(struct subflow *sf, const struct wire_packet *p, uint64_t off, uint64_t end,
                      uint64_t ack, braid_time now)
{
    const struct wire_tcp *t = &p->tcp;

    if (!sf->syn.ts_ok || !t->has_ts || !seq32_before(t->tsval, sf->ts.recent))
        return false;
    if (now - sf->ts.recent_at > PAWS_IDLE)
        return false;
    /* Empty, next in order, acknowledging nothing new, and less than an RTO older than the newest: reordering
     * on the path explains it, and nothing in it is of use. (Linux does likewise, in tcp_disordered_ack.) */
    bool overtaken = end == off && off == sf->rcv.nxt && !seq64_before(sf->snd.una, ack) &&
                     sf->ts.recent - t->tsval <= (uint32_t)(rtt_rto(&sf->rtt) / BRAID_MS);
    return !overtaken;
}

/* RFC 7323 section 4.3: only a segment that begins at or before the last ACK sent is remembered, so that
 * with a hole open the peer measures from what is in front of it. */
void tcp_ts_update(struct subflow *sf, const struct wire_packet *p, uint64_t off, braid_time now)
{
    const struct wire_tcp *t = &p->tcp;

    if (!sf->syn.ts_ok || !t->has_ts || seq64_before(sf->ack.last, off))
        return;
    if (seq32_before(t->tsval, sf->ts.recent) && now - sf->ts.recent_at <= PAWS_IDLE)
        return;
    sf->ts.recent = t->tsval;
    sf->ts.recent_at = now;
}

/* From an ACK of ours to data that echoes its timestamp. A peer that was idle in between gives no sample. */
void tcp_measure_rcv_rtt(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    int64_t sample = (int64_t)(int32_t)(tcp_tsval(sf, now) - p->tcp.tsecr) * BRAID_MS;

    if (!sf->syn.ts_ok || !p->tcp.has_ts || p->payload_len == 0 || p->tcp.tsecr == sf->rcv.rtt_tsecr)
        return;
    /* One sample of each echo: of all data that carries it the first was delayed least. */
    sf->rcv.rtt_tsecr = p->tcp.tsecr;
    if (sample < 0 || sample > RTT_RTO_MAX || now - sf->activity.last_recv > sample / 2)
        return;
    sf->rcv.rtt_us += (int32_t)(sf->rcv.rtt_us ? (sample - sf->rcv.rtt_us) / 8 : sample);
}
