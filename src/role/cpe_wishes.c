/* RFC 6897 section 4.2.1: a program that binds to a specific address knows nothing of several paths, and
 * means this one. Its SYN has another source than the one that routing gives (the TUN's), so it is known even
 * of programs that have told us nothing. Who binds to an interface is not carried at all, since routes into
 * the TUN are not that interface's. */
#include "role/cpe_wishes.h"
#include "base/addr.h"
#include "io/clock.h"
#include "io/params.h"
#include "role/askers.h"
#include "role/carried.h"
#include "role/cpe_here.h"
#include "role/cpe_lanes.h"

/* The TUN's address, of a subnet with the uplinks' inner ones. */
static bool is_own(const struct cpes *cs, const struct braid_ip *ip)
{
    struct braid_ip own;
    if (cs->uplinks.n == 0)
        return false;
    own = cs->uplinks.all[0].inner[uplink_family(ip)];
    own.b[sizeof(own.b) - 1] = TUN_OWN_ADDRESS;
    return ip_equal(&own, ip);
}

/* Section 5.3.2: if it has enabled MPTCP or named addresses as well, these and the one that it has bound to
 * are used, and no others. */
static void respect_bound(struct cpes *cs, const struct braid_ip *bound, struct wish *w)
{
    unsigned endpoint = uplinks_endpoint(&cs->uplinks, bound);
    if (endpoint == 0) /* mostly a device of the LAN */
        return;
    w->plain = w->plain || !w->aware;
    w->endpoints = w->endpoints == UPLINK_ENDPOINTS ? endpoint : w->endpoints | endpoint;
}

/* Whether this is an address by which routing has a connection of this machine begin. What comes by way of a
 * socket has the uplink's, as far as the program has not bound it: which of the two, nobody can tell. */
static bool is_routed(struct cpe *cpe, const struct braid_ip *ip)
{
    return cpe->params->tproxy ? cpe_is_here(cpe->owner, ip) : is_own(cpe->owner, ip);
}

struct wish cpe_wish_of(struct cpe *cpe, const struct braid_addr *client, const struct braid_addr *meant)
{
    struct cpes *cs = cpe->owner;
    struct wishes *ws = cs->role.node->wishes;
    struct wish w = {.endpoints = UPLINK_ENDPOINTS};
    if (wishes_wait(ws))
        wishes_take(ws, client, meant, is_routed(cpe, &client->ip), &w, clock_now());
    if (!cpe->params->tproxy)
        respect_bound(cs, &client->ip, &w);
    return w;
}

struct who_asks {
    struct askers *askers;
    const struct braid_addr *client, *meant;
};

static void look_who(void *arg, struct policy_asker *out)
{
    const struct who_asks *w = arg;
    askers_look(w->askers, w->client, w->meant, out);
}

/* RFC 6897 section 4.5: for a program that says nothing. What it says itself comes before. */
const struct policy *cpe_wish_by_policy(struct cpe *cpe, const struct braid_addr *client,
                                        const struct braid_addr *meant, struct wish *w)
{
    const struct cpe_neighbours *nb = &cpe->owner->neighbours;
    struct who_asks asks = {cpe->owner->askers, client, meant};
    const struct policy *p = policy_find(nb->policies, nb->n_policies, meant, w->policies, look_who, &asks);
    if (!p)
        return NULL;
    cpe->counters.v[CPE_BY_POLICY]++;
    if (!w->aware)
        w->plain |= p->plain;
    if (!w->named)
        w->endpoints &= p->endpoints;
    if (!w->profile)
        w->profile = p->profile;
    return p;
}

void cpe_wish_keep_off(struct cpe *cpe, const struct braid_addr *meant, struct wish *w)
{
    const struct cpe_wish asks = {.meant = meant, .of_program = w, .now = clock_now()};
    struct race_lane lanes[RACE_LANES];
    bool transparent = cpe->params->kind == CPE_TRANSPARENT;
    if (w->plain || !uplinks_keep_off(&cpe->owner->uplinks, UPLINK_V6) ||
        (transparent ? ip_is_v4(&meant->ip) : cpe_lanes(cpe, &asks, lanes) > 0))
        return;
    w->plain = true;
    cpe->counters.v[CPE_KEPT_OFF]++;
}

/* That there is no memory for all of it is no reason to refuse what was asked for. */
void cpe_wish_begin(struct carried *cd, struct braid_conn *c)
{
    const struct demands *d = &cd->asking->wish.demands;
    const struct profile_own own = demands_own(d);
    profile_set_own(&cd->profile, c, &own);
    demands_core(c, &d->numbers, cd->preamble);
}

unsigned cpe_wish_addrs(const struct cpe *cpe, const struct wish *wish, struct braid_addr out[CPE_WISH_ADDRS])
{
    const struct uplinks *us = &cpe->owner->uplinks;
    bool all = wish->endpoints == UPLINK_ENDPOINTS && !uplinks_keep_off(us, UPLINK_V6);
    unsigned n = 0;
    for (unsigned i = 0; !all && i < us->n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            if (wish->endpoints & UPLINK_ENDPOINT(i, f) && !uplinks_keep_off(us, f))
                out[n++] = (struct braid_addr){.ip = us->all[i].inner[f], .port = wish->port[i][f]};
    return n;
}

/* ---- ports ----------------------------------------------------------------------------------------------
 */

/* Whether none of these can be connected to from local; false: there is none of its family. */
static bool all_taken(const struct braid_core *core, const struct braid_addr *local,
                      const struct targets *remotes)
{
    bool any = false;
    for (unsigned i = 0; i < remotes->n; i++) {
        const struct braid_addr *remote = &remotes->addr[i];
        if (!ip_is_pair(&local->ip, &remote->ip))
            continue;
        if (braid_core_can_bind(core, local, remote))
            return false;
        any = true;
    }
    return any;
}

static bool is_taken(const struct cpe *cpe, const struct braid_addr *local, const struct braid_addr *meant)
{
    const struct braid_core *core = cpe->owner->role.node->core;
    const struct targets server = {.addr = {*meant}, .n = 1};
    bool taken = cpe->params->n_peers == 0 && all_taken(core, local, &server);
    for (unsigned i = 0; i < cpe->params->n_peers; i++)
        taken |= all_taken(core, local, &cpe->peers[i]);
    return taken;
}

bool cpes_can_bind(const struct cpes *cs, const struct wish *wish, const struct braid_addr *meant)
{
    struct braid_addr named[CPE_WISH_ADDRS];
    for (unsigned i = 0; i < cs->n; i++) {
        const struct cpe *cpe = cs->all[i];
        if (meant->port < cpe->params->port_first || meant->port > cpe->params->port_last)
            continue;
        for (unsigned n = cpe_wish_addrs(cpe, wish, named); n-- > 0;)
            if (named[n].port > 0 && is_taken(cpe, &named[n], meant))
                return false;
    }
    return true;
}
