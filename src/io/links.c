/* See links.h. Each question is a dump of all that there is: a filter would be one more thing that old
 * kernels do not know. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include "base/addr.h"
#include "io/links.h"
#include "io/netlink.h"

/* Where what was found goes, and whom it is asked for. */
struct search {
    const char *const *names;
    struct links *links;
};

static struct link_seen *seen_of(const struct search *s, int ifindex)
{
    for (unsigned i = 0; ifindex > 0 && i < s->links->n; i++)
        if (s->links->all[i].ifindex == ifindex)
            return &s->links->all[i];
    return NULL;
}

/* An address as netlink has it: 4 or 16 bytes. False: it is neither. */
static bool get_ip(const struct nlattr *a, struct braid_ip *ip)
{
    const uint8_t *bytes = mnl_attr_get_payload(a);
    switch (mnl_attr_get_payload_len(a)) {
    case 4:
        *ip = ip_from_v4(bytes);
        return true;
    case 16:
        memcpy(ip->b, bytes, 16);
        return true;
    default:
        return false;
    }
}

static bool get_number(const struct nlattr *a, uint32_t *number)
{
    if (mnl_attr_validate(a, MNL_TYPE_U32) < 0)
        return false;
    *number = mnl_attr_get_u32(a);
    return true;
}

/* ---- links ----------------------------------------------------------------------------------- */

static int take_link(const struct nlmsghdr *message, void *arg)
{
    const struct search *s = arg;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *a;
    const char *name = NULL;
    mnl_attr_for_each(a, message, sizeof(*info))
    {
        if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
            name = mnl_attr_get_str(a);
    }
    for (unsigned i = 0; name && i < s->links->n; i++) {
        if (strcmp(name, s->names[i]) != 0)
            continue;
        struct link_seen *seen = &s->links->all[i];
        seen->ifindex = info->ifi_index;
        /* Whatever the driver: IFF_LOWER_UP is its carrier, IFF_RUNNING the state of the link protocol. */
        const unsigned all = IFF_UP | IFF_RUNNING;
        seen->carrier = (info->ifi_flags & all) == all;
        seen->point_to_point = (info->ifi_flags & IFF_POINTOPOINT) != 0;
    }
    return 1;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* IFA_LOCAL is ours where IFA_ADDRESS is that of the other end. */
static int take_addr(const struct nlmsghdr *message, void *arg)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    const struct search *s = arg;
    struct link_seen *seen = seen_of(s, (int)info->ifa_index);
    struct link_addr addr = {0};
    const struct nlattr *a;
    bool found = false, local = false;
    uint32_t flags = info->ifa_flags;
    if (info->ifa_family == AF_INET6 && (info->ifa_flags & IFA_F_HOMEADDRESS))
        s->links->home = true;
    if (!seen || seen->n_addrs == LINK_ADDRS_MAX)
        return 1;
    mnl_attr_for_each(a, message, sizeof(*info))
    {
        uint16_t type = mnl_attr_get_type(a);
        if (type == IFA_LOCAL)
            found = local = get_ip(a, &addr.ip);
        else if (type == IFA_ADDRESS && !local)
            found = get_ip(a, &addr.ip);
        else if (type == IFA_FLAGS)
            get_number(a, &flags);
    }
    if (!found)
        return 1;
    addr.ready = !(flags & IFA_F_DADFAILED) && (!(flags & IFA_F_TENTATIVE) || (flags & IFA_F_OPTIMISTIC));
    addr.global = info->ifa_scope == RT_SCOPE_UNIVERSE;
    addr.secondary = (flags & IFA_F_SECONDARY) != 0;
    addr.waning = (flags & IFA_F_DEPRECATED) != 0;
    seen->addrs[seen->n_addrs++] = addr;
    return 1;
}

/* ---- default routes -------------------------------------------------------------------------- */

/* Where a route, or one of its ways, leads. */
struct way {
    int ifindex;
    struct braid_ip gateway;
};

/* The next hop of an IPv4 route may be an IPv6 address (RTA_VIA). */
static void get_hop(const struct nlattr *a, struct way *way)
{
    uint32_t number;
    uint16_t type = mnl_attr_get_type(a);
    const uint8_t *bytes = mnl_attr_get_payload(a);
    if (type == RTA_OIF && get_number(a, &number))
        way->ifindex = (int)number;
    else if (type == RTA_GATEWAY)
        get_ip(a, &way->gateway);
    else if (type == RTA_VIA && mnl_attr_get_payload_len(a) == 2 + 16)
        memcpy(way->gateway.b, bytes + 2, 16);
}

static void note_default(const struct search *s, const struct way *way, struct link_default route)
{
    struct link_seen *seen = seen_of(s, way->ifindex);
    if (!seen || seen->n_defaults == LINK_DEFAULTS_MAX)
        return;
    route.gateway = way->gateway;
    seen->defaults[seen->n_defaults++] = route;
}

/* A route with several ways has one in each struct rtnexthop. */
static void note_ways(const struct search *s, const struct nlattr *multipath, struct link_default route)
{
    const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
    int left = mnl_attr_get_payload_len(multipath);
    while (RTNH_OK(hop, left)) {
        struct way way = {.ifindex = hop->rtnh_ifindex};
        const struct nlattr *attr; /* as the macro wants it */
        mnl_attr_for_each_payload((const void *)RTNH_DATA(hop), hop->rtnh_len - sizeof(*hop))
            get_hop(attr, &way);
        note_default(s, &way, route);
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

static int take_route(const struct nlmsghdr *message, void *arg)
{
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    struct link_default route = {.v6 = info->rtm_family == AF_INET6, .table = info->rtm_table};
    struct way way = {0};
    const struct nlattr *a, *multipath = NULL;
    if (info->rtm_dst_len != 0 || info->rtm_type != RTN_UNICAST || (info->rtm_flags & RTM_F_CLONED))
        return 1;
    mnl_attr_for_each(a, message, sizeof(*info))
    {
        switch (mnl_attr_get_type(a)) {
        case RTA_TABLE:
            get_number(a, &route.table);
            break;
        case RTA_PRIORITY:
            get_number(a, &route.metric);
            break;
        case RTA_MULTIPATH:
            multipath = a;
            break;
        default:
            get_hop(a, &way);
        }
    }
    if (multipath)
        note_ways(arg, multipath, route);
    else
        note_default(arg, &way, route);
    return 1;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int dump(struct netlink *nl, uint16_t type, unsigned char family, netlink_take *take, struct search *s)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_DUMP;
    /* struct rtgenmsg would do, but for kernels that look at what follows. The family is the first byte. */
    unsigned char *header =
        mnl_nlmsg_put_extra_header(request, type == RTM_GETLINK   ? sizeof(struct ifinfomsg)
                                            : type == RTM_GETADDR ? sizeof(struct ifaddrmsg)
                                                                  : sizeof(struct rtmsg));
    header[0] = family;
    return netlink_ask(nl, request, take, s);
}

int links_look(struct netlink *nl, const char *const names[], unsigned n, struct links *out)
{
    struct search s = {.names = names, .links = out};
    *out = (struct links){.n = n < LINKS_MAX ? n : LINKS_MAX};
    if (dump(nl, RTM_GETLINK, AF_UNSPEC, take_link, &s) < 0 ||
        dump(nl, RTM_GETADDR, AF_UNSPEC, take_addr, &s) < 0 ||
        dump(nl, RTM_GETROUTE, AF_INET, take_route, &s) < 0)
        return -1;
    /* A kernel without IPv6 has no such routes. */
    return dump(nl, RTM_GETROUTE, AF_INET6, take_route, &s) < 0 && errno != EOPNOTSUPP &&
                   errno != EAFNOSUPPORT
               ? -1
               : 0;
}
