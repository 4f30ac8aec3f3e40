/* What is known of the targets of an edge, as state (docs/handover.md). */
#ifndef BRAID_ROLE_POOL_FREEZE_H
#define BRAID_ROLE_POOL_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"
#include "role/pool.h"

/* Who is left alone and until when, whose weight still grows, who is preferred, and what was counted. Not who
 * is down, which health checks find out, and not connections, which their clients bring. */
void pool_freeze(const struct pool *p, struct freezer *f, unsigned tag);
/* Into a pool that has its members: what is said of others is left out, what was counted is added. */
void pool_thaw(struct pool *p, const struct thaw_item *i);

#endif
