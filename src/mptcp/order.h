/* From what subflows bring to the order of the connection. */
#ifndef BRAID_MPTCP_ORDER_H
#define BRAID_MPTCP_ORDER_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;
struct slice;

/* Data that came over s and has a known place, dsn. Takes over the slice. */
void recv_deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn, struct slice *in);
/* Drops what waits behind gaps. */
void recv_order_free(struct braid_conn *c);
/* A DATA_FIN with this number was seen; again: over a subflow that had brought it before. */
void conn_data_fin(struct braid_conn *c, uint64_t dsn, bool again);

#endif
