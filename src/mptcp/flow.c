/* Birth and death of a subflow: its place among those of its connection, in the core's tables, and its
 * memory. */
#include "mptcp/flow.h"

#include <stdlib.h>

#include "mptcp/conn.h"
#include "mptcp/flow_events.h"
#include "mptcp/reinject.h"
#include "mptcp/rules.h"
#include "mptcp/rxmap.h"
#include "mptcp/siblings.h"
#include "mptcp/silent_paths.h"

/* What points to s in the list of its connection; NULL: to its end. */
static struct mp_subflow **place_of(struct braid_conn *c, const struct mp_subflow *s)
{
    struct mp_subflow **at = &c->subflows;
    while (*at != s)
        at = &(*at)->next;
    return at;
}

struct mp_subflow *flow_new(struct braid_conn *c, const struct braid_addr *local,
                            const struct braid_addr *remote)
{
    struct mp_subflow *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->conn = c;
    s->closing.rst_reason = s->closing.peer_rst = -1;
    s->tcp.env = &c->env->tcp;
    s->tcp.account = &c->mem;
    /* who serves will mostly answer a request soon, and the answer acknowledges it (src/tcp/ack_due.c) */
    s->tcp.ack.patient = c->handshake.passive;
    s->tcp.local = *local;
    s->tcp.remote = *remote;
    /* once: a rule holds for the subflow's whole life, whose bytes it counts */
    s->tcp.books = &rules_find(&c->env->rules, &local->ip, &remote->ip)->books;
    /* fixed, so that the size of segments does not change with the width of the peer's numbers */
    s->tcp.size.reserve = conn_is_mptcp(c) ? FLOW_DSS_MOST : 0;
    s->tcp.size.most = c->sockopt->most;
    s->tcp.size.traffic_class = c->sockopt->traffic_class;
    if (c->env->ops->flow_add(c->env, s) < 0) {
        free(s);
        return NULL;
    }
    s->id = c->next_subflow_id++;
    *place_of(c, NULL) = s;
    c->n_subflows++;
    c->env->n_subflows++;
    rule_enter(rule_of(s));
    /* the struct to the core, what it carries to the connection (tcp.account) */
    mem_take(&c->env->mem, mem_cost(sizeof(*s)));
    return s;
}

void flow_free(struct mp_subflow *s)
{
    struct braid_conn *c = s->conn;
    /* before subflow_destroy frees the mappings */
    conn_reinject_flow(s);
    /* what it carried since the last flush */
    rule_account(s);
    /* coupled congestion controls of the others must not walk over it any more */
    siblings_remove(s);
    c->env->ops->flow_remove(c->env, s);
    /* RFC 9293 section 3.6.1: the 4-tuple stays taken for a while, in an entry much smaller than a subflow.
     */
    if (s->tcp.state == TCP_STATE_TIME_WAIT)
        c->env->ops->time_wait(c->env, s);
    *place_of(c, s) = s->next;
    c->n_subflows--;
    c->env->n_subflows--;
    mem_give(&c->env->mem, mem_cost(sizeof(*s)));
    subflow_destroy(&s->tcp);
    rxmap_free(&s->rxmap);
    flow_doubt_free(s);
    rule_leave(rule_of(s)); /* whose books were kept until now */
    free(s);
}
