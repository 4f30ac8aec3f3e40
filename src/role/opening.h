/* The opening of a client's connection to its server (opening.c). */
#ifndef BRAID_ROLE_OPENING_H
#define BRAID_ROLE_OPENING_H

#include "role/edge_state.h"

struct client;
struct dial;
struct refs;
struct thaw_item;

/* Of an edge's listeners, whose ctx is the edge. */
extern const struct braid_conn_ops opening_conn_ops;

/* A dial that was under way (struct edge_mode). */
struct dial *opening_resume(struct client *cl, const struct thaw_item *i, struct refs *refs);
/* Answers clients that have waited long enough for their server. */
void opening_expire(struct edge *e, braid_time now);

#endif
