/* The kernel's connection tracking: whether it knows a connection, and that it forgets one. None of this
 * waits: the kernel has done it when the function returns. */
#ifndef BRAID_IO_CONNTRACK_H
#define BRAID_IO_CONNTRACK_H

#include <braid/types.h>
#include "io/netlink.h"

/* A socket for the functions below, or NULL with errno. */
struct netlink *conntrack_open(void);
/* Finds the entry that a TCP segment from src to dst belongs to, in either direction, and its connmark. 0, or
 * -1 with errno (ENOENT: there is none). */
int conntrack_find(struct netlink *nl, const struct braid_addr *src, const struct braid_addr *dst,
                   uint32_t *mark);
/* Removes that entry, so that the next segment is the first one for the packet filter and for address
 * translation. 0, or -1 with errno (ENOENT: there is none). */
int conntrack_forget(struct netlink *nl, const struct braid_addr *src, const struct braid_addr *dst);

#endif
