/* At which addresses a client may join its connection, by the word of the program that has accepted it
 * (edge_addresses.c). */
#ifndef BRAID_ROLE_EDGE_ADDRESSES_H
#define BRAID_ROLE_EDGE_ADDRESSES_H

#include "app/message.h"
#include "role/edge_state.h"

/* They are announced to the client; or subflows there are closed, and there are to be none. es NULL: there
 * are no edges. 0, or an errno: EADDRNOTAVAIL: one is neither the connection's nor any edge's; nothing was
 * done. */
uint32_t edge_addresses_change(const struct edges *es, struct braid_conn *c, bool add,
                               const struct app_addrs *addrs);

#endif
