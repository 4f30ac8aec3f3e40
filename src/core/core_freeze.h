/* What a core knows besides its connections, as state. Private to src/core. */
#ifndef BRAID_CORE_CORE_FREEZE_H
#define BRAID_CORE_CORE_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"
#include "core/inside.h"

void core_freeze(const struct braid_core *core, struct freezer *f, unsigned tag);
/* Into a core that has no connections. */
void core_thaw(struct braid_core *core, const struct thaw_item *i);
/* An entry of the TIME_WAIT table. */
void core_freeze_past(const struct timewait_entry *e, struct freezer *f, unsigned tag);
void core_thaw_past(struct braid_core *core, const struct thaw_item *i);
/* Its ends, if that is all that is to be known. */
void core_peek_past(const struct thaw_item *i, struct braid_addr *local, struct braid_addr *remote);
/* Incomplete packets; nothing if there are none. */
void core_freeze_fragments(const struct reassembly *r, struct freezer *f, unsigned tag);
void core_thaw_fragments(struct reassembly *r, const struct thaw_item *i);

#endif
