/* Kernel TCP sockets to servers. */
#ifndef BRAID_IO_UPSTREAM_H
#define BRAID_IO_UPSTREAM_H

#include <braid/types.h>

/* A non-blocking socket that connects to addr: the descriptor, or -1 with errno. *connected: it has already
 * done so; otherwise upstream_error tells the outcome once it is writable. source NULL: it comes from an
 * address of this host; else from that address of somebody else, which is of the same family
 * (upstream_check_source), and that port, 0: any. */
int upstream_connect(const struct braid_addr *addr, const struct braid_addr *source, bool *connected);
/* The same, but asks the server for MPTCP as well, unless the kernel turns out not to have it: then, and
 * whenever it cannot be done with MPTCP, it is upstream_connect. */
int upstream_probe(const struct braid_addr *addr, const struct braid_addr *source, bool *connected);
/* Whether the server of a connected socket of upstream_probe took it up. */
bool upstream_is_mptcp(int fd);
/* Whether sockets may have addresses that are not this host's. 0, or -1 with errno. */
int upstream_check_source(void);
/* Whether an interface of this host has the address: then the kernel itself takes what is sent there. */
bool upstream_is_own(const struct braid_ip *ip);
/* The error that waits on the socket, 0: none. */
int upstream_error(int fd);
/* Closes with a RST. */
void upstream_reset(int fd);

#endif
