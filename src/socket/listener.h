/* Sockets that listen, and what was set of them (listener.c). */
#ifndef BRAID_SOCKET_LISTENER_H
#define BRAID_SOCKET_LISTENER_H

#include "socket/intent.h"

/* Tells the daemon what holds for the connections that the socket accepts from now on. 0, or -1 with errno,
 * ENOPROTOOPT: there is no daemon. */
int listener_tell(int fd, const struct intent *in);

#endif
