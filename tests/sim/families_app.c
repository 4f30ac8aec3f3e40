/* Families about what applications do. */
#include "families.h"

void make_slow_reader(struct scenario *s, struct rng *r)
{
    struct app_params *a = &s->app[rng_below(r, 2)];

    a->read_every = rng_log_range(r, BRAID_MS, 200 * BRAID_MS);
    a->read_max = (uint32_t)rng_log_range(r, 2000, 60000);
    if (rng_chance(r, 0.3))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_zero_window(struct scenario *s, struct rng *r)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        struct app_params *a = &s->app[side];

        if (!rng_chance(r, 0.6))
            continue;
        a->stall_at = (uint64_t)rng_range(r, 0, 200 * KB);
        a->stall_for = rng_log_range(r, BRAID_SECOND, 120 * BRAID_SECOND);
        s->core[side].rcvbuf_max = (size_t)rng_log_range(r, 16 * KB, 128 * KB);
    }
    if (rng_chance(r, 0.3))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_small_buffers(struct scenario *s, struct rng *r)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->core[side].rcvbuf_max = (size_t)rng_log_range(r, 4 * KB, 64 * KB);
        s->core[side].sndbuf_max = (size_t)rng_log_range(r, 4 * KB, 64 * KB);
        s->app[side].total %= 500 * KB;
    }
    if (rng_chance(r, 0.3))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_small_writes(struct scenario *s, struct rng *r)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].write_max = (uint32_t)rng_log_range(r, 1, 100);
        s->app[side].total = (uint64_t)rng_range(r, 1, 3000) * s->app[side].write_max / 2 + 1;
        s->app[side].pause = 0.5;
        s->app[side].pause_max = rng_log_range(r, 10, 50 * BRAID_MS);
    }
    family_join_all(s, r);
}

/* Schedulers and congestion control change in the middle, in recoveries, too. */
void make_switching(struct scenario *s, struct rng *r)
{
    family_slow_paths(s, r);
    family_long_transfer(s, r, 6);
    family_join_all(s, r);
    if (rng_chance(r, 0.7))
        family_each_link(s, r, rng_chance(r, 0.5) ? family_lossy : family_bad);
    for (unsigned i = 0; i < 8; i++)
        family_action(s, (struct action){.kind = rng_chance(r, 0.5) ? ACT_SCHED : ACT_CC,
                                         .at = rng_log_range(r, 1, 6 * BRAID_SECOND),
                                         .a = (unsigned)rng_below(r, 2),
                                         .b = (unsigned)rng_below(r, 1000)});
}

void make_half_close(struct scenario *s, struct rng *r)
{
    unsigned first = (unsigned)rng_below(r, 2);

    s->app[first].total = (uint64_t)rng_log_range(r, 1, 100 * KB) - 1;
    s->app[first].eof_first = false;
    s->app[first].shutdown_delay = 0;
    s->app[!first].eof_first = rng_chance(r, 0.7);
    s->app[!first].total = (uint64_t)rng_log_range(r, 1, 2 * MB);
    s->app[!first].write_max = 65536;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

/* The first to end closes its half of the subflows with that; the other has much more to say. */
void make_fin_early(struct scenario *s, struct rng *r)
{
    unsigned first;

    make_half_close(s, r);
    first = s->app[0].total < s->app[1].total ? SIM_CLIENT : SIM_SERVER;
    s->app[!first].total = (uint64_t)rng_log_range(r, 50 * KB, 1 * MB);
    s->app[!first].write_max = 20000;
    s->app[!first].pause = 0.5;
    s->app[!first].pause_max = rng_log_range(r, BRAID_MS, 200 * BRAID_MS);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        if (side == first || rng_chance(r, 0.3))
            s->app[side].fin_early = rng_chance(r, 0.5) ? FIN_WITH_DATA_FIN : FIN_BEHIND_DATA_FIN;
}

void make_simultaneous_close(struct scenario *s, struct rng *r)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 20 * KB) - 1;
        s->app[side].write_max = 65536;
        s->app[side].eof_first = false;
        s->app[side].pause = 0;
        s->app[side].shutdown_delay = 3 * BRAID_SECOND;
    }
    s->app[SIM_SERVER].accept_delay = 0;
    s->app[SIM_SERVER].shutdown_delay += rng_range(r, -200 * BRAID_MS, 200 * BRAID_MS);
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_fastclose(struct scenario *s, struct rng *r)
{
    unsigned side = (unsigned)rng_below(r, 2);
    bool release = rng_chance(r, 0.3);

    family_slow_paths(s, r);
    family_long_transfer(s, r, 6);
    s->plain = rng_chance(r, 0.2);
    family_join_all(s, r);
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_action(s, (struct action){.kind = release ? ACT_RELEASE : ACT_ABORT,
                                     .at = rng_log_range(r, 1, 6 * BRAID_SECOND),
                                     .a = side});
    s->expect = EXPECT_PREFIX;
    s->reasons[side] = 1u << BRAID_CLOSE_ABORTED | 1u << BRAID_CLOSE_DONE;
    s->reasons[!side] = 1u << BRAID_CLOSE_RESET | 1u << BRAID_CLOSE_DONE | 1u << BRAID_CLOSE_REFUSED;
    /* The abort may be lost with the last subflow: then the other side only learns of it by silence. */
    s->reasons[!side] |= 1u << BRAID_CLOSE_TIMEOUT;
    for (unsigned i = 0; i < 2; i++)
        s->core[i].keepalive_idle = 60 * BRAID_SECOND;
    s->limit = 4 * 3600 * BRAID_SECOND;
}

void make_many_conns(struct scenario *s, struct rng *r)
{
    s->n_conns = (unsigned)rng_range(r, 2, SIM_CONNS);
    s->conn_gap = rng_log_range(r, 1, 200 * BRAID_MS);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].total %= 100 * KB;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_idle_keepalive(struct scenario *s, struct rng *r)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->core[side].keepalive_idle = rng_log_range(r, 5 * BRAID_SECOND, 3600 * BRAID_SECOND);
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 10 * KB);
        s->app[side].write_max = 20000;
        s->app[side].eof_first = false;
    }
    s->app[rng_below(r, 2)].shutdown_delay = rng_log_range(r, 600 * BRAID_SECOND, 7200 * BRAID_SECOND);
    family_join_all(s, r);
    s->limit = 3 * 3600 * BRAID_SECOND;
}

void make_refused(struct scenario *s, struct rng *r)
{
    s->plain = rng_chance(r, 0.5);
    s->expect = EXPECT_REFUSED;
    s->reasons[SIM_CLIENT] = 1u << BRAID_CLOSE_REFUSED;
}
