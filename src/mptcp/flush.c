/* The work of a flush. Packets, timers and the user's calls leave marks (marks.c); a flush follows once per
 * turn of the worker's loop and does, in a fixed order, what they ask for: subflows that ended go, the user
 * is called, data is scheduled, signals and ACKs leave, and who has to end ends. It ends as CONN_DEAD, here
 * alone, and whoever calls conn_flush then frees it. */
#include "mptcp/flush.h"

#include "mptcp/announce.h"
#include "mptcp/conn.h"
#include "mptcp/conn_timers.h"
#include "mptcp/data_window.h"
#include "mptcp/ending.h"
#include "mptcp/fins.h"
#include "mptcp/flow_state.h"
#include "mptcp/join_handshake.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"
#include "mptcp/path_manager.h"
#include "mptcp/pm_load.h"
#include "mptcp/push.h"
#include "mptcp/retire.h"
#include "mptcp/rules.h"
#include "mptcp/rxmap.h"
#include "mptcp/sendbuf.h"
#include "mptcp/stall.h"
#include "mptcp/tapped.h"

#define ROOM_RETRY  (50 * BRAID_MS)     /* between looks for memory to write to */
#define ORPHAN_TIME (60 * BRAID_SECOND) /* for the peer's DATA_FIN after the user released the connection */

/* The user has to be asked, or has to give an answer. */
static bool is_pending(const struct braid_conn *c)
{
    return c->phase == CONN_PENDING || (c->handshake.stateless && !c->handshake.accept_due);
}

/* A SYN waits for the user's answer, or the user has given one. That may be now or much later, as when a
 * server has to be asked first. */
static void answer_pending(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *first = c->subflows;
    if (!c->handshake.incoming_told) {
        c->handshake.incoming_told = true;
        c->env->ops->incoming(c->env, c);
    }
    if (c->handshake.stateless) { /* the client was answered long ago */
        if (c->handshake.refuse_due)
            conn_fail(c, BRAID_CLOSE_ABORTED, true);
    } else if (c->handshake.refuse_due) {
        /* Nothing was sent so far, so there is nothing to reset. */
        c->env->ops->refuse(c->env, first, c->handshake.refusal);
        c->closing.told = true;
        c->phase = CONN_DEAD;
    } else if (c->handshake.accept_due) {
        c->phase = CONN_HANDSHAKE;
        subflow_answer(&first->tcp, now);
    }
}

/* Who listens hears of it also if the user has no function for that. */
static void call_back(struct braid_conn *c, void (*fn)(struct braid_conn *c, void *user),
                      enum braid_tap_callback which)
{
    bool has_user = c->ops;
    if (has_user)
        conn_tap_callback(c, which, BRAID_CLOSE_DONE);
    if (fn)
        fn(c, c->user);
    if (has_user)
        conn_tap(c, BRAID_TAP_RETURN, 0);
}

/* In the order in which things became true. Whatever the user does in a callback is a note that this flush
 * acts on. */
static void call_user(struct braid_conn *c, braid_time now)
{
    if (c->handshake.established_due) {
        c->handshake.established_due = false;
        call_back(c, c->ops ? c->ops->established : NULL, BRAID_CALLBACK_ESTABLISHED);
    }
    if (c->recv.news) {
        c->recv.news = false; /* also when nobody listens any more: the end does not wait for that */
        call_back(c, c->ops ? c->ops->readable : NULL, BRAID_CALLBACK_READABLE);
    }
    conn_recv_settle(c, now);
    uint64_t used = c->send.end - c->send.una;
    /* It could not write for want of memory; room in the window alone does not help it. */
    if (c->send.starved)
        c->send.starved = !conn_send_has_memory(c);
    if (c->send.want_writable && !c->send.starved && c->ops && !c->send.shutdown &&
        used < c->send.sndbuf - conn_send_step(c)) {
        c->send.want_writable = false;
        call_back(c, c->ops->writable, BRAID_CALLBACK_WRITABLE);
    }
}

/* The peer has everything that the user wrote. */
static bool all_delivered(const struct braid_conn *c)
{
    return c->send.una == c->send.end && (!c->send.shutdown || !conn_is_mptcp(c) || c->send.fin_acked);
}

/* Our FIN on it carries the DATA_ACK: it is to be sent, or, when all has ended, repeated until it is
 * acknowledged. A pure ACK in front would be a packet more for each subflow of each connection that ends.
 * Once it is acknowledged only an ACK can answer a DATA_FIN that comes again. */
static bool fin_acknowledges(const struct mp_subflow *s)
{
    const struct subflow *t = &s->tcp;
    bool draining = s->conn->phase == CONN_DRAINING;
    if (!t->fin.wanted) /* that of another one does */
        return draining && s->closing.awaits_fin;
    return !t->fin.sent || (draining && !subflow_fin_acked(t));
}

/* What the peer's DATA_FIN is answered by. */
static void acknowledge_end(struct braid_conn *c)
{
    struct mp_subflow *last = c->recv.ack_all ? NULL : conn_heard_last(c);
    each_flow (s, c) {
        bool asked = last ? s == last : !s->closing.dead && s->confirmed;
        if (asked && !fin_acknowledges(s))
            subflow_ack_soon(&s->tcp);
    }
    c->recv.ack_all = c->recv.ack_fin = false;
}

/* What the subflows owe: ACKs, retransmissions, FINs. Behind the scheduling, so that data that leaves anyway
 * takes the DATA_ACK along. */
static void flush_flows(struct braid_conn *c, braid_time now)
{
    if (c->phase == CONN_DRAINING)
        conn_follow_fins(c, now);
    if ((c->recv.ack_fin || c->recv.ack_all) && conn_is_mptcp(c))
        acknowledge_end(c);
    /* One ACK for all that a batch of packets brought (struct subflow). */
    each_flow (s, c) {
        if (s->silence.stale && s->tcp.rtt.backoff == 0) {
            s->silence.stale = false;
            conn_count(c, MP_SUBFLOW_RECOVER);
            conn_pm_changed(c);
        }
        flow_await_fourth_ack(s, now);
        if (!s->closing.dead)
            subflow_flush(&s->tcp, now);
        /* an idle subflow holds no mappings */
        rxmap_trim(&s->rxmap, s->tcp.rcv.nxt);
        rule_account(s);
    }
}

void conn_flush(struct braid_conn *c, braid_time now)
{
    conn_reap(c, now);
    if (!c->closing.fail_due && is_pending(c) && c->n_subflows > 0) {
        answer_pending(c, now);
        if (c->phase == CONN_DEAD)
            return;
    }
    if (!c->closing.fail_due && c->phase == CONN_ESTABLISHED && !is_pending(c))
        call_user(c, now);
    else if (!c->closing.fail_due && !recvq_keep(c)) /* data of a SYN, or of what followed a cookie */
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
    list_remove(&c->dirty_node); /* what the callbacks did is dealt with here */
    /* behind the data, since a client's kernel may discard what comes together with the MP_FASTCLOSE */
    if (c->closing.abort_due && all_delivered(c))
        conn_fail(c, BRAID_CLOSE_ABORTED, true);
    /* Nobody reads any more what the peer may go on sending, and nobody would end it. */
    if (!c->ops && c->phase == CONN_ESTABLISHED && c->deadlines.gone == BRAID_NEVER)
        c->deadlines.gone = now + ORPHAN_TIME;
    if (!c->closing.fail_due && c->phase == CONN_ESTABLISHED) {
        /* now that the user has not given up what was established */
        each_flow (s, c)
            subflow_third_ack(&s->tcp, now);
        /* Before data is placed: which subflows close, and which new ones there are. The end of data comes
         * behind the data, if the last mapping has not taken it along (choice_send). */
        if (conn_is_mptcp(c))
            conn_answer_fins(c, now);
        conn_pm_update(c, now);
        conn_fourth_acks(c, now);
        conn_push(c, now);
        conn_load_note(c, now);
        conn_push_end(c, now);
        if (conn_is_mptcp(c))
            conn_announce_flush(c, now);
        /* Both directions are through, and the user has all of it: it need not wait for the subflows' FINs.
         */
        if (conn_is_mptcp(c) && c->recv.fin_received && c->send.fin_acked && c->recv.bytes == 0)
            conn_start_draining(c, now);
    }
    if (!c->closing.fail_due && c->phase == CONN_HANDSHAKE)
        conn_push_early(c, now);
    if (!c->closing.fail_due)
        flush_flows(c, now);
    /* once more: resets that were asked for meanwhile leave in this turn, not in the next */
    conn_reap(c, now);
    /* ended in order, so the user is given the time to read what has come */
    if (c->closing.ended && c->recv.bytes == 0 && !c->recv.news)
        c->closing.fail_due = true;
    if (c->closing.fail_due) {
        conn_carry_out_failure(c, now);
        return;
    }
    /* What others give back wakes nobody here. */
    c->deadlines.room = c->send.want_writable && c->send.starved ? now + ROOM_RETRY : BRAID_NEVER;
    conn_note_stall(c, now);
    conn_know_less(c);
    conn_rearm(c);
}
