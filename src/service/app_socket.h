/* The socket that a program hands over, and what it proves (app_socket.c). */
#ifndef BRAID_SERVICE_APP_SOCKET_H
#define BRAID_SERVICE_APP_SOCKET_H

#include <braid/types.h>
#include "role/socket_options.h"

struct app_socket {
    int fd;                   /* the program's; during the call only */
    struct braid_addr local;  /* unspecified, port 0: it is not bound */
    struct braid_addr remote; /* port 0: it has none; else it is connected, or ... */
    bool connected;           /* (false) has asked for a connection */
    bool listens;
    bool v6_only;    /* listens at no address of IPv4 */
    uint64_t cookie; /* SO_COOKIE; 0: the kernel does not tell */
};

/* What names the network namespace of a socket; 0: the kernel does not tell. */
uint64_t app_socket_namespace(int fd);
/* Looks at the descriptor, which stays the caller's. 0; else an errno: it is no TCP socket (ENOTSOCK,
 * EOPNOTSUPP), or one of another network namespace (EXDEV), where anybody may have any address. */
uint32_t app_socket_look(int fd, uint64_t home, struct app_socket *out);

/* What was set on it, as far as packets do not show it, or not in time (RFC 6897 section 4.4). */
void app_socket_options(int fd, struct socket_options *out);

#endif
