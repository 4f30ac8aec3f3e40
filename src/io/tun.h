/* The TUN device as a whole: made, set up, routed to, put right again, closed. tun_queue.h has its packets.
 */
#ifndef BRAID_IO_TUN_H
#define BRAID_IO_TUN_H

#include <braid/types.h>
#include "io/params.h"

#define TUN_ERROR 256 /* bytes of an error message */
/* Routing table for what is steered here; its rules are made by deploy/braid-steer. */
#define TUN_TABLE 8684

struct netlink;

struct tun {
    char name[IFNAMSIZ];
    int ifindex;
    int mtu;            /* bytes */
    char rps[RPS_TEXT]; /* struct tun_params */
    struct netlink *nl; /* io/rtnetlink.h */
    bool existed;       /* it was there before us and outlives us */
    bool taken_over;    /* from the daemon before us */
    unsigned n_queues;
    int fds[DAEMON_WORKERS_MAX]; /* one per queue, non-blocking */
};

/* Opens /dev/net/tun for so many queues to come, of a process that may not open it any more by then: where no
 * udev is it is root's alone. What tun_open does not need it closes. What cannot be opened it will ask for
 * again. In the main thread. */
void tun_reserve(unsigned n_queues);
/* Opens n_queues queues of the device (created if absent, else it has to be a multi-queue TUN that nobody
 * uses, or that of the daemon before us: heirlooms.h), sets its MTU and brings it up. 0, or -1 with a message
 * of one line in error. */
int tun_open(struct tun *t, const struct tun_params *params, unsigned n_queues, char error[TUN_ERROR]);
/* Routes one address to the device. 0, or -1 with a message. */
int tun_route(struct tun *t, const struct braid_ip *ip, char error[TUN_ERROR]);
/* What became of the device: it is there and up, was set down, or was deleted. */
enum tun_state { TUN_UP, TUN_DOWN, TUN_GONE };
/* Looks at the device and, unless it is there and up, makes it so: *was tells what was found. One that was
 * deleted is made anew under the same descriptors. Its routes are not put back. 0, or -1 with a message. */
int tun_restore(struct tun *t, enum tun_state *was, char error[TUN_ERROR]);
enum tun_route_state {
    TUN_ROUTE_THERE,    /* as it should be */
    TUN_ROUTE_PUT_BACK, /* it was missing */
    TUN_ROUTE_TAKEN,    /* another route for this address has taken its place */
    TUN_ROUTE_LOCAL,    /* the address has become one of this machine's, whose kernel answers for it */
    TUN_ROUTE_FAILED    /* it cannot be put back: errno */
};
/* Looks at a route that tun_route made, and puts it back if it is missing. */
enum tun_route_state tun_route_restore(struct tun *t, const struct braid_ip *ip);
/* Removes one such route. */
void tun_unroute(struct tun *t, const struct braid_ip *ip);
/* Makes the device the default route of TUN_TABLE, for IPv4 and IPv6 (a warning, if this machine has none).
 * 0, or -1 with a message. */
int tun_steer(struct tun *t, char error[TUN_ERROR]);
/* Puts back what of it is missing. True if something was. */
bool tun_steer_restore(struct tun *t);
/* Removes it. */
void tun_unsteer(struct tun *t);
/* Logs a warning for each setting of the kernel that keeps packets of this family from the device. */
void tun_check_forwarding(const struct tun *t, bool v4, bool v6);
/* Closes the queues: a device that we created vanishes, with its routes. */
void tun_close(struct tun *t);

#endif
