/* Data level, receiving: the queue of slices in order, which the user reads (RFC 8684 section 3.3.4). Until
 * the user was called, a slice points into the packet that it came in, so that who keeps up reads without a
 * copy; what is left then is kept in memory of the connection's own. */
#include "mptcp/recvq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/marks.h"
#include "mptcp/tapped.h"

/* Bytes of the buffers in which small pieces are put together. In larger ones the header weighs little, and
 * doubling them would copy much. */
#define GATHER_MAX 8192u

/* The i-th slice from the oldest on; cap is a power of two. */
static struct slice *rcvq_at(struct recvq *q, uint32_t i)
{
    return &q->v[(q->head + i) & (q->cap - 1)];
}

/* What a ring of so many slices is charged, apart from what the slices hold. */
static size_t ring_cost(uint32_t cap)
{
    return cap ? mem_cost(sizeof(struct recvq) + cap * sizeof(struct slice)) : 0;
}

static void ring_free(struct braid_conn *c)
{
    mem_give(&c->mem, ring_cost(c->recv.q->cap));
    free(c->recv.q);
    c->recv.q = NULL;
}

/* Twice the ring, or the first one. False: memory is short, and the old one is as it was. */
static bool rcvq_grow(struct braid_conn *c)
{
    struct recvq *old = c->recv.q;
    /* doubled, so that appending costs the same however long the queue */
    uint32_t before = old ? old->cap : 0, cap = old ? old->cap * 2 : 8;
    struct recvq *q = malloc(sizeof(*q) + cap * sizeof(q->v[0]));
    if (!q)
        return false;
    mem_take(&c->mem, ring_cost(cap) - ring_cost(before));
    *q = (struct recvq){.cap = cap, .n = old ? old->n : 0, .kept = old ? old->kept : 0};
    for (uint32_t i = 0; i < q->n; i++)
        q->v[i] = *rcvq_at(old, i);
    free(old);
    c->recv.q = q;
    return true;
}

bool recvq_reserve(struct braid_conn *c, uint32_t cap)
{
    struct recvq *q = malloc(sizeof(*q) + cap * sizeof(q->v[0]));
    if (!q)
        return false;
    mem_take(&c->mem, ring_cost(cap));
    *q = (struct recvq){.cap = cap};
    c->recv.q = q;
    return true;
}

void recvq_append(struct braid_conn *c, struct slice *s)
{
    if (c->recv.discard) { /* nobody will read it: that is what an abort is for (RFC 9293 section 3.6.1) */
        slice_drop(s);
        conn_fail(c, BRAID_CLOSE_ABORTED, true);
        return;
    }
    /* recv.nxt has gone past these bytes: the next DATA_ACK would say that they are here */
    if ((!c->recv.q || c->recv.q->n == c->recv.q->cap) && !rcvq_grow(c)) {
        slice_drop(s);
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
        return;
    }
    *rcvq_at(c->recv.q, c->recv.q->n++) = *s;
    c->recv.bytes += s->len;
    c->recv.news = true;
}

unsigned braid_conn_peek(const struct braid_conn *c, struct iovec *iov, unsigned n)
{
    unsigned i = 0;
    for (; c->recv.q && i < n && i < c->recv.q->n; i++) {
        const struct slice *s = rcvq_at(c->recv.q, i);
        iov[i].iov_base = (void *)s->data;
        iov[i].iov_len = s->len;
    }
    return i;
}

/* The first slice is gone. */
static void rcvq_shift(struct recvq *q)
{
    q->head = (q->head + 1) & (q->cap - 1);
    q->n--;
    /* slices that own their memory come before those that do not */
    if (q->kept > 0)
        q->kept--;
}

/* The user has read n bytes, and the queue is without them. */
static void has_read(struct braid_conn *c, size_t n)
{
    c->recv.bytes -= n;
    c->recv.user += n;
    if (c->recv.q && c->recv.q->n == 0) /* idle connections hold no memory */
        ring_free(c);
    /* the window may open (flow_window), and an end that waited for the reading goes on */
    conn_dirty(c);
}

/* The slices' references go as the user is through with them: what came in a packet frees its buffer here. */
void braid_conn_consume(struct braid_conn *c, size_t n)
{
    size_t left = n;
    assert(n <= c->recv.bytes);
    conn_tap(c, BRAID_TAP_CONSUME, 0, n);
    while (left > 0) {
        struct slice *s = rcvq_at(c->recv.q, 0);
        if (left < s->len) {
            slice_advance(s, (uint32_t)left);
            break;
        }
        left -= s->len;
        slice_drop(s);
        rcvq_shift(c->recv.q);
    }
    has_read(c, n);
}

const struct slice *recvq_first(const struct braid_conn *c)
{
    return c->recv.q ? rcvq_at(c->recv.q, 0) : NULL;
}

void recvq_take_first(struct braid_conn *c)
{
    uint32_t len = rcvq_at(c->recv.q, 0)->len;
    conn_tap(c, BRAID_TAP_TAKE_FIRST, 0, len);
    rcvq_shift(c->recv.q);
    has_read(c, len);
}

size_t braid_conn_readable(const struct braid_conn *c)
{
    return c->recv.bytes;
}

bool braid_conn_eof(const struct braid_conn *c)
{
    return c->recv.fin_received && c->recv.bytes == 0;
}

/* May bytes be put behind s? In a buffer that is the connection's own, and that nobody else looks into. */
static bool may_grow(const struct braid_conn *c, const struct slice *s)
{
    return s->buf && s->buf->refs == 1 && s->buf->account == &c->mem;
}

/* Bytes of the buffer that lie behind the slice's end. */
static uint32_t room_behind(const struct slice *s)
{
    return (uint32_t)(s->buf->data + s->buf->cap - (s->data + s->len));
}

/* Puts the bytes of s behind those of `to`, whose buffer becomes twice as large if need be: so a byte is
 * moved a few times at most. False: they stay apart. Takes over s. */
static bool gather(struct braid_conn *c, struct slice *to, struct slice *s)
{
    /* larger ones use the better part of a buffer anyway */
    if (s->len > GATHER_MAX / 2 || !may_grow(c, to))
        return false;
    if (room_behind(to) < s->len) {
        uint32_t need = 2 * (to->len + s->len);
        bool fits = need <= GATHER_MAX && mem_room(&c->mem) >= buf_cost(need);
        struct buf *b = fits ? buf_new(need, &c->mem) : NULL;
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
 * together. Those that own their memory already stay in front, and the ring closes up behind what was
 * gathered. If memory runs short, the rest stays as it came, and the caller ends the connection. */
bool recvq_keep(struct braid_conn *c)
{
    struct recvq *q = c->recv.q;
    uint32_t n = q ? q->n : 0, kept = q ? q->kept : 0;
    bool ok = true;
    for (uint32_t i = kept; i < n; i++) {
        struct slice *s = rcvq_at(q, i);
        if (ok && kept > 0 && gather(c, rcvq_at(q, kept - 1), s))
            continue;
        ok = ok && slice_keep(s, &c->mem) == 0;
        if (i != kept) {
            *rcvq_at(q, kept) = *s;
            *s = (struct slice){0};
        }
        kept++;
    }
    if (q)
        q->kept = q->n = kept;
    return ok;
}

/* Asked before a segment is taken (flow_segment), since afterwards its bytes are acknowledged. */
bool recvq_has_room(const struct braid_conn *c, uint32_t len)
{
    const struct recvq *q = c->recv.q;
    /* the user has read all that it was given before */
    if (!q || q->kept == 0)
        return true;
    /* a buffer for it, and a larger ring if this one is full */
    size_t ring = q->n == q->cap ? ring_cost(2 * q->cap) - ring_cost(q->cap) : 0;
    return mem_room(&c->mem) >= buf_cost(len) + ring;
}

void recvq_free(struct braid_conn *c)
{
    if (!c->recv.q)
        return;
    for (uint32_t i = 0; i < c->recv.q->n; i++)
        slice_drop(rcvq_at(c->recv.q, i));
    ring_free(c);
}
