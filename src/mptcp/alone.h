/* A connection that has no subflow, or none over which its peer could still send. */
#ifndef BRAID_MPTCP_ALONE_H
#define BRAID_MPTCP_ALONE_H

#include <braid/types.h>

struct braid_conn;

/* True if no subflow has completed its handshake, or the peer has ended its half of all that have before its
 * data has ended. */
bool conn_alone(const struct braid_conn *c);
/* The peer has no subflow to send over: it has to open one in time. */
void conn_await_revival(struct braid_conn *c, braid_time now);

#endif
