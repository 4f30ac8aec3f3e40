/* Families about paths, subflows and addresses that come and go. */
#include "families.h"

void make_path_down(struct scenario *s, struct rng *r)
{
    unsigned path = (unsigned)rng_below(r, 2);
    braid_time at = rng_log_range(r, 100 * BRAID_MS, 5 * BRAID_SECOND);

    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    family_join_all(s, r);
    family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = path, .need_subflows = 2});
    if (rng_chance(r, 0.5))
        family_action(s, (struct action){.kind = ACT_PATH_UP,
                                         .at = at + rng_log_range(r, 100 * BRAID_MS, 20 * BRAID_SECOND),
                                         .a = path,
                                         .need_subflows = 2});
}

void make_flapping(struct scenario *s, struct rng *r)
{
    braid_time at[2] = {BRAID_SECOND, BRAID_SECOND};

    family_slow_paths(s, r);
    family_long_transfer(s, r, 10);
    family_join_all(s, r);
    for (unsigned i = 0; i < 20; i++) {
        unsigned path = i % 2;

        at[path] += rng_log_range(r, 10 * BRAID_MS, 4 * BRAID_SECOND);
        family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at[path], .a = path});
        at[path] += rng_log_range(r, 10 * BRAID_MS, 4 * BRAID_SECOND);
        family_action(s, (struct action){.kind = ACT_PATH_UP, .at = at[path], .a = path});
    }
}

void make_both_down(struct scenario *s, struct rng *r)
{
    braid_time at = rng_log_range(r, 100 * BRAID_MS, 4 * BRAID_SECOND);

    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    family_join_all(s, r);
    for (unsigned i = 0; i < 2; i++) {
        family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = i});
        family_action(s, (struct action){.kind = ACT_PATH_UP,
                                         .at = at + rng_log_range(r, 100 * BRAID_MS, 15 * BRAID_SECOND),
                                         .a = i});
    }
}

/* All subflows are reset; a new one is made within the time that the cores wait for it. */
void make_break_before_make(struct scenario *s, struct rng *r)
{
    braid_time at = rng_log_range(r, 100 * BRAID_MS, 2 * BRAID_SECOND);

    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    family_join_all(s, r);
    s->core[0].break_before_make = s->core[1].break_before_make = 30 * BRAID_SECOND;
    family_action(
        s,
        (struct action){.kind = ACT_RESET_ALL, .at = at, .a = (unsigned)rng_below(r, 2), .need_subflows = 2});
    /* The second join comes late enough to find no subflow, and is for the case that there was nothing to
     * reset. */
    for (unsigned i = 1; i < 4; i++)
        family_action(s, (struct action){.kind = ACT_JOIN,
                                         .at = at + i * rng_log_range(r, BRAID_SECOND, 8 * BRAID_SECOND),
                                         .a = (unsigned)rng_below(r, 2)});
}

void make_vanish(struct scenario *s, struct rng *r)
{
    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    family_join_all(s, r);
    for (unsigned i = 0; i < 2; i++)
        s->core[i].keepalive_idle = 60 * BRAID_SECOND;
    family_action(
        s, (struct action){.kind = ACT_VANISH, .at = rng_log_range(r, 100 * BRAID_MS, 8 * BRAID_SECOND)});
    s->expect = EXPECT_PREFIX;
    s->reasons[0] = s->reasons[1] =
        1u << BRAID_CLOSE_TIMEOUT | 1u << BRAID_CLOSE_DONE | 1u << BRAID_CLOSE_REFUSED;
    s->limit = 4 * 3600 * BRAID_SECOND;
}

void make_join_churn(struct scenario *s, struct rng *r)
{
    family_slow_paths(s, r);
    family_long_transfer(s, r, 8);
    s->n_paths = 3;
    s->n_addrs = 2;
    family_join_all(s, r);
    for (unsigned i = 0; i < 16; i++) {
        braid_time at = rng_range(r, 100 * BRAID_MS, 8 * BRAID_SECOND);

        family_action(s, (struct action){.kind = ACT_JOIN,
                                         .at = at,
                                         .a = (unsigned)rng_below(r, 3),
                                         .b = (unsigned)rng_below(r, 2)});
        family_action(s, (struct action){.kind = ACT_RESET,
                                         .at = at + rng_range(r, 0, 2 * BRAID_SECOND),
                                         .a = (unsigned)rng_below(r, 2),
                                         .b = (unsigned)rng_below(r, 4),
                                         .need_subflows = 2});
    }
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
}

void make_add_addr(struct scenario *s, struct rng *r)
{
    family_slow_paths(s, r);
    family_long_transfer(s, r, 4);
    s->n_addrs = 3;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
    for (unsigned i = 1; i < 3; i++) {
        braid_time at = rng_log_range(r, BRAID_MS, 2 * BRAID_SECOND);

        family_action(s, (struct action){.kind = ACT_ANNOUNCE, .at = at, .a = i});
        family_action(
            s, (struct action){
                   .kind = ACT_JOIN, .at = at + 200 * BRAID_MS, .a = (unsigned)rng_below(r, 2), .b = i});
        if (rng_chance(r, 0.5))
            family_action(s, (struct action){.kind = ACT_WITHDRAW,
                                             .at = at + rng_log_range(r, 1, 3 * BRAID_SECOND),
                                             .a = i,
                                             .b = SIM_SERVER,
                                             .need_subflows = 2});
    }
    if (rng_chance(r, 0.3))
        family_action(s, (struct action){.kind = ACT_WITHDRAW,
                                         .at = rng_log_range(r, BRAID_MS, 3 * BRAID_SECOND),
                                         .a = 0,
                                         .b = SIM_CLIENT,
                                         .need_subflows = 3});
}

void make_backup(struct scenario *s, struct rng *r)
{
    family_slow_paths(s, r);
    family_long_transfer(s, r, 6);
    family_action(
        s, (struct action){
               .kind = ACT_JOIN, .at = rng_log_range(r, 1, BRAID_SECOND), .a = 1, .c = rng_chance(r, 0.7)});
    for (unsigned i = 0; i < 6; i++)
        family_action(s, (struct action){.kind = ACT_PRIO,
                                         .at = rng_range(r, 0, 5 * BRAID_SECOND),
                                         .a = (unsigned)rng_below(r, 2),
                                         .b = (unsigned)rng_below(r, 2),
                                         .c = rng_chance(r, 0.5)});
    if (rng_chance(r, 0.5))
        family_action(s, (struct action){.kind = ACT_PATH_DOWN,
                                         .at = rng_range(r, 0, 4 * BRAID_SECOND),
                                         .a = 0,
                                         .need_subflows = 2});
}
