/* Data-level retransmission: what a subflow lost or took into its grave goes over another one (RFC 8684
 * section 3.3.6). */
#include "mptcp/reinject.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/marks.h"

void conn_charge_reinject(struct braid_conn *c)
{
    size_t now = c->send.reinject.cap > RANGES_INLINE
                     ? mem_cost(c->send.reinject.cap * sizeof(*c->send.reinject.r))
                     : 0;
    mem_take(&c->mem, now);
    mem_give(&c->mem, c->send.reinject_cost);
    c->send.reinject_cost = now;
}

void conn_reinject(struct braid_conn *c, uint64_t dsn, uint64_t len)
{
    uint64_t start = seq64_before(dsn, c->send.una) ? c->send.una : dsn;
    uint64_t end = seq64_before(c->send.nxt, dsn + len) ? c->send.nxt : dsn + len;
    if (c->phase == CONN_DEAD || !conn_is_mptcp(c) || !seq64_before(start, end))
        return;
    if (ranges_add(&c->send.reinject, start, end) < 0)
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
    conn_charge_reinject(c);
    conn_dirty(c);
}

void conn_reinject_flow(struct mp_subflow *s)
{
    list_each (n, tmp, &s->tcp.flight->maps) {
        const struct mp_map *m = mp_map_of(n);
        conn_reinject(s->conn, m->dsn, m->tcp.len);
    }
}

struct mp_map *flow_carries(struct mp_subflow *s, uint64_t dsn)
{
    list_each (n, tmp, &s->tcp.flight->maps) {
        struct mp_map *m = mp_map_of(n);
        if (!seq64_before(dsn, m->dsn) && seq64_before(dsn, m->dsn + m->tcp.len))
            return m;
    }
    return NULL;
}
