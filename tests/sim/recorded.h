/* The flight recorder in the simulator: connections are recorded, and what was recorded is done again by
 * other cores, which have to send the same packets. */
#ifndef SIM_RECORDED_H
#define SIM_RECORDED_H

struct sim_core;
struct world;

/* A core has been made: what begins there is recorded, if the scenario says so. */
void recorded_begin(struct sim_core *c);
/* All connections that there are, from now on. */
void recorded_all(struct world *w);
/* What was recorded of a core is done again; before it is freed. */
void recorded_judge(struct sim_core *c);
void recorded_end(struct sim_core *c);

#endif
