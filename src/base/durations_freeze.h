/* A histogram of durations as state (docs/handover.md). */
#ifndef BRAID_BASE_DURATIONS_FREEZE_H
#define BRAID_BASE_DURATIONS_FREEZE_H

#include "base/durations.h"
#include "base/freeze.h"
#include "base/thaw.h"

/* n of them, by their names; those that are empty are left out. */
void durations_freeze(struct freezer *f, unsigned tag, const struct durations *v, unsigned n,
                      const char *(*name)(unsigned i));
/* What was taken there is added here. Names that are not known are left out, and what was up to a bound that
 * is none here counts for the next one. */
void durations_thaw(const struct thaw_item *i, struct durations *v, unsigned n,
                    const char *(*name)(unsigned i));

#endif
