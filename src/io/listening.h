/* Whether a socket of this machine still listens, as its kernel knows it. Stands on sock_diag (libmnl). */
#ifndef BRAID_IO_LISTENING_H
#define BRAID_IO_LISTENING_H

#include <stdint.h>

struct netlink;

/* NULL with errno. */
struct netlink *listening_open(void);
/* 1: the socket with this cookie (SO_COOKIE) listens at this port; 0: there is none; -1 with errno: the
 * kernel cannot tell. */
int listening_has(struct netlink *nl, uint16_t port, uint64_t cookie);

#endif
