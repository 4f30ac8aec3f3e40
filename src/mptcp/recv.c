/* Data level, receiving: from subflow order to connection order to the user (RFC 8684 section 3.3.2
 * to 3.3.5). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/seq.h"
#include "base/slice.h"
#include "mptcp/conn.h"
#include "wire/checksum.h"

#define RCVBUF_LEAST (16u << 10)
#define OOO_SEARCH   512 /* pieces looked at from where a search begins */

void conn_recv_init(struct braid_conn *c, uint64_t idsn)
{
    c->data_rcv_nxt = c->rcv_start = c->rcv_user = c->rcv_high = c->tune_dsn = idsn + 1;
    c->data_rcv_edge = c->data_rcv_nxt + 65535; /* what the SYN or SYN/ACK advertised, unscaled */
    c->rcv_delta = idsn;                        /* offset 1 is DSN idsn + 1 */
}

/* ---- the queue of slices in order ------------------------------------------------------------------------
 */

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

/* Takes over the slice. */
static void rcvq_append(struct braid_conn *c, struct slice *s)
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

/* ---- connection order -------------------------------------------------------------------------------------
 */

static void ooo_remove(struct braid_conn *c, struct data_ooo *o)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->ooo_hint == o)
            s->ooo_hint = NULL;
    }
    c->ooo_bytes -= o->s.len;
    c->n_ooo--;
    mem_give(&c->mem, sizeof(*o));
    list_remove(&o->node);
    free(o);
}

static void check_data_fin(struct braid_conn *c)
{
    if (!c->data_fin_known || c->data_fin_received || c->data_rcv_nxt != c->data_fin_dsn)
        return;
    c->data_fin_received = true;
    c->data_rcv_nxt++;
    c->news = true;
    c->ack_all = true;
    conn_dirty(c);
}

void conn_data_fin(struct braid_conn *c, uint64_t dsn)
{
    if (c->data_fin_received) {
        c->ack_all = c->phase != CONN_DRAINING; /* our DATA_ACK was lost, or is repeated by our FINs */
        conn_dirty(c);
        return;
    }
    if (c->data_fin_known || seq64_before(dsn, c->data_rcv_nxt) ||
        seq64_before(c->data_rcv_edge + c->rcvbuf, dsn))
        return;
    c->data_fin_known = true;
    c->data_fin_dsn = dsn;
    check_data_fin(c);
}

/* Appends in-order bytes, and what waited behind them. Takes over the slice. */
static void deliver_in_order(struct braid_conn *c, struct slice *s)
{
    c->data_rcv_nxt += s->len;
    rcvq_append(c, s);
    while (!list_empty(&c->ooo)) {
        struct data_ooo *o = list_entry(c->ooo.next, struct data_ooo, node);
        if (seq64_before(c->data_rcv_nxt, o->dsn))
            break;
        uint64_t end = o->dsn + o->s.len;
        struct slice piece = o->s;
        if (seq64_before(c->data_rcv_nxt, end)) {
            uint32_t old = (uint32_t)(c->data_rcv_nxt - o->dsn);
            struct slice rest = slice_of(piece.buf, piece.data + old, piece.len - old);
            c->data_rcv_nxt = end;
            rcvq_append(c, &rest);
        }
        ooo_remove(c, o);
        slice_drop(&piece);
    }
    check_data_fin(c);
    conn_dirty(c);
}

static bool begins_after(const struct list *n, uint64_t dsn)
{
    return seq64_before(dsn, list_entry(n, struct data_ooo, node)->dsn);
}

/* From n on: the last queued piece that begins at or before dsn, or the list's head; NULL: it is far away. */
static struct list *search(struct braid_conn *c, struct list *n, uint64_t dsn)
{
    unsigned left = OOO_SEARCH;
    for (; n != &c->ooo && begins_after(n, dsn); n = n->prev)
        if (left-- == 0)
            return NULL;
    for (; n->next != &c->ooo && !begins_after(n->next, dsn); n = n->next)
        if (left-- == 0)
            return NULL;
    return n;
}

/* Where a piece belongs: behind what is returned. Pieces that come over one subflow have growing numbers, so
 * the search starts at the last one; else it is near an end. NULL: only who wants to make us search puts many
 * pieces there. */
static struct list *ooo_before(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn)
{
    struct list *n = s->ooo_hint ? search(c, &s->ooo_hint->node, dsn) : NULL;
    if (!n)
        n = search(c, c->ooo.prev, dsn);
    return n ? n : search(c, &c->ooo, dsn);
}

/* Keeps [dsn, dsn + len) of s, which overlaps nothing queued, behind `after` (NULL: in front). */
static struct data_ooo *ooo_insert(struct braid_conn *c, struct data_ooo *after, uint64_t dsn,
                                   const struct slice *s, uint32_t skip, uint32_t len)
{
    bool room = c->n_ooo < c->env->params.out_of_order && mem_room(&c->mem) > len + sizeof(struct data_ooo);
    struct data_ooo *o = room ? malloc(sizeof(*o)) : NULL;
    if (!o)
        goto short_of_memory;
    o->dsn = dsn;
    o->s = slice_of(s->buf, s->data + skip, len);
    if (slice_keep(&o->s, &c->mem) < 0) {
        slice_drop(&o->s);
        free(o);
        goto short_of_memory;
    }
    list_insert_after(after ? &after->node : &c->ooo, &o->node);
    c->ooo_bytes += len;
    c->n_ooo++;
    mem_take(&c->mem, sizeof(*o));
    return o;
short_of_memory:
    conn_count(c, MEM_REFUSED); /* not DATA_ACKed: the peer sends it again */
    return NULL;
}

/* Queues data that is ahead of data_rcv_nxt. The first copy of a byte wins. */
static void deliver_out_of_order(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn,
                                 const struct slice *in)
{
    uint64_t end = dsn + in->len, at = dsn;
    struct list *place = ooo_before(c, s, at);
    struct data_ooo *prev = place && place != &c->ooo ? list_entry(place, struct data_ooo, node) : NULL;
    if (!place) {
        conn_count(c, MEM_REFUSED); /* not DATA_ACKed: the peer sends it again */
        return;
    }
    conn_count(c, MP_OFO_QUEUE);
    while (seq64_before(at, end)) {
        if (prev && seq64_before(at, prev->dsn + prev->s.len))
            at = prev->dsn + prev->s.len;
        struct list *n = prev ? prev->node.next : c->ooo.next;
        struct data_ooo *next = n == &c->ooo ? NULL : list_entry(n, struct data_ooo, node);
        uint64_t stop = next && seq64_before(next->dsn, end) ? next->dsn : end;
        if (seq64_before(at, stop)) {
            prev = ooo_insert(c, prev, at, in, (uint32_t)(at - dsn), (uint32_t)(stop - at));
            if (!prev)
                return;
            s->ooo_hint = prev;
            at = stop;
        }
        if (next)
            prev = next;
        else
            break;
    }
}

/* Data with a known place. Takes over the slice. */
static void deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn, struct slice *in)
{
    uint64_t end = dsn + in->len;
    if (conn_is_mptcp(c) && seq64_before(c->data_rcv_edge, end)) { /* beyond what we ever offered */
        if (!seq64_before(dsn, c->data_rcv_edge)) {
            slice_drop(in);
            return;
        }
        end = c->data_rcv_edge;
        in->len = (uint32_t)(end - dsn);
    }
    if (c->data_fin_known && seq64_before(c->data_fin_dsn, end)) {
        if (!seq64_before(dsn, c->data_fin_dsn)) {
            slice_drop(in);
            return;
        }
        end = c->data_fin_dsn;
        in->len = (uint32_t)(end - dsn);
    }
    if (seq64_before(c->rcv_high, end))
        c->rcv_high = end;
    if (!seq64_before(c->data_rcv_nxt, end)) {
        conn_count(c, MP_DUPLICATE_DATA);
        slice_drop(in);
    } else if (seq64_before(c->data_rcv_nxt, dsn)) {
        deliver_out_of_order(c, s, dsn, in);
        slice_drop(in);
    } else {
        slice_advance(in, (uint32_t)(c->data_rcv_nxt - dsn));
        deliver_in_order(c, in);
    }
}

/* ---- subflow order ---- */

/* Ones-complement arithmetic has two zeros. */
static bool same_checksum(uint16_t a, uint16_t b)
{
    return a == b || (a == 0 && b == 0xffff) || (a == 0xffff && b == 0);
}

/* Delivers what is held back, from dsn on. */
static void deliver_held(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn)
{
    struct rxmap *r = &s->rxmap;
    uint32_t n = r->held_n;
    r->held_n = r->held_bytes = 0;
    r->held_sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = r->held[i].len;
        deliver(c, s, dsn, &r->held[i]);
        dsn += len;
    }
}

void conn_release_failed(struct mp_subflow *s)
{
    struct braid_conn *c = s->conn;
    c->rx_failed = false;
    deliver_held(c, s, s->fail_dsn);
}

/* Adds to what is held back. Takes over the slice. */
static void hold(struct braid_conn *c, struct mp_subflow *s, struct slice *in)
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
        r->held = h;
        r->held_cap = cap;
    }
    if (slice_keep(in, &c->mem) < 0 || mem_room(&c->mem) == 0) {
        slice_drop(in);
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
        return;
    }
    r->held_sum = checksum_add_at(r->held_sum, in->data, in->len, r->held_bytes);
    r->held_bytes += in->len;
    r->held[r->held_n++] = *in;
}

/* Holds payload of a checksummed mapping back until all of it is there. Takes over the slice. */
static void hold_mapped(struct braid_conn *c, struct mp_subflow *s, const struct rx_mapping *m,
                        struct slice *in)
{
    struct rxmap *r = &s->rxmap;
    hold(c, s, in);
    if (r->held_bytes < m->len || c->fail_due)
        return;
    bool right = same_checksum(checksum_dss(r->held_sum, m->dsn, (uint32_t)m->off, m->csum_len), m->csum);
    if (right || !conn_is_mptcp(c)) /* after falling back nobody would answer another MP_FAIL */
        deliver_held(c, s, m->dsn);
    else if (!conn_checksum_failed(s, m))
        rxmap_drop_held(r);
}

/* No mapping covers payload that is next in the subflow's order. True: it has a place now, go on. */
static bool unmapped(struct braid_conn *c, struct mp_subflow *s, uint64_t off)
{
    if (conn_is_mptcp(c)) {
        conn_count(c, MP_DSS_NO_MATCH_TCP);
        if (!conn_may_fall_back(c)) {
            flow_reset(s, MPTCP_RST_MIDDLEBOX);
            return false;
        }
        if (c->dss_proven) { /* it may be a data-level repetition with a new place: nobody can tell */
            conn_fail(c, BRAID_CLOSE_PROTOCOL, true);
            return false;
        }
        conn_count(c, MP_DSS_FALLBACK);
        conn_fall_back(c, true);
        /* Perhaps options pass the other way, and the peer waits for DATA_ACKs: it gets them until it has
         * heard from an MP_FAIL that it should fall back, too. */
        c->keep_data_acks = true;
        s->fail_due = true;
        s->fail_dsn = c->data_rcv_nxt;
        subflow_ack_soon(&s->tcp);
    } else if (c->rcv_linear_from != LINEAR_UNKNOWN) {
        return false; /* before the infinite mapping: sent again behind it */
    }
    c->rcv_delta = c->data_rcv_nxt - off;
    c->rcv_linear_from = off;
    return true;
}

void flow_data(struct subflow *sf, uint64_t off, struct slice in, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    (void)now;
    while (in.len > 0 && !s->reset_due && !c->fail_due) {
        if (c->rx_failed) {
            hold(c, s, &in);
            return;
        }
        if (!conn_is_mptcp(c) && off >= c->rcv_linear_from) {
            deliver(c, s, off + c->rcv_delta, &in);
            return;
        }
        struct rx_mapping *m = rxmap_find(&s->rxmap, off);
        if (!m && unmapped(c, s, off))
            continue;
        if (!m)
            break;
        uint64_t left = m->off + m->len - off;
        uint32_t n = in.len < left ? in.len : (uint32_t)left;
        struct slice part = slice_of(in.buf, in.data, n);
        if (m->has_csum)
            hold_mapped(c, s, m, &part);
        else
            deliver(c, s, m->dsn + (off - m->off), &part);
        slice_advance(&in, n);
        off += n;
    }
    slice_drop(&in);
}

/* ---- the window ---- */

/* How far the window may reach now, memory considered. */
static uint64_t window_goal(const struct braid_conn *c)
{
    const struct mem_account *all = &c->env->mem;
    size_t room = mem_room(all), share = room / 4 > RCVBUF_LEAST ? room / 4 : RCVBUF_LEAST;
    if (room < all->limit / 8)
        share = RCVBUF_LEAST; /* little memory left: trickle */
    return c->rcv_user + (c->rcvbuf < share ? c->rcvbuf : share);
}

uint64_t flow_window(struct subflow *sf)
{
    struct braid_conn *c = mp_subflow_of(sf)->conn;
    if (c->phase < CONN_ESTABLISHED || c->data_fin_received)
        return 65535; /* the SYN's window is not scaled; after the end of the data it does not matter */
    uint64_t goal = window_goal(c);
    uint64_t step = 2 * (uint64_t)sf->mss < c->rcvbuf / 2 ? 2 * sf->mss : c->rcvbuf / 2;
    bool closed = !seq64_before(c->data_rcv_nxt, c->data_rcv_edge);
    if (!seq64_before(goal, c->data_rcv_edge + step) || (closed && seq64_before(c->data_rcv_edge, goal)))
        c->data_rcv_edge = goal; /* in steps: RFC 9293 section 3.8.6.2.2, silly windows */
    uint64_t unit = (uint64_t)1 << sf->rcv_wscale;
    uint64_t wnd = seq64_before(c->data_rcv_nxt, c->data_rcv_edge) ? c->data_rcv_edge - c->data_rcv_nxt : 0;
    wnd = (wnd + unit - 1) & ~(unit - 1); /* rounded up, or truncation would move the edge back */
    if (wnd > 65535 * unit)
        wnd = 65535 * unit;
    if (seq64_before(c->data_rcv_edge, c->data_rcv_nxt + wnd))
        c->data_rcv_edge = c->data_rcv_nxt + wnd;
    return wnd;
}

/* The user has read half of the buffer within the longest round trip: with queues on the way in it the peer
 * may have had all of the window in flight. */
static bool reads_fast(struct braid_conn *c, braid_time now)
{
    if (now < c->tune_at)
        return false;
    int64_t rtt = BRAID_MS;
    list_each (n, tmp, &c->subflows) {
        const struct subflow *t = &list_entry(n, struct mp_subflow, node)->tcp;
        int64_t seen = t->rcv_rtt_us > 0 ? t->rcv_rtt_us : t->rtt.srtt_us;
        rtt = seen > rtt ? seen : rtt;
    }
    bool fast = c->rcv_user - c->tune_dsn >= c->rcvbuf / 2;
    c->tune_dsn = c->rcv_user;
    c->tune_at = now + rtt;
    return fast;
}

/* The peer has used the window nearly up although the user keeps up, as when a slow path holds up what came
 * over a fast one. */
static bool window_used(const struct braid_conn *c)
{
    uint64_t quarter = c->rcvbuf / 4;
    bool offered = c->data_rcv_edge - c->rcv_user >= 3 * quarter;
    bool used = !seq64_before(c->rcv_high + quarter, c->data_rcv_edge);
    return offered && used && c->rcv_bytes <= quarter / 4;
}

/* Doubles the buffer when the window may be what limits the stream. */
static void tune_rcvbuf(struct braid_conn *c, braid_time now)
{
    bool fast = reads_fast(c, now);
    if (fast || window_used(c))
        c->rcvbuf = 2 * c->rcvbuf < c->rcvbuf_max ? 2 * c->rcvbuf : c->rcvbuf_max;
}

void conn_recv_settle(struct braid_conn *c, braid_time now)
{
    for (; c->rcvq_kept < c->rcvq_n; c->rcvq_kept++) {
        struct slice *s = rcvq_at(c, c->rcvq_kept);
        if (slice_keep(s, &c->mem) < 0) {
            conn_fail(c, BRAID_CLOSE_RESOURCES, true);
            return;
        }
    }
    tune_rcvbuf(c, now);
}

void conn_recv_free(struct braid_conn *c)
{
    for (uint32_t i = 0; i < c->rcvq_n; i++)
        slice_drop(rcvq_at(c, i));
    free(c->rcvq);
    c->rcvq = NULL;
    c->rcvq_n = c->rcvq_cap = 0;
    while (!list_empty(&c->ooo)) {
        struct data_ooo *o = list_entry(c->ooo.next, struct data_ooo, node);
        slice_drop(&o->s);
        ooo_remove(c, o);
    }
}
