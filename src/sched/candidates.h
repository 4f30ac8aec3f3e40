/* What every scheduler needs first: which subflows may be chosen at all. */
#ifndef SCHED_CANDIDATES_H
#define SCHED_CANDIDATES_H

#include <braid/sched.h>

/* Returns a bit per index of v->paths that may carry the next segment, 0: wait. Backup subflows stand in only
 * while no other is usable (RFC 8684 section 3.3.8), even if those are full. A reinjection waits for a
 * subflow that has not carried the bytes; only where there is none does it go again onto one that has. */
uint64_t sched_candidates(const struct sched_view *v);

#endif
