/* The peer's FINs on subflows of MPTCP. */
#ifndef BRAID_MPTCP_FINS_H
#define BRAID_MPTCP_FINS_H

#include <braid/types.h>

struct braid_conn;

/* Closes our half of subflows where a FIN of the peer asks for it; and if the peer has left itself no way to
 * send the rest of its data, it is waited for only as long as a connection may be without subflows. */
void conn_answer_fins(struct braid_conn *c, braid_time now);

#endif
