/* The out-of-order queue and its SACK blocks as state: see disorder_freeze.h. */
#include "tcp/disorder_freeze.h"

#include "base/buf_table.h"
#include "tcp/internal.h"

enum { PIECE = 1, SACK, DSACK };
enum { PIECE_OFF = 1, PIECE_SLICE };

static const struct braid_field range_fields[] = {
    BRAID_NUMBER(1, struct range, start, BRAID_MUCH), BRAID_NUMBER(2, struct range, end, BRAID_MUCH), {0}};

void tcp_freeze_disorder(const struct subflow *sf, struct freezer *f, unsigned tag)
{
    const struct tcp_disorder *d = sf->ooo;

    if (!tcp_disorder_is_made(sf))
        return;
    size_t all = freeze_begin(f, tag);
    for (struct list *pos = d->pieces.next; pos != &d->pieces; pos = pos->next) {
        size_t g = freeze_begin(f, PIECE);
        freeze_number(f, PIECE_OFF, tcp_piece_of(pos)->off);
        freeze_slice(f, PIECE_SLICE, &tcp_piece_of(pos)->s);
        freeze_end(f, g);
    }
    for (unsigned i = 0; i < d->n_sacks; i++)
        freeze_struct(f, SACK, range_fields, &d->sacks[i]);
    freeze_struct(f, DSACK, range_fields, &d->dsack);
    freeze_end(f, all);
}

/* Behind the pieces before it, and behind what came in order. */
static bool is_next(const struct subflow *sf, uint64_t off, const struct slice *s)
{
    const struct list *last = sf->ooo->pieces.prev;
    uint64_t from = last == &sf->ooo->pieces ? 0 : tcp_piece_end(tcp_piece_of((struct list *)last));

    return s->buf && off >= from && off <= BRAID_MUCH && sf->ooo->n < TCP_OOO_MAX;
}

static void take_piece(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct slice s = {0};
    uint64_t off = 0;

    while (thaw_next(&t, &i)) {
        if (i.tag == PIECE_OFF)
            off = thaw_number(&i, BRAID_MUCH);
        else if (i.tag == PIECE_SLICE && !s.buf)
            s = thaw_slice(&i);
        else
            thaw_unknown(&i);
    }
    if (thaw_fine(group->all) && !is_next(sf, off, &s))
        thaw_fail(group->all, THAW_WRONG);
    if (thaw_fine(group->all) && !tcp_ooo_append(sf, off, &s))
        thaw_fail(group->all, THAW_MEMORY);
    if (!thaw_fine(group->all))
        slice_drop(&s);
}

static void take_sack(struct subflow *sf, const struct thaw_item *i)
{
    struct tcp_disorder *d = sf->ooo;

    if (d->n_sacks == TCP_SACK_MAX) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    thaw_struct(i, range_fields, &d->sacks[d->n_sacks++]);
}

void tcp_thaw_disorder(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;

    if (tcp_disorder_is_made(sf)) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    if (!tcp_disorder_reserve(sf)) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    while (thaw_next(&t, &i)) {
        if (i.tag == PIECE)
            take_piece(sf, &i);
        else if (i.tag == SACK)
            take_sack(sf, &i);
        else if (i.tag == DSACK)
            thaw_struct(&i, range_fields, &sf->ooo->dsack);
        else
            thaw_unknown(&i);
    }
}
