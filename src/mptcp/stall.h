/* Data that stands still. */
#ifndef BRAID_MPTCP_STALL_H
#define BRAID_MPTCP_STALL_H

#include <braid/types.h>

struct braid_conn;
struct mptcp_env;

/* Where one direction of the data stands. */
struct standstill {
    uint64_t at;      /* the next byte that has to move */
    braid_time since; /* BRAID_NEVER: nothing has to */
};

/* Both are looked at by each flush; what moves begins anew. */
struct conn_stall {
    struct standstill sending; /* what the peer has to DATA_ACK */
    struct standstill reading; /* what the user has to read */
};

/* At the end of a flush: notes what has moved, and when to look again. */
void conn_note_stall(struct braid_conn *c, braid_time now);
/* Ends the connection if its data has stood still for too long. */
void conn_stall_timeout(struct braid_conn *c, braid_time now);
/* If memory is short: ends the connection that holds most of it among those whose data stands still. */
void conn_reclaim(struct mptcp_env *env, braid_time now);

#endif
