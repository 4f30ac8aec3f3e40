/* Compares what transparent edges and CPEs need with the policy routing that deploy/braid-steer has set up,
 * and says what is missing and which command mends it. Runs in the main thread. */
#ifndef BRAID_SERVICE_STEERING_H
#define BRAID_SERVICE_STEERING_H

#include "service/service_params.h"

struct event_base;
struct steering;

/* Looks from now on, not at once: the steering may be set up when the daemon is ready. params must outlive
 * the result. NULL if memory is short. */
struct steering *steering_new(struct event_base *base, const struct service_params *params);
/* NULL is allowed. */
void steering_free(struct steering *s);

#endif
