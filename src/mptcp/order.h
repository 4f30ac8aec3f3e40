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
/* For who restores what waits behind gaps (recv_freeze.c): makes the queue, and puts a piece behind all
 * others, whose reference is taken over. False: memory is short. */
bool conn_gaps_begin(struct braid_conn *c);
void conn_gaps_settle(struct braid_conn *c); /* there is none without pieces */
bool conn_gaps_append(struct braid_conn *c, uint64_t dsn, const struct slice *s);

#endif
