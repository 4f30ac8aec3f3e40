/* The walk over all connections. It may take many turns of the worker's loop, a page in each; connections
 * come and go in between, so its place in the list is kept by a marker of its own. */
#include <stdlib.h>

#include "core/inside.h"

struct braid_dump {
    struct braid_core *core;
    struct conn_link marker; /* stands before the next connection to report */
};

/* From the head on: connections are in the order of their ids, and new ones come behind every marker. */
struct braid_dump *braid_dump_begin(struct braid_core *core)
{
    struct braid_dump *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->core = core;
    list_prepend(&core->env.conns, &d->marker.node);
    return d;
}

/* The next connection, NULL: there is none. The marker stands behind it then. */
static const struct braid_conn *dump_step(struct braid_dump *d)
{
    const struct braid_conn *c = NULL;
    struct list *at = d->marker.node.next, *head = &d->core->env.conns;
    for (; !c && at != head; at = at->next)
        c = list_entry(at, struct conn_link, node)->conn; /* NULL: another walk's marker */
    list_remove(&d->marker.node);
    list_append(at, &d->marker.node); /* before `at` */
    return c;
}

unsigned braid_dump_next(struct braid_dump *d, struct braid_conn_stats *out, unsigned max)
{
    unsigned n = 0;
    for (const struct braid_conn *c; n < max && (c = dump_step(d)) != NULL;)
        braid_conn_stats(c, &out[n++]);
    return n;
}

unsigned braid_dump_next_brief(struct braid_dump *d, struct braid_conn_brief *out, unsigned max)
{
    unsigned n = 0;
    for (const struct braid_conn *c; n < max && (c = dump_step(d)) != NULL;)
        out[n++] = (struct braid_conn_brief){.conn = c,
                                             .listener = c->edge,
                                             .mptcp = braid_conn_is_mptcp(c),
                                             .n_subflows = c->n_subflows,
                                             .memory = c->mem.used};
    return n;
}

void braid_dump_end(struct braid_dump *d)
{
    list_remove(&d->marker.node);
    free(d);
}

struct braid_conn *braid_conn_by_id(struct braid_core *core, uint64_t id)
{
    each_conn (c, &core->env) {
        if (c->id == id)
            return c;
    }
    return NULL;
}
