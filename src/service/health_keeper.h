/* The health checks of a configuration's targets, and how all workers learn of what they say. In the main
 * thread.
 */
#ifndef BRAID_SERVICE_HEALTH_KEEPER_H
#define BRAID_SERVICE_HEALTH_KEEPER_H

#include "base/targets.h"
#include "service/service_params.h"
#include "service/workers.h"

struct event_base;
struct health_keeper;

/* NULL: memory is short. */
struct health_keeper *health_keeper_new(struct event_base *base);
/* From now on those of this configuration, which is known by what was known under the one before it; targets:
 * the addresses of each target of its edges, in their order. The workers hear of it from health_keeper_tell
 * on. */
void health_keeper_use(struct health_keeper *k, struct workers *workers, const struct service_params *params,
                       const struct targets *targets);
/* What the process before this one knew, whose state the workers have read, is known; they do not run yet. */
void health_keeper_recall(struct health_keeper *k);
/* Their addresses are these now. */
void health_keeper_follow(struct health_keeper *k, const struct targets *targets);
/* The configuration is in force: the workers hear who is down. */
void health_keeper_tell(const struct health_keeper *k);
/* NULL is allowed. */
void health_keeper_free(struct health_keeper *k);

#endif
