/* The machines of a chain and the ways between them: see chain.h. */
#include "chain.h"

#include <stdlib.h>
#include "base/addr.h"

/* ---- ways -------------------------------------------------------------------------- */

static bool is_to(const struct frame *f, struct braid_ip ip)
{
    struct braid_ip src, dst;

    frame_addrs(f, &src, &dst);
    return ip_equal(&dst, &ip);
}

static bool is_to_device(const struct world *w, const struct frame *f)
{
    return is_to(f, sim_device_ip(&w->s));
}

static bool is_to_server(const struct world *w, const struct frame *f)
{
    return is_to(f, sim_legacy_ip(&w->s));
}

/* Everything of the LAN comes to the CPE's core, which passes back what it does not take. The exit routes
 * what is not its own. */
static void from_hop(void *ctx, struct frame *f)
{
    struct hop *h = ctx;
    struct world *w = h->world;

    if (h == &w->chain->to_exit && w->chain->away)
        frame_free(f);
    else if (h == &w->chain->to_exit && !is_to(f, sim_server_ip(&w->s, 0)))
        net_send(w, SIM_SERVER, f);
    else
        net_arrive(&h->nic, f);
}

/* All of these are of one size. */
static void no_refusal(void *ctx, struct frame *icmp)
{
    struct hop *h = ctx;

    sim_fail(h->world, "a packet is too big for the LAN");
    frame_free(icmp);
}

static void hop_init(struct hop *h, struct world *w, const struct link_params *p, struct sim_core *to)
{
    unsigned n = (unsigned)(h - &w->chain->to_device);

    h->world = w;
    h->nic = (struct sim_nic){.world = w, .side = to->side, .core = to, .last = &h->nic.first};
    h->nic.rng = rng_make(w->s.seed, 40 + 2 * n);
    link_init(&h->link, p, &w->time, rng_make(w->s.seed, 41 + 2 * n));
    h->link.ctx = h;
    h->link.deliver = from_hop;
    h->link.refuse = no_refusal;
}

static void hop_free(struct hop *h)
{
    while (h->nic.first) {
        struct frame *f = h->nic.first;

        h->nic.first = f->next;
        frame_free(f);
    }
    link_free(&h->link);
}

static void hop_send(struct hop *h, const char *tag, struct frame *f)
{
    trace_frame(h->world, tag, f);
    link_send(&h->link, f);
}

/* What the CPE passes back goes straight to the server, from the device's own address. */
static void send_frame(struct sim_core *from, struct frame *f)
{
    struct world *w = from->world;
    struct chain *ch = w->chain;

    if (!frame_valid(f))
        sim_fail(w, "a packet with a wrong length or checksum");
    if (from->outer && from->side == SIM_CLIENT)
        hop_send(&ch->to_cpe, "dev>", f);
    else if (from->outer)
        hop_send(&ch->to_exit, "<srv", f);
    else if (from->side == SIM_CLIENT && is_to_device(w, f))
        hop_send(&ch->to_device, "<dev", f);
    else if (from->side == SIM_SERVER && is_to_server(w, f))
        hop_send(&ch->to_server, "srv>", f);
    else
        net_send(w, from->side, f);
}

static bool is_to_dead_address(const struct world *w, const struct frame *f)
{
    for (unsigned i = 0; i < w->s.n_addrs; i++)
        if (w->s.chain.manners[i] == CONVERTER_DEAD && is_to(f, sim_server_ip(&w->s, i)))
            return true;
    return false;
}

/* What a link has damaged would be dropped where it ends. It is here, since links complete checksums, and
 * would make a right one for it. */
static bool passes(struct world *w, unsigned side, struct frame *f)
{
    if (!frame_valid(f)) {
        frame_free(f);
        return true;
    }
    if (side == SIM_CLIENT) {
        if (!is_to_device(w, f))
            return false;
        hop_send(&w->chain->to_device, "<dev", f);
        return true;
    }
    if (w->chain->away || is_to_dead_address(w, f)) {
        frame_free(f);
        return true;
    }
    if (!is_to_server(w, f))
        return false;
    hop_send(&w->chain->to_server, "srv>", f);
    return true;
}

/* ---- life -------------------------------------------------------------------------- */

static void begin(struct world *w)
{
    struct chain *ch = calloc(1, sizeof(*ch));

    if (!ch)
        abort();
    w->chain = ch;
    for (unsigned side = 0; side < SIM_SIDES; side++)
        if (!sim_core_init_outer(&w->outer[side], w, side))
            abort();
    hop_init(&ch->to_device, w, &w->s.chain.lan, &w->outer[SIM_CLIENT]);
    hop_init(&ch->to_cpe, w, &w->s.chain.lan, chain_cpe_core(w));
    hop_init(&ch->to_server, w, &w->s.chain.backhaul, &w->outer[SIM_SERVER]);
    hop_init(&ch->to_exit, w, &w->s.chain.backhaul, chain_exit_core(w));
    if (!chain_cpe_begin(w) || !chain_exit_begin(w) || !chain_server_begin(w))
        sim_fail(w, "the relays cannot be made");
}

static void end(struct world *w)
{
    struct chain *ch = w->chain;

    chain_cpe_end(w);
    chain_exit_end(w);
    chain_server_end(w);
    hop_free(&ch->to_device);
    hop_free(&ch->to_cpe);
    hop_free(&ch->to_server);
    hop_free(&ch->to_exit);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        sim_core_free(&w->outer[side]);
    w->chain = NULL;
    free(ch);
}

/* ---- what happens ------------------------------------------------------------------ */

/* The device takes the far machine for the server, unless that is a converter. */
static void opens(const struct app *a, struct braid_addr *local, struct braid_addr *remote)
{
    const struct scenario *s = &a->world->s;

    *local = (struct braid_addr){sim_device_ip(s), (uint16_t)a->port};
    *remote = (struct braid_addr){s->chain.convert ? sim_legacy_ip(s) : sim_server_ip(s, 0), SIM_PORT};
}

static void established(const struct app *a)
{
    chain_server_settle(a->world);
}

static void touched(struct sim_core *sc)
{
    if (sc == chain_cpe_core(sc->world))
        chain_cpe_plan(sc->world);
}

static bool act(struct world *w, const struct action *a)
{
    const struct app *device = &w->apps[SIM_CLIENT][a->conn];

    if (a->kind == ACT_RELAY_DIE) {
        chain_exit_die(w, a->b * BRAID_MS);
        return true;
    }
    if (!device->conn)
        return device->opened;
    return a->a == 0 ? chain_cpe_abort(w, (uint16_t)device->port)
                     : chain_exit_abort(w, (uint16_t)device->port);
}

static bool is_cpe(const struct sim_core *sc)
{
    return sc == chain_cpe_core(sc->world);
}

static const char *listens(struct sim_core *sc)
{
    if (!sc->outer)
        return chain_exit_listens(sc->world);
    return sc->side == SIM_SERVER ? chain_server_listens(sc->world) : NULL;
}

static void moved(struct sim_core *sc, const struct sim_moved *m)
{
    if (!sc->outer)
        chain_exit_moved(sc->world, m);
    else if (sc->side == SIM_SERVER)
        chain_server_moved(sc->world, m);
}

static const char *left(const struct world *w)
{
    const struct chain *ch = w->chain;

    if (ch->node->n_conns > 0)
        return "the CPE still carries something";
    if (!list_empty(&ch->passages))
        return "the exit still carries something";
    return list_empty(&ch->guests) ? NULL : "the server has a connection that was nobody's";
}

const struct sim_middle sim_chain = {.begin = begin,
                                     .end = end,
                                     .send = send_frame,
                                     .passes = passes,
                                     .opens = opens,
                                     .established = established,
                                     .incoming = chain_server_incoming,
                                     .touched = touched,
                                     .renewed = chain_cpe_renewed,
                                     .act = act,
                                     .listens = listens,
                                     .moved = moved,
                                     .has_node = is_cpe,
                                     .is_ready = chain_cpe_ready,
                                     .hand_over = chain_cpe_hand_over,
                                     .left = left};
