/* The calls of include/braid/sctp.h, by those of socket.h. */
#include <braid/sctp.h>
#include <braid/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "socket/fail.h"
#include "socket/intent.h"

#define VISIBLE __attribute__((visibility("default")))

/* ---- lists of addresses ------------------------------------------------------------------------------- */

/* Bytes of an address of this family; 0: it is none of ours. */
static size_t size_of(sa_family_t family)
{
    return family == AF_INET    ? sizeof(struct sockaddr_in)
           : family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                : 0;
}

/* Reads n of them. -1 with errno. */
static int read_list(const struct sockaddr *addrs, int n, struct braid_addr *out)
{
    const uint8_t *at = (const uint8_t *)addrs;
    if (n < 1 || n > TCP_MULTIPATH_ADDRESSES_MAX || !addrs)
        return fail(EINVAL);
    for (int i = 0; i < n; i++) {
        struct sockaddr_storage sa;
        sa_family_t family;
        memcpy(&family, at, sizeof(family));
        size_t size = size_of(family);
        if (size == 0)
            return fail(EINVAL);
        memcpy(&sa, at, size);
        sockaddr_to((const struct sockaddr *)&sa, &out[i]);
        at += size;
    }
    return 0;
}

/* Writes one; the bytes that it takes. */
static size_t write_addr(const struct braid_addr *addr, uint8_t *out)
{
    struct sockaddr_storage sa;
    size_t size = sockaddr_from(addr, &sa);
    memcpy(out, &sa, size);
    return size;
}

static bool is_among(const struct braid_addr *addr, const struct braid_addr *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (ip_equal(&list[i].ip, &addr->ip))
            return true;
    return false;
}

/* A list for the caller, who frees it. The number; or -1 with errno. */
static int give_list(const struct braid_addr *list, unsigned n, struct sockaddr **out)
{
    uint8_t *at = malloc(n * sizeof(struct sockaddr_in6));
    if (!at)
        return -1;
    *out = (struct sockaddr *)at;
    for (unsigned i = 0; i < n; i++)
        at += write_addr(&list[i], at);
    return (int)n;
}

/* What getsockname or getpeername says. -1 with errno. */
static int name_of(int (*name)(int, struct sockaddr *, socklen_t *), int fd, struct braid_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (name(fd, (struct sockaddr *)&sa, &len) < 0)
        return -1;
    return sockaddr_to((const struct sockaddr *)&sa, out) < 0 ? fail(EAFNOSUPPORT) : 0;
}

/* ---- binding ------------------------------------------------------------------------------------------ */

/* TCP_MULTIPATH_ADD or REMOVE. A port of their own is nothing that subflows need. */
static int change(int fd, int option, const struct braid_addr *list, int n)
{
    uint8_t packed[TCP_MULTIPATH_ADDRESSES_MAX * sizeof(struct sockaddr_in6)];
    size_t len = 0;
    for (int i = 0; i < n; i++) {
        const struct braid_addr any_port = {.ip = list[i].ip};
        len += write_addr(&any_port, packed + len);
    }
    if (braid_setsockopt(fd, IPPROTO_TCP, option, packed, (socklen_t)len) == 0)
        return 0;
    return errno == ENOPROTOOPT ? fail(EOPNOTSUPP) : -1;
}

static int add(int fd, const struct braid_addr *list, int n)
{
    struct braid_addr own;
    uint8_t packed[sizeof(struct sockaddr_in6)];
    if (name_of(getsockname, fd, &own) < 0)
        return -1;
    bool bound = own.port > 0 || !ip_is_unspecified(&own.ip);
    if (bound && list[0].port > 0 && list[0].port != own.port)
        return fail(EINVAL);
    if (n > 1 && list[0].port > 0 && !bound)
        return fail(EOPNOTSUPP);
    if (n > 1 || bound)
        return change(fd, TCP_MULTIPATH_ADD, list, n);
    if (bind(fd, (struct sockaddr *)packed, (socklen_t)write_addr(&list[0], packed)) < 0)
        return -1;
    /* Bound alone it would be plain TCP; and so it is where there is no daemon, or this is no uplink's. */
    int saved = errno;
    change(fd, TCP_MULTIPATH_ADD, list, 1);
    errno = saved;
    return 0;
}

VISIBLE int sctp_bindx(int fd, struct sockaddr *addrs, int n, int flags)
{
    struct braid_addr list[TCP_MULTIPATH_ADDRESSES_MAX];
    if (read_list(addrs, n, list) < 0)
        return -1;
    for (int i = 1; i < n; i++)
        if (list[i].port != list[0].port)
            return fail(EINVAL);
    if (flags == SCTP_BINDX_ADD_ADDR)
        return add(fd, list, n);
    if (flags == SCTP_BINDX_REM_ADDR)
        return change(fd, TCP_MULTIPATH_REMOVE, list, n);
    return fail(EINVAL);
}

/* ---- connecting --------------------------------------------------------------------------------------- */

VISIBLE int sctp_connectx(int fd, struct sockaddr *addrs, int n, sctp_assoc_t *id)
{
    struct braid_addr list[TCP_MULTIPATH_ADDRESSES_MAX];
    if (id)
        *id = 0;
    if (read_list(addrs, n, list) < 0)
        return -1;
    int flags = fcntl(fd, F_GETFL), result = -1;
    for (int i = 0; i < n && result < 0; i++) {
        struct sockaddr_storage sa;
        socklen_t len = sockaddr_from(&list[i], &sa);
        result = braid_socket_connect(fd, (const struct sockaddr *)&sa, len);
        if (flags & O_NONBLOCK || (result < 0 && (errno == EISCONN || errno == EINTR || errno == EBADF)))
            break;
    }
    return result;
}

/* ---- asking ------------------------------------------------------------------------------------------- */

/* The addresses of the subflows' ends, each once; 0 if nobody knows. */
static unsigned ends(int fd, bool ours, uint16_t port, struct braid_addr *out)
{
    struct tcp_multipath_subflow subflows[TCP_MULTIPATH_SUBFLOWS_MAX];
    socklen_t len = sizeof(subflows);
    unsigned n = 0;
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_SUBFLOWS, subflows, &len) < 0)
        return 0;
    for (unsigned i = 0; i < len / sizeof(subflows[0]); i++) {
        const union tcp_multipath_address *end = ours ? &subflows[i].local : &subflows[i].remote;
        if (sockaddr_to(&end->sa, &out[n]) < 0 || is_among(&out[n], out, n))
            continue;
        out[n++].port = port;
    }
    return n;
}

VISIBLE int sctp_getladdrs(int fd, sctp_assoc_t id, struct sockaddr **addrs)
{
    struct braid_addr list[TCP_MULTIPATH_SUBFLOWS_MAX], own, peer;
    struct intent in;
    (void)id;
    if (name_of(getsockname, fd, &own) < 0)
        return -1;
    if (name_of(getpeername, fd, &peer) < 0) {
        if (intent_get(fd, &in) && in.add.n > 0)
            return give_list(in.add.addr, in.add.n, addrs);
        return give_list(&own, 1, addrs);
    }
    unsigned n = ends(fd, true, own.port, list);
    return n > 0 ? give_list(list, n, addrs) : give_list(&own, 1, addrs);
}

VISIBLE int sctp_getpaddrs(int fd, sctp_assoc_t id, struct sockaddr **addrs)
{
    struct braid_addr list[TCP_MULTIPATH_SUBFLOWS_MAX], peer;
    (void)id;
    if (name_of(getpeername, fd, &peer) < 0)
        return -1;
    unsigned n = ends(fd, false, peer.port, list);
    return n > 0 ? give_list(list, n, addrs) : give_list(&peer, 1, addrs);
}

VISIBLE int sctp_freeladdrs(struct sockaddr *addrs)
{
    free(addrs);
    return 0;
}

VISIBLE int sctp_freepaddrs(struct sockaddr *addrs)
{
    free(addrs);
    return 0;
}
