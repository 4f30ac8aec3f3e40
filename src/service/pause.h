/* All workers stand still together, so that what they share changes for all of them at the same moment. */
#ifndef BRAID_SERVICE_PAUSE_H
#define BRAID_SERVICE_PAUSE_H

#include "service/workers.h"

struct pause;

/* Waits until each worker has done what it was at, and does nothing more, at most that long. What they have
 * posted to each other comes when the pause is over. NULL: one did not come, or memory is short; they go on.
 */
struct pause *pause_begin(const struct workers *ws, unsigned ms);
/* Runs fn(worker, arg) in each worker's own thread, all at the same time, and waits for them. */
void pause_each(struct pause *p, void (*fn)(struct worker *w, void *arg), void *arg);
/* They go on. */
void pause_end(struct pause *p);

#endif
