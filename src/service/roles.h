/* What decides where connections go, on all workers: makes it, carries news between the workers, and ends it.
 */
#ifndef BRAID_SERVICE_ROLES_H
#define BRAID_SERVICE_ROLES_H

#include "service/pause.h"
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
/* The workers, which do not run yet, have what those of the process before this one had. */
void roles_take_over(struct roles *r);
/* The workers run: from now on they hear of other addresses. */
void roles_start(struct roles *r);
/* Another configuration: checks what can be wrong with it on this machine, and waits for the addresses of its
 * names, as roles_new does. 0, and roles_change or roles_discard is due; or -1 with a message. */
int roles_prepare(struct roles *r, const struct service_params *params, char error[SERVICE_ERROR]);
/* Puts it into force, on all workers. What roles_new was given has to say the same from then on, before the
 * pause is over, and roles_start is due again. -1: memory was short, and something does not work, as the log
 * tells. */
int roles_change(struct roles *r, struct pause *pause, const struct service_params *now);
void roles_discard(struct roles *r);
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
