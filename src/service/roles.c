/* See roles.h. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/mailbox.h"
#include "role/farewell.h"
#include "role/node.h"
#include "role/probes.h"
#include "role/services.h"
#include "role/records.h"
#include "role/watches.h"
#include "role/wishes.h"
#include "service/feasible.h"
#include "service/health_keeper.h"
#include "service/hearsay.h"
#include "service/lookups.h"
#include "service/roles.h"

struct roles {
    const struct service_params *params;
    struct workers *workers;
    struct lookups names, next;           /* next: of a configuration that is about to be in force */
    struct health_keeper *health;         /* of targets */
    bool started;                         /* it asks */
    const struct service_params *changes; /* it, while it becomes so */
    atomic_bool short_of_memory;          /* a worker was, meanwhile */
    struct event_base *base;
    struct mailbox *main;
    unsigned undrained; /* workers that still have connections */
    void (*drained)(void *arg);
    void *drained_arg;
};

/* What can be wrong with a configuration on this machine, and the addresses of its names. Nothing is left of
 * it if there is something. */
static int prepare(struct lookups *n, const struct service_params *p, struct event_base *base, char *error)
{
    return feasible_check(p, error) < 0 ? -1 : lookups_begin(n, p, base, error);
}

struct roles *roles_new(struct event_base *base, const struct service_params *params,
                        char error[SERVICE_ERROR])
{
    struct roles *r = calloc(1, sizeof(*r));
    if (!r) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return NULL;
    }
    r->params = params;
    r->base = base;
    r->health = health_keeper_new(base);
    if (!r->health)
        snprintf(error, SERVICE_ERROR, "out of memory");
    if (!r->health || prepare(&r->names, params, base, error) < 0) {
        roles_free(r);
        return NULL;
    }
    return r;
}

/* Programs say what they serve only where there are edges. -1: memory is short. */
static int make_services(struct node *node, const struct service_params *p)
{
    if (p->n_edges > 0 && !node->services)
        node->services = services_new();
    return p->n_edges == 0 || node->services ? 0 : -1;
}

/* The names of edges come first. */
static int make_edges(struct roles *r, struct node *node)
{
    const struct service_params *p = r->params;
    if (make_services(node, p) < 0)
        return -1;
    struct edges *es = edges_new(node, p->unproven, p->edges, r->names.targets, p->n_edges);
    if (!es)
        return -1;
    edges_hold(es, p->hold);
    hearsay_of_edges(es, r->workers);
    return 0;
}

static void set_peers(struct cpes *cs, const struct lookups *n)
{
    for (unsigned i = 0; cs && i < n->n; i++)
        if (n->owners[i].cpe)
            cpes_set_peer(cs, n->owners[i].i, n->owners[i].peer, &n->targets[i]);
}

static struct cpe_neighbours neighbours_of(const struct service_params *p)
{
    return (struct cpe_neighbours){
        .edges = p->edges, .n_edges = p->n_edges, .policies = p->policies, .n_policies = p->n_policies};
}

static int make_cpes(struct roles *r, struct node *node, const struct service_params *p,
                     const struct lookups *names)
{
    const struct cpe_neighbours neighbours = neighbours_of(p);
    if (p->n_cpes == 0)
        return 0;
    if (!node->learned && hearsay_make_learned(node, r->workers) < 0)
        return -1;
    if (!node->wishes)
        node->wishes = wishes_new();
    if (!node->wishes)
        return -1;
    struct cpes *cs = cpes_new(node, &neighbours, p->cpes, p->n_cpes);
    if (!cs)
        return -1;
    cpes_hold(cs, p->hold);
    set_peers(cs, names);
    return 0;
}

/* -1: memory is short. */
static int make_farewells(struct node *node, const struct service_params *p)
{
    bool wanted = p->daemon->log_connections;
    if (wanted && !node->farewells)
        node->farewells = farewells_new();
    struct farewells *f = node->farewells;
    watches_tell_first(node->watches, wanted && f ? farewells_hear : NULL, f);
    if (wanted)
        return f ? farewells_set_paths(f, p->path_names, p->limits->n_paths) : -1;
    farewells_free(f);
    node->farewells = NULL;
    return 0;
}

static int make_node(struct roles *r, struct worker *w)
{
    struct node *node = node_new(worker_core(w), worker_base(w));
    worker_set_user(w, node);
    if (!node || node_share_poller(node, worker_poller(w)) < 0)
        return -1;
    node->generation = r->params->generation;
    node->watches = watches_new(node->core, worker_number(w));
    if (node->watches)
        watches_know(node->watches, node);
    node->records = records_new(node->core, worker_poller(w), worker_number(w));
    return node->watches && node->records && make_farewells(node, r->params) == 0 &&
                   make_edges(r, node) == 0 && make_cpes(r, node, r->params, &r->names) == 0
               ? 0
               : -1;
}

int roles_make(struct roles *r, struct workers *workers, char error[SERVICE_ERROR])
{
    r->workers = workers;
    for (unsigned i = 0; i < workers->n; i++) {
        if (make_node(r, workers->all[i]) < 0) {
            snprintf(error, SERVICE_ERROR, "worker %u: out of memory or descriptors", i);
            return -1;
        }
    }
    return 0;
}

/* ---- the resolver's news --------------------------------------------------------------------- */

struct news {
    unsigned generation; /* of the configuration whose name it is */
    struct name_owner of;
    struct targets targets;
};

static void take_news(struct worker *w, const void *what)
{
    const struct news *n = what;
    const struct node *node = worker_user(w);
    if (node && node->generation != n->generation)
        return;
    struct probes *ps = node ? probes_of(node) : NULL;
    if (node && n->of.cpe)
        cpes_set_peer(cpes_of(node), n->of.i, n->of.peer, &n->targets);
    if (ps && n->of.cpe)
        probes_follow_peers(ps);
    if (node && !n->of.cpe)
        edges_set_target(edges_of(node), n->of.i, n->of.peer, &n->targets);
}

/* If memory is short the old addresses stay. */
static void on_changed(void *arg, unsigned i, const struct targets *targets)
{
    struct roles *r = arg;
    r->names.targets[i] = *targets;
    struct news n = {.generation = r->params->generation, .of = r->names.owners[i], .targets = *targets};
    worker_tell_all(r->workers->all, r->workers->n, NULL, take_news, &n, sizeof(n));
    health_keeper_follow(r->health, r->names.targets);
}

static void follow_health(struct roles *r)
{
    if (!r->started)
        health_keeper_use(r->health, r->workers, r->params, r->names.targets);
    r->started = true;
}

void roles_take_over(struct roles *r)
{
    follow_health(r);
    health_keeper_recall(r->health);
}

void roles_start(struct roles *r)
{
    follow_health(r);
    health_keeper_tell(r->health);
    resolver_report(r->names.resolver, on_changed, r);
}

/* ---- another configuration ------------------------------------------------------------------------- */

int roles_prepare(struct roles *r, const struct service_params *params, char error[SERVICE_ERROR])
{
    return prepare(&r->next, params, r->base, error);
}

static int change_cpes(struct roles *r, struct node *node)
{
    const struct service_params *now = r->changes;
    struct cpes *cs = cpes_of(node);
    if (!cs)
        return make_cpes(r, node, now, &r->next);
    const struct cpes_change change = {
        .params = now->cpes, .n = now->n_cpes, .neighbours = neighbours_of(now), .hold = now->hold};
    int result = cpes_change(cs, &change);
    set_peers(cs, &r->next);
    return result;
}

static void change_node(struct worker *w, void *arg)
{
    struct roles *r = arg;
    const struct service_params *now = r->changes;
    struct node *node = worker_user(w);
    const struct edges_change change = {.limits = now->unproven,
                                        .params = now->edges,
                                        .targets = r->next.targets,
                                        .n = now->n_edges,
                                        .hold = now->hold};
    node->generation = now->generation;
    bool made = make_services(node, now) == 0;
    made &= edges_change(edges_of(node), &change) == 0;
    made &= change_cpes(r, node) == 0;
    made &= make_farewells(node, now) == 0;
    struct probes *ps = probes_of(node);
    if (ps) {
        probes_change(ps, now->uplinks, now->n_uplinks);
        probes_follow_peers(ps);
    }
    if (!made)
        atomic_store(&r->short_of_memory, true);
}

/* r->params is what the caller makes the new one, once this has returned. */
int roles_change(struct roles *r, struct pause *pause, const struct service_params *now)
{
    lookups_inherit(&r->next, now, &r->names, r->params);
    r->changes = now;
    atomic_store(&r->short_of_memory, false);
    pause_each(pause, change_node, r);
    health_keeper_use(r->health, r->workers, now, r->next.targets);
    lookups_free(&r->names);
    r->names = r->next;
    r->next = (struct lookups){.n = 0};
    return atomic_load(&r->short_of_memory) ? -1 : 0;
}

void roles_discard(struct roles *r)
{
    lookups_free(&r->next);
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
    resolver_free(r->names.resolver);
    r->names.resolver = NULL;
    health_keeper_free(r->health);
    r->health = NULL;
    r->drained = ignore;
}

/* News may still wait in a worker's mailbox. */
void roles_leave(struct roles *r)
{
    for (unsigned i = 0; r && r->workers && i < r->workers->n; i++) {
        struct worker *w = r->workers->all[i];
        struct node *node = worker_user(w);
        if (node) {
            watches_free(node->watches);
            records_free(node->records);
        }
        node_free(node);
        worker_set_user(w, NULL);
    }
}

void roles_free(struct roles *r)
{
    if (!r)
        return;
    roles_stop(r);
    lookups_free(&r->names);
    free(r);
}
