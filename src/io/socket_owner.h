/* Whose a TCP connection of this machine is, as its kernel knows it: the program need not say anything.
 * Stands on sock_diag (libmnl): one question and its answer, which the kernel finds in its table of
 * connections. */
#ifndef BRAID_IO_SOCKET_OWNER_H
#define BRAID_IO_SOCKET_OWNER_H

#include <braid/types.h>

struct netlink;

struct socket_owner {
    uint32_t user;   /* that made the socket */
    uint64_t cgroup; /* of version 2, in which it was made (io/cgroups.h); 0: the kernel does not say */
};

/* NULL with errno. */
struct netlink *socket_owner_open(void);
/* 0; or -1 with errno: ENOENT: no socket of our network namespace has this connection, or the program has
 * closed it. */
int socket_owner_find(struct netlink *nl, const struct braid_addr *local, const struct braid_addr *remote,
                      struct socket_owner *out);
/* Whether this kernel answers such questions at all. 0, or -1 with errno. */
int socket_owner_check(void);

#endif
