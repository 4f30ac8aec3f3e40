/* Looking inside a core: statistics, the walk over all connections, and the check of invariants. A walk may
 * take many turns of the worker's loop, a page in each; connections come and go in between, so its place in
 * the list is kept by a marker of its own. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/seq.h"
#include "core/inside.h"
#include "mptcp/flow_state.h"
#include "mptcp/rules.h"

const struct braid_counters *braid_core_counters(const struct braid_core *core)
{
    return &core->env.tcp.count;
}

/* The DATA_FIN has a number too, and is no byte. */
static uint64_t bytes_received(const struct braid_conn *c)
{
    return c->recv.nxt - DATA_FIRST - (c->recv.fin_received ? 1 : 0);
}

size_t braid_core_memory(const struct braid_core *core)
{
    return core->env.mem.used;
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
    list_each (n, tmp, &env->conns) {
        const struct braid_conn *c = list_entry(n, struct conn_link, node)->conn;
        if (!c)
            continue;
        out->conns_mptcp += braid_conn_is_mptcp(c);
        out->bytes_in += c->recv.user - DATA_FIRST;
        out->bytes_out += c->send.una - DATA_FIRST;
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
        .path_rule = s->rule ? (int)(s->rule - s->conn->env->rules.v) : -1,
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
    list_each (n, tmp, &c->subflows) {
        const struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (flow_is_unproven(s) == unproven && out->n_subflows < BRAID_STATS_SUBFLOWS)
            subflow_stats(s, &out->subflows[out->n_subflows++]);
    }
}

/* Of a handshake. A simultaneous open has made the initial subflow, the only one, SYN-RECEIVED, too. */
static enum braid_conn_state opening_state(const struct braid_conn *c)
{
    bool received = c->handshake.passive;
    list_each (n, tmp, &c->subflows)
        received |= list_entry(n, struct mp_subflow, node)->tcp.state == TCP_STATE_SYN_RECEIVED;
    return received ? BRAID_CONN_SYN_RECEIVED : BRAID_CONN_SYN_SENT;
}

enum braid_conn_state braid_conn_state(const struct braid_conn *c)
{
    switch (c->phase) {
    case CONN_PENDING:
        return BRAID_CONN_PENDING;
    case CONN_HANDSHAKE:
        return opening_state(c);
    case CONN_ESTABLISHED:
        if (c->n_subflows == 0)
            return BRAID_CONN_NO_SUBFLOW;
        if (c->recv.fin_received)
            return c->send.shutdown ? BRAID_CONN_LAST_ACK : BRAID_CONN_CLOSE_WAIT;
        return c->send.shutdown ? BRAID_CONN_FIN_WAIT : BRAID_CONN_ESTABLISHED;
    case CONN_DRAINING:
    case CONN_DEAD:
        break;
    }
    return BRAID_CONN_CLOSING;
}

const char *braid_conn_state_text(enum braid_conn_state state)
{
    static const char *const texts[] = {
        [BRAID_CONN_PENDING] = "PENDING",           [BRAID_CONN_SYN_SENT] = "SYN_SENT",
        [BRAID_CONN_SYN_RECEIVED] = "SYN_RECEIVED", [BRAID_CONN_ESTABLISHED] = "ESTABLISHED",
        [BRAID_CONN_NO_SUBFLOW] = "NO_SUBFLOW",     [BRAID_CONN_FIN_WAIT] = "FIN_WAIT",
        [BRAID_CONN_CLOSE_WAIT] = "CLOSE_WAIT",     [BRAID_CONN_LAST_ACK] = "LAST_ACK",
        [BRAID_CONN_CLOSING] = "CLOSING",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_CONN_CLOSING + 1, "a text for each state");
    return texts[state];
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
    out->checksum = c->dss.checksum;
    out->state = braid_conn_state(c);
    out->scheduler = c->sched.ops->name;
    out->congestion = c->cc->name;
    out->path_manager = c->pm.ops->name;
    out->local = c->addresses.local;
    out->remote = c->addresses.remote;
    out->token = c->keys.local_token;
    out->bytes_in = bytes_received(c);
    out->bytes_out = c->send.una - DATA_FIRST;
    out->recv_queued = c->recv.bytes;
    out->send_queued = c->send.end - c->send.una;
    out->out_of_order = c->recv.ooo ? c->recv.ooo->bytes : 0;
    out->memory = c->mem.used;
    out->opened_at = c->opened_at;
    show_subflows(c, false, out);
    show_subflows(c, true, out); /* as far as there is room: they may be anybody's */
}

uint64_t braid_core_path_usage(const struct braid_core *core, unsigned i)
{
    assert(i < core->env.rules.n);
    return core->env.rules.v[i].used;
}

uint64_t braid_core_path_subflows(const struct braid_core *core, unsigned i)
{
    assert(i < core->env.rules.n);
    return core->env.rules.v[i].subflows;
}

void braid_core_path_charge(struct braid_core *core, unsigned i, uint64_t bytes)
{
    assert(i < core->env.rules.n);
    core->env.rules.v[i].elsewhere += bytes;
}

void braid_core_path_forget(struct braid_core *core, unsigned i)
{
    assert(i < core->env.rules.n);
    core->env.rules.v[i].used = core->env.rules.v[i].elsewhere = 0;
}

struct braid_dump {
    struct braid_core *core;
    struct conn_link marker; /* stands before the next connection to report */
};

/* From the head on: connections are in the order of their ids, and new ones come behind every marker. */
struct braid_dump *braid_dump_begin(struct braid_core *core)
{
    struct braid_dump *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->core = core;
    list_prepend(&core->env.conns, &d->marker.node);
    return d;
}

/* The next connection, NULL: there is none. The marker stands behind it then. */
static const struct braid_conn *dump_step(struct braid_dump *d)
{
    const struct braid_conn *c = NULL;
    struct list *at = d->marker.node.next, *head = &d->core->env.conns;
    for (; !c && at != head; at = at->next)
        c = list_entry(at, struct conn_link, node)->conn; /* NULL: another walk's marker */
    list_remove(&d->marker.node);
    list_append(at, &d->marker.node); /* before `at` */
    return c;
}

unsigned braid_dump_next(struct braid_dump *d, struct braid_conn_stats *out, unsigned max)
{
    unsigned n = 0;
    for (const struct braid_conn *c; n < max && (c = dump_step(d)) != NULL;)
        braid_conn_stats(c, &out[n++]);
    return n;
}

unsigned braid_dump_next_brief(struct braid_dump *d, struct braid_conn_brief *out, unsigned max)
{
    unsigned n = 0;
    for (const struct braid_conn *c; n < max && (c = dump_step(d)) != NULL;)
        out[n++] = (struct braid_conn_brief){.listener = c->edge,
                                             .mptcp = braid_conn_is_mptcp(c),
                                             .n_subflows = c->n_subflows,
                                             .memory = c->mem.used};
    return n;
}

void braid_dump_end(struct braid_dump *d)
{
    list_remove(&d->marker.node);
    free(d);
}

struct braid_conn *braid_conn_by_id(struct braid_core *core, uint64_t id)
{
    list_each (n, tmp, &core->env.conns) {
        struct braid_conn *c = list_entry(n, struct conn_link, node)->conn;
        if (c && c->id == id)
            return c;
    }
    return NULL;
}

/* ---- invariants, for tests, the simulator and the fuzzers ---- */

static void check_send(const struct braid_conn *c)
{
    assert(!seq64_before(c->send.nxt, c->send.una));
    assert(!seq64_before(c->send.end, c->send.nxt));
    uint64_t at = 0;
    size_t held = 0;
    list_each (n, tmp, &c->send.chunks) {
        const struct send_chunk *k = list_entry(n, struct send_chunk, node);
        assert(k->len <= k->buf->cap);
        assert(n == c->send.chunks.next || at == k->dsn);
        at = k->dsn + k->len;
        held += k->buf->cap;
    }
    if (c->send.una != c->send.end) {
        assert(!list_empty(&c->send.chunks) && at == c->send.end);
        assert(list_entry(c->send.chunks.next, struct send_chunk, node)->dsn <= c->send.una);
    }
    assert(held <= c->mem.used);
    for (uint32_t i = 0; i < c->send.reinject.n; i++)
        assert(c->send.reinject.r[i].start >= c->send.una && c->send.reinject.r[i].end <= c->send.nxt);
}

static void check_recv(const struct braid_conn *c)
{
    const struct recvq *q = c->recv.q;
    size_t sum = 0;
    for (uint32_t i = 0; q && i < q->n; i++)
        sum += q->v[(q->head + i) & (q->cap - 1)].len;
    assert(sum == c->recv.bytes);
    assert(c->recv.user + c->recv.bytes + (c->recv.fin_received ? 1 : 0) == c->recv.nxt || c->recv.discard ||
           c->closing.fail_due);
    const struct data_gaps *g = c->recv.ooo;
    if (!g)
        return;
    uint64_t at = c->recv.nxt;
    sum = 0;
    list_each (n, tmp, &g->pieces) {
        const struct data_ooo *o = list_entry(n, struct data_ooo, node);
        assert(seq64_before(at, o->dsn) || (n != g->pieces.next && at == o->dsn));
        at = o->dsn + o->s.len;
        sum += o->s.len;
    }
    assert(sum > 0 && sum == g->bytes);
}

void braid_core_check(const struct braid_core *core)
{
    uint64_t conns = 0, flows = 0;
    reassembly_check(&core->reassembly);
    list_each (n, tmp, &core->env.conns) {
        const struct braid_conn *c = list_entry(n, struct conn_link, node)->conn;
        if (!c)
            continue;
        conns++;
        flows += c->n_subflows;
        check_send(c);
        check_recv(c);
        list_each (k, tmp2, &c->subflows) {
            const struct mp_subflow *s = list_entry(k, struct mp_subflow, node);
            if (!s->closing.dead)
                subflow_check(&s->tcp);
        }
    }
    assert(conns == core->env.n_conns);
    assert(flows == core->env.n_subflows && flows == core->flows.count);
}
