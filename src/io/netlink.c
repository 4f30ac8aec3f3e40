/* See netlink.h. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "io/netlink.h"

#define ANSWER_BYTES 32768 /* as iproute2 has it: the kernel fits the datagrams of a dump to it */

struct netlink {
    struct mnl_socket *socket;
    unsigned sequence; /* of the last request */
};

struct netlink *netlink_open(int family, unsigned groups)
{
    struct netlink *nl = calloc(1, sizeof(*nl));
    if (!nl)
        return NULL;
    nl->socket = mnl_socket_open2(family, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!nl->socket || mnl_socket_bind(nl->socket, groups, MNL_SOCKET_AUTOPID) < 0) {
        int why = errno;
        netlink_close(nl);
        errno = why;
        return NULL;
    }
    return nl;
}

void netlink_close(struct netlink *nl)
{
    if (!nl)
        return;
    if (nl->socket)
        mnl_socket_close(nl->socket);
    free(nl);
}

int netlink_descriptor(const struct netlink *nl)
{
    return mnl_socket_get_fd(nl->socket);
}

void netlink_drain(struct netlink *nl)
{
    char news[ANSWER_BYTES];
    while (mnl_socket_recvfrom(nl->socket, news, sizeof(news)) >= 0 || errno == ENOBUFS || errno == ENOSPC ||
           errno == EINTR)
        ;
}

/* One datagram of the answer. What netlink_ask returns, or 1: there are more. */
static int receive(struct netlink *nl, netlink_take *take, void *arg)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    ssize_t n = mnl_socket_recvfrom(nl->socket, answer, sizeof(answer));
    const struct nlmsghdr *first = (const struct nlmsghdr *)answer;
    if (n < 0)
        return -1;
    if (!mnl_nlmsg_ok(first, (int)n)) {
        errno = EPROTO;
        return -1;
    }
    if (!mnl_nlmsg_seq_ok(first, nl->sequence))
        return 1;
    return mnl_cb_run(answer, (size_t)n, nl->sequence, mnl_socket_get_portid(nl->socket), take, arg);
}

int netlink_ask(struct netlink *nl, struct nlmsghdr *request, netlink_take *take, void *arg)
{
    int more = 1;
    request->nlmsg_flags |= NLM_F_REQUEST;
    request->nlmsg_seq = ++nl->sequence;
    if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
        return -1;
    while (more > 0)
        more = receive(nl, take, arg);
    return more;
}

/* ---- attributes ------------------------------------------------------------------------------ */

struct search {
    struct netlink_number *numbers;
    unsigned n;
};

static int take_number(const struct nlattr *a, void *arg)
{
    const struct search *s = arg;
    for (unsigned i = 0; i < s->n; i++) {
        struct netlink_number *number = &s->numbers[i];
        if (mnl_attr_get_type(a) != number->type)
            continue;
        if (mnl_attr_validate(a, number->bytes == 1 ? MNL_TYPE_U8 : MNL_TYPE_U32) < 0)
            return MNL_CB_ERROR;
        number->there = true;
        number->value = number->bytes == 1 ? mnl_attr_get_u8(a) : mnl_attr_get_u32(a);
    }
    return MNL_CB_OK;
}

int netlink_numbers(const struct nlmsghdr *message, size_t header, struct netlink_number *numbers, unsigned n)
{
    struct search s = {.numbers = numbers, .n = n};
    if (mnl_nlmsg_get_payload_len(message) < header) {
        errno = EBADMSG;
        return -1;
    }
    return mnl_attr_parse(message, (unsigned)header, take_number, &s) < 0 ? -1 : 0;
}
