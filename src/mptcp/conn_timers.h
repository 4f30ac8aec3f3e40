/* The deadlines of a connection. */
#ifndef BRAID_MPTCP_CONN_TIMERS_H
#define BRAID_MPTCP_CONN_TIMERS_H

#include <braid/types.h>
#include "base/wheel.h"

struct braid_conn;

/* When to look again, all on one wheel timer (conn_timers.c). BRAID_NEVER: not at all. */
struct conn_deadlines {
    struct timer timer;
    braid_time data_rtx; /* at data without a DATA_ACK */
    /* At announcements, at subflows whose address the peer has withdrawn, and for the first answer. */
    braid_time addr;
    /* The connection ends then. For lack of subflows (alone.c), of the end of data after the user has
     * released it (flush.c), or of the last FINs while it drains (ending.c). What takes the reason away sets
     * BRAID_NEVER. */
    braid_time gone;
    braid_time join;  /* at the third ACKs of our joins; 0: they have just begun */
    braid_time room;  /* for memory to write to */
    braid_time watch; /* at silent paths, or at the tail of the data; early at times */
    braid_time stall; /* whether data stands still */
    braid_time pm;    /* the path manager wants to be asked */
};

/* The timer has fired: does what is due, and rearms it. */
void conn_fire(struct timer *t, braid_time now);
/* Rearms the timer for the earliest deadline. */
void conn_rearm(struct braid_conn *c);

#endif
