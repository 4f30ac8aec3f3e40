/* See durations.h. */
#include "base/durations.h"
#include <braid/types.h>

const int64_t durations_bounds[DURATIONS_BOUNDS] = {
    1 * BRAID_MS,        3 * BRAID_MS,        10 * BRAID_MS,        30 * BRAID_MS,
    100 * BRAID_MS,      300 * BRAID_MS,      1 * BRAID_SECOND,     3 * BRAID_SECOND,
    10 * BRAID_SECOND,   30 * BRAID_SECOND,   60 * BRAID_SECOND,    300 * BRAID_SECOND,
    1800 * BRAID_SECOND, 7200 * BRAID_SECOND, 21600 * BRAID_SECOND, 86400 * BRAID_SECOND,
};

void durations_take(struct durations *t, int64_t us)
{
    unsigned i = 0;
    while (i < DURATIONS_BOUNDS && us > durations_bounds[i])
        i++;
    t->samples[i]++;
    t->sum_us += us > 0 ? (uint64_t)us : 0;
}

void durations_add(struct durations *to, const struct durations *from)
{
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
        to->samples[i] += from->samples[i];
    to->sum_us += from->sum_us;
}
