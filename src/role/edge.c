/* The edges of one worker: listening, ending, and what can be asked about them. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "io/clock.h"
#include "io/log.h"
#include "io/netlink.h"
#include "role/bypass.h"
#include "role/edge_client.h"
#include "role/edge_mode.h"
#include "role/edge_services.h"
#include "role/learn.h"
#include "role/serve.h"

#define LOOK_AGAIN BRAID_SECOND /* at an edge whose connections are being closed */

static const struct {
    const char *name, *help;
} counter_texts[EDGE_COUNTER_MAX] = {
#define X(id, name, help) [id] = {name, help},
    EDGE_COUNTERS(X)
#undef X
};

const char *edge_counter_name(enum edge_counter c)
{
    assert(c < EDGE_COUNTER_MAX);
    return counter_texts[c].name;
}

static const struct {
    const char *name, *help;
} time_texts[EDGE_TIME_MAX] = {
#define X(id, name, help) [id] = {name, help},
    EDGE_TIMES(X)
#undef X
};

const char *edge_time_name(enum edge_time t)
{
    assert(t < EDGE_TIME_MAX);
    return time_texts[t].name;
}

const char *edge_time_help(enum edge_time t)
{
    assert(t < EDGE_TIME_MAX);
    return time_texts[t].help;
}

const char *edge_counter_help(enum edge_counter c)
{
    assert(c < EDGE_COUNTER_MAX);
    return counter_texts[c].help;
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct braid_listen_params listen_params(struct edge *e)
{
    const struct edge_params *p = e->params;
    return (struct braid_listen_params){.port_first = p->port_first,
                                        .port_last = p->port_last,
                                        .wants = e->mode->steered ? edge_wants : NULL,
                                        .wants_plain = e->mode->steered ? NULL : edge_wants_plain,
                                        .name = p->name,
                                        .cc = p->cc,
                                        .sched = p->sched,
                                        .pm = p->pm,
                                        .checksum = p->checksum,
                                        .fate_sharing = p->fate_sharing,
                                        .no_join = p->no_join,
                                        .version_0 = p->version_0,
                                        .believe_addresses = p->believe_addresses,
                                        .signal = p->signal,
                                        .n_signal = p->n_signal,
                                        .syn_data = e->mode->syn_data,
                                        .ops = e->mode->ops,
                                        .ctx = e};
}

int edge_listen(struct edge *e)
{
    struct braid_addr addrs[EDGE_LISTENERS];
    struct braid_listen_params listen = listen_params(e);
    unsigned n = e->mode->addresses(e->params, addrs);
    for (unsigned i = 0; i < n; i++) {
        if (e->listeners[i]) {
            braid_listener_change(e->listeners[i], &listen);
            continue;
        }
        listen.addr = addrs[i];
        e->listeners[i] = braid_listen(e->owner->role.node->core, &listen);
        if (!e->listeners[i])
            return -1;
    }
    return edge_rest(e);
}

int edge_rest(struct edge *e)
{
    int result = 0;
    for (unsigned i = 0; i < EDGE_LISTENERS; i++) {
        if (e->listeners[i] && e->drained)
            braid_listener_rest(e->listeners[i]);
        else if (e->listeners[i] && braid_listener_resume(e->listeners[i]) < 0)
            result = -1;
    }
    return result;
}

void edge_stop(struct edge *e)
{
    clients_refuse(e);
    for (unsigned i = 0; i < EDGE_LISTENERS; i++) {
        if (e->listeners[i])
            braid_unlisten(e->listeners[i]);
        e->listeners[i] = NULL;
    }
}

#define EARLY_MAX 65536 /* SYNs that are remembered, of each edge: some 500 a second */

/* Tables stay, once they are there: what they hold may still be in use. */
int edge_prepare(struct edge *e)
{
    const struct convert_params *convert = &e->params->convert;
    e->pending.limits.per_source = convert->pending;
    if (!convert->early || e->early.max > 0)
        return 0;
    return recent_init(&e->early, &e->owner->unproven.key, EARLY_MAX);
}

struct edge *edge_new(struct edges *es, const struct edge_params *params, const struct targets *targets)
{
    struct edge *e = calloc(1, sizeof(*e));
    const struct unproven_limits pending = {.all = UINT_MAX, .single = true};
    if (!e)
        return NULL;
    *e = (struct edge){.splices = {.events = &serve_events, .splicer = es->role.node->splicer, .group = es},
                       .owner = es,
                       .params = params,
                       .mode = edge_mode(params),
                       .number = es->next_number++};
    list_init(&e->connecting);
    list_init(&e->late);
    list_init(&e->limited);
    list_init(&e->open);
    if (unproven_init(&e->pending, &pending, &es->unproven.key) < 0 || edge_prepare(e) < 0 ||
        pool_init(&e->pool, &params->pool, targets) < 0) {
        edge_free(e);
        return NULL;
    }
    return e;
}

static void drop_all(struct list *clients)
{
    while (!list_empty(clients)) {
        struct client *cl = list_entry(clients->next, struct client, link);
        cl->why = FAREWELL_PROXY;
        splice_drop(&cl->splice);
        client_free(cl);
    }
}

void edge_free(struct edge *e)
{
    edge_stop(e);
    drop_all(&e->connecting);
    drop_all(&e->late);
    drop_all(&e->limited);
    drop_all(&e->open);
    unproven_free(&e->pending);
    pool_free(&e->pool);
    recent_free(&e->early);
    hold_put(e->hold);
    free(e);
}

static int unproven_new(struct edges *es, const struct unproven_limits *limits)
{
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    assert(got == sizeof(key)); /* so few bytes are never cut short */
    return unproven_init(&es->unproven, limits, &key);
}

struct edge *edges_find(const struct edges *es, const char *name)
{
    for (unsigned i = 0; i < es->n; i++)
        if (strcmp(es->edges[i]->params->name, name) == 0)
            return es->edges[i];
    return NULL;
}

/* What it has counted goes on with the edge that has its name now, if there is one. */
static void pass_counters_on(const struct edges *es, struct edge *e)
{
    struct edge *heir = edges_find(es, e->params->name);
    for (unsigned i = 0; heir && i < EDGE_COUNTER_MAX; i++)
        heir->counters.v[i] += e->counters.v[i];
    memset(e->counters.v, 0, sizeof(e->counters.v));
    for (unsigned i = 0; heir && i < EDGE_TIME_MAX; i++)
        durations_add(&heir->counters.times[i], &e->counters.times[i]);
    memset(e->counters.times, 0, sizeof(e->counters.times));
}

/* Its clients are gone, and the core still closes their connections: packets must go on coming here. */
static bool is_closing(const struct edges *es, const struct edge *e)
{
    struct braid_addr at[EDGE_LISTENERS];
    unsigned n = e->mode->addresses(e->params, at);
    for (unsigned i = 0; i < n; i++)
        if (braid_core_has_conns_at(es->role.node->core, &at[i]))
            return true;
    return false;
}

void edges_sweep(struct edges *es)
{
    list_each (at, next, &es->leaving) {
        struct edge *e = list_entry(at, struct edge, link);
        pass_counters_on(es, e);
        if (!edge_is_empty(e))
            continue;
        if (is_closing(es, e)) {
            role_expire_at(&es->role, clock_now() + LOOK_AGAIN);
            continue;
        }
        list_remove(&e->link);
        edge_free(e);
    }
}

static struct edges *edges_of_role(struct role *r)
{
    return list_entry(r, struct edges, role);
}

static void edges_stop(struct role *r)
{
    struct edges *es = edges_of_role(r);
    for (unsigned i = 0; i < es->n; i++)
        edge_stop(es->edges[i]);
}

static void edges_expire(struct role *r, braid_time now)
{
    struct edges *es = edges_of_role(r);
    for (unsigned i = 0; i < es->n; i++)
        es->edges[i]->mode->expire(es->edges[i], now);
    list_each (at, next, &es->leaving) {
        struct edge *e = list_entry(at, struct edge, link);
        e->mode->expire(e, now);
    }
    edges_sweep(es);
}

static void edges_free(struct role *r)
{
    struct edges *es = edges_of_role(r);
    for (unsigned i = 0; i < es->n; i++)
        edge_free(es->edges[i]);
    es->n = 0;
    list_each (at, next, &es->leaving)
        edge_free(list_entry(at, struct edge, link));
    bypass_free(es->bypass);
    unproven_free(&es->unproven);
    source_close(&es->source);
    netlink_close(es->netlink);
    free(es->by_port);
    free(es->edges);
    free(es);
}

static bool edges_tell(const struct role *r, const struct braid_conn *c, struct relayed *out)
{
    const struct client *cl = client_of(list_entry(r, const struct edges, role), c);
    if (!cl)
        return false;
    braid_conn_addrs(c, &out->meant, &out->client);
    if (cl->presented)
        out->client = cl->presented->client;
    if (!cl->connecting || cl->opening->dial)
        out->server = cl->server;
    out->profile = cl->profile.profile;
    out->now = profile_in_force(&cl->profile);
    return true;
}

static void edges_set_profile(struct role *r, struct braid_conn *c, const struct profile *p)
{
    client_profile_set(client_of(edges_of_role(r), c), p);
}

static void edges_set_own(struct role *r, struct braid_conn *c, const struct profile_own *own)
{
    client_profile_set_own(client_of(edges_of_role(r), c), own);
}

static const struct role_ops edges_role = {.stop = edges_stop,
                                           .expire = edges_expire,
                                           .free = edges_free,
                                           .tell = edges_tell,
                                           .set_profile = edges_set_profile,
                                           .set_own = edges_set_own};

struct edges *edges_new(struct node *node, const struct unproven_limits *limits,
                        const struct edge_params *params, const struct targets *targets, unsigned n)
{
    struct edges *es = calloc(1, sizeof(*es));
    if (!es)
        return NULL;
    es->role.node = node;
    list_init(&es->leaving);
    source_init(&es->source, node->core);
    es->edges = calloc(n + 1, sizeof(es->edges[0])); /* + 1: there may be none */
    bool made = es->edges && unproven_new(es, limits) == 0;
    for (unsigned i = 0; i < n && made; i++) {
        es->edges[i] = edge_new(es, &params[i], targets);
        made = es->edges[i];
        targets += params[i].pool.n;
        es->n += made;
    }
    made = made && edges_bypass_new(es) == 0;
    for (unsigned i = 0; i < n && made; i++)
        made = edge_listen(es->edges[i]) == 0;
    if (!made) {
        edges_free(&es->role);
        return NULL;
    }
    node_add(node, &es->role, &edges_role);
    return es;
}

struct edges *edges_of(const struct node *node)
{
    struct role *r = node_role(node, &edges_role);
    return r ? edges_of_role(r) : NULL;
}

void edges_set_target(struct edges *es, unsigned i, unsigned target, const struct targets *addrs)
{
    struct edge *e = es->edges[i];
    if (pool_set_target(&e->pool, target, addrs, clock_now()) < 0)
        log_error("edge %s: one worker does not use every address of its targets: memory is short",
                  e->params->name);
}

void edges_set_health(struct edges *es, unsigned i, const struct braid_addr *addr, bool up)
{
    pool_set_health(&es->edges[i]->pool, addr, up, clock_now());
}

/* ---- looking inside -------------------------------------------------------------------------- */

const char *edge_kind_name(enum edge_kind kind)
{
    return edge_mode_of(kind)->name;
}

const char *edge_listen_text(const struct edge_params *p, char text[EDGE_TEXT])
{
    edge_mode(p)->listen_text(p, text);
    return text;
}

unsigned edges_count(const struct edges *es)
{
    return es->n;
}

const struct edge_params *edges_params(const struct edges *es, unsigned i)
{
    return es->edges[i]->params;
}

const struct edge_counters *edges_counters(const struct edges *es, unsigned i)
{
    return &es->edges[i]->counters;
}

bool edges_are_drained(const struct edges *es, unsigned i)
{
    return es->edges[i]->drained;
}
