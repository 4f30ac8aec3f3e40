/* Payload of a subflow that waits for its checksum (RFC 8684 section 3.3.1), or, after a wrong one, for the
 * peer to fall back (section 3.7). The subflow has acknowledged it, so the peer will not send it there again:
 * what cannot be held for want of memory ends the connection. */
#include "mptcp/held.h"

#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/marks.h"
#include "mptcp/order.h"
#include "mptcp/rxmap.h"

void held_deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn)
{
    struct rx_held *h = rxmap_take_held(&s->rxmap);
    for (uint32_t i = 0; h && i < h->n; i++) {
        uint32_t len = h->v[i].len;
        recv_deliver(c, s, dsn, &h->v[i]);
        dsn += len;
    }
    rxmap_held_free(h);
}

/* What is to be sent may have taken all that the connection is entitled to, and nothing of this payload can
 * be given up any more; so it may go beyond that, by what each subflow can be made to hold: a mapping, as
 * large as the window. Twice that, for pieces that are small. */
static bool has_room(const struct braid_conn *c)
{
    size_t mapping = c->recv.rcvbuf < UINT16_MAX ? c->recv.rcvbuf : UINT16_MAX;
    return mem_room(&c->env->mem) > 0 && c->mem.used < c->mem.limit + 2 * c->n_subflows * mapping;
}

void held_add(struct braid_conn *c, struct mp_subflow *s, struct slice *in)
{
    /* slice_keep charges and does not look at limits (base/slice.h) */
    bool kept = slice_keep(in, &c->mem) == 0 && has_room(c);
    if (kept && rxmap_hold(&s->rxmap, &c->mem, in) == 0)
        return;
    slice_drop(in);
    conn_fail(c, BRAID_CLOSE_RESOURCES, true);
}
