/* The network between the two sides: which path a packet takes, on which side of the wire its boxes stand,
 * and the interface cards that gather arriving packets into batches, merge segments and choose a worker. */
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "world.h"

struct braid_ip sim_client_ip(const struct scenario *s, unsigned path)
{
    uint8_t v4[4] = {10, 0, (uint8_t)path, 1};
    struct braid_ip v6 = {{0xfd, 0, 0, 0, 0, 0, 0, (uint8_t)path, 0, 0, 0, 0, 0, 0, 0, 1}};

    return s->v6 ? v6 : ip_from_v4(v4);
}

struct braid_ip sim_server_ip(const struct scenario *s, unsigned n)
{
    uint8_t v4[4] = {10, 9, 0, (uint8_t)(1 + n)};
    struct braid_ip v6 = {{0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(1 + n)}};

    return s->v6 ? v6 : ip_from_v4(v4);
}

struct braid_ip sim_device_ip(const struct scenario *s)
{
    struct braid_ip v6 = {{0xfd, 8, [15] = 1}};

    return s->v6 ? v6 : ip_from_v4((const uint8_t[4]){10, 8, 0, 1});
}

struct braid_ip sim_legacy_ip(const struct scenario *s)
{
    struct braid_ip v6 = {{0xfd, 7, [15] = 1}};

    return s->v6 ? v6 : ip_from_v4((const uint8_t[4]){10, 7, 0, 1});
}

struct braid_ip sim_client_now(const struct world *w, unsigned path)
{
    struct braid_ip ip = sim_client_ip(&w->s, path);

    ip.b[15] = (uint8_t)(ip.b[15] + w->renewed[path]);
    return ip;
}

/* A device's address is not the client's, which passes on packets of it (run/chain.h). */
static bool is_foreign(const struct world *w, const struct braid_ip *ip)
{
    struct braid_ip device = sim_device_ip(&w->s);

    return w->chain && ip_equal(ip, &device);
}

/* Packets of an address that the client has lost go nowhere. */
static bool is_of_the_past(const struct sim_dir *d, const struct frame *f)
{
    struct braid_ip src, dst, now = sim_client_now(d->world, d->path);

    frame_addrs(f, &src, &dst);
    if (d->to == SIM_CLIENT)
        src = dst;
    return !ip_equal(&src, &now) && !is_foreign(d->world, &src);
}

/* ---- interface cards --------------------------------------------------------------- */

static void poll(void *ctx, uint64_t arg)
{
    struct sim_nic *nic = ctx;
    struct world *w = nic->world;
    struct frame *list = nic->first;

    (void)arg;
    nic->planned = false;
    nic->first = NULL;
    nic->last = &nic->first;
    if (w->s.gro[nic->side])
        list = frame_gro(list);
    while (list) {
        struct frame *f = list;
        struct sim_core *c = nic->core ? nic->core : sim_core_for(w, nic->side, f, &nic->rng);
        bool csum_ok = f->partial || w->unchecked || (rng_chance(&nic->rng, w->s.verified) && frame_valid(f));

        struct braid_input in = {.csum_ok = csum_ok, .gso_size = f->gso_size};

        list = f->next;
        if (!w->failed && !sim_fragments(c, f, &nic->rng))
            sim_core_input(c, f, &in);
        frame_free(f);
    }
}

void net_arrive(struct sim_nic *nic, struct frame *f)
{
    struct world *w = nic->world;

    f->next = NULL;
    *nic->last = f;
    nic->last = &f->next;
    if (nic->planned)
        return;
    nic->planned = true;
    vtime_at(&w->time, w->time.now + rng_range(&nic->rng, 0, w->s.poll[nic->side]), poll, nic, 0);
}

static void arrive(struct sim_dir *d, struct frame *f)
{
    struct world *w = d->world;
    struct frame_view v = frame_look(f);

    if (d->to == SIM_CLIENT && is_of_the_past(d, f)) {
        frame_free(f);
        return;
    }
    if (v.tcp && f->len > v.payload)
        d->payload_at = w->time.now;
    if (!w->chain || !w->s.chain.middle->passes(w, d->to, f))
        net_arrive(&w->nics[d->to], f);
}

/* ---- paths ------------------------------------------------------------------------- */

/* The boxes of a path stand at one of its ends: before the wire for what comes from there, behind it for what
 * goes there. */
static bool boxes_are_at(const struct sim_dir *d, unsigned side)
{
    return d->world->s.boxes_at_server == (side == SIM_SERVER);
}

static void from_wire(void *ctx, struct frame *f)
{
    struct sim_dir *d = ctx;

    if (boxes_are_at(d, d->to))
        boxes_enter(d->world, d->path, d->to, f);
    else
        arrive(d, f);
}

void net_past_boxes(struct world *w, unsigned path, unsigned to, struct frame *f)
{
    struct sim_dir *d = &w->dirs[path][to];

    if (boxes_are_at(d, to))
        arrive(d, f);
    else
        link_send(&d->link, f);
}

/* An ICMP error travels back on the other direction of the path. */
static void refuse(void *ctx, struct frame *icmp)
{
    struct sim_dir *d = ctx;

    trace_frame(d->world, "icmp", icmp);
    link_send(&d->world->dirs[d->path][!d->to].link, icmp);
}

static struct sim_dir *route(struct world *w, unsigned side, const struct frame *f)
{
    struct braid_ip src, dst;
    const struct braid_ip *client = side == SIM_CLIENT ? &src : &dst;
    unsigned path;

    /* The last byte may be that of a NAT. */
    frame_addrs(f, &src, &dst);
    path = w->s.v6 ? client->b[7] : client->b[14];
    return path < w->s.n_paths ? &w->dirs[path][!side] : NULL;
}

void net_send(struct world *w, unsigned side, struct frame *f)
{
    struct sim_dir *d = route(w, side, f);

    if (!d) {
        sim_fail(w, "a packet to nowhere");
        frame_free(f);
        return;
    }
    trace_frame(w, side == SIM_CLIENT ? "c>" : "<s", f);
    if (side == SIM_CLIENT && is_of_the_past(d, f)) {
        frame_free(f);
        return;
    }
    if (boxes_are_at(d, side))
        boxes_enter(w, d->path, d->to, f);
    else
        link_send(&d->link, f);
}

void net_init(struct world *w)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        struct sim_nic *nic = &w->nics[side];

        *nic = (struct sim_nic){.world = w, .side = side, .last = &nic->first};
        nic->rng = rng_make(w->s.seed, 10 + side);
    }
    for (unsigned i = 0; i < w->s.n_paths; i++)
        for (unsigned to = 0; to < SIM_SIDES; to++) {
            struct sim_dir *d = &w->dirs[i][to];
            const struct link_params *p = to == SIM_SERVER ? &w->s.up[i] : &w->s.down[i];

            *d = (struct sim_dir){.world = w, .path = i, .to = to};
            link_init(&d->link, p, &w->time, rng_make(w->s.seed, 20 + 2 * i + to));
            d->link.ctx = d;
            d->link.deliver = from_wire;
            d->link.refuse = refuse;
            if (p->shares)
                model_share(&d->link.model, &w->dirs[p->shares - 1][to].link.model);
        }
    boxes_init(w);
}

void net_free(struct world *w)
{
    boxes_free(w);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        while (w->nics[side].first) {
            struct frame *f = w->nics[side].first;

            w->nics[side].first = f->next;
            frame_free(f);
        }
    for (unsigned i = 0; i < w->s.n_paths; i++)
        for (unsigned to = 0; to < SIM_SIDES; to++)
            link_free(&w->dirs[i][to].link);
}
