/* Paths by which the peer holds up what it sends. */
#ifndef BRAID_MPTCP_TRICKLE_H
#define BRAID_MPTCP_TRICKLE_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* While there are gaps: the subflow that alone has brought anything of late, and all of it in order. */
struct data_trickle {
    braid_time since; /* the first of these segments; 0: there was none yet */
    uint32_t flow;    /* its id */
    uint32_t n;       /* segments behind the first */
};

/* Data came over s while others wait behind a gap. next: it is what the gap lacks. */
void trickle_note(struct mp_subflow *s, bool next, braid_time now);
/* Lets the peer use again what it was asked to spare, when the time is over. At each flush. */
void conn_watch_trickles(struct braid_conn *c, braid_time now);

#endif
