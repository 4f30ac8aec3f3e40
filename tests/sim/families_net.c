/* Families about what the network does to packets. */
#include "families.h"

void make_clean(struct scenario *s, struct rng *r)
{
    family_join_all(s, r);
}

void make_single(struct scenario *s, struct rng *r)
{
    (void)r;
    s->n_paths = 1;
}

void make_lossy(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

static void burst_link(struct link_params *p, struct rng *r)
{
    p->burst_begin = (double)rng_log_range(r, 1, 20) / 1000;
    p->burst_end = (double)rng_log_range(r, 50, 500) / 1000;
    p->burst_loss = (double)rng_range(r, 30, 95) / 100;
}

void make_burst_loss(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, burst_link);
    family_join_all(s, r);
}

void make_reorder(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, family_reorder);
    family_join_all(s, r);
}

void make_duplicate(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, family_duplicate);
    family_join_all(s, r);
}

void make_everything(struct scenario *s, struct rng *r)
{
    s->n_paths = (unsigned)rng_range(r, 1, 3);
    family_each_link(s, r, family_bad);
    family_join_all(s, r);
}

static void corrupt_link(struct link_params *p, struct rng *r)
{
    p->corrupt = (double)rng_log_range(r, 1, 100) / 1000;
}

void make_corrupt(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, corrupt_link);
    family_join_all(s, r);
}

static void resegment_link(struct link_params *p, struct rng *r)
{
    p->resegment = (double)rng_range(r, 10, 1000) / 1000;
    p->loss = rng_chance(r, 0.5) ? 0.01 : 0;
}

void make_resegment(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, resegment_link);
    family_join_all(s, r);
}

void make_asymmetric(struct scenario *s, struct rng *r)
{
    s->up[1].rate = s->down[1].rate = s->up[0].rate / (uint64_t)rng_range(r, 2, 50) + 50 * KB;
    s->up[1].delay = s->down[1].delay = s->up[0].delay * rng_range(r, 1, 50);
    s->up[1].queue = s->down[1].queue = 64 * KB + 2 * family_bdp(&s->up[1]);
    if (rng_chance(r, 0.3))
        s->down[0].rate = s->up[0].rate * (uint64_t)rng_range(r, 1, 20);
    family_join_all(s, r);
}

static void tiny_queue_link(struct link_params *p, struct rng *r)
{
    p->queue = (uint64_t)rng_log_range(r, 3000, 40000);
}

void make_tiny_queue(struct scenario *s, struct rng *r)
{
    family_each_link(s, r, tiny_queue_link);
    family_join_all(s, r);
}

void make_three_paths(struct scenario *s, struct rng *r)
{
    s->n_paths = (unsigned)rng_range(r, 3, FAMILY_PATHS);
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_ipv6(struct scenario *s, struct rng *r)
{
    s->v6 = true;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_mtu(struct scenario *s, struct rng *r)
{
    unsigned path = (unsigned)rng_below(r, 2), least = s->v6 ? 1280 : 576;

    s->up[path].black_hole = s->down[path].black_hole = false;
    for (unsigned i = 0; i < 3; i++)
        family_action(s, (struct action){.kind = ACT_PATH_MTU,
                                         .at = rng_log_range(r, 1, 3 * BRAID_SECOND),
                                         .a = path,
                                         .b = (unsigned)rng_range(r, least, 1500)});
    family_join_all(s, r);
}

/* The same, but nobody says so: what is too big vanishes. Half of the time there is no other path. */
void make_mtu_silent(struct scenario *s, struct rng *r)
{
    unsigned least = s->v6 ? 1280 : 576;

    family_long_transfer(s, r, 4);
    for (unsigned i = 0; i < FAMILY_PATHS; i++) {
        s->up[i].black_hole = s->down[i].black_hole = true;
        family_action(s, (struct action){.kind = ACT_PATH_MTU,
                                         .at = rng_log_range(r, 1, 3 * BRAID_SECOND),
                                         .a = i,
                                         .b = (unsigned)rng_range(r, least, 1500)});
    }
    if (rng_chance(r, 0.5))
        s->n_paths = 1;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_tiny_mss(struct scenario *s, struct rng *r)
{
    unsigned side = (unsigned)rng_below(r, 2);

    s->core[side].mtu = (uint16_t)rng_range(r, s->v6 ? 1280 : 576, 1400);
    for (unsigned i = 0; i < 2; i++)
        s->app[i].total = s->app[i].total % (300 * KB);
    family_join_all(s, r);
}

void make_big_mtu(struct scenario *s, struct rng *r)
{
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->core[side].mtu = 9000;
    for (unsigned i = 0; i < 2; i++)
        s->up[i].mtu = s->down[i].mtu = rng_chance(r, 0.5) ? 9000 : 1500;
    family_join_all(s, r);
}
