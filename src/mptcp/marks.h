/* Notes for the flush of a connection. */
#ifndef BRAID_MPTCP_MARKS_H
#define BRAID_MPTCP_MARKS_H

#include <braid/core.h>

struct braid_conn;
struct mp_subflow;

/* A flush is due: c enters env->dirty, and braid_core_flush finds it there. As often as you like. */
void conn_dirty(struct braid_conn *c);
/* Ends it for the user: closed(why) is called at the flush, subflows are reset (with MP_FASTCLOSE if abort).
 */
void conn_fail(struct braid_conn *c, enum braid_close why, bool fastclose);
/* What the path manager sees has changed: it is asked at the flush (conn_pm_update). */
void conn_pm_changed(struct braid_conn *c);
/* It is reset at the flush (with MP_TCPRST reason, -1: none), and what it still brings is ignored. */
void flow_reset(struct mp_subflow *s, int reason);

#endif
