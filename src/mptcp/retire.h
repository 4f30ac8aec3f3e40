/* Subflows that are to end. */
#ifndef BRAID_MPTCP_RETIRE_H
#define BRAID_MPTCP_RETIRE_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* Ends a subflow in order, as far as its path lets; what it has in flight goes over others as well. */
void flow_retire(struct mp_subflow *s, braid_time now);
/* Ends it unless its path answers in a second. */
void flow_ask_alive(struct mp_subflow *s, braid_time now);
/* Both directions are through, and the peer hears of it elsewhere: it begins to close this subflow, or we do
 * so then. */
void flow_await_fin(struct mp_subflow *s, braid_time until);
/* Closes those where the peer has begun. */
void conn_follow_fins(struct braid_conn *c, braid_time now);
/* Resets those that should have answered, or ended, by now, and closes those where the peer has not begun. */
void conn_retire_timeout(struct braid_conn *c, braid_time now);

#endif
