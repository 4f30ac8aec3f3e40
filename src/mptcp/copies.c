/* New data for a scheduler with `duplicate`: every byte over every path. Each subflow has a pointer of its
 * own, which skips what was DATA_ACKed; nobody waits for a path that lags behind, and it never keeps others
 * from sending. */
#include "mptcp/copies.h"

#include "base/seq.h"
#include "mptcp/choice.h"
#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/sendbuf.h"

#define LAG_LEAST 4 /* segments that a lagging path may have in flight in any case */

/* Copies queue on a slow path: what it carries is retransmitted there and keeps its memory until the peer has
 * it, long after it came over another. No more than two round trips without queue are worth that. */
static bool lags_too_far(const struct mp_subflow *s, const struct sched_path *p)
{
    int64_t least = s->tcp.rtt.min_rtt_us;
    uint64_t mss = p->mss;
    if (p->srtt_us == 0 || least == 0 || p->in_flight < LAG_LEAST * mss)
        return false;
    /* the rate, cwnd / srtt, over the shortest round trip: what fills the path without a queue */
    return p->in_flight > 2 * (p->cwnd * (uint64_t)least / (uint64_t)p->srtt_us);
}

/* Bytes that are DATA_ACKed and still held by lagging subflows, about. */
static bool holds_too_much(const struct braid_conn *c)
{
    /* What is not DATA_ACKed, and what waits for the user: the rest of the account is copies, and what
     * manages it all. */
    uint64_t live = c->send.end - c->send.una + c->recv.bytes + (c->recv.ooo ? c->recv.ooo->bytes : 0);
    return c->mem.used > live && c->mem.used - live > c->sockopt->sndbuf_max / 2;
}

/* Bytes from send.una on that went over s already; none if it is new, or all it carried was DATA_ACKed. */
static uint64_t progress_of(const struct braid_conn *c, const struct mp_subflow *s)
{
    /* a pointer that DATA_ACKs have overtaken comes out huge, and begins at una again */
    uint64_t done = s->sched.copy_nxt - c->send.una;
    return done > c->send.nxt - c->send.una ? 0 : done;
}

/* Is another path that answers ahead of i? What only a silent one has carried must not wait. */
static bool is_behind(const struct braid_conn *c, const struct choice *ch, int i)
{
    for (unsigned k = 0; k < ch->view.n_paths; k++)
        if (flow_answers(ch->flows[k]) && progress_of(c, ch->flows[k]) > progress_of(c, ch->flows[i]))
            return true;
    return false;
}

/* Sends from the pointer of path i. False: it has nothing to send, or must wait. */
static bool push_copy(struct braid_conn *c, struct choice *ch, int i, braid_time now)
{
    struct mp_subflow *s = ch->flows[i];
    uint64_t edge = seq64_before(c->send.edge, c->send.end) ? c->send.edge : c->send.end;
    s->sched.copy_nxt = c->send.una + progress_of(c, s);
    if (is_behind(c, ch, i) && (lags_too_far(s, &ch->paths[i]) || holds_too_much(c)))
        return false;
    /* What was sent before is a copy, and stays inside the window that it was sent in; at send.nxt this path
     * is the first and the peer's window counts. No mapping is both, so that the two are counted apart. */
    bool copy = seq64_before(s->sched.copy_nxt, c->send.nxt);
    uint64_t end = copy ? c->send.nxt : edge;
    if (!seq64_before(s->sched.copy_nxt, end))
        return false;
    uint32_t len = choice_send(c, ch, i, s->sched.copy_nxt, end - s->sched.copy_nxt, now);
    if (len == 0)
        return false;
    s->sched.copy_nxt += len;
    if (copy)
        c->env->tcp.count.v[COUNT_MP_COPIED_BYTES] += len;
    else
        conn_sent_new(c, len, now);
    return true;
}

void push_copies(struct braid_conn *c, struct choice *ch, braid_time now)
{
    /* from una on: a path that is new, or lagged, has all of it before it */
    ch->view.unsent = c->send.end - c->send.una;
    ch->view.data_window = c->send.edge - c->send.una;
    ch->view.tried = 0; /* who had its turn */
    for (;;) {
        int i = c->sched.ops->pick(&c->sched, &ch->view);
        if (i < 0 || (ch->view.tried >> i & 1))
            break;
        if (!push_copy(c, ch, i, now))
            ch->view.tried |= (uint64_t)1 << i;
    }
    ch->view.tried = 0;
}
