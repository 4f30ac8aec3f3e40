/* See socket_owner.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include "base/addr.h"
#include "io/netlink.h"
#include "io/socket_owner.h"

struct netlink *socket_owner_open(void)
{
    return netlink_open(NETLINK_SOCK_DIAG, 0);
}

/* bytes: NETLINK_REQUEST_BYTES. */
static struct nlmsghdr *put_request(char *bytes, bool v4, struct inet_diag_req_v2 **out)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(request, sizeof(*r));
    r->sdiag_family = v4 ? AF_INET : AF_INET6;
    r->sdiag_protocol = IPPROTO_TCP;
    r->id.idiag_cookie[0] = r->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    *out = r;
    return request;
}

static void put_end(const struct braid_addr *a, bool v4, uint32_t ip[4], uint16_t *port)
{
    memcpy(ip, a->ip.b + (v4 ? 12 : 0), v4 ? 4 : 16);
    *port = htons(a->port);
}

/* What has no inode has no program any more, and the user that is given is nobody's. */
static int take_socket(const struct nlmsghdr *message, void *arg)
{
    struct socket_owner *out = arg;
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(message);
    const struct nlattr *a;
    if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(message) < sizeof(*m)) {
        errno = EPROTO;
        return -1;
    }
    if (m->idiag_inode == 0) {
        errno = ENOENT;
        return -1;
    }
    *out = (struct socket_owner){.user = m->idiag_uid};
    mnl_attr_for_each(a, message, sizeof(*m))
    {
        if (mnl_attr_get_type(a) == INET_DIAG_CGROUP_ID && mnl_attr_validate(a, MNL_TYPE_U64) == 0)
            out->cgroup = mnl_attr_get_u64(a);
    }
    return 0;
}

int socket_owner_find(struct netlink *nl, const struct braid_addr *local, const struct braid_addr *remote,
                      struct socket_owner *out)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct inet_diag_req_v2 *r;
    bool v4 = ip_is_v4(&remote->ip);
    struct nlmsghdr *request = put_request(bytes, v4, &r);
    r->idiag_states = UINT32_MAX;
    put_end(local, v4, r->id.idiag_src, &r->id.idiag_sport);
    put_end(remote, v4, r->id.idiag_dst, &r->id.idiag_dport);
    return netlink_ask(nl, request, take_socket, out);
}

/* A walk over no sockets at all: a kernel that knows none of this refuses even that. */
int socket_owner_check(void)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct inet_diag_req_v2 *r;
    struct nlmsghdr *request = put_request(bytes, true, &r);
    struct netlink *nl = socket_owner_open();
    request->nlmsg_flags = NLM_F_DUMP;
    int result = nl ? netlink_ask(nl, request, NULL, NULL) : -1, why = errno;
    netlink_close(nl);
    errno = why;
    return result;
}
