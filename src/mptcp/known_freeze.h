/* What a connection knows of addresses, as state. Private to src/mptcp. */
#ifndef BRAID_MPTCP_KNOWN_FREEZE_H
#define BRAID_MPTCP_KNOWN_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct braid_conn;

/* Nothing if it knows nothing. */
void conn_freeze_known(const struct braid_conn *c, struct freezer *f, unsigned tag);
void conn_thaw_known(struct braid_conn *c, const struct thaw_item *i);

#endif
