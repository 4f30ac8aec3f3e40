/* See app_demands.h. */
#include "role/app_demands.h"
#include "role/carried.h"

/* What we have said to a converter comes before what the program says. */
static uint64_t bytes_before(const struct node *node, const struct braid_conn *c)
{
    bool is_wan = false;
    const struct cpes *cs = cpes_of(node);
    const struct carried *cd = cs ? carried_of(cs, c, &is_wan) : NULL;
    return cd && is_wan ? cd->preamble : 0;
}

uint32_t demands_make(struct node *node, struct braid_conn *c, const struct demands *d)
{
    const struct profile_own own = demands_own(d);
    if (own.pm || own.redundancy != REDUNDANCY_UNSAID)
        node_set_own(node, c, &own);
    return demands_core(c, &d->numbers, bytes_before(node, c));
}

uint64_t demands_tell(const struct node *node, const struct braid_conn *c, enum app_number which)
{
    if (which == APP_NUMBER_REDUNDANCY)
        return profile_redundancy_of(c) - 1;
    uint64_t value = (uint64_t)demands_core_tell(c, which);
    return which == APP_NUMBER_EXPECT_BYTES && value > 0 ? value - bytes_before(node, c) : value;
}
