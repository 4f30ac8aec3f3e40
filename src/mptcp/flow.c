/* Subflows of a connection: making, watching and ending them. src/tcp runs a subflow by itself and tells what
 * happens by the functions at the end of this file. They are called in the middle of its work, so they only
 * note what follows; the connection's flush acts on it and frees the subflow (conn.c). */
#include "mptcp/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mptcp/conn.h"
#include "mptcp/data_in.h"
#include "mptcp/data_window.h"
#include "mptcp/fallback.h"
#include "mptcp/marks.h"
#include "mptcp/options_in.h"
#include "mptcp/options_out.h"
#include "mptcp/reinject.h"
#include "mptcp/retries.h"
#include "mptcp/rules.h"
#include "mptcp/rxmap.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"

struct mp_subflow *flow_new(struct braid_conn *c, const struct braid_addr *local,
                            const struct braid_addr *remote)
{
    struct mp_subflow *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->conn = c;
    s->closing.rst_reason = s->closing.peer_rst = -1;
    s->established_at = BRAID_NEVER;
    s->tcp.ops = &flow_ops;
    s->tcp.env = &c->env->tcp;
    s->tcp.account = s->rxmap.account = &c->mem;
    s->tcp.ack.patient = c->handshake.passive;
    s->tcp.local = *local;
    s->tcp.remote = *remote;
    s->rule = rules_find(&c->env->rules, &local->ip, &remote->ip);
    /* Bytes of option space for the longest DSS (section 3.3): 64-bit DATA_ACK and DSN, and a checksum.
     * Fixed, so that the size of segments does not change with the width of the peer's numbers. */
    s->tcp.size.reserve = conn_is_mptcp(c) ? 28 : 0;
    if (c->env->ops->flow_add(c->env, s) < 0) {
        free(s);
        return NULL;
    }
    s->id = c->next_subflow_id++;
    list_append(&c->subflows, &s->node);
    c->n_subflows++;
    c->env->n_subflows++;
    if (s->rule)
        s->rule->subflows++;
    mem_take(&c->env->mem, mem_cost(sizeof(*s)));
    return s;
}

/* Puts the congestion state into the ring of its established siblings; once, when it is established itself:
 * the window of a handshake says nothing to coupled algorithms. */
static void ring_insert(struct mp_subflow *s)
{
    list_each (n, tmp, &s->conn->subflows) {
        struct mp_subflow *o = list_entry(n, struct mp_subflow, node);
        if (o != s && !o->closing.dead && subflow_synchronized(&o->tcp)) {
            s->tcp.cc.group_next = o->tcp.cc.group_next;
            o->tcp.cc.group_next = &s->tcp.cc;
            return;
        }
    }
    s->tcp.cc.group_next = &s->tcp.cc;
}

static void ring_remove(struct mp_subflow *s)
{
    struct cc *me = &s->tcp.cc;
    if (!me->group_next)
        return;
    struct cc *prev = me;
    while (prev->group_next != me)
        prev = prev->group_next;
    prev->group_next = me->group_next;
    me->group_next = me;
}

void flow_free(struct mp_subflow *s)
{
    struct braid_conn *c = s->conn;
    /* before subflow_destroy frees the mappings */
    conn_reinject_flow(s);
    rule_account(s);
    if (s->rule)
        s->rule->subflows--;
    ring_remove(s);
    c->env->ops->flow_remove(c->env, s);
    /* RFC 9293 section 3.6.1: the 4-tuple stays taken for a while, in an entry much smaller than a subflow.
     */
    if (s->tcp.state == TCP_STATE_TIME_WAIT)
        c->env->ops->time_wait(c->env, s);
    list_remove(&s->node);
    c->n_subflows--;
    c->env->n_subflows--;
    mem_give(&c->env->mem, mem_cost(sizeof(*s)));
    subflow_destroy(&s->tcp);
    rxmap_free(&s->rxmap);
    flow_doubt_free(s);
    free(s);
}

/* ---- what the subflow tells ---- */

static void flow_established(struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    ring_insert(s);
    conn_pm_established(s, now);
    subflow_set_keepalive(sf, c->sockopt.keepalive_idle);
    if (!s->join) {
        c->phase = CONN_ESTABLISHED;
        conn_half_open_end(c);
        c->handshake.established_due = true;
        s->confirmed = true;
    } else {
        /* there is somebody to send over again (break-before-make, section 3.3.3) */
        c->deadlines.gone = BRAID_NEVER;
        c->fallback.barred = true; /* the peer may send data as soon as it has our ACK */
        if (sf->syn.passive)
            s->confirmed = true;
        else
            c->deadlines.join = 0; /* repeat the third ACK until the fourth comes: set by the flush */
        subflow_ack_soon(sf);      /* the third ACK, or the fourth (section 3.2) */
    }
    conn_dirty(c);
}

static void flow_fin(struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    (void)now;
    if (!conn_is_mptcp(c))
        conn_plain_fin(c);
    else if (s->bare && !c->recv.fin_received)
        flow_reset(s, MPTCP_RST_MIDDLEBOX); /* a peer that fell back would take our FIN for the end */
    conn_pm_changed(c);                     /* whether we close as well is decided by the flush (fins.c) */
}

static void flow_timeout(struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    (void)now;
    /* the first of a row */
    if (sf->rtt.backoff == 1)
        conn_count(s->conn, MP_SUBFLOW_STALE);
    s->silence.stale = true; /* and suspect at the flush, if others can do without it */
    conn_pm_changed(s->conn);
}

static void flow_wake(struct subflow *sf)
{
    conn_dirty(mp_subflow_of(sf)->conn);
}

static void flow_closed(struct subflow *sf, enum subflow_closed why, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    (void)now;
    s->closing.dead = true;
    s->closing.why = why;
    conn_dirty(s->conn);
}

const struct subflow_ops flow_ops = {
    .handshake = flow_handshake,
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
    .window = flow_window,
};
