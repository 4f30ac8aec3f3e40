/* Servers that speak MPTCP themselves (learn.c). */
#ifndef BRAID_ROLE_LEARN_H
#define BRAID_ROLE_LEARN_H

#include "role/edge_state.h"

/* Whether the edge leaves such servers to their clients. */
bool edge_bypasses(const struct edge *e);
/* Makes es->bypass if any edge wants it. 0, or -1: memory is short. */
int edges_bypass_new(struct edges *es);
/* Whether the next connection to the server is to find out. */
bool edge_probes(const struct edge *e, const struct braid_addr *server);
/* A connection to the server found out. */
void edge_found(struct edge *e, const struct braid_addr *server, bool mptcp);
/* wants() of struct braid_listen_params; ctx is the edge. */
bool edge_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *server);

#endif
