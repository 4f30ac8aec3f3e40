/* Differences of counters as rates. */
#ifndef BRAID_ADMIN_PER_SECOND_H
#define BRAID_ADMIN_PER_SECOND_H

#include <braid/types.h>

/* What came between two looks, us microseconds apart, which is more than 0; none where the counter has become
 * less, since it was counted anew. */
static inline uint64_t per_second(uint64_t now, uint64_t before, braid_time us)
{
    return now < before ? 0 : (now - before) * (uint64_t)BRAID_SECOND / (uint64_t)us;
}

#endif
