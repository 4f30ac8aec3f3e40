/* Local ports of connections and subflows that we open. Private to src/mptcp and src/core. */
#ifndef BRAID_MPTCP_PORTS_H
#define BRAID_MPTCP_PORTS_H

#include <braid/core.h>

struct mptcp_env;

/* Where in the range the last choice was; all zeros: there was none. */
struct port_walk {
    uint16_t at; /* counted from the first that this worker may take */
    bool begun;
};

/* Makes sense of the range in params. */
void ports_default(struct braid_core_params *params);
/* Chooses local->port unless it is set. NONE: the 4-tuple with remote is free; TAKEN, PORTS: it is not, or
 * for no port of the worker's share of the range. */
enum braid_error ports_find(struct mptcp_env *env, struct port_walk *walk, struct braid_addr *local,
                            const struct braid_addr *remote, braid_time now);

#endif
