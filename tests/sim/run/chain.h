/* A chain of relays between the ends of a simulation: a device of a LAN, the CPE (the role as it is,
 * src/role/cpe.h), a machine that goes on by plain TCP as a converter or an edge does, and the server:
 *
 *     device --- LAN --- CPE === uplinks === exit --- backhaul --- server
 *
 * The uplinks are the paths of the world, CPE and exit its sides, and device and server are the cores in
 * world.outer, where the applications are. Each splice is that of src/relay. */
#ifndef SIM_CHAIN_H
#define SIM_CHAIN_H

#include <event2/event.h>
#include "../link.h"
#include "../world.h"
#include "role/cpe.h"
#include "role/node.h"

/* One direction of the LAN or the backhaul. */
struct hop {
    struct world *world;
    struct link link;
    struct sim_nic nic; /* at its far end */
};

struct chain {
    struct hop to_device, to_cpe, to_server, to_exit;
    /* The CPE's (chain_cpe.c). */
    struct event_base *base; /* nobody runs it */
    struct node *node;
    struct cpes *cpes;
    struct cpe_params params;
    struct cpe_neighbours neighbours;
    braid_time role_at; /* when an event for the role is planned; BRAID_NEVER: none */
    /* The exit's (chain_exit.c). */
    struct list passages;
    uint64_t passages_ever;
    bool away, died; /* its machine is, or has been */
    /* The server's (chain_server.c). */
    struct list guests;
    uint64_t guests_ever;
};

extern const struct sim_middle sim_chain;

/* The client's or the server's core on the paths. */
static inline struct sim_core *chain_cpe_core(struct world *w)
{
    return &w->cores[SIM_CLIENT][0];
}

static inline struct sim_core *chain_exit_core(struct world *w)
{
    return &w->cores[SIM_SERVER][0];
}

/* Makes the CPE's role; false: memory is short. */
bool chain_cpe_begin(struct world *w);
void chain_cpe_end(struct world *w);
/* Plans what its role waits for. */
void chain_cpe_plan(struct world *w);
void chain_cpe_renewed(struct world *w);
/* Whether it carries a connection that leaves from this address, and that of whom: of the device. */
bool chain_cpe_carries(const struct world *w, const struct braid_addr *local, struct braid_addr *device);
/* Ends the connection that it carries for the device's port; false: there is none yet. */
bool chain_cpe_abort(struct world *w, uint16_t port);

/* It is handed over as the daemon does it, when nobody is being asked: who is, is asked anew. And when
 * nobody is to be any more, since what it knows of converters begins anew. */
bool chain_cpe_ready(const struct sim_core *sc);
void chain_cpe_hand_over(struct sim_core *sc);

bool chain_exit_begin(struct world *w);
void chain_exit_end(struct world *w);
/* Where what goes on from this address of the exit's has come from: the address on the paths. False: none of
 * its connections has that address. */
bool chain_exit_from(const struct world *w, const struct braid_addr *out, struct braid_addr *from);
/* The exit ends what it relays for the device's port; false: there is none yet. */
bool chain_exit_abort(struct world *w, uint16_t port);
/* Its machine is away for so long, 0: for good; it has forgotten all. */
void chain_exit_die(struct world *w, braid_time away);

/* Its core is another one. */
const char *chain_exit_listens(struct world *w);
void chain_exit_moved(struct world *w, const struct sim_moved *m);

bool chain_server_begin(struct world *w);
void chain_server_end(struct world *w);
void chain_server_incoming(struct sim_core *sc, struct braid_conn *c);
/* Its core is another one. */
const char *chain_server_listens(struct world *w);
void chain_server_moved(struct world *w, const struct sim_moved *m);
/* Gives the server's connections to those whose others they are, as far as that is known. */
void chain_server_settle(struct world *w);

#endif
