/* Notes for the flush of a connection. They set flags and no more, so that anybody may leave them, from
 * within a callback of a subflow as well; what follows from them happens once, at the flush. */
#include "mptcp/marks.h"

#include "mptcp/conn.h"

/* One that is dead is freed behind its flush, and must not be in the list then. */
void conn_dirty(struct braid_conn *c)
{
    if (list_empty(&c->dirty_node) && c->phase != CONN_DEAD)
        list_append(&c->env->dirty, &c->dirty_node);
}

/* The first reason is the one that led to all others. A user who has been told another one already hears no
 * second. */
void conn_fail(struct braid_conn *c, enum braid_close why, bool fastclose)
{
    if (c->closing.fail_due || c->phase == CONN_DEAD)
        return;
    c->closing.fail_due = true;
    c->closing.fastclose = fastclose;
    if (!c->closing.told)
        c->closing.why = why;
    conn_dirty(c);
}

void conn_pm_changed(struct braid_conn *c)
{
    c->pm.changed = true;
    conn_dirty(c);
}

/* As above: the peer is told the first reason. The subflow stays until the flush, since callers walk over it.
 */
void flow_reset(struct mp_subflow *s, int reason)
{
    if (s->closing.reset_due)
        return;
    s->closing.reset_due = true;
    s->closing.rst_reason = reason;
    conn_dirty(s->conn);
}
