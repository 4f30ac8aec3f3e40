/* The window that is advertised, and the buffer behind it. */
#ifndef BRAID_MPTCP_DATA_WINDOW_H
#define BRAID_MPTCP_DATA_WINDOW_H

#include <braid/types.h>

struct braid_conn;
struct subflow;

/* As ops.window (struct subflow_ops): for a segment that leaves, since what it returns counts as offered. */
uint64_t flow_window(struct subflow *sf);
/* Data up to `end` has come, which is beyond what was offered: counts as offered as far as the largest buffer
 * would reach, which the user might have read fast enough for. The subflow has acknowledged it, and a peer
 * that takes no notice of the window sends it again only when its timer for data has run out, a piece each
 * time. Linux (6.18) does so if its first subflow began with Fast Open. */
void conn_window_stretch(struct braid_conn *c, uint64_t end);
/* Data was consumed or room was made: tunes the buffer and lets the window follow. */
void conn_recv_settle(struct braid_conn *c, braid_time now);

#endif
