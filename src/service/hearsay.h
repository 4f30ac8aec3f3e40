/* What one worker finds out of servers, and the others are told: which speak MPTCP, and how its races between
 * uplinks have ended. Whoever misses it for lack of memory will find out by himself. */
#ifndef BRAID_SERVICE_HEARSAY_H
#define BRAID_SERVICE_HEARSAY_H

#include "service/workers.h"

struct edges;
struct node;

/* These edges of one worker tell those of all, and hear of them. workers outlives them. */
void hearsay_of_edges(struct edges *es, struct workers *workers);
/* Gives a worker's node what it learns of servers (role/learned.h), and tells the others. 0, or -1: memory is
 * short. */
int hearsay_make_learned(struct node *node, struct workers *workers);

#endif
