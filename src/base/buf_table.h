/* The buffers that slices of one connection point into, when its state is written down or read: a buffer that
 * several share is written once, and shared again. */
#ifndef BRAID_BASE_BUF_TABLE_H
#define BRAID_BASE_BUF_TABLE_H

#include "base/buf.h"
#include "base/freeze.h"
#include "base/thaw.h"

/* One of them, and which of its bytes anybody refers to: [from, to). */
struct buf_use {
    struct buf *buf;
    uint32_t from, to;
};

/* All zeros: empty. */
struct buf_table {
    struct buf_use *v; /* numbered from 0 */
    size_t n, cap;
    uint32_t *places; /* by address, for who writes: 1 + a number, 0: free */
    size_t mask;
};

/* Writes a slice, which has a buffer, and enters that in f->bufs. */
void freeze_slice(struct freezer *f, unsigned tag, const struct slice *s);
/* Writes the buffers of all slices so far. */
void freeze_bufs(struct freezer *f, unsigned tag);
/* Forgets the buffers, which stay. */
void buf_table_free(struct buf_table *b);

/* Reads the buffers into i->all->bufs: `most` bytes in all at most. They belong to the table, beside their
 * slices, until thaw_bufs_done. */
void thaw_bufs(const struct thaw_item *i, struct mem_account *account, size_t most);
/* A slice, with a reference of its own; an empty one if there is something wrong with it. */
struct slice thaw_slice(const struct thaw_item *i);
void thaw_bufs_done(struct buf_table *b);

#endif
