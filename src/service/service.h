/* The data path as a whole: the TUN, its workers, their edges, and the resolver. Driven by the main thread.
 */
#ifndef BRAID_SERVICE_SERVICE_H
#define BRAID_SERVICE_SERVICE_H

#include "service/service_params.h"
#include "service/take_over.h"
#include "service/upgrade.h"

struct event_base;
struct service;
struct uplinks;
struct worker;

/* Looks the targets up (role/resolver.h), then opens the TUN, routes to it and makes the workers, which do
 * not run yet. What params points to must outlive the result, or the next service_change. NULL, and a message
 * of one line in error: nothing is left behind. */
struct service *service_new(struct event_base *base, const struct service_params *params,
                            char error[SERVICE_ERROR]);
/* Goes on with what the daemon before us has, before service_start. 0, or -1 as of take_over. */
int service_take_over(struct service *s, const struct taking *t, char error[SERVICE_ERROR]);
/* Starts the workers. 0, or -1 with a message. */
int service_start(struct service *s, char error[SERVICE_ERROR]);
/* The workers; *n is their number. */
struct worker *const *service_workers(const struct service *s, unsigned *n);
/* The uplinks as they are at any time, for the main thread; NULL: there are none. */
const struct uplinks *service_uplinks(const struct service *s);
/* Another configuration, in a loop that runs: params is as for service_new, and its [tun] and the number of
 * workers are the same. Connections go on; those of edges and CPEs that are gone hold their params
 * (base/hold.h). 0; -1, with a message: nothing has changed; or 1, with a message: it is in force, but
 * something failed for lack of memory. error is empty before. */
int service_change(struct service *s, const struct service_params *now, char error[SERVICE_ERROR]);
/* Lets another process take over, as upgrade_begin does; base and workers are filled in. */
struct upgrade *service_upgrade(struct service *s, const struct upgrade_params *params,
                                char error[SERVICE_ERROR]);
/* These n are all configurations of which connections may still be, the one in force included: what only
 * others needed is taken back. */
void service_forget(struct service *s, const struct service_params *const *all, unsigned n);
/* No new connections; done(arg) is called in the main loop when the last one has ended. */
void service_drain(struct service *s, void (*done)(void *arg), void *arg);
/* Stops the threads, resets what is left, which servers and clients are told, and closes the TUN. NULL is
 * allowed. */
void service_free(struct service *s);

#endif
