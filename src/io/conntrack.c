/* A request to ctnetlink with nested attributes: the original direction's addresses, protocol and ports. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/conntrack.h"

#define REQUEST_BYTES 128
#define ANSWER_BYTES  512

struct request {
    struct nlmsghdr head;
    struct nfgenmsg family;
    uint8_t attributes[REQUEST_BYTES];
};

int conntrack_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
}

static struct nlattr *add(struct request *r, uint16_t type, const void *data, size_t len)
{
    struct nlattr *a = (struct nlattr *)((uint8_t *)r + r->head.nlmsg_len);
    a->nla_type = type;
    a->nla_len = (uint16_t)(NLA_HDRLEN + len);
    if (len)
        memcpy((uint8_t *)a + NLA_HDRLEN, data, len);
    r->head.nlmsg_len += NLA_ALIGN(a->nla_len);
    return a;
}

static struct nlattr *begin(struct request *r, uint16_t type)
{
    return add(r, NLA_F_NESTED | type, NULL, 0);
}

static void end(const struct request *r, struct nlattr *a)
{
    a->nla_len = (uint16_t)((const uint8_t *)r + r->head.nlmsg_len - (const uint8_t *)a);
}

static void add_tuple(struct request *r, const struct braid_addr *src, const struct braid_addr *dst)
{
    bool v4 = ip_is_v4(&src->ip);
    const uint8_t tcp = IPPROTO_TCP;
    const uint16_t ports[2] = {htons(src->port), htons(dst->port)};
    struct nlattr *tuple = begin(r, CTA_TUPLE_ORIG);
    struct nlattr *part = begin(r, CTA_TUPLE_IP);
    add(r, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, src->ip.b + (v4 ? 12 : 0), v4 ? 4 : 16);
    add(r, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, dst->ip.b + (v4 ? 12 : 0), v4 ? 4 : 16);
    end(r, part);
    part = begin(r, CTA_TUPLE_PROTO);
    add(r, CTA_PROTO_NUM, &tcp, sizeof(tcp));
    add(r, CTA_PROTO_SRC_PORT, &ports[0], sizeof(ports[0]));
    add(r, CTA_PROTO_DST_PORT, &ports[1], sizeof(ports[1]));
    end(r, part);
    end(r, tuple);
}

int conntrack_forget(int nl, const struct braid_addr *src, const struct braid_addr *dst)
{
    struct request r = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.family)),
                 .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .family = {.nfgen_family = ip_is_v4(&src->ip) ? AF_INET : AF_INET6, .version = NFNETLINK_V0}};
    add_tuple(&r, src, dst);
    if (send(nl, &r, r.head.nlmsg_len, 0) < 0)
        return -1;
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    ssize_t n = recv(nl, answer, sizeof(answer), MSG_DONTWAIT);
    if (n < 0)
        return -1;
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
    if (!NLMSG_OK(head, (size_t)n) || head->nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -((const struct nlmsgerr *)NLMSG_DATA(head))->error;
    return errno ? -1 : 0;
}
