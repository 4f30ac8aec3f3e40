/* What a connection knows of addresses, its own and the peer's, beyond those of its initial subflow.
 * path_manager.c, own_addrs.c and peer_addrs.c decide, announce.c signals. */
#ifndef BRAID_MPTCP_KNOWN_H
#define BRAID_MPTCP_KNOWN_H

#include <braid/pm.h>
#include "base/rate.h"
#include "mptcp/ports.h"
#include "wire/mptcp.h"

struct braid_conn;

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

#define ECHOES_MAX 4 /* what else comes meanwhile comes again */

/* What an idle connection can do without: as long as its addresses are those of the initial subflow, and
 * nothing is to be said of any, there is none of it. Charged to the core. */
struct conn_known {
    uint64_t priv[PM_PRIV_WORDS]; /* of the path manager */
    struct pm_local locals[PM_MAX_LOCALS];
    struct pm_remote remotes[PM_MAX_REMOTES];
    uint8_t n_locals, n_remotes;
    uint8_t next_id; /* to try for the next endpoint */
    uint8_t n_echoes, n_withdrawals;
    bool departing;                          /* subflows of addresses that are gone may be left */
    struct pm_pair (*pairs)[PM_MAX_REMOTES]; /* PM_MAX_LOCALS rows, from the first PM_OPEN on */
    struct announcement announcements[PM_MAX_LOCALS];
    struct withdrawal withdrawals[PM_MAX_LOCALS];
    struct mptcp_add_addr echoes[ECHOES_MAX]; /* to send */
    struct port_walk ports;
    struct rate opens;
};

#define PAIRS_SIZE (PM_MAX_LOCALS * sizeof(((struct conn_known *)NULL)->pairs[0]))

/* The addresses of the initial subflow, as they are where nothing else is known. */
struct pm_local conn_first_local(const struct braid_conn *c);
struct pm_remote conn_first_remote(const struct braid_conn *c);
/* c->pm.known, made if there is none; NULL if memory is short. */
struct conn_known *conn_know(struct braid_conn *c);
/* Frees it, if all that it says is true of a connection without it; or whatever it says. */
void conn_know_less(struct braid_conn *c);
void conn_know_nothing(struct braid_conn *c);

#endif
