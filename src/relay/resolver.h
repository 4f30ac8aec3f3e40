/* Addresses of the edges' targets: looked up at the start, and again and again by a thread of its own,
 * because getaddrinfo blocks. Address literals cost nothing. */
#ifndef BRAID_RELAY_RESOLVER_H
#define BRAID_RELAY_RESOLVER_H

#include "relay/edge.h"

#define RESOLVER_PERIOD 30  /* seconds between lookups */
#define RESOLVER_ERROR  512 /* bytes of an error message */

struct resolver;

/* Looks up every target; blocks. targets[i] becomes the address of params[i]. 0, or -1 with a message of one
 * line. */
int resolver_lookup(const struct edge_params *params, unsigned n, struct braid_addr *targets,
                    char error[RESOLVER_ERROR]);
/* Starts a thread that looks the names up periodically and calls changed(arg, i, target), in that thread,
 * when the current address of params[i] is not among the answers any more. It calls nothing for literals, and
 * has no thread if all are. targets are the current addresses; copied. params must outlive it. NULL if
 * resources are short. */
struct resolver *resolver_start(const struct edge_params *params, unsigned n,
                                const struct braid_addr *targets, unsigned period_seconds,
                                void (*changed)(void *arg, unsigned i, const struct braid_addr *target),
                                void *arg);
/* Ends the thread, which takes as long as a lookup that is under way. NULL is allowed. */
void resolver_stop(struct resolver *r);

#endif
