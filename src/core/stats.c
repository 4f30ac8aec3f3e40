/* Looking inside a core: counters, and copies of what connections, subflows and path rules have come to. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/addr.h"
#include "core/inside.h"
#include "core/tapping.h"
#include "mptcp/flow_state.h"
#include "mptcp/rules.h"

const struct braid_counters *braid_core_counters(const struct braid_core *core)
{
    return &core->env.tcp.count;
}

size_t braid_core_memory(const struct braid_core *core)
{
    return core->env.mem.used;
}

bool braid_core_has_conns_at(const struct braid_core *core, const struct braid_addr *local)
{
    each_conn (c, &core->env)
        if (addr_equal(&c->addresses.local, local))
            return true;
    return false;
}

void braid_core_stats(const struct braid_core *core, struct braid_core_stats *out)
{
    const struct mptcp_env *env = &core->env;
    *out = (struct braid_core_stats){.conns = env->n_conns,
                                     .half_open = env->n_half_open,
                                     .subflows = env->n_subflows,
                                     .time_wait = core->timewaits.count,
                                     .conns_total = env->conns_total,
                                     .bytes_in = env->bytes_in_past,
                                     .bytes_out = env->bytes_out_past,
                                     .memory = env->mem.used,
                                     .memory_limit = env->mem.limit};
    each_conn (c, env) {
        out->conns_mptcp += braid_conn_is_mptcp(c);
        out->bytes_in += conn_bytes_read(c);
        out->bytes_out += conn_bytes_delivered(c);
    }
}

static void subflow_stats(const struct mp_subflow *s, struct braid_subflow_stats *o)
{
    const struct subflow *t = &s->tcp;
    struct sched_path rule = {0};
    rule_describe(s, &rule);
    *o = (struct braid_subflow_stats){
        .id = s->id,
        .local = t->local,
        .remote = t->remote,
        .state = tcp_state_text(t->state),
        .congestion = t->cc.ops->name,
        .backup = s->backup.peer || s->backup.ours,
        .stale = s->silence.suspect || t->rtt.backoff > 0,
        .path_rule = rules_place(rule_of(s)),
        .cost = rule.cost,
        .weight = rule.weight,
        .over_quota = rule.over_quota,
        .srtt_us = t->rtt.srtt_us,
        .rttvar_us = t->rtt.rttvar_us,
        .min_rtt_us = t->rtt.min_rtt_us,
        .rto_us = rtt_rto(&t->rtt),
        .cwnd = t->cc.cwnd,
        .ssthresh = t->cc.ssthresh,
        .in_flight = t->flight->board.pipe,
        .bytes_in = subflow_bytes_in(t),
        .bytes_out = subflow_bytes_out(t),
        .retransmits = t->snd.retransmits,
        .pacing_rate = t->pacer.rate,
        .mss = t->size.mss,
    };
}

static void show_subflows(const struct braid_conn *c, bool unproven, struct braid_conn_stats *out)
{
    each_flow (s, c) {
        if (flow_is_unproven(s) == unproven && out->n_subflows < BRAID_STATS_SUBFLOWS)
            subflow_stats(s, &out->subflows[out->n_subflows++]);
    }
}

static braid_time active_at(const struct braid_conn *c)
{
    braid_time at = c->opened_at;
    each_flow (s, c) {
        const struct tcp_activity *a = &s->tcp.activity;
        if (at < a->last_recv)
            at = a->last_recv;
        if (at < a->last_send)
            at = a->last_send;
    }
    return at;
}

void braid_conn_stats(const struct braid_conn *c, struct braid_conn_stats *out)
{
    /* Not the places of subflows that there are not: clearing these would cost more than all the rest. */
    memset(out, 0, offsetof(struct braid_conn_stats, subflows));
    out->id = c->id;
    out->conn = c;
    out->listener = c->edge;
    out->mptcp = braid_conn_is_mptcp(c);
    out->fell_back = c->mode == MODE_FALLBACK;
    out->version = conn_version(c)->number;
    out->checksum = c->dss.checksum;
    out->fate_sharing = c->closing.fate_shared;
    out->state = braid_conn_state(c);
    out->scheduler = c->sched.ops->name;
    out->congestion = c->cc->name;
    out->path_manager = c->pm.ops->name;
    out->local = c->addresses.local;
    out->remote = c->addresses.remote;
    out->token = c->keys.local_token;
    out->bytes_in = conn_bytes_received(c);
    out->bytes_out = conn_bytes_delivered(c);
    out->recv_queued = c->recv.bytes;
    out->send_queued = c->send.end - c->send.una;
    out->out_of_order = c->recv.ooo ? c->recv.ooo->bytes : 0;
    out->memory = c->mem.used;
    out->opened_at = c->opened_at;
    out->active_at = active_at(c);
    show_subflows(c, false, out);
    show_subflows(c, true, out); /* as far as there is room: they may be anybody's */
}

uint64_t braid_core_path_usage(const struct braid_core *core, unsigned i)
{
    assert(i < core->env.rules.n);
    return core->env.rules.v[i]->used;
}

void braid_core_path_stats(const struct braid_core *core, int i, struct braid_path_stats *out)
{
    const struct rules *rules = &core->env.rules;
    assert(i >= -1 && i < (int)rules->n);
    const struct rule *r = i < 0 ? &rules->none : rules->v[i];
    *out = (struct braid_path_stats){.subflows = r->subflows,
                                     .bytes_in = r->bytes_in,
                                     .bytes_out = r->bytes_out,
                                     .segments_sent = r->books.sent,
                                     .segments_again = r->books.again,
                                     .rtt = r->books.rtt};
}

void braid_core_path_charge(struct braid_core *core, unsigned i, uint64_t bytes)
{
    assert(i < core->env.rules.n);
    core->env.rules.v[i]->elsewhere += bytes;
}

void braid_core_path_set(struct braid_core *core, unsigned i, uint64_t used, uint64_t elsewhere)
{
    assert(i < core->env.rules.n);
    core->env.rules.v[i]->used = used;
    core->env.rules.v[i]->elsewhere = elsewhere;
}

int braid_core_set_paths(struct braid_core *core, const struct braid_path_rule *rules, unsigned n,
                         const int *was)
{
    core_tap_bytes(core, BRAID_TAP_CHANGED, NULL, 0);
    return rules_change(&core->env.rules, rules, n, was);
}

void braid_core_path_forget(struct braid_core *core, unsigned i)
{
    assert(i < core->env.rules.n);
    core->env.rules.v[i]->used = core->env.rules.v[i]->elsewhere = 0;
}
