/* Families about speed: long transfers for which theory gives a bound. */
#include "families.h"

extern const struct cc_ops cc_bbr;

/* One direction only, as fast as it goes. Bounds are on payload; headers take about 5.5 % of a path's rate.
 */
static unsigned bulk(struct scenario *s, struct rng *r, uint64_t rate, unsigned seconds)
{
    unsigned from = (unsigned)rng_below(r, 2);

    for (unsigned side = 0; side < SIM_SIDES; side++) {
        struct app_params *a = &s->app[side];

        *a = (struct app_params){.write_max = 65536, .read_max = 1 << 20, .reserve = true};
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = 16 * MB;
        s->core[side].memory = 256 * MB;
        s->sched[side] = sched_algorithms[0];
        s->cc[side] = cc_algorithms[0];
    }
    s->app[from].total = rate * seconds;
    return from;
}

static void bulk_path(struct scenario *s, unsigned i, uint64_t rate, braid_time delay)
{
    struct link_params p = {.rate = rate, .delay = delay, .mtu = 1500};

    p.queue = 64 * KB + family_bdp(&p);
    s->up[i] = s->down[i] = p;
}

void make_bulk_single(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_log_range(r, 500 * KB, 3 * MB);
    unsigned from = bulk(s, r, rate, 15);

    s->n_paths = 1;
    s->plain = rng_chance(r, 0.3);
    bulk_path(s, 0, rate, rng_log_range(r, BRAID_MS, 40 * BRAID_MS));
    s->min_goodput[!from] = rate * 90 / 100;
}

/* One packet in a hundred is lost at random, which halves the rate of the loss-based algorithms many times
 * over; BBR carries nine tenths of the payload that the path can take. */
void make_bulk_bbr_lossy(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_log_range(r, MB, 6 * MB);
    unsigned from = bulk(s, r, rate, 15);

    s->n_paths = 1;
    bulk_path(s, 0, rate, rng_log_range(r, 5 * BRAID_MS, 25 * BRAID_MS));
    s->up[0].loss = s->down[0].loss = 0.01;
    s->cc[from] = &cc_bbr;
    s->min_goodput[!from] = rate * 85 / 100;
}

/* Far more bytes on their way than buffers begin with: both have to grow. */
void make_bulk_long(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_log_range(r, 3 * MB, 8 * MB);
    unsigned from = bulk(s, r, rate, 12);

    s->n_paths = 1;
    s->plain = rng_chance(r, 0.3);
    bulk_path(s, 0, rate, rng_log_range(r, 50 * BRAID_MS, 120 * BRAID_MS));
    s->min_goodput[!from] = rate * 85 / 100;
}

void make_bulk_two(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_log_range(r, 500 * KB, 2 * MB);
    braid_time delay = rng_log_range(r, BRAID_MS, 30 * BRAID_MS);
    unsigned from = bulk(s, r, 2 * rate, 15);

    bulk_path(s, 0, rate, delay);
    bulk_path(s, 1, rate, delay);
    family_action(s, (struct action){.kind = ACT_JOIN, .at = 0, .a = 1});
    s->min_goodput[!from] = 2 * rate * 85 / 100;
}

void make_bulk_asymmetric(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_log_range(r, 500 * KB, 3 * MB);
    braid_time delay = rng_log_range(r, BRAID_MS, 10 * BRAID_MS);
    unsigned from = bulk(s, r, rate, 15), best = (unsigned)rng_below(r, 2);

    bulk_path(s, best, rate, delay);
    bulk_path(s, !best, rate / (uint64_t)rng_range(r, 2, 20), delay * rng_range(r, 1, 15));
    family_action(s, (struct action){.kind = ACT_JOIN, .at = 0, .a = 1});
    if (best == 0)
        s->min_goodput[!from] = rate * 80 / 100;
}

void make_failover(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_log_range(r, 500 * KB, 3 * MB);

    bulk(s, r, rate, 10);
    for (unsigned i = 0; i < 2; i++)
        bulk_path(s, i, rate, rng_log_range(r, BRAID_MS, 30 * BRAID_MS));
    family_action(s, (struct action){.kind = ACT_JOIN, .at = 0, .a = 1});
    family_action(s, (struct action){.kind = ACT_PATH_DOWN,
                                     .at = rng_range(r, BRAID_SECOND, 4 * BRAID_SECOND),
                                     .a = (unsigned)rng_below(r, 2),
                                     .need_subflows = 2});
    s->max_stall = BRAID_SECOND;
}
