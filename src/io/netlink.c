/* One request, one answer: every request is sent with NLM_F_ACK or answered by one message. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/netlink.h"

#define ANSWER_BYTES 8192

struct request {
    struct nlmsghdr head;
    union {
        struct rtmsg route;
        struct ifinfomsg link;
    };
    uint8_t attributes[64];
};

int netlink_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static void add_attribute(struct request *r, unsigned short type, const void *data, unsigned short len)
{
    struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));
    a->rta_type = type;
    a->rta_len = RTA_LENGTH(len);
    memcpy(RTA_DATA(a), data, len);
    r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Sends the request and reads one answer into buf. Its length, or -1 with errno, that of an error answer
 * included. */
static ssize_t ask(int nl, const struct request *r, void *buf, size_t size)
{
    if (send(nl, r, r->head.nlmsg_len, 0) < 0)
        return -1;
    ssize_t n = recv(nl, buf, size, 0);
    if (n < 0)
        return -1;
    const struct nlmsghdr *head = buf;
    if (!NLMSG_OK(head, (size_t)n)) {
        errno = EPROTO;
        return -1;
    }
    if (head->nlmsg_type != NLMSG_ERROR)
        return n;
    const struct nlmsgerr *answer = NLMSG_DATA(head);
    errno = -answer->error;
    return answer->error ? -1 : n;
}

int netlink_watch(void)
{
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                 .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
                                              RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (nl >= 0 && bind(nl, (struct sockaddr *)&groups, sizeof(groups)) < 0) {
        int why = errno;
        close(nl);
        errno = why;
        return -1;
    }
    return nl;
}

void netlink_drain(int nl)
{
    char news[ANSWER_BYTES];
    while (recv(nl, news, sizeof(news), 0) >= 0 || errno == ENOBUFS || errno == EINTR)
        ;
}

static int ask_link(int nl, int ifindex, char answer[ANSWER_BYTES])
{
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.link)),
                                 .nlmsg_type = RTM_GETLINK,
                                 .nlmsg_flags = NLM_F_REQUEST}};
    r.link.ifi_index = ifindex;
    return ask(nl, &r, answer, ANSWER_BYTES) < 0 ? -1 : 0;
}

int netlink_link_is_up(int nl, int ifindex)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    if (ask_link(nl, ifindex, answer) < 0)
        return -1;
    const struct ifinfomsg *link = NLMSG_DATA((struct nlmsghdr *)answer);
    return (link->ifi_flags & IFF_UP) != 0;
}

int netlink_link_carrier(int nl, int ifindex)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    if (ask_link(nl, ifindex, answer) < 0)
        return -1;
    struct nlmsghdr *head = (struct nlmsghdr *)answer;
    int left = (int)IFLA_PAYLOAD(head);
    struct rtattr *a = IFLA_RTA(NLMSG_DATA(head));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == IFLA_CARRIER)
            return *(const uint8_t *)RTA_DATA(a) != 0;
    }
    errno = EPROTO;
    return -1;
}

static void add_destination(struct request *r, const struct braid_ip *ip)
{
    bool v4 = ip_is_v4(ip);
    r->route.rtm_family = v4 ? AF_INET : AF_INET6;
    r->route.rtm_dst_len = v4 ? 32 : 128;
    if (v4)
        add_attribute(r, RTA_DST, ip->b + 12, 4);
    else
        add_attribute(r, RTA_DST, ip->b, 16);
}

/* The way that a packet for ip would take. -1: none, or an error. */
static int ask_way(int nl, const struct braid_ip *ip, char answer[ANSWER_BYTES])
{
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.route)),
                                 .nlmsg_type = RTM_GETROUTE,
                                 .nlmsg_flags = NLM_F_REQUEST}};
    add_destination(&r, ip);
    return ask(nl, &r, answer, ANSWER_BYTES) < 0 ? -1 : 0;
}

bool netlink_is_local(int nl, const struct braid_ip *ip)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    if (ask_way(nl, ip, answer) < 0)
        return false;
    const struct rtmsg *route = NLMSG_DATA((struct nlmsghdr *)answer);
    return route->rtm_type == RTN_LOCAL;
}

int netlink_way(int nl, const struct braid_ip *ip)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    if (ask_way(nl, ip, answer) < 0)
        return -1;
    struct nlmsghdr *head = (struct nlmsghdr *)answer;
    int left = (int)RTM_PAYLOAD(head), ifindex = 0;
    struct rtattr *a = RTM_RTA(NLMSG_DATA(head));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == RTA_OIF)
            memcpy(&ifindex, RTA_DATA(a), sizeof(ifindex));
    }
    return ifindex;
}

static struct request route_request(uint16_t type, uint16_t flags)
{
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.route)),
                                 .nlmsg_type = type,
                                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags}};
    r.route =
        (struct rtmsg){.rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST};
    return r;
}

/* r lacks nothing but the device. */
static int ask_route(int nl, struct request *r, int ifindex)
{
    char answer[ANSWER_BYTES];
    r->route.rtm_scope = r->route.rtm_family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    add_attribute(r, RTA_OIF, &ifindex, sizeof(ifindex));
    return ask(nl, r, answer, sizeof(answer)) < 0 ? -1 : 0;
}

int netlink_route_add(int nl, const struct braid_ip *ip, int ifindex)
{
    struct request r = route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    add_destination(&r, ip);
    return ask_route(nl, &r, ifindex);
}

int netlink_route_del(int nl, const struct braid_ip *ip, int ifindex)
{
    struct request r = route_request(RTM_DELROUTE, 0);
    add_destination(&r, ip);
    return ask_route(nl, &r, ifindex);
}

static int change_default(int nl, uint16_t type, uint16_t flags, bool v6, uint32_t table, int ifindex)
{
    struct request r = route_request(type, flags);
    r.route.rtm_family = v6 ? AF_INET6 : AF_INET;
    r.route.rtm_table = RT_TABLE_UNSPEC; /* its number may not fit there */
    add_attribute(&r, RTA_TABLE, &table, sizeof(table));
    return ask_route(nl, &r, ifindex);
}

int netlink_default_set(int nl, bool v6, uint32_t table, int ifindex)
{
    return change_default(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, v6, table, ifindex);
}

int netlink_default_add(int nl, bool v6, uint32_t table, int ifindex)
{
    return change_default(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, v6, table, ifindex);
}

int netlink_default_del(int nl, bool v6, uint32_t table, int ifindex)
{
    return change_default(nl, RTM_DELROUTE, 0, v6, table, ifindex);
}
