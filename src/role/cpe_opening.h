/* Connections that begin in the LAN (cpe_opening.c). */
#ifndef BRAID_ROLE_CPE_OPENING_H
#define BRAID_ROLE_CPE_OPENING_H

#include "role/cpe_state.h"

struct device_socket;

/* Of a CPE's listeners, whose ctx is the CPE. */
extern const struct braid_conn_ops cpe_lan_ops;
/* wants() of struct braid_listen_params; ctx is the CPE. */
bool cpe_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *meant);
/* A connection that the kernel has accepted for this CPE: it is carried, or reset if it is not wanted, since
 * the kernel cannot have it back. */
void cpe_take_socket(struct cpe *cpe, const struct device_socket *socket);

#endif
