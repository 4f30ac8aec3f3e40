/* Data-level retransmission. */
#ifndef BRAID_MPTCP_REINJECT_H
#define BRAID_MPTCP_REINJECT_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;
struct mp_map;

/* Bytes of [dsn, dsn + len) that were not acknowledged are to be sent again over another subflow. */
void conn_reinject(struct braid_conn *c, uint64_t dsn, uint64_t len);
void conn_reinject_flow(struct mp_subflow *s);
/* Its memory may have grown or gone. */
void conn_charge_reinject(struct braid_conn *c);
/* The mapping in flight on s that carries dsn; NULL: none does. */
struct mp_map *flow_carries(struct mp_subflow *s, uint64_t dsn);

#endif
