/* The opening of a client's connection to its server (opening.c). */
#ifndef BRAID_ROLE_OPENING_H
#define BRAID_ROLE_OPENING_H

#include "role/edge_state.h"

/* Of an edge's listeners, whose ctx is the edge. */
extern const struct braid_conn_ops opening_conn_ops;

/* Answers clients that have waited long enough for their server. */
void opening_expire(struct edge *e, braid_time now);

#endif
