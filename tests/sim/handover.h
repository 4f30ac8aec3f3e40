/* Cores that hand over to others in the middle of a run (include/braid/handover.h). */
#ifndef SIM_HANDOVER_H
#define SIM_HANDOVER_H

struct world;

/* Each core whose users can be told of new connections is written down, freed, and read into another one. */
void sim_handover(struct world *w);

#endif
