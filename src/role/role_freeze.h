/* What the state of a node's roles is written and read with (node_handover.c). */
#ifndef BRAID_ROLE_ROLE_FREEZE_H
#define BRAID_ROLE_ROLE_FREEZE_H

#include "relay/refs.h"
#include "role/node_handover.h"
#include "role/profile.h"

struct role_thaw {
    const struct node_thaw_params *params;
    struct node *home; /* where what is no connection's goes */
    bool apart;        /* all of it goes there, and other threads read into other nodes */
    struct refs refs;  /* whose `where` is the node that the connection is in now */
    struct thawing all;
};

/* The name of an algorithm or a profile, NULL: none. */
#define freeze_name(f, tag, named)                                                                           \
    do {                                                                                                     \
        if (named)                                                                                           \
            freeze_text(f, tag, (named)->name);                                                              \
    } while (0)
/* The one of this name among algorithms of a list that ends with NULL; NULL, too, if there is none. */
const struct cc_ops *thaw_cc(const struct thaw_item *i);
const struct pm_ops *thaw_pm(const struct thaw_item *i);
const struct profile *thaw_profile(const struct role_thaw *t, const struct thaw_item *i);

/* What a connection has of its profile (profile_freeze.c). */
void profile_use_freeze(const struct profile_use *u, struct freezer *f, unsigned tag);
void profile_use_thaw(const struct role_thaw *t, const struct thaw_item *i, struct profile_use *u);

/* Counters by their names; those that are not known any more are left out. What was counted is added. */
void counters_freeze(struct freezer *f, unsigned tag, const uint64_t *v, unsigned n,
                     const char *(*name)(unsigned i));
void counters_thaw(const struct thaw_item *i, uint64_t *v, unsigned n, const char *(*name)(unsigned i));

#endif
