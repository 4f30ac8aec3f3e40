/* Data level, receiving: what a subflow brings in its order, the mappings that say where it belongs (RFC 8684
 * section 3.3.1), checksums, and payload without a mapping. */
#include "mptcp/data_in.h"

#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/fallback.h"
#include "mptcp/held.h"
#include "mptcp/marks.h"
#include "mptcp/order.h"
#include "mptcp/recvq.h"
#include "mptcp/rxmap.h"
#include "tcp/tap_hook.h"
#include "wire/checksum.h"

void conn_recv_init(struct braid_conn *c)
{
    c->recv.nxt = c->recv.user = c->recv.high = c->recv.tune_dsn = DATA_FIRST;
    c->recv.edge = c->recv.nxt + 65535; /* what the SYN or SYN/ACK advertised, unscaled */
}

/* Ones-complement arithmetic has two zeros. */
static bool same_checksum(uint16_t a, uint16_t b)
{
    return a == b || (a == 0 && b == 0xffff) || (a == 0xffff && b == 0);
}

/* Holds payload of a checksummed mapping back until all of it is there: what the user has read cannot be
 * taken back when the sum turns out wrong. Takes over the slice. */
static void hold_mapped(struct braid_conn *c, struct mp_subflow *s, const struct rx_mapping *m,
                        struct slice *in)
{
    held_add(c, s, in);
    const struct rx_held *h = s->rxmap.held;
    if (!h || h->bytes < m->len || c->closing.fail_due)
        return;
    /* Section 3.3.1: the pseudo-header has all 64 bits, whatever the option had, and the length counts a
     * DATA_FIN. */
    uint64_t dsn = c->keys.remote_idsn + m->dsn;
    uint32_t ssn = (uint32_t)(m->off - syn_data_shift_in(s));
    bool right = same_checksum(checksum_dss(h->sum, dsn, ssn, m->csum_len), m->csum);
    right = tap_bool(&c->env->tcp, BRAID_VALUE_CHECKSUM, right);
    if (right || !conn_is_mptcp(c)) /* after falling back nobody would answer another MP_FAIL */
        held_deliver(c, s, m->dsn);
    else if (!conn_checksum_failed(s, m)) /* not DATA_ACKed: it comes again over another subflow */
        rxmap_drop_held(&s->rxmap);
}

/* No mapping covers payload that is next in the subflow's order. True: it has a place now, go on. */
static bool unmapped(struct braid_conn *c, struct mp_subflow *s, uint64_t off)
{
    if (conn_is_mptcp(c)) {
        conn_count(c, MP_DSS_NO_MATCH_TCP);
        /* One may wait for a late mapping (section 3.3.1). That would be in vain: Linux repeats a mapping on
         * each of its segments, so that a segment without one has lost its options. */
        if (!conn_may_fall_back(c)) {
            /* the rest of a SYN's data, which nobody sends over another subflow */
            if (c->syn_data.in > 0 && !c->syn_data.settled && !s->join)
                conn_fail(c, BRAID_CLOSE_PROTOCOL, true);
            flow_reset(s, MPTCP_RST_MIDDLEBOX);
            return false;
        }
        if (c->dss.proven) { /* it may be a data-level repetition with a new place: nobody can tell */
            conn_fail(c, BRAID_CLOSE_PROTOCOL, true);
            return false;
        }
        conn_count(c, MP_DSS_FALLBACK);
        conn_fall_back(c, true);
        /* Perhaps options pass the other way, and the peer waits for DATA_ACKs: it gets them until it has
         * heard from an MP_FAIL that it should fall back, too. */
        c->dss.keep_data_acks = true;
        s->fail_due = true;
        s->fail_dsn = c->recv.nxt;
        subflow_ack_soon(&s->tcp);
    } else if (c->fallback.linear_from != LINEAR_UNKNOWN) {
        return false; /* before the infinite mapping: sent again behind it */
    }
    /* the only subflow there ever was: what is next on it is next in the data */
    c->fallback.delta = c->recv.nxt - off;
    c->fallback.linear_from = off;
    return true;
}

void flow_data(struct subflow *sf, uint64_t off, struct slice in, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    (void)now;
    while (in.len > 0 && !s->closing.reset_due && !c->closing.fail_due) {
        /* In the order of the subflow, mapped or not: mappings mean nothing behind altered payload, until the
         * peer has agreed that the stream goes on as it is (section 3.7). */
        if (c->fallback.rx_failed) {
            held_add(c, s, &in);
            return;
        }
        /* Fallen back. Before linear_from the peer was still MPTCP, and mappings count. */
        if (!conn_is_mptcp(c) && off >= c->fallback.linear_from) {
            recv_deliver(c, s, off + c->fallback.delta, &in);
            return;
        }
        struct rx_mapping *m = rxmap_find(&s->rxmap, off);
        uint64_t left = m ? m->off + m->len - off : syn_data_room(s, off);
        if (left == 0 && unmapped(c, s, off))
            continue;
        if (left == 0)
            break;
        uint32_t n = in.len < left ? in.len : (uint32_t)left;
        struct slice part = slice_of(in.buf, in.data, n);
        if (!m)
            syn_data_take(s, &part);
        else if (m->has_csum)
            hold_mapped(c, s, m, &part);
        else
            recv_deliver(c, s, m->dsn + (off - m->off), &part);
        slice_advance(&in, n);
        off += n;
    }
    slice_drop(&in);
}

void conn_recv_free(struct braid_conn *c)
{
    recvq_free(c);
    recv_order_free(c);
}
