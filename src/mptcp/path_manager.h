/* What a connection keeps of addresses, its own and the peer's, and of its path manager. Embedded in struct
 * braid_conn; path_manager.c and endpoints.c decide, addr.c signals. */
#ifndef BRAID_MPTCP_PATH_MANAGER_H
#define BRAID_MPTCP_PATH_MANAGER_H

#include <braid/pm.h>
#include "base/rate.h"
#include "mptcp/ports.h"

/* How far the announcement of an address of ours has come (RFC 8684 section 3.4.1). */
struct announcement {
    bool due; /* to be sent on the next ACK */
    bool echoed;
    uint8_t sent; /* transmissions so far */
};

/* A REMOVE_ADDR (section 3.4.2). Nothing acknowledges it, so it is sent several times. */
struct withdrawal {
    uint8_t id;
    uint8_t left; /* transmissions to come */
    bool due;
};

struct conn_pm {
    struct pm pm;
    struct pm_local locals[PM_MAX_LOCALS];
    unsigned n_locals;
    uint8_t next_id; /* to try for the next endpoint */
    struct pm_remote remotes[PM_MAX_REMOTES];
    unsigned n_remotes;
    struct pm_pair (*pairs)[PM_MAX_REMOTES]; /* PM_MAX_LOCALS rows, from the first PM_OPEN on */
    struct announcement announcements[PM_MAX_LOCALS];
    struct withdrawal withdrawals[PM_MAX_LOCALS];
    unsigned n_withdrawals;
    bool changed; /* the path manager is to be asked at the next flush */
    bool alone;   /* no subflow was established when it was last asked */
    bool could_open;
    bool departing; /* subflows of addresses that are gone may be left */
    braid_time wake_at;
    struct rate opens;
    struct port_walk ports;
};

#endif
