/* Uplinks that take MPTCP's option away: found by what races have learned (role/learned.h), and said. */
#ifndef BRAID_SERVICE_UPLINK_STRIPPERS_H
#define BRAID_SERVICE_UPLINK_STRIPPERS_H

#include "service/service_params.h"

struct worker;

struct uplink_strippers {
    const struct service_params *params;
    unsigned found; /* a bit for each uplink; for the worker's thread */
};

/* Says in the log which ones do so now, or no more. arg: struct uplink_strippers. In the thread of one and
 * the same worker, which hears what the others' races see. */
void uplink_strippers_look(struct worker *w, void *arg);

#endif
