/* The few requests to rtnetlink that the TUN driver and uplinks need: whether a device is in use, its routes
 * and addresses, tables of uplinks; and news of changes that others make. */
#ifndef BRAID_IO_RTNETLINK_H
#define BRAID_IO_RTNETLINK_H

#include <braid/types.h>
#include "io/netlink.h"

/* A socket for the functions below, or NULL with errno. */
struct netlink *rtnetlink_open(void);
/* One that becomes readable when links, addresses or routes change, or NULL with errno. What it says is a
 * hint to look again: messages may be lost, and not every change is told (routes that go with their device
 * are not). */
struct netlink *rtnetlink_watch(void);
/* 1: the device is up, 0: it is down, -1: error, with errno (ENODEV: there is none). */
int rtnetlink_link_is_up(struct netlink *nl, int ifindex);
/* 1: the device has a carrier, 0: it has none, -1: error, with errno. */
int rtnetlink_link_carrier(struct netlink *nl, int ifindex);
/* True if the kernel delivers packets for ip to this machine itself. */
bool rtnetlink_is_local(struct netlink *nl, const struct braid_ip *ip);
/* The device by which packets for ip leave. 0: none in particular; -1: error, with errno, ENETUNREACH among
 * them. */
int rtnetlink_way(struct netlink *nl, const struct braid_ip *ip);
/* A route for the single address ip to the device, in the main table. 0, or -1 with errno (EEXIST: there is a
 * route for just this address already, perhaps to another device). */
int rtnetlink_route_add(struct netlink *nl, const struct braid_ip *ip, int ifindex);
/* Removes what rtnetlink_route_add added. 0, or -1 with errno (ESRCH: there is none to this device). */
int rtnetlink_route_del(struct netlink *nl, const struct braid_ip *ip, int ifindex);
/* The default route of a family in a routing table: to the device, whatever it was before. 0, or -1 with
 * errno. */
int rtnetlink_default_set(struct netlink *nl, bool v6, uint32_t table, int ifindex);
/* The same, unless there is a default route already (EEXIST). */
int rtnetlink_default_add(struct netlink *nl, bool v6, uint32_t table, int ifindex);
/* Removes it if it leads to this device. 0, or -1 with errno. */
int rtnetlink_default_del(struct netlink *nl, bool v6, uint32_t table, int ifindex);
/* The default route of a family in a routing table: through the device, by a gateway that need not be in any
 * of its subnets (unspecified: by none), whatever it was before. 0, or -1 with errno. */
int rtnetlink_gateway_set(struct netlink *nl, bool v6, uint32_t table, int ifindex,
                          const struct braid_ip *gateway);
/* Packets that nothing else in the table has a way for are refused, and do not go by further tables. 0, or -1
 * with errno (EEXIST: it is so already). */
int rtnetlink_unreachable_add(struct netlink *nl, bool v6, uint32_t table);
/* Removes all default routes of a family from a table, those that refuse included. */
void rtnetlink_defaults_flush(struct netlink *nl, bool v6, uint32_t table);
/* An address of the device, with a subnet of so many bits. 0, or -1 with errno (EEXIST: it has it). */
int rtnetlink_addr_add(struct netlink *nl, const struct braid_ip *ip, uint8_t bits, int ifindex);
/* Removes it. 0, or -1 with errno. */
int rtnetlink_addr_del(struct netlink *nl, const struct braid_ip *ip, uint8_t bits, int ifindex);

#endif
