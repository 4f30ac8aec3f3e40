/* Families about schedulers, each seed with another one of the list: that all bytes arrive whatever the paths
 * are like, that nobody waits for ever, and that policies hold. */
#include <string.h>

#include "families.h"

#define HEADERS 1.06 /* bytes of packets per byte of payload, at most */

static const struct sched_ops *scheduler(const char *name)
{
    for (unsigned i = 0; sched_algorithms[i]; i++)
        if (strcmp(sched_algorithms[i]->name, name) == 0)
            return sched_algorithms[i];
    return NULL;
}

/* Data in both directions over two or three paths, with something said of each of them. Hung for five minutes
 * is hung. */
static void begin(struct scenario *s, struct rng *r)
{
    s->n_paths = (unsigned)rng_range(r, 2, 3);
    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    family_join_all(s, r);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->cc[side] = cc_algorithms[0];
    s->n_rules = s->n_paths;
    for (unsigned i = 0; i < s->n_rules; i++)
        s->rules[i] =
            (struct braid_path_rule){.cost = (uint32_t)rng_below(r, 3),
                                     .weight = (uint32_t)rng_range(r, 1, 5),
                                     .quota = rng_chance(r, 0.2) ? (uint64_t)rng_range(r, 1, MB) : 0};
    s->limit = 300 * BRAID_SECOND;
}

void make_sched_alike(struct scenario *s, struct rng *r)
{
    begin(s, r);
    for (unsigned i = 1; i < FAMILY_PATHS; i++) {
        s->up[i] = s->up[0];
        s->down[i] = s->down[0];
    }
}

static void unlike(struct scenario *s, struct rng *r)
{
    begin(s, r);
    for (unsigned i = 1; i < s->n_paths; i++) {
        s->up[i].rate = s->down[i].rate = s->up[0].rate / (uint64_t)rng_range(r, 1, 20) + 20 * KB;
        s->up[i].delay = s->down[i].delay = s->up[0].delay * rng_range(r, 1, 20);
        s->up[i].queue = s->down[i].queue = 64 * KB + family_bdp(&s->up[i]);
    }
}

void make_sched_unlike(struct scenario *s, struct rng *r)
{
    unlike(s, r);
}

void make_sched_lossy(struct scenario *s, struct rng *r)
{
    unlike(s, r);
    family_each_link(s, r, rng_chance(r, 0.5) ? family_lossy : family_bad);
}

/* The receiver's memory is short, so that a slow path blocks a fast one. */
void make_sched_window(struct scenario *s, struct rng *r)
{
    unlike(s, r);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->core[side].rcvbuf_max = (size_t)rng_log_range(r, 16 * KB, 256 * KB);
}

/* A path falls silent while somebody may be waiting for it, and perhaps it comes back. */
void make_sched_silent(struct scenario *s, struct rng *r)
{
    unsigned path = (unsigned)rng_below(r, 2);
    braid_time at = rng_range(r, 200 * BRAID_MS, 4 * BRAID_SECOND);

    begin(s, r);
    for (unsigned i = 0; i < s->n_rules; i++)
        s->rules[i].quota = 0;
    family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = path, .need_subflows = 2});
    if (rng_chance(r, 0.7))
        family_action(s, (struct action){.kind = ACT_PATH_UP,
                                         .at = at + rng_log_range(r, 100 * BRAID_MS, 10 * BRAID_SECOND),
                                         .a = path,
                                         .need_subflows = 2});
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].read_every = 0;
    s->max_stall = 4 * BRAID_SECOND;
}

/* ---- policies ---------------------------------------------------------------------- */

/* The server sends `rate` bytes per second on average, in bursts of up to `burst`, over two paths of 1 MB per
 * second of which the second has half the delay. */
static void paced(struct scenario *s, struct rng *r, const char *name, uint64_t rate, uint32_t burst)
{
    struct link_params p = {.rate = MB, .delay = rng_log_range(r, 2 * BRAID_MS, 40 * BRAID_MS), .mtu = 1500};

    p.queue = 256 * KB;
    s->up[0] = s->down[0] = s->up[1] = s->down[1] = p;
    s->up[1].delay = s->down[1].delay = p.delay / 2;
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->cc[side] = cc_algorithms[0];
        s->sched[side] = scheduler(name);
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = 4 * MB;
        s->app[side] = (struct app_params){.write_max = burst, .read_max = MB, .pause = 1};
        s->app[side].pause_max = (braid_time)(burst * 1e6 / (double)rate);
    }
    s->app[SIM_SERVER].total = 20 * rate;
    s->n_rules = 2;
    s->rules[0] = s->rules[1] = (struct braid_path_rule){.weight = 1};
    family_action(s, (struct action){.kind = ACT_JOIN, .at = 0, .a = 1});
}

/* Shares as the weights are. Little is sent in a round trip, so that an initial window always has room for
 * the heavy path's share. */
void make_sched_weighted(struct scenario *s, struct rng *r)
{
    uint32_t heavy = (uint32_t)rng_range(r, 2, 8);
    double share = (double)heavy / (heavy + 1);

    paced(s, r, "weighted", 100 * KB, 4 * KB);
    s->rules[1].weight = heavy;
    s->least_share[1] = share - 0.03;
    s->most_share[1] = share + 0.03;
}

/* The cheap path could take two and a half times as much: the dear one, though faster, stays all but idle. */
void make_sched_priority(struct scenario *s, struct rng *r)
{
    paced(s, r, "priority", 400 * KB, 20 * KB);
    s->rules[1].cost = 1;
    s->most_share[1] = 0.03;
}

/* More than the cheap path can take: what is beyond that goes over the other, and the cheap one is full. */
void make_sched_overflow(struct scenario *s, struct rng *r)
{
    paced(s, r, "priority", 1400 * KB, 20 * KB);
    s->rules[1].cost = 1;
    s->least_share[0] = 0.55;
    s->least_share[1] = 0.15;
    s->min_goodput[SIM_CLIENT] = 1150 * KB;
}

void make_sched_standby(struct scenario *s, struct rng *r)
{
    paced(s, r, "backup", 2 * MB, 20 * KB);
    s->most_share[1] = 0.03;
}

/* What a path with a quota carries is that, whoever schedules, and a little that was on its way; copies are
 * beside the point. */
void make_sched_quota(struct scenario *s, struct rng *r)
{
    uint64_t quota = (uint64_t)rng_range(r, 300 * KB, 1200 * KB);
    const struct sched_ops *any = s->sched[SIM_SERVER];

    paced(s, r, any->duplicate ? "quota" : any->name, 400 * KB, 20 * KB);
    s->app[SIM_SERVER].total = 4 * MB;
    s->rules[0].quota = quota;
    s->most_share[0] = (HEADERS * (double)quota + 100 * KB) / (4 * MB);
}
