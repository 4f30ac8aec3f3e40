/* How much strangers were answered in the current second, as state (docs/handover.md). Private to src/core.
 */
#ifndef BRAID_CORE_RATES_FREEZE_H
#define BRAID_CORE_RATES_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"
#include "core/inside.h"

/* As a group with this tag, and back. */
void core_freeze_answers(const struct answers *a, struct freezer *f, unsigned tag);
void core_thaw_answers(struct answers *a, const struct thaw_item *group);
/* The first network's are among the core's own members. Of the others, those of the current second, each a
 * group; a version that does not know them begins anew. */
void core_freeze_refusals(const struct mptcp_env *env, struct freezer *f, unsigned tag);
void core_thaw_refusals(struct join_refusals *r, const struct thaw_item *group);

#endif
