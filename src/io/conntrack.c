/* Requests to ctnetlink: the entry of a connection is named by addresses, protocol and ports of one
 * direction. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include "base/addr.h"
#include "io/conntrack.h"

struct netlink *conntrack_open(void)
{
    return netlink_open(NETLINK_NETFILTER, 0);
}

static void put_ip(struct nlmsghdr *request, uint16_t type4, uint16_t type6, const struct braid_ip *ip)
{
    bool v4 = ip_is_v4(ip);
    mnl_attr_put(request, v4 ? type4 : type6, v4 ? 4 : 16, ip->b + (v4 ? 12 : 0));
}

static void put_tuple(struct nlmsghdr *request, const struct braid_addr *src, const struct braid_addr *dst)
{
    struct nlattr *tuple = mnl_attr_nest_start(request, CTA_TUPLE_ORIG);
    struct nlattr *part = mnl_attr_nest_start(request, CTA_TUPLE_IP);
    put_ip(request, CTA_IP_V4_SRC, CTA_IP_V6_SRC, &src->ip);
    put_ip(request, CTA_IP_V4_DST, CTA_IP_V6_DST, &dst->ip);
    mnl_attr_nest_end(request, part);
    part = mnl_attr_nest_start(request, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(request, CTA_PROTO_NUM, IPPROTO_TCP);
    mnl_attr_put_u16(request, CTA_PROTO_SRC_PORT, htons(src->port));
    mnl_attr_put_u16(request, CTA_PROTO_DST_PORT, htons(dst->port));
    mnl_attr_nest_end(request, part);
    mnl_attr_nest_end(request, tuple);
}

static int ask(struct netlink *nl, uint16_t type, uint16_t flags, const struct braid_addr *src,
               const struct braid_addr *dst, netlink_take *take, void *arg)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
    request->nlmsg_flags = flags;
    struct nfgenmsg *family = mnl_nlmsg_put_extra_header(request, sizeof(*family));
    family->nfgen_family = ip_is_v4(&src->ip) ? AF_INET : AF_INET6;
    family->version = NFNETLINK_V0;
    put_tuple(request, src, dst);
    return netlink_ask(nl, request, take, arg);
}

static int take_mark(const struct nlmsghdr *message, void *arg)
{
    struct netlink_number mark = {.type = CTA_MARK, .bytes = 4}; /* in network order; 0 may be left out */
    if (netlink_numbers(message, sizeof(struct nfgenmsg), &mark, 1) < 0)
        return -1;
    *(uint32_t *)arg = ntohl(mark.value);
    return 0;
}

int conntrack_find(struct netlink *nl, const struct braid_addr *src, const struct braid_addr *dst,
                   uint32_t *mark)
{
    return ask(nl, IPCTNL_MSG_CT_GET, 0, src, dst, take_mark, mark);
}

int conntrack_forget(struct netlink *nl, const struct braid_addr *src, const struct braid_addr *dst)
{
    return ask(nl, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, src, dst, NULL, NULL);
}
