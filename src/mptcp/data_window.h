/* The window that is advertised, and the buffer behind it. */
#ifndef BRAID_MPTCP_DATA_WINDOW_H
#define BRAID_MPTCP_DATA_WINDOW_H

#include <braid/types.h>

struct braid_conn;
struct subflow;

/* As ops.window (struct subflow_ops): for a segment that leaves, since what it returns counts as offered. */
uint64_t flow_window(struct subflow *sf);
/* Data was consumed or room was made: tunes the buffer and lets the window follow. */
void conn_recv_settle(struct braid_conn *c, braid_time now);

#endif
