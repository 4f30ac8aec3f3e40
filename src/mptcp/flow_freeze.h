/* A subflow of a connection, as state. Private to src/mptcp. */
#ifndef BRAID_MPTCP_FLOW_FREEZE_H
#define BRAID_MPTCP_FLOW_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct braid_conn;
struct mp_subflow;

void flow_freeze(const struct mp_subflow *s, struct freezer *f, unsigned tag);
/* Makes a subflow of c. *sibling: the number of the one that follows it in the ring of congestion controls.
 * NULL: something is wrong; a subflow may have been made all the same. */
struct mp_subflow *flow_thaw(struct braid_conn *c, const struct thaw_item *i, uint32_t *sibling);

#endif
