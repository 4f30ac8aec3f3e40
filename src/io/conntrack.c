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
#define ANSWER_BYTES  4096

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

static struct request request_for(uint16_t type, uint16_t flags, const struct braid_addr *src,
                                  const struct braid_addr *dst)
{
    struct request r = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.family)),
                 .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type,
                 .nlmsg_flags = NLM_F_REQUEST | flags},
        .family = {.nfgen_family = ip_is_v4(&src->ip) ? AF_INET : AF_INET6, .version = NFNETLINK_V0}};
    add_tuple(&r, src, dst);
    return r;
}

/* Sends the request and reads its one answer. The answer's length, or -1 with errno, that of an error answer
 * included. */
static ssize_t ask(int nl, const struct request *r, void *answer, size_t size)
{
    if (send(nl, r, r->head.nlmsg_len, 0) < 0)
        return -1;
    ssize_t n = recv(nl, answer, size, MSG_DONTWAIT);
    if (n < 0)
        return -1;
    const struct nlmsghdr *head = answer;
    if (!NLMSG_OK(head, (size_t)n)) {
        errno = EPROTO;
        return -1;
    }
    if (head->nlmsg_type != NLMSG_ERROR)
        return n;
    errno = -((const struct nlmsgerr *)NLMSG_DATA(head))->error;
    return errno ? -1 : n;
}

/* The value of an attribute of the message, in network order; 0: it is not there. */
static uint32_t attribute32(const struct nlmsghdr *head, uint16_t type)
{
    const uint8_t *at = (const uint8_t *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
    const uint8_t *end = (const uint8_t *)head + head->nlmsg_len;
    while (end - at >= NLA_HDRLEN) {
        const struct nlattr *a = (const struct nlattr *)at;
        if (a->nla_len < NLA_HDRLEN || a->nla_len > end - at)
            break;
        if ((a->nla_type & NLA_TYPE_MASK) == type && a->nla_len >= NLA_HDRLEN + 4)
            return ntohl(*(const uint32_t *)(at + NLA_HDRLEN));
        if (NLA_ALIGN(a->nla_len) >= end - at)
            break;
        at += NLA_ALIGN(a->nla_len);
    }
    return 0;
}

int conntrack_find(int nl, const struct braid_addr *src, const struct braid_addr *dst, uint32_t *mark)
{
    struct request r = request_for(IPCTNL_MSG_CT_GET, 0, src, dst);
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    if (ask(nl, &r, answer, sizeof(answer)) < 0)
        return -1;
    *mark = attribute32((const struct nlmsghdr *)answer, CTA_MARK);
    return 0;
}

int conntrack_forget(int nl, const struct braid_addr *src, const struct braid_addr *dst)
{
    struct request r = request_for(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, src, dst);
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    return ask(nl, &r, answer, sizeof(answer)) < 0 ? -1 : 0;
}
