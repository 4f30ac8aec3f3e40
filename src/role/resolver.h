/* Addresses of servers that the configuration names: they are looked up at the start, and again when the TTL
 * of their addresses is over. A name without an address is no reason not to start: it is looked up again
 * after a second, two, four. Address literals cost nothing. Lives in one thread's event loop. */
#ifndef BRAID_ROLE_RESOLVER_H
#define BRAID_ROLE_RESOLVER_H

#include "role/edge.h"

#define RESOLVER_TTL_MIN (5 * BRAID_SECOND) /* name servers, and files, are not asked more often */
#define RESOLVER_TTL_MAX                                                                                     \
    (300 * BRAID_SECOND) /* so long a change may go unnoticed whose old TTL was a day                        \
                          */
#define RESOLVER_PERIOD (30 * BRAID_SECOND)
#define RESOLVER_RETRY  (1 * BRAID_SECOND)
#define RESOLVER_FIRST  (3 * BRAID_SECOND) /* that the start waits for the first answers */

struct event_base;
struct resolver;

/* A server of the configuration. The strings must outlive the resolver. */
struct resolver_name {
    const char *kind, *owner; /* the section that has it: "edge", "web" */
    const char *key;          /* "target" */
    const char *host;         /* address literal or name; NULL: there is nothing to look up */
    uint16_t port;
};

struct resolver_params {
    const struct resolver_name *names; /* copied */
    unsigned n;
    const struct edge_params *edges; /* whose own addresses are nobody else's; must outlive the resolver */
    unsigned n_edges;
    struct event_base *base;
    braid_time ttl_min, ttl_max; /* what a TTL counts for at least and at most */
    braid_time period;       /* before a lookup after one that failed, if there was an address before it */
    braid_time retry;        /* before the second lookup of a name without one; doubles up to the period */
    const char *resolv_conf; /* NULL: /etc/resolv.conf */
    uint16_t port;           /* of the name servers; 0: 53 */
};

/* Begins to look the names up. NULL if resources are short. */
struct resolver *resolver_new(const struct resolver_params *params);
/* targets[i] become the addresses of name i, as far as they are known; waits, outside of the event loop,
 * until every name was looked up once, at most so long. */
void resolver_first(struct resolver *r, braid_time patience, struct targets *targets);
/* From now on changed(arg, i, targets) is called when name i has other addresses than it was told last, by
 * this or by resolver_first: at once, and in the event loop. */
void resolver_report(struct resolver *r,
                     void (*changed)(void *arg, unsigned i, const struct targets *targets), void *arg);
/* Does not wait for a lookup that is under way. NULL is allowed. */
void resolver_free(struct resolver *r);

#endif
