/* How a subflow stands. */
#ifndef BRAID_MPTCP_FLOW_STATE_H
#define BRAID_MPTCP_FLOW_STATE_H

#include <stdbool.h>

struct braid_conn;
struct mp_subflow;

/* May carry new data: established, confirmed and not closing. */
bool flow_usable(const struct mp_subflow *s);
/* Usable, and its path answers as far as one knows: neither suspect (silent_paths.c) nor in the backoff of
 * its timeout. */
bool flow_answers(const struct mp_subflow *s);
/* The subflow of this connection that was heard last, among those that can send; NULL: none can. */
struct mp_subflow *conn_heard_last(struct braid_conn *c);
/* The peer has closed its half of this subflow and not of the connection. */
bool flow_given_up(const struct mp_subflow *s);
/* A join of the peer's without its third ACK: anybody who has seen the token may have sent its SYN. */
bool flow_is_unproven(const struct mp_subflow *s);

#endif
