/* Our addresses, as the user gives and takes them. */
#ifndef BRAID_MPTCP_OWN_ADDRS_H
#define BRAID_MPTCP_OWN_ADDRS_H

#include <braid/types.h>

struct braid_conn;
struct braid_endpoint;
struct braid_ip;

/* The core's endpoints. */
void conn_endpoints_begin(struct braid_conn *c);
/* The address ID of a local address for a new join. */
uint8_t conn_local_id(const struct braid_conn *c, const struct braid_ip *ip);
/* Whether the peer may join there: not at an address that was taken away, or that the user has forbidden. */
bool conn_may_be_joined_at(const struct braid_conn *c, const struct braid_ip *ip);
/* As braid_conn_endpoint_add and _remove. */
int conn_endpoint_add(struct braid_conn *c, const struct braid_endpoint *e);
int conn_endpoint_remove(struct braid_conn *c, const struct braid_ip *ip);

#endif
