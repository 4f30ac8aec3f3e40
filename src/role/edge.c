/* The edges of one worker: listening, ending, and what can be asked about them. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include "io/netlink.h"
#include "role/bypass.h"
#include "role/edge_client.h"
#include "role/edge_mode.h"
#include "role/edge_services.h"
#include "role/learn.h"
#include "role/serve.h"

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

const char *edge_counter_help(enum edge_counter c)
{
    assert(c < EDGE_COUNTER_MAX);
    return counter_texts[c].help;
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct braid_listener *listen_at(struct edge *e, const struct braid_addr *addr)
{
    const struct edge_params *p = e->params;
    struct braid_listen_params listen = {.addr = *addr,
                                         .port_first = p->port_first,
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
                                         .signal = p->signal,
                                         .n_signal = p->n_signal,
                                         .syn_data = e->mode->syn_data,
                                         .ops = e->mode->ops,
                                         .ctx = e};
    return braid_listen(e->owner->role.node->core, &listen);
}

static int edge_listen(struct edge *e)
{
    struct braid_addr addrs[EDGE_LISTENERS];
    unsigned n = e->mode->addresses(e->params, addrs);
    for (unsigned i = 0; i < n; i++) {
        e->listeners[i] = listen_at(e, &addrs[i]);
        if (!e->listeners[i])
            return -1;
    }
    return 0;
}

static void edge_init(struct edge *e, struct edges *es, const struct edge_params *params,
                      const struct targets *targets)
{
    *e = (struct edge){.splices = {.events = &serve_events, .splicer = es->role.node->splicer, .group = es},
                       .owner = es,
                       .params = params,
                       .mode = edge_mode(params),
                       .targets = *targets};
    list_init(&e->connecting);
    list_init(&e->late);
    list_init(&e->limited);
    list_init(&e->open);
}

#define EARLY_MAX 65536 /* SYNs that are remembered, of each edge: some 500 a second */

static int unproven_new(struct edges *es, const struct unproven_limits *limits)
{
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    assert(got == sizeof(key)); /* so few bytes are never cut short */
    int made = unproven_init(&es->unproven, limits, &key);
    for (unsigned i = 0; i < es->n; i++) {
        const struct unproven_limits pending = {
            .all = UINT_MAX, .per_source = es->edges[i].params->convert.pending, .single = true};
        made |= unproven_init(&es->edges[i].pending, &pending, &key);
        if (es->edges[i].params->convert.early)
            made |= recent_init(&es->edges[i].early, &key, EARLY_MAX);
    }
    return made;
}

static void stop_listening(struct edge *e)
{
    clients_refuse(e);
    for (unsigned i = 0; i < EDGE_LISTENERS; i++) {
        if (e->listeners[i])
            braid_unlisten(e->listeners[i]);
        e->listeners[i] = NULL;
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
        stop_listening(&es->edges[i]);
}

static void edges_expire(struct role *r, braid_time now)
{
    struct edges *es = edges_of_role(r);
    for (unsigned i = 0; i < es->n; i++)
        es->edges[i].mode->expire(&es->edges[i], now);
}

static void drop_all(struct list *clients)
{
    while (!list_empty(clients)) {
        struct client *cl = list_entry(clients->next, struct client, link);
        splice_drop(&cl->splice);
        client_free(cl);
    }
}

static void edges_free(struct role *r)
{
    struct edges *es = edges_of_role(r);
    for (unsigned i = 0; i < es->n; i++) {
        struct edge *e = &es->edges[i];
        stop_listening(e);
        drop_all(&e->connecting);
        drop_all(&e->late);
        drop_all(&e->limited);
        drop_all(&e->open);
        unproven_free(&e->pending);
        recent_free(&e->early);
    }
    bypass_free(es->bypass);
    unproven_free(&es->unproven);
    source_close(&es->source);
    netlink_close(es->netlink);
    free(es->by_port);
    free(es);
}

static bool edges_tell(const struct role *r, const struct braid_conn *c, struct relayed *out)
{
    const struct client *cl = client_of(list_entry(r, const struct edges, role), c);
    if (!cl)
        return false;
    braid_conn_addrs(c, &out->meant, &out->client);
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
    struct edges *es = calloc(1, sizeof(*es) + n * sizeof(es->edges[0]));
    if (!es)
        return NULL;
    es->role.node = node;
    es->n = n;
    source_init(&es->source, node->core);
    for (unsigned i = 0; i < n; i++)
        edge_init(&es->edges[i], es, &params[i], &targets[i]);
    bool made = unproven_new(es, limits) == 0 && edges_bypass_new(es) == 0;
    for (unsigned i = 0; i < n && made; i++)
        made = edge_listen(&es->edges[i]) == 0;
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

void edges_set_targets(struct edges *es, unsigned i, const struct targets *targets)
{
    es->edges[i].targets = *targets;
    es->edges[i].preferred_until = 0;
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
    return es->edges[i].params;
}

const struct edge_counters *edges_counters(const struct edges *es, unsigned i)
{
    return &es->edges[i].counters;
}
