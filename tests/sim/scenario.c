/* A scenario in which nothing is left to chance, to begin one's own with. */
#include "scenario.h"

void scenario_plain(struct scenario *s, uint64_t seed, unsigned n_paths, braid_time start, braid_time poll,
                    braid_time slack)
{
    *s = (struct scenario){.seed = seed, .n_paths = n_paths, .n_addrs = 1, .start = start, .verified = 1};
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        braid_core_params_default(&s->core[side]);
        s->workers[side] = 1;
        s->poll[side] = poll;
        s->slack[side] = slack;
    }
}
