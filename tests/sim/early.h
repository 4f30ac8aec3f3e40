/* Ends that close their half of the subflows early. */
#ifndef SIM_EARLY_H
#define SIM_EARLY_H

struct world;
struct sim_core;

/* Between two flushes of a core: lets those of its ends do so that have nothing outstanding any more. */
void sim_close_early(struct world *w, const struct sim_core *core);

#endif
