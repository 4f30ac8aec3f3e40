/* The CPE of a chain: the role of the daemon, in virtual time. */
#include "chain.h"

#include "base/addr.h"
#include "role/carried.h"
#include "role/learned.h"
#include "shell.h"

static const char *const names[SIM_PATHS] = {"up0", "up1", "up2", "up3", "up4"};

/* ---- time -------------------------------------------------------------------------- */

static void role_event(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct role *r;

    if (!w->chain || (braid_time)arg != w->chain->role_at || w->failed)
        return;
    w->chain->role_at = BRAID_NEVER;
    r = w->chain->node->roles[0];
    if (r->expires <= w->time.now) {
        r->expires = BRAID_NEVER;
        r->ops->expire(r, w->time.now);
        sim_core_touch(chain_cpe_core(w));
    }
    chain_cpe_plan(w);
}

void chain_cpe_plan(struct world *w)
{
    struct chain *ch = w->chain;
    braid_time at = ch->node ? ch->node->roles[0]->expires : BRAID_NEVER;

    if (at >= ch->role_at)
        return;
    ch->role_at = at < w->time.now ? w->time.now : at;
    vtime_at(&w->time, ch->role_at, role_event, w, (uint64_t)ch->role_at);
}

/* ---- life -------------------------------------------------------------------------- */

void chain_cpe_renewed(struct world *w)
{
    enum uplink_family f = w->s.v6 ? UPLINK_V6 : UPLINK_V4;
    struct uplinks us = {.n = w->s.n_paths};

    for (unsigned i = 0; i < us.n; i++) {
        struct uplink *u = &us.all[i];

        *u = (struct uplink){.name = names[i], .backup = i > 0 && w->s.backup_endpoints};
        u->inner[f] = sim_client_now(w, i);
        u->usable[f] = w->usable[i];
        u->srtt[f] = w->s.race_srtt[i];
    }
    cpes_set_uplinks(w->chain->cpes, &us);
}

static void set_peers(struct world *w)
{
    struct chain *ch = w->chain;

    for (unsigned i = 0; i < ch->params.n_peers; i++) {
        struct targets t = {.addr = {{sim_server_ip(&w->s, i), SIM_PORT}}, .n = 1};

        cpes_set_peer(ch->cpes, 0, i, &t);
    }
}

bool chain_cpe_begin(struct world *w)
{
    const struct siphash_key key = {w->s.seed, 2};
    struct chain *ch = w->chain;

    shell_time(&w->time);
    ch->role_at = BRAID_NEVER;
    ch->params = (struct cpe_params){.name = "lan",
                                     .kind = w->s.chain.convert ? CPE_CONVERT : CPE_TRANSPARENT,
                                     .n_peers = w->s.chain.convert ? w->s.n_addrs : 0,
                                     .port_first = 1,
                                     .port_last = UINT16_MAX,
                                     .sched = w->s.sched[SIM_CLIENT],
                                     .cc = w->s.cc[SIM_CLIENT],
                                     .pm = w->s.pm[SIM_CLIENT],
                                     .checksum = w->s.checksum[SIM_CLIENT],
                                     .no_plain = w->s.race_no_plain};
    ch->base = event_base_new();
    ch->node = ch->base ? node_new(chain_cpe_core(w)->core, ch->base) : NULL;
    if (!ch->node)
        return false;
    ch->node->learned = learned_new(&key, LEARNED_MAX);
    ch->cpes = cpes_new(ch->node, &ch->neighbours, &ch->params, 1);
    if (!ch->cpes || !ch->node->learned)
        return false;
    set_peers(w);
    return true;
}

void chain_cpe_end(struct world *w)
{
    node_free(w->chain->node);
    w->chain->node = NULL;
    if (w->chain->base)
        event_base_free(w->chain->base);
}

/* ---- what it carries --------------------------------------------------------------- */

bool chain_cpe_carries(const struct world *w, const struct braid_addr *local, struct braid_addr *device)
{
    list_each (n, tmp, &w->chain->cpes->all[0]->open) {
        struct carried *cd = list_entry(n, struct carried, link);
        struct braid_addr ours, far, meant;

        if (cd->splice.ends[WAN_END].gone || cd->splice.ends[LAN_END].gone)
            continue;
        braid_conn_addrs(carried_conn(cd, WAN_END), &ours, &far);
        if (addr_equal(&ours, local)) {
            carried_addrs(cd, &meant, device);
            return true;
        }
    }
    return false;
}

static struct carried *carried_for(const struct world *w, uint16_t port)
{
    list_each (n, tmp, &w->chain->cpes->all[0]->open) {
        struct carried *cd = list_entry(n, struct carried, link);
        struct braid_addr meant, device;

        if (cd->splice.ends[LAN_END].gone)
            continue;
        carried_addrs(cd, &meant, &device);
        if (device.port == port)
            return cd;
    }
    return NULL;
}

bool chain_cpe_abort(struct world *w, uint16_t port)
{
    struct carried *cd = carried_for(w, port);

    if (!cd)
        return false;
    sim_trace(w, "the CPE ends what it carries for port %u", port);
    splice_abort(&cd->splice, rng_chance(&w->rng, 0.5) ? LAN_END : WAN_END);
    sim_core_touch(chain_cpe_core(w));
    return true;
}
