/* Whether an address is this machine's own, or this daemon's. */
#ifndef BRAID_ROLE_EDGE_HERE_H
#define BRAID_ROLE_EDGE_HERE_H

#include "role/edge_state.h"

/* Whether the kernel delivers what is sent there to this machine, or cannot be asked. */
bool edges_are_on(struct edges *es, const struct braid_ip *ip);
/* Whether one of the edges listens there, or tells clients of it: a connection to it would come back. */
bool edges_have(const struct edges *es, const struct braid_ip *ip);

#endif
