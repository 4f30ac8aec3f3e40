/* What a core tells of events (include/braid/events.h), in every run: each in its order, subflows down that
 * were up, one end, and nothing behind it. */
#ifndef SIM_HEARD_H
#define SIM_HEARD_H

struct sim_core;

/* The core is new. */
void heard_begin(struct sim_core *c);
/* It is about to be freed. */
void heard_end(struct sim_core *c);

#endif
