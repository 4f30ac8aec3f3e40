/* What is sent at a flush. */
#ifndef BRAID_MPTCP_PUSH_H
#define BRAID_MPTCP_PUSH_H

#include <braid/types.h>

struct braid_conn;

/* Schedules what can be sent. */
void conn_push(struct braid_conn *c, braid_time now);
/* Before the third ACK, as far as the user has allowed it: what was written leaves behind the SYN/ACK. */
void conn_push_early(struct braid_conn *c, braid_time now);
/* Sends our end of data when all data is on its way. */
void conn_push_end(struct braid_conn *c, braid_time now);

#endif
