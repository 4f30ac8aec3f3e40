/* The port from which a program's connection comes, by which the daemon knows it (source_port.c). */
#ifndef BRAID_SOCKET_SOURCE_PORT_H
#define BRAID_SOCKET_SOURCE_PORT_H

#include "base/addr.h"

/* The socket fd, which is to be connected to `meant`, has one from now on; one that the program has bound to
 * stays. 0, or -1 with errno: what connect would fail with. */
int source_port_have(int fd, const struct braid_addr *meant);

#endif
