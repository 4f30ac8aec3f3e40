/* See uplinks.h. */
#include "base/addr.h"
#include "role/uplinks.h"
#include "io/multihoming.h"

enum uplink_family uplink_family(const struct braid_ip *ip)
{
    return ip_is_v4(ip) ? UPLINK_V4 : UPLINK_V6;
}

/* Whether a is to be tried before b, which comes first in the configuration. */
static bool is_better(const struct uplink *a, const struct uplink *b, enum uplink_family f, bool by_cost)
{
    if (a->silent[f] != b->silent[f])
        return b->silent[f];
    if (a->backup != b->backup)
        return b->backup;
    if (by_cost && a->cost != b->cost)
        return a->cost < b->cost;
    return a->srtt[f] > 0 && (b->srtt[f] == 0 || a->srtt[f] < b->srtt[f]);
}

unsigned uplinks_order(const struct uplinks *us, enum uplink_family family, bool by_cost,
                       unsigned order[UPLINKS_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < us->n; i++) {
        if (!us->all[i].usable[family])
            continue;
        unsigned at = n++;
        for (; at > 0 && is_better(&us->all[i], &us->all[order[at - 1]], family, by_cost); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}

bool uplinks_keep_off(const struct uplinks *us, enum uplink_family family)
{
    return family == UPLINK_V6 && (us->multihoming & MULTIHOMING_IPV6);
}

unsigned uplinks_endpoint(const struct uplinks *us, const struct braid_ip *ip)
{
    enum uplink_family f = uplink_family(ip);
    for (unsigned i = 0; us && i < us->n && !ip_is_unspecified(ip); i++)
        if (ip_equal(&us->all[i].ways[f].outer, ip) || ip_equal(&us->all[i].inner[f], ip))
            return UPLINK_ENDPOINT(i, f);
    return 0;
}

int uplinks_find(const struct uplinks *us, const struct braid_ip *inner)
{
    for (unsigned i = 0; i < us->n; i++) {
        if (ip_equal(&us->all[i].inner[uplink_family(inner)], inner))
            return (int)i;
    }
    return -1;
}

const char *uplink_lack_text(enum uplink_lack lack)
{
    static const char *const texts[] = {
        [UPLINK_LACKS_NOTHING] = "nothing is missing",
        [UPLINK_LACKS_INTERFACE] = "there is no such interface",
        [UPLINK_LACKS_CARRIER] = "no carrier",
        [UPLINK_LACKS_ADDRESS] = "no address",
        [UPLINK_LACKS_GATEWAY] = "no default route",
    };
    return texts[lack];
}
