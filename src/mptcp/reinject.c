/* Data-level retransmission: what a subflow lost or took into its grave goes over another one (RFC 8684
 * section 3.3.6). Here it is only noted, as ranges of data sequence numbers; push.c sends it, before
 * anything new. The subflow that carried it, if it lives, retransmits it all the same. */
#include "mptcp/reinject.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/marks.h"

/* Charges the set what its memory takes now, instead of what it took when it was last asked: to be called
 * after each change. */
void conn_charge_reinject(struct braid_conn *c)
{
    uint32_t cap = c->send.reinject.cap;
    size_t now = cap ? mem_cost(cap * sizeof(*c->send.reinject.r)) : 0;
    mem_take(&c->mem, now);
    mem_give(&c->mem, c->send.reinject_cost);
    c->send.reinject_cost = (uint32_t)now;
}

/* What was DATA_ACKed meanwhile is done with, and what was never sent is new data. After falling back the
 * only subflow cares for everything itself. */
void conn_reinject(struct braid_conn *c, uint64_t dsn, uint64_t len)
{
    uint64_t start = seq64_before(dsn, c->send.una) ? c->send.una : dsn;
    uint64_t end = seq64_before(c->send.nxt, dsn + len) ? c->send.nxt : dsn + len;
    if (c->phase == CONN_DEAD || !conn_is_mptcp(c) || !seq64_before(start, end))
        return;
    /* bytes that nobody remembers to send again would stop the stream for good */
    if (ranges_add(&c->send.reinject, start, end) < 0)
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
    conn_charge_reinject(c);
    conn_dirty(c);
}

/* All that s has in flight. Its maps stay with it: until it is freed it may still deliver them. */
void conn_reinject_flow(struct mp_subflow *s)
{
    list_each (n, tmp, &s->tcp.flight->maps) {
        const struct mp_map *m = mp_map_of(n);
        conn_reinject(s->conn, m->dsn, m->tcp.len);
    }
}

/* Does s have the byte in flight? All maps are looked at: on a subflow they are in the order of sending,
 * which repetitions mix. */
struct mp_map *flow_carries(struct mp_subflow *s, uint64_t dsn)
{
    list_each (n, tmp, &s->tcp.flight->maps) {
        struct mp_map *m = mp_map_of(n);
        if (!seq64_before(dsn, m->dsn) && seq64_before(dsn, m->dsn + m->tcp.len))
            return m;
    }
    return NULL;
}
