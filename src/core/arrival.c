/* A packet arrives: whose it is, and what becomes of it. That may be a flow of ours, a connection that is
 * remembered, a listener, another worker, or nobody. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "core/aborted.h"
#include "core/answer.h"
#include "core/directory.h"
#include "core/inside.h"
#include "core/listeners.h"
#include "core/passing.h"
#include "core/tapping.h"
#include "core/tables.h"
#include "core/timewaits.h"
#include "mptcp/joins.h"
#include "mptcp/marks.h"
#include "mptcp/open.h"
#include "mptcp/own_addrs.h"
#include "mptcp/path_manager.h"
#include "mptcp/stateless.h"
#include "mptcp/tokens.h"
#include "mptcp/versions.h"
#include "wire/ip.h"

/* A packet and how it came. */
struct arrival {
    struct wire_packet p;
    const uint8_t *data;
    size_t len;
    const struct braid_input *in;
    braid_time now;
};

/* False: every worker has seen the packet, or there is no other. */
static bool hand_over(struct braid_core *core, const struct arrival *a, unsigned worker)
{
    const struct mptcp_env *env = &core->env;
    if (env->params.n_workers < 2 || a->in->hops >= env->params.n_workers - 1)
        return false;
    struct braid_input in = *a->in;
    in.hops++;
    if (env->params.worker < 64)
        in.visited |= (uint64_t)1 << env->params.worker;
    core->env.tcp.count.v[COUNT_PACKETS_HANDED_OVER]++;
    env->tcp.host.hand_over(env->tcp.host.ctx, worker, a->data, a->len, &in);
    return true;
}

/* The same to the next worker that may know the 4-tuple. False: there is none left. */
static bool hand_on(struct braid_core *core, const struct arrival *a, const struct braid_addr *local,
                    const struct braid_addr *remote, bool cookie)
{
    int worker = core_directory_next(core, local, remote, cookie, a->in->visited);
    return worker >= 0 && hand_over(core, a, (unsigned)worker);
}

/* Ends the way of a packet that no worker has a use for: on to whom it was meant for, or with a RST. */
static void not_ours(struct braid_core *core, const struct arrival *a, int reason)
{
    if (core_passes(core, &a->p.dst.ip))
        core_pass_back(core, &a->p, a->data, a->in);
    else
        tcp_refuse(&core->env.tcp, &a->p, reason);
}

/* Who listens to connections hears of each of their packets, once it is known whose it is. */
static inline void tap_packet(struct braid_conn *c, enum braid_tap_kind kind, const struct buf *b,
                              const struct arrival *a)
{
    if (conn_tapped(c))
        core_tap_packet(c, kind, b, &a->p, a->data, a->len, a->in, a->now);
}

/* A new connection belongs to the listener that its SYN was for. */
static void enter(struct braid_conn *c, struct braid_listener *l, const struct arrival *a)
{
    c->ops = l->params.ops;
    c->edge = l->params.name;
    c->handshake.listener = l;
    for (unsigned i = 0; i < l->params.n_signal; i++) {
        struct braid_endpoint e = {.addr.ip = l->signal[i], .signal = true};
        conn_endpoint_add(c, &e);
    }
    conn_pm_use(c, l->params.pm);
    conn_dirty(c);
    tap_packet(c, BRAID_TAP_OPENED, NULL, a);
}

/* An ACK of an unknown flow while SYN cookies are out. True: it was dealt with. */
static bool cookie_in(struct braid_core *core, struct buf *b, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    struct braid_listener *l = core_find_listener(core, &a->p.dst);
    if (!l || env->n_conns >= env->params.max_conns || env_short_of_memory(env))
        return false;
    struct braid_conn *c = conn_open_stateless(env, &a->p, &l->params, a->now);
    if (!c)
        return false;
    enter(c, l, a);
    struct mp_subflow *s = c->subflows;
    tap_packet(c, BRAID_TAP_PACKET, b, a);
    subflow_input(&s->tcp, &a->p, b, a->in->gso_size, a->now);
    if (c->phase == CONN_HANDSHAKE)
        conn_free(c); /* there is more wrong with it */
    return true;
}

/* Data may have overtaken the third ACK that makes its connection; that will be sent again, and so will this.
 */
static bool overtakes(const struct braid_core *core, const struct arrival *a)
{
    const struct braid_listener *l = core_find_listener(core, &a->p.dst);
    return l && a->p.payload_len > 0 && (core_takes_plain(l) || a->p.tcp.mp.has);
}

/* Nobody here knows it: another worker may, else it is refused. Since the kernel forgets after a while which
 * queue a flow was written on, a subflow that joined from another queue may come there again after a pause;
 * and what was put together from fragments came through the queue of its addresses. */
static void unknown_flow(struct braid_core *core, struct buf *b, const struct arrival *a)
{
    bool ack = (a->p.tcp.flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK,
         cookies = ack && conn_cookies_out(&core->env, a->now);
    if (cookies && cookie_in(core, b, a))
        return;
    if (ack)
        core_directory_cookies(core, cookies);
    if (hand_on(core, a, &a->p.dst, &a->p.src, ack))
        return;
    if (cookies && overtakes(core, a))
        core->env.tcp.count.v[COUNT_OVERTAKING]++;
    else
        not_ours(core, a, -1);
}

/* A join is found by its token, whatever its address and port (RFC 8684 section 3.2). */
static void join_in(struct braid_core *core, const struct buf *b, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    uint32_t token = a->p.tcp.mp.join.token;
    if (!token_is_own(env, token)) {
        env->tcp.count.v[COUNT_MP_JOIN_HANDED_OVER]++;
        if (hand_over(core, a, token_owner(env, token)))
            return;
    }
    env->tcp.count.v[COUNT_MP_JOIN_SYN_RX]++;
    struct braid_conn *c = conn_by_token(env, token);
    if (c) {
        tap_packet(c, BRAID_TAP_PACKET, b, a);
        conn_join_passive(c, &a->p, a->now);
        return;
    }
    env->tcp.count.v[COUNT_MP_JOIN_NO_TOKEN]++;
    if (core_passes(core, &a->p.dst.ip))
        not_ours(core, a, MPTCP_RST_MPTCP);
    else
        join_refuse(env, &a->p, MPTCP_RST_MPTCP, a->now);
}

/* Whether the listener takes this SYN. */
static bool listener_wants(const struct braid_listener *l, const struct wire_packet *syn)
{
    const struct braid_listen_params *p = &l->params;
    if (!core_takes_plain(l) && !mptcp_offered(&syn->tcp.mp, p->version_0))
        return false;
    return !l->any_address || !p->wants || p->wants(p->ctx, &syn->src, &syn->dst);
}

/* By which this client is answered. */
static struct braid_listen_params terms_of(const struct braid_listener *l, const struct wire_packet *syn)
{
    struct braid_listen_params p = l->params;
    if (p.wants_plain && mptcp_offered(&syn->tcp.mp, p.version_0) &&
        p.wants_plain(p.ctx, &syn->src, &syn->dst))
        p.clients = BRAID_CLIENTS_PLAIN;
    return p;
}

static void syn_in(struct braid_core *core, struct buf *b, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    if (a->p.tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)) {
        join_in(core, b, a);
        return;
    }
    struct braid_listener *l = core_find_listener(core, &a->p.dst);
    struct braid_conn *c = NULL;
    if (l && !listener_wants(l, &a->p)) {
        not_ours(core, a, -1);
        return;
    }
    bool room = l && env->n_conns < env->params.max_conns && !env_short_of_memory(env);
    /* forged SYNs may have filled the places: from now on only who gets our SYN/ACK takes memory */
    if (room && env->n_half_open >= env->params.half_open) {
        const struct braid_listen_params terms = terms_of(l, &a->p);
        conn_answer_stateless(env, &a->p, &terms, a->now);
        core_directory_cookies(core, true);
        return;
    }
    if (room) {
        const struct braid_listen_params terms = terms_of(l, &a->p);
        c = conn_open_passive(env, &a->p, b, &terms, a->now);
    }
    if (!c) {
        if (l)
            env->tcp.count.v[COUNT_MEM_REFUSED]++;
        not_ours(core, a, -1);
        return;
    }
    enter(c, l, a);
}

/* For a 4-tuple that lately was a subflow. True: it is a new SYN, and the entry is gone. */
static bool remembered_in(struct braid_core *core, struct timewait_entry *e, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    bool syn = (a->p.tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN, rst = a->p.tcp.flags & TCP_RST;
    /* A SYN begins anew; one with ACK comes from a peer that has seen neither our third ACK nor our RST. A
     * RST tells who is to be told that nobody need be asked, or told, any more. */
    if (e->aborted && !syn && !(rst && !e->orphan && !e->on_ack)) {
        core_aborted_in(e, &a->p, a->now);
        return false;
    }
    if (e->orphan) { /* we know too little of it to hold its peer back */
        core_timewait_free(e);
        return true;
    }
    switch (timewait_input(&e->tw, &a->p, &env->tcp, a->now)) {
    case TIMEWAIT_NOTHING:
        break;
    case TIMEWAIT_RESTART:
        core_timewait_start(e, a->now);
        break;
    case TIMEWAIT_FORGET:
        core_timewait_free(e);
        break;
    case TIMEWAIT_REUSE:
        core_timewait_free(e);
        return true;
    }
    return false;
}

static void tcp_in(struct braid_core *core, struct buf *b, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    if (!ip_is_pair(&a->p.src.ip, &a->p.dst.ip)) {
        env->tcp.count.v[COUNT_TCP_IN_ERRS]++;
        return;
    }
    /* a super-packet counts as what it was on the wire */
    unsigned segments = a->in->gso_size ? (a->p.payload_len + a->in->gso_size - 1) / a->in->gso_size : 1;
    env->tcp.count.v[COUNT_TCP_IN_SEGS] += segments;
    struct mp_subflow *s = core_find_flow(core, &a->p.dst, &a->p.src);
    if (s) {
        tap_packet(s->conn, BRAID_TAP_PACKET, b, a);
        /* until the flush has taken it away it still owns its 4-tuple: what comes for it goes nowhere else */
        if (!s->closing.dead && !s->closing.reset_due)
            subflow_input(&s->tcp, &a->p, b, a->in->gso_size, a->now);
        conn_dirty(s->conn);
        return;
    }
    tap_leave(&env->tcp);
    struct timewait_entry *e = core_find_timewait(core, &a->p.dst, &a->p.src);
    if (e && !remembered_in(core, e, a))
        return;
    if ((a->p.tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
        syn_in(core, b, a);
    else
        unknown_flow(core, b, a);
}

/* An error is sent to the source of the packet that it quotes (RFC 792, RFC 4443 section 2.4), so that its
 * own destination is that address as well. Where a subflow leaves through a stateless translation, both are
 * the uplink's outside address on the wire, and the translation turns back the outer one alone: the
 * destination names the subflow's end, whatever source is quoted.
 *
 * That opens nothing to strangers: whoever can send us an error can as well write into the quotation what
 * we sent. Ports, the peer's address and a sequence number in flight have to be right in either case (RFC
 * 5927 section 4), and nothing that is established ends by it (subflow_icmp). What nobody can do any more is
 * to have an error about one address of ours delivered at another one, past what filters at the first. */
static void icmp_in(struct braid_core *core, const struct buf *b, const struct arrival *a)
{
    core->env.tcp.count.v[COUNT_ICMP_IN_MSGS]++;
    struct braid_addr local = {.ip = a->p.addressee, .port = a->p.src.port};
    struct mp_subflow *s = core_find_flow(core, &local, &a->p.dst);
    tap_leave(&core->env.tcp);
    if (!s) {
        hand_on(core, a, &local, &a->p.dst, false);
        return;
    }
    tap_packet(s->conn, BRAID_TAP_PACKET, b, a);
    if (!s->closing.dead)
        subflow_icmp(&s->tcp, &a->p, a->now);
    conn_dirty(s->conn);
}

/* Only the one that completes a packet makes something happen: that packet comes in. */
static void fragment_in(struct braid_core *core, const struct arrival *a)
{
    struct wire_fragment f;
    struct reassembled whole;
    if (fragment_parse(a->data, a->len, &f) != WIRE_OK) {
        core->env.tcp.count.v[COUNT_TCP_IN_ERRS]++;
        return;
    }
    if (f.protocol != PROTO_TCP || !reassembly_input(&core->reassembly, &f, a->now, &whole))
        return;
    /* nobody has verified the checksum of the whole */
    struct braid_input in = {.hops = a->in->hops, .fragment_size = whole.largest, .fragment_id = whole.id};
    braid_core_input(core, whole.buf, 0, whole.buf->cap, &in, a->now);
    buf_unref(whole.buf);
}

void braid_core_input(struct braid_core *core, struct buf *b, size_t off, size_t len,
                      const struct braid_input *in, braid_time now)
{
    struct arrival a;
    a.data = b->data + off;
    a.len = len;
    a.in = in;
    a.now = now;
    switch (packet_parse(a.data, len, !in->csum_ok, &a.p)) {
    case WIRE_OK:
        break;
    case WIRE_CHECKSUM:
        core->env.tcp.count.v[COUNT_TCP_IN_CSUM_ERRORS]++;
        return;
    case WIRE_TRUNCATED:
    case WIRE_MALFORMED:
        core->env.tcp.count.v[COUNT_TCP_IN_ERRS]++;
        return;
    case WIRE_FRAGMENT:
        fragment_in(core, &a);
        return;
    case WIRE_UNSUPPORTED:
        return;
    }
    switch (a.p.kind) {
    case WIRE_TCP:
        tcp_in(core, b, &a);
        break;
    case WIRE_ICMP_ERROR:
        icmp_in(core, b, &a);
        break;
    case WIRE_ECHO:
    case WIRE_OTHER:
        tap_leave(&core->env.tcp);
        core_answer(core, &a.p, a.data, len, now);
        break;
    }
}
