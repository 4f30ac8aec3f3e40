/* See roles.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io/mailbox.h"
#include "io/upstream.h"
#include "role/node.h"
#include "role/resolver.h"
#include "service/roles.h"

struct roles {
    const struct service_params *params;
    struct workers *workers;
    struct targets *targets; /* one per edge, as they were at the start */
    struct resolver *resolver;
    struct mailbox *main;
    unsigned undrained; /* workers that still have connections */
    void (*drained)(void *arg);
    void *drained_arg;
};

/* Better now than with each connection. */
static int check_sources(const struct service_params *p, char *error)
{
    for (unsigned i = 0; i < p->n_edges; i++) {
        if (p->edges[i].client_source && upstream_check_source() < 0) {
            snprintf(error, SERVICE_ERROR,
                     "edge %s: source = client: no IP_TRANSPARENT: %s; it takes CAP_NET_ADMIN or CAP_NET_RAW",
                     p->edges[i].name, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int resolve(struct roles *r, struct event_base *base, char *error)
{
    const struct service_params *p = r->params;
    struct resolver_name *names = calloc(p->n_edges, sizeof(*names));
    if (!names) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return -1;
    }
    for (unsigned i = 0; i < p->n_edges; i++)
        names[i] = (struct resolver_name){.kind = "edge",
                                          .owner = p->edges[i].name,
                                          .key = "target",
                                          .host = p->edges[i].target_host,
                                          .port = p->edges[i].target_port};
    struct resolver_params params = {.names = names,
                                     .n = p->n_edges,
                                     .edges = p->edges,
                                     .n_edges = p->n_edges,
                                     .base = base,
                                     .ttl_min = RESOLVER_TTL_MIN,
                                     .ttl_max = RESOLVER_TTL_MAX,
                                     .period = RESOLVER_PERIOD,
                                     .retry = RESOLVER_RETRY};
    r->resolver = resolver_new(&params);
    free(names);
    if (!r->resolver) {
        snprintf(error, SERVICE_ERROR, "resolver: out of memory or descriptors");
        return -1;
    }
    resolver_first(r->resolver, RESOLVER_FIRST, r->targets);
    return 0;
}

struct roles *roles_new(struct event_base *base, const struct service_params *params,
                        char error[SERVICE_ERROR])
{
    struct roles *r = calloc(1, sizeof(*r));
    struct targets *targets = calloc(params->n_edges, sizeof(*targets));
    if (!r || !targets) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        free(targets);
        free(r);
        return NULL;
    }
    r->params = params;
    r->targets = targets;
    if (check_sources(params, error) < 0 || resolve(r, base, error) < 0) {
        roles_free(r);
        return NULL;
    }
    return r;
}

/* ---- what one worker finds out ---------------------------------------------------------------- */

struct finding {
    unsigned edge;
    struct braid_addr server;
    braid_time until;
};

static void take_finding(struct worker *w, const void *what)
{
    const struct finding *f = what;
    const struct node *node = worker_user(w);
    if (node)
        edges_learn(edges_of(node), f->edge, &f->server, f->until);
}

/* In the thread of the worker that found it, who is told, too. Whoever misses it for lack of memory will find
 * out by himself. */
static void on_learned(void *arg, unsigned i, const struct braid_addr *server, braid_time until)
{
    struct roles *r = arg;
    struct finding f = {.edge = i, .server = *server, .until = until};
    worker_tell_all(r->workers->all, r->workers->n, NULL, take_finding, &f, sizeof(f));
}

static int make_edges(struct roles *r, struct worker *w)
{
    const struct service_params *p = r->params;
    struct node *node = node_new(worker_core(w), worker_base(w));
    worker_set_user(w, node);
    struct edges *es = node ? edges_new(node, p->unproven, p->edges, r->targets, p->n_edges) : NULL;
    if (es)
        edges_on_learned(es, on_learned, r);
    return es ? 0 : -1;
}

int roles_make(struct roles *r, struct workers *workers, char error[SERVICE_ERROR])
{
    r->workers = workers;
    for (unsigned i = 0; i < workers->n; i++) {
        if (make_edges(r, workers->all[i]) < 0) {
            snprintf(error, SERVICE_ERROR, "worker %u: out of memory or descriptors", i);
            return -1;
        }
    }
    return 0;
}

/* ---- the resolver's news --------------------------------------------------------------------- */

struct news {
    unsigned edge;
    struct targets targets;
};

static void take_news(struct worker *w, const void *what)
{
    const struct news *n = what;
    const struct node *node = worker_user(w);
    if (node)
        edges_set_targets(edges_of(node), n->edge, &n->targets);
}

/* If memory is short the old addresses stay. */
static void on_changed(void *arg, unsigned i, const struct targets *targets)
{
    struct roles *r = arg;
    struct news n = {.edge = i, .targets = *targets};
    worker_tell_all(r->workers->all, r->workers->n, NULL, take_news, &n, sizeof(n));
}

void roles_start(struct roles *r)
{
    resolver_report(r->resolver, on_changed, r);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* In the main thread. */
static void one_drained(void *arg)
{
    struct roles *r = arg;
    if (--r->undrained == 0)
        r->drained(r->drained_arg);
}

/* In a worker's thread. If memory is short the drain ends at its time limit. */
static void on_drained(void *arg)
{
    struct roles *r = arg;
    mailbox_post(r->main, one_drained, r);
}

static void drain_worker(struct worker *w, void *arg)
{
    node_drain(worker_user(w), on_drained, arg);
}

void roles_drain(struct roles *r, struct mailbox *main, void (*done)(void *arg), void *arg)
{
    r->main = main;
    r->undrained = r->workers->n;
    r->drained = done;
    r->drained_arg = arg;
    workers_tell(r->workers, drain_worker, r);
}

static void ignore(void *arg)
{
    (void)arg;
}

void roles_stop(struct roles *r)
{
    if (!r)
        return;
    resolver_free(r->resolver);
    r->resolver = NULL;
    r->drained = ignore;
}

/* News may still wait in a worker's mailbox. */
void roles_leave(struct roles *r)
{
    for (unsigned i = 0; r && r->workers && i < r->workers->n; i++) {
        struct worker *w = r->workers->all[i];
        node_free(worker_user(w));
        worker_set_user(w, NULL);
    }
}

void roles_free(struct roles *r)
{
    if (!r)
        return;
    roles_stop(r);
    free(r->targets);
    free(r);
}
