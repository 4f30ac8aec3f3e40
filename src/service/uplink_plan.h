/* What follows for an uplink from what the kernel says of its interface: a pure function, without memory or
 * system calls. */
#ifndef BRAID_SERVICE_UPLINK_PLAN_H
#define BRAID_SERVICE_UPLINK_PLAN_H

#include "io/links.h"
#include "role/uplinks.h"

/* The routing table of uplink i, from 0. */
#define UPLINK_TABLE(i) (8701u + (i))

struct uplink_state {
    int ifindex; /* 0: no interface */
    struct uplink_way ways[UPLINK_FAMILIES];
    bool routed[UPLINK_FAMILIES]; /* the uplink's table has this way already */
};

/* The state of the uplink with these params, at place i, whose interface is seen so. before: as it was found
 * last, so that among several addresses that would do the one in use stays. */
struct uplink_state uplink_plan(const struct uplink_params *params, unsigned i, const struct link_seen *seen,
                                const struct uplink_state *before);
/* Whether packets would leave in another way. */
bool uplink_way_changed(const struct uplink_way *a, const struct uplink_way *b);

#endif
