/* See edge_here.h. */
#include "base/addr.h"
#include "io/rtnetlink.h"
#include "role/edge_here.h"
#include "role/edge_mode.h"

bool edges_are_on(struct edges *es, const struct braid_ip *ip)
{
    if (!es->netlink)
        es->netlink = rtnetlink_open();
    return !es->netlink || rtnetlink_is_local(es->netlink, ip);
}

static bool has(const struct edge *e, const struct braid_ip *ip)
{
    struct braid_addr own[EDGE_LISTENERS];
    for (unsigned n = e->mode->addresses(e->params, own); n-- > 0;)
        if (ip_equal(&own[n].ip, ip))
            return true;
    for (unsigned i = 0; i < e->params->n_signal; i++)
        if (ip_equal(&e->params->signal[i], ip))
            return true;
    return false;
}

bool edges_have(const struct edges *es, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < es->n; i++)
        if (has(es->edges[i], ip))
            return true;
    list_each (at, next, &es->leaving)
        if (has(list_entry(at, struct edge, link), ip))
            return true;
    return false;
}
