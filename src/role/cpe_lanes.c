/* Each address of the far side over each uplink of its family. All uplinks are tried with the first address
 * before the next address is, so that an uplink that has died costs less than a peer that has. */
#include "role/cpe_lanes.h"

/* A converter answers a SYN that names the server when the server has answered, Braid's after 2.5 s at the
 * latest; but one that names none at once. So a plain SYN without payload, sent earlier, would win against
 * every server that is far away, and bond nothing. */
#define CONVERTER_PLAIN_AFTER (3 * BRAID_SECOND)

static bool is_straight(const struct cpe_wish *wish)
{
    return wish->straight || wish->bypass;
}

static unsigned add(const struct cpe *cpe, const struct braid_addr *remote, const struct cpe_wish *wish,
                    struct race_lane *lanes, unsigned n)
{
    const struct uplinks *us = &cpe->owner->uplinks;
    enum uplink_family family = uplink_family(&remote->ip);
    bool converter = cpe->params->kind == CPE_CONVERT && !is_straight(wish);
    unsigned order[UPLINKS_MAX];
    bool off = uplinks_keep_off(us, family);
    const struct wish *own = wish->of_program;
    if (off && own && !own->plain && cpe->params->kind != CPE_TRANSPARENT && !is_straight(wish))
        return n; /* peers are reached by the other family, or else by plain TCP */
    unsigned usable = uplinks_order(us, family, wish->by_cost, order);
    for (unsigned i = 0; i < usable && n < RACE_LANES; i++) {
        const struct uplink *u = &us->all[order[i]];
        if (own && !(own->endpoints & UPLINK_ENDPOINT(order[i], family)))
            continue;
        lanes[n++] = (struct race_lane){
            .local = {.ip = u->inner[family], .port = own ? own->port[order[i]][family] : 0},
            .remote = *remote,
            .head_start = race_head_start(u->srtt[family]),
            .plain_after = converter ? CONVERTER_PLAIN_AFTER : 0,
            .question_after = converter ? race_question_after(u->srtt[family]) : 0,
            .uplink = order[i],
            .capable = cpe->params->kind != CPE_TRANSPARENT && !wish->straight,
            .either = cpe->params->version_0,
            .reserve = u->backup,
            .plain = off || (own && own->plain)};
    }
    return n;
}

unsigned cpe_lanes(const struct cpe *cpe, const struct cpe_wish *wish, struct race_lane lanes[RACE_LANES])
{
    if (cpe->params->kind == CPE_TRANSPARENT || is_straight(wish))
        return add(cpe, wish->meant, wish, lanes, 0);
    unsigned n = 0;
    for (unsigned i = wish->first; i < cpe->params->n_peers; i++) {
        const struct targets *t = &cpe->peers[i];
        for (unsigned j = 0; cpe->rest_until[i] <= wish->now && j < t->n; j++)
            n = add(cpe, &t->addr[j], wish, lanes, n);
    }
    return n;
}

bool cpe_peers_silent(const struct cpe *cpe)
{
    const struct uplinks *us = &cpe->owner->uplinks;
    bool any = false;
    for (unsigned i = 0; i < cpe->params->n_peers; i++)
        for (unsigned j = 0; j < cpe->peers[i].n; j++)
            for (unsigned k = 0; k < us->n; k++) {
                enum uplink_family f = uplink_family(&cpe->peers[i].addr[j].ip);
                if (us->all[k].usable[f] && !us->all[k].silent[f])
                    return false;
                any |= us->all[k].usable[f];
            }
    return any;
}
