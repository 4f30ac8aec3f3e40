/* What connections ask of the core that holds them (struct mptcp_env_ops): to be found by their 4-tuples, to
 * be remembered, to be refused. The environment is the first member of its core, so that one is cast to the
 * other. */
#include "core/demux.h"

#include <string.h>

#include "core/aborted.h"
#include "core/directory.h"
#include "core/inside.h"
#include "core/ledger_note.h"
#include "core/tables.h"
#include "core/timewaits.h"
#include "mptcp/marks.h"
#include "mptcp/tapped.h"
#include "wire/icmp.h"

static void env_time_wait(struct mptcp_env *env, struct mp_subflow *s)
{
    const struct braid_conn *c = s->conn;
    struct timewait_entry *e = core_remember(env, s);
    if (!e)
        return;
    env->tcp.count.v[COUNT_TCP_TIME_WAIT]++;
    e->tw.has_data_ack = conn_is_mptcp(c) && c->recv.fin_received; /* nothing is behind that */
    e->tw.data_ack = c->keys.remote_idsn + c->recv.nxt;
}

static void env_aborted(struct mptcp_env *env, struct mp_subflow *s, bool on_ack, braid_time now)
{
    core_aborted_add((struct braid_core *)env, s, on_ack, now);
}

/* One that we have reset is not: the peer has forgotten it, and takes nothing new for a part of it. */
static bool is_free(const struct timewait_entry *e)
{
    return !e || (e->aborted && !e->orphan);
}

bool braid_core_can_bind(const struct braid_core *core, const struct braid_addr *local,
                         const struct braid_addr *remote)
{
    return !core_find_flow(core, local, remote) && is_free(core_find_timewait(core, local, remote));
}

/* RFC 6191: the time in our SYN is later than all that the peer has seen of this 4-tuple (subflow.c), and
 * what is on its way for longer than a second is hardly met any more. Linux decides alike (tcp_tw_reuse). */
static bool is_bygone(const struct timewait_entry *e, braid_time now)
{
    return is_free(e) || (!e->orphan && e->tw.ts_ok && now - core_timewait_since(e) >= BRAID_SECOND);
}

static enum flow_port env_flow_port(struct mptcp_env *env, const struct braid_addr *local,
                                    const struct braid_addr *remote, braid_time now)
{
    const struct braid_core *core = (const struct braid_core *)env;
    const struct timewait_entry *e = core_find_timewait(core, local, remote);
    enum flow_port known = core_find_flow(core, local, remote) ? FLOW_PORT_TAKEN
                           : !e                                ? FLOW_PORT_NEW
                           : is_bygone(e, now)                 ? FLOW_PORT_BYGONE
                                                               : FLOW_PORT_TAKEN;
    tap_value(&env->tcp, BRAID_VALUE_PORT, &known, sizeof(known));
    return known;
}

static bool env_flow_free(struct mptcp_env *env, const struct braid_addr *local,
                          const struct braid_addr *remote)
{
    bool is_free = braid_core_can_bind((const struct braid_core *)env, local, remote);
    return tap_bool(&env->tcp, BRAID_VALUE_FREE, is_free);
}

static int env_flow_add(struct mptcp_env *env, struct mp_subflow *s)
{
    struct braid_core *core = (struct braid_core *)env;
    struct timewait_entry *e = core_find_timewait(core, &s->tcp.local, &s->tcp.remote);
    bool taken = core_find_flow(core, &s->tcp.local, &s->tcp.remote) || (e && e->orphan);
    if (!tap_bool(&env->tcp, BRAID_VALUE_FREE, !taken))
        return -1;
    if (e)
        core_timewait_free(e);
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
    tap_output(&env->tcp, &out);
    env->tcp.count.v[COUNT_ICMP_OUT_UNREACH]++;
}

/* The SYN is not kept: of it a refusal needs the ends, the sequence number and how long it was, and these the
 * subflow knows. */
static void env_refuse(struct mptcp_env *env, const struct mp_subflow *s, enum braid_refusal how)
{
    struct wire_packet syn;
    if (how == BRAID_REFUSE_SILENTLY)
        return;
    memset(&syn, 0, sizeof(syn));
    syn.kind = WIRE_TCP;
    syn.src = s->tcp.remote;
    syn.dst = s->tcp.local;
    syn.tcp.src_port = syn.src.port;
    syn.tcp.dst_port = syn.dst.port;
    syn.tcp.seq = s->tcp.syn.irs;
    syn.tcp.flags = TCP_SYN;
    syn.payload_len = s->tcp.syn.came;
    env->tcp.count.v[COUNT_TCP_ATTEMPT_FAILS]++;
    if (how == BRAID_REFUSE_UNREACHABLE)
        send_unreachable(env, &syn);
    else
        tcp_refuse(&env->tcp, &syn, -1);
}

static void env_incoming(struct mptcp_env *env, struct braid_conn *c)
{
    (void)env;
    conn_tap_callback(c, BRAID_CALLBACK_INCOMING, BRAID_CLOSE_DONE);
    c->ops->incoming(c->handshake.listener->params.ctx, c);
    conn_tap(c, BRAID_TAP_RETURN, 0);
}

const struct mptcp_env_ops core_env_ops = {
    .flow_add = env_flow_add,
    .flow_port = env_flow_port,
    .flow_free = env_flow_free,
    .flow_remove = env_flow_remove,
    .time_wait = env_time_wait,
    .aborted = env_aborted,
    .incoming = env_incoming,
    .refuse = env_refuse,
};
