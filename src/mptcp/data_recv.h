/* Between the files that receive at the data level: data_in.c (subflow order), order.c (connection order),
 * recvq.c (what the user reads), data_window.c. */
#ifndef BRAID_MPTCP_DATA_RECV_H
#define BRAID_MPTCP_DATA_RECV_H

#include "mptcp/conn.h"

/* Data that came over s and has a known place, dsn. Takes over the slice. */
void recv_deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn, struct slice *in);
/* Drops what waits behind gaps. */
void recv_order_free(struct braid_conn *c);

/* The next bytes of the stream. Takes over the slice; the connection may fail for want of memory. */
void recvq_append(struct braid_conn *c, struct slice *s);
/* Makes slices that outlive the packets they came in. False: memory is short. */
bool recvq_keep(struct braid_conn *c);
void recvq_free(struct braid_conn *c);

/* Doubles the buffer when the window may be what limits the stream. */
void recv_tune(struct braid_conn *c, braid_time now);

/* False: the user leaves unread what it was given, and there is no memory for len bytes more. Who reads needs
 * none, however little is left. */
bool recvq_has_room(const struct braid_conn *c, uint32_t len);

#endif
