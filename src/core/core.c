/* One instance of the stack: its creation, packets in, timers, and the flush. */
#include "core/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "wire/ip.h"
#include "mptcp/marks.h"
#include "mptcp/rules.h"
#include "mptcp/ports.h"

#define FLUSH_PASSES                                                                                         \
    4 /* a callback may make other connections dirty; what is left waits for the next flush */

#define FRAGMENTS_MAX ((size_t)4 << 20)

void braid_core_params_default(struct braid_core_params *p)
{
    *p = (struct braid_core_params){
        .worker = 0,
        .n_workers = 1,
        .mtu = 1500,
        .memory = (size_t)1 << 30,
        .rcvbuf_max = 6u << 20,
        .sndbuf_max = 8u << 20,
        .max_conns = 1u << 20,
        .half_open = 4096,
        .max_subflows = 8,
        .max_add_addr = PM_MAX_REMOTES - 1,
        .subflows_per_pair = 2,
        .joins_pending = 16,
        .join_rate = 32,
        .join_refusals = 200,
        .announced_syns = 32,
        .challenge_acks = 200,
        .icmp_answers = 1000,
        .out_of_order = 8192,
        .min_mss = 128,
        .keepalive_idle = 7200 * BRAID_SECOND,
        .time_wait = 60 * BRAID_SECOND,
        .break_before_make = 30 * BRAID_SECOND,
        .stall = 1200 * BRAID_SECOND,
        .syn_timeout = 30 * BRAID_SECOND,
    };
}

/* Bytes for packets whose fragments are not all here. */
static size_t reassembly_limit(const struct braid_core_params *params)
{
    return params->memory / 16 < FRAGMENTS_MAX ? params->memory / 16 : FRAGMENTS_MAX;
}

struct braid_core *braid_core_new(const struct braid_core_params *params, const struct braid_host *host,
                                  braid_time now)
{
    struct braid_core *core = calloc(1, sizeof(*core));
    if (!core)
        return NULL;
    struct mptcp_env *env = &core->env;
    env->params = *params;
    env->params.paths = NULL; /* the rules are in env->rules */
    if (env->params.max_subflows > BRAID_STATS_SUBFLOWS)
        env->params.max_subflows = BRAID_STATS_SUBFLOWS;
    env->mem.limit = params->memory;
    env->ops = &core_env_ops;
    env->next_id = 1;
    env->tcp.host = *host;
    env->tcp.mtu = params->mtu;
    env->tcp.rcvbuf_max = params->rcvbuf_max;
    env->tcp.keepalive_idle = params->keepalive_idle;
    env->tcp.challenge_limit = params->challenge_acks;
    env->tcp.min_mss = params->min_mss;
    env->tcp.syn_timeout = params->syn_timeout;
    ports_default(&env->params);
    wheel_init(&env->tcp.wheel, now);
    host->random(host->ctx, &env->hash_key, sizeof(env->hash_key));
    host->random(host->ctx, &env->cookie_key, sizeof(env->cookie_key));
    list_init(&env->conns);
    list_init(&env->dirty);
    list_init(&core->timewait_order);
    list_init(&core->wildcards);
    if (core_directory_init(core) < 0 || rules_init(&env->rules, params->paths, params->n_paths) < 0) {
        free(core->here);
        free(core);
        return NULL;
    }
    struct htable *const tables[] = {&env->tokens,     &core->flows, &core->timewaits,
                                     &core->listeners, &core->own,   &core->reassembly.table};
    reassembly_init(&core->reassembly, reassembly_limit(params), &env->hash_key, &env->tcp.wheel, &env->mem,
                    &env->tcp.count);
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (htable_init(tables[i]) < 0) {
            while (i-- > 0)
                htable_free(tables[i]);
            rules_free(&env->rules);
            free(core->here);
            free(core);
            return NULL;
        }
    }
    return core;
}

static void free_listeners(struct braid_core *core)
{
    for (size_t i = 0; i <= core->listeners.mask; i++)
        while (core->listeners.buckets[i])
            braid_unlisten(list_entry(core->listeners.buckets[i], struct braid_listener, hash));
    while (!list_empty(&core->wildcards))
        braid_unlisten(list_entry(core->wildcards.next, struct braid_listener, wildcard));
}

void braid_core_free(struct braid_core *core)
{
    struct mptcp_env *env = &core->env;
    while (!list_empty(&env->conns)) {
        struct conn_link *l = list_entry(env->conns.next, struct conn_link, node);
        if (l->conn)
            conn_free(l->conn);
        else
            list_remove(&l->node);
    }
    free_listeners(core);
    while (!list_empty(&core->timewait_order))
        core_timewait_free(list_entry(core->timewait_order.next, struct timewait_entry, node));
    reassembly_free(&core->reassembly);
    assert(env->mem.used == 0);
    htable_free(&core->flows);
    htable_free(&core->timewaits);
    htable_free(&core->listeners);
    htable_free(&core->reassembly.table);
    core_own_free(core);
    core_directory_free(core);
    htable_free(&env->tokens);
    rules_free(&env->rules);
    free(core);
}

/* ---- packets ---- */

/* A packet and how it came. */
struct arrival {
    struct wire_packet p;
    const uint8_t *data;
    size_t len;
    const struct braid_input *in;
    braid_time now;
};

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

/* A new connection belongs to the listener that its SYN was for. */
static void enter(struct braid_conn *c, struct braid_listener *l)
{
    c->ops = l->params.ops;
    c->handshake.incoming_ctx = l->params.ctx;
    c->edge = l->params.name;
    c->handshake.listener = l;
    list_append(&l->conns, &c->handshake.listener_node);
    for (unsigned i = 0; i < l->params.n_signal; i++) {
        struct braid_endpoint e = {.addr.ip = l->signal[i], .signal = true};
        conn_endpoint_add(c, &e);
    }
    conn_pm_use(c, l->params.pm);
    conn_dirty(c);
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
    enter(c, l);
    struct mp_subflow *s = list_entry(c->subflows.next, struct mp_subflow, node);
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
    if (!cookies || !overtakes(core, a))
        not_ours(core, a, -1);
}

/* A join is found by its token, whatever its address and port (RFC 8684 section 3.2). */
static void join_in(struct braid_core *core, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    uint32_t token = a->p.tcp.mp.join.token;
    unsigned owner = token % env->params.n_workers;
    if (owner != env->params.worker) {
        env->tcp.count.v[COUNT_MP_JOIN_HANDED_OVER]++;
        if (hand_over(core, a, owner))
            return;
    }
    env->tcp.count.v[COUNT_MP_JOIN_SYN_RX]++;
    struct braid_conn *c = conn_by_token(env, token);
    if (c) {
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
    if (!core_takes_plain(l) && !conn_syn_capable(&syn->tcp.mp))
        return false;
    return !l->any_address || !p->wants || p->wants(p->ctx, &syn->src, &syn->dst);
}

static void syn_in(struct braid_core *core, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    if (a->p.tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)) {
        join_in(core, a);
        return;
    }
    struct braid_listener *l = core_find_listener(core, &a->p.dst);
    struct braid_conn *c = NULL;
    if (l && !listener_wants(l, &a->p)) {
        not_ours(core, a, -1);
        return;
    }
    bool room = l && env->n_conns < env->params.max_conns && !env_short_of_memory(env);
    if (room && env->n_half_open >= env->params.half_open) {
        conn_answer_stateless(env, &a->p, &l->params, a->now);
        core_directory_cookies(core, true);
        return;
    }
    if (room)
        c = conn_open_passive(env, &a->p, &l->params, a->now);
    if (!c) {
        if (l)
            env->tcp.count.v[COUNT_MEM_REFUSED]++;
        not_ours(core, a, -1);
        return;
    }
    enter(c, l);
}

/* For a subflow that was aborted, or whose core has gone. */
static void aborted_in(struct timewait_entry *e, const struct arrival *a)
{
    struct tcp_env *tcp = &e->core->env.tcp;
    if (e->plain) {
        tcp_refuse(tcp, &a->p, -1);
    } else {
        tcp->count.v[COUNT_MP_FASTCLOSE_TX]++;
        tcp_refuse_fastclose(tcp, &a->p, e->peer_key, e->reason);
    }
    if (e->orphan)
        core_orphan_answered(e, a->now);
}

/* For a 4-tuple that lately was a subflow. True: it is a new SYN, and the entry is gone. */
static bool remembered_in(struct braid_core *core, struct timewait_entry *e, const struct arrival *a)
{
    struct mptcp_env *env = &core->env;
    bool syn = a->p.tcp.flags & TCP_SYN, rst = a->p.tcp.flags & TCP_RST;
    if (e->aborted && !syn && !(rst && !e->orphan)) {
        aborted_in(e, a);
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
    unsigned segments = a->in->gso_size ? (a->p.payload_len + a->in->gso_size - 1) / a->in->gso_size : 1;
    env->tcp.count.v[COUNT_TCP_IN_SEGS] += segments;
    struct mp_subflow *s = core_find_flow(core, &a->p.dst, &a->p.src);
    if (s) {
        if (!s->closing.dead && !s->closing.reset_due)
            subflow_input(&s->tcp, &a->p, b, a->in->gso_size, a->now);
        conn_dirty(s->conn);
        return;
    }
    struct timewait_entry *e = core_find_timewait(core, &a->p.dst, &a->p.src);
    if (e && !remembered_in(core, e, a))
        return;
    if ((a->p.tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
        syn_in(core, a);
    else
        unknown_flow(core, b, a);
}

static void icmp_in(struct braid_core *core, const struct arrival *a)
{
    core->env.tcp.count.v[COUNT_ICMP_IN_MSGS]++;
    struct mp_subflow *s = core_find_flow(core, &a->p.src, &a->p.dst);
    if (!s) {
        hand_on(core, a, &a->p.src, &a->p.dst, false);
        return;
    }
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
        icmp_in(core, &a);
        break;
    case WIRE_ECHO:
    case WIRE_OTHER:
        core_answer(core, &a.p, a.data, len, now);
        break;
    }
}

/* ---- time and flush ---- */

void braid_core_run(struct braid_core *core, braid_time now)
{
    wheel_run(&core->env.tcp.wheel, now);
}

void braid_core_resumed(struct braid_core *core, braid_time now)
{
    struct mptcp_env *env = &core->env;
    env->tcp.count.v[COUNT_RESUMED]++;
    list_each (n, tmp, &env->conns) {
        struct braid_conn *c = list_entry(n, struct conn_link, node)->conn;
        if (c)
            conn_resumed(c, now);
    }
}

void braid_core_path_mtu(struct braid_core *core, const struct braid_ip *peer, uint16_t mtu, bool silent,
                         braid_time now)
{
    struct mtu_known news = {.peer = *peer, .mtu = mtu, .silent = silent, .until = now + MTU_KNOWN_TIME};
    tcp_mtu_learn(&core->env.tcp, &news);
}

braid_time braid_core_deadline(const struct braid_core *core)
{
    return braid_core_dirty(core) ? 0 : wheel_next(&core->env.tcp.wheel);
}

bool braid_core_dirty(const struct braid_core *core)
{
    return !list_empty(&core->env.dirty);
}

void braid_core_flush(struct braid_core *core, braid_time now)
{
    struct list *dirty = &core->env.dirty;
    conn_reclaim(&core->env, now);
    for (int pass = 0; pass < FLUSH_PASSES && !list_empty(dirty); pass++) {
        struct list *last = dirty->prev, *n;
        do {
            n = dirty->next;
            struct braid_conn *c = list_entry(n, struct braid_conn, dirty_node);
            bool done = n == last;
            list_remove(n);
            conn_flush(c, now);
            if (c->phase == CONN_DEAD)
                conn_free(c);
            else
                core_ledger_note(core, c);
            if (done)
                break;
        } while (!list_empty(dirty));
    }
}
