/* See app_socket.h. Who has the descriptor may do with the connection what he likes, and whoever had it given
 * to him was trusted by its owner. */
#include "service/app_socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "io/sockaddr.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

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
    return 0;
}
