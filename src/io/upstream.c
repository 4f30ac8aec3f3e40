/* Kernel TCP sockets to servers: options, opening, closing. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/upstream.h"

/* An algorithm that does not pace: the timers of a pacing one (bbr) cost more than the copying. */
#define UPSTREAM_CONGESTION "cubic"

socklen_t upstream_sockaddr(const struct braid_addr *addr, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (ip_is_v4(&addr->ip)) {
        struct sockaddr_in *a = (struct sockaddr_in *)out;
        a->sin_family = AF_INET;
        a->sin_port = htons(addr->port);
        memcpy(&a->sin_addr, addr->ip.b + 12, 4);
        return sizeof(*a);
    }
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(addr->port);
    memcpy(&a->sin6_addr, addr->ip.b, 16);
    return sizeof(*a);
}

int upstream_addr(const struct sockaddr *sa, struct braid_addr *out)
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)sa;
        *out = (struct braid_addr){.port = ntohs(a->sin_port)};
        uint8_t b[4];
        memcpy(b, &a->sin_addr, 4);
        out->ip = ip_from_v4(b);
        return 0;
    }
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)sa;
        *out = (struct braid_addr){.port = ntohs(a->sin6_port)};
        memcpy(out->ip.b, &a->sin6_addr, 16);
        return 0;
    }
    return -1;
}

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

/* All of these are improvements, not conditions. */
static void set_options(int fd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_at_default);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (wants_congestion)
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, UPSTREAM_CONGESTION, sizeof(UPSTREAM_CONGESTION) - 1);
}

int upstream_connect(const struct braid_addr *addr, bool *connected)
{
    struct sockaddr_storage sa;
    socklen_t len = upstream_sockaddr(addr, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    set_options(fd);
    *connected = connect(fd, (struct sockaddr *)&sa, len) == 0;
    if (*connected || errno == EINPROGRESS)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
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
