/* One question to a server whether it is well: that it takes a connection, or how it answers a request by
 * HTTP. In the loop of the thread that asks, without waiting. */
#ifndef BRAID_ROLE_HEALTH_CHECK_H
#define BRAID_ROLE_HEALTH_CHECK_H

#include "role/edge.h"

struct event_base;
struct health_check;

struct health_check_params {
    struct event_base *base;
    const struct edge_params *edge; /* has to outlive the check; how to ask, and by which PROXY protocol */
    unsigned target;                /* whose name a request has */
    struct braid_addr addr;
    braid_time timeout; /* for all of it */
    /* It is over, and gone: no earlier than in health_check_begin. flaw NULL: the server is well; else why
     * not, as the end of a sentence about it. */
    void (*done)(void *arg, const char *flaw);
    void *arg;
};

/* NULL: memory is short. */
struct health_check *health_check_new(const struct health_check_params *params);
/* Asks; may call back at once. */
void health_check_begin(struct health_check *hc);
/* Gives up, and calls nobody. NULL is allowed. */
void health_check_free(struct health_check *hc);

#endif
