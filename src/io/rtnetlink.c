/* See rtnetlink.h. A change is sent with NLM_F_ACK; a question is answered by one message. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include "base/addr.h"
#include "io/rtnetlink.h"

#define WATCHED                                                                                              \
    (RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
#define LAST_METRIC  0xfffffffeu
#define DEFAULTS_MAX 64 /* default routes of a table that are removed at once */

struct netlink *rtnetlink_open(void)
{
    return netlink_open(NETLINK_ROUTE, 0);
}

struct netlink *rtnetlink_watch(void)
{
    return netlink_open(NETLINK_ROUTE, WATCHED);
}

/* ---- links ----------------------------------------------------------------------------------- */

struct link {
    bool up;
    int carrier; /* 1, 0; -1: the kernel does not say */
};

static int take_link(const struct nlmsghdr *message, void *arg)
{
    struct link *link = arg;
    struct netlink_number carrier = {.type = IFLA_CARRIER, .bytes = 1};
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    if (message->nlmsg_type != RTM_NEWLINK || netlink_numbers(message, sizeof(*info), &carrier, 1) < 0) {
        errno = EPROTO;
        return -1;
    }
    link->up = (info->ifi_flags & IFF_UP) != 0;
    link->carrier = carrier.there ? carrier.value != 0 : -1;
    return 0;
}

static int ask_link(struct netlink *nl, int ifindex, struct link *link)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_GETLINK;
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
    info->ifi_index = ifindex;
    return netlink_ask(nl, request, take_link, link);
}

int rtnetlink_link_is_up(struct netlink *nl, int ifindex)
{
    struct link link;
    return ask_link(nl, ifindex, &link) < 0 ? -1 : link.up;
}

int rtnetlink_link_carrier(struct netlink *nl, int ifindex)
{
    struct link link;
    if (ask_link(nl, ifindex, &link) < 0)
        return -1;
    if (link.carrier < 0)
        errno = EPROTO;
    return link.carrier;
}

/* ---- the way to an address ------------------------------------------------------------------- */

struct way {
    uint8_t type; /* RTN_... */
    int ifindex;  /* 0: none in particular */
};

static int take_way(const struct nlmsghdr *message, void *arg)
{
    struct way *way = arg;
    struct netlink_number device = {.type = RTA_OIF, .bytes = 4};
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    if (message->nlmsg_type != RTM_NEWROUTE || netlink_numbers(message, sizeof(*route), &device, 1) < 0) {
        errno = EPROTO;
        return -1;
    }
    *way = (struct way){.type = route->rtm_type, .ifindex = (int)device.value};
    return 0;
}

static void put_destination(struct nlmsghdr *request, const struct braid_ip *ip)
{
    struct rtmsg *route = mnl_nlmsg_get_payload(request);
    bool v4 = ip_is_v4(ip);
    route->rtm_family = v4 ? AF_INET : AF_INET6;
    route->rtm_dst_len = v4 ? 32 : 128;
    mnl_attr_put(request, RTA_DST, v4 ? 4 : 16, ip->b + (v4 ? 12 : 0));
}

/* The way that a packet for ip would take. -1: none, or an error. */
static int ask_way(struct netlink *nl, const struct braid_ip *ip, struct way *way)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_GETROUTE;
    mnl_nlmsg_put_extra_header(request, sizeof(struct rtmsg));
    put_destination(request, ip);
    return netlink_ask(nl, request, take_way, way);
}

bool rtnetlink_is_local(struct netlink *nl, const struct braid_ip *ip)
{
    struct way way;
    return ask_way(nl, ip, &way) == 0 && way.type == RTN_LOCAL;
}

int rtnetlink_way(struct netlink *nl, const struct braid_ip *ip)
{
    struct way way;
    return ask_way(nl, ip, &way) < 0 ? -1 : way.ifindex;
}

/* ---- routes ---------------------------------------------------------------------------------- */

/* bytes: NETLINK_REQUEST_BYTES. */
static struct nlmsghdr *put_route(char *bytes, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_ACK | flags;
    struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_type = RTN_UNICAST;
    return request;
}

/* The request lacks nothing but the device. */
static int ask_route(struct netlink *nl, struct nlmsghdr *request, int ifindex)
{
    struct rtmsg *route = mnl_nlmsg_get_payload(request);
    route->rtm_scope = route->rtm_family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    mnl_attr_put_u32(request, RTA_OIF, (uint32_t)ifindex);
    return netlink_ask(nl, request, NULL, NULL);
}

static int change_route(struct netlink *nl, uint16_t type, uint16_t flags, const struct braid_ip *ip,
                        int ifindex)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = put_route(bytes, type, flags);
    put_destination(request, ip);
    return ask_route(nl, request, ifindex);
}

int rtnetlink_route_add(struct netlink *nl, const struct braid_ip *ip, int ifindex)
{
    return change_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ip, ifindex);
}

int rtnetlink_route_del(struct netlink *nl, const struct braid_ip *ip, int ifindex)
{
    return change_route(nl, RTM_DELROUTE, 0, ip, ifindex);
}

/* The same for a default route of a table, which is in RTA_TABLE: its number may not fit into the header. */
static struct nlmsghdr *put_default(char *bytes, uint16_t type, uint16_t flags, bool v6, uint32_t table)
{
    struct nlmsghdr *request = put_route(bytes, type, flags);
    struct rtmsg *route = mnl_nlmsg_get_payload(request);
    route->rtm_family = v6 ? AF_INET6 : AF_INET;
    route->rtm_table = RT_TABLE_UNSPEC;
    mnl_attr_put_u32(request, RTA_TABLE, table);
    return request;
}

static int change_default(struct netlink *nl, uint16_t type, uint16_t flags, bool v6, uint32_t table,
                          int ifindex)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    return ask_route(nl, put_default(bytes, type, flags, v6, table), ifindex);
}

int rtnetlink_default_set(struct netlink *nl, bool v6, uint32_t table, int ifindex)
{
    return change_default(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, v6, table, ifindex);
}

int rtnetlink_default_add(struct netlink *nl, bool v6, uint32_t table, int ifindex)
{
    return change_default(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, v6, table, ifindex);
}

int rtnetlink_default_del(struct netlink *nl, bool v6, uint32_t table, int ifindex)
{
    return change_default(nl, RTM_DELROUTE, 0, v6, table, ifindex);
}

/* ---- tables of uplinks ----------------------------------------------------------------------- */

/* An address as netlink has it. */
static void put_ip(struct nlmsghdr *request, uint16_t type, const struct braid_ip *ip)
{
    bool v4 = ip_is_v4(ip);
    mnl_attr_put(request, type, v4 ? 4 : 16, ip->b + (v4 ? 12 : 0));
}

/* The gateway of an IPv4 route may be an IPv6 address. */
static void put_gateway(struct nlmsghdr *request, bool v6, const struct braid_ip *gateway)
{
    struct {
        uint16_t family;
        uint8_t ip[16];
    } via = {.family = AF_INET6};
    if (v6 || ip_is_v4(gateway)) {
        put_ip(request, RTA_GATEWAY, gateway);
        return;
    }
    memcpy(via.ip, gateway->b, sizeof(via.ip));
    mnl_attr_put(request, RTA_VIA, sizeof(via), &via);
}

int rtnetlink_gateway_set(struct netlink *nl, bool v6, uint32_t table, int ifindex,
                          const struct braid_ip *gateway)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    if (ip_is_unspecified(gateway))
        return rtnetlink_default_set(nl, v6, table, ifindex);
    struct nlmsghdr *request = put_default(bytes, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, v6, table);
    struct rtmsg *route = mnl_nlmsg_get_payload(request);
    route->rtm_flags = RTNH_F_ONLINK;
    put_gateway(request, v6, gateway);
    mnl_attr_put_u32(request, RTA_OIF, (uint32_t)ifindex);
    return netlink_ask(nl, request, NULL, NULL);
}

int rtnetlink_unreachable_add(struct netlink *nl, bool v6, uint32_t table)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = put_default(bytes, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, v6, table);
    struct rtmsg *route = mnl_nlmsg_get_payload(request);
    route->rtm_type = RTN_UNREACHABLE;
    mnl_attr_put_u32(request, RTA_PRIORITY, LAST_METRIC);
    return netlink_ask(nl, request, NULL, NULL);
}

/* One by one, whatever they are, as long as there are any; so many that it ends in any case. */
void rtnetlink_defaults_flush(struct netlink *nl, bool v6, uint32_t table)
{
    for (unsigned i = 0; i < DEFAULTS_MAX; i++) {
        _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
        struct nlmsghdr *request = put_default(bytes, RTM_DELROUTE, 0, v6, table);
        struct rtmsg *route = mnl_nlmsg_get_payload(request);
        route->rtm_type = RTN_UNSPEC;
        route->rtm_protocol = RTPROT_UNSPEC;
        route->rtm_scope = RT_SCOPE_NOWHERE;
        if (netlink_ask(nl, request, NULL, NULL) < 0)
            return;
    }
}

/* ---- addresses ------------------------------------------------------------------------------- */

static int change_addr(struct netlink *nl, uint16_t type, uint16_t flags, const struct braid_ip *ip,
                       uint8_t bits, int ifindex)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_ACK | flags;
    struct ifaddrmsg *addr = mnl_nlmsg_put_extra_header(request, sizeof(*addr));
    addr->ifa_family = ip_is_v4(ip) ? AF_INET : AF_INET6;
    addr->ifa_prefixlen = bits;
    addr->ifa_flags = IFA_F_NODAD; /* nobody else is on a TUN */
    addr->ifa_index = (uint32_t)ifindex;
    put_ip(request, IFA_LOCAL, ip);
    put_ip(request, IFA_ADDRESS, ip);
    return netlink_ask(nl, request, NULL, NULL);
}

int rtnetlink_addr_add(struct netlink *nl, const struct braid_ip *ip, uint8_t bits, int ifindex)
{
    return change_addr(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ip, bits, ifindex);
}

int rtnetlink_addr_del(struct netlink *nl, const struct braid_ip *ip, uint8_t bits, int ifindex)
{
    return change_addr(nl, RTM_DELADDR, 0, ip, bits, ifindex);
}
