/* The queue that the user reads, and what waits behind gaps, as state: see recv_freeze.h. Slices that still
 * point into packets are written as those are: what is kept of a packet, and when, decides what it costs.
 * Where the search for a piece's place begins decides whether it is found (order.c). */
#include "mptcp/recv_freeze.h"

#include "base/buf_table.h"
#include "mptcp/conn.h"
#include "mptcp/order.h"

enum { COMMON = 1, QUEUE, GAPS };
enum { QUEUE_CAP = 1, QUEUE_KEPT, QUEUE_SLICE };
enum { GAP_PIECE = 1, GAP_TRICKLE };
enum { PIECE_DSN = 1, PIECE_SLICE, PIECE_HINTS };

#define CAP_MOST (1u << 24) /* slices */

static const struct braid_field fields[] = {BRAID_ANY(1, struct conn_recv, nxt),
                                            BRAID_ANY(2, struct conn_recv, edge),
                                            BRAID_ANY(3, struct conn_recv, user),
                                            BRAID_ANY(4, struct conn_recv, high),
                                            BRAID_NUMBER(5, struct conn_recv, rcvbuf, BRAID_MUCH),
                                            BRAID_ANY(6, struct conn_recv, tune_dsn),
                                            BRAID_TIME(7, struct conn_recv, tune_at),
                                            BRAID_ANY(8, struct conn_recv, fin_dsn),
                                            BRAID_BOOL(9, struct conn_recv, fin_known),
                                            BRAID_BOOL(10, struct conn_recv, fin_received),
                                            BRAID_BOOL(11, struct conn_recv, news),
                                            BRAID_BOOL(12, struct conn_recv, ack_fin),
                                            BRAID_BOOL(13, struct conn_recv, ack_all),
                                            BRAID_BOOL(14, struct conn_recv, discard),
                                            {0}};
static const struct braid_field trickle_fields[] = {BRAID_TIME(1, struct data_trickle, since),
                                                    BRAID_ANY(2, struct data_trickle, flow),
                                                    BRAID_ANY(3, struct data_trickle, n),
                                                    {0}};

static void freeze_queue(struct freezer *f, const struct recvq *q)
{
    size_t g = freeze_begin(f, QUEUE);
    freeze_number(f, QUEUE_CAP, q->cap);
    freeze_number(f, QUEUE_KEPT, q->kept);
    for (uint32_t i = 0; i < q->n; i++)
        freeze_slice(f, QUEUE_SLICE, &q->v[(q->head + i) & (q->cap - 1)]);
    freeze_end(f, g);
}

/* A bit for each of the hints that are this piece. */
static uint64_t hints_at(const struct data_gaps *gaps, const struct data_ooo *o)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < OOO_HINTS; i++)
        bits |= (uint64_t)(gaps->hints[i] == o) << i;
    return bits;
}

static void freeze_gaps(struct freezer *f, const struct data_gaps *gaps)
{
    size_t g = freeze_begin(f, GAPS), p;
    freeze_struct(f, GAP_TRICKLE, trickle_fields, &gaps->trickle);
    for (const struct list *n = gaps->pieces.next; n != &gaps->pieces; n = n->next) {
        const struct data_ooo *o = list_entry(n, struct data_ooo, node);
        p = freeze_begin(f, GAP_PIECE);
        freeze_number(f, PIECE_DSN, o->dsn);
        freeze_slice(f, PIECE_SLICE, &o->s);
        uint64_t hints = hints_at(gaps, o);
        if (hints)
            freeze_number(f, FREEZE_OPTIONAL + PIECE_HINTS, hints);
        freeze_end(f, p);
    }
    freeze_end(f, g);
}

void conn_freeze_recv(const struct braid_conn *c, struct freezer *f, unsigned tag)
{
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, COMMON, fields, &c->recv);
    if (c->recv.q)
        freeze_queue(f, c->recv.q);
    if (c->recv.ooo)
        freeze_gaps(f, c->recv.ooo);
    freeze_end(f, all);
}

static void reserve_queue(struct braid_conn *c, const struct thaw_item *i)
{
    uint32_t cap = (uint32_t)thaw_number(i, CAP_MOST);
    if (c->recv.q || cap == 0 || (cap & (cap - 1)))
        thaw_fail(i->all, THAW_WRONG);
    else if (!recvq_reserve(c, cap))
        thaw_fail(i->all, THAW_MEMORY);
}

static void take_slice(struct braid_conn *c, const struct thaw_item *i)
{
    struct recvq *q = c->recv.q;
    if (!q || q->n == q->cap) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    struct slice s = thaw_slice(i);
    if (s.buf) {
        q->v[q->n++] = s;
        c->recv.bytes += s.len;
    }
}

static void take_queue(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    uint32_t kept = 0;
    while (thaw_next(&t, &i)) {
        if (i.tag == QUEUE_CAP)
            reserve_queue(c, &i);
        else if (i.tag == QUEUE_KEPT)
            kept = (uint32_t)thaw_number(&i, CAP_MOST);
        else if (i.tag == QUEUE_SLICE)
            take_slice(c, &i);
        else
            thaw_unknown(&i);
    }
    if (!c->recv.q || c->recv.q->n == 0 || kept > c->recv.q->n)
        thaw_fail(group->all, THAW_WRONG);
    else
        c->recv.q->kept = kept;
}

/* Of the last piece, so far. A hint is one piece. */
static void take_hints(struct data_gaps *gaps, uint64_t bits, struct thawing *all)
{
    struct data_ooo *last = list_entry(gaps->pieces.prev, struct data_ooo, node);
    for (unsigned i = 0; i < OOO_HINTS; i++) {
        if (!(bits >> i & 1))
            continue;
        if (gaps->hints[i])
            thaw_fail(all, THAW_WRONG);
        gaps->hints[i] = last;
    }
}

static void take_piece(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct slice s = {0};
    uint64_t dsn = 0, hints = 0;
    while (thaw_next(&t, &i)) {
        if (i.tag == PIECE_DSN)
            dsn = thaw_number(&i, BRAID_MUCH);
        else if (i.tag == PIECE_SLICE && !s.buf)
            s = thaw_slice(&i);
        else if (i.tag == PIECE_HINTS)
            hints = thaw_number(&i, (1u << OOO_HINTS) - 1);
        else
            thaw_unknown(&i);
    }
    if (thaw_fine(group->all) && !s.buf)
        thaw_fail(group->all, THAW_WRONG);
    if (thaw_fine(group->all) && !conn_gaps_append(c, dsn, &s))
        thaw_fail(group->all, THAW_MEMORY);
    if (!thaw_fine(group->all))
        slice_drop(&s);
    else
        take_hints(c->recv.ooo, hints, group->all);
}

static void take_gaps(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    if (c->recv.ooo) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    if (!conn_gaps_begin(c)) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    while (thaw_next(&t, &i)) {
        if (i.tag == GAP_TRICKLE)
            thaw_struct(&i, trickle_fields, &c->recv.ooo->trickle);
        else if (i.tag == GAP_PIECE)
            take_piece(c, &i);
        else
            thaw_unknown(&i);
    }
    if (c->recv.ooo->n == 0)
        thaw_fail(group->all, THAW_WRONG);
    conn_gaps_settle(c);
}

void conn_thaw_recv(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        if (i.tag == COMMON)
            thaw_struct(&i, fields, &c->recv);
        else if (i.tag == QUEUE)
            take_queue(c, &i);
        else if (i.tag == GAPS)
            take_gaps(c, &i);
        else
            thaw_unknown(&i);
    }
}
