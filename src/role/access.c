/* See access.h. */
#include "role/access.h"

bool access_denies(const struct access *a, const struct braid_ip *client)
{
    return !reach_first(a->deny, a->n_deny, client, true);
}

bool access_allows(const struct access *a, const struct braid_ip *client)
{
    bool otherwise = true;
    for (unsigned i = 0; i < a->n_allow; i++)
        otherwise &= !a->allow[i].allow;
    return !access_denies(a, client) && reach_first(a->allow, a->n_allow, client, otherwise);
}
