/* Data level, receiving: the queue of slices in order, which the user reads. */
#include <assert.h>
#include <stdlib.h>

#include "base/slice.h"
#include "mptcp/recv.h"

static struct slice *rcvq_at(const struct braid_conn *c, uint32_t i)
{
    return &c->rcvq[(c->rcvq_head + i) & (c->rcvq_cap - 1)];
}

static bool rcvq_grow(struct braid_conn *c)
{
    uint32_t cap = c->rcvq_cap ? c->rcvq_cap * 2 : 8;
    struct slice *q = malloc(cap * sizeof(*q));
    if (!q)
        return false;
    for (uint32_t i = 0; i < c->rcvq_n; i++)
        q[i] = *rcvq_at(c, i);
    free(c->rcvq);
    c->rcvq = q;
    c->rcvq_head = 0;
    c->rcvq_cap = cap;
    return true;
}

void recvq_append(struct braid_conn *c, struct slice *s)
{
    if (c->stop_reading) { /* nobody will read it: that is what an abort is for (RFC 9293 section 3.6.1) */
        slice_drop(s);
        conn_fail(c, BRAID_CLOSE_ABORTED, true);
        return;
    }
    if (c->rcvq_n == c->rcvq_cap && !rcvq_grow(c)) {
        slice_drop(s);
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
        return;
    }
    *rcvq_at(c, c->rcvq_n++) = *s;
    c->rcv_bytes += s->len;
    c->news = true;
}

unsigned braid_conn_peek(const struct braid_conn *c, struct iovec *iov, unsigned n)
{
    unsigned i = 0;
    for (; i < n && i < c->rcvq_n; i++) {
        const struct slice *s = rcvq_at(c, i);
        iov[i].iov_base = (void *)s->data;
        iov[i].iov_len = s->len;
    }
    return i;
}

void braid_conn_consume(struct braid_conn *c, size_t n)
{
    assert(n <= c->rcv_bytes);
    c->rcv_bytes -= n;
    c->rcv_user += n;
    while (n > 0) {
        struct slice *s = rcvq_at(c, 0);
        if (n < s->len) {
            slice_advance(s, (uint32_t)n);
            break;
        }
        n -= s->len;
        slice_drop(s);
        c->rcvq_head = (c->rcvq_head + 1) & (c->rcvq_cap - 1);
        c->rcvq_n--;
        if (c->rcvq_kept > 0)
            c->rcvq_kept--;
    }
    if (c->rcvq_n == 0) { /* idle connections hold no memory */
        free(c->rcvq);
        c->rcvq = NULL;
        c->rcvq_cap = c->rcvq_head = c->rcvq_kept = 0;
    }
    conn_dirty(c);
}

size_t braid_conn_readable(const struct braid_conn *c)
{
    return c->rcv_bytes;
}

bool braid_conn_eof(const struct braid_conn *c)
{
    return c->data_fin_received && c->rcv_bytes == 0;
}

bool recvq_keep(struct braid_conn *c)
{
    for (; c->rcvq_kept < c->rcvq_n; c->rcvq_kept++) {
        struct slice *s = rcvq_at(c, c->rcvq_kept);
        if (slice_keep(s, &c->mem) < 0)
            return false;
    }
    return true;
}

void recvq_free(struct braid_conn *c)
{
    for (uint32_t i = 0; i < c->rcvq_n; i++)
        slice_drop(rcvq_at(c, i));
    free(c->rcvq);
    c->rcvq = NULL;
    c->rcvq_n = c->rcvq_cap = 0;
}
