/* What a connection knows of addresses, its own and the peer's, beyond those of its initial subflow.
 * path_manager.c, own_addrs.c and peer_addrs.c decide, announce.c signals. */
#ifndef BRAID_MPTCP_KNOWN_H
#define BRAID_MPTCP_KNOWN_H

#include <braid/pm.h>
#include "base/rate.h"
#include "mptcp/demand.h"
#include "mptcp/pm_load.h"
#include "mptcp/ports.h"
#include "mptcp/rights.h"
#include "wire/mptcp.h"

struct braid_conn;

/* How far the announcement of an address of ours has come (RFC 8684 section 3.4.1). */
struct announcement {
    /* to be sent, on an ACK of its own (announce.c) */
    bool due;
    /* the peer has it (flag E): no more repetitions */
    bool echoed;
    /* transmissions so far, up to ADD_ADDR_TRIES (announce.c) */
    uint8_t sent;
};

/* A REMOVE_ADDR (section 3.4.2). Nothing acknowledges it, so it is sent several times. */
struct withdrawal {
    /* the address ID as the peer knows it; 0: the initial subflow's address */
    uint8_t id;
    uint8_t left; /* transmissions to come */
    bool due : 1;
    /* until the connection can do without the address: a peer may leave it as soon as it hears of this */
    bool held : 1;
};

#define ECHOES_MAX 4 /* what else comes meanwhile comes again */

/* What an idle connection can do without: as long as its addresses are those of the initial subflow, and
 * nothing is to be said of any, there is none of it. Charged to the core. */
struct conn_known {
    /* the path manager's own words; zeros when another one takes over */
    uint64_t priv[PM_PRIV_WORDS];
    /* what it waits for */
    struct pm_load load;
    /* What a path manager sees. [0] is that of the initial subflow, which stays even if it is unusable:
     * indexes are what subflows and pairs are known by. */
    struct pm_local locals[PM_MAX_LOCALS];
    struct pm_remote remotes[PM_MAX_REMOTES];
    uint8_t n_locals, n_remotes;
    /* the address ID last given to an endpoint; they go round, 1 to LAST_ID (own_addrs.c) */
    uint8_t next_id;
    uint8_t n_echoes, n_withdrawals;
    /* addresses were taken away whose subflows may be left (retire_departed in path_manager.c) */
    bool departing;
    /* What became of subflows, [local][remote]: PM_MAX_LOCALS rows, owned, made by the first PM_OPEN. NULL:
     * as if nothing was ever tried. */
    struct pm_pair (*pairs)[PM_MAX_REMOTES];
    /* of locals[] with the same index */
    struct announcement announcements[PM_MAX_LOCALS];
    /* by ID, since the place in locals[] may have gone to another address meanwhile; the oldest first */
    struct withdrawal withdrawals[PM_MAX_LOCALS];
    /* of the peer's ADD_ADDRs, to be sent; the last one first */
    struct mptcp_add_addr echoes[ECHOES_MAX];
    /* where the ports of our joins were drawn last */
    struct port_walk ports;
    /* Which of the core's endpoints it may use; owned. NULL: all. */
    struct conn_rights *rights;
    /* What the user has said in numbers; owned. NULL: nothing. */
    struct conn_demand *demand;
    /* PM_OPENs that were tried, against join_rate: a path manager's mistake floods nobody */
    struct rate opens;
};

#define PAIRS_SIZE (PM_MAX_LOCALS * sizeof(((struct conn_known *)NULL)->pairs[0]))

/* The addresses of the initial subflow, as they are where nothing else is known. */
struct pm_local conn_first_local(const struct braid_conn *c);
struct pm_remote conn_first_remote(const struct braid_conn *c);
/* Makes the table of pairs, if there is none, and what it is kept in; false: memory is short. */
bool conn_know_pairs(struct braid_conn *c);
/* c->pm.known, made if there is none; NULL if memory is short. */
struct conn_known *conn_know(struct braid_conn *c);
/* Frees it, if all that it says is true of a connection without it; or whatever it says. */
void conn_know_less(struct braid_conn *c);
void conn_know_nothing(struct braid_conn *c);

#endif
