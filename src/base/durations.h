/* How long things took, as a histogram: from a millisecond to a day, two or three bounds for each power of
 * ten. */
#ifndef BRAID_BASE_DURATIONS_H
#define BRAID_BASE_DURATIONS_H

#include <stdint.h>

#define DURATIONS_BOUNDS 16
extern const int64_t durations_bounds[DURATIONS_BOUNDS]; /* microseconds, ascending */

/* samples[i] are those above the bound before, up to durations_bounds[i]; the last are those above all. */
struct durations {
    uint64_t samples[DURATIONS_BOUNDS + 1];
    uint64_t sum_us;
};

/* One more, in microseconds; less than none counts as none. */
void durations_take(struct durations *t, int64_t us);
void durations_add(struct durations *to, const struct durations *from);

#endif
