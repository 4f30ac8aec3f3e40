/* The CPEs of one worker: listening, ending, and what can be asked about them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/netlink.h"
#include "role/askers.h"
#include "role/carried.h"
#include "role/cpe_cookies.h"
#include "role/cpe_opening.h"
#include "role/cpe_refuse.h"
#include "role/cpe_sockets.h"

/* ---- life ------------------------------------------------------------------------------------ */

static struct braid_listen_params listen_params(struct cpe *cpe)
{
    const struct cpe_params *p = cpe->params;
    return (struct braid_listen_params){.port_first = p->port_first,
                                        .port_last = p->port_last,
                                        .wants = cpe_wants,
                                        .clients = BRAID_CLIENTS_PLAIN,
                                        .name = p->name,
                                        .cc = p->cc,
                                        .sched = p->sched,
                                        .ops = &cpe_lan_ops,
                                        .ctx = cpe};
}

/* Any address of the family. */
static struct braid_listener *listen_to(struct cpe *cpe, enum uplink_family family)
{
    struct braid_listen_params listen = listen_params(cpe);
    if (family == UPLINK_V4)
        listen.addr.ip = ip_from_v4((const uint8_t[4]){0});
    return braid_listen(cpe->owner->role.node->core, &listen);
}

/* Of the kernel's, which it would go on filling while they rest: so they are closed. */
static void close_sockets(struct cpe *cpe)
{
    for (unsigned i = 0; i < CPE_LISTEN_MAX; i++) {
        cpe_listener_free(cpe->sockets[i]);
        cpe->sockets[i] = NULL;
    }
}

static int open_sockets(struct cpe *cpe)
{
    for (unsigned i = 0; i < cpe->params->n_listen; i++) {
        if (!cpe->sockets[i])
            cpe->sockets[i] = cpe_listener_new(cpe, &cpe->params->listen[i]);
        if (!cpe->sockets[i])
            return -1;
    }
    return 0;
}

int cpe_rest(struct cpe *cpe)
{
    int result = 0;
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        if (cpe->listeners[f] && cpe->drained)
            braid_listener_rest(cpe->listeners[f]);
        else if (cpe->listeners[f] && braid_listener_resume(cpe->listeners[f]) < 0)
            result = -1;
    }
    if (cpe->drained)
        close_sockets(cpe);
    else if (!cpe->owner->role.node->drained && open_sockets(cpe) < 0)
        result = -1;
    return result;
}

int cpe_listen(struct cpe *cpe)
{
    struct braid_listen_params listen = listen_params(cpe);
    for (unsigned f = 0; f < UPLINK_FAMILIES && !cpe->params->tproxy; f++) {
        if (cpe->listeners[f])
            braid_listener_change(cpe->listeners[f], &listen);
        else
            cpe->listeners[f] = listen_to(cpe, f);
        if (!cpe->listeners[f])
            return -1;
    }
    return cpe_rest(cpe);
}

struct cpe *cpe_new(struct cpes *cs, const struct cpe_params *params)
{
    struct cpe *cpe = calloc(1, sizeof(*cpe));
    if (!cpe)
        return NULL;
    cpe->splices =
        (struct splice_owner){.events = &carried_events, .splicer = cs->role.node->splicer, .group = cs};
    cpe->owner = cs;
    cpe->params = params;
    list_init(&cpe->opening);
    list_init(&cpe->open);
    return cpe;
}

void cpe_stop(struct cpe *cpe)
{
    cpe_refuse_all(cpe);
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        if (cpe->listeners[f])
            braid_unlisten(cpe->listeners[f]);
        cpe->listeners[f] = NULL;
    }
    close_sockets(cpe);
}

static void drop_all(struct list *carried)
{
    while (!list_empty(carried)) {
        struct carried *cd = list_entry(carried->next, struct carried, link);
        carried_ends(cd, FAREWELL_PROXY);
        splice_drop(&cd->splice);
        carried_free(cd);
    }
}

void cpe_free(struct cpe *cpe)
{
    cpe_stop(cpe);
    drop_all(&cpe->opening);
    drop_all(&cpe->open);
    hold_put(cpe->hold);
    free(cpe);
}

struct cpe *cpes_find(const struct cpes *cs, const char *name)
{
    for (unsigned i = 0; i < cs->n; i++)
        if (strcmp(cs->all[i]->params->name, name) == 0)
            return cs->all[i];
    return NULL;
}

static void pass_counters_on(const struct cpes *cs, struct cpe *cpe)
{
    struct cpe *heir = cpes_find(cs, cpe->params->name);
    for (unsigned i = 0; heir && i < CPE_COUNTER_MAX; i++)
        heir->counters.v[i] += cpe->counters.v[i];
    for (unsigned i = 0; heir && i < CPE_TIME_MAX; i++)
        durations_add(&heir->counters.times[i], &cpe->counters.times[i]);
    memset(cpe->counters.v, 0, sizeof(cpe->counters.v));
    memset(cpe->counters.times, 0, sizeof(cpe->counters.times));
}

void cpes_sweep(struct cpes *cs)
{
    list_each (at, next, &cs->leaving) {
        struct cpe *cpe = list_entry(at, struct cpe, link);
        pass_counters_on(cs, cpe);
        if (!cpe_is_empty(cpe))
            continue;
        list_remove(&cpe->link);
        cpe_free(cpe);
    }
}

static struct cpes *cpes_of_role(struct role *r)
{
    return list_entry(r, struct cpes, role);
}

static void cpes_stop(struct role *r)
{
    struct cpes *cs = cpes_of_role(r);
    for (unsigned i = 0; i < cs->n; i++)
        cpe_stop(cs->all[i]);
}

static void cpes_expire(struct role *r, braid_time now)
{
    struct cpes *cs = cpes_of_role(r);
    wheel_run(&cs->timers, now);
    cpes_sweep(cs);
    role_expire_at(r, wheel_next(&cs->timers));
}

static void cpes_free(struct role *r)
{
    struct cpes *cs = cpes_of_role(r);
    for (unsigned i = 0; i < cs->n; i++)
        cpe_free(cs->all[i]);
    list_each (at, next, &cs->leaving)
        cpe_free(list_entry(at, struct cpe, link));
    netlink_close(cs->netlink);
    askers_free(cs->askers);
    cpe_cookies_free(cs->cookies);
    htable_free(&cs->by_ends);
    free(cs->all);
    free(cs);
}

static bool cpes_tell(const struct role *r, const struct braid_conn *c, struct relayed *out)
{
    const struct cpes *cs = list_entry(r, const struct cpes, role);
    bool is_wan;
    const struct carried *cd = carried_of(cs, c, &is_wan);
    if (!cd)
        return false;
    const struct end *lan = &cd->splice.ends[LAN_END], *other = &cd->splice.ends[!is_wan];
    bool by_core = !cd->socket;
    out->wan = is_wan;
    out->cpe = carried_cpe(cd)->params->name;
    if (!by_core || !lan->gone)
        carried_addrs(cd, &out->meant, &out->client);
    if (by_core && other->ops && !other->gone)
        out->other = braid_conn_id(other->conn);
    out->server = cd->far;
    out->profile = cd->profile.profile;
    out->policy = cd->policy;
    out->now = profile_in_force(&cd->profile);
    return true;
}

/* That of the connection over the uplinks, whichever of the two is named: there it makes a difference. */
static void cpes_set_profile(struct role *r, struct braid_conn *c, const struct profile *p)
{
    bool is_wan;
    struct carried *cd = carried_of(cpes_of_role(r), c, &is_wan);
    const struct end *wan = &cd->splice.ends[WAN_END];
    profile_choose(&cd->profile, p);
    if (p && wan->ops && !wan->gone)
        profile_apply(&cd->profile, wan->conn, carried_cpe(cd)->params->pm, clock_now());
}

static void cpes_set_own(struct role *r, struct braid_conn *c, const struct profile_own *own)
{
    bool is_wan;
    struct carried *cd = carried_of(cpes_of_role(r), c, &is_wan);
    const struct end *wan = &cd->splice.ends[WAN_END];
    if (wan->ops && !wan->gone)
        profile_set_own(&cd->profile, wan->conn, own);
}

static const struct role_ops cpes_role = {.stop = cpes_stop,
                                          .expire = cpes_expire,
                                          .free = cpes_free,
                                          .tell = cpes_tell,
                                          .set_profile = cpes_set_profile,
                                          .set_own = cpes_set_own};

struct askers *cpe_askers(const struct cpe_neighbours *neighbours, bool *failed)
{
    *failed = false;
    for (unsigned i = 0; i < neighbours->n_policies; i++) {
        if (!policy_is_of_askers(&neighbours->policies[i]))
            continue;
        struct askers *a = askers_new(neighbours->policies, neighbours->n_policies);
        *failed = !a;
        return a;
    }
    return NULL;
}

static bool make_all(struct cpes *cs, const struct cpe_params *params, unsigned n)
{
    bool failed;
    cs->cookies = cpe_cookies_new();
    cs->all = calloc(n + 1, sizeof(cs->all[0]));
    cs->askers = cpe_askers(&cs->neighbours, &failed);
    bool made = cs->cookies && cs->all && htable_init(&cs->by_ends) == 0 && !failed;
    for (unsigned i = 0; i < n && made; i++) {
        cs->all[i] = cpe_new(cs, &params[i]);
        made = cs->all[i];
        cs->n += made;
    }
    for (unsigned i = 0; i < n && made; i++)
        made = cpe_listen(cs->all[i]) == 0;
    return made;
}

struct cpes *cpes_new(struct node *node, const struct cpe_neighbours *neighbours,
                      const struct cpe_params *params, unsigned n)
{
    struct cpes *cs = calloc(1, sizeof(*cs));
    if (!cs)
        return NULL;
    cs->role.node = node;
    cs->neighbours = *neighbours;
    list_init(&cs->leaving);
    wheel_init(&cs->timers, clock_now());
    ssize_t got = getrandom(&cs->key, sizeof(cs->key), 0);
    assert(got == sizeof(cs->key)); /* so few bytes are never cut short */
    if (!make_all(cs, params, n)) {
        cpes_free(&cs->role);
        return NULL;
    }
    node_add(node, &cs->role, &cpes_role);
    return cs;
}

struct cpes *cpes_of(const struct node *node)
{
    struct role *r = node_role(node, &cpes_role);
    return r ? cpes_of_role(r) : NULL;
}

void cpes_set_peer(struct cpes *cs, unsigned i, unsigned peer, const struct targets *targets)
{
    cs->all[i]->peers[peer] = *targets;
}

unsigned cpes_peers(const struct cpes *cs, enum uplink_family family, struct braid_addr *out, unsigned max)
{
    unsigned n = 0;
    for (unsigned i = 0; i < cs->n * CPE_PEERS_MAX; i++) {
        const struct targets *t = &cs->all[i / CPE_PEERS_MAX]->peers[i % CPE_PEERS_MAX];
        for (unsigned j = 0; j < t->n && n < max; j++)
            if (uplink_family(&t->addr[j].ip) == family)
                out[n++] = t->addr[j];
    }
    return n;
}

void cpes_set_uplinks(struct cpes *cs, const struct uplinks *uplinks)
{
    cs->uplinks = *uplinks;
}

void cpes_forget(struct cpes *cs, unsigned uplink)
{
    cpe_cookies_forget(cs->cookies, uplink);
}

/* ---- looking inside -------------------------------------------------------------------------- */

unsigned cpes_count(const struct cpes *cs)
{
    return cs->n;
}

const struct cpe_params *cpes_params(const struct cpes *cs, unsigned i)
{
    return cs->all[i]->params;
}

const struct cpe_counters *cpes_counters(const struct cpes *cs, unsigned i)
{
    return &cs->all[i]->counters;
}

bool cpes_are_drained(const struct cpes *cs, unsigned i)
{
    return cs->all[i]->drained;
}
