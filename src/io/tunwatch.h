/* Keeps the TUN and its routes as the daemon made them, whatever network managers, "ip link set down" or "ip
 * route flush" do to them: watches rtnetlink, puts back what is missing, and says so. Runs in the main
 * thread. */
#ifndef BRAID_IO_TUNWATCH_H
#define BRAID_IO_TUNWATCH_H

#include "io/tun.h"

struct event_base;
struct tunwatch;

struct tunwatch_params {
    struct tun *tun;
    const struct braid_ip *routes; /* addresses that are routed to the device */
    unsigned n_routes;
    bool steer; /* it is the default route of TUN_TABLE, too */
    /* The device was made anew, or tunwatch_look was called and all is well: its queues can be read again. */
    void (*readable)(void *arg);
    /* What is missing cannot be put back, for the reason given in one line: nothing can be served any more.
     */
    void (*lost)(void *arg, const char *why);
    void *arg;
};

/* Begins to watch. What params points to must outlive the result. NULL if memory or descriptors are short. */
struct tunwatch *tunwatch_new(struct event_base *base, const struct tunwatch_params *params);
/* Other routes from now on; as in params. -1: memory is short, and it goes on with those that it had. */
int tunwatch_routes(struct tunwatch *w, const struct braid_ip *routes, unsigned n, bool steer);
/* Somebody could not read from the device any more: looks at it soon. */
void tunwatch_look(struct tunwatch *w);
/* NULL is allowed. */
void tunwatch_free(struct tunwatch *w);

#endif
