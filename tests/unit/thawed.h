/* What a freezer holds, item by item, for whoever reads one. */
#ifndef BRAID_TESTS_THAWED_H
#define BRAID_TESTS_THAWED_H

#include <check.h>
#include <stdlib.h>
#include "base/freeze.h"
#include "base/thaw.h"

/* Calls take(arg, item) with each, and frees what f holds, which has to be fine. */
static inline void thawed(struct freezer *f, void (*take)(void *arg, const struct thaw_item *item), void *arg)
{
    struct thawing all = {.flaw = THAW_FINE};
    struct thawer in = {f->data, f->data + f->len, &all};
    struct thaw_item item;
    ck_assert(!f->failed);
    while (thaw_next(&in, &item))
        take(arg, &item);
    ck_assert_int_eq(all.flaw, THAW_FINE);
    free(f->data);
    *f = (struct freezer){.len = 0};
}

#endif
