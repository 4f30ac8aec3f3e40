/* The source of answers that asks the running workers. */
#ifndef BRAID_ADMIN_LIVE_H
#define BRAID_ADMIN_LIVE_H

#include "admin/snapshot.h"

struct event_base;

/* Answers come through base. workers is copied. NULL if memory or descriptors are short. */
struct snapshot_source *live_source_new(struct event_base *base, struct worker *const *workers, unsigned n);
/* Waits until the workers, which must still run, have given back all jobs (a turn of their loops), and has
 * them answered. All of them should be cancelled. NULL is allowed. */
void live_source_free(struct snapshot_source *s);

#endif
