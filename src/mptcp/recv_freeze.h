/* What a connection has received, as state. Private to src/mptcp. */
#ifndef BRAID_MPTCP_RECV_FREEZE_H
#define BRAID_MPTCP_RECV_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct braid_conn;

void conn_freeze_recv(const struct braid_conn *c, struct freezer *f, unsigned tag);
void conn_thaw_recv(struct braid_conn *c, const struct thaw_item *i);

#endif
