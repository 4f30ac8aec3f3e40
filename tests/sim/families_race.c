/* Families in which the client has two to four uplinks and opens its connections by a race over them
 * (contest.h), while uplinks are dead, slow, or have middleboxes that do not like MPTCP. Where it is known
 * who must win, so is how long that may take. */
#include <string.h>
#include "families_box.h"
#include "role/race.h"

#define MB_CAPABLE (1u << 0)
/* Beyond two delays: transmission of small segments, and of what is in their way. */
#define ROUND (60 * BRAID_MS)

static const struct pm_ops *fullmesh(void)
{
    unsigned i = 0;

    while (strcmp(pm_algorithms[i]->name, "fullmesh") != 0)
        i++;
    return pm_algorithms[i];
}

/* Of every path the client may or may not know the round trip. */
static void racing(struct scenario *s, struct rng *r, unsigned outcomes)
{
    s->race = true;
    s->n_paths = (unsigned)rng_range(r, 2, FAMILY_PATHS);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = outcomes;
    s->app[SIM_SERVER].accept_delay = 0;
    s->endpoints[SIM_CLIENT] = true;
    s->pm[SIM_CLIENT] = rng_chance(r, 0.7) ? fullmesh() : NULL;
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 300 * KB);
        s->app[side].write_max = (uint32_t)rng_log_range(r, 2000, 65536);
        s->core[side].keepalive_idle = 60 * BRAID_SECOND;
        s->core[side].time_wait = 30 * BRAID_SECOND;
    }
    for (unsigned i = 0; i < s->n_paths; i++)
        s->race_srtt[i] = rng_chance(r, 0.5) ? s->up[i].delay + s->down[i].delay : 0;
}

/* Time for a handshake over the path. */
static braid_time trip(const struct scenario *s, unsigned path)
{
    braid_time late = 0;

    for (unsigned side = 0; side < SIM_SIDES; side++)
        late += s->poll[side] + s->slack[side];
    return s->up[path].delay + s->down[path].delay + 2 * late + ROUND;
}

/* What the paths before this one have ahead of it. */
static braid_time head_starts(const struct scenario *s, unsigned path)
{
    braid_time sum = 0;

    for (unsigned i = 0; i < path; i++)
        sum += race_head_start(s->race_srtt[i]) + s->slack[SIM_CLIENT];
    return sum;
}

static void swallow(struct scenario *s, unsigned path, braid_time until)
{
    family_box(s, (struct box_spec){.ops = &box_drop, .path = path, .until = until});
}

/* Nothing is wrong. */
void make_race_clean(struct scenario *s, struct rng *r)
{
    racing(s, r, DONE);
    s->max_opening = trip(s, 0);
}

/* The first uplinks are dead, for ever or for a while. */
void make_race_dead(struct scenario *s, struct rng *r)
{
    racing(s, r, DONE);
    unsigned dead = (unsigned)rng_range(r, 1, s->n_paths - 1);
    for (unsigned i = 0; i < dead; i++)
        swallow(s, i, rng_chance(r, 0.5) ? 0 : rng_log_range(r, BRAID_SECOND, 20 * BRAID_SECOND));
    s->max_opening = head_starts(s, dead) + trip(s, dead);
    if (s->boxes[0].until)
        s->max_opening += trip(s, 0); /* it is back, and answers another SYN */
}

/* Nobody answers: that is said after the time for all. */
void make_race_all_dead(struct scenario *s, struct rng *r)
{
    racing(s, r, FAILED);
    for (unsigned i = 0; i < s->n_paths; i++)
        swallow(s, i, 0);
    s->expect = EXPECT_REFUSED; /* the server never hears of it */
    s->reasons[SIM_CLIENT] = 1u << BRAID_CLOSE_TIMEOUT;
    s->max_opening = RACE_TIMEOUT + s->slack[SIM_CLIENT] + BRAID_MS;
}

static void strip(struct scenario *s, struct rng *r, unsigned path)
{
    family_box(s, (struct box_spec){.ops = &box_strip,
                                    .path = path,
                                    .on = rng_chance(r, 0.5) ? ON_SYN : ON_HANDSHAKE,
                                    .options = {.nop = rng_chance(r, 0.5)}});
}

/* The first uplinks take the option away: plain TCP at once, or the next ones, if that is not wanted. */
void make_race_strip(struct scenario *s, struct rng *r)
{
    racing(s, r, DONE);
    unsigned strips = (unsigned)rng_range(r, 1, s->n_paths - 1);
    for (unsigned i = 0; i < strips; i++)
        strip(s, r, i);
    s->race_no_plain = rng_chance(r, 0.5);
    if (!s->race_no_plain)
        s->outcomes = PLAIN;
    for (unsigned i = 0; i <= (s->race_no_plain ? strips : 0); i++)
        s->max_opening += trip(s, i);
}

/* The first uplinks drop SYNs with the option. Plain TCP over the first, or MPTCP over the next that passes.
 */
void make_race_drop(struct scenario *s, struct rng *r)
{
    racing(s, r, WHOLE);
    unsigned drops = (unsigned)rng_range(r, 1, s->n_paths - 1);
    for (unsigned i = 0; i < drops; i++)
        family_box(s, (struct box_spec){
                          .ops = &box_drop, .path = i, .on = ON_SYN, .drop = {.subtypes = MB_CAPABLE}});
    s->race_no_plain = rng_chance(r, 0.3);
    if (s->race_no_plain)
        s->outcomes = DONE;
    s->max_opening =
        s->race_no_plain ? head_starts(s, drops) + trip(s, drops) : head_starts(s, 1) + trip(s, 0);
}

/* Firewalls that answer the option with a RST: the plain SYN that follows decides. */
void make_race_reject(struct scenario *s, struct rng *r)
{
    racing(s, r, WHOLE);
    unsigned rejects = (unsigned)rng_range(r, 1, s->n_paths);
    for (unsigned i = 0; i < rejects; i++)
        family_box(s, (struct box_spec){
                          .ops = &box_refuse, .path = i, .on = ON_SYN, .drop = {.subtypes = MB_CAPABLE}});
    s->max_opening = 2 * trip(s, 0);
}

/* Nobody listens: two round trips, whatever the other uplinks are like. */
void make_race_refused(struct scenario *s, struct rng *r)
{
    racing(s, r, FAILED);
    for (unsigned i = 1; i < s->n_paths && rng_chance(r, 0.5); i++)
        swallow(s, i, 0);
    s->expect = EXPECT_REFUSED;
    s->reasons[SIM_CLIENT] = 1u << BRAID_CLOSE_REFUSED;
    s->race_srtt[0] = s->up[0].delay + s->down[0].delay;
    s->max_opening = 2 * trip(s, 0);
}

/* Answers come long after somebody has won, perhaps in the same batch. */
void make_race_late(struct scenario *s, struct rng *r)
{
    racing(s, r, DONE);
    for (unsigned i = 0; i < s->n_paths; i++) {
        s->race_srtt[i] = 0;
        s->up[i].delay = rng_log_range(r, BRAID_MS, 2 * BRAID_SECOND);
        s->down[i].delay = rng_log_range(r, BRAID_MS, 2 * BRAID_SECOND);
        s->up[i].queue = s->down[i].queue = 64 * KB + family_bdp(&s->up[i]);
    }
    s->poll[SIM_CLIENT] = rng_chance(r, 0.5) ? 300 * BRAID_MS : s->poll[SIM_CLIENT];
    s->outcomes = WHOLE; /* the plain SYN of a slow one may be the first to be answered */
}

/* Losses, and uplinks that go and come back. */
void make_race_flapping(struct scenario *s, struct rng *r)
{
    racing(s, r, ANY);
    family_each_link(s, r, family_lossy);
    family_each_link(s, r, family_reorder);
    for (unsigned i = 0; i < s->n_paths; i++) {
        braid_time from = rng_log_range(r, BRAID_MS, 3 * BRAID_SECOND);
        family_box(s, (struct box_spec){.ops = &box_drop,
                                        .path = i,
                                        .from = rng_chance(r, 0.5) ? 0 : from,
                                        .until = from + rng_log_range(r, BRAID_MS, 12 * BRAID_SECOND)});
    }
    s->limit = 4 * 3600 * BRAID_SECOND;
}

/* Many connections, several workers, and each uplink with another fault. */
void make_race_many(struct scenario *s, struct rng *r)
{
    racing(s, r, WHOLE);
    s->n_conns = (unsigned)rng_range(r, 2, 8);
    s->conn_gap = rng_log_range(r, BRAID_MS, BRAID_SECOND);
    s->workers[SIM_CLIENT] = (unsigned)rng_range(r, 1, SIM_WORKERS);
    s->workers[SIM_SERVER] = (unsigned)rng_range(r, 1, SIM_WORKERS);
    s->sticky_workers = rng_chance(r, 0.5);
    if (rng_chance(r, 0.5))
        swallow(s, 0, 0);
    else
        strip(s, r, 0);
    if (rng_chance(r, 0.5))
        family_box(
            s,
            (struct box_spec){
                .ops = &box_drop, .path = 1, .on = ON_SYN, .chance = 0.5, .drop = {.subtypes = MB_CAPABLE}});
    s->max_opening = RACE_TIMEOUT / 2;
}

/* Behind the address translation of each uplink. */
void make_race_nat(struct scenario *s, struct rng *r)
{
    racing(s, r, DONE);
    mb_nat(s, r);
    mb_seq(s);
    swallow(s, 0, 0);
    s->max_opening = head_starts(s, 1) + trip(s, 1);
}

/* One connection after the other. What the first ones have seen spares the later ones the head start of a
 * dead uplink, or brings them MPTCP over another one; only now and then is it tried again. */
void make_race_learning(struct scenario *s, struct rng *r)
{
    unsigned fault = (unsigned)rng_below(r, 3);

    racing(s, r, WHOLE);
    s->race_learns = true;
    s->n_conns = 8;
    s->conn_gap = rng_range(r, 1100 * BRAID_MS, 1300 * BRAID_MS); /* nearly ten seconds, all told */
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 20 * KB); /* over before the next one begins */
    for (unsigned i = 1; i < s->n_paths; i++)
        if (trip(s, i) > s->max_opening)
            s->max_opening = trip(s, i);
    if (fault == 0) {
        swallow(s, 0, 0);
        s->max_slow = 2; /* for five seconds it is not asked first, then for ten */
    } else if (fault == 1) {
        strip(s, r, 0);
        s->max_slow = trip(s, 0) > s->max_opening;
        s->max_plain = 1;
    } else {
        family_box(s, (struct box_spec){
                          .ops = &box_drop, .path = 0, .on = ON_SYN, .drop = {.subtypes = MB_CAPABLE}});
        s->max_slow = 3; /* two until it is believed, or as if it were dead */
        s->max_plain = 2;
    }
}
