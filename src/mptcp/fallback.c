/* Falling back to plain TCP in the middle of a connection (RFC 8684 section 3.7): when a middlebox takes
 * options away or changes payload. Possible only while the first subflow is the only one there ever was. */
#include "base/seq.h"
#include "mptcp/conn.h"

bool conn_may_fall_back(const struct braid_conn *c)
{
    return !c->ever_joined && c->n_subflows == 1 && list_empty(&c->ooo);
}

void conn_fall_back(struct braid_conn *c, bool announce)
{
    struct mp_subflow *s = list_entry(c->subflows.next, struct mp_subflow, node);
    c->mode = MODE_FALLBACK;
    c->infinite_due = announce;
    c->data_rtx_at = BRAID_NEVER;
    c->rcv_linear_from = LINEAR_UNKNOWN;
    s->echo_mp_capable = false;
    conn_token_forget(c);
    if (list_empty(&s->tcp.maps))
        c->data_una = c->data_nxt; /* acknowledged by the subflow, which is all that counts now */
    ranges_free(&c->reinject);
    ranges_init(&c->reinject);
    c->data_edge = c->data_una + NO_DATA_WINDOW;
    c->data_fin_sent = false;
    conn_dirty(c);
}

void conn_checksum_failed(struct mp_subflow *s, uint64_t dsn)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_DATA_CSUM_ERR);
    s->fail_due = true;
    s->fail_dsn = dsn;
    if (!conn_may_fall_back(c)) {
        flow_reset(s, MPTCP_RST_MIDDLEBOX);
        return;
    }
    c->rx_failed = true;
    subflow_ack_soon(&s->tcp);
    conn_dirty(c);
}

void conn_mp_fail(struct mp_subflow *s, uint64_t dsn)
{
    struct braid_conn *c = s->conn;
    if (!conn_may_fall_back(c)) {
        conn_reinject(c, dsn, c->data_nxt - dsn);
        return;
    }
    if (!c->rx_failed) { /* otherwise this is the answer to ours */
        s->fail_due = true;
        s->fail_dsn = c->data_rcv_nxt;
        subflow_ack_at_once(&s->tcp, s->tcp.last_recv);
    }
    uint64_t from =
        c->data_una; /* sent again from the first byte not DATA_ACKed, behind an infinite mapping */
    conn_fall_back(c, false);
    c->data_una = c->data_nxt = from;
    c->linear_snd_from = s->tcp.snd_nxt;
    c->cursor = NULL;
    c->infinite_due = true;
}

void conn_infinite_mapping(struct mp_subflow *s, uint64_t off, uint64_t dsn)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_INFINITE_MAP_RX);
    if (!conn_may_fall_back(c) || seq64_before(c->data_rcv_nxt, dsn)) {
        flow_reset(s, MPTCP_RST_MIDDLEBOX); /* a gap would open: the data cannot be put in order */
        return;
    }
    if (conn_is_mptcp(c))
        conn_fall_back(c, true);
    c->rcv_delta = dsn - off;
    c->rcv_linear_from = off;
    c->rx_failed = false;
}
