/* What subflows that have ended carried of a connection that goes on in another process, as state: it is
 * written and read with whoever will say the line (farewell.h). */
#ifndef BRAID_ROLE_FAREWELL_FREEZE_H
#define BRAID_ROLE_FAREWELL_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"
#include "role/farewell.h"

/* Nothing is written if nothing is known of the connection with this number, or f is NULL: nobody writes
 * lines. */
void farewells_freeze(const struct farewells *f, uint64_t conn, struct freezer *into, unsigned tag);
/* The same of the one that has this number here. f may be NULL. */
void farewells_thaw(struct farewells *f, uint64_t conn, const struct thaw_item *group);

#endif
