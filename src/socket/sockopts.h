/* Options of the kernel's own that hold for all subflows (RFC 6897 section 4.4) and do not show in packets:
 * keepalive, user timeout, send buffer, congestion control (sockopts.c). They are the socket's, and the
 * daemon reads them from it; it only has to be told to look. Programs that never set one pay for a load. */
#ifndef BRAID_SOCKET_SOCKOPTS_H
#define BRAID_SOCKET_SOCKOPTS_H

#include <stdbool.h>
#include <sys/socket.h>

/* setsockopt(2) of an option that is not ours; the daemon looks if the socket is connected. */
int sockopts_set(int fd, int level, int option, const void *value, socklen_t len);
/* Whether any was ever set on any socket: a single load tells. */
bool sockopts_any(void);
/* Whether the daemon has to know before the connection is asked for. */
bool sockopts_before(int fd);
/* A connection to this address has just been asked for: the daemon looks, if it is worth it. errno stays. */
void sockopts_connected(int fd, const struct sockaddr *address);
/* accept has given this one, which has inherited what the socket that listens has; -1: none. errno stays. */
void sockopts_accepted(int fd);

#endif
