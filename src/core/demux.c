/* Where a packet belongs: tables of 4-tuples, of TIME_WAIT entries and of listeners, and refusals. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "core/core.h"
#include "wire/icmp.h"
#include "mptcp/marks.h"

uint64_t core_hash_tuple(const struct siphash_key *hash_key, const struct braid_addr *local,
                         const struct braid_addr *remote)
{
    uint8_t key[36];
    memcpy(key, local->ip.b, 16);
    memcpy(key + 16, remote->ip.b, 16);
    put16(key + 32, local->port);
    put16(key + 34, remote->port);
    return siphash(hash_key, key, sizeof(key));
}

uint64_t core_hash_flow(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote)
{
    return core_hash_tuple(&core->env.hash_key, local, remote);
}

struct mp_subflow *core_find_flow(const struct braid_core *core, const struct braid_addr *local,
                                  const struct braid_addr *remote)
{
    struct hnode *n = htable_first(&core->flows, core_hash_flow(core, local, remote));
    for (; n; n = htable_next(n)) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, hash);
        if (addr_equal(&s->tcp.local, local) && addr_equal(&s->tcp.remote, remote))
            return s;
    }
    return NULL;
}

struct timewait_entry *core_find_timewait(const struct braid_core *core, const struct braid_addr *local,
                                          const struct braid_addr *remote)
{
    if (core->timewaits.count == 0)
        return NULL;
    struct hnode *n = htable_first(&core->timewaits, core_hash_flow(core, local, remote));
    for (; n; n = htable_next(n)) {
        struct timewait_entry *e = list_entry(n, struct timewait_entry, tw.hash);
        if (addr_equal(&e->tw.local, local) && addr_equal(&e->tw.remote, remote))
            return e;
    }
    return NULL;
}

bool braid_core_knows(const struct braid_core *core, const struct braid_addr *local,
                      const struct braid_addr *remote)
{
    return core_find_flow(core, local, remote) || core_find_timewait(core, local, remote);
}

static uint64_t hash_addr(const struct braid_core *core, const struct braid_addr *addr)
{
    static const struct braid_addr nobody;
    return core_hash_flow(core, addr, &nobody);
}

static struct braid_listener *listener_at(const struct braid_core *core, const struct braid_addr *addr)
{
    struct hnode *n = htable_first(&core->listeners, hash_addr(core, addr));
    for (; n; n = htable_next(n)) {
        struct braid_listener *l = list_entry(n, struct braid_listener, hash);
        if (addr_equal(&l->params.addr, addr))
            return l;
    }
    return NULL;
}

struct braid_listener *core_find_listener(const struct braid_core *core, const struct braid_addr *addr)
{
    struct braid_listener *l = listener_at(core, addr);
    if (l)
        return l;
    struct braid_addr any_port = {.ip = addr->ip};
    l = listener_at(core, &any_port);
    return l ? l : core_find_wildcard(core, addr);
}

bool core_takes_plain(const struct braid_listener *l)
{
    enum braid_clients c = l->params.clients;
    return c == BRAID_CLIENTS_DEFAULT ? !l->any_address : c != BRAID_CLIENTS_MPTCP;
}

/* ---- TIME_WAIT ---- */

static void timewait_fire(struct timer *t, braid_time now)
{
    (void)now;
    core_timewait_free(list_entry(t, struct timewait_entry, tw.timer));
}

void core_timewait_free(struct timewait_entry *e)
{
    wheel_cancel(&e->core->env.tcp.wheel, &e->tw.timer);
    htable_remove(&e->core->timewaits, &e->tw.hash);
    core_directory_remove(e->core, &e->tw.local, &e->tw.remote);
    mem_give(&e->core->env.mem, mem_cost(sizeof(*e)));
    list_remove(&e->node);
    free(e);
}

void core_timewait_start(struct timewait_entry *e, braid_time now)
{
    wheel_arm(&e->core->env.tcp.wheel, &e->tw.timer, now + e->core->env.params.time_wait);
}

void core_timewait_add(struct braid_core *core, struct timewait_entry *e,
                       void (*fire)(struct timer *t, braid_time now))
{
    if (core->timewaits.count >= CORE_TIMEWAITS_MAX)
        core_timewait_free(list_entry(core->timewait_order.next, struct timewait_entry, node));
    e->core = core;
    timer_init(&e->tw.timer, fire);
    htable_insert(&core->timewaits, &e->tw.hash, core_hash_flow(core, &e->tw.local, &e->tw.remote));
    core_directory_add(core, &e->tw.local, &e->tw.remote);
    list_append(&core->timewait_order, &e->node);
    mem_take(&core->env.mem, mem_cost(sizeof(*e)));
}

static struct timewait_entry *remember(struct mptcp_env *env, struct mp_subflow *s)
{
    struct braid_core *core = (struct braid_core *)env;
    struct timewait_entry *e = env->params.time_wait > 0 ? calloc(1, sizeof(*e)) : NULL;
    if (!e)
        return NULL; /* what comes late will meet a RST */
    timewait_init(&e->tw, &s->tcp);
    core_timewait_add(core, e, timewait_fire);
    core_timewait_start(e, s->tcp.activity.last_recv);
    return e;
}

static void env_time_wait(struct mptcp_env *env, struct mp_subflow *s)
{
    const struct braid_conn *c = s->conn;
    struct timewait_entry *e = remember(env, s);
    if (!e)
        return;
    env->tcp.count.v[COUNT_TCP_TIME_WAIT]++;
    e->tw.has_data_ack = conn_is_mptcp(c) && c->recv.fin_received; /* nothing is behind that */
    e->tw.data_ack = c->keys.remote_idsn + c->recv.nxt;
}

static void env_aborted(struct mptcp_env *env, struct mp_subflow *s)
{
    struct timewait_entry *e = remember(env, s);
    if (e) {
        e->aborted = true;
        e->peer_key = s->conn->keys.remote;
        e->reason = s->conn->closing.reset_reason;
    }
}

/* ---- what connections ask for ---- */

static bool env_flow_taken(struct mptcp_env *env, const struct braid_addr *local,
                           const struct braid_addr *remote)
{
    return braid_core_knows((const struct braid_core *)env, local, remote);
}

static int env_flow_add(struct mptcp_env *env, struct mp_subflow *s)
{
    struct braid_core *core = (struct braid_core *)env;
    if (env_flow_taken(env, &s->tcp.local, &s->tcp.remote)) /* a SYN that may take it has ended TIME_WAIT */
        return -1;
    htable_insert(&core->flows, &s->hash, core_hash_flow(core, &s->tcp.local, &s->tcp.remote));
    core_directory_add(core, &s->tcp.local, &s->tcp.remote);
    s->hashed = true;
    return 0;
}

static void env_flow_remove(struct mptcp_env *env, struct mp_subflow *s)
{
    struct braid_core *core = (struct braid_core *)env;
    if (s->hashed) {
        htable_remove(&core->flows, &s->hash);
        core_directory_remove(core, &s->tcp.local, &s->tcp.remote);
    }
    s->hashed = false;
    core_ledger_remove(core, s);
}

/* Sends an ICMP error about the SYN that opened s, rebuilt from what is known of it. */
static void send_unreachable(struct mptcp_env *env, const struct wire_packet *syn)
{
    struct packet_spec spec = {.src = syn->src, .dst = syn->dst, .tcp = &syn->tcp, .hop_limit = 64};
    struct packet_header quoted;
    uint8_t icmp[ICMP_ERROR_MAX];
    if (packet_header_build(&spec, &quoted) < 0)
        return;
    size_t len = icmp_error_build(ICMP_ERROR_HOST, quoted.bytes, quoted.len, &syn->dst.ip, 0, icmp);
    if (len == 0)
        return;
    struct braid_packet out = {.header = icmp, .header_len = (uint32_t)len, .v6 = quoted.v6};
    env->tcp.host.output(env->tcp.host.ctx, &out);
    env->tcp.count.v[COUNT_ICMP_OUT_UNREACH]++;
}

static void env_refuse(struct mptcp_env *env, const struct mp_subflow *s, enum braid_refusal how)
{
    struct wire_packet syn;
    memset(&syn, 0, sizeof(syn));
    syn.kind = WIRE_TCP;
    syn.src = s->tcp.remote;
    syn.dst = s->tcp.local;
    syn.tcp.src_port = syn.src.port;
    syn.tcp.dst_port = syn.dst.port;
    syn.tcp.seq = s->tcp.syn.irs;
    syn.tcp.flags = TCP_SYN;
    env->tcp.count.v[COUNT_TCP_ATTEMPT_FAILS]++;
    if (how == BRAID_REFUSE_UNREACHABLE)
        send_unreachable(env, &syn);
    else
        tcp_refuse(&env->tcp, &syn, -1);
}

const struct mptcp_env_ops core_env_ops = {
    .flow_add = env_flow_add,
    .flow_taken = env_flow_taken,
    .flow_remove = env_flow_remove,
    .time_wait = env_time_wait,
    .aborted = env_aborted,
    .refuse = env_refuse,
};

/* ---- listeners ---- */

/* Puts it where core_find_listener finds it. */
static enum braid_error enlist(struct braid_core *core, struct braid_listener *l)
{
    const struct braid_listen_params *p = &l->params;
    for (unsigned i = 0; i < p->n_signal; i++) {
        if (core_own_add(core, &l->signal[i]) < 0)
            return BRAID_ERROR_MEMORY;
    }
    if (ip_is_multicast(&p->addr.ip) || (p->port_last && p->port_first > p->port_last))
        return BRAID_ERROR_ADDRESS;
    if (ip_is_unspecified(&p->addr.ip))
        return core_wildcard_add(core, l) < 0 ? BRAID_ERROR_TAKEN : BRAID_ERROR_NONE;
    if (listener_at(core, &p->addr))
        return BRAID_ERROR_TAKEN;
    if (core_own_add(core, &p->addr.ip) < 0)
        return BRAID_ERROR_MEMORY;
    htable_insert(&core->listeners, &l->hash, hash_addr(core, &p->addr));
    return BRAID_ERROR_NONE;
}

struct braid_listener *braid_listen(struct braid_core *core, const struct braid_listen_params *params)
{
    struct braid_listener *l = calloc(1, sizeof(*l));
    core->error = l ? BRAID_ERROR_NONE : BRAID_ERROR_MEMORY;
    if (!l)
        return NULL;
    l->core = core;
    l->params = *params;
    if (l->params.n_signal > CORE_SIGNALS)
        l->params.n_signal = CORE_SIGNALS;
    for (unsigned i = 0; i < l->params.n_signal; i++)
        l->signal[i] = params->signal[i];
    l->params.signal = l->signal;
    list_init(&l->conns);
    list_init(&l->wildcard);
    core->error = enlist(core, l);
    if (core->error) {
        free(l);
        return NULL;
    }
    return l;
}

void braid_unlisten(struct braid_listener *l)
{
    list_each (n, tmp, &l->conns) {
        struct braid_conn *c = list_entry(n, struct braid_conn, handshake.listener_node);
        if ((c->phase == CONN_PENDING || c->handshake.stateless) && !c->handshake.accept_due)
            conn_fail(c, BRAID_CLOSE_ABORTED, c->handshake.stateless);
        c->handshake.listener = NULL;
        list_remove(n);
    }
    if (l->any_address)
        list_remove(&l->wildcard);
    else
        htable_remove(&l->core->listeners, &l->hash);
    free(l);
}
