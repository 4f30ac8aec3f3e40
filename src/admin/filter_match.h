/* Whether a connection is one of those that a filter means: asked where the connections are, by workers. */
#ifndef BRAID_ADMIN_FILTER_MATCH_H
#define BRAID_ADMIN_FILTER_MATCH_H

#include "admin/snapshot.h"

/* A worker's part of a question, and its clock. */
struct filter_place {
    unsigned worker, n_workers;
    braid_time now;
};

bool filter_matches(const struct filter *f, const struct snapshot_conn *c, const struct filter_place *at);

#endif
