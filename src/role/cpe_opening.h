/* Connections that begin in the LAN (cpe_opening.c). */
#ifndef BRAID_ROLE_CPE_OPENING_H
#define BRAID_ROLE_CPE_OPENING_H

#include "role/cpe_state.h"

/* Of a CPE's listeners, whose ctx is the CPE. */
extern const struct braid_conn_ops cpe_lan_ops;
/* wants() of struct braid_listen_params; ctx is the CPE. */
bool cpe_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *meant);

#endif
