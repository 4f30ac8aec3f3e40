/* Where an address stands in the tables that the path manager sees (struct conn_known), or would stand. */
#ifndef BRAID_MPTCP_ADDR_INDEX_H
#define BRAID_MPTCP_ADDR_INDEX_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* Index in locals, or -1. */
int conn_find_local(const struct braid_conn *c, const struct braid_ip *ip);
/* Indexes in locals and remotes of a subflow's addresses; PM_MAX_LOCALS, PM_MAX_REMOTES: not in there.
 */
unsigned flow_local_index(const struct mp_subflow *s);
unsigned flow_remote_index(const struct mp_subflow *s);

#endif
