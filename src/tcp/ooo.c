/* The out-of-order queue: see ooo.h. */
#include "tcp/ooo.h"

#include <assert.h>
#include <stdlib.h>

#include "base/slice.h"
#include "tcp/internal.h"
#include "tcp/sack_blocks.h"

/* With TCP_OOO_MAX pieces a hostile peer could otherwise have thousands of them passed for each byte it
 * sends. */
#define OOO_SEARCH 256 /* pieces looked at from each end of the queue */
#define OOO_COST   mem_cost(sizeof(struct tcp_piece))

static void ooo_drop(struct subflow *sf, struct tcp_piece *o)
{
    list_remove(&o->node);
    sf->ooo->bytes -= o->s.len;
    sf->ooo->n--;
    slice_drop(&o->s);
    mem_give(sf->account, OOO_COST);
    free(o);
}

bool tcp_ooo_append(struct subflow *sf, uint64_t off, const struct slice *s)
{
    struct tcp_piece *o = malloc(sizeof(*o));

    if (!o)
        return false;
    *o = (struct tcp_piece){.off = off, .s = *s};
    list_append(&sf->ooo->pieces, &o->node);
    sf->ooo->bytes += s->len;
    sf->ooo->n++;
    mem_take(sf->account, OOO_COST);
    return true;
}

/* The last piece that begins at or before off, or the list's head. NULL: it is far from both ends, where only
 * who wants to make us search puts many pieces; what is dropped there is sent again when it is nearer. */
static struct list *ooo_before(struct subflow *sf, uint64_t off)
{
    struct list *pos = sf->ooo->pieces.prev;

    for (unsigned i = 0; i < OOO_SEARCH; i++, pos = pos->prev)
        if (pos == &sf->ooo->pieces || tcp_piece_of(pos)->off <= off)
            return pos;
    pos = &sf->ooo->pieces;
    for (unsigned i = 0; i < OOO_SEARCH; i++, pos = pos->next)
        if (tcp_piece_of(pos->next)->off > off)
            return pos;
    return NULL;
}

/* Makes room for [*off, *off + s->len) behind pos: cuts what is there already off the new piece, drops pieces
 * that it covers. False: nothing new is left of it. */
static bool ooo_trim(struct subflow *sf, struct list *pos, uint64_t *off, struct slice *s)
{
    uint64_t start = *off, end = start + s->len;

    if (pos != &sf->ooo->pieces && tcp_piece_end(tcp_piece_of(pos)) > start) {
        uint64_t have = tcp_piece_end(tcp_piece_of(pos));

        sack_note_duplicate(sf, start, min_u64(have, end));
        if (have >= end)
            return false;
        slice_advance(s, (uint32_t)(have - start));
        *off = start = have;
    }
    for (struct list *next = pos->next; next != &sf->ooo->pieces && tcp_piece_of(next)->off < end;
         next = pos->next) {
        struct tcp_piece *o = tcp_piece_of(next);

        sack_note_duplicate(sf, o->off, min_u64(tcp_piece_end(o), end));
        if (tcp_piece_end(o) > end) {
            s->len = (uint32_t)(o->off - start);
            break;
        }
        ooo_drop(sf, o);
    }
    return s->len > 0;
}

/* Charged to the connection, bounded in number: a peer may send single bytes with holes between. What is
 * dropped here was not acknowledged and will come again. */
static bool ooo_store(struct subflow *sf, struct list *pos, uint64_t off, struct slice *s)
{
    struct tcp_piece *o = NULL;

    if (sf->ooo->n < TCP_OOO_MAX && mem_room(sf->account) >= slice_keep_cost(s) + OOO_COST)
        o = malloc(sizeof(*o));
    if (!o || slice_keep(s, sf->account) < 0) {
        free(o);
        tcp_count(sf, COUNT_TCP_OFO_DROP, 1);
        return false;
    }
    *o = (struct tcp_piece){.off = off, .s = *s};
    mem_take(sf->account, OOO_COST);
    list_insert_after(pos, &o->node);
    sf->ooo->bytes += s->len;
    sf->ooo->n++;
    tcp_count(sf, COUNT_TCP_OFO_QUEUE, 1);
    return true;
}

/* The block that is reported is the whole segment, whatever of it was here already (RFC 2018 section 4). */
void tcp_ooo_insert(struct subflow *sf, uint64_t off, struct slice s)
{
    uint64_t start = off, end = off + s.len;
    struct list *pos = tcp_disorder_reserve(sf) ? ooo_before(sf, off) : NULL;

    sf->ack.now = true;
    if (!pos) {
        tcp_count(sf, COUNT_TCP_OFO_DROP, 1);
        slice_drop(&s);
        return;
    }
    bool fresh = ooo_trim(sf, pos, &off, &s);
    if (fresh && !ooo_store(sf, pos, off, &s)) {
        slice_drop(&s);
        return;
    }
    if (!fresh)
        slice_drop(&s);
    sack_note(sf, start, end);
}

bool tcp_ooo_take(struct subflow *sf, uint64_t *off, struct slice *s)
{
    struct list *first = sf->ooo->pieces.next;

    if (first == &sf->ooo->pieces || tcp_piece_of(first)->off > sf->rcv.nxt)
        return false;
    *off = tcp_piece_of(first)->off;
    *s = tcp_piece_of(first)->s;
    tcp_piece_of(first)->s.buf = NULL; /* the reference moves to s */
    ooo_drop(sf, tcp_piece_of(first));
    return true;
}

void tcp_ooo_clear(struct subflow *sf)
{
    list_each (pos, tmp, &sf->ooo->pieces)
        ooo_drop(sf, tcp_piece_of(pos));
    /* Only then may it be written to (disorder.h). */
    if (sack_pending(sf))
        sf->ooo->dsack = (struct range){0, 0};
    tcp_disorder_rest(sf);
}

/* Pieces are in order, do not overlap, and do not touch rcv.nxt; there are blocks exactly if there are
 * pieces. */
void tcp_ooo_check(const struct subflow *sf)
{
    uint64_t at = sf->rcv.nxt, bytes = 0;
    uint32_t n = 0;

    for (struct list *pos = sf->ooo->pieces.next; pos != &sf->ooo->pieces; pos = pos->next, n++) {
        const struct tcp_piece *o = tcp_piece_of(pos);

        assert(o->s.len > 0 && o->off >= at);
        assert(n > 0 || o->off > sf->rcv.nxt);
        at = tcp_piece_end(o);
        bytes += o->s.len;
    }
    assert(at <= max_u64(sf->rcv.adv, sf->rcv.nxt));
    assert(n == sf->ooo->n && bytes == sf->ooo->bytes && n <= TCP_OOO_MAX);
    assert((sf->ooo->n_sacks == 0) == (n == 0));
    for (unsigned i = 0; i < sf->ooo->n_sacks; i++)
        assert(sf->ooo->sacks[i].start > sf->rcv.nxt && sf->ooo->sacks[i].start < sf->ooo->sacks[i].end);
}
