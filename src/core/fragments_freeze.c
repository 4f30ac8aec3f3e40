/* Incomplete packets as state: see core_freeze.h. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "core/core_freeze.h"
#include "core/incomplete.h"
#include "wire/ip.h"

enum { PACKET = 1, TIMER };
enum { FIELDS = 1, FIRST, HEADER, PIECE };
enum { PIECE_OFFSET = 1, PIECE_DATA };

static const struct braid_field fields[] = {BRAID_NUMBERS(1, struct incomplete, src.b, 1, UINT8_MAX),
                                            BRAID_NUMBERS(2, struct incomplete, dst.b, 1, UINT8_MAX),
                                            BRAID_ANY(3, struct incomplete, id),
                                            BRAID_ANY(4, struct incomplete, protocol),
                                            BRAID_BOOL(5, struct incomplete, spoilt),
                                            BRAID_BOOL(6, struct incomplete, has_last),
                                            BRAID_ANY(7, struct incomplete, total),
                                            BRAID_ANY(8, struct incomplete, got),
                                            BRAID_ANY(9, struct incomplete, largest),
                                            BRAID_TIME(10, struct incomplete, until),
                                            BRAID_BOOL(11, struct incomplete, has_first),
                                            {0}};
static const struct braid_field first_fields[] = {
    BRAID_NUMBERS(1, struct wire_fragment, src.b, 1, UINT8_MAX),
    BRAID_NUMBERS(2, struct wire_fragment, dst.b, 1, UINT8_MAX),
    BRAID_ANY(3, struct wire_fragment, id),
    BRAID_ANY(4, struct wire_fragment, protocol),
    BRAID_BOOL(5, struct wire_fragment, more),
    BRAID_ANY(6, struct wire_fragment, offset),
    BRAID_ANY(7, struct wire_fragment, len),
    BRAID_NUMBER(8, struct wire_fragment, header_len, FRAGMENT_HEADER_MAX),
    BRAID_NUMBER(9, struct wire_fragment, protocol_at, FRAGMENT_HEADER_MAX - 1),
    BRAID_ANY(10, struct wire_fragment, size),
    {0}};

static void freeze_packet(const struct incomplete *p, struct freezer *f)
{
    size_t g = freeze_begin(f, PACKET);
    freeze_struct(f, FIELDS, fields, p);
    if (p->has_first) {
        freeze_struct(f, FIRST, first_fields, &p->first);
        freeze_bytes(f, HEADER, p->header, p->first.header_len);
    }
    for (const struct piece *q = p->pieces; q; q = q->next) {
        size_t one = freeze_begin(f, PIECE);
        freeze_number(f, PIECE_OFFSET, q->offset);
        freeze_bytes(f, PIECE_DATA, q->data, q->len);
        freeze_end(f, one);
    }
    freeze_end(f, g);
}

void core_freeze_fragments(const struct reassembly *r, struct freezer *f, unsigned tag)
{
    if (list_empty(&r->oldest))
        return;
    size_t all = freeze_begin(f, tag);
    for (const struct list *n = r->oldest.next; n != &r->oldest; n = n->next)
        freeze_packet(list_entry(n, struct incomplete, node), f);
    freeze_timer(f, TIMER, &r->timer);
    freeze_end(f, all);
}

/* Behind all others. */
static struct piece *take_piece(struct reassembly *r, struct incomplete *p, struct piece *last,
                                const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i, data = {.len = 0};
    uint16_t offset = 0;
    while (thaw_next(&t, &i)) {
        if (i.tag == PIECE_OFFSET)
            offset = (uint16_t)thaw_number(&i, UINT16_MAX);
        else if (i.tag == PIECE_DATA)
            data = i;
        else
            thaw_unknown(&i);
    }
    unsigned from = last ? last->offset + last->len : 0;
    if (offset < from || data.len == 0 || data.len > (size_t)(UINT16_MAX - offset))
        thaw_fail(group->all, THAW_WRONG);
    struct piece *q = thaw_fine(group->all) ? malloc(sizeof(*q) + data.len) : NULL;
    if (!q) {
        thaw_fail(group->all, THAW_MEMORY);
        return last;
    }
    *q = (struct piece){.offset = offset, .len = (uint16_t)data.len};
    memcpy(q->data, data.data, data.len);
    *(last ? &last->next : &p->pieces) = q;
    p->n_pieces++;
    incomplete_charge(r, p, incomplete_piece_cost(q->len));
    return q;
}

static bool is_sound(const struct incomplete *p)
{
    unsigned got = 0, end = 0;
    for (const struct piece *q = p->pieces; q; q = q->next) {
        got += q->len;
        end = q->offset + q->len;
    }
    unsigned least = ip_is_v4(&p->first.src) ? IP4_HEADER : IP6_HEADER;
    bool first =
        !p->has_first || (p->first.header_len >= least && p->first.protocol_at < p->first.header_len);
    return (p->spoilt || got == p->got) && (!p->has_last || end <= p->total) && first &&
           !(p->has_first && p->has_last && got == p->total && !p->spoilt);
}

static void fill(struct reassembly *r, struct incomplete *p, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct piece *last = NULL;
    while (thaw_next(&t, &i)) {
        if (i.tag == FIELDS)
            thaw_struct(&i, fields, p);
        else if (i.tag == FIRST)
            thaw_struct(&i, first_fields, &p->first);
        else if (i.tag == HEADER)
            thaw_bytes(&i, p->header, p->first.header_len);
        else if (i.tag == PIECE)
            last = take_piece(r, p, last, &i);
        else
            thaw_unknown(&i);
    }
    p->first.header = p->header;
    if (thaw_fine(group->all) && !is_sound(p))
        thaw_fail(group->all, THAW_WRONG);
}

static void take_packet(struct reassembly *r, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct incomplete key = {.id = 0};
    while (thaw_next(&t, &i))
        if (i.tag == FIELDS)
            thaw_struct(&i, fields, &key);
    const struct wire_fragment f = {.src = key.src, .dst = key.dst, .id = key.id, .protocol = key.protocol};
    if (!thaw_fine(group->all))
        return;
    if (incomplete_find(r, &f)) {
        thaw_fail(group->all, THAW_TAKEN);
        return;
    }
    struct incomplete *p = incomplete_begin(r, &f, 0);
    if (p)
        fill(r, p, group);
    else
        thaw_fail(group->all, THAW_MEMORY);
}

void core_thaw_fragments(struct reassembly *r, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    size_t timers = group->all->timers.n;
    while (thaw_next(&t, &i)) {
        if (i.tag == PACKET)
            take_packet(r, &i);
        else if (i.tag == TIMER && group->all->timers.n == timers)
            thaw_timer(&i, r->wheel, &r->timer);
        else
            thaw_unknown(&i);
    }
    if ((group->all->timers.n > timers) == list_empty(&r->oldest) || r->used > r->limit)
        thaw_fail(group->all, THAW_WRONG);
}
