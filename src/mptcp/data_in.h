/* What subflows bring, in their order. */
#ifndef BRAID_MPTCP_DATA_IN_H
#define BRAID_MPTCP_DATA_IN_H

#include <braid/types.h>

struct braid_conn;
struct subflow;
struct slice;

/* Sets what depends on DATA_FIRST. */
void conn_recv_init(struct braid_conn *c);
/* As ops.data (struct subflow_ops): the next payload of the subflow, from its offset off on. */
void flow_data(struct subflow *sf, uint64_t off, struct slice s, braid_time now);
/* Drops all that was received and not read. */
void conn_recv_free(struct braid_conn *c);

#endif
