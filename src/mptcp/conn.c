/* Birth and death of a connection. */
#include "mptcp/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "mptcp/conn_timers.h"
#include "mptcp/data_in.h"
#include "mptcp/flow.h"
#include "mptcp/handshake.h"
#include "mptcp/known.h"
#include "mptcp/news.h"
#include "mptcp/sched_state.h"
#include "mptcp/sendbuf.h"
#include "mptcp/tapped.h"
#include "mptcp/tokens.h"

struct braid_conn *conn_new(struct mptcp_env *env, const struct cc_ops *cc, const struct sched_ops *sched,
                            braid_time now)
{
    struct braid_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->env = env;
    if (!conn_sched_use(c, sched)) {
        free(c);
        return NULL;
    }
    c->id = env->next_id++;
    c->cc = cc;
    c->mem = (struct mem_account){.parent = &env->mem, .limit = conn_memory_limit(env)};
    c->opened_at = now;
    c->sockopt = &env->sockopt;
    c->send.sndbuf = CONN_MIN_SNDBUF < env->params.sndbuf_max ? CONN_MIN_SNDBUF : env->params.sndbuf_max;
    c->recv.rcvbuf = CONN_MIN_RCVBUF < env->params.rcvbuf_max ? CONN_MIN_RCVBUF : env->params.rcvbuf_max;
    /* 0, as calloc left them, would be due at once */
    c->deadlines.data_rtx = c->deadlines.addr = c->deadlines.gone = c->deadlines.join = c->deadlines.room =
        c->deadlines.stall = c->deadlines.watch = c->deadlines.pm = BRAID_NEVER;
    c->stall.sending.since = c->stall.reading.since = BRAID_NEVER;
    c->closing.why = BRAID_CLOSE_DONE;
    c->keys.version = MPTCP_NEWEST;
    list_init(&c->dirty_node);
    conn_send_init(c);
    conn_recv_init(c);
    list_init(&c->send.chunks);
    ranges_init(&c->send.reinject);
    timer_init(&c->deadlines.timer, conn_fire);
    c->link.conn = c;
    /* at the end, so that the list stays in the order of ids, by which walks go on where they stopped */
    list_append(&env->conns, &c->link.node);
    env->n_conns++;
    env->conns_total++;
    /* not to its own account, which is limited by its buffers, and is for what fills them */
    mem_take(&env->mem, mem_cost(sizeof(*c)));
    return c;
}

#define SOCKOPT_COST mem_cost(sizeof(struct conn_sockopt))

static void free_sockopt(struct braid_conn *c)
{
    if (c->sockopt == &c->env->sockopt)
        return;
    mem_give(&c->env->mem, SOCKOPT_COST);
    free((struct conn_sockopt *)c->sockopt);
}

struct conn_sockopt *conn_own_sockopt(struct braid_conn *c)
{
    if (c->sockopt != &c->env->sockopt)
        return (struct conn_sockopt *)c->sockopt; /* which is const for those who only read */
    struct conn_sockopt *own = malloc(sizeof(*own));
    if (!own)
        return NULL;
    *own = *c->sockopt;
    mem_take(&c->env->mem, SOCKOPT_COST);
    c->sockopt = own;
    return own;
}

void conn_free(struct braid_conn *c)
{
    struct mptcp_env *env = c->env;
    /* before its subflows go: what they had in flight is no longer put up for reinjection, and nothing marks
     * it for a flush that would find it freed */
    c->phase = CONN_DEAD;
    conn_tap(c, BRAID_TAP_GONE, 0);
    news_closed(c);
    while (c->subflows)
        flow_free(c->subflows);
    /* totals of the core outlive its connections */
    env->bytes_in_past += conn_bytes_read(c);
    env->bytes_out_past += conn_bytes_delivered(c);
    conn_token_forget(c);
    conn_recv_free(c);
    conn_send_free(c);
    conn_know_nothing(c);
    conn_sched_free(c);
    free_sockopt(c);
    wheel_cancel(&env->tcp.wheel, &c->deadlines.timer);
    list_remove(&c->dirty_node);
    list_remove(&c->link.node);
    env->n_conns--;
    conn_half_open_end(c);
    mem_give(&env->mem, mem_cost(sizeof(*c)));
    /* whoever held a buffer that is charged to it would give it back to an account that is gone */
    assert(c->mem.used == 0);
    free(c);
}
