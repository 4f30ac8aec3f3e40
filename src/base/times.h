/* How long things took, as a histogram: from a millisecond to a day, two or three bounds for each power of
 * ten. */
#ifndef BRAID_BASE_TIMES_H
#define BRAID_BASE_TIMES_H

#include <stdint.h>

#define TIMES_BOUNDS 16
extern const int64_t times_bounds[TIMES_BOUNDS]; /* microseconds, ascending */

/* samples[i] are those above the bound before, up to times_bounds[i]; the last are those above all. */
struct times {
    uint64_t samples[TIMES_BOUNDS + 1];
    uint64_t sum_us;
};

/* One more, in microseconds; less than none counts as none. */
void times_take(struct times *t, int64_t us);
void times_add(struct times *to, const struct times *from);

#endif
