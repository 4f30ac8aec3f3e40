/* Whether targets are well: each address of those edges that want to know is asked again and again, in the
 * loop of the main thread, and who is asked for connections learns of changes. */
#ifndef BRAID_ROLE_HEALTH_H
#define BRAID_ROLE_HEALTH_H

#include "base/targets.h"
#include "role/edge.h"

struct event_base;
struct health;

struct health_params {
    const struct edge_params *edges; /* have to outlive it */
    unsigned n_edges;
    struct event_base *base;
    /* The address of a target of this edge is down, or up again. In the event loop. */
    void (*changed)(void *arg, unsigned edge, const struct braid_addr *target, bool up);
    void *arg;
};

/* Nobody is asked yet. NULL: memory is short. */
struct health *health_new(const struct health_params *params);
/* Asks these from now on, and nobody else: the addresses of each target of edges[0], then of edges[1], and so
 * on. One that is new is taken to be up until its first check has failed. -1: memory is short, and some are
 * not asked. */
int health_follow(struct health *h, const struct targets *targets);
/* What was known of those that both ask, under the edge's name, is known here: behind the first
 * health_follow, and before the loop goes on. */
void health_inherit(struct health *h, const struct health *before);
/* The same of an address of an edge's target that another process has asked. One that two of its workers do
 * not agree about is down. */
void health_recall(struct health *h, unsigned edge, const struct braid_addr *target, bool up);
/* Tells of those that are down, as if they just were. */
void health_tell(const struct health *h);
/* NULL is allowed. */
void health_free(struct health *h);

#endif
