/* Reference-counted byte buffers and the accounts they are charged to. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

struct buf *buf_new(size_t cap, struct mem_account *account)
{
    struct buf *b;

    if (cap > UINT32_MAX)
        return NULL;
    b = malloc(sizeof(*b) + cap);
    if (!b)
        return NULL;
    b->refs = 1;
    b->cap = (uint32_t)cap;
    b->account = NULL;
    b->pool = NULL;
    buf_charge(b, account);
    return b;
}

struct buf *buf_ref(struct buf *b)
{
    assert(b->refs > 0 && b->refs < UINT32_MAX);
    b->refs++;
    return b;
}

void buf_unref(struct buf *b)
{
    if (!b)
        return;
    assert(b->refs > 0);
    if (--b->refs > 0)
        return;
    buf_charge(b, NULL);
    if (b->pool && b->pool->n < b->pool->keep)
        b->pool->stock[b->pool->n++] = b;
    else
        free(b);
}

int buf_pool_init(struct buf_pool *p, size_t cap, unsigned keep)
{
    *p = (struct buf_pool){.cap = cap, .keep = keep, .stock = calloc(keep, sizeof(*p->stock))};
    return p->stock ? 0 : -1;
}

struct buf *buf_pool_get(struct buf_pool *p)
{
    struct buf *b = p->n ? p->stock[--p->n] : buf_new(p->cap, NULL);

    if (p->idle > p->n)
        p->idle = p->n;
    if (b) {
        b->refs = 1;
        b->pool = p;
    }
    return b;
}

/* The idle ones are those at the bottom. */
size_t buf_pool_shrink(struct buf_pool *p)
{
    unsigned idle = p->idle;

    for (unsigned i = 0; i < idle; i++)
        free(p->stock[i]);
    for (unsigned i = idle; i < p->n; i++)
        p->stock[i - idle] = p->stock[i];
    p->n -= idle;
    p->idle = p->n;
    return idle * buf_cost(p->cap);
}

void buf_pool_free(struct buf_pool *p)
{
    while (p->n)
        free(p->stock[--p->n]);
    free(p->stock);
    p->stock = NULL;
}

void buf_charge(struct buf *b, struct mem_account *account)
{
    size_t cost = buf_cost(b->cap);

    if (b->account == account)
        return;
    mem_give(b->account, cost);
    mem_take(account, cost);
    b->account = account;
}

void mem_take(struct mem_account *account, size_t bytes)
{
    for (struct mem_account *a = account; a; a = a->parent)
        a->used += bytes;
}

void mem_give(struct mem_account *account, size_t bytes)
{
    for (struct mem_account *a = account; a; a = a->parent) {
        assert(a->used >= bytes);
        a->used -= bytes;
    }
}

size_t mem_room(const struct mem_account *account)
{
    size_t room = SIZE_MAX;

    for (const struct mem_account *a = account; a; a = a->parent) {
        size_t here = a->used < a->limit ? a->limit - a->used : 0;

        if (here < room)
            room = here;
    }
    return room;
}

struct slice slice_of(struct buf *b, const uint8_t *data, uint32_t len)
{
    return (struct slice){.buf = b ? buf_ref(b) : NULL, .data = data, .len = len};
}

void slice_drop(struct slice *s)
{
    buf_unref(s->buf);
    *s = (struct slice){0};
}

void slice_advance(struct slice *s, uint32_t n)
{
    assert(n <= s->len);
    s->data += n;
    s->len -= n;
}
