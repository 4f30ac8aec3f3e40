/* The ends of subflows and of their connection, as far as the flush carries them out. */
#include "mptcp/ending.h"

#include "mptcp/alone.h"
#include "mptcp/close_reason.h"
#include "mptcp/conn.h"
#include "mptcp/fate.h"
#include "mptcp/flow.h"
#include "mptcp/marks.h"
#include "mptcp/flow_state.h"
#include "mptcp/join_places.h"
#include "mptcp/news.h"
#include "mptcp/retire.h"
#include "mptcp/retries.h"
#include "mptcp/tapped.h"
#include "mptcp/tokens.h"

#define DRAIN_TIME (60 * BRAID_SECOND) /* for the subflows' FINs after both DATA_FINs */

/* The user hears of the end once, and of nothing afterwards. */
static void tell_closed(struct braid_conn *c)
{
    if (c->closing.told)
        return;
    c->closing.told = true;
    /* A RST may come in the batch of its SYN: then the user was never told that there is a connection. */
    bool known = !c->handshake.passive || c->handshake.incoming_told;
    if (known && c->ops) {
        conn_tap_callback(c, BRAID_CALLBACK_CLOSED, c->closing.why);
        if (c->ops->closed)
            c->ops->closed(c, c->user, c->closing.why);
        conn_tap(c, BRAID_TAP_RETURN, 0);
    }
    c->ops = NULL;
}

/* RFC 6824 section 3.5 has one subflow left to say it on an ACK, which the peer answers with a RST. NULL:
 * each says it with its own RST, or there is nothing to say. */
static struct mp_subflow *flow_to_tell(struct braid_conn *c)
{
    if (!conn_says_fastclose(c) || !conn_version(c)->fastclose_on_ack)
        return NULL;
    struct mp_subflow *any = conn_heard_last(c);
    each_flow (s, c)
        if (!any && !s->closing.dead && subflow_synchronized(&s->tcp))
            any = s;
    return any;
}

static void say_fastclose(struct mp_subflow *s, braid_time now)
{
    s->echo_mp_capable = false;
    s->signal.now = true;
    subflow_ack_at_once(&s->tcp, now);
}

/* Resets what subflows there are, and is gone. The table of TIME_WAIT answers with the same what still comes:
 * the RSTs may be lost. */
void conn_carry_out_failure(struct braid_conn *c, braid_time now)
{
    const struct mp_subflow *teller = flow_to_tell(c);
    each_flow (s, c) {
        if (s->closing.dead)
            continue;
        /* its SYN was not answered: nothing but a refusal of the SYN fits */
        if (c->phase == CONN_PENDING) {
            c->env->ops->refuse(c->env, s, BRAID_REFUSE_RESET);
            continue;
        }
        /* Who goes on sending, since the RST was lost or was not where he expected it, hears it again from
         * the entry that this leaves. */
        if (conn_says_fastclose(c) && subflow_synchronized(&s->tcp))
            c->env->ops->aborted(c->env, s, s == teller, now);
        if (s == teller)
            say_fastclose(s, now);
        else
            subflow_reset(&s->tcp, now);
    }
    tell_closed(c);
    c->phase = CONN_DEAD;
}

/* Why the connection ends if this was its only subflow, and MPTCP does not keep it alive. */
static enum braid_close why_of(const struct mp_subflow *s)
{
    return close_reason(s, BRAID_CLOSE_PROTOCOL);
}

/* The last subflow is gone. MPTCP lives on for a while without any (section 3.3.3, break-before-make); plain
 * TCP ends with it, and so do handshakes, what nobody can join as the third ACK may never have arrived, and
 * what has nothing more to exchange. */
static void all_gone(struct braid_conn *c, enum braid_close why, braid_time now)
{
    if (c->phase == CONN_DRAINING || c->phase < CONN_ESTABLISHED || !conn_keys_shared(c)) {
        /* one that drains has ended well, whatever becomes of its last FINs */
        if (c->phase != CONN_DRAINING && !c->closing.told)
            c->closing.why = why;
        c->closing.ended = true;
        /* After an end in order the user may still read what has come: the flush waits for that. An end that
         * is due already stays so. */
        if (why != BRAID_CLOSE_DONE)
            c->closing.fail_due = true;
    } else {
        conn_await_revival(c, now);
    }
}

void conn_reap(struct braid_conn *c, braid_time now)
{
    each_flow (s, c) {
        if (s->closing.reset_due && !s->closing.dead) {
            /* that does not call closed() */
            subflow_reset(&s->tcp, now);
            s->closing.dead = true;
            s->closing.why = SUBFLOW_CLOSED_LOCAL;
        }
        if (!s->closing.dead)
            continue;
        enum braid_close why = why_of(s);
        bool by_peer = s->closing.why == SUBFLOW_CLOSED_RST;
        /* while the subflow can still say what became of it */
        conn_pm_ended(s, now);
        news_gone(s);
        flow_note_fate(s);
        flow_free(s);
        if (c->n_subflows == 0)
            all_gone(c, why, now);
        /* those that are left may be handshakes that nobody answers, or have the peer's FIN */
        else if (c->phase == CONN_ESTABLISHED && conn_alone(c))
            conn_await_revival(c, now);
        /* A peer that has gone resets all its subflows, once each: a RST that was lost would leave a subflow
         * that nobody hears of again. The answer to a question repeats it, or to data, if there is any. */
        if (by_peer && c->send.una == c->send.end)
            conn_ask_the_silent(c, now);
    }
}

void conn_start_draining(struct braid_conn *c, braid_time now)
{
    c->phase = CONN_DRAINING;
    c->deadlines.gone = now + DRAIN_TIME;
    c->deadlines.data_rtx = BRAID_NEVER;
    /* a join would have nothing to carry */
    conn_token_forget(c);
    /* The peer does not know yet, as its DATA_FIN has just come: one subflow's FIN tells it by its DATA_ACK.
     */
    struct mp_subflow *teller = c->recv.ack_fin && !c->recv.ack_all ? conn_heard_last(c) : NULL;
    each_flow (s, c) {
        if (s->closing.dead)
            continue;
        if (!subflow_synchronized(&s->tcp))
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
        else if (!teller || s == teller || s->tcp.fin.received || s->tcp.fin.wanted)
            subflow_close(&s->tcp, now);
        else
            flow_await_fin(s, now + rtt_rto(&teller->tcp.rtt));
    }
    tell_closed(c);
    if (c->n_subflows == 0)
        c->closing.fail_due = true;
}
