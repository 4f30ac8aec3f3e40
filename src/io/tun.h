/* The TUN device: packets between the kernel and the stack, super-packets of up to 64 KiB with a virtio
 * header. */
#ifndef BRAID_IO_TUN_H
#define BRAID_IO_TUN_H

#include <sys/types.h>
#include <braid/core.h>
#include "io/params.h"

#define TUN_VNET_BYTES 12                       /* virtio header in front of each packet */
#define TUN_BUFFER     (TUN_VNET_BYTES + 65535) /* bytes that hold any packet with its header */
#define TUN_ERROR      256                      /* bytes of an error message */
#define TUN_TABLE                                                                                            \
    8684 /* routing table for what is steered here; its rules are made by deploy/braid-steer                 \
          */

struct tun {
    char name[IFNAMSIZ];
    int ifindex;
    int mtu;      /* bytes */
    int nl;       /* netlink socket */
    bool existed; /* it was there before us and outlives us */
    unsigned n_queues;
    int fds[DAEMON_WORKERS_MAX]; /* one per queue, non-blocking */
};

/* Opens n_queues queues of the device (created if absent, else it has to be a multi-queue TUN that nobody
 * uses), sets its MTU and brings it up. 0, or -1 with a message of one line in error. */
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
/* Removes one such route; for a device that outlives us. */
void tun_unroute(struct tun *t, const struct braid_ip *ip);
/* Makes the device the default route of TUN_TABLE, for IPv4 and IPv6 (a warning, if this machine has none).
 * 0, or -1 with a message. */
int tun_steer(struct tun *t, char error[TUN_ERROR]);
/* Puts back what of it is missing. True if something was. */
bool tun_steer_restore(struct tun *t);
/* Removes it; for a device that outlives us. */
void tun_unsteer(struct tun *t);
/* Logs a warning for each setting of the kernel that keeps packets of this family from the device. */
void tun_check_forwarding(const struct tun *t, bool v4, bool v6);
/* Closes the queues: a device that we created vanishes, with its routes. */
void tun_close(struct tun *t);

/* Reads a packet into buf (TUN_BUFFER bytes), its IP header at TUN_VNET_BYTES. Returns the length of the IP
 * packet, 0 if it has to be ignored, -1 with errno if there was none. */
ssize_t tun_read(int fd, uint8_t *buf, struct braid_input *in);
/* Writes a packet. 0, or -1 with errno. */
int tun_write(int fd, const struct braid_packet *p);

#endif
