/* What state of splices refers to outside of its bytes: descriptors, by their places in a list that travels
 * beside it, and connections of the core, by their numbers there. */
#ifndef BRAID_RELAY_REFS_H
#define BRAID_RELAY_REFS_H

#include <braid/core.h>
#include "base/freeze.h"
#include "base/thaw.h"

/* Descriptors that were named, in their order. Zeros: none. */
struct refs_out {
    int *v; /* malloc's, the owner's to free */
    size_t n, cap;
};

/* Names a descriptor. -1: memory is short, and f has failed. */
int refs_put(struct freezer *f, unsigned tag, struct refs_out *out, int fd);

/* A connection that was read. */
struct refs_conn {
    uint64_t id; /* that it had */
    struct braid_conn *conn;
    void *where;  /* the owner's: which core it is in now */
    bool pending; /* it was not answered */
    bool claimed;
};

/* What can be claimed, each once. */
struct refs {
    struct refs_conn *conns; /* in the order of their ids */
    size_t n_conns;
    const int *fds;
    uint8_t *claimed; /* of each descriptor, whether it was */
    size_t n_fds;
};

/* The connection, which nobody has claimed before and which has these callbacks; NULL, and noted as a flaw:
 * there is none such. */
struct refs_conn *refs_conn(struct refs *r, const struct thaw_item *i, const struct braid_conn_ops *ops);
/* The same without a look at who has claimed it: to see where it is. */
struct refs_conn *refs_find(const struct refs *r, uint64_t id);
/* A descriptor; -1, and noted as a flaw: it is none, or claimed. */
int refs_fd(struct refs *r, const struct thaw_item *i);

#endif
