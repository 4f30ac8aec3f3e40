/* What the program that serves an edge's clients on this machine has said of them (edge_services.c). */
#ifndef BRAID_ROLE_EDGE_SERVICES_H
#define BRAID_ROLE_EDGE_SERVICES_H

#include "role/edge_client.h"
#include "role/services.h"

/* wants_plain() of struct braid_listen_params; ctx is the edge. */
bool edge_wants_plain(void *ctx, const struct braid_addr *client, const struct braid_addr *server);
/* This client, which means that address, is here: its connection gets the profile and the addresses that were
 * named. */
void edge_service_begin(struct client *cl, const struct braid_addr *client, const struct braid_addr *meant);

#endif
