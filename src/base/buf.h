/* Reference-counted byte buffers, accounted, and slices of them. Payload moves through the stack as slices;
 * nobody copies it on the fast path. Not thread-safe: a buffer belongs to one core. */
#ifndef BRAID_BASE_BUF_H
#define BRAID_BASE_BUF_H

#include <braid/types.h>

/* Bytes of buffers charged to somebody. Accounts form a chain: what a connection uses, its core uses. */
struct mem_account {
    struct mem_account *parent; /* NULL at the top */
    size_t used, limit;         /* bytes; limit SIZE_MAX: none */
};

/* What a block of so many bytes takes from the heap: malloc's header, and its rounding. */
static inline size_t mem_cost(size_t bytes)
{
    size_t cost = (bytes + 8 + 15) & ~(size_t)15;

    return cost < 32 ? 32 : cost;
}

struct buf {
    uint32_t refs;
    uint32_t cap;                /* bytes of data */
    struct mem_account *account; /* NULL: charged to nobody */
    struct buf_pool *pool;       /* where it goes when nobody needs it; NULL: it is freed */
    uint8_t data[];
};

/* A stock of buffers of one size, for packets: the one used last, warm in the cache, is given out next. It
 * must outlive its buffers. */
struct buf_pool {
    size_t cap;
    unsigned n, keep; /* buffers in stock, and how many to keep at most */
    unsigned idle;    /* fewest in stock since buf_pool_shrink: so many nobody needed */
    struct buf **stock;
};

/* A view of bytes in a buffer; it holds a reference if buf is not NULL. */
struct slice {
    struct buf *buf;
    const uint8_t *data;
    uint32_t len;
};

/* A new buffer with one reference, charged to account (may be NULL) and its parents, whatever their limits:
 * ask mem_room first. NULL if memory is short. */
struct buf *buf_new(size_t cap, struct mem_account *account);
struct buf *buf_ref(struct buf *b);
/* 0, or -1 if memory is short. */
int buf_pool_init(struct buf_pool *p, size_t cap, unsigned keep);
/* A buffer with one reference, charged to nobody. NULL if memory is short. */
struct buf *buf_pool_get(struct buf_pool *p);
void buf_pool_free(struct buf_pool *p);
/* Frees the buffers that were in stock all the time since it was last called. Returns their bytes. */
size_t buf_pool_shrink(struct buf_pool *p);
/* Drops a reference; the last one frees it and takes its size off the accounts. NULL is allowed. */
void buf_unref(struct buf *b);
/* What a buffer of so many bytes is charged. */
static inline size_t buf_cost(size_t cap)
{
    return mem_cost(sizeof(struct buf) + cap);
}
/* Moves the charge of b to another account (NULL: to nobody). */
void buf_charge(struct buf *b, struct mem_account *account);
/* Charges bytes to an account and its parents, whatever their limits, and takes them off again. */
void mem_take(struct mem_account *account, size_t bytes);
void mem_give(struct mem_account *account, size_t bytes);
/* Bytes that may still be charged before a limit of the chain is reached. */
size_t mem_room(const struct mem_account *account);

/* Takes a new reference on b (which may be NULL for static bytes). */
struct slice slice_of(struct buf *b, const uint8_t *data, uint32_t len);
/* Drops the slice's reference and empties it. */
void slice_drop(struct slice *s);
/* Removes n bytes from the front; n <= len. Keeps the reference. */
void slice_advance(struct slice *s, uint32_t n);

#endif
