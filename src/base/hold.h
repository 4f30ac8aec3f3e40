/* What several threads use, and whoever leaves it last has freed. */
#ifndef BRAID_BASE_HOLD_H
#define BRAID_BASE_HOLD_H

#include <stdatomic.h>
#include <stddef.h>

struct hold {
    atomic_uint users;
    void (*over)(struct hold *h); /* in the thread of the last user */
};

/* One more user; h, which may be NULL. Whoever calls it is one, or holds one that is. */
static inline struct hold *hold_get(struct hold *h)
{
    if (h)
        atomic_fetch_add_explicit(&h->users, 1, memory_order_relaxed);
    return h;
}

/* NULL is allowed. */
static inline void hold_put(struct hold *h)
{
    if (h && atomic_fetch_sub_explicit(&h->users, 1, memory_order_acq_rel) == 1)
        h->over(h);
}

#endif
