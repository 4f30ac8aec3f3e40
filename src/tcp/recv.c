/* The receiving side: order, the out-of-order queue, SACK and DSACK blocks, delayed ACKs. */
#include "tcp/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/slice.h"

#define OOO_SEARCH 256 /* pieces looked at from each end of the queue */

/* An out-of-order piece. Pieces do not overlap; neighbours are not merged. */
struct ooo {
    struct list node;
    uint64_t off;
    struct slice s;
};

#define OOO_COST mem_cost(sizeof(struct ooo))

static struct ooo *ooo_of(struct list *node)
{
    return list_entry(node, struct ooo, node);
}

static uint64_t ooo_end(const struct ooo *o)
{
    return o->off + o->s.len;
}

static void ooo_drop(struct subflow *sf, struct ooo *o)
{
    list_remove(&o->node);
    sf->ooo.bytes -= o->s.len;
    sf->ooo.n--;
    slice_drop(&o->s);
    mem_give(sf->account, OOO_COST);
    free(o);
}

void tcp_note_duplicate(struct subflow *sf, uint64_t start, uint64_t end)
{
    sf->ack.now = true;
    if (sf->syn.sack_ok && start < end)
        sf->ooo.dsack = (struct range){start, end};
}

/* ---- SACK blocks, RFC 2018 section 4 ---- */

/* [start, end) is the latest news: its block comes first, with those it touches merged in. */
static void sack_note(struct subflow *sf, uint64_t start, uint64_t end)
{
    struct range first = {start, end};
    unsigned n = 0;
    struct range kept[TCP_SACK_MAX];

    for (unsigned i = 0; i < sf->ooo.n_sacks; i++) {
        struct range r = sf->ooo.sacks[i];

        if (r.start <= first.end && first.start <= r.end) {
            first.start = min_u64(first.start, r.start);
            first.end = max_u64(first.end, r.end);
        } else {
            kept[n++] = r;
        }
    }
    sf->ooo.sacks[0] = first;
    sf->ooo.n_sacks = 1;
    for (unsigned i = 0; i < n && sf->ooo.n_sacks < TCP_SACK_MAX; i++)
        sf->ooo.sacks[sf->ooo.n_sacks++] = kept[i];
}

/* Blocks that were pushed out of the list come back when it has become empty. */
static void sack_rebuild(struct subflow *sf)
{
    struct range block = {0, 0};

    list_each (pos, tmp, &sf->ooo.pieces) {
        struct ooo *o = ooo_of(pos);

        if (block.end != o->off) {
            if (sf->ooo.n_sacks == TCP_SACK_MAX)
                return;
            block.start = o->off;
            sf->ooo.n_sacks++;
        }
        block.end = ooo_end(o);
        sf->ooo.sacks[sf->ooo.n_sacks - 1] = block;
    }
}

/* rcv.nxt has moved. */
static void sack_prune(struct subflow *sf)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sf->ooo.n_sacks; i++)
        if (sf->ooo.sacks[i].start > sf->rcv.nxt)
            sf->ooo.sacks[n++] = sf->ooo.sacks[i];
    sf->ooo.n_sacks = n;
    if (n == 0 && sf->ooo.n > 0)
        sack_rebuild(sf);
}

static struct wire_sack on_wire(const struct subflow *sf, struct range r)
{
    return (struct wire_sack){sf->syn.irs + (uint32_t)r.start, sf->syn.irs + (uint32_t)r.end};
}

void tcp_fill_sack(struct subflow *sf, struct wire_tcp *t, unsigned room)
{
    if (!sf->syn.sack_ok)
        return;
    if (room > TCP_SACK_MAX)
        room = TCP_SACK_MAX;
    if (room > 0 && sf->ooo.dsack.start != sf->ooo.dsack.end) {
        t->sack[t->n_sack++] = on_wire(sf, sf->ooo.dsack);
        sf->ooo.dsack = (struct range){0, 0};
        tcp_count(sf, COUNT_TCP_DSACK_SENT, 1);
    }
    for (unsigned i = 0; i < sf->ooo.n_sacks && t->n_sack < room; i++)
        t->sack[t->n_sack++] = on_wire(sf, sf->ooo.sacks[i]);
}

/* ---- the out-of-order queue ---- */

/* The last piece that begins at or before off, or the list's head. NULL: it is far from both ends, where only
 * who wants to make us search puts many pieces; what is dropped there is sent again when it is nearer. */
static struct list *ooo_before(struct subflow *sf, uint64_t off)
{
    struct list *pos = sf->ooo.pieces.prev;

    for (unsigned i = 0; i < OOO_SEARCH; i++, pos = pos->prev)
        if (pos == &sf->ooo.pieces || ooo_of(pos)->off <= off)
            return pos;
    pos = &sf->ooo.pieces;
    for (unsigned i = 0; i < OOO_SEARCH; i++, pos = pos->next)
        if (ooo_of(pos->next)->off > off)
            return pos;
    return NULL;
}

/* Makes room for [*off, *off + s->len) behind pos: cuts what is there already off the new piece, drops pieces
 * that it covers. False: nothing new is left of it. */
static bool ooo_trim(struct subflow *sf, struct list *pos, uint64_t *off, struct slice *s)
{
    uint64_t start = *off, end = start + s->len;

    if (pos != &sf->ooo.pieces && ooo_end(ooo_of(pos)) > start) {
        uint64_t have = ooo_end(ooo_of(pos));

        tcp_note_duplicate(sf, start, min_u64(have, end));
        if (have >= end)
            return false;
        slice_advance(s, (uint32_t)(have - start));
        *off = start = have;
    }
    for (struct list *next = pos->next; next != &sf->ooo.pieces && ooo_of(next)->off < end;
         next = pos->next) {
        struct ooo *o = ooo_of(next);

        tcp_note_duplicate(sf, o->off, min_u64(ooo_end(o), end));
        if (ooo_end(o) > end) {
            s->len = (uint32_t)(o->off - start);
            break;
        }
        ooo_drop(sf, o);
    }
    return s->len > 0;
}

static bool ooo_store(struct subflow *sf, struct list *pos, uint64_t off, struct slice *s)
{
    struct ooo *o = NULL;

    if (sf->ooo.n < TCP_OOO_MAX && mem_room(sf->account) >= slice_keep_cost(s) + OOO_COST)
        o = malloc(sizeof(*o));
    if (!o || slice_keep(s, sf->account) < 0) {
        free(o);
        tcp_count(sf, COUNT_TCP_OFO_DROP, 1);
        return false;
    }
    *o = (struct ooo){.off = off, .s = *s};
    mem_take(sf->account, OOO_COST);
    list_insert_after(pos, &o->node);
    sf->ooo.bytes += s->len;
    sf->ooo.n++;
    tcp_count(sf, COUNT_TCP_OFO_QUEUE, 1);
    return true;
}

/* Takes over s's reference. */
static void ooo_insert(struct subflow *sf, uint64_t off, struct slice s)
{
    uint64_t start = off, end = off + s.len;
    struct list *pos = ooo_before(sf, off);

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

/* ---- in order ---- */

static void deliver(struct subflow *sf, struct slice s, braid_time now)
{
    uint64_t off = sf->rcv.nxt;

    sf->rcv.nxt += s.len;
    sf->stats.bytes_in += s.len;
    sf->ack.bytes += s.len;
    sf->ops->data(sf, off, s, now);
}

/* What has come into order moves on. */
static void drain(struct subflow *sf, braid_time now)
{
    while (!list_empty(&sf->ooo.pieces) && ooo_of(sf->ooo.pieces.next)->off <= sf->rcv.nxt) {
        struct ooo *o = ooo_of(sf->ooo.pieces.next);
        struct slice s = o->s;
        uint64_t old = sf->rcv.nxt - o->off;

        o->s.buf = NULL; /* the reference moves to s */
        ooo_drop(sf, o);
        if (old >= s.len) {
            slice_drop(&s);
            continue;
        }
        slice_advance(&s, (uint32_t)old);
        deliver(sf, s, now);
        if (sf->state == TCP_STATE_CLOSED)
            return;
    }
}

/* The peer's FIN is next in order. */
static void take_fin(struct subflow *sf, braid_time now)
{
    sf->fin.received = true;
    sf->rcv.nxt++;
    sf->ack.now = true;
    switch (sf->state) {
    case TCP_STATE_ESTABLISHED:
        tcp_set_state(sf, TCP_STATE_CLOSE_WAIT);
        break;
    case TCP_STATE_FIN_WAIT_1:
        tcp_set_state(sf, TCP_STATE_CLOSING);
        break;
    default:
        break;
    }
    sf->ops->fin(sf, now);
    if (sf->state != TCP_STATE_FIN_WAIT_2)
        return;
    /* The acknowledgement has to leave now: the owner is about to forget the subflow. */
    tcp_send_ack(sf, now);
    tcp_finish(sf, TCP_STATE_TIME_WAIT, SUBFLOW_CLOSED_DONE, now);
}

/* Cuts the piece to what is wanted: not before rcv.nxt, not beyond the window or the peer's FIN. */
static void cut(struct subflow *sf, uint64_t *off, const uint8_t **data, uint32_t *len)
{
    uint64_t edge = sf->fin.known ? min_u64(sf->rcv.adv, sf->fin.in_off) : sf->rcv.adv;
    uint64_t end = *off + *len;

    if (*off < sf->rcv.nxt) {
        uint64_t old = min_u64(*len, sf->rcv.nxt - *off);

        tcp_note_duplicate(sf, *off, *off + old);
        *off += old;
        *data += old;
        *len -= (uint32_t)old;
    }
    if (end > edge)
        *len = *off < edge ? (uint32_t)(edge - *off) : 0;
}

/* A FIN before data that is here already contradicts it, and is not believed. */
static void note_fin(struct subflow *sf, uint64_t off)
{
    bool contradicted = !list_empty(&sf->ooo.pieces) && ooo_end(ooo_of(sf->ooo.pieces.prev)) > off;

    sf->ack.now = true;
    if (off < sf->rcv.nxt || sf->fin.known || off > sf->rcv.adv || contradicted)
        return;
    sf->fin.known = true;
    sf->fin.in_off = off;
}

void tcp_receive(struct subflow *sf, const struct wire_packet *p, struct buf *b, uint64_t off, braid_time now)
{
    const uint8_t *data = p->payload;
    uint32_t len = p->payload_len;

    if (p->tcp.flags & TCP_FIN)
        note_fin(sf, off + len);
    if (len > 0) {
        cut(sf, &off, &data, &len);
        if (len == 0)
            sf->ack.now = true;
        else if (off == sf->rcv.nxt) {
            sf->ack.now |= sf->ooo.n > 0;
            deliver(sf, slice_of(b, data, len), now);
        } else
            ooo_insert(sf, off, slice_of(b, data, len));
        if (sf->state == TCP_STATE_CLOSED)
            return;
        drain(sf, now);
        if (sf->state == TCP_STATE_CLOSED)
            return;
        sack_prune(sf);
    }
    if (sf->fin.known && !sf->fin.received && sf->rcv.nxt == sf->fin.in_off)
        take_fin(sf, now);
}

/* ---- acknowledging ---- */

void tcp_ack_was_sent(struct subflow *sf, bool pure, uint64_t window)
{
    sf->ack.last = sf->rcv.nxt;
    sf->rcv.adv = max_u64(sf->rcv.adv, sf->rcv.nxt + window);
    if (!pure && sf->ack.now && tcp_sack_pending(sf))
        return;
    uint32_t segments = sf->ack.bytes / sf->rcv.mss + 1;
    if (sf->ack.bytes > 0)
        sf->ack.quick -= sf->ack.quick < segments ? sf->ack.quick : segments;
    sf->ack.bytes = 0;
    sf->ack.now = false;
    if (pure)
        sf->ack.forced = false;
    sf->ack.delayed = false;
    sf->due.delack = BRAID_NEVER;
}

/* Has the window opened so much that the peer should hear of it (RFC 9293 section 3.8.6.2.2)? */
static bool window_opened(const struct subflow *sf)
{
    if (sf->stats.bytes_in == 0)
        return false;
    uint64_t edge = sf->rcv.nxt + tcp_window_now(sf);
    uint64_t step = min_u64(2 * (uint64_t)sf->rcv.mss, sf->env->rcvbuf_max / 4);

    return edge >= sf->rcv.adv + step;
}

/* A short request: if the answer comes soon, it is the acknowledgement, too. */
static bool awaits_answer(const struct subflow *sf)
{
    return sf->ack.patient && sf->ack.bytes < sf->size.mss;
}

static bool ack_is_due(const struct subflow *sf)
{
    if (sf->ack.now || sf->ack.forced)
        return true;
    if (sf->ack.bytes > 0 && (sf->ack.bytes >= 2 * sf->rcv.mss || (sf->ack.quick > 0 && !awaits_answer(sf))))
        return true;
    return window_opened(sf);
}

void tcp_ack_flush(struct subflow *sf, braid_time now)
{
    if (ack_is_due(sf)) {
        tcp_send_ack(sf, now);
    } else if (sf->ack.bytes > 0 && !sf->ack.delayed) {
        sf->ack.delayed = true;
        sf->due.delack = now + (sf->ack.quick > 0 ? TCP_DELACK_QUICK : TCP_DELACK_TIME);
    }
}

void tcp_receive_clear(struct subflow *sf)
{
    list_each (pos, tmp, &sf->ooo.pieces)
        ooo_drop(sf, ooo_of(pos));
}

void tcp_receive_check(const struct subflow *sf)
{
    uint64_t at = sf->rcv.nxt, bytes = 0;
    uint32_t n = 0;

    for (struct list *pos = sf->ooo.pieces.next; pos != &sf->ooo.pieces; pos = pos->next, n++) {
        const struct ooo *o = ooo_of(pos);

        assert(o->s.len > 0 && o->off >= at);
        assert(n > 0 || o->off > sf->rcv.nxt);
        at = ooo_end(o);
        bytes += o->s.len;
    }
    assert(at <= max_u64(sf->rcv.adv, sf->rcv.nxt));
    assert(n == sf->ooo.n && bytes == sf->ooo.bytes && n <= TCP_OOO_MAX);
    assert((sf->ooo.n_sacks == 0) == (n == 0));
    for (unsigned i = 0; i < sf->ooo.n_sacks; i++)
        assert(sf->ooo.sacks[i].start > sf->rcv.nxt && sf->ooo.sacks[i].start < sf->ooo.sacks[i].end);
}
