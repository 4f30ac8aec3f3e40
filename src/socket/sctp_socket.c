/* See sctp_socket.h. Streams, messages and notifications, which TCP has not, are not made up: their options
 * fail with EOPNOTSUPP. */
#include "socket/sctp_socket.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include "socket/real.h"

/* RFC 6458 section 8.1.5; the number is Linux's. */
#define SCTP_NODELAY 3

static bool wanted(void)
{
    const char *sctp = secure_getenv("BRAID_SCTP");
    return sctp && sctp[0] == '1';
}

bool sctp_stands_for_tcp(int type, int protocol)
{
    return protocol == IPPROTO_SCTP && (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM && wanted();
}

void sctp_option(int fd, int *level, int *option)
{
    int protocol = 0;
    socklen_t len = sizeof(protocol);
    if (*level != IPPROTO_SCTP || *option != SCTP_NODELAY || !wanted() ||
        real_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) < 0 || protocol != IPPROTO_TCP)
        return;
    *level = IPPROTO_TCP;
    *option = TCP_NODELAY;
}
