/* Each address of the far side over each uplink of its family. All uplinks are tried with the first address
 * before the next address is, so that an uplink that has died costs less than a peer that has. */
#include "role/cpe_lanes.h"

static unsigned add(const struct cpe *cpe, const struct braid_addr *remote, bool by_cost,
                    struct race_lane *lanes, unsigned n)
{
    const struct uplinks *us = &cpe->owner->uplinks;
    enum uplink_family family = uplink_family(&remote->ip);
    unsigned order[UPLINKS_MAX];
    unsigned usable = uplinks_order(us, family, by_cost, order);
    for (unsigned i = 0; i < usable && n < RACE_LANES; i++) {
        const struct uplink *u = &us->all[order[i]];
        lanes[n++] = (struct race_lane){.local.ip = u->inner[family],
                                        .remote = *remote,
                                        .head_start = race_head_start(u->srtt[family]),
                                        .uplink = order[i],
                                        .capable = cpe->params->kind != CPE_TRANSPARENT,
                                        .reserve = u->backup};
    }
    return n;
}

unsigned cpe_lanes(const struct cpe *cpe, const struct cpe_wish *wish, struct race_lane lanes[RACE_LANES])
{
    if (cpe->params->kind == CPE_TRANSPARENT)
        return add(cpe, wish->meant, wish->by_cost, lanes, 0);
    unsigned n = 0;
    for (unsigned i = wish->first; i < cpe->params->n_peers; i++) {
        const struct targets *t = &cpe->peers[i];
        for (unsigned j = 0; cpe->rest_until[i] <= wish->now && j < t->n; j++)
            n = add(cpe, &t->addr[j], wish->by_cost, lanes, n);
    }
    return n;
}
