/* Data level, receiving: the queue of slices in order, which the user reads. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "mptcp/recv.h"

#define GATHER_MAX 8192u /* bytes; small pieces are put together in buffers up to this */

static struct slice *rcvq_at(const struct braid_conn *c, uint32_t i)
{
    return &c->rcvq[(c->rcvq_head + i) & (c->rcvq_cap - 1)];
}

static size_t ring_cost(uint32_t cap)
{
    return cap ? mem_cost(cap * sizeof(struct slice)) : 0;
}

static void ring_free(struct braid_conn *c)
{
    mem_give(&c->mem, ring_cost(c->rcvq_cap));
    free(c->rcvq);
    c->rcvq = NULL;
    c->rcvq_cap = c->rcvq_head = c->rcvq_kept = 0;
}

static bool rcvq_grow(struct braid_conn *c)
{
    uint32_t cap = c->rcvq_cap ? c->rcvq_cap * 2 : 8;
    struct slice *q = malloc(cap * sizeof(*q));
    if (!q)
        return false;
    mem_take(&c->mem, ring_cost(cap) - ring_cost(c->rcvq_cap));
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
    if (c->rcvq_n == 0) /* idle connections hold no memory */
        ring_free(c);
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

/* The end of what is in the slice's buffer is the end of the slice, and nobody else looks into it. */
static bool may_grow(const struct braid_conn *c, const struct slice *s)
{
    return s->buf && s->buf->refs == 1 && s->buf->account == &c->mem;
}

static uint32_t room_behind(const struct slice *s)
{
    return (uint32_t)(s->buf->data + s->buf->cap - (s->data + s->len));
}

/* Puts the bytes of s behind those of `to`, whose buffer becomes twice as large if need be: so a byte is
 * moved a few times at most. False: they stay apart. Takes over s. */
static bool gather(struct braid_conn *c, struct slice *to, struct slice *s)
{
    if (s->len > GATHER_MAX / 2 || !may_grow(c, to))
        return false;
    if (room_behind(to) < s->len) {
        uint32_t need = 2 * (to->len + s->len);
        struct buf *b = need <= GATHER_MAX ? buf_new(need, &c->mem) : NULL;
        if (!b)
            return false;
        memcpy(b->data, to->data, to->len);
        buf_unref(to->buf);
        *to = (struct slice){.buf = b, .data = b->data, .len = to->len};
    }
    memcpy(to->buf->data + (to->data - to->buf->data) + to->len, s->data, s->len);
    to->len += s->len;
    slice_drop(s);
    return true;
}

/* A peer's single bytes would cost fifty times as much each in a buffer of its own: small pieces are put
 * together. */
bool recvq_keep(struct braid_conn *c)
{
    uint32_t n = c->rcvq_n, kept = c->rcvq_kept;
    bool ok = true;
    for (uint32_t i = kept; i < n; i++) {
        struct slice *s = rcvq_at(c, i);
        if (ok && kept > 0 && gather(c, rcvq_at(c, kept - 1), s))
            continue;
        ok = ok && slice_keep(s, &c->mem) == 0;
        if (i != kept) {
            *rcvq_at(c, kept) = *s;
            *s = (struct slice){0};
        }
        kept++;
    }
    c->rcvq_kept = c->rcvq_n = kept;
    return ok;
}

bool recvq_has_room(const struct braid_conn *c, uint32_t len)
{
    return c->rcvq_kept == 0 || mem_room(&c->mem) >= buf_cost(len) + sizeof(struct slice);
}

void recvq_free(struct braid_conn *c)
{
    for (uint32_t i = 0; i < c->rcvq_n; i++)
        slice_drop(rcvq_at(c, i));
    ring_free(c);
    c->rcvq_n = 0;
}
