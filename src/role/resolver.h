/* Addresses of the edges' targets: names are looked up at the start, and again and again, by a thread of its
 * own, because getaddrinfo blocks. A name without an address is no reason not to start: it is looked up again
 * after a second, two, four. Address literals cost nothing. */
#ifndef BRAID_ROLE_RESOLVER_H
#define BRAID_ROLE_RESOLVER_H

#include "role/edge.h"

#define RESOLVER_PERIOD (30 * BRAID_SECOND) /* between lookups */
#define RESOLVER_RETRY  (1 * BRAID_SECOND)  /* before the second one of a name that has no address */
#define RESOLVER_FIRST  (3 * BRAID_SECOND)  /* that the start waits for the first answers */

struct resolver;

struct resolver_params {
    const struct edge_params *edges; /* must outlive the resolver */
    unsigned n;
    braid_time period; /* between lookups of a name, if it has an address or has had none for long */
    braid_time retry;  /* before the second lookup of a name without one; doubles up to the period */
};

/* Begins to look the names up; there is no thread if there are none. NULL if resources are short. */
struct resolver *resolver_new(const struct resolver_params *params);
/* targets[i] become the addresses of edge i, as far as they are known; waits until every name was looked up
 * once, at most so long. */
void resolver_first(struct resolver *r, braid_time patience, struct targets *targets);
/* From now on changed(arg, i, targets) is called, in the resolver's thread, when edge i has other addresses
 * than it was told last, by this or by resolver_first. */
void resolver_report(struct resolver *r,
                     void (*changed)(void *arg, unsigned i, const struct targets *targets), void *arg);
/* Calls nobody any more; does not wait for a lookup that is under way. NULL is allowed. */
void resolver_stop(struct resolver *r);

#endif
