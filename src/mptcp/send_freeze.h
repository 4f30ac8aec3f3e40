/* What a connection has to send, as state. Private to src/mptcp. */
#ifndef BRAID_MPTCP_SEND_FREEZE_H
#define BRAID_MPTCP_SEND_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct braid_conn;
struct subflow;
struct tcp_map;

/* Room that the user has reserved and not committed is not part of it. */
void conn_freeze_send(const struct braid_conn *c, struct freezer *f, unsigned tag);
void conn_thaw_send(struct braid_conn *c, const struct thaw_item *i);
/* As ops.map_freeze and ops.map_thaw (struct subflow_ops). */
void flow_map_freeze(const struct subflow *sf, const struct tcp_map *m, struct freezer *f);
struct tcp_map *flow_map_thaw(struct subflow *sf, const struct thaw_item *i);

#endif
