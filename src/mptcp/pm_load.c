/* How much a connection carries: what a path manager that opens subflows on demand goes by. Nothing is kept,
 * and nothing is called, unless it asked; a connection asks in the beginning, as a rule, and no more once its
 * mind is made up. */
#include "mptcp/pm_load.h"

#include "mptcp/conn.h"

/* What was written counts before it is sent: that it is there is all that matters to who decides whether more
 * paths are worth it. */
uint64_t conn_volume(const struct braid_conn *c)
{
    uint64_t out = c->send.end - DATA_FIRST, in = c->recv.nxt - DATA_FIRST;
    return out > in ? out : in;
}

/* Whatever began to wait before the question goes on to, so that its time is not counted anew. */
static void arm(struct braid_conn *c)
{
    if (c->pm.load.waits_since > 0)
        no_later(&c->deadlines.pm, c->pm.load.waits_since + c->pm.load.call_waited);
}

void conn_load_expect(struct braid_conn *c, uint64_t bytes, braid_time waited)
{
    c->pm.load.call_bytes = bytes;
    c->pm.load.call_waited = waited;
    if (waited == 0)
        c->pm.load.waits_since = 0;
    arm(c);
}

bool conn_load_reached(const struct braid_conn *c)
{
    return c->pm.load.call_bytes > 0 && conn_volume(c) >= c->pm.load.call_bytes;
}

braid_time conn_load_waited(const struct braid_conn *c, braid_time now)
{
    return c->pm.load.waits_since > 0 ? now - c->pm.load.waits_since : 0;
}

/* What the peer's window holds back, more subflows would not move. */
void conn_load_note(struct braid_conn *c, braid_time now)
{
    struct pm_load *l = &c->pm.load;
    bool waits = c->send.nxt != c->send.end && c->send.nxt != c->send.edge;
    if (l->call_waited == 0 || waits == (l->waits_since > 0))
        return;
    l->waits_since = waits ? now : 0;
    arm(c);
}
