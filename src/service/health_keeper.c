/* See health_keeper.h. */
#include "service/health_keeper.h"
#include <stdlib.h>
#include "io/log.h"
#include "role/edge_targets.h"
#include "role/health.h"
#include "role/node.h"

struct health_keeper {
    struct event_base *base;
    struct workers *workers;
    unsigned generation;   /* of the configuration */
    struct health *health; /* NULL: there is none yet, or memory is short */
};

struct diagnosis {
    unsigned generation; /* of the configuration whose target it is */
    unsigned edge;
    struct braid_addr target;
    bool up;
};

static void take_diagnosis(struct worker *w, const void *what)
{
    const struct diagnosis *d = what;
    const struct node *node = worker_user(w);
    if (node && node->generation == d->generation)
        edges_set_health(edges_of(node), d->edge, &d->target, d->up);
}

static void on_changed(void *arg, unsigned edge, const struct braid_addr *target, bool up)
{
    struct health_keeper *k = arg;
    struct diagnosis d = {.generation = k->generation, .edge = edge, .target = *target, .up = up};
    worker_tell_all(k->workers->all, k->workers->n, NULL, take_diagnosis, &d, sizeof(d));
}

struct health_keeper *health_keeper_new(struct event_base *base)
{
    struct health_keeper *k = calloc(1, sizeof(*k));
    if (k)
        k->base = base;
    return k;
}

void health_keeper_follow(struct health_keeper *k, const struct targets *targets)
{
    if (!k->health || health_follow(k->health, targets) < 0)
        log_error("some targets are not asked for their health: memory is short");
}

void health_keeper_use(struct health_keeper *k, struct workers *workers, const struct service_params *params,
                       const struct targets *targets)
{
    struct health *before = k->health;
    const struct health_params is = {
        .edges = params->edges, .n_edges = params->n_edges, .base = k->base, .changed = on_changed, .arg = k};
    k->workers = workers;
    k->generation = params->generation;
    k->health = health_new(&is);
    health_keeper_follow(k, targets);
    if (before && k->health)
        health_inherit(k->health, before);
    health_free(before);
}

static void recall(void *arg, unsigned edge, const struct braid_addr *target, bool up)
{
    health_recall(arg, edge, target, up);
}

void health_keeper_recall(struct health_keeper *k)
{
    for (unsigned i = 0; i < k->workers->n && k->health; i++)
        edges_health_before(edges_of(worker_user(k->workers->all[i])), recall, k->health);
}

void health_keeper_tell(const struct health_keeper *k)
{
    if (k->health)
        health_tell(k->health);
}

void health_keeper_free(struct health_keeper *k)
{
    if (!k)
        return;
    health_free(k->health);
    free(k);
}
