/* Connections that the client opens by a race over its uplinks (src/role/race.h): each path is one. The
 * server gets a connection from each candidate that reaches it; that of the winner becomes its application's
 * when it is established, and all others end. */
#ifndef SIM_CONTEST_H
#define SIM_CONTEST_H

#include "role/race.h"

struct app;
struct sim_core;
struct sim_moved;
struct world;

/* Of one connection, at the client's end. */
struct contest {
    struct race *race; /* NULL: over */
    bool won;
    struct braid_addr local; /* of the winner */
    braid_time over_at;      /* won or lost; 0: neither */
};

/* The client begins; an event. */
void contest_open(void *ctx, uint64_t arg);
/* Another core has taken the client's place: races go on in it. */
void contest_moved(struct sim_core *sc, const struct sim_moved *m);
/* A SYN has come to the server's core. */
void contest_incoming(struct sim_core *sc, struct braid_conn *c);
/* Before all others. */
void contest_init(struct world *w);
/* Ends what is left. */
void contest_free(struct world *w);
/* True if the winner comes from this address of the client's. */
bool contest_won(const struct app *a, const struct braid_addr *local);

#endif
