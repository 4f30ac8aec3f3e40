/* Buffers for those who feed the core: a packet is read into one, and its payload stays there until it is
 * delivered. They are charged to nobody; a connection that keeps one longer than a batch takes the charge
 * over (slice_keep). */
#include <stdlib.h>

#include <braid/core.h>
#include "base/buf.h"

struct buf *braid_buf_new(size_t cap)
{
    return buf_new(cap, NULL);
}

uint8_t *braid_buf_data(struct buf *b)
{
    return b->data;
}

void braid_buf_unref(struct buf *b)
{
    buf_unref(b);
}

struct buf_pool *braid_buf_pool_new(size_t cap, unsigned keep)
{
    struct buf_pool *p = malloc(sizeof(*p));
    if (p && buf_pool_init(p, cap, keep) < 0) {
        free(p);
        return NULL;
    }
    return p;
}

struct buf *braid_buf_pool_get(struct buf_pool *p)
{
    return buf_pool_get(p);
}

size_t braid_buf_pool_shrink(struct buf_pool *p)
{
    return buf_pool_shrink(p);
}

void braid_buf_pool_free(struct buf_pool *p)
{
    if (p)
        buf_pool_free(p);
    free(p);
}
