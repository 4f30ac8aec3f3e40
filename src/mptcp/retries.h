/* What the ends of subflows teach about opening the next ones. */
#ifndef BRAID_MPTCP_RETRIES_H
#define BRAID_MPTCP_RETRIES_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* The handshake of a subflow is complete. */
void conn_pm_established(struct mp_subflow *s);
/* A subflow has ended and is about to be freed: draws conclusions for the next one. */
void conn_pm_ended(struct mp_subflow *s, braid_time now);
/* The last subflow has gone: whatever may bring the connection back is tried at once. */
void conn_pm_forgive(struct braid_conn *c, braid_time now);

#endif
