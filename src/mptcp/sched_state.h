/* The scheduler of a connection, and the memory of its state. */
#ifndef BRAID_MPTCP_SCHED_STATE_H
#define BRAID_MPTCP_SCHED_STATE_H

#include <braid/sched.h>

struct braid_conn;

/* This one from now on, afresh. Charged to the core. False: memory is short, and the old one goes on. */
bool conn_sched_use(struct braid_conn *c, const struct sched_ops *ops);
void conn_sched_free(struct braid_conn *c);

#endif
