/* How much a connection carries: what a path manager that opens subflows on demand goes by. Nothing is kept,
 * and nothing is called, unless it asked; a connection asks in the beginning, as a rule, and no more once its
 * mind is made up. */
#include "mptcp/pm_load.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/known.h"
#include "mptcp/sendbuf.h"

/* What was written counts before it is sent: that it is there is all that matters to who decides whether more
 * paths are worth it. */
uint64_t conn_volume(const struct braid_conn *c)
{
    uint64_t out = c->send.end - DATA_FIRST, in = c->recv.nxt - DATA_FIRST;
    return out > in ? out : in;
}

static struct pm_load *load_of(const struct braid_conn *c)
{
    return c->pm.known ? &c->pm.known->load : NULL;
}

/* Whatever began to wait before the question goes on to, so that its time is not counted anew. */
static void arm(struct braid_conn *c, const struct pm_load *l)
{
    if (l->waits_since > 0)
        no_later(&c->deadlines.pm, l->waits_since + l->call_waited);
}

/* What there is no memory to remember is asked for again when something else changes. */
void conn_load_expect(struct braid_conn *c, uint64_t bytes, braid_time waited)
{
    bool asks = bytes > 0 || waited > 0;
    struct pm_load *l = asks && conn_know(c) ? &c->pm.known->load : load_of(c);
    if (!l)
        return;
    l->call_bytes = bytes;
    l->call_waited = waited;
    if (waited == 0)
        l->waits_since = 0;
    arm(c, l);
}

bool conn_load_reached(const struct braid_conn *c)
{
    const struct pm_load *l = load_of(c);
    return l && l->call_bytes > 0 && conn_volume(c) >= l->call_bytes;
}

braid_time conn_load_waited(const struct braid_conn *c, braid_time now)
{
    const struct pm_load *l = load_of(c);
    return l && l->waits_since > 0 ? now - l->waits_since : 0;
}

/* What the peer's window holds back, more subflows would not move. */
void conn_load_note(struct braid_conn *c, braid_time now)
{
    struct pm_load *l = load_of(c);
    bool waits = c->send.nxt != c->send.end && seq64_before(c->send.nxt, conn_send_edge(c));
    if (!l || l->call_waited == 0 || waits == (l->waits_since > 0))
        return;
    l->waits_since = waits ? now : 0;
    arm(c, l);
}
