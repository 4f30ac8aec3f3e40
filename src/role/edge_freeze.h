/* The edges of one worker, and their clients, as state (docs/handover.md). */
#ifndef BRAID_ROLE_EDGE_FREEZE_H
#define BRAID_ROLE_EDGE_FREEZE_H

#include "role/edge_state.h"
#include "role/role_freeze.h"

void edges_freeze(const struct edges *es, struct freezer *f, unsigned tag, struct refs_out *out);
/* Each client goes to the edge of its name on the node that its connection is on. */
void edges_thaw(struct role_thaw *t, const struct thaw_item *i);
/* All is read: those that were drained take no connections. */
void edges_settle(struct edges *es);
/* By its callbacks, by which a connection is one of an edge of some kind: a number that is not 0; and back.
 * 0, NULL: they are none of an edge. */
unsigned edges_ops_number(const struct braid_conn_ops *ops);
const struct braid_conn_ops *edges_ops_of(unsigned number);
/* Its clients are gone, without a word to anybody, and what they had is as it was. */
void edges_forget(struct edges *es);

/* One client (edge_client_freeze.c), and which list of its edge it is in. */
enum client_place { PLACE_CONNECTING, PLACE_LATE, PLACE_LIMITED, PLACE_OPEN };
struct client;
void client_freeze(const struct client *cl, enum client_place place, struct freezer *f, unsigned tag,
                   struct refs_out *out);
/* edge(arg, node): the client's on this node; NULL: memory is short. */
void client_thaw(struct role_thaw *t, const struct thaw_item *i,
                 struct edge *(*edge)(void *arg, struct node *node), void *arg);
void client_forget(struct client *cl);

#endif
