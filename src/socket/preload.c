/* In the shared object: the C library's names, and what stands behind them. */
#include <unistd.h>
#include <braid/socket.h>
#include "socket/real.h"
#include "socket/report.h"
#include "socket/sctp_socket.h"

#define VISIBLE __attribute__((visibility("default")))

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

VISIBLE int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    report_watch(fd);
    return braid_socket_connect(fd, address.__sockaddr__, len);
}

VISIBLE int close(int fd)
{
    report_close(fd);
    return real_close(fd);
}

VISIBLE int socket(int domain, int type, int protocol)
{
    return real_socket(domain, type, sctp_stands_for_tcp(type, protocol) ? IPPROTO_TCP : protocol);
}
