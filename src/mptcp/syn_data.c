/* Data in the SYN, and in the SYN/ACK of plain TCP: see syn_data.h.
 *
 * Which bytes a peer's SYN had is known to both ends only when the SYN/ACK acknowledges them. A client whose
 * SYN/ACK did not sends them again, and there are two kinds. RFC 8684 appendix B.3 has a mapping for what is
 * repeated, which so becomes part of the data sequence space. Linux repeats it without a mapping, beside the
 * keys of the third ACK, and it stays outside. Until one or the other has come nobody can tell what the
 * relative numbers of a mapping count from; and the bytes may be here already, from an earlier SYN. */
#include "mptcp/syn_data.h"

#include "base/seq.h"
#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/recvq.h"
#include "mptcp/sendbuf.h"

#define SYN_TRIES 3 /* SYNs with payload, or else with MP_CAPABLE, as of Linux */

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

/* The peer has put the data of its SYN into the data sequence space, where it now is. */
static void move_inside(struct braid_conn *c)
{
    c->recv.nxt += c->syn_data.in;
    c->recv.user += c->syn_data.in;
    if (seq64_before(c->recv.high, c->recv.nxt))
        c->recv.high = c->recv.nxt;
    c->syn_data.in = 0;
}

/* Does the mapping, its numbers taken as they are, give the byte at offset off the same number in the data?
 * So one that covers the data of the SYN does. */
static bool maps_inside(const struct braid_conn *c, const struct wire_mptcp *mp, uint64_t off)
{
    if (!(mp->has & MPTCP_HAS(MPTCP_DSS)))
        return true; /* an MP_CAPABLE with a length maps the first byte */
    const struct mptcp_dss *d = &mp->dss;
    uint32_t at = (uint32_t)off - d->ssn;
    return at < d->len && (uint32_t)(d->dsn - c->keys.remote_idsn) == d->ssn;
}

/* Data has come over another subflow first. Linux repeats the data of its SYN together with the keys, without
 * which there are no other subflows. */
static void settle_by_join(struct braid_conn *c)
{
    struct conn_syn_data *d = &c->syn_data;
    d->settled = true;
    if (d->acked < d->in && !d->unmapped)
        move_inside(c);
}

/* Keys without a length, as in the third ACK. */
static bool bare_keys(const struct wire_mptcp *mp)
{
    return (mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && mp->capable.n_keys == 2 && !mp->capable.has_len;
}

static bool has_mapping(const struct wire_mptcp *mp)
{
    return ((mp->has & MPTCP_HAS(MPTCP_DSS)) && mp->dss.has_map) ||
           ((mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && mp->capable.has_len);
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
    uint64_t behind = 1u + d->in;
    bool acked = d->acked == d->in;
    if (p->payload_len == 0) {
        /* a third ACK behind the data of the SYN: the peer knows that it is here */
        d->settled = d->in > 0 && off == behind && bare_keys(mp);
        return true;
    }
    if (!has_mapping(mp)) {
        /* what comes again without a mapping; it may end in the middle of what is here */
        d->unmapped = d->unmapped || bare_keys(mp);
        d->settled = mp->malformed; /* somebody has damaged a mapping, perhaps */
        return true;
    }
    if (seq64_before(s->tcp.rcv.nxt, off))
        return false;
    if (seq64_before(off, behind) && !d->unmapped && maps_inside(c, mp, off))
        move_inside(c);
    else if (off == behind && !acked && !d->unmapped)
        return false; /* whether what was not acknowledged comes inside or not, this is not where it begins */
    d->settled = true;
    return true;
}

uint64_t syn_data_shift_in(const struct mp_subflow *s)
{
    return s->join ? 0 : s->conn->syn_data.in;
}

bool syn_data_offer(struct braid_conn *c, const void *data, size_t len)
{
    c->syn_data.offer = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
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
    c->syn_data.acked = (uint16_t)tcp_syn_acked(&s->tcp.syn, 1u + c->syn_data.in);
    c->syn_data.out = (uint16_t)(s->tcp.snd.una - 1);
    if (c->syn_data.out > 0)
        conn_send_skip(c, c->syn_data.out);
}

uint64_t syn_data_shift_out(const struct mp_subflow *s)
{
    return s->join ? 0 : s->conn->syn_data.out;
}
