/* The ways by which a CPE can reach the far side of a connection (cpe_lanes.c). */
#ifndef BRAID_ROLE_CPE_LANES_H
#define BRAID_ROLE_CPE_LANES_H

#include "role/cpe_state.h"
#include "role/race.h"

/* For a connection that means this address, from peer number `first` on: into lanes, the best first; how
 * many. 0: it cannot be reached now. */
unsigned cpe_lanes(const struct cpe *cpe, const struct braid_addr *meant, unsigned first, braid_time now,
                   struct race_lane lanes[RACE_LANES]);

#endif
