/* Families of a client with two to four uplinks that come and go, change their address, lose packets, strip
 * options, translate addresses and fall silent, under transfers in either direction; Braid is at both ends.
 * Whatever happens, every byte arrives, as long as one uplink in turn works. */
#include <string.h>
#include "families_box.h"

#define BACK_WITHIN 3000 /* ms: an uplink that is back carries payload again */

const struct pm_ops *family_pm(const char *name)
{
    unsigned i = 0;

    while (strcmp(pm_algorithms[i]->name, name) != 0)
        i++;
    return pm_algorithms[i];
}

/* One direction, or both: whose data it is decides who notices what. */
static void transfers(struct scenario *s, struct rng *r, uint64_t rate)
{
    unsigned quiet = (unsigned)rng_below(r, 3); /* 2: neither */

    for (unsigned side = 0; side < SIM_SIDES; side++) {
        struct app_params *a = &s->app[side];

        a->total = rate * (uint64_t)rng_range(r, 8, 25);
        if (side == quiet)
            a->total = (uint64_t)rng_range(r, 0, 2 * KB);
        a->write_max = (uint32_t)rng_log_range(r, 10000, 65536);
        a->pause = rng_chance(r, 0.3) ? 0.02 : 0;
        a->read_max = 200000;
        a->release = false;
        a->shutdown_delay = 0;
    }
    s->app[SIM_CLIENT].eof_first = s->app[SIM_SERVER].eof_first = false;
}

void family_home(struct scenario *s, struct rng *r)
{
    uint64_t rate = 0;

    s->n_paths = (unsigned)rng_range(r, 2, FAMILY_PATHS);
    s->n_addrs = (unsigned)rng_range(r, 1, 2);
    for (unsigned i = 0; i < FAMILY_PATHS; i++) {
        s->up[i].rate = (uint64_t)rng_log_range(r, 10 * KB, 100 * KB);
        s->down[i].rate = s->up[i].rate * (uint64_t)rng_range(r, 1, 3);
        s->up[i].delay = s->down[i].delay = rng_log_range(r, 500, 60 * BRAID_MS);
        s->up[i].queue = 48 * KB + family_bdp(&s->up[i]);
        s->down[i].queue = 48 * KB + family_bdp(&s->down[i]);
        if (i < s->n_paths)
            rate += s->up[i].rate;
    }
    transfers(s, r, rate);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = MB;
        s->core[side].break_before_make = 60 * BRAID_SECOND;
        s->core[side].keepalive_idle = 60 * BRAID_SECOND;
        s->endpoints[side] = true;
    }
    s->signal[SIM_SERVER] = true;
    s->pm[SIM_CLIENT] = family_pm(rng_chance(r, 0.6) ? "fullmesh" : "on-demand");
    s->pm[SIM_SERVER] = family_pm("signal");
}

static void at_path(struct scenario *s, enum action_kind kind, braid_time at, unsigned path, unsigned b)
{
    family_action(s, (struct action){.kind = kind, .at = at, .a = path, .b = b});
}

/* It loses its link and its address, and gets both back. */
static void unplug(struct scenario *s, unsigned path, braid_time at, braid_time back)
{
    at_path(s, ACT_PATH_DOWN, at, path, 0);
    at_path(s, ACT_ENDPOINT_REMOVE, at, path, SIM_CLIENT);
    at_path(s, ACT_PATH_UP, back, path, 0);
    at_path(s, ACT_ENDPOINT_ADD, back, path, SIM_CLIENT);
}

/* Each uplink goes and comes back by itself, so that at times there is none. */
void family_come_and_go(struct scenario *s, struct rng *r, braid_time most_away)
{
    for (unsigned i = 0; i < s->n_paths; i++) {
        braid_time at = rng_range(r, 500 * BRAID_MS, FAMILY_HORIZON / 2);

        for (unsigned n = (unsigned)rng_range(r, 0, 3); n > 0; n--) {
            braid_time back = at + rng_log_range(r, 10 * BRAID_MS, most_away);

            unplug(s, i, at, back);
            at = back + rng_range(r, 100 * BRAID_MS, 5 * BRAID_SECOND);
        }
    }
}

void family_renew(struct scenario *s, struct rng *r, unsigned times)
{
    for (; times > 0; times--)
        at_path(s, ACT_ADDRESS, rng_range(r, 300 * BRAID_MS, FAMILY_HORIZON),
                (unsigned)rng_below(r, s->n_paths), 0);
}

/* One after the other is silent, wholly (ways 1) or in one direction (ways 3), and nobody says so. */
void family_fall_silent(struct scenario *s, struct rng *r, unsigned ways)
{
    braid_time at = rng_range(r, BRAID_SECOND, 3 * BRAID_SECOND);

    for (unsigned n = (unsigned)rng_range(r, 1, 4); n > 0; n--) {
        unsigned path = (unsigned)rng_below(r, s->n_paths);
        braid_time back = at + rng_log_range(r, 50 * BRAID_MS, 8 * BRAID_SECOND);

        at_path(s, ACT_PATH_DOWN, at, path, (unsigned)rng_below(r, ways));
        at_path(s, ACT_PATH_UP, back, path, 0);
        at = back + rng_range(r, BRAID_SECOND, 4 * BRAID_SECOND);
    }
}

void make_up_come_go(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    family_come_and_go(s, r, 10 * BRAID_SECOND);
}

/* As a modem does that dials in again: the old address is gone with all that is on its way. */
void make_up_address(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    family_renew(s, r, (unsigned)rng_range(r, 1, 8));
}

void make_up_silent(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    family_fall_silent(s, r, 1);
}

/* What still passes one way may keep either end from noticing. */
void make_up_half_silent(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    family_fall_silent(s, r, 3);
}

/* A download, one uplink of which no longer brings anything: the client, which only receives, asks, and is
 * told as soon as it works again; so it is in use again soon, whoever had to notice. */
void make_up_receiver(struct scenario *s, struct rng *r)
{
    unsigned path;
    braid_time at = rng_range(r, 4 * BRAID_SECOND, 6 * BRAID_SECOND), back;

    family_home(s, r);
    s->pm[SIM_CLIENT] = family_pm("fullmesh");
    s->n_addrs = 1;
    s->sched[SIM_SERVER] = sched_algorithms[rng_below(r, 2)];
    s->app[SIM_CLIENT].total = 0;
    for (unsigned i = 0; i < FAMILY_PATHS; i++)
        s->down[i].rate = s->down[0].rate * (uint64_t)rng_range(r, 80, 120) / 100;
    s->app[SIM_SERVER].total = s->down[0].rate * s->n_paths * 18;
    s->app[SIM_SERVER].pause = 0;
    path = (unsigned)rng_below(r, s->n_paths);
    back = at + rng_log_range(r, 500 * BRAID_MS, 6 * BRAID_SECOND);
    at_path(s, ACT_PATH_DOWN, at, path, 2 * (unsigned)rng_below(r, 2));
    at_path(s, ACT_PATH_UP, back, path, 0);
    at_path(s, ACT_EXPECT_USED, back + BACK_WITHIN * BRAID_MS, path, BACK_WITHIN);
}

void make_up_lossy(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    for (unsigned i = 0; i < s->n_paths; i++) {
        if (rng_chance(r, 0.5))
            continue;
        family_bad(&s->up[i], r);
        family_bad(&s->down[i], r);
        s->up[i].loss = s->up[i].loss > 0.03 ? 0.03 : s->up[i].loss;
        s->down[i].loss = s->down[i].loss > 0.03 ? 0.03 : s->down[i].loss;
    }
    if (rng_chance(r, 0.5))
        family_come_and_go(s, r, 5 * BRAID_SECOND);
    else
        family_renew(s, r, 3);
}

void family_strip(struct scenario *s, struct rng *r, unsigned path)
{
    family_box(s,
               (struct box_spec){.ops = &box_strip,
                                 .path = path,
                                 .on = rng_chance(r, 0.3) ? ON_HANDSHAKE : ON_ALL,
                                 .from = rng_chance(r, 0.5) ? 0 : rng_log_range(r, BRAID_MS, FAMILY_HORIZON),
                                 .options = {.nop = rng_chance(r, 0.5)}});
}

/* An uplink that takes MPTCP away, from the beginning or at some time: it is done without, or if the
 * connection began there, and has no other yet, plain TCP is what is left. */
void make_up_strip(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = ANY;
    family_strip(s, r, (unsigned)rng_below(r, s->n_paths));
}

void family_translate(struct scenario *s, struct rng *r)
{
    for (unsigned i = 0; i < s->n_paths; i++)
        family_box(s, (struct box_spec){.ops = &box_nat,
                                        .path = i,
                                        .nat = {.ports = rng_chance(r, 0.7),
                                                .lost = rng_chance(r, 0.5) ? NAT_REMAP : NAT_RESET,
                                                .rebind_at = rng_chance(r, 0.7)
                                                                 ? rng_range(r, BRAID_SECOND, FAMILY_HORIZON)
                                                                 : 0}});
    s->boxes_at_server = false;
}

void make_up_nat(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    family_translate(s, r);
}

/* Many connections, most of them short, none of which knows of the others' troubles. One that begins where
 * the uplink is away fails and says so. */
void make_up_many(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    s->n_conns = (unsigned)rng_range(r, 4, 12);
    s->conn_gap = rng_log_range(r, 10 * BRAID_MS, BRAID_SECOND);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 300 * KB);
        s->core[side].break_before_make = 20 * BRAID_SECOND;
    }
    family_come_and_go(s, r, 5 * BRAID_SECOND);
    family_renew(s, r, 2);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = ANY;
}

/* All of it. */
void make_up_everything(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    s->pm[SIM_CLIENT] = family_pm(rng_chance(r, 0.4)   ? "fullmesh"
                                  : rng_chance(r, 0.7) ? "on-demand"
                                                       : "backup");
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_bad);
    if (rng_chance(r, 0.3))
        family_strip(s, r, (unsigned)rng_below(r, s->n_paths));
    if (rng_chance(r, 0.5))
        family_come_and_go(s, r, 3 * BRAID_SECOND);
    if (rng_chance(r, 0.5))
        family_renew(s, r, 3);
    if (rng_chance(r, 0.5))
        family_fall_silent(s, r, 3);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = ANY;
}
