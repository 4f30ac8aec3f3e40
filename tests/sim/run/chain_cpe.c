/* The CPE of a chain: the role of the daemon, in virtual time. */
#include "chain.h"

#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "role/carried.h"
#include "role/carried_freeze.h"
#include "role/learned.h"
#include "role/node_handover.h"
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
    }
    /* in any case: one that was handed over may have nothing to do, and chance has to be the same */
    sim_core_touch(chain_cpe_core(w));
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

/* The node and its role, on the core that there is. */
static bool make_node(struct world *w)
{
    const struct siphash_key key = {w->s.seed, 2};
    struct chain *ch = w->chain;

    ch->node = node_new(chain_cpe_core(w)->core, ch->base);
    if (!ch->node)
        return false;
    ch->node->learned = learned_new(&key, LEARNED_MAX);
    ch->cpes = cpes_new(ch->node, &ch->neighbours, &ch->params, 1);
    if (!ch->cpes || !ch->node->learned)
        return false;
    set_peers(w);
    return true;
}

bool chain_cpe_begin(struct world *w)
{
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
    return ch->base && make_node(w);
}

void chain_cpe_end(struct world *w)
{
    node_free(w->chain->node);
    w->chain->node = NULL;
    if (w->chain->base)
        event_base_free(w->chain->base);
}

/* ---- to another node --------------------------------------------------------------- */

bool chain_cpe_ready(const struct sim_core *sc)
{
    const struct world *w = sc->world;

    if (braid_core_dirty(sc->core) || !list_empty(&w->chain->cpes->all[0]->opening))
        return false;
    for (unsigned i = 0; i < w->s.n_conns; i++)
        if (!w->apps[SIM_CLIENT][i].opened ||
            (!w->apps[SIM_SERVER][i].opened && !w->apps[SIM_CLIENT][i].closed))
            return false;
    return true;
}

static const struct profile *no_profile(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return NULL;
}

static unsigned uplink_named(void *arg, const char *name)
{
    const struct world *w = arg;
    unsigned i = 0;

    while (i < w->s.n_paths && strcmp(names[i], name) != 0)
        i++;
    return i < w->s.n_paths ? i : UPLINKS_MAX;
}

static void read_state(struct world *w, const struct node_state *s)
{
    const struct node_thaw_params params = {
        .nodes = &w->chain->node, .n = 1, .profile = no_profile, .uplink = uplink_named, .arg = w};
    struct node_thaw *t = node_thaw_begin(&params);
    const char *why = "memory is short";
    braid_time lost;

    if (t && node_thaw_add(t, s, &why) == 0) {
        node_thaw_commit(t, &lost);
        return;
    }
    sim_fail(w, "the CPE cannot be handed over: %s", why);
    node_thaw_abandon(t);
}

static struct node_state write_state(struct world *w)
{
    struct node_state s;
    const char *why;

    if (node_freeze(w->chain->node, NULL, &s, &why) < 0)
        sim_fail(w, "the CPE cannot be handed over: %s", why);
    return s;
}

/* The core's part of a node's state is in front (node_handover.c). */
static void compare(struct world *w, const struct node_state *a, const struct node_state *b)
{
    size_t len = a->len == b->len ? get64(a->bytes + a->len - 16) : 0;

    if (!w->failed && (a->len != b->len || memcmp(a->bytes, b->bytes, len) != 0))
        sim_fail(w, "a CPE that was handed over differs: %zu bytes, now %zu", a->len, b->len);
}

void chain_cpe_hand_over(struct sim_core *sc)
{
    struct world *w = sc->world;
    struct chain *ch = w->chain;
    struct node_state s = write_state(w), again;
    const struct rng random = sc->random; /* that of the new node's keys is not the world's */

    if (w->failed)
        return;
    cpes_forget_all(ch->cpes);
    node_free(ch->node);
    if (!sim_core_replace(sc) || !make_node(w))
        abort();
    sc->random = random;
    chain_cpe_renewed(w);
    read_state(w, &s);
    if (!w->failed) {
        again = write_state(w);
        compare(w, &s, &again);
        node_state_free(&again);
        chain_cpe_plan(w);
    }
    node_state_free(&s);
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
