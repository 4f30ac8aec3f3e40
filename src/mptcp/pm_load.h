/* How much a connection carries, as far as its path manager asked to hear of it. */
#ifndef BRAID_MPTCP_PM_LOAD_H
#define BRAID_MPTCP_PM_LOAD_H

#include <braid/types.h>

struct braid_conn;

/* Kept with what a connection knows of addresses (known.h), since most have no path manager that asks. 0
 * each: it did not. */
struct pm_load {
    uint64_t call_bytes;    /* it is to be called when conn_volume has come to so much ... */
    braid_time call_waited; /* ... or when data has waited so long for a subflow, without a pause */
    braid_time waits_since; /* since when it does; 0: it does not, or nobody asked */
};

/* Bytes of the stream, of whichever direction has more: received, or written by the user. */
uint64_t conn_volume(const struct braid_conn *c);
/* The path manager asks to be called at so many bytes, and after so long; instead of what it asked before. */
void conn_load_expect(struct braid_conn *c, uint64_t bytes, braid_time waited);
/* True if there are as many bytes as it asked for. */
bool conn_load_reached(const struct braid_conn *c);
/* For how long data has waited that the peer would take, and for which no subflow has room. */
braid_time conn_load_waited(const struct braid_conn *c, braid_time now);
/* Behind the scheduling: notes whether data waits. */
void conn_load_note(struct braid_conn *c, braid_time now);

#endif
