/* The ways by which a CPE can reach the far side of a connection (cpe_lanes.c). */
#ifndef BRAID_ROLE_CPE_LANES_H
#define BRAID_ROLE_CPE_LANES_H

#include "role/cpe_state.h"
#include "role/race.h"
#include "role/wishes.h"

/* What is asked for. */
struct cpe_wish {
    const struct braid_addr *meant; /* by the device */
    unsigned first;                 /* peers before this one are not asked any more */
    bool straight;                  /* the server itself, whatever the mode is ... */
    bool bypass;                    /* ... and it is known to speak MPTCP */
    bool by_cost;                   /* the cheapest uplink first */
    const struct wish *of_program;  /* which uplinks, and whether MPTCP; NULL: nothing is said */
    braid_time now;
};

/* Into lanes, the best first; how many. 0: it cannot be reached now. */
unsigned cpe_lanes(const struct cpe *cpe, const struct cpe_wish *wish, struct race_lane lanes[RACE_LANES]);
/* There are ways to peers, and whoever probes them gets no answers by any. */
bool cpe_peers_silent(const struct cpe *cpe);

#endif
