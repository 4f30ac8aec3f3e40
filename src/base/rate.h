/* So many events a second: for answers that strangers can provoke. */
#ifndef BRAID_BASE_RATE_H
#define BRAID_BASE_RATE_H

#include <braid/types.h>

/* Zeroed: nothing happened yet. */
struct rate {
    braid_time start; /* of the current second */
    unsigned n;       /* events in it */
};

/* Counts one more event if that keeps within per_second; 0: no limit. */
static inline bool rate_allows(struct rate *r, unsigned per_second, braid_time now)
{
    if (now - r->start >= BRAID_SECOND || r->start == 0) {
        r->start = now;
        r->n = 0;
    }
    if (per_second > 0 && r->n >= per_second)
        return false;
    r->n++;
    return true;
}

#endif
