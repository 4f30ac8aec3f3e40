/* The subflows of a core that has gone (orphans.c). Private to src/core. */
#ifndef BRAID_CORE_ORPHANS_H
#define BRAID_CORE_ORPHANS_H

#include "core/inside.h"

/* Its peer has just been sent a RST. */
void core_orphan_answered(struct timewait_entry *e, braid_time now);

#endif
