/* Data level, receiving: from what subflows bring to the order of the connection (RFC 8684 section 3.3.2
 * to 3.3.4). Of data that comes more than once the first copy counts (section 3.3.1). Numbers and amounts are
 * the peer's choice: pieces out of order are bounded in number, in memory and in the time that it takes to
 * find their place. */
#include "mptcp/order.h"

#include <stdlib.h>

#include "base/seq.h"
#include "base/slice.h"
#include "mptcp/conn.h"
#include "mptcp/data_window.h"
#include "mptcp/marks.h"
#include "mptcp/recvq.h"

#define PIECE_COST mem_cost(sizeof(struct data_ooo))
/* The hints are the core's to pay, as subflows are. */
#define GAPS_COST  mem_cost(offsetof(struct data_gaps, hints))
#define HINTS_COST sizeof(((struct data_gaps *)0)->hints)
#define OOO_SEARCH                                                                                           \
    512 /* pieces looked at from where a search begins; those without a gap between count as one */

/* The queue is made with the first gap and goes with the last. False: memory is short. */
bool conn_gaps_begin(struct braid_conn *c)
{
    struct data_gaps *g = c->recv.ooo;
    if (g)
        return true;
    g = c->recv.ooo = calloc(1, sizeof(*g));
    if (!g)
        return false;
    mem_take(&c->mem, GAPS_COST);
    mem_take(&c->env->mem, HINTS_COST);
    list_init(&g->pieces);
    return true;
}

/* There are none any more, perhaps. */
void conn_gaps_settle(struct braid_conn *c)
{
    if (!c->recv.ooo || c->recv.ooo->n > 0)
        return;
    mem_give(&c->mem, GAPS_COST);
    mem_give(&c->env->mem, HINTS_COST);
    free(c->recv.ooo);
    c->recv.ooo = NULL;
}

static struct data_ooo *ooo_of(struct list *n)
{
    return list_entry(n, struct data_ooo, node);
}

/* Does b, which stands behind a, begin where a ends? The queue's head is no piece. */
static bool ooo_touch(struct braid_conn *c, struct list *a, struct list *b)
{
    struct list *head = &c->recv.ooo->pieces;
    return a != head && b != head && ooo_of(a)->dsn + ooo_of(a)->s.len == ooo_of(b)->dsn;
}

/* Two ends of a run. */
static void ooo_tie(struct data_ooo *first, struct data_ooo *last)
{
    first->other = last;
    last->other = first;
}

/* Takes the first piece out of the queue and frees it, but not what its slice holds: that is the caller's. No
 * search begins there any more. */
static void ooo_remove_first(struct braid_conn *c)
{
    struct data_gaps *g = c->recv.ooo;
    struct data_ooo *o = ooo_of(g->pieces.next);
    if (o->other != o)
        ooo_tie(ooo_of(o->node.next), o->other);
    for (unsigned i = 0; i < OOO_HINTS; i++)
        if (g->hints[i] == o)
            g->hints[i] = NULL;
    g->bytes -= o->s.len;
    g->n--;
    mem_give(&c->mem, PIECE_COST);
    list_remove(&o->node);
    free(o);
    conn_gaps_settle(c);
}

/* The DATA_FIN takes one number (section 3.3.3). As any data it is acknowledged once, over a subflow that was
 * heard just now: peers send it over all of them, and expect one DATA_ACK. */
static void check_data_fin(struct braid_conn *c)
{
    if (!c->recv.fin_known || c->recv.fin_received || c->recv.nxt != c->recv.fin_dsn)
        return;
    c->recv.fin_received = true;
    c->deadlines.gone = BRAID_NEVER; /* nothing more has to come */
    c->recv.nxt++;
    c->recv.news = true;
    c->recv.ack_fin = true;
    conn_dirty(c);
}

void conn_data_fin(struct braid_conn *c, uint64_t dsn, bool again)
{
    if (c->recv.fin_received) {
        /* our DATA_ACK was lost, and nobody knows which subflow still reaches the peer */
        c->recv.ack_all |= again;
        conn_dirty(c);
        return;
    }
    /* The first one counts. One inside of what was delivered, or far beyond what we offered, is nonsense. */
    if (c->recv.fin_known || seq64_before(dsn, c->recv.nxt) ||
        seq64_before(c->recv.edge + c->recv.rcvbuf, dsn))
        return;
    c->recv.fin_known = true;
    c->recv.fin_dsn = dsn;
    check_data_fin(c);
}

/* Appends in-order bytes, and what waited behind them. Takes over the slice. */
static void deliver_in_order(struct braid_conn *c, struct slice *s)
{
    c->recv.nxt += s->len;
    recvq_append(c, s);
    while (c->recv.ooo) {
        struct data_ooo *o = ooo_of(c->recv.ooo->pieces.next);
        if (seq64_before(c->recv.nxt, o->dsn))
            break;
        uint64_t end = o->dsn + o->s.len;
        struct slice piece = o->s;
        /* Pieces may overlap what came in order; of theirs only the rest is news. */
        if (seq64_before(c->recv.nxt, end)) {
            uint32_t old = (uint32_t)(c->recv.nxt - o->dsn);
            struct slice rest = slice_of(piece.buf, piece.data + old, piece.len - old);
            c->recv.nxt = end;
            recvq_append(c, &rest);
        }
        ooo_remove_first(c);
        slice_drop(&piece);
    }
    check_data_fin(c);
    conn_dirty(c);
}

/* of a queued piece: n is its node, not the list's head */
static bool begins_after(struct list *n, uint64_t dsn)
{
    return seq64_before(dsn, ooo_of(n)->dsn);
}

/* Is n the last piece of a run? Then its first one is known. */
static bool ends_run(struct braid_conn *c, struct list *n)
{
    return !ooo_touch(c, n, n->next);
}

/* From n on, back and then forth: a queued piece that begins at or before dsn, and that no other one does
 * which stands behind it, or the last one of a run that dsn lies in; or the list's head. NULL: it is further
 * away than OOO_SEARCH steps, of which each passes a run where it begins at its end. */
static struct list *search(struct braid_conn *c, struct list *n, uint64_t dsn)
{
    struct list *head = &c->recv.ooo->pieces;
    unsigned left = OOO_SEARCH;
    while (n != head && begins_after(n, dsn)) {
        if (left-- == 0)
            return NULL;
        struct list *first = ends_run(c, n) ? &ooo_of(n)->other->node : n;
        if (first != n && !begins_after(first, dsn))
            return n;
        n = first->prev;
    }
    while (n->next != head && !begins_after(n->next, dsn)) {
        if (left-- == 0)
            return NULL;
        n = ooo_touch(c, n, n->next) ? n->next : &ooo_of(n->next)->other->node;
    }
    return n;
}

/* Two subflows that share a place mislead each other, which costs time alone. */
static struct data_ooo **hint_of(struct braid_conn *c, const struct mp_subflow *s)
{
    return &c->recv.ooo->hints[s->id % OOO_HINTS];
}

/* Where a piece belongs: behind what is returned. Pieces that come over one subflow have growing numbers, so
 * the search starts at the last one; else it is near an end. NULL: only who wants to make us search puts many
 * pieces there. */
static struct list *ooo_before(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn)
{
    struct data_ooo *hint = *hint_of(c, s);
    struct list *n = hint ? search(c, &hint->node, dsn) : NULL;
    if (!n)
        n = search(c, c->recv.ooo->pieces.prev, dsn);
    return n ? n : search(c, &c->recv.ooo->pieces, dsn);
}

/* Of a new piece: what touches it on either side is an end of a run, since there was a gap. */
static void ooo_join(struct braid_conn *c, struct data_ooo *o)
{
    struct data_ooo *first = o, *last = o;
    if (ooo_touch(c, o->node.prev, &o->node))
        first = ooo_of(o->node.prev)->other;
    if (ooo_touch(c, &o->node, o->node.next))
        last = ooo_of(o->node.next)->other;
    ooo_tie(first, last);
}

bool conn_gaps_append(struct braid_conn *c, uint64_t dsn, const struct slice *s)
{
    struct data_gaps *g = c->recv.ooo;
    struct data_ooo *o = malloc(sizeof(*o));
    if (!o)
        return false;
    *o = (struct data_ooo){.dsn = dsn, .s = *s};
    mem_take(&c->mem, PIECE_COST);
    list_append(&g->pieces, &o->node);
    ooo_join(c, o);
    g->bytes += s->len;
    g->n++;
    return true;
}

/* Keeps [dsn, dsn + len) of s, from its byte `skip` on, which overlaps nothing queued, behind `after` (NULL:
 * in front). What it keeps is charged to the connection. NULL: there are too many, or memory is short. */
static struct data_ooo *ooo_insert(struct braid_conn *c, struct data_ooo *after, uint64_t dsn,
                                   const struct slice *s, uint32_t skip, uint32_t len)
{
    struct slice piece = slice_of(s->buf, s->data + skip, len);
    bool room = c->recv.ooo->n < c->env->params.out_of_order &&
                mem_room(&c->mem) >= slice_keep_cost(&piece) + PIECE_COST;
    struct data_ooo *o = room ? malloc(sizeof(*o)) : NULL;
    if (!o || slice_keep(&piece, &c->mem) < 0) {
        slice_drop(&piece);
        free(o);
        goto short_of_memory;
    }
    o->dsn = dsn;
    o->s = piece;
    list_insert_after(after ? &after->node : &c->recv.ooo->pieces, &o->node);
    ooo_join(c, o);
    c->recv.ooo->bytes += len;
    c->recv.ooo->n++;
    mem_take(&c->mem, PIECE_COST);
    return o;
short_of_memory:
    conn_count(c, MEM_REFUSED); /* not DATA_ACKed: the peer sends it again */
    return NULL;
}

/* Queues data that is ahead of recv.nxt. The first copy of a byte wins: `at` walks over the new data, and
 * each turn puts what lies in one gap, up to the next queued piece, behind `prev`. */
static void deliver_out_of_order(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn,
                                 const struct slice *in)
{
    uint64_t end = dsn + in->len, at = dsn;
    struct list *head = &c->recv.ooo->pieces, *place = ooo_before(c, s, at);
    struct data_ooo *prev = place && place != head ? list_entry(place, struct data_ooo, node) : NULL;
    if (!place) {
        conn_count(c, MEM_REFUSED); /* not DATA_ACKed: the peer sends it again */
        return;
    }
    conn_count(c, MP_OFO_QUEUE);
    while (seq64_before(at, end)) {
        /* what prev has is there already */
        if (prev && seq64_before(at, prev->dsn + prev->s.len))
            at = prev->dsn + prev->s.len;
        struct list *n = prev ? prev->node.next : head->next;
        struct data_ooo *next = n == head ? NULL : list_entry(n, struct data_ooo, node);
        uint64_t stop = next && seq64_before(next->dsn, end) ? next->dsn : end;
        if (seq64_before(at, stop)) {
            prev = ooo_insert(c, prev, at, in, (uint32_t)(at - dsn), (uint32_t)(stop - at));
            if (!prev)
                return;
            /* what comes next over this subflow belongs behind it */
            *hint_of(c, s) = prev;
            at = stop;
        }
        if (next)
            prev = next;
        else
            break;
    }
}

/* Cuts off what no peer may send, then tells the three cases apart: all of it is old, a gap is in front of
 * it, or it is next. Plain TCP has no window of the connection: its subflow has checked its own. */
void recv_deliver(struct braid_conn *c, struct mp_subflow *s, uint64_t dsn, struct slice *in)
{
    uint64_t end = dsn + in->len;
    if (conn_is_mptcp(c) && seq64_before(c->recv.edge, end))
        conn_window_stretch(c, end);
    if (conn_is_mptcp(c) && seq64_before(c->recv.edge, end)) { /* beyond all that we might have offered */
        if (!seq64_before(dsn, c->recv.edge)) {
            slice_drop(in);
            return;
        }
        end = c->recv.edge;
        in->len = (uint32_t)(end - dsn);
    }
    /* behind the end there is no data */
    if (c->recv.fin_known && seq64_before(c->recv.fin_dsn, end)) {
        if (!seq64_before(dsn, c->recv.fin_dsn)) {
            slice_drop(in);
            return;
        }
        end = c->recv.fin_dsn;
        in->len = (uint32_t)(end - dsn);
    }
    /* for data_window.c: how much of the window the peer uses */
    if (seq64_before(c->recv.high, end))
        c->recv.high = end;
    bool next = !seq64_before(c->recv.nxt, dsn);
    if (!seq64_before(c->recv.nxt, end)) {
        conn_count(c, MP_DUPLICATE_DATA);
        slice_drop(in);
        return;
    }
    if (c->recv.ooo)
        trickle_note(s, next, s->tcp.activity.last_recv);
    if (!next) {
        if (conn_gaps_begin(c))
            deliver_out_of_order(c, s, dsn, in);
        else
            conn_count(c, MEM_REFUSED); /* not DATA_ACKed: the peer sends it again */
        conn_gaps_settle(c);
        slice_drop(in);
    } else {
        slice_advance(in, (uint32_t)(c->recv.nxt - dsn));
        deliver_in_order(c, in);
    }
}

void recv_order_free(struct braid_conn *c)
{
    while (c->recv.ooo) {
        slice_drop(&ooo_of(c->recv.ooo->pieces.next)->s);
        ooo_remove_first(c);
    }
}
