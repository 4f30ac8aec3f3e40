/* Kernel TCP sockets to servers: options, opening, closing. */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/descriptors.h"
#include "io/log.h"
#include "io/sockaddr.h"
#include "io/steer.h"
#include "io/upstream.h"

/* An algorithm that does not pace: the timers of a pacing one (bbr) cost more than the copying. */
#define UPSTREAM_CONGESTION "cubic"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

/* Whether new sockets have another algorithm by default, so that each connection is spared a system call if
 * not. */
static bool wants_congestion;

static void look_at_default(void)
{
    char name[16] = "";
    socklen_t len = sizeof(name) - 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    wants_congestion = fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) < 0 ||
                       strcmp(name, UPSTREAM_CONGESTION) != 0;
    if (fd >= 0)
        close(fd);
}

void upstream_set_nodelay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* All of these are improvements, not conditions. */
static void set_options(int fd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_at_default);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (wants_congestion)
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, UPSTREAM_CONGESTION, sizeof(UPSTREAM_CONGESTION) - 1);
}

static int allow_any_source(int fd, int family)
{
    int on = 1;
    return family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on))
                             : setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
}

int upstream_check_source(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    int result = allow_any_source(fd, AF_INET), why = errno;
    close(fd);
    errno = why;
    return result;
}

/* source: an address of somebody else. Port 0: any, picked when it connects, so that it need be free only for
 * that destination. */
static int bind_source(int fd, const struct braid_addr *source)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(source, &sa);
    int on = 1;
    if (allow_any_source(fd, sa.ss_family) < 0)
        return -1;
    /* One client's port may lead to several servers. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (source->port == 0)
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, (struct sockaddr *)&sa, len);
}

/* The kernel has said that it has no MPTCP, or that it is switched off. */
static atomic_bool without_mptcp;

static int new_socket(int family, int protocol)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd >= 0 && !descriptors_leave_reserve(fd)) {
        close(fd);
        errno = EMFILE;
        return -1;
    }
    bool lacks = fd < 0 && protocol == IPPROTO_MPTCP &&
                 (errno == EPROTONOSUPPORT || errno == ENOPROTOOPT || errno == EINVAL);
    if (lacks && !atomic_exchange(&without_mptcp, true)) {
        log_warn("this kernel has no MPTCP (%s): servers that speak it are not found, and not bypassed",
                 strerror(errno));
    }
    return fd;
}

/* source NULL: the kernel's choice. */
static int connect_from(int protocol, const struct braid_addr *addr, const struct braid_addr *source,
                        bool *connected)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(addr, &sa);
    int fd = new_socket(sa.ss_family, protocol);
    if (fd < 0)
        return -1;
    set_options(fd);
    steer_exempt(fd);
    if (!source || bind_source(fd, source) == 0) {
        *connected = connect(fd, (struct sockaddr *)&sa, len) == 0;
        if (*connected || errno == EINPROGRESS)
            return fd;
    }
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int upstream_connect(const struct braid_addr *addr, const struct braid_addr *source, bool *connected)
{
    return connect_from(IPPROTO_TCP, addr, source, connected);
}

int upstream_probe(const struct braid_addr *addr, const struct braid_addr *source, bool *connected)
{
    int fd = atomic_load(&without_mptcp) ? -1 : connect_from(IPPROTO_MPTCP, addr, source, connected);
    return fd >= 0 ? fd : upstream_connect(addr, source, connected);
}

/* A socket that has fallen back passes the question on to TCP, which does not know it. */
bool upstream_is_mptcp(int fd)
{
    struct mptcp_info info = {0};
    socklen_t len = sizeof(info);
    return getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) == 0 &&
           !(info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK);
}

bool upstream_is_own(const struct braid_ip *ip)
{
    struct ifaddrs *all;
    bool own = false;
    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *a = all; a && !own; a = a->ifa_next) {
        struct braid_addr addr;
        own = a->ifa_addr && sockaddr_to(a->ifa_addr, &addr) == 0 && ip_equal(&addr.ip, ip);
    }
    freeifaddrs(all);
    return own;
}

int upstream_listen_transparent(const struct braid_addr *addr)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(addr, &sa);
    int on = 1, fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    set_options(fd);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on)); /* upstream_saved_syn */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
        allow_any_source(fd, sa.ss_family) == 0 && bind(fd, (struct sockaddr *)&sa, len) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

size_t upstream_saved_syn(int fd, uint8_t *out, size_t room)
{
    socklen_t len = (socklen_t)room;
    return getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, out, &len) == 0 ? len : 0;
}

int upstream_say(int fd, const void *bytes, size_t n)
{
    ssize_t sent;
    do {
        sent = send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN)
        return -1;
    if (sent == (ssize_t)n)
        return 0;
    errno = ENOBUFS;
    return -1;
}

int upstream_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

void upstream_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}
