/* See refs.h. */
#include "relay/refs.h"
#include <stdlib.h>

int refs_put(struct freezer *f, unsigned tag, struct refs_out *out, int fd)
{
    if (out->n == out->cap) {
        size_t cap = out->cap ? 2 * out->cap : 64;
        int *v = realloc(out->v, cap * sizeof(*v));
        if (!v) {
            f->failed = true;
            return -1;
        }
        out->v = v;
        out->cap = cap;
    }
    freeze_number(f, tag, out->n);
    out->v[out->n++] = fd;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const struct refs_conn *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

struct refs_conn *refs_find(const struct refs *r, uint64_t id)
{
    const struct refs_conn key = {.id = id};
    return r->n_conns > 0 ? bsearch(&key, r->conns, r->n_conns, sizeof(key), by_id) : NULL;
}

struct refs_conn *refs_conn(struct refs *r, const struct thaw_item *i, const struct braid_conn_ops *ops)
{
    struct refs_conn *c = refs_find(r, thaw_number(i, BRAID_MUCH));
    if (!c || c->claimed || braid_conn_get_ops(c->conn) != ops) {
        thaw_fail(i->all, THAW_WRONG);
        return NULL;
    }
    c->claimed = true;
    return c;
}

int refs_fd(struct refs *r, const struct thaw_item *i)
{
    uint64_t n = thaw_number(i, UINT32_MAX);
    if (n >= r->n_fds || r->claimed[n]) {
        thaw_fail(i->all, THAW_WRONG);
        return -1;
    }
    r->claimed[n] = 1;
    return r->fds[n];
}
