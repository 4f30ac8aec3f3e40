/* Payload that is held back (struct rxmap has it). */
#ifndef BRAID_MPTCP_HELD_H
#define BRAID_MPTCP_HELD_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;
struct slice;

/* Adds to what is held back, behind it: pieces have to come in the order of the subflow. Takes over the
 * slice; the connection may fail for want of memory. */
void held_add(struct braid_conn *c, struct mp_subflow *s, struct slice *in);
/* Delivers what is held back, from dsn on, and gives it up. */
void held_deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn);

#endif
