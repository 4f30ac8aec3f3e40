/* One instance of the stack: its creation and its end, timers, and the flush. It has no thread, clock or
 * socket of its own: who holds it brings packets and time (include/braid/core.h). */
#include "core/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/demux.h"
#include "core/directory.h"
#include "core/ledger_note.h"
#include "core/passing.h"
#include "core/tapping.h"
#include "core/timewaits.h"
#include "mptcp/flow_events.h"
#include "mptcp/flush.h"
#include "mptcp/marks.h"
#include "mptcp/ports.h"
#include "mptcp/rules.h"
#include "mptcp/silent_paths.h"
#include "mptcp/stall.h"
#include "wire/ip.h"

#define FLUSH_PASSES                                                                                         \
    4 /* a callback may make other connections dirty; what is left waits for the next flush */

/* Bytes, however large the memory is. */
#define FRAGMENTS_MAX ((size_t)4 << 20)
#define BUFFER_LEAST                                                                                         \
    ((size_t)8 << 20)                   /* shares of the memory are for the case that there is little of it  \
                                         */
#define BUFFER_MOST ((size_t)256 << 20) /* two gigabits per second and half a second, twice */

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
        .join_after = 64u << 10,
        .joins_pending = 16,
        .join_rate = 32,
        .join_refusals = 200,
        .announced_syns = 32,
        .challenge_acks = 200,
        .icmp_answers = 1000,
        .out_of_order = 8192,
        .port_first = BRAID_PORT_FIRST,
        .port_last = BRAID_PORT_LAST,
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

/* What the buffer of a connection may grow to. A bandwidth-delay product is not known before there are paths;
 * so what bounds it is what the machine has, of which no connection may take more than a small part. */
static size_t buffer_limit(const struct braid_core_params *params, size_t wanted)
{
    size_t part = params->memory / 16 > BUFFER_LEAST ? params->memory / 16 : BUFFER_LEAST;
    part = part < BUFFER_MOST ? part : BUFFER_MOST;
    return wanted > 0 ? wanted : part;
}

/* Of everything that a core is given, what may be given anew later. */
static void take_limits(struct mptcp_env *env, const struct braid_core_params *params)
{
    env->params = *params;
    env->params.paths = NULL; /* the rules are in env->rules */
    env->params.rcvbuf_max = buffer_limit(params, params->rcvbuf_max);
    env->params.sndbuf_max = buffer_limit(params, params->sndbuf_max);
    /* statistics have places for so many */
    if (env->params.max_subflows > BRAID_STATS_SUBFLOWS)
        env->params.max_subflows = BRAID_STATS_SUBFLOWS;
    env->sockopt = (struct conn_sockopt){.rcvbuf_max = env->params.rcvbuf_max,
                                         .sndbuf_max = env->params.sndbuf_max,
                                         .keepalive = {.idle = params->keepalive_idle},
                                         .user_timeout = params->stall};
    env->mem.limit = params->memory;
    /* never less than before: what cookies have told of the window's scale has to stay true */
    if (env->tcp.rcvbuf_max < env->params.rcvbuf_max)
        env->tcp.rcvbuf_max = env->params.rcvbuf_max;
    env->tcp.challenge_limit = params->challenge_acks;
    env->tcp.min_mss = params->min_mss;
    env->tcp.syn_timeout = params->syn_timeout;
    ports_default(&env->params);
}

void braid_core_set_limits(struct braid_core *core, const struct braid_core_params *params)
{
    struct mptcp_env *env = &core->env;
    struct braid_core_params all = *params;
    all.worker = env->params.worker;
    all.n_workers = env->params.n_workers;
    all.directory = env->params.directory;
    all.mtu = env->params.mtu;
    all.ledger = env->params.ledger;
    core_tap_bytes(core, BRAID_TAP_CHANGED, NULL, 0);
    take_limits(env, &all);
    core->reassembly.limit = reassembly_limit(&all);
    /* their buffers may grow further now */
    each_conn (c, env) {
        size_t limit = conn_memory_limit(env);
        c->mem.limit = c->mem.limit > limit ? c->mem.limit : limit;
    }
}

struct braid_core *braid_core_new(const struct braid_core_params *params, const struct braid_host *host,
                                  braid_time now)
{
    struct braid_core *core = calloc(1, sizeof(*core));
    if (!core)
        return NULL;
    struct mptcp_env *env = &core->env;
    take_limits(env, params);
    env->ops = &core_env_ops;
    env->next_id = 1;
    env->tcp.ops = &flow_ops;
    env->tcp.host = *host;
    env->tcp.mtu = params->mtu;
    wheel_init(&env->tcp.wheel, now);
    /* Strangers choose addresses and ports; without the keys they cannot choose buckets, or make cookies. */
    host->random(host->ctx, &env->hash_key, sizeof(env->hash_key));
    host->random(host->ctx, &env->cookie_key, sizeof(env->cookie_key));
    host->random(host->ctx, &env->tcp.clock_key, sizeof(env->tcp.clock_key));
    list_init(&env->conns);
    list_init(&env->dirty);
    list_init(&core->timewait_order);
    list_init(&core->wildcards);
    list_init(&core->resting);
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

static void free_list(struct list *listeners)
{
    while (!list_empty(listeners))
        braid_unlisten(list_entry(listeners->next, struct braid_listener, wildcard));
}

static void free_listeners(struct braid_core *core)
{
    for (size_t i = 0; i <= core->listeners.mask; i++)
        while (core->listeners.buckets[i])
            braid_unlisten(list_entry(core->listeners.buckets[i], struct braid_listener, hash));
    free_list(&core->wildcards);
    free_list(&core->resting);
}

void braid_core_free(struct braid_core *core)
{
    struct mptcp_env *env = &core->env;
    braid_core_tap(core, NULL, NULL);
    env->news = (struct news_hook){.fn = NULL};
    while (!list_empty(&env->conns)) {
        struct conn_link *l = list_entry(env->conns.next, struct conn_link, node);
        /* the others are markers of walks (stats.c), whose owners free them */
        if (l->conn)
            conn_free(l->conn);
        else
            list_remove(&l->node);
    }
    free_listeners(core);
    /* behind the connections, whose subflows may leave entries */
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

/* ---- time and flush ---- */

void braid_core_run(struct braid_core *core, braid_time now)
{
    core_tap_run(core, now);
    wheel_run(&core->env.tcp.wheel, now);
}

void braid_core_resumed(struct braid_core *core, braid_time now)
{
    struct mptcp_env *env = &core->env;
    env->tcp.count.v[COUNT_RESUMED]++;
    each_conn (c, env) {
        conn_tap(c, BRAID_TAP_RESUMED, now);
        conn_resumed(c, now);
    }
}

void braid_core_path_mtu(struct braid_core *core, const struct braid_way *way, uint16_t mtu, bool silent,
                         braid_time now)
{
    struct mtu_known news = {.way = *way, .mtu = mtu, .silent = silent, .until = now + MTU_KNOWN_TIME};
    tcp_mtu_learn(&core->env.tcp, &news);
}

/* What waits for a flush is due at once. */
braid_time braid_core_deadline(const struct braid_core *core)
{
    return braid_core_dirty(core) ? 0 : wheel_next(&core->env.tcp.wheel);
}

bool braid_core_dirty(const struct braid_core *core)
{
    return !list_empty(&core->env.dirty);
}

void core_flush_one(struct braid_core *core, struct braid_conn *c, braid_time now)
{
    conn_tap(c, BRAID_TAP_FLUSH, now);
    conn_flush(c, now);
    if (c->phase == CONN_DEAD)
        conn_free(c);
    else
        core_ledger_note(core, c);
}

void braid_core_flush(struct braid_core *core, braid_time now)
{
    struct list *dirty = &core->env.dirty;
    /* first of all: what it ends is flushed in the first pass, and gives its memory back */
    conn_reclaim(&core->env, now);
    for (int pass = 0; pass < FLUSH_PASSES && !list_empty(dirty); pass++) {
        /* A pass goes as far as the list reached at its beginning: who becomes dirty again waits for the
         * others. */
        struct list *last = dirty->prev, *n;
        do {
            n = dirty->next;
            struct braid_conn *c = list_entry(n, struct braid_conn, dirty_node);
            bool done = n == last;
            list_remove(n);
            core_flush_one(core, c, now);
            if (done)
                break;
        } while (!list_empty(dirty));
    }
}
