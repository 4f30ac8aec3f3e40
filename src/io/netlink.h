/* The few requests to rtnetlink that the TUN driver needs: whether a device is in use, routes to it; and news
 * of changes that others make. */
#ifndef BRAID_IO_NETLINK_H
#define BRAID_IO_NETLINK_H

#include <braid/types.h>

/* A socket for the functions below, or -1 with errno. */
int netlink_open(void);
/* A non-blocking socket that becomes readable when links, addresses or routes change, or -1 with errno. What
 * it says is a hint to look again: messages may be lost, and not every change is told (routes that go with
 * their device are not). */
int netlink_watch(void);
/* Reads and forgets all that waits on it. */
void netlink_drain(int nl);
/* 1: the device is up, 0: it is down, -1: error, with errno (ENODEV: there is none). */
int netlink_link_is_up(int nl, int ifindex);
/* 1: the device has a carrier, 0: it has none, -1: error, with errno. */
int netlink_link_carrier(int nl, int ifindex);
/* True if the kernel delivers packets for ip to this machine itself. */
bool netlink_is_local(int nl, const struct braid_ip *ip);
/* The device by which packets for ip leave. 0: none in particular; -1: error, with errno, ENETUNREACH among
 * them. */
int netlink_way(int nl, const struct braid_ip *ip);
/* A route for the single address ip to the device, in the main table. 0, or -1 with errno (EEXIST: there is a
 * route for just this address already, perhaps to another device). */
int netlink_route_add(int nl, const struct braid_ip *ip, int ifindex);
/* Removes what netlink_route_add added. 0, or -1 with errno (ESRCH: there is none to this device). */
int netlink_route_del(int nl, const struct braid_ip *ip, int ifindex);
/* The default route of a family in a routing table: to the device, whatever it was before. 0, or -1 with
 * errno. */
int netlink_default_set(int nl, bool v6, uint32_t table, int ifindex);
/* The same, unless there is a default route already (EEXIST). */
int netlink_default_add(int nl, bool v6, uint32_t table, int ifindex);
/* Removes it if it leads to this device. 0, or -1 with errno. */
int netlink_default_del(int nl, bool v6, uint32_t table, int ifindex);

#endif
