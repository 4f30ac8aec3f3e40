/* What every scheduler needs first: which subflows may be chosen at all. Sets of subflows are bits, one per
 * index of v->paths. */
#ifndef SCHED_CANDIDATES_H
#define SCHED_CANDIDATES_H

#include <braid/sched.h>

/* The subflows that are in play: all usable ones that are no backups, or if there is none the usable
 * backups (RFC 8684 section 3.3.8). What is over its quota counts as a backup. Whether they have space is
 * left open. */
uint64_t sched_in_play(const struct sched_view *v);
/* Those that may carry the next segment, 0: wait. Backups stand in only while no other is usable, even if
 * those are full. A reinjection waits for a subflow that has not carried the bytes; only where there is none
 * does it go again onto one that has. */
uint64_t sched_candidates(const struct sched_view *v);
/* The index of the one with the lowest smoothed round-trip time `among` some, the first of equals; one
 * without a sample comes after all that have one. -1: there is none. */
int sched_lowest_rtt(const struct sched_view *v, uint64_t among);

#endif
