/* The peer's addresses. */
#ifndef BRAID_MPTCP_PEER_ADDRS_H
#define BRAID_MPTCP_PEER_ADDRS_H

#include <braid/types.h>

struct mp_subflow;
struct mptcp_add_addr;
struct mptcp_remove_addr;

/* The options ADD_ADDR and REMOVE_ADDR, which came over s. True: an announcement by somebody who has both
 * keys. */
bool conn_add_addr_in(struct mp_subflow *s, const struct mptcp_add_addr *a);
void conn_remove_addr_in(struct mp_subflow *s, const struct mptcp_remove_addr *r, braid_time now);

#endif
