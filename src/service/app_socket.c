/* See app_socket.h. Who has the descriptor may do with the connection what he likes, and whoever had it given
 * to him was trusted by its owner. */
#include "service/app_socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/sockaddr.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SOCK_SNDBUF_LOCK
#define SOCK_SNDBUF_LOCK 1
#define SOCK_RCVBUF_LOCK 2
#endif

#define CONGESTION_NAME 16 /* bytes: TCP_CA_NAME_MAX */

uint64_t app_socket_namespace(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);
    return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static int number(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

/* False: it has none. */
static bool end_of(int fd, int (*get)(int fd, struct sockaddr *sa, socklen_t *len), struct braid_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    return get(fd, (struct sockaddr *)&sa, &len) == 0 && sockaddr_to((const struct sockaddr *)&sa, out) == 0;
}

static void look_at_listener(int fd, struct app_socket *out)
{
    int only = 0;
    socklen_t len = sizeof(only), cookie_len = sizeof(out->cookie);
    if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0)
        out->v6_only = only;
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &out->cookie, &cookie_len) < 0)
        out->cookie = 0;
}

/* Of a socket that is not connected yet, too, as getpeername is not. Room for more than there is is refused.
 */
static int name_meant(int fd, struct sockaddr *sa, socklen_t *len)
{
    *len = number(fd, SO_DOMAIN) == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    return getsockopt(fd, SOL_SOCKET, SO_PEERNAME, sa, len);
}

uint32_t app_socket_look(int fd, uint64_t home, struct app_socket *out)
{
    *out = (struct app_socket){.fd = fd};
    int type = number(fd, SO_TYPE), family = number(fd, SO_DOMAIN);
    if (type < 0)
        return ENOTSOCK;
    if (type != SOCK_STREAM || (family != AF_INET && family != AF_INET6) ||
        number(fd, SO_PROTOCOL) != IPPROTO_TCP)
        return EOPNOTSUPP;
    if (home == 0 || app_socket_namespace(fd) != home)
        return EXDEV;
    if (!end_of(fd, getsockname, &out->local))
        return ENOTSOCK;
    out->connected = end_of(fd, getpeername, &out->remote);
    out->listens = number(fd, SO_ACCEPTCONN) == 1;
    if (out->listens)
        look_at_listener(fd, out);
    if (!out->connected && !end_of(fd, name_meant, &out->remote))
        out->remote = (struct braid_addr){.port = 0};
    return 0;
}

/* ---- options ------------------------------------------------------------------------------------------ */

static int of_tcp(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);
    return getsockopt(fd, IPPROTO_TCP, option, &value, &len) == 0 && value > 0 ? value : 0;
}

/* The kernel tells twice of what was asked for (socket(7)), and which it was asked for (SO_BUF_LOCK). */
static size_t buffer(int fd, int option, int lock)
{
    int locks = number(fd, SO_BUF_LOCK), bytes = number(fd, option);
    return locks > 0 && (locks & lock) && bytes > 1 ? (size_t)bytes / 2 : 0;
}

static void congestion_of(int fd, char out[CONGESTION_NAME])
{
    socklen_t len = CONGESTION_NAME - 1;
    memset(out, 0, CONGESTION_NAME);
    if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out, &len) < 0)
        out[0] = '\0';
}

/* NULL: it is the system's, or one that we do not have. */
static const struct cc_ops *own_congestion(int fd)
{
    char name[CONGESTION_NAME], usual[CONGESTION_NAME] = "";
    congestion_of(fd, name);
    for (unsigned i = 0; cc_algorithms[i]; i++) {
        if (strcmp(cc_algorithms[i]->name, name) != 0)
            continue;
        int fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fresh >= 0) {
            congestion_of(fresh, usual);
            close(fresh);
        }
        return fresh >= 0 && strcmp(usual, name) != 0 ? cc_algorithms[i] : NULL;
    }
    return NULL;
}

void app_socket_options(int fd, struct socket_options *out)
{
    *out = (struct socket_options){.told = true,
                                   .nodelay = of_tcp(fd, TCP_NODELAY),
                                   .user_timeout = of_tcp(fd, TCP_USER_TIMEOUT) * BRAID_MS,
                                   .sndbuf = buffer(fd, SO_SNDBUF, SOCK_SNDBUF_LOCK),
                                   .rcvbuf = buffer(fd, SO_RCVBUF, SOCK_RCVBUF_LOCK),
                                   .cc = own_congestion(fd)};
    if (number(fd, SO_KEEPALIVE) <= 0)
        return;
    out->keepalive_idle = of_tcp(fd, TCP_KEEPIDLE) * BRAID_SECOND;
    out->keepalive_step = of_tcp(fd, TCP_KEEPINTVL) * BRAID_SECOND;
    out->keepalive_probes = (unsigned)of_tcp(fd, TCP_KEEPCNT);
}
