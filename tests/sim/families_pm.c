/* Families about path managers: both ends open, announce and give up subflows by themselves. */
#include <string.h>
#include "families.h"

#define BACK_WITHIN 2000 /* ms: a path that is back carries payload again */

static const struct pm_ops *path_manager(const char *name)
{
    unsigned i = 0;

    while (strcmp(pm_algorithms[i]->name, name) != 0)
        i++;
    return pm_algorithms[i];
}

/* A long transfer both ways over paths that are slow and much alike, by schedulers that use all of them. The
 * client manages paths, the server announces its addresses. */
static void managed(struct scenario *s, struct rng *r, const char *client)
{
    uint64_t rate = (uint64_t)rng_range(r, 100 * KB, 400 * KB);

    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    for (unsigned i = 0; i < FAMILY_PATHS; i++) {
        s->up[i].rate = s->down[i].rate = rate * (uint64_t)rng_range(r, 80, 120) / 100;
        s->up[i].queue = s->down[i].queue = 64 * KB + family_bdp(&s->up[i]);
    }
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = rate * (uint64_t)rng_range(r, 30, 50);
        s->sched[side] = sched_algorithms[rng_below(r, 2)];
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = 2 * MB;
        s->core[side].break_before_make = 30 * BRAID_SECOND;
        s->endpoints[side] = true;
    }
    s->v6 = false;
    s->signal[SIM_SERVER] = true;
    s->pm[SIM_CLIENT] = path_manager(client);
    s->pm[SIM_SERVER] = path_manager("signal");
}

static void expect_subflows(struct scenario *s, braid_time at, unsigned n)
{
    family_action(s, (struct action){.kind = ACT_EXPECT_SUBFLOWS, .at = at, .a = n});
}

static void expect_used(struct scenario *s, braid_time at, unsigned path)
{
    family_action(s, (struct action){.kind = ACT_EXPECT_USED, .at = at, .a = path, .b = BACK_WITHIN});
}

/* Two uplinks, two addresses of the server: four subflows, in spite of losses. */
void make_pm_fullmesh(struct scenario *s, struct rng *r)
{
    managed(s, r, "fullmesh");
    s->n_addrs = 2;
    if (rng_chance(r, 0.7))
        family_each_link(s, r, family_lossy);
    for (unsigned i = 0; i < s->n_paths; i++) /* an announcement is sent four times */
        s->up[i].loss = s->up[i].loss > 0.02 ? 0.02 : s->up[i].loss,
        s->down[i].loss = s->down[i].loss > 0.02 ? 0.02 : s->down[i].loss;
    expect_subflows(s, 15 * BRAID_SECOND, 4);
    expect_used(s, 15 * BRAID_SECOND, 0);
    expect_used(s, 15 * BRAID_SECOND, 1);
}

/* Several subflows over one path. */
void make_pm_ndiffports(struct scenario *s, struct rng *r)
{
    unsigned n = (unsigned)rng_range(r, 2, 5);

    managed(s, r, "ndiffports");
    s->core[SIM_CLIENT].subflows_per_pair = n;
    s->endpoints[SIM_CLIENT] = rng_chance(r, 0.5);
    expect_subflows(s, 5 * BRAID_SECOND, n);
}

/* The server's second address has a port of its own; both ends may be called path managers with a mesh. */
void make_pm_add_addr_port(struct scenario *s, struct rng *r)
{
    managed(s, r, "fullmesh");
    s->n_addrs = 2;
    s->signal_port = 9090;
    expect_subflows(s, 8 * BRAID_SECOND, 4);
}

/* An address of the server is withdrawn in the middle and comes back. */
void make_pm_withdrawn(struct scenario *s, struct rng *r)
{
    braid_time gone = rng_range(r, 4 * BRAID_SECOND, 6 * BRAID_SECOND),
               back = gone + rng_range(r, 50 * BRAID_MS, 6 * BRAID_SECOND);

    managed(s, r, "fullmesh");
    s->n_addrs = 2;
    expect_subflows(s, gone - 1, 4);
    family_action(s, (struct action){.kind = ACT_ENDPOINT_REMOVE, .at = gone, .a = 1, .b = SIM_SERVER});
    family_action(s, (struct action){.kind = ACT_ENDPOINT_ADD, .at = back, .a = 1, .b = SIM_SERVER});
    expect_subflows(s, back + 8 * BRAID_SECOND, 4);
}

static void lose_uplink(struct scenario *s, unsigned path, braid_time at, braid_time back)
{
    family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = path});
    family_action(s, (struct action){.kind = ACT_ENDPOINT_REMOVE, .at = at, .a = path, .b = SIM_CLIENT});
    family_action(s, (struct action){.kind = ACT_PATH_UP, .at = back, .a = path});
    family_action(s, (struct action){.kind = ACT_ENDPOINT_ADD, .at = back, .a = path, .b = SIM_CLIENT});
    expect_used(s, back + BACK_WITHIN * BRAID_MS, path);
}

/* One uplink, the first or the second, goes away and comes back, over and over, and the client knows. */
void make_pm_uplink(struct scenario *s, struct rng *r)
{
    unsigned path = (unsigned)rng_below(r, 2);
    braid_time at = 3 * BRAID_SECOND;

    managed(s, r, "fullmesh");
    for (unsigned i = 0; i < 6; i++) {
        braid_time back = at + rng_log_range(r, 10 * BRAID_MS, 8 * BRAID_SECOND);

        lose_uplink(s, path, at, back);
        at = back + rng_range(r, 2 * BRAID_SECOND + 10, 5 * BRAID_SECOND);
    }
}

/* All uplinks go away, and one or both come back while the connection waits for that. */
void make_pm_all_lost(struct scenario *s, struct rng *r)
{
    braid_time at = rng_range(r, 3 * BRAID_SECOND, 6 * BRAID_SECOND),
               back = at + rng_log_range(r, 100 * BRAID_MS, 25 * BRAID_SECOND);

    managed(s, r, "fullmesh");
    lose_uplink(s, 0, at, back);
    lose_uplink(s, 1, at + rng_range(r, 0, BRAID_SECOND), back + rng_range(r, 0, 10 * BRAID_SECOND));
}

/* The server takes fewer subflows than the client wants. */
void make_pm_limits(struct scenario *s, struct rng *r)
{
    unsigned most = (unsigned)rng_range(r, 1, 4);

    managed(s, r, rng_chance(r, 0.5) ? "fullmesh" : "ndiffports");
    s->n_addrs = 3;
    s->core[SIM_CLIENT].subflows_per_pair = 6;
    s->core[rng_below(r, 2)].max_subflows = most;
    expect_subflows(s, 5 * BRAID_SECOND, most < 3 ? most : 3);
}

/* Somebody resets subflows, with a reason and without: one that was not wanted does not come back, and the
 * last one always does. */
void make_pm_rst_reason(struct scenario *s, struct rng *r)
{
    managed(s, r, "fullmesh");
    for (unsigned i = 0; i < 3; i++)
        family_action(s, (struct action){.kind = rng_chance(r, 0.5) ? ACT_RESET : ACT_RESET_ALL,
                                         .at = rng_range(r, 2 * BRAID_SECOND, 15 * BRAID_SECOND),
                                         .a = (unsigned)rng_below(r, 2),
                                         .b = (unsigned)rng_below(r, 2),
                                         .need_subflows = 1});
    expect_subflows(s, 18 * BRAID_SECOND, 1);
}

/* The second uplink is a backup: it carries nothing until the first has gone. */
void make_pm_backup_path(struct scenario *s, struct rng *r)
{
    braid_time at = rng_range(r, 5 * BRAID_SECOND, 8 * BRAID_SECOND);

    managed(s, r, "fullmesh");
    s->backup_endpoints = true;
    expect_subflows(s, 4 * BRAID_SECOND, 2);
    family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = 0});
    family_action(s, (struct action){.kind = ACT_ENDPOINT_REMOVE, .at = at, .a = 0, .b = SIM_CLIENT});
    expect_used(s, at + BACK_WITHIN * BRAID_MS, 1);
}

/* Much is to be carried in one direction, and little or nothing in the other: both uplinks come into use. */
void make_pm_on_demand(struct scenario *s, struct rng *r)
{
    unsigned quiet = (unsigned)rng_below(r, 2);

    managed(s, r, "on-demand");
    s->app[quiet].total = (uint64_t)rng_range(r, 0, 60 * KB);
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    for (unsigned i = 0; i < s->n_paths; i++)
        s->up[i].loss = s->up[i].loss > 0.02 ? 0.02 : s->up[i].loss,
        s->down[i].loss = s->down[i].loss > 0.02 ? 0.02 : s->down[i].loss;
    expect_subflows(s, 5 * BRAID_SECOND, 2);
    expect_used(s, 8 * BRAID_SECOND, 0);
    expect_used(s, 8 * BRAID_SECOND, 1);
}

/* As most connections are, over paths that are no worse than most: the second uplink never hears of it. */
void make_pm_short(struct scenario *s, struct rng *r)
{
    managed(s, r, rng_chance(r, 0.7) ? "on-demand" : "backup");
    for (unsigned i = 0; i < FAMILY_PATHS; i++) {
        s->up[i].rate = s->down[i].rate = (uint64_t)rng_log_range(r, MB, 50 * MB);
        s->up[i].delay = s->down[i].delay = rng_log_range(r, 100, 100 * BRAID_MS);
        s->up[i].queue = s->down[i].queue = 128 * KB;
    }
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 40 * KB);
        s->app[side].pause = 0.3;
        s->app[side].pause_max = rng_log_range(r, BRAID_MS, 5 * BRAID_SECOND);
        s->app[side].write_max = 20 * KB;
    }
    s->n_conns = (unsigned)rng_range(r, 1, 8);
    s->conn_gap = rng_log_range(r, BRAID_MS, BRAID_SECOND);
    s->no_joins = true;
}

/* The first uplink swallows everything, and nobody says so: those that did without the second now take it.
 * The client goes on sending, or it could not know. */
void make_pm_fallen_silent(struct scenario *s, struct rng *r)
{
    braid_time at = rng_range(r, BRAID_SECOND, 5 * BRAID_SECOND);

    managed(s, r, rng_chance(r, 0.5) ? "on-demand" : "backup");
    if (rng_chance(r, 0.5)) { /* a little now and then */
        s->app[SIM_CLIENT].total = 50 * KB;
        s->app[SIM_CLIENT].write_max = 500;
        s->app[SIM_CLIENT].pause = 1;
        s->app[SIM_CLIENT].pause_max = 200 * BRAID_MS;
        s->app[SIM_SERVER].total = (uint64_t)rng_range(r, 0, 4 * MB);
    }
    family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = 0});
    expect_used(s, at + 2 * BACK_WITHIN * BRAID_MS, 1);
    s->max_stall = 6 * BRAID_SECOND;
}

/* One end, or each, ends its connection with the first subflow: whoever resets that, or takes its address
 * away, both ends are told, while others would go on; and silence, be it of minutes, is no end. */
void make_pm_fate(struct scenario *s, struct rng *r)
{
    enum { RESET, ADDRESS, SILENCE, CASES } what = (unsigned)rng_below(r, CASES);
    /* a client that goes on may give up what is silent, and that is an end for its server */
    unsigned side = what == SILENCE ? SIM_CLIENT : (unsigned)rng_below(r, 2);
    braid_time at = rng_range(r, 3 * BRAID_SECOND, 6 * BRAID_SECOND);

    managed(s, r, "fullmesh");
    s->fate_sharing[side] = true;
    s->fate_sharing[!side] = rng_chance(r, 0.3);
    if (what == SILENCE) {
        family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = 0});
        family_action(s, (struct action){.kind = ACT_PATH_UP,
                                         .at = at + rng_log_range(r, 10 * BRAID_MS, 60 * BRAID_SECOND),
                                         .a = 0});
        return;
    }
    if (what == RESET)
        family_action(
            s,
            (struct action){.kind = ACT_RESET, .at = at, .need_subflows = 2, .a = (unsigned)rng_below(r, 2)});
    else
        family_action(
            s, (struct action){.kind = ACT_ENDPOINT_REMOVE, .at = at, .need_subflows = 2, .b = SIM_CLIENT});
    s->expect = EXPECT_PREFIX;
    for (unsigned i = 0; i < SIM_SIDES; i++)
        s->reasons[i] = (s->fate_sharing[i] ? 1u << BRAID_CLOSE_FATE : 0) |
                        (s->fate_sharing[!i] ? 1u << BRAID_CLOSE_RESET : 0);
}
