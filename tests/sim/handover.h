/* Hands cores over in the middle of a run (braid/handover.h): it has to go on exactly as without. */
#ifndef SIM_HANDOVER_H
#define SIM_HANDOVER_H

struct braid_conn;
struct sim_moved; /* connections of a core that go on in another one */
struct world;

/* Every core goes on in another one, at once or as soon as it can. */
void sim_handover(struct world *w);
/* The same for those that could not so far. */
void sim_handover_due(struct world *w);
/* *conn, if it has moved, is the one that it is now; NULL stays. */
void sim_follow(const struct sim_moved *m, struct braid_conn **conn);

#endif
