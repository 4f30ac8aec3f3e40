/* The data-level retransmission timeout. */
#ifndef BRAID_MPTCP_DATA_TIMEOUT_H
#define BRAID_MPTCP_DATA_TIMEOUT_H

#include <braid/types.h>

struct braid_conn;

/* The data-level retransmission timer fired. */
void conn_data_timeout(struct braid_conn *c, braid_time now);
/* Sets it unless it runs already; clears it if nothing waits for a DATA_ACK. */
void conn_arm_data_timer(struct braid_conn *c, braid_time now);

#endif
