/* Asking the far side of a connection of the LAN (cpe_asking.c). */
#ifndef BRAID_ROLE_CPE_ASKING_H
#define BRAID_ROLE_CPE_ASKING_H

#include "role/carried.h"

/* Of the connection over the uplinks, once it is an end. */
extern const struct braid_conn_ops cpe_wan_ops;
/* Of a new one: what follows carries it, or refuses the device and frees it, perhaps at once. */
void cpe_ask(struct carried *cd);

#endif
