/* Falling back to plain TCP in the middle of a connection (RFC 8684 section 3.7): when a middlebox takes
 * options away or changes payload. Possible only while the first subflow is the only one there ever was. */
#include "mptcp/fallback.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/held.h"
#include "mptcp/marks.h"
#include "mptcp/news.h"
#include "mptcp/order.h"
#include "mptcp/reinject.h"
#include "mptcp/tokens.h"

/* Section 3.7: only while all that is in flight is contiguous on the one subflow, in both directions. So not
 * once a second one was established, nor with a gap in what we have, nor without the first one. A join whose
 * handshake is not complete has carried no data and stands in nobody's way. */
bool conn_may_fall_back(const struct braid_conn *c)
{
    if (c->fallback.barred || c->n_subflows == 0 || c->recv.ooo)
        return false;
    const struct mp_subflow *first = c->subflows;
    return !first->join && !first->closing.dead && !first->closing.reset_due;
}

bool conn_peer_is_bare(const struct braid_conn *c)
{
    return conn_may_fall_back(c) && c->subflows->bare;
}

/* A DATA_FIN whose data never came is no end in order, and the user must not take it for one. */
void conn_plain_fin(struct braid_conn *c)
{
    if (c->recv.fin_known && !c->recv.fin_received)
        conn_fail(c, BRAID_CLOSE_PROTOCOL, false); /* bytes before the DATA_FIN never came */
    conn_data_fin(c, c->recv.nxt, false);
}

/* A FIN that came while it was still that of a subflow is the end of the data now. */
static void take_early_fin(struct mp_subflow *s)
{
    if (s->tcp.fin.received)
        conn_plain_fin(s->conn);
}

/* Everything of MPTCP that may still be under way is called off: the subflow's sequence space takes its
 * place, in which nothing is sent twice on purpose. */
void conn_fall_back(struct braid_conn *c, bool announce)
{
    struct mp_subflow *s = c->subflows;
    c->mode = MODE_FALLBACK;
    c->fallback.infinite_due = announce;
    c->deadlines.data_rtx = BRAID_NEVER;
    c->fallback.linear_from = LINEAR_UNKNOWN;
    s->echo_mp_capable = false;
    /* joins under way: a second subflow would have no place in one stream */
    each_flow (o, c) {
        if (o != s)
            flow_reset(o, MPTCP_RST_MIDDLEBOX);
    }
    conn_token_forget(c);
    if (list_empty(&s->tcp.flight->maps))
        c->send.una = c->send.nxt; /* acknowledged by the subflow, which is all that counts now */
    /* the peer would take what is repeated for new data; its own subflow retransmits it */
    ranges_free(&c->send.reinject);
    conn_charge_reinject(c);
    c->send.edge = c->send.una + NO_DATA_WINDOW;
    /* a DATA_FIN that was sent says nothing any more: the subflow's FIN will (conn_push_end) */
    c->send.fin_sent = false;
    /* else what is held back comes before the end (agreed) */
    if (!c->fallback.rx_failed)
        take_early_fin(s);
    news_fallback(c);
    conn_dirty(c);
}

bool conn_checksum_failed(struct mp_subflow *s, const struct rx_mapping *m)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_DATA_CSUM_ERR);
    s->fail_due = true;
    s->fail_dsn = m->dsn;
    if (!conn_may_fall_back(c)) {
        flow_reset(s, MPTCP_RST_MIDDLEBOX);
        return false;
    }
    /* MP_FAIL goes out with each ACK until the peer answers (options_out.c). What it agrees to is that the
     * data goes on here as it came. */
    c->fallback.rx_failed = true;
    c->fallback.delta = m->dsn - m->off;
    subflow_ack_soon(&s->tcp);
    conn_dirty(c);
    return true;
}

/* The payload is what the middlebox made of it, and may be longer or shorter: only the FIN tells where it
 * ends. */
static void forget_data_fin(struct braid_conn *c)
{
    c->recv.fin_known = c->recv.fin_received;
}

/* Both ends are plain TCP from here on. */
static void agreed(struct mp_subflow *s)
{
    struct braid_conn *c = s->conn;
    if (conn_is_mptcp(c))
        conn_fall_back(c, true);
    c->fallback.linear_from = 0; /* wherever on the subflow: no mapping counts any more */
    forget_data_fin(c);
    c->fallback.rx_failed = false;
    held_deliver(c, s, s->fail_dsn); /* as it came */
    take_early_fin(s);
}

void conn_mp_fail(struct mp_subflow *s, uint64_t dsn)
{
    struct braid_conn *c = s->conn;
    /* Section 3.7: of several subflows, or with gaps, the peer discards what came from dsn on, and it goes
     * over others. */
    if (!conn_may_fall_back(c)) {
        conn_reinject(c, dsn, c->send.nxt - dsn);
    } else if (c->fallback.rx_failed) {
        agreed(s); /* the answer to ours */
        /* The peer falls back with the next data that it sends, and may have no window for that: what it has
         * sent so far has mappings and waits for DATA_ACKs. */
        c->dss.keep_data_acks = true;
    } else {
        /* section 3.7: answered with an MP_FAIL, although our direction may be whole */
        s->fail_due = true;
        s->fail_dsn = c->recv.nxt;
        subflow_ack_soon(&s->tcp);
        forget_data_fin(c);
        conn_fall_back(c, true);
        c->fallback.fail_answered = true;
    }
}

void conn_infinite_mapping(struct mp_subflow *s, uint64_t off, uint64_t dsn)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_INFINITE_MAP_RX);
    c->dss.keep_data_acks = false; /* section 3.7: none behind it */
    if (c->fallback.rx_failed) {
        agreed(s);
        return;
    }
    if (!conn_may_fall_back(c) || seq64_before(c->recv.nxt, dsn) || (int64_t)off < 0) {
        flow_reset(s, MPTCP_RST_MIDDLEBOX); /* a gap would open: the data cannot be put in order */
        return;
    }
    if (conn_is_mptcp(c))
        conn_fall_back(c, true);
    c->fallback.delta = dsn - off;
    c->fallback.linear_from = off;
}
