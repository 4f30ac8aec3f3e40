/* What is sent at a flush, and in which order: what was lost or given up elsewhere, what silent paths carry,
 * new data, and what is worth repeating. */
#include "mptcp/push.h"

#include "base/seq.h"
#include "mptcp/choice.h"
#include "mptcp/conn.h"
#include "mptcp/copies.h"
#include "mptcp/data_timeout.h"
#include "mptcp/fallback.h"
#include "mptcp/flow_state.h"
#include "mptcp/quiet_paths.h"
#include "mptcp/rescue.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"
#include "mptcp/trickle.h"

#define REINJECT_LOOK 16 /* runs looked at for one that may go now */

/* Counts how often the send window became full while more was waiting: in the send buffer, or in the user's
 * hands. A scheduler may ask (sched_view.blocks), and rescue.c looks whether it is full now. It is as good as
 * full while the user is not told yet of what has become free. */
static void note_block(struct braid_conn *c)
{
    bool held = c->send.want_writable && c->send.nxt == c->send.end;
    uint64_t used = c->send.nxt - c->send.una + (held ? conn_send_step(c) : 0);
    bool blocked = (held || c->send.nxt != c->send.end) && used >= conn_send_window(c);
    if (blocked && !c->send.blocked)
        c->send.blocks++;
    c->send.blocked = blocked;
}

/* Lost on its subflow, or given up there: goes first, and not over a subflow that has it in flight already.
 * What finds no path now is not in the way of what does. Where the peer may have fallen back meanwhile, it
 * waits until an option or the data's timer tells: sent once more, it would be taken for new data. */
static void push_reinjections(struct braid_conn *c, struct choice *ch, braid_time now)
{
    uint32_t i = 0;
    if (c->send.reinject.n > 0 && conn_peer_is_bare(c))
        return;
    while (i < c->send.reinject.n && i < REINJECT_LOOK && choice_has_space(ch)) {
        struct range r = c->send.reinject.r[i];
        uint32_t len = choice_repeat(c, ch, r.start, r.end - r.start, now);
        if (len > 0)
            /* from its front, which needs no memory and so cannot fail */
            ranges_subtract(&c->send.reinject, r.start, r.start + len);
        else
            i++;
    }
}

/* As far as the peer's window and the data go, until the scheduler waits (-1), or the path that it picks had
 * better (choice_send). Each is shown what is left, since what was sent has changed it. */
static void push_new(struct braid_conn *c, struct choice *ch, braid_time now)
{
    for (;;) {
        uint64_t window = conn_send_edge(c);
        uint64_t edge = seq64_before(window, c->send.end) ? window : c->send.end;
        if (!seq64_before(c->send.nxt, edge))
            break;
        ch->view.unsent = c->send.end - c->send.nxt;
        ch->view.data_window = window - c->send.nxt;
        int i = c->sched.ops->pick(&c->sched, &ch->view);
        uint32_t len = i < 0 ? 0 : choice_send(c, ch, i, c->send.nxt, edge - c->send.nxt, now);
        if (len == 0)
            break;
        conn_sent_new(c, len, now);
        ch->flows[i]->sched.copy_nxt = c->send.nxt; /* should copies begin now */
    }
}

/* Data waits, nothing is in flight, and the window is closed: somebody must probe it, or an update that was
 * lost would stop the stream for good (RFC 9293 section 3.8.6.1). All subflows do, as any may be dead. */
static void update_probing(struct braid_conn *c, braid_time now)
{
    bool blocked = seq64_before(c->send.nxt, c->send.end) && c->send.una == c->send.nxt;
    each_flow (s, c) {
        if (!s->closing.dead && s->tcp.cwnd.blocked != (blocked && flow_usable(s)))
            subflow_set_blocked(&s->tcp, blocked && flow_usable(s), now);
    }
}

/* What was lost comes first, since its receiver waits for it; then what is in doubt, then new data; and last,
 * where nothing new may or can be sent, what holds up the connection (docs/architecture.md, "The way of a
 * byte"). */
void conn_push(struct braid_conn *c, braid_time now)
{
    struct choice ch;
    conn_watch_paths(c, now);
    conn_watch_peers(c, now);
    conn_watch_trickles(c, now);
    note_block(c);
    bool rescue = conn_may_rescue(c);
    /* a flush of a connection with nothing to send, as most are, looks at no paths */
    if (c->send.nxt == c->send.end && c->send.reinject.n == 0 && !rescue && !conn_copies(c))
        return update_probing(c, now);
    choice_init(&ch, c, now);
    push_reinjections(c, &ch, now);
    if (rescue)
        rescue_silent(c, &ch, now);
    if (conn_copies(c)) {
        push_copies(c, &ch, now);
        rescue_late_copy(c, &ch, now);
    } else {
        push_new(c, &ch, now);
    }
    /* new data may have filled the window */
    note_block(c);
    if (conn_may_rescue(c)) {
        rescue_head(c, &ch, now);
        rescue_tail(c, &ch, now);
        rescue_late(c, &ch, now);
    }
    conn_watch_paths(c, now); /* for what has just left */
    update_probing(c, now);
    conn_arm_data_timer(c, now);
}

/* All of it over the first subflow, by no scheduler, as there is no other and no window of the data's yet. */
void conn_push_early(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *s = c->subflows;
    uint64_t allowed = DATA_FIRST + c->handshake.early;
    uint64_t edge = seq64_before(c->send.end, allowed) ? c->send.end : allowed;
    while (c->n_subflows > 0 && seq64_before(c->send.nxt, edge)) {
        uint64_t space = subflow_early_space(&s->tcp), want = edge - c->send.nxt;
        struct mp_map *m =
            space > 0 ? conn_map_new(c, c->send.nxt, (uint32_t)(space < want ? space : want)) : NULL;
        if (!m)
            break;
        uint32_t len = m->tcp.len;
        m->sent_at = now;
        subflow_send_early(&s->tcp, &m->tcp, now);
        conn_sent_new(c, len, now);
    }
}

/* Sends our end of data when all data is on its way. */
void conn_push_end(struct braid_conn *c, braid_time now)
{
    if (!c->send.shutdown || c->send.nxt != c->send.end)
        return;
    /* plain TCP has no DATA_FIN: the FIN is the end, behind what the subflow has in flight */
    if (!conn_is_mptcp(c)) {
        each_flow (s, c) {
            if (!s->closing.dead && !s->tcp.fin.wanted)
                subflow_close(&s->tcp, now);
        }
    } else if (!c->send.fin_sent) {
        /* by itself, on each subflow: any of them may lose it (section 3.3.3; options_out.c puts it on the
         * ACK) */
        c->send.fin_sent = true;
        each_flow (s, c) {
            if (flow_usable(s))
                subflow_ack_at_once(&s->tcp, now);
        }
        conn_arm_data_timer(c, now);
    }
}
