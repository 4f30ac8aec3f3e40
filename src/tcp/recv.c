/* The payload of a segment: cut to what is wanted, delivered if it is next, kept if it is not. */
#include "tcp/internal.h"

#include "base/slice.h"
#include "tcp/sack_blocks.h"

/* The owner takes over the reference, and may close the subflow from within. */
static void deliver(struct subflow *sf, struct slice s, braid_time now)
{
    uint64_t off = sf->rcv.nxt;

    sf->rcv.nxt += s.len;
    sf->ack.bytes += s.len;
    sf->env->ops->data(sf, off, s, now);
}

/* What has come into order moves on. */
static void drain(struct subflow *sf, braid_time now)
{
    struct slice s;
    uint64_t off;

    while (tcp_ooo_take(sf, &off, &s)) {
        /* What was queued may overlap what came in order since. */
        uint64_t old = sf->rcv.nxt - off;

        if (old >= s.len) {
            slice_drop(&s);
            continue;
        }
        slice_advance(&s, (uint32_t)old);
        deliver(sf, s, now);
        if (sf->state == TCP_STATE_CLOSED)
            return;
    }
}

/* Cuts the piece to what is wanted: not before rcv.nxt, not beyond the window or the peer's FIN. */
static void cut(struct subflow *sf, uint64_t *off, const uint8_t **data, uint32_t *len)
{
    uint64_t edge = sf->fin.known ? min_u64(sf->rcv.adv, sf->fin.in_off) : sf->rcv.adv;
    uint64_t end = *off + *len;

    if (*off < sf->rcv.nxt) {
        uint64_t old = min_u64(*len, sf->rcv.nxt - *off);

        sack_note_duplicate(sf, *off, *off + old);
        *off += old;
        *data += old;
        *len -= (uint32_t)old;
    }
    if (end > edge)
        *len = *off < edge ? (uint32_t)(edge - *off) : 0;
}

/* RFC 8803 section 3: without a Fast Open cookie, too. Of a SYN that comes again only what goes beyond the
 * one before is news. No ACK is owed: the SYN/ACK is one. */
void subflow_take_syn(struct subflow *sf, const struct wire_packet *syn, struct buf *b, braid_time now)
{
    uint32_t len = syn->payload_len < sf->syn.take ? syn->payload_len : sf->syn.take;
    uint64_t off = sf->rcv.nxt;
    uint32_t old = (uint32_t)(off - 1);

    sf->syn.came = (uint16_t)min_u64(syn->payload_len, UINT16_MAX);
    if (len <= old || mem_room(sf->account) < buf_cost(len - old))
        return;
    sf->rcv.nxt += len - old;
    sf->env->ops->data(sf, off, slice_of(b, syn->payload + old, len - old), now);
}

/* RFC 9293 section 3.10.7.4, seventh and eighth check. A segment that fills a hole is acknowledged at
 * once (RFC 5681 section 4.2). The owner may have ended the subflow with any slice, so the state is
 * looked at after each. */
void tcp_receive(struct subflow *sf, const struct wire_packet *p, struct buf *b, uint64_t off, braid_time now)
{
    const uint8_t *data = p->payload;
    uint32_t len = p->payload_len;

    if (p->tcp.flags & TCP_FIN)
        tcp_fin_note(sf, off + len);
    if (len > 0) {
        cut(sf, &off, &data, &len);
        if (len == 0)
            sf->ack.now = true;
        else if (off == sf->rcv.nxt) {
            sf->ack.now |= sf->ooo->n > 0;
            deliver(sf, slice_of(b, data, len), now);
        } else
            tcp_ooo_insert(sf, off, slice_of(b, data, len));
        if (sf->state == TCP_STATE_CLOSED)
            return;
        drain(sf, now);
        if (sf->state == TCP_STATE_CLOSED)
            return;
        sack_prune(sf);
    }
    if (sf->fin.known && !sf->fin.received && sf->rcv.nxt == sf->fin.in_off)
        tcp_fin_take(sf, now);
}
