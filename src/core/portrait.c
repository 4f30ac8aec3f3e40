/* One connection written down with what it needs of its core, and a core of its own that goes on with it
 * (braid/tap.h). The state is that of a handover; parameters and path rules are added, which a successor has
 * from its configuration. */
#include <stdlib.h>
#include <string.h>

#include "core/core_freeze.h"
#include "mptcp/tapped.h"

#define PORTRAIT_FORMAT 1
#define RULES_MOST      256
#define MTU_LEAST       576

enum { FORMAT = 1, PARAMS, RULE, WINDOW, STATE };

static const struct braid_field params_fields[] = {
    BRAID_NUMBER(1, struct braid_core_params, worker, UINT16_MAX),
    BRAID_NUMBER(2, struct braid_core_params, n_workers, UINT16_MAX),
    BRAID_ANY(3, struct braid_core_params, mtu),
    BRAID_NUMBER(4, struct braid_core_params, memory, BRAID_MUCH),
    BRAID_NUMBER(5, struct braid_core_params, rcvbuf_max, BRAID_MUCH),
    BRAID_NUMBER(6, struct braid_core_params, sndbuf_max, BRAID_MUCH),
    BRAID_ANY(7, struct braid_core_params, max_conns),
    BRAID_ANY(8, struct braid_core_params, half_open),
    BRAID_ANY(9, struct braid_core_params, max_subflows),
    BRAID_NUMBER(10, struct braid_core_params, max_add_addr, PM_MAX_REMOTES - 1),
    BRAID_ANY(11, struct braid_core_params, subflows_per_pair),
    BRAID_ANY(12, struct braid_core_params, join_after),
    BRAID_ANY(13, struct braid_core_params, joins_pending),
    BRAID_ANY(14, struct braid_core_params, join_rate),
    BRAID_ANY(15, struct braid_core_params, join_refusals),
    BRAID_ANY(16, struct braid_core_params, announced_syns),
    BRAID_ANY(17, struct braid_core_params, challenge_acks),
    BRAID_ANY(18, struct braid_core_params, icmp_answers),
    BRAID_ANY(19, struct braid_core_params, out_of_order),
    BRAID_ANY(20, struct braid_core_params, port_first),
    BRAID_ANY(21, struct braid_core_params, port_last),
    BRAID_ANY(22, struct braid_core_params, min_mss),
    BRAID_TIME(23, struct braid_core_params, keepalive_idle),
    BRAID_TIME(24, struct braid_core_params, time_wait),
    BRAID_TIME(25, struct braid_core_params, break_before_make),
    BRAID_TIME(26, struct braid_core_params, unread),
    BRAID_TIME(27, struct braid_core_params, stall),
    BRAID_TIME(28, struct braid_core_params, syn_timeout),
    BRAID_NUMBER(29, struct braid_core_params, instance, UINT16_MAX),
    BRAID_NUMBER(30, struct braid_core_params, n_instances, UINT16_MAX),
    {0}};
static const struct braid_field rule_fields[] = {
    BRAID_NUMBERS(1, struct braid_path_rule, local.b, 1, UINT8_MAX),
    BRAID_NUMBERS(2, struct braid_path_rule, remote.b, 1, UINT8_MAX),
    BRAID_NUMBER(3, struct braid_path_rule, local_bits, 128),
    BRAID_NUMBER(4, struct braid_path_rule, remote_bits, 128),
    BRAID_NUMBERS(5, struct braid_path_rule, also.b, 1, UINT8_MAX),
    BRAID_NUMBER(6, struct braid_path_rule, also_bits, 128),
    BRAID_ANY(7, struct braid_path_rule, cost),
    BRAID_ANY(8, struct braid_path_rule, weight),
    BRAID_ANY(9, struct braid_path_rule, quota),
    {0}};

/* ---- writing ---- */

/* What stands for the keys is there only while the state is written. */
static int freeze_without_keys(struct braid_conn *c, bool payload, uint8_t **state, size_t *len)
{
    uint64_t local = c->keys.local, remote = c->keys.remote;
    c->keys.local = local ? BRAID_TAP_KEY_LOCAL : 0;
    c->keys.remote = remote ? BRAID_TAP_KEY_REMOTE : 0;
    int done = core_freeze_conn(c, payload, state, len);
    c->keys.local = local;
    c->keys.remote = remote;
    return done;
}

int braid_conn_portray(const struct braid_conn *c, bool keys, bool payload, uint8_t **out, size_t *len)
{
    const struct mptcp_env *env = c->env;
    struct freezer f = {.len = 0};
    uint8_t *state;
    size_t n;
    int done = keys ? core_freeze_conn(c, payload, &state, &n)
                    : freeze_without_keys((struct braid_conn *)c, payload, &state, &n);
    if (done < 0)
        return -1;
    freeze_number(&f, FORMAT, PORTRAIT_FORMAT);
    freeze_struct(&f, PARAMS, params_fields, &env->params);
    for (unsigned i = 0; i < env->rules.n; i++)
        freeze_struct(&f, RULE, rule_fields, &env->rules.v[i]->says);
    freeze_number(&f, WINDOW, env->tcp.rcvbuf_max);
    freeze_bytes(&f, STATE, state, n);
    free(state);
    if (f.failed) {
        free(f.data);
        return -1;
    }
    *out = f.data;
    *len = f.len;
    return 0;
}

/* ---- reading ---- */

struct sitter {
    struct braid_core_params params;
    struct braid_path_rule *rules;
    unsigned n_rules;
    size_t window;
    const uint8_t *state;
    size_t len;
};

static void take_rule(struct sitter *s, const struct thaw_item *i)
{
    if (s->n_rules == RULES_MOST) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    struct braid_path_rule *r = &s->rules[s->n_rules++];
    *r = (struct braid_path_rule){.weight = 1};
    thaw_struct(i, rule_fields, r);
    if (r->weight == 0)
        thaw_fail(i->all, THAW_WRONG);
}

static void take(struct sitter *s, const struct thaw_item *i)
{
    switch (i->tag) {
    case FORMAT:
        if (thaw_number(i, UINT32_MAX) != PORTRAIT_FORMAT)
            thaw_fail(i->all, THAW_UNKNOWN);
        break;
    case PARAMS:
        thaw_struct(i, params_fields, &s->params);
        break;
    case RULE:
        take_rule(s, i);
        break;
    case WINDOW:
        s->window = thaw_number(i, BRAID_MUCH);
        break;
    case STATE:
        s->state = i->data;
        s->len = i->len;
        break;
    default:
        thaw_unknown(i);
    }
}

/* What a core takes for granted of its parameters. */
static bool is_sound(const struct braid_core_params *p)
{
    return p->n_workers > 0 && p->worker < p->n_workers && p->mtu >= MTU_LEAST && p->min_mss >= 64 &&
           p->max_subflows > 0;
}

static enum thaw_flaw read_sitter(struct sitter *s, const uint8_t *bytes, size_t len)
{
    struct thawing all = {.flaw = THAW_FINE};
    struct thawer t = {bytes, bytes + len, &all};
    struct thaw_item i;
    braid_core_params_default(&s->params);
    while (thaw_next(&t, &i))
        take(s, &i);
    if (thaw_fine(&all) && (!s->state || !is_sound(&s->params)))
        thaw_fail(&all, THAW_WRONG);
    s->params.paths = s->rules;
    s->params.n_paths = s->n_rules;
    return all.flaw;
}

/* Who is asked about a connection is its listener. */
static bool listen_for(struct braid_core *core, const struct braid_frozen_part *p,
                       const struct braid_conn_ops *ops, void *user)
{
    const struct braid_listen_params listen = {.addr = p->local,
                                               .name = "portrait",
                                               .cc = cc_algorithms[0],
                                               .sched = sched_algorithms[0],
                                               .ops = ops,
                                               .ctx = user};
    return braid_listen(core, &listen);
}

static enum braid_thaw_error read_state(struct braid_core *core, const struct sitter *s,
                                        const struct braid_conn_ops *ops, void *user,
                                        struct braid_conn **conn)
{
    enum braid_thaw_error error;
    struct braid_thaw *t = braid_thaw_begin(s->state, s->len, &error);
    struct braid_frozen_part part;
    bool heard = true;
    if (!t)
        return error;
    while (heard && braid_thaw_next(t, &part)) {
        if (part.kind == BRAID_FROZEN_CORE)
            braid_thaw_core(t, core);
        if (part.kind != BRAID_FROZEN_CONN || *conn)
            continue;
        heard = !part.pending || listen_for(core, &part, ops, user);
        if (heard)
            *conn = core_thaw_conn(t, core, part.released ? NULL : ops, user, NULL, false);
    }
    error = braid_thaw_end(t);
    return error ? error : !heard || !*conn ? BRAID_THAW_WRONG : BRAID_THAW_NONE;
}

static struct braid_core *read_core(const struct sitter *s, const struct braid_host *host,
                                    const struct braid_conn_ops *ops, void *user, struct braid_conn **conn,
                                    enum braid_thaw_error *error)
{
    struct braid_core *core = braid_core_new(&s->params, host, 0);
    *error = BRAID_THAW_MEMORY;
    if (!core)
        return NULL;
    if (core->env.tcp.rcvbuf_max < s->window)
        core->env.tcp.rcvbuf_max = s->window;
    *error = read_state(core, s, ops, user, conn);
    if (!*error)
        return core;
    braid_core_free(core);
    return NULL;
}

struct braid_core *braid_portrait_core(const uint8_t *bytes, size_t len, const struct braid_host *host,
                                       const struct braid_conn_ops *ops, void *user, struct braid_conn **conn,
                                       enum braid_thaw_error *error)
{
    struct sitter s = {.rules = calloc(RULES_MOST, sizeof(*s.rules))};
    struct braid_core *core = NULL;
    *conn = NULL;
    *error = BRAID_THAW_MEMORY;
    if (s.rules)
        *error = (enum braid_thaw_error)read_sitter(&s, bytes, len);
    if (!*error)
        core = read_core(&s, host, ops, user, conn, error);
    free(s.rules);
    return core;
}
