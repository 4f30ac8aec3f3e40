/* Payload of a subflow that waits for its checksum (RFC 8684 section 3.3.1), or, after a wrong one, for the
 * peer to fall back (section 3.7). The subflow has acknowledged it, so the peer will not send it there again:
 * what cannot be held for want of memory ends the connection. */
#include "mptcp/held.h"

#include <stdlib.h>

#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/marks.h"
#include "mptcp/order.h"
#include "wire/checksum.h"

void held_deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn)
{
    struct rxmap *r = &s->rxmap;
    uint32_t n = r->held_n;
    r->held_n = r->held_bytes = 0;
    r->held_sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = r->held[i].len;
        recv_deliver(c, s, dsn, &r->held[i]);
        dsn += len;
    }
}

void held_add(struct braid_conn *c, struct mp_subflow *s, struct slice *in)
{
    struct rxmap *r = &s->rxmap;
    if (r->held_n == r->held_cap) {
        uint32_t cap = r->held_cap ? r->held_cap * 2 : 4;
        struct slice *h = realloc(r->held, cap * sizeof(*h));
        if (!h) {
            slice_drop(in);
            conn_fail(c, BRAID_CLOSE_RESOURCES, true);
            return;
        }
        /* given back by rxmap_free */
        mem_take(&c->mem, (cap - r->held_cap) * sizeof(*h));
        r->held = h;
        r->held_cap = cap;
    }
    if (slice_keep(in, &c->mem) < 0 || mem_room(&c->mem) == 0) {
        slice_drop(in);
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
        return;
    }
    /* Where the piece lies in the mapping matters: at odd offsets the halves of its 16-bit words change
     * places. */
    r->held_sum = checksum_add_at(r->held_sum, in->data, in->len, r->held_bytes);
    r->held_bytes += in->len;
    r->held[r->held_n++] = *in;
}
