/* What a subflow tells its connection (struct subflow_ops). src/tcp runs a subflow by itself and calls these
 * functions in the middle of its work, so they only note what follows; the flush of the connection acts on it
 * and frees the subflow (flush.c, ending.c). */
#include "mptcp/flow_events.h"

#include "mptcp/conn.h"
#include "mptcp/data_in.h"
#include "mptcp/data_timeout.h"
#include "mptcp/data_window.h"
#include "mptcp/fallback.h"
#include "mptcp/first_answer.h"
#include "mptcp/handshake.h"
#include "mptcp/marks.h"
#include "mptcp/news.h"
#include "mptcp/options_in.h"
#include "mptcp/options_out.h"
#include "mptcp/retries.h"
#include "mptcp/send_freeze.h"
#include "mptcp/sendbuf.h"
#include "mptcp/siblings.h"

/* The first subflow establishes the connection. A join was admitted before, by its HMAC (join_handshake.c),
 * and of ours it still takes the fourth ACK. */
static void flow_established(struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    (void)now;
    siblings_insert(s);
    conn_pm_established(s);
    if (!s->join) {
        syn_data_established(s);
        c->phase = CONN_ESTABLISHED;
        first_answer_await(c, now);
        /* the peer has proven its address: it takes none of the places that a flood of SYNs may fill */
        conn_half_open_end(c);
        c->handshake.established_due = true;
        s->confirmed = true;
        news_established(s);
        /* data left behind the SYN/ACK, whose DATA_ACK needs ours */
        if (conn_is_mptcp(c) && c->send.una != c->send.nxt) {
            subflow_ack_soon(sf);
            conn_arm_data_timer(c, now);
        }
    } else {
        /* there is somebody to send over again (break-before-make, section 3.3.3) */
        c->deadlines.gone = BRAID_NEVER;
        /* The data may be on two subflows from now on, as over a join of ours the peer may send as soon as it
         * has the third ACK: none of them could become the plain stream alone (section 3.7). */
        c->fallback.barred = true;
        if (sf->syn.passive) {
            s->confirmed = true;
            news_joined(s);
            /* the fourth ACK (section 3.2): conn_fourth_acks says when */
            subflow_ack_shortly(sf, now);
        } else {
            /* repeat the third ACK until the fourth comes: set by the flush */
            c->deadlines.join = 0;
            subflow_ack_soon(sf);
        }
    }
    conn_dirty(c);
}

/* In plain TCP the end of the data; with MPTCP that of one direction of this subflow (section 3.3.3). */
static void flow_fin(struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    (void)now;
    if (!conn_is_mptcp(c))
        conn_plain_fin(c);
    else if (s->bare && !c->recv.fin_received)
        /* Segments without options, and no end of data: the peer may have fallen back, and would take our FIN
         * in answer for the end of the whole stream. */
        flow_reset(s, MPTCP_RST_MIDDLEBOX);
    /* whether we close as well is decided by the flush (fins.c) */
    conn_pm_changed(c);
}

/* Path managers hear of it, since they may open another subflow. An answer takes it back (flush.c). */
static void flow_timeout(struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    (void)now;
    /* the first of a row */
    if (sf->rtt.backoff == 1)
        conn_count(s->conn, MP_SUBFLOW_STALE);
    /* and suspect at the flush, if others can do without it */
    s->silence.stale = true;
    conn_pm_changed(s->conn);
}

/* Pacing, a timer or an undo lets it send again: the scheduler has to be asked, at the flush. */
static void flow_wake(struct subflow *sf)
{
    conn_dirty(mp_subflow_of(sf)->conn);
}

/* It is freed by the flush (conn_reap): src/tcp is still at work on it. */
static void flow_closed(struct subflow *sf, enum subflow_closed why, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    (void)now;
    s->closing.dead = true;
    s->closing.why = why;
    conn_dirty(s->conn);
}

static struct tcp_keepalive flow_keepalive(const struct subflow *sf)
{
    return ((const struct mp_subflow *)sf)->conn->sockopt->keepalive;
}

const struct subflow_ops flow_ops = {
    .handshake = flow_handshake,
    .syn_again = flow_syn_again,
    .established = flow_established,
    .segment = flow_segment,
    .data = flow_data,
    .fin = flow_fin,
    .reset = flow_reset_in,
    .map_done = flow_map_done,
    .timeout = flow_timeout,
    .wake = flow_wake,
    .closed = flow_closed,
    .options_out = flow_options_out,
    .syn_payload = flow_syn_payload,
    .map_freeze = flow_map_freeze,
    .map_thaw = flow_map_thaw,
    .window = flow_window,
    .keepalive = flow_keepalive,
};
