/* See uplink_plan.h. */
#include <linux/rtnetlink.h>
#include "base/addr.h"
#include "service/uplink_plan.h"

/* Better addresses have a higher rank; 0: not one to be used. A temporary IPv6 address would be gone
 * tomorrow, and with it the subflows; one of a private site (ULA) leads out only where there is translation.
 */
static unsigned rank_of(const struct link_addr *a, const struct braid_ip *in_use)
{
    bool ula = !ip_is_v4(&a->ip) && (a->ip.b[0] & 0xfe) == 0xfc;
    if (!a->ready || !a->global)
        return 0;
    return 1 + 8 * !a->waning + 4 * !ula + 2 * ip_equal(&a->ip, in_use) + !a->secondary;
}

/* Unspecified: there is none. Of those alike the first counts. */
static struct braid_ip choose_address(const struct link_seen *seen, enum uplink_family family,
                                      const struct braid_ip *in_use)
{
    struct braid_ip best = {0};
    unsigned rank = 0;
    for (unsigned i = 0; i < seen->n_addrs; i++) {
        const struct link_addr *a = &seen->addrs[i];
        unsigned r = uplink_family(&a->ip) == family ? rank_of(a, in_use) : 0;
        if (r > rank) {
            rank = r;
            best = a->ip;
        }
    }
    return best;
}

static bool is_of_uplinks(uint32_t table)
{
    return table >= UPLINK_TABLE(0) && table < UPLINK_TABLE(UPLINKS_MAX);
}

/* The main table's comes before that of an interface's own table, then the lowest metric counts. */
static bool is_better(const struct link_default *a, const struct link_default *b)
{
    bool a_main = a->table == RT_TABLE_MAIN, b_main = b->table == RT_TABLE_MAIN;
    return a_main != b_main ? a_main : a->metric < b->metric;
}

/* NULL: there is none but our own. */
static const struct link_default *choose_default(const struct link_seen *seen, bool v6)
{
    const struct link_default *best = NULL;
    for (unsigned i = 0; i < seen->n_defaults; i++) {
        const struct link_default *d = &seen->defaults[i];
        if (d->v6 == v6 && !is_of_uplinks(d->table) && (!best || is_better(d, best)))
            best = d;
    }
    return best;
}

static bool is_routed(const struct link_seen *seen, bool v6, uint32_t table, const struct braid_ip *gateway)
{
    for (unsigned i = 0; i < seen->n_defaults; i++) {
        const struct link_default *d = &seen->defaults[i];
        if (d->v6 == v6 && d->table == table && ip_equal(&d->gateway, gateway))
            return true;
    }
    return false;
}

static struct uplink_way lacking(enum uplink_lack lack)
{
    return (struct uplink_way){.lack = lack};
}

static struct uplink_way plan_way(const struct uplink_params *params, enum uplink_family family,
                                  const struct link_seen *seen, const struct uplink_way *before)
{
    bool v6 = family == UPLINK_V6;
    if (seen->ifindex == 0)
        return lacking(UPLINK_LACKS_INTERFACE);
    if (!seen->carrier)
        return lacking(UPLINK_LACKS_CARRIER);
    struct uplink_way way = {.outer = choose_address(seen, family, &before->outer)};
    if (ip_is_unspecified(&way.outer))
        return lacking(UPLINK_LACKS_ADDRESS);
    const struct link_default *found = choose_default(seen, v6);
    if (!ip_is_unspecified(&params->gateway[family]))
        way.gateway = params->gateway[family];
    else if (found)
        way.gateway = found->gateway;
    else if (!seen->point_to_point)
        return lacking(UPLINK_LACKS_GATEWAY);
    return way;
}

struct uplink_state uplink_plan(const struct uplink_params *params, unsigned i, const struct link_seen *seen,
                                const struct uplink_state *before)
{
    struct uplink_state state = {.ifindex = seen->ifindex};
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        state.ways[f] = plan_way(params, f, seen, &before->ways[f]);
        state.routed[f] = state.ways[f].lack == UPLINK_LACKS_NOTHING &&
                          is_routed(seen, f == UPLINK_V6, UPLINK_TABLE(i), &state.ways[f].gateway);
    }
    return state;
}

bool uplink_way_changed(const struct uplink_way *a, const struct uplink_way *b)
{
    return a->lack != b->lack || !ip_equal(&a->outer, &b->outer) || !ip_equal(&a->gateway, &b->gateway);
}
