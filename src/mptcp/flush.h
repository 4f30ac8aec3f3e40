/* The work of a flush. */
#ifndef BRAID_MPTCP_FLUSH_H
#define BRAID_MPTCP_FLUSH_H

#include <braid/types.h>

struct braid_conn;

/* The work of a flush. Afterwards phase may be CONN_DEAD: the caller frees it. */
void conn_flush(struct braid_conn *c, braid_time now);

#endif
