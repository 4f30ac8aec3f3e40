/* The kernel's connection tracking, of which Braid wants one thing: that it forgets a connection. */
#ifndef BRAID_IO_CONNTRACK_H
#define BRAID_IO_CONNTRACK_H

#include <braid/types.h>

/* A socket for conntrack_forget, or -1 with errno. */
int conntrack_open(void);
/* Removes the entry of the TCP connection that src began to dst, so that its next packet is its first one for
 * the packet filter and for address translation. 0, or -1 with errno (ENOENT: there is none). Does not wait:
 * the kernel has done it when this returns. */
int conntrack_forget(int nl, const struct braid_addr *src, const struct braid_addr *dst);

#endif
