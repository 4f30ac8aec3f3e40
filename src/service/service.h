/* The data path as a whole: the TUN, its workers, their edges, and the resolver. Driven by the main thread.
 */
#ifndef BRAID_SERVICE_SERVICE_H
#define BRAID_SERVICE_SERVICE_H

#include "service/service_params.h"

struct event_base;
struct service;
struct uplinks;
struct worker;

/* Looks the targets up (role/resolver.h), then opens the TUN, routes to it and makes the workers, which do
 * not run yet. params and what it points to must outlive the result. NULL, and a message of one line in
 * error: nothing is left behind. */
struct service *service_new(struct event_base *base, const struct service_params *params,
                            char error[SERVICE_ERROR]);
/* Starts the workers. 0, or -1 with a message. */
int service_start(struct service *s, char error[SERVICE_ERROR]);
/* The workers; *n is their number. */
struct worker *const *service_workers(const struct service *s, unsigned *n);
/* The uplinks as they are at any time, for the main thread; NULL: there are none. */
const struct uplinks *service_uplinks(const struct service *s);
/* No new connections; done(arg) is called in the main loop when the last one has ended. */
void service_drain(struct service *s, void (*done)(void *arg), void *arg);
/* Stops the threads, resets what is left, which servers and clients are told, and closes the TUN. NULL is
 * allowed. */
void service_free(struct service *s);

#endif
