/* Requests to the kernel over netlink, and their answers, whatever the family: rtnetlink.c, policy_rules.c
 * and conntrack.c say what is asked. Stands on libmnl. Nothing here waits: the kernel has answered when a
 * request is sent. */
#ifndef BRAID_IO_NETLINK_H
#define BRAID_IO_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_REQUEST_BYTES 256 /* room for any of our requests */

struct nlmsghdr;
struct netlink;

/* A socket of this family (NETLINK_ROUTE, NETLINK_NETFILTER), with a subscription to these groups
 * (RTMGRP_...; 0: none). NULL with errno. */
struct netlink *netlink_open(int family, unsigned groups);
/* NULL is allowed. */
void netlink_close(struct netlink *nl);
/* For whoever waits until it can be read. */
int netlink_descriptor(const struct netlink *nl);
/* Reads and forgets all that waits on it. */
void netlink_drain(struct netlink *nl);

/* Looks at one message of an answer, whose header is checked: 1: goes on, 0: that was all, -1 with errno. */
typedef int netlink_take(const struct nlmsghdr *message, void *arg);
/* Sends the request, with its sequence number filled in, and gives each message of its answer to take until
 * that is all; an acknowledgement alone is for nobody. take NULL: nothing but that is expected. What an
 * earlier request has left unread is skipped. 0, or -1 with errno, that of an error answer included. */
int netlink_ask(struct netlink *nl, struct nlmsghdr *request, netlink_take *take, void *arg);

/* An attribute that is a number. */
struct netlink_number {
    uint16_t type;
    uint8_t bytes;  /* that it has at least: 1 or 4; others are not read */
    bool there;     /* false: the message does not hold it ... */
    uint32_t value; /* ... and this is as before; else as it stands in the message */
};
/* Fills in the n numbers from what follows `header` bytes of the message's own; other attributes are skipped.
 * 0, or -1 with errno: the message is shorter than its header, or a number than its type. */
int netlink_numbers(const struct nlmsghdr *message, size_t header, struct netlink_number *numbers,
                    unsigned n);

#endif
