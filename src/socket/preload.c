/* In the shared object: the C library's names, and what stands behind them. */
#include <unistd.h>
#include <braid/socket.h>
#include "socket/linux_socket.h"
#include "socket/real.h"
#include "socket/report.h"
#include "socket/sctp_socket.h"
#include "socket/sockopts.h"

#define VISIBLE __attribute__((visibility("default")))

/* An address as the C library declares it: glibc's is a union of pointers to every kind of one. */
#ifdef __GLIBC__
#define ADDRESS        __SOCKADDR_ARG
#define CONST_ADDRESS  __CONST_SOCKADDR_ARG
#define SOCKADDR_OF(a) (a).__sockaddr__
#else
#define ADDRESS        struct sockaddr *restrict
#define CONST_ADDRESS  const struct sockaddr *
#define SOCKADDR_OF(a) (a)
#endif

VISIBLE int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    sctp_option(fd, &level, &option);
    return braid_setsockopt(fd, level, option, value, len);
}

VISIBLE int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict len)
{
    sctp_option(fd, &level, &option);
    return braid_getsockopt(fd, level, option, value, len);
}

VISIBLE int connect(int fd, CONST_ADDRESS address, socklen_t len)
{
    report_watch(fd);
    return braid_socket_connect(fd, SOCKADDR_OF(address), len);
}

VISIBLE int listen(int fd, int backlog)
{
    return braid_socket_listen(fd, backlog);
}

VISIBLE int close(int fd)
{
    report_close(fd);
    return real_close(fd);
}

VISIBLE int socket(int domain, int type, int protocol)
{
    if (linux_socket_wanted(domain, type, protocol))
        return linux_socket(domain, type);
    if (sctp_stands_for_tcp(type, protocol))
        protocol = IPPROTO_TCP;
    return linux_socket_checked(real_socket(domain, type, protocol), domain, type, protocol);
}

/* A connection by this socket that listens; -1: none. */
static int take(int listener, int fd)
{
    fd = linux_socket_accepted(listener, fd);
    sockopts_accepted(fd);
    return fd;
}

VISIBLE int accept(int fd, ADDRESS address, socklen_t *restrict len)
{
    return take(fd, real_accept(fd, SOCKADDR_OF(address), len));
}

VISIBLE int accept4(int fd, ADDRESS address, socklen_t *restrict len, int flags)
{
    return take(fd, real_accept4(fd, SOCKADDR_OF(address), len, flags));
}
