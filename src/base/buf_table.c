/* Buffers and slices as state: see buf_table.h. */
#include "base/buf_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_BUF = 1, SLICE_AT, SLICE_LEN };
enum { BUF_ONE = 1 };
enum { BUF_CAP = 1, BUF_CHARGED, BUF_FROM, BUF_BYTES };

#define CAP_MOST (1u << 20) /* of one buffer */

static size_t place_of(const struct buf_table *b, const struct buf *buf)
{
    size_t i = ((uintptr_t)buf >> 4) * 0x9e3779b97f4a7c15u >> 20 & b->mask;
    while (b->places[i] && b->v[b->places[i] - 1].buf != buf)
        i = (i + 1) & b->mask;
    return i;
}

static bool grow(struct buf_table *b)
{
    size_t cap = b->cap ? 2 * b->cap : 16;
    struct buf_use *v = realloc(b->v, cap * sizeof(*v));
    if (v)
        b->v = v;
    uint32_t *places = v ? calloc(2 * cap, sizeof(*places)) : NULL;
    if (!places)
        return false;
    free(b->places);
    b->places = places;
    b->mask = 2 * cap - 1;
    b->cap = cap;
    for (size_t i = 0; i < b->n; i++)
        b->places[place_of(b, b->v[i].buf)] = (uint32_t)i + 1;
    return true;
}

/* NULL: memory is short. */
static struct buf_use *use_of(struct buf_table *b, struct buf *buf)
{
    if (b->n == b->cap && !grow(b))
        return NULL;
    uint32_t *place = &b->places[place_of(b, buf)];
    if (!*place) {
        b->v[b->n++] = (struct buf_use){buf, buf->cap, 0};
        *place = (uint32_t)b->n;
    }
    return &b->v[*place - 1];
}

void freeze_slice(struct freezer *f, unsigned tag, const struct slice *s)
{
    struct buf_table *b = f->bufs;
    assert(s->buf);
    struct buf_use *u = use_of(b, s->buf);
    uint32_t at = (uint32_t)(s->data - s->buf->data);
    if (!u) {
        f->failed = true;
        return;
    }
    if (at < u->from)
        u->from = at;
    if (at + s->len > u->to)
        u->to = at + s->len;
    size_t g = freeze_begin(f, tag);
    freeze_number(f, SLICE_BUF, (uint64_t)(u - b->v));
    freeze_number(f, SLICE_AT, at);
    freeze_number(f, SLICE_LEN, s->len);
    freeze_end(f, g);
}

void freeze_bufs(struct freezer *f, unsigned tag)
{
    const struct buf_table *b = f->bufs;
    size_t all = freeze_begin(f, tag);
    for (size_t i = 0; i < b->n; i++) {
        const struct buf_use *u = &b->v[i];
        size_t g = freeze_begin(f, BUF_ONE);
        freeze_number(f, BUF_CAP, u->buf->cap);
        freeze_number(f, BUF_CHARGED, u->buf->account != NULL);
        freeze_number(f, BUF_FROM, u->from < u->to ? u->from : 0);
        uint32_t len = u->from < u->to ? u->to - u->from : 0;
        if (f->no_payload)
            freeze_zeros(f, BUF_BYTES, len);
        else
            freeze_bytes(f, BUF_BYTES, u->buf->data + u->from, len);
        freeze_end(f, g);
    }
    freeze_end(f, all);
}

void buf_table_free(struct buf_table *b)
{
    free(b->v);
    free(b->places);
    *b = (struct buf_table){0};
}

/* What is read of a buffer before it is made. */
struct plan {
    uint32_t cap, from;
    bool charged;
    const uint8_t *bytes;
    size_t len;
};

static void read_plan(const struct thaw_item *group, struct plan *p)
{
    static const struct braid_field fields[] = {BRAID_NUMBER(BUF_CAP, struct plan, cap, CAP_MOST),
                                                BRAID_NUMBER(BUF_FROM, struct plan, from, CAP_MOST),
                                                BRAID_BOOL(BUF_CHARGED, struct plan, charged),
                                                {0}};
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        if (i.tag == BUF_BYTES) {
            p->bytes = i.data;
            p->len = i.len;
        } else if (!thaw_field(&i, fields, p)) {
            thaw_unknown(&i);
        }
    }
}

static void make(const struct thaw_item *i, struct mem_account *account, size_t *most)
{
    struct buf_table *b = i->all->bufs;
    struct plan p = {0};
    read_plan(i, &p);
    if (p.from > p.cap || p.len > p.cap - p.from || p.cap > *most)
        thaw_fail(i->all, THAW_WRONG);
    if (!thaw_fine(i->all))
        return;
    *most -= p.cap;
    if (b->n == b->cap) {
        size_t cap = b->cap ? 2 * b->cap : 16;
        struct buf_use *v = realloc(b->v, cap * sizeof(*v));
        if (!v) {
            thaw_fail(i->all, THAW_MEMORY);
            return;
        }
        b->v = v;
        b->cap = cap;
    }
    struct buf *buf = buf_new(p.cap, p.charged ? account : NULL);
    if (!buf) {
        thaw_fail(i->all, THAW_MEMORY);
        return;
    }
    if (p.len > 0)
        memcpy(buf->data + p.from, p.bytes, p.len);
    b->v[b->n++] = (struct buf_use){buf, p.from, p.from + (uint32_t)p.len};
}

void thaw_bufs(const struct thaw_item *group, struct mem_account *account, size_t most)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        if (i.tag == BUF_ONE)
            make(&i, account, &most);
        else
            thaw_unknown(&i);
    }
}

struct slice thaw_slice(const struct thaw_item *group)
{
    const struct buf_table *b = group->all->bufs;
    struct {
        uint64_t buf;
        uint32_t at, len;
    } s = {0};
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        if (i.tag == SLICE_BUF)
            s.buf = thaw_number(&i, UINT32_MAX);
        else if (i.tag == SLICE_AT)
            s.at = (uint32_t)thaw_number(&i, CAP_MOST);
        else if (i.tag == SLICE_LEN)
            s.len = (uint32_t)thaw_number(&i, CAP_MOST);
        else
            thaw_unknown(&i);
    }
    if (s.len == 0 || s.buf >= b->n || s.at < b->v[s.buf].from || s.at > b->v[s.buf].to ||
        s.len > b->v[s.buf].to - s.at)
        thaw_fail(group->all, THAW_WRONG);
    if (!thaw_fine(group->all))
        return (struct slice){0};
    return slice_of(b->v[s.buf].buf, b->v[s.buf].buf->data + s.at, s.len);
}

void thaw_bufs_done(struct buf_table *b)
{
    for (size_t i = 0; i < b->n; i++)
        buf_unref(b->v[i].buf);
    buf_table_free(b);
}
