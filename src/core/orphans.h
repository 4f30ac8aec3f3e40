/* The subflows of a core that has gone (orphans.c). Private to src/core. */
#ifndef BRAID_CORE_ORPHANS_H
#define BRAID_CORE_ORPHANS_H

#include "core/inside.h"

/* Puts one that was read (past_freeze.c) among those that are remembered. */
void core_orphan_add(struct braid_core *core, struct timewait_entry *e);
/* Its peer has just been sent a RST. */
void core_orphan_answered(struct timewait_entry *e, braid_time now);

#endif
