/* Connections that are remembered. Private to src/core. */
#ifndef BRAID_CORE_TIMEWAITS_H
#define BRAID_CORE_TIMEWAITS_H

#include "core/inside.h"

#define CORE_TIMEWAITS_MAX 65536 /* the oldest goes when there are more */

/* Puts an entry, whose tw is filled in, into the tables; the oldest one may have to go. fire: its
 * timer's function; the timer is not armed. */
void core_timewait_add(struct braid_core *core, struct timewait_entry *e,
                       void (*fire)(struct timer *t, braid_time now));
/* The same for one that is not an orphan: forgotten when its time is over. */
void core_timewait_enter(struct braid_core *core, struct timewait_entry *e);
/* Forgets and frees it. */
void core_timewait_free(struct timewait_entry *e);
/* (Re)starts its clock. */
void core_timewait_start(struct timewait_entry *e, braid_time now);
/* When that was; the entry is no orphan. */
braid_time core_timewait_since(const struct timewait_entry *e);
/* Remembers a subflow that is in TIME_WAIT or was aborted. NULL: nobody is to be remembered, or memory is
 * short; what comes late will meet a RST then. */
struct timewait_entry *core_remember(struct mptcp_env *env, const struct mp_subflow *s);

#endif
