/* Data in the SYN, and in the SYN/ACK of plain TCP: see syn_data.h.
 *
 * Which bytes a peer's SYN had is known to both ends only when the SYN/ACK acknowledges them. A client whose
 * SYN/ACK did not sends them again, and there are two kinds. RFC 8684 appendix B.3 has a mapping for what is
 * repeated, which so becomes part of the data sequence space. Linux repeats it without a mapping, beside the
 * keys of the third ACK, and it stays outside. Until one or the other has come nobody can tell what the
 * relative numbers of a mapping count from; and the bytes may be here already, from an earlier SYN. */
#include "mptcp/syn_data.h"

#include <string.h>

#include "base/seq.h"
#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/held.h"
#include "mptcp/marks.h"
#include "mptcp/recvq.h"
#include "mptcp/sendbuf.h"

#define SYN_TRIES 3 /* SYNs with payload, or else with MP_CAPABLE, as of Linux */

uint16_t syn_data_bound(const struct braid_conn *c, uint16_t most)
{
    return conn_is_mptcp(c) && !conn_version(c)->syn_data ? 0 : most;
}

uint32_t syn_data_room(const struct mp_subflow *s, uint64_t off)
{
    const struct braid_conn *c = s->conn;
    const struct conn_syn_data *d = &c->syn_data;
    /* once data of the sequence space is here nothing can come before it */
    bool open = !s->join && !d->settled && c->recv.nxt == DATA_FIRST && off == 1u + d->in;
    return open && conn_is_mptcp(c) ? (uint32_t)(d->most - d->in) : 0;
}

/* Its numbers are those below DATA_FIRST, so that what the user has read and what waits for it end at
 * recv.nxt as always. */
void syn_data_take(struct mp_subflow *s, struct slice *in)
{
    struct braid_conn *c = s->conn;
    c->syn_data.in = (uint16_t)(c->syn_data.in + in->len);
    c->syn_data.unmapped = subflow_synchronized(&s->tcp);
    c->recv.user -= in->len;
    recvq_append(c, in);
}

/* While the server thought SYNs may have come with and without their data, so that there were SYN/ACKs that
 * said so and such that said the opposite; only from one that begins behind the SYN it is known which it has
 * seen. Where there was one kind of them, and all that is here was acknowledged, the rest follows. */
bool syn_data_agree(struct mp_subflow *s, const struct wire_packet *p)
{
    struct conn_syn_data *d = &s->conn->syn_data;
    const struct tcp_syn *syn = &s->tcp.syn;
    d->acked = syn->wavers ? 0 : syn->acked;
    d->settled = d->in > 0 && d->acked == d->in;
    return !syn->wavers || p->tcp.seq == syn->irs + 1;
}

/* What was not acknowledged of the SYN's data came again with a mapping. */
static void move_inside(struct braid_conn *c)
{
    struct conn_syn_data *d = &c->syn_data;
    c->recv.nxt += d->in - d->acked;
    c->recv.user += d->in - d->acked;
    if (seq64_before(c->recv.high, c->recv.nxt))
        c->recv.high = c->recv.nxt;
    d->inside = true;
}

/* Would that mapping give the byte at offset off, of the SYN's data, a number in the data that fits? */
static bool maps_inside(const struct braid_conn *c, const struct wire_mptcp *mp, uint64_t off)
{
    if (!(mp->has & MPTCP_HAS(MPTCP_DSS)))
        return true; /* an MP_CAPABLE with a length maps the first byte */
    const struct mptcp_dss *d = &mp->dss;
    uint32_t at = (uint32_t)(off - c->syn_data.acked) - d->ssn;
    return at < d->len && (uint32_t)(d->dsn - c->keys.remote_idsn) == d->ssn;
}

/* Data has come over another subflow first. Linux repeats the data of its SYN together with the keys, without
 * which there are no other subflows. */
static void settle_by_join(struct braid_conn *c)
{
    struct conn_syn_data *d = &c->syn_data;
    d->settled = true;
    if (d->in > 0 && !d->unmapped)
        move_inside(c);
}

/* Keys without a length, as in the third ACK. */
static bool bare_keys(const struct wire_mptcp *mp)
{
    return (mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && mp->capable.n_keys == 2 && !mp->capable.has_len;
}

/* Length of its mapping; 0: it has none. */
static uint32_t maps(const struct wire_mptcp *mp)
{
    if ((mp->has & MPTCP_HAS(MPTCP_DSS)) && mp->dss.has_map)
        return mp->dss.len;
    return (mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && mp->capable.has_len ? mp->capable.data_len : 0;
}

bool syn_data_settle(struct mp_subflow *s, const struct wire_packet *p, uint64_t off)
{
    struct braid_conn *c = s->conn;
    struct conn_syn_data *d = &c->syn_data;
    const struct wire_mptcp *mp = &p->tcp.mp;
    if (d->settled || d->most == 0 || (int64_t)off < 1)
        return true;
    if (s->join) {
        if (p->payload_len > 0)
            settle_by_join(c);
        return true;
    }
    if (p->payload_len == 0)
        return true;
    if (maps(mp) == 0) {
        /* what comes again without a mapping; it may end in the middle of what is here */
        d->unmapped = d->unmapped || bare_keys(mp);
        d->settled = mp->malformed; /* somebody has damaged a mapping, perhaps */
        return true;
    }
    if (seq64_before(s->tcp.rcv.nxt, off))
        return false;
    bool again = off <= d->in;
    if (again && !d->unmapped && maps_inside(c, mp, off))
        move_inside(c);
    else if (!again && d->in > 0 && !d->unmapped)
        return false; /* what was not acknowledged has to come before */
    d->settled = true;
    return true;
}

/* The sum covers all of the mapping, and of what comes again src/tcp takes nothing. */
void syn_data_hold(struct mp_subflow *s, const struct wire_packet *p, uint64_t off)
{
    struct braid_conn *c = s->conn;
    const struct conn_syn_data *d = &c->syn_data;
    uint32_t len = maps(&p->tcp.mp);
    bool again = d->inside && !s->join && off == 1u + d->acked && s->tcp.rcv.nxt == 1u + d->in;
    uint32_t old = d->in - d->acked;
    if (!again || !c->dss.checksum || s->rxmap.held || len <= old || p->payload_len < old)
        return;
    struct buf *b = buf_new(old, &c->mem);
    if (!b) {
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
        return;
    }
    memcpy(b->data, p->payload, old);
    struct slice in = {.buf = b, .data = b->data, .len = old};
    held_add(c, s, &in);
}

uint64_t syn_data_shift_in(const struct mp_subflow *s)
{
    return s->join ? 0 : syn_data_outside(&s->conn->syn_data);
}

bool syn_data_offer(struct braid_conn *c, const void *data, size_t len)
{
    c->syn_data.offer = syn_data_bound(c, (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX));
    return braid_conn_write(c, data, len) == (ssize_t)len;
}

/* A middlebox may have taken offence at the payload, or at the option. */
bool syn_data_capable(const struct mp_subflow *s)
{
    return s->tcp.syn.retries < SYN_TRIES + (s->conn->syn_data.offer > 0);
}

/* With the SYN/ACK it is the Error message of a converter, say, to a client that fails at once when it reads
 * it there. If that is not answered it goes again without, and the bytes follow in the stream. */
static bool carries_payload(const struct mp_subflow *s)
{
    const struct tcp_syn *syn = &s->tcp.syn;
    if (s->join)
        return false;
    if (s->tcp.state == TCP_STATE_SYN_SENT)
        return syn->retries < SYN_TRIES;
    return syn->passive && syn->sent == 0 && syn->retries == 0;
}

unsigned flow_syn_payload(struct subflow *sf, uint32_t room, struct iovec *iov, unsigned n)
{
    const struct mp_subflow *s = mp_subflow_of(sf);
    uint32_t offer = s->conn->syn_data.offer;
    return carries_payload(s) ? conn_send_peek(s->conn, offer < room ? offer : room, iov, n) : 0;
}

void syn_data_established(struct mp_subflow *s)
{
    struct braid_conn *c = s->conn;
    c->syn_data.out = (uint16_t)(s->tcp.snd.una - 1);
    if (c->syn_data.out > 0)
        conn_send_skip(c, c->syn_data.out);
}

uint64_t syn_data_shift_out(const struct mp_subflow *s)
{
    return s->join ? 0 : s->conn->syn_data.out;
}
