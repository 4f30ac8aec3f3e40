/* What decides where connections go, on all workers: makes it, carries news between the workers, and ends it.
 */
#ifndef BRAID_SERVICE_ROLES_H
#define BRAID_SERVICE_ROLES_H

#include "service/service_params.h"
#include "service/workers.h"

struct event_base;
struct mailbox;
struct roles;

/* Begins to look up the servers' names in the main loop, and waits for their addresses, but not for long:
 * late name servers must not keep the other edges from their clients. params must outlive the result. NULL,
 * and a message of one line in error: nothing is left behind. */
struct roles *roles_new(struct event_base *base, const struct service_params *params,
                        char error[SERVICE_ERROR]);
/* Gives each of the workers, which do not run yet, a node with its edges and CPEs. 0, or -1 with a message.
 */
int roles_make(struct roles *r, struct workers *workers, char error[SERVICE_ERROR]);
/* The workers run: from now on they hear of other addresses. */
void roles_start(struct roles *r);
/* No new connections; done(arg) is called in the main loop, whose mailbox this is, when the last one has
 * ended: if memory is short it is not. */
void roles_drain(struct roles *r, struct mailbox *main, void (*done)(void *arg), void *arg);

/* The end, in this order; NULL is allowed. Nobody hears of names any more, or of the end of a drain. */
void roles_stop(struct roles *r);
/* The workers, whose threads have ended, lose their nodes, and the servers are told. */
void roles_leave(struct roles *r);
/* What was posted to the main loop has run. */
void roles_free(struct roles *r);

#endif
