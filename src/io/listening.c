/* See listening.h. The kernel lists who listens at the port: several may, and those of IPv6 may take clients
 * of IPv4 as well. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include "io/listening.h"
#include "io/netlink.h"

#define STATE_LISTEN 10 /* as the kernel numbers states of TCP */

struct search {
    uint64_t cookie;
    bool found;
};

struct netlink *listening_open(void)
{
    return netlink_open(NETLINK_SOCK_DIAG, 0);
}

static int take_socket(const struct nlmsghdr *message, void *arg)
{
    struct search *s = arg;
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(message);
    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(message) < sizeof(*m)) {
        errno = EPROTO;
        return -1;
    }
    s->found |= (m->id.idiag_cookie[0] | (uint64_t)m->id.idiag_cookie[1] << 32) == s->cookie;
    return 1;
}

int listening_has(struct netlink *nl, uint16_t port, uint64_t cookie)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    struct search s = {.cookie = cookie};
    for (unsigned i = 0; i < 2 && !s.found; i++) {
        _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
        struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
        request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
        request->nlmsg_flags = NLM_F_DUMP;
        struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(request, sizeof(*r));
        r->sdiag_family = families[i];
        r->sdiag_protocol = IPPROTO_TCP;
        r->idiag_states = 1u << STATE_LISTEN;
        r->id.idiag_sport = htons(port);
        if (netlink_ask(nl, request, take_socket, &s) < 0)
            return -1;
    }
    return s.found;
}
