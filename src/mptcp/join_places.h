/* Who has a place among the subflows. */
#ifndef BRAID_MPTCP_JOIN_PLACES_H
#define BRAID_MPTCP_JOIN_PLACES_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* True if the connection may have a subflow more. */
bool conn_has_place(const struct braid_conn *c);
/* Asks the silent subflows whether they are there; by the time of a join's third ACK those that are have
 * answered. */
void conn_ask_the_silent(struct braid_conn *c, braid_time now);
/* The subflow that has been silent longest, and since before `since`: a peer that moves from address to
 * address cannot end those that it leaves behind. NULL: all have been heard of. */
struct mp_subflow *conn_silent_longest(struct braid_conn *c, braid_time since, braid_time now);

#endif
