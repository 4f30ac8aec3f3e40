/* Which clients an edge serves, by their addresses. */
#ifndef BRAID_ROLE_ACCESS_H
#define BRAID_ROLE_ACCESS_H

#include "role/reach.h"

/* What the configuration says of it: lists of which the first item that matches counts, as in all others. */
struct access {
    struct reach_rule
        deny[REACH_RULES_MAX]; /* comes before allow, which an item with allow leaves to decide */
    struct reach_rule allow[REACH_RULES_MAX];
    unsigned n_deny, n_allow;
};

/* Whether deny has something against the client. */
bool access_denies(const struct access *a, const struct braid_ip *client);
/* Whether neither list has. One that no item of allow matches is served unless some item allows clients. */
bool access_allows(const struct access *a, const struct braid_ip *client);

#endif
