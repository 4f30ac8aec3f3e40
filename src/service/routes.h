/* The way of packets to the daemon: the TUN, the routes of the addresses that clients send to, and that both
 * stay as they were made. Driven by the main thread. */
#ifndef BRAID_SERVICE_ROUTES_H
#define BRAID_SERVICE_ROUTES_H

#include "service/service_params.h"
#include "service/workers.h"

struct event_base;
struct mailbox;
struct routes;
struct tun;

/* Opens the TUN with a queue for each of n workers, and routes to it. params must outlive the result. NULL,
 * and a message of one line in error: nothing is left behind. */
struct routes *routes_open(const struct service_params *params, unsigned n, char error[SERVICE_ERROR]);
/* The descriptors of the queues, one for each worker. */
const int *routes_queues(const struct routes *r);
/* The device. */
const struct tun *routes_tun(const struct routes *r);
/* Watches them from now on, and tells the workers when they can read again. main: the main loop's mailbox, of
 * base. 0, or -1 with a message. */
int routes_watch(struct routes *r, const struct workers *workers, struct event_base *base,
                 struct mailbox *main, char error[SERVICE_ERROR]);
/* Routes to what another configuration needs, too; its [tun] is the same. 0, or -1 with a message: all is as
 * it was. */
int routes_add(struct routes *r, const struct service_params *params, char error[SERVICE_ERROR]);
/* Takes back what none of these n configurations, of which one is that of routes_open as it is now, needs. */
void routes_keep(struct routes *r, const struct service_params *const *all, unsigned n);
/* A worker cannot read its queue any more: arg is struct routes. In the worker's thread. */
void routes_lost(void *arg);
/* Takes the routes back and closes the TUN. The workers do not run any more. NULL is allowed. */
void routes_close(struct routes *r);

#endif
