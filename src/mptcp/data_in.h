/* What subflows bring, in their order. */
#ifndef BRAID_MPTCP_DATA_IN_H
#define BRAID_MPTCP_DATA_IN_H

#include <braid/types.h>

struct braid_conn;
struct subflow;
struct slice;

void conn_recv_init(struct braid_conn *c);
void flow_data(struct subflow *sf, uint64_t off, struct slice s, braid_time now);
void conn_recv_free(struct braid_conn *c);

#endif
