/* A connection as state: written down, and read back into this or another core (docs/handover.md). Private to
 * src/mptcp and src/core. */
#ifndef BRAID_MPTCP_CONN_FREEZE_H
#define BRAID_MPTCP_CONN_FREEZE_H

#include "base/freeze.h"
#include "base/thaw.h"

struct braid_conn;
struct mptcp_env;

/* As a group. Changes nothing. */
void conn_freeze(const struct braid_conn *c, struct freezer *f, unsigned tag);
/* Makes a connection of the environment. Its user, its listener, and its place among the dirty ones are the
 * caller's to set; its timers are armed by timer_later_arm. NULL: something is wrong, and nothing of it is
 * left. */
struct braid_conn *conn_thaw(struct mptcp_env *env, const struct thaw_item *i);
/* Forgets a connection that was read, as if it had never been. */
void conn_unthaw(struct braid_conn *c);

#endif
