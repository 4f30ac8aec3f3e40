/* A TCP socket of the kernel's as an end of a splice. */
#ifndef BRAID_RELAY_END_SOCKET_H
#define BRAID_RELAY_END_SOCKET_H

#include "relay/end.h"

struct event_base;

/* What tells of the sockets of all splices of one thread. NULL: memory or descriptors are short. */
struct poller *end_socket_poller(struct event_base *base);
/* Makes one of a poller that has no `ready` yet. */
void end_socket_use(struct poller *p);
/* Takes fd, which is connected and does not block. -1: memory is short, and it is closed. */
int end_socket_init(struct end *e, struct poller *poller, int fd);
/* It is the kernel's MPTCP, which moves bytes between queues of its own: how much a read gives says nothing
 * of what is left. */
void end_socket_is_mptcp(struct end *e);
/* Something was written to its descriptor before it was one. */
void end_socket_has_written(struct end *e);
/* It is one that was: of fd, which it takes, and of which what it is ready for now will be told; -1: which is
 * gone. -1: memory is short; fd is open, and nobody's. */
int end_socket_restore(struct end *e, struct poller *poller, int fd);
/* The socket goes on without the end, which is gone. */
void end_socket_forget(struct end *e);

#endif
