/* The network between the two sides: which path a packet takes, the middlebox on it, and the interface cards
 * that gather arriving packets into batches, merge segments and choose a worker. */
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
        struct sim_core *c = sim_core_for(w, nic->side, f, &nic->rng);
        bool csum_ok = f->partial || (rng_chance(&nic->rng, w->s.verified) && frame_valid(f));

        list = f->next;
        if (!w->failed)
            sim_core_input(c, f, 0, csum_ok);
        frame_free(f);
    }
}

static void arrive(void *ctx, struct frame *f)
{
    struct sim_dir *d = ctx;
    struct world *w = d->world;
    struct sim_nic *nic = &w->nics[d->to];

    f->next = NULL;
    *nic->last = f;
    nic->last = &f->next;
    if (nic->planned)
        return;
    nic->planned = true;
    vtime_at(&w->time, w->time.now + rng_range(&nic->rng, 0, w->s.poll[d->to]), poll, nic, 0);
}

/* ---- paths ------------------------------------------------------------------------- */

/* An ICMP error travels back on the other direction of the path. */
static void refuse(void *ctx, struct frame *icmp)
{
    struct sim_dir *d = ctx;

    trace_frame(d->world, "icmp", icmp);
    link_send(&d->world->dirs[d->path][!d->to].link, icmp);
}

static struct sim_dir *route(struct world *w, unsigned side, const struct frame *f)
{
    struct braid_ip src, dst, client;

    frame_addrs(f, &src, &dst);
    for (unsigned i = 0; i < w->s.n_paths; i++) {
        client = sim_client_ip(&w->s, i);
        if (ip_equal(&client, side == SIM_CLIENT ? &src : &dst))
            return &w->dirs[i][!side];
    }
    return NULL;
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
            d->link.deliver = arrive;
            d->link.refuse = refuse;
            d->link.middlebox = net_middlebox;
        }
}

void net_free(struct world *w)
{
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

/* ---- the middlebox ----------------------------------------------------------------- */

/* Overwrites every MPTCP option with NOPs. */
static void strip_options(struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint8_t *p = f->data + v.l4 + 20, *end = f->data + v.payload;

    while (p < end && *p != 0) {
        if (*p == 1) {
            p++;
            continue;
        }
        if (end - p < 2 || p[1] < 2 || p[1] > end - p)
            return;
        if (*p == 30) {
            uint8_t len = p[1];

            memset(p, 1, len);
            p += len;
        } else {
            p += p[1];
        }
    }
}

static bool wants_strip(const struct sim_dir *d, const struct frame *f)
{
    const struct scenario *s = &d->world->s;
    struct frame_view v = frame_look(f);
    uint8_t flags = v.tcp ? f->data[v.l4 + 13] : 0;
    unsigned kind = d->to == SIM_SERVER ? STRIP_ACK : STRIP_BACK;

    if (flags & 0x02)
        kind = flags & 0x10 ? STRIP_SYNACK : STRIP_SYN;
    return v.tcp && (s->strip & kind) && (s->strip_path == SIM_PATHS || s->strip_path == d->path) &&
           d->seen > s->strip_after;
}

static void alter_payload(struct sim_dir *d, struct frame *f)
{
    struct frame_view v = frame_look(f);
    struct rng *r = &d->world->rng;

    if (v.payload == f->len || d->path != d->world->s.alter_path || !rng_chance(r, d->world->s.alter))
        return;
    f->data[rng_range(r, v.payload, f->len - 1)] ^= (uint8_t)rng_range(r, 1, 255);
}

bool net_middlebox(void *ctx, struct link *l, struct frame *f)
{
    struct sim_dir *d = ctx;
    const struct scenario *s = &d->world->s;
    uint64_t n = d->seen++;
    bool partial = f->partial;

    (void)l;
    if (n < 64 && d->path == s->drop_path && (s->drop_mask[!d->to] >> n & 1)) {
        trace_frame(d->world, "drop", f);
        return false;
    }
    if (!wants_strip(d, f) && s->alter == 0)
        return true;
    if (wants_strip(d, f))
        strip_options(f);
    alter_payload(d, f);
    /* A super-packet keeps its partial checksum, which covers neither options nor payload. */
    if (!partial)
        frame_complete(f);
    return true;
}
