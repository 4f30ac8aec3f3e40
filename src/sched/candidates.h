/* What every scheduler needs: which subflows may be chosen at all, and whether waiting for one is wise. Sets
 * of subflows are bits, one per index of v->paths. */
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

/* For schedulers that would rather wait for paths[i], which is full, than use another. True if something is
 * in flight there, so that an ACK or a timeout will come, and no more time than an ACK should take has passed
 * since it was first waited for: a path that has fallen silent holds up nobody until its timeout. Keeps the
 * start of the wait in the subflow's mark; sched_waited is to be called for what is sent. */
bool sched_may_wait(const struct sched_view *v, int i);
void sched_waited(struct sched *s, const struct sched_view *v, int i, uint64_t bytes);

#endif
