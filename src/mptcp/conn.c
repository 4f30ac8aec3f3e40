/* The life of a connection: creation, the work of a flush, timers, and its end. */
#include "mptcp/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/seq.h"

#define DRAIN_TIME      (60 * BRAID_SECOND) /* for the subflows' FINs after both DATA_FINs */
#define ROOM_RETRY      (50 * BRAID_MS)     /* between looks for memory to write to */
#define ORPHAN_TIME     (60 * BRAID_SECOND) /* for the peer's DATA_FIN after the user released the connection */
#define JOIN_ACK_REPEAT (100 * BRAID_MS)
#define JOIN_ACK_TRIES  20

static void conn_fire(struct timer *t, braid_time now);

struct braid_conn *conn_new(struct mptcp_env *env, const struct cc_ops *cc, const struct sched_ops *sched,
                            braid_time now)
{
    struct braid_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->env = env;
    c->id = env->next_id++;
    c->cc = cc;
    c->sched.ops = sched;
    if (sched->init)
        sched->init(&c->sched);
    c->mem = (struct mem_account){.parent = &env->mem,
                                  .limit = 2 * (env->params.rcvbuf_max + env->params.sndbuf_max)};
    c->opened_at = now;
    c->rcvbuf_max = env->params.rcvbuf_max;
    c->sndbuf_max = env->params.sndbuf_max;
    c->keepalive_idle = env->params.keepalive_idle;
    c->user_timeout = env->params.stall;
    c->sndbuf = CONN_MIN_SNDBUF < env->params.sndbuf_max ? CONN_MIN_SNDBUF : env->params.sndbuf_max;
    c->rcvbuf = CONN_MIN_RCVBUF < env->params.rcvbuf_max ? CONN_MIN_RCVBUF : env->params.rcvbuf_max;
    c->data_rtx_at = c->addr_at = c->gone_at = c->join_at = c->room_at = c->stall_at = c->watch_at =
        c->pm.wake_at = BRAID_NEVER;
    c->sending.since = c->reading.since = BRAID_NEVER;
    c->why = BRAID_CLOSE_DONE;
    list_init(&c->subflows);
    list_init(&c->dirty_node);
    list_init(&c->listener_node);
    list_init(&c->chunks);
    list_init(&c->ooo);
    ranges_init(&c->reinject);
    timer_init(&c->timer, conn_fire);
    c->link.conn = c;
    list_append(&env->conns, &c->link.node);
    env->n_conns++;
    env->conns_total++;
    mem_take(&env->mem, mem_cost(sizeof(*c)));
    return c;
}

void conn_free(struct braid_conn *c)
{
    struct mptcp_env *env = c->env;
    c->phase = CONN_DEAD;
    while (!list_empty(&c->subflows))
        flow_free(list_entry(c->subflows.next, struct mp_subflow, node));
    env->bytes_in_past += c->rcv_user - DATA_FIRST;
    env->bytes_out_past += c->data_una - DATA_FIRST;
    conn_token_forget(c);
    conn_recv_free(c);
    conn_send_free(c);
    conn_pm_free(c);
    wheel_cancel(&env->tcp.wheel, &c->timer);
    list_remove(&c->dirty_node);
    list_remove(&c->listener_node);
    list_remove(&c->link.node);
    env->n_conns--;
    conn_half_open_end(c);
    mem_give(&env->mem, mem_cost(sizeof(*c)));
    assert(c->mem.used == 0);
    free(c);
}

void conn_half_open_end(struct braid_conn *c)
{
    if (c->half_open)
        c->env->n_half_open--;
    c->half_open = false;
}

void conn_dirty(struct braid_conn *c)
{
    if (list_empty(&c->dirty_node) && c->phase != CONN_DEAD)
        list_append(&c->env->dirty, &c->dirty_node);
}

const char *conn_state_text(const struct braid_conn *c)
{
    switch (c->phase) {
    case CONN_PENDING:
        return "CONNECTING_SERVER";
    case CONN_HANDSHAKE:
        return "SYN_RECEIVED";
    case CONN_ESTABLISHED:
        if (c->n_subflows == 0)
            return "NO_SUBFLOW";
        if (c->data_fin_received)
            return c->shutdown ? "LAST_ACK" : "CLOSE_WAIT";
        return c->shutdown ? "FIN_WAIT" : "ESTABLISHED";
    case CONN_DRAINING:
    case CONN_DEAD:
        break;
    }
    return "CLOSING";
}

/* ---- timers ---- */

void conn_rearm(struct braid_conn *c)
{
    braid_time at = c->data_rtx_at;
    const braid_time others[] = {c->addr_at,  c->gone_at,  c->join_at,   c->room_at,
                                 c->stall_at, c->watch_at, c->pm.wake_at};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        no_later(&at, others[i]);
    if (at == c->timer.at)
        return;
    if (at == BRAID_NEVER)
        wheel_cancel(&c->env->tcp.wheel, &c->timer);
    else
        wheel_arm(&c->env->tcp.wheel, &c->timer, at);
}

/* Repeats the third ACKs of our joins until their fourth comes. */
static void repeat_join_acks(struct braid_conn *c, braid_time now)
{
    bool waiting = false;
    c->join_at = BRAID_NEVER;
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->dead || s->confirmed || s->tcp.state != TCP_STATE_ESTABLISHED)
            continue;
        if (c->join_tries >= JOIN_ACK_TRIES) {
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
            continue;
        }
        subflow_ack_at_once(&s->tcp, now);
        waiting = true;
    }
    c->join_tries = waiting ? c->join_tries + 1 : 0;
    if (waiting)
        c->join_at = now + JOIN_ACK_REPEAT;
}

static void conn_fire(struct timer *t, braid_time now)
{
    struct braid_conn *c = list_entry(t, struct braid_conn, timer);
    if (c->data_rtx_at <= now)
        conn_data_timeout(c, now);
    if (c->addr_at <= now)
        conn_addr_timeout(c, now);
    if (c->join_at <= now)
        repeat_join_acks(c, now);
    if (c->stall_at <= now)
        conn_stall_timeout(c, now);
    if (c->pm.wake_at <= now) {
        c->pm.wake_at = BRAID_NEVER;
        c->pm.changed = true;
    }
    if (c->watch_at <= now)
        c->watch_at = BRAID_NEVER; /* the flush looks, and says when again */
    if (c->room_at <= now)
        c->room_at = BRAID_NEVER; /* the flush looks whether there is memory now */
    if (c->gone_at <= now) {
        c->gone_at = BRAID_NEVER;
        if (c->phase == CONN_ESTABLISHED)
            conn_count(c, MP_CONN_TIMEOUT);
        conn_fail(c, BRAID_CLOSE_TIMEOUT, true);
    }
    conn_dirty(c);
    conn_rearm(c);
}

/* ---- the end ---- */

void conn_fail(struct braid_conn *c, enum braid_close why, bool fastclose)
{
    if (c->fail_due || c->phase == CONN_DEAD)
        return;
    c->fail_due = true;
    c->fastclose = fastclose;
    if (!c->closed_told)
        c->why = why;
    conn_dirty(c);
}

static void tell_closed(struct braid_conn *c)
{
    if (c->closed_told)
        return;
    c->closed_told = true;
    bool known = !c->passive || c->incoming_told; /* a RST may come in the batch of its SYN */
    if (known && c->ops && c->ops->closed)
        c->ops->closed(c, c->user, c->why);
    c->ops = NULL;
}

/* Resets what subflows there are, and is gone. */
static void carry_out_failure(struct braid_conn *c, braid_time now)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->dead)
            continue;
        if (c->phase == CONN_PENDING) {
            c->env->ops->refuse(c->env, s, BRAID_REFUSE_RESET);
            continue;
        }
        if (c->fastclose && conn_is_mptcp(c) && c->was_mptcp && subflow_synchronized(&s->tcp))
            c->env->ops->aborted(c->env, s);
        subflow_reset(&s->tcp, now);
    }
    tell_closed(c);
    c->phase = CONN_DEAD;
}

/* Why the connection ends if this was its only subflow, and MPTCP does not keep it alive. */
static enum braid_close why_of(const struct mp_subflow *s)
{
    switch (s->why) {
    case SUBFLOW_CLOSED_DONE:
        return BRAID_CLOSE_DONE;
    case SUBFLOW_CLOSED_RST:
        return BRAID_CLOSE_RESET;
    case SUBFLOW_CLOSED_REFUSED:
        return BRAID_CLOSE_REFUSED;
    case SUBFLOW_CLOSED_TIMEOUT:
        return BRAID_CLOSE_TIMEOUT;
    case SUBFLOW_CLOSED_UNREACHABLE:
        return BRAID_CLOSE_UNREACHABLE;
    case SUBFLOW_CLOSED_LOCAL:
        break;
    }
    return BRAID_CLOSE_PROTOCOL;
}

void conn_await_revival(struct braid_conn *c, braid_time now)
{
    if (c->data_fin_received && c->data_fin_acked)
        return; /* all that is missing is the user's reading */
    no_later(&c->gone_at, now + c->env->params.break_before_make);
}

/* The last subflow is gone. */
static void all_gone(struct braid_conn *c, enum braid_close why, braid_time now)
{
    if (c->phase == CONN_DRAINING || !conn_is_mptcp(c) || c->phase < CONN_ESTABLISHED) {
        if (c->phase != CONN_DRAINING && !c->closed_told)
            c->why = why;
        c->ended = true;
        if (why != BRAID_CLOSE_DONE)
            c->fail_due = true;
    } else {
        conn_await_revival(c, now);
    }
}

/* Takes away subflows that ended, or that are to be reset. */
static void reap(struct braid_conn *c, braid_time now)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->reset_due && !s->dead) {
            subflow_reset(&s->tcp, now);
            s->dead = true;
            s->why = SUBFLOW_CLOSED_LOCAL;
        }
        if (!s->dead)
            continue;
        enum braid_close why = why_of(s);
        conn_pm_ended(s, now);
        flow_free(s);
        if (c->n_subflows == 0)
            all_gone(c, why, now);
        else if (c->phase == CONN_ESTABLISHED && conn_alone(c))
            conn_await_revival(c, now);
    }
}

/* Both directions have ended at the data level: the user is done, the subflows follow. A join whose handshake
 * is under way has carried nothing, and its peer may have forgotten it. */
static void start_draining(struct braid_conn *c, braid_time now)
{
    c->phase = CONN_DRAINING;
    c->gone_at = now + DRAIN_TIME;
    c->data_rtx_at = BRAID_NEVER;
    conn_token_forget(c);
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (!s->dead && subflow_synchronized(&s->tcp))
            subflow_close(&s->tcp, now);
        else if (!s->dead)
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
    }
    tell_closed(c);
    if (c->n_subflows == 0)
        c->fail_due = true;
}

/* The user has to be asked, or has to give an answer. */
static bool is_pending(const struct braid_conn *c)
{
    return c->phase == CONN_PENDING || (c->stateless && !c->accept_due);
}

/* A SYN waits for the user's answer, or the user has given one. */
static void answer_pending(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *first = list_entry(c->subflows.next, struct mp_subflow, node);
    if (!c->incoming_told) {
        c->incoming_told = true;
        c->ops->incoming(c->incoming_ctx, c);
    }
    if (c->stateless) { /* the client was answered long ago */
        if (c->refuse_due)
            conn_fail(c, BRAID_CLOSE_ABORTED, true);
    } else if (c->refuse_due) {
        c->env->ops->refuse(c->env, first, c->refusal);
        c->closed_told = true;
        c->phase = CONN_DEAD;
    } else if (c->accept_due) {
        c->phase = CONN_HANDSHAKE;
        subflow_answer(&first->tcp, now);
    }
}

/* ---- the flush ---- */

static void call_user(struct braid_conn *c, braid_time now)
{
    if (c->established_due) {
        c->established_due = false;
        if (c->ops && c->ops->established)
            c->ops->established(c, c->user);
    }
    if (c->news) {
        c->news = false; /* also when nobody listens any more: the end does not wait for that */
        if (c->ops && c->ops->readable)
            c->ops->readable(c, c->user);
    }
    conn_recv_settle(c, now);
    uint64_t used = c->data_end - c->data_una;
    if (c->starved)
        c->starved = !conn_send_has_memory(c);
    if (c->want_writable && !c->starved && c->ops && !c->shutdown && used < c->sndbuf - c->sndbuf / 4) {
        c->want_writable = false;
        if (c->ops->writable)
            c->ops->writable(c, c->user);
    }
}

/* Sends our end of data when all data is on its way. */
static void push_end(struct braid_conn *c, braid_time now)
{
    if (!c->shutdown || c->data_nxt != c->data_end)
        return;
    if (!conn_is_mptcp(c)) {
        list_each (n, tmp, &c->subflows) {
            struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
            if (!s->dead && !s->tcp.fin.wanted)
                subflow_close(&s->tcp, now);
        }
    } else if (!c->data_fin_sent) {
        c->data_fin_sent = true;
        list_each (n, tmp, &c->subflows) {
            struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
            if (flow_usable(s))
                subflow_ack_at_once(&s->tcp, now);
        }
        conn_arm_data_timer(c, now);
    }
}

/* The peer has everything that the user wrote. */
static bool all_delivered(const struct braid_conn *c)
{
    return c->data_una == c->data_end && (!c->shutdown || !conn_is_mptcp(c) || c->data_fin_acked);
}

/* Our FIN on it carries the DATA_ACK: it is to be sent, or, when all has ended, repeated until it is
 * acknowledged. */
static bool fin_acknowledges(const struct mp_subflow *s)
{
    const struct subflow *t = &s->tcp;
    bool draining = s->conn->phase == CONN_DRAINING;
    return t->fin.wanted && (!t->fin.sent || (draining && t->snd.una <= t->fin.off));
}

static void flush_flows(struct braid_conn *c, braid_time now)
{
    if (c->ack_all && conn_is_mptcp(c)) {
        c->ack_all = false;
        list_each (n, tmp, &c->subflows) {
            struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
            if (!s->dead && s->confirmed && !fin_acknowledges(s))
                subflow_ack_soon(&s->tcp);
        }
    }
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->stale && s->tcp.rtt.backoff == 0) {
            s->stale = false;
            conn_count(c, MP_SUBFLOW_RECOVER);
        }
        if (s->join && !s->confirmed && s->tcp.state == TCP_STATE_ESTABLISHED && c->join_at == 0)
            c->join_at = now + JOIN_ACK_REPEAT;
        if (!s->dead)
            subflow_flush(&s->tcp, now);
        path_account(s);
    }
}

void conn_flush(struct braid_conn *c, braid_time now)
{
    reap(c, now);
    if (!c->fail_due && is_pending(c) && c->n_subflows > 0) {
        answer_pending(c, now);
        if (c->phase == CONN_DEAD)
            return;
    }
    if (!c->fail_due && c->phase == CONN_ESTABLISHED && !is_pending(c))
        call_user(c, now);
    list_remove(&c->dirty_node); /* what the callbacks did is dealt with here */
    if (c->abort_due && all_delivered(c))
        conn_fail(c, BRAID_CLOSE_ABORTED, true);
    if (!c->ops && c->phase == CONN_ESTABLISHED && c->gone_at == BRAID_NEVER)
        c->gone_at = now + ORPHAN_TIME;
    if (!c->fail_due && c->phase == CONN_ESTABLISHED) {
        if (conn_is_mptcp(c))
            conn_answer_fins(c, now);
        conn_pm_update(c, now);
        conn_push(c, now);
        push_end(c, now);
        if (conn_is_mptcp(c))
            conn_addr_flush(c, now);
        if (conn_is_mptcp(c) && c->data_fin_received && c->data_fin_acked && c->rcv_bytes == 0)
            start_draining(c, now);
    }
    if (!c->fail_due)
        flush_flows(c, now);
    reap(c, now);
    if (c->ended && c->rcv_bytes == 0 && !c->news)
        c->fail_due = true;
    if (c->fail_due) {
        carry_out_failure(c, now);
        return;
    }
    /* What others give back wakes nobody here. */
    c->room_at = c->want_writable && c->starved ? now + ROOM_RETRY : BRAID_NEVER;
    conn_note_stall(c, now);
    conn_rearm(c);
}
