/* The life of a connection: creation, the work of a flush, timers, and its end. Packets, timers and the
 * user's calls leave marks (marks.c); a flush follows once per turn of the worker's loop and does, in a fixed
 * order, what they ask for: subflows that ended go, the user is called, data is scheduled, signals and ACKs
 * leave, and who has to end ends. A connection ends as CONN_DEAD, in conn_flush alone, whose caller then
 * frees it. */
#include "mptcp/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/seq.h"
#include "mptcp/alone.h"
#include "mptcp/announce.h"
#include "mptcp/choice.h"
#include "mptcp/data_in.h"
#include "mptcp/data_timeout.h"
#include "mptcp/data_window.h"
#include "mptcp/fins.h"
#include "mptcp/flow_state.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"
#include "mptcp/path_manager.h"
#include "mptcp/retire.h"
#include "mptcp/retries.h"
#include "mptcp/rules.h"
#include "mptcp/sched_state.h"
#include "mptcp/sendbuf.h"
#include "mptcp/stall.h"
#include "mptcp/tokens.h"

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
    if (!conn_sched_use(c, sched)) {
        free(c);
        return NULL;
    }
    c->id = env->next_id++;
    c->cc = cc;
    /* Twice the buffers: they are charged at what they take from the heap, and mappings of slow subflows hold
     * bytes that are DATA_ACKed. */
    c->mem = (struct mem_account){.parent = &env->mem,
                                  .limit = 2 * (env->params.rcvbuf_max + env->params.sndbuf_max)};
    c->opened_at = now;
    c->sockopt.rcvbuf_max = env->params.rcvbuf_max;
    c->sockopt.sndbuf_max = env->params.sndbuf_max;
    c->sockopt.keepalive_idle = env->params.keepalive_idle;
    c->sockopt.user_timeout = env->params.stall;
    c->send.sndbuf = CONN_MIN_SNDBUF < env->params.sndbuf_max ? CONN_MIN_SNDBUF : env->params.sndbuf_max;
    c->recv.rcvbuf = CONN_MIN_RCVBUF < env->params.rcvbuf_max ? CONN_MIN_RCVBUF : env->params.rcvbuf_max;
    c->deadlines.data_rtx = c->deadlines.addr = c->deadlines.gone = c->deadlines.join = c->deadlines.room =
        c->deadlines.stall = c->deadlines.watch = c->deadlines.pm = BRAID_NEVER;
    c->stall.sending.since = c->stall.reading.since = BRAID_NEVER;
    c->closing.why = BRAID_CLOSE_DONE;
    list_init(&c->subflows);
    list_init(&c->dirty_node);
    list_init(&c->handshake.listener_node);
    list_init(&c->send.chunks);
    ranges_init(&c->send.reinject);
    timer_init(&c->deadlines.timer, conn_fire);
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
    /* totals of the core outlive its connections */
    env->bytes_in_past += c->recv.user - DATA_FIRST;
    env->bytes_out_past += c->send.una - DATA_FIRST;
    conn_token_forget(c);
    conn_recv_free(c);
    conn_send_free(c);
    conn_know_nothing(c);
    conn_sched_free(c);
    wheel_cancel(&env->tcp.wheel, &c->deadlines.timer);
    list_remove(&c->dirty_node);
    list_remove(&c->handshake.listener_node);
    list_remove(&c->link.node);
    env->n_conns--;
    conn_half_open_end(c);
    mem_give(&env->mem, mem_cost(sizeof(*c)));
    assert(c->mem.used == 0);
    free(c);
}

/* May be called at any time: each connection is counted off once. */
void conn_half_open_end(struct braid_conn *c)
{
    if (c->handshake.half_open)
        c->env->n_half_open--;
    c->handshake.half_open = false;
}

/* ---- timers ---- */

/* One timer for all deadlines: connections are many, and most have none that is near. */
void conn_rearm(struct braid_conn *c)
{
    braid_time at = c->deadlines.data_rtx;
    const braid_time others[] = {c->deadlines.addr,  c->deadlines.gone,  c->deadlines.join, c->deadlines.room,
                                 c->deadlines.stall, c->deadlines.watch, c->deadlines.pm};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        no_later(&at, others[i]);
    if (at == c->deadlines.timer.at)
        return;
    if (at == BRAID_NEVER)
        wheel_cancel(&c->env->tcp.wheel, &c->deadlines.timer);
    else
        wheel_arm(&c->env->tcp.wheel, &c->deadlines.timer, at);
}

/* Repeats the third ACKs of our joins until their fourth comes (section 3.2: without it the subflow is not
 * established and must not carry data). Linux does so every 8 ms or so; one that is not answered two seconds
 * long leads nowhere. */
static void repeat_join_acks(struct braid_conn *c, braid_time now)
{
    bool waiting = false;
    c->deadlines.join = BRAID_NEVER;
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->closing.dead || s->confirmed || s->tcp.state != TCP_STATE_ESTABLISHED)
            continue;
        if (c->join.tries >= JOIN_ACK_TRIES) {
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
            continue;
        }
        subflow_ack_at_once(&s->tcp, now);
        waiting = true;
    }
    c->join.tries = waiting ? c->join.tries + 1 : 0;
    if (waiting)
        c->deadlines.join = now + JOIN_ACK_REPEAT;
}

static void conn_fire(struct timer *t, braid_time now)
{
    struct braid_conn *c = list_entry(t, struct braid_conn, deadlines.timer);
    if (c->deadlines.data_rtx <= now)
        conn_data_timeout(c, now);
    if (c->deadlines.addr <= now) {
        c->deadlines.addr = BRAID_NEVER;
        conn_announce_timeout(c, now);
        conn_retire_timeout(c, now);
    }
    if (c->deadlines.join <= now)
        repeat_join_acks(c, now);
    if (c->deadlines.stall <= now)
        conn_stall_timeout(c, now);
    if (c->deadlines.pm <= now) {
        c->deadlines.pm = BRAID_NEVER;
        c->pm.changed = true;
    }
    if (c->deadlines.watch <= now)
        c->deadlines.watch = BRAID_NEVER; /* the flush looks, and says when again */
    if (c->deadlines.room <= now)
        c->deadlines.room = BRAID_NEVER; /* the flush looks whether there is memory now */
    if (c->deadlines.gone <= now) {
        c->deadlines.gone = BRAID_NEVER;
        if (c->phase == CONN_ESTABLISHED)
            conn_count(c, MP_CONN_TIMEOUT);
        conn_fail(c, BRAID_CLOSE_TIMEOUT, true);
    }
    conn_dirty(c);
    conn_rearm(c);
}

/* ---- the end ---- */

/* The user hears of the end once, and of nothing afterwards. */
static void tell_closed(struct braid_conn *c)
{
    if (c->closing.told)
        return;
    c->closing.told = true;
    bool known =
        !c->handshake.passive || c->handshake.incoming_told; /* a RST may come in the batch of its SYN */
    if (known && c->ops && c->ops->closed)
        c->ops->closed(c, c->user, c->closing.why);
    c->ops = NULL;
}

/* Resets what subflows there are, and is gone. The table of TIME_WAIT answers with the same what still comes:
 * the RSTs may be lost. */
static void carry_out_failure(struct braid_conn *c, braid_time now)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->closing.dead)
            continue;
        /* its SYN was not answered: nothing but a refusal of the SYN fits */
        if (c->phase == CONN_PENDING) {
            c->env->ops->refuse(c->env, s, BRAID_REFUSE_RESET);
            continue;
        }
        if (c->closing.fastclose && conn_is_mptcp(c) && c->fallback.was_mptcp &&
            subflow_synchronized(&s->tcp))
            c->env->ops->aborted(c->env, s);
        subflow_reset(&s->tcp, now);
    }
    tell_closed(c);
    c->phase = CONN_DEAD;
}

/* Why the connection ends if this was its only subflow, and MPTCP does not keep it alive. */
static enum braid_close why_of(const struct mp_subflow *s)
{
    switch (s->closing.why) {
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

/* The last subflow is gone. MPTCP lives on for a while without any (section 3.3.3, break-before-make); plain
 * TCP ends with it, and so do handshakes and what has nothing more to exchange. */
static void all_gone(struct braid_conn *c, enum braid_close why, braid_time now)
{
    if (c->phase == CONN_DRAINING || !conn_is_mptcp(c) || c->phase < CONN_ESTABLISHED) {
        if (c->phase != CONN_DRAINING && !c->closing.told)
            c->closing.why = why;
        c->closing.ended = true;
        if (why != BRAID_CLOSE_DONE)
            c->closing.fail_due = true;
    } else {
        conn_await_revival(c, now);
    }
}

/* Takes away subflows that ended, or that are to be reset. */
static void reap(struct braid_conn *c, braid_time now)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->closing.reset_due && !s->closing.dead) {
            subflow_reset(&s->tcp, now);
            s->closing.dead = true;
            s->closing.why = SUBFLOW_CLOSED_LOCAL;
        }
        if (!s->closing.dead)
            continue;
        enum braid_close why = why_of(s);
        /* while the subflow can still say what became of it */
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
    c->deadlines.gone = now + DRAIN_TIME;
    c->deadlines.data_rtx = BRAID_NEVER;
    conn_token_forget(c);
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (!s->closing.dead && subflow_synchronized(&s->tcp))
            subflow_close(&s->tcp, now);
        else if (!s->closing.dead)
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
    }
    tell_closed(c);
    if (c->n_subflows == 0)
        c->closing.fail_due = true;
}

/* The user has to be asked, or has to give an answer. */
static bool is_pending(const struct braid_conn *c)
{
    return c->phase == CONN_PENDING || (c->handshake.stateless && !c->handshake.accept_due);
}

/* A SYN waits for the user's answer, or the user has given one. */
static void answer_pending(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *first = list_entry(c->subflows.next, struct mp_subflow, node);
    if (!c->handshake.incoming_told) {
        c->handshake.incoming_told = true;
        c->ops->incoming(c->handshake.incoming_ctx, c);
    }
    if (c->handshake.stateless) { /* the client was answered long ago */
        if (c->handshake.refuse_due)
            conn_fail(c, BRAID_CLOSE_ABORTED, true);
    } else if (c->handshake.refuse_due) {
        c->env->ops->refuse(c->env, first, c->handshake.refusal);
        c->closing.told = true;
        c->phase = CONN_DEAD;
    } else if (c->handshake.accept_due) {
        c->phase = CONN_HANDSHAKE;
        subflow_answer(&first->tcp, now);
    }
}

/* ---- the flush ---- */

static void call_user(struct braid_conn *c, braid_time now)
{
    if (c->handshake.established_due) {
        c->handshake.established_due = false;
        if (c->ops && c->ops->established)
            c->ops->established(c, c->user);
    }
    if (c->recv.news) {
        c->recv.news = false; /* also when nobody listens any more: the end does not wait for that */
        if (c->ops && c->ops->readable)
            c->ops->readable(c, c->user);
    }
    conn_recv_settle(c, now);
    uint64_t used = c->send.end - c->send.una;
    if (c->send.starved)
        c->send.starved = !conn_send_has_memory(c);
    /* only when a quarter is free again: smaller pieces are not worth a call */
    if (c->send.want_writable && !c->send.starved && c->ops && !c->send.shutdown &&
        used < c->send.sndbuf - c->send.sndbuf / 4) {
        c->send.want_writable = false;
        if (c->ops->writable)
            c->ops->writable(c, c->user);
    }
}

/* Sends our end of data when all data is on its way. */
static void push_end(struct braid_conn *c, braid_time now)
{
    if (!c->send.shutdown || c->send.nxt != c->send.end)
        return;
    if (!conn_is_mptcp(c)) {
        list_each (n, tmp, &c->subflows) {
            struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
            if (!s->closing.dead && !s->tcp.fin.wanted)
                subflow_close(&s->tcp, now);
        }
    } else if (!c->send.fin_sent) {
        /* by itself, on each subflow: any of them may lose it (section 3.3.3; options_out.c puts it on the
         * ACK) */
        c->send.fin_sent = true;
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
    return c->send.una == c->send.end && (!c->send.shutdown || !conn_is_mptcp(c) || c->send.fin_acked);
}

/* Our FIN on it carries the DATA_ACK: it is to be sent, or, when all has ended, repeated until it is
 * acknowledged. */
static bool fin_acknowledges(const struct mp_subflow *s)
{
    const struct subflow *t = &s->tcp;
    bool draining = s->conn->phase == CONN_DRAINING;
    return t->fin.wanted && (!t->fin.sent || (draining && !subflow_fin_acked(t)));
}

static void flush_flows(struct braid_conn *c, braid_time now)
{
    if (c->recv.ack_all && conn_is_mptcp(c)) {
        c->recv.ack_all = false;
        list_each (n, tmp, &c->subflows) {
            struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
            if (!s->closing.dead && s->confirmed && !fin_acknowledges(s))
                subflow_ack_soon(&s->tcp);
        }
    }
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->silence.stale && s->tcp.rtt.backoff == 0) {
            s->silence.stale = false;
            conn_count(c, MP_SUBFLOW_RECOVER);
        }
        if (s->join && !s->confirmed && s->tcp.state == TCP_STATE_ESTABLISHED && c->deadlines.join == 0)
            c->deadlines.join = now + JOIN_ACK_REPEAT;
        if (!s->closing.dead)
            subflow_flush(&s->tcp, now);
        rxmap_trim(&s->rxmap, s->tcp.rcv.nxt);
        rule_account(s);
    }
}

void conn_flush(struct braid_conn *c, braid_time now)
{
    reap(c, now);
    if (!c->closing.fail_due && is_pending(c) && c->n_subflows > 0) {
        answer_pending(c, now);
        if (c->phase == CONN_DEAD)
            return;
    }
    if (!c->closing.fail_due && c->phase == CONN_ESTABLISHED && !is_pending(c))
        call_user(c, now);
    list_remove(&c->dirty_node); /* what the callbacks did is dealt with here */
    if (c->closing.abort_due && all_delivered(c))
        conn_fail(c, BRAID_CLOSE_ABORTED, true);
    if (!c->ops && c->phase == CONN_ESTABLISHED && c->deadlines.gone == BRAID_NEVER)
        c->deadlines.gone = now + ORPHAN_TIME;
    if (!c->closing.fail_due && c->phase == CONN_ESTABLISHED) {
        if (conn_is_mptcp(c))
            conn_answer_fins(c, now);
        conn_pm_update(c, now);
        conn_push(c, now);
        push_end(c, now);
        if (conn_is_mptcp(c))
            conn_announce_flush(c, now);
        if (conn_is_mptcp(c) && c->recv.fin_received && c->send.fin_acked && c->recv.bytes == 0)
            start_draining(c, now);
    }
    if (!c->closing.fail_due)
        flush_flows(c, now);
    /* once more: resets that were asked for meanwhile leave in this turn, not in the next */
    reap(c, now);
    if (c->closing.ended && c->recv.bytes == 0 && !c->recv.news)
        c->closing.fail_due = true;
    if (c->closing.fail_due) {
        carry_out_failure(c, now);
        return;
    }
    /* What others give back wakes nobody here. */
    c->deadlines.room = c->send.want_writable && c->send.starved ? now + ROOM_RETRY : BRAID_NEVER;
    conn_note_stall(c, now);
    conn_know_less(c);
    conn_rearm(c);
}
