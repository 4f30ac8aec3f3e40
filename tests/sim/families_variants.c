/* Families about variants of the protocol, middleboxes, workers and memory. */
#include "families.h"

void make_plain(struct scenario *s, struct rng *r)
{
    s->plain = true;
    s->n_paths = 1;
    if (rng_chance(r, 0.7))
        family_each_link(s, r, family_bad);
}

void make_checksum(struct scenario *s, struct rng *r)
{
    unsigned who = (unsigned)rng_range(r, 1, 3);

    s->checksum[SIM_CLIENT] = who & 1;
    s->checksum[SIM_SERVER] = who & 2;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_bad);
    family_join_all(s, r);
}

/* What waits for its checksum takes memory beside full buffers. */
void make_checksum_small(struct scenario *s, struct rng *r)
{
    make_small_buffers(s, r);
    s->checksum[rng_below(r, SIM_SIDES)] = true;
    family_each_link(s, r, rng_chance(r, 0.5) ? family_lossy : family_bad);
}

/* A middlebox on the second path alters payload: that subflow has to go, and no wrong byte may pass. */
void make_altered(struct scenario *s, struct rng *r)
{
    family_slow_paths(s, r);
    family_long_transfer(s, r, 6);
    s->checksum[SIM_CLIENT] = s->checksum[SIM_SERVER] = true;
    s->alters = true;
    family_box(s, (struct box_spec){
                      .ops = &box_alter, .path = 1, .chance = (double)rng_log_range(r, 1, 100) / 1000});
    family_action(s, (struct action){.kind = ACT_JOIN, .at = rng_log_range(r, 1, BRAID_SECOND), .a = 1});
}

static void strip(struct scenario *s, unsigned path, unsigned on, uint64_t after)
{
    family_box(s, (struct box_spec){
                      .ops = &box_strip, .path = path, .on = on, .after = after, .options = {.nop = true}});
}

void make_stripped(struct scenario *s, struct rng *r)
{
    unsigned on = 1u << rng_below(r, 2);

    s->n_paths = 1;
    if (rng_chance(r, 0.3))
        family_each_link(s, r, family_lossy);
    strip(s, 0, rng_chance(r, 0.5) ? ON_ALL : on, 0);
}

/* The handshake passes; the third ACK, or everything behind it, is stripped. */
void make_stripped_later(struct scenario *s, struct rng *r)
{
    s->n_paths = 1;
    strip(s, 0, rng_chance(r, 0.3) ? ON_UP : ON_UP | ON_DOWN, 0);
}

void make_stripped_join(struct scenario *s, struct rng *r)
{
    unsigned on = (unsigned)rng_range(r, 1, 15);

    strip(s, 1, on, (uint64_t)rng_below(r, 8));
    family_action(s, (struct action){.kind = ACT_JOIN, .at = rng_log_range(r, 1, BRAID_SECOND), .a = 1});
}

void make_several_workers(struct scenario *s, struct rng *r)
{
    s->workers[SIM_SERVER] = (unsigned)rng_range(r, 2, SIM_WORKERS);
    s->workers[SIM_CLIENT] = 1;
    s->sticky_workers = true;
    s->n_conns = (unsigned)rng_range(r, 1, 8);
    s->conn_gap = rng_log_range(r, 1, 200 * BRAID_MS);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].total %= 200 * KB;
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_lossy);
    family_join_all(s, r);
}

void make_lost_handshake(struct scenario *s, struct rng *r)
{
    unsigned dir = (unsigned)rng_below(r, 2);
    struct box_spec drop = {.ops = &box_drop, .path = (unsigned)rng_below(r, 2)};

    drop.drop.mask[dir] = 1ull << rng_below(r, 10);
    if (rng_chance(r, 0.3))
        drop.drop.mask[dir] |= drop.drop.mask[dir] << 1;
    if (rng_chance(r, 0.3))
        drop.drop.mask[!dir] = 1ull << rng_below(r, 6);
    family_box(s, drop);
    family_join_all(s, r);
}

void make_seq_wrap(struct scenario *s, struct rng *r)
{
    s->wrap_tcp = true;
    s->wrap_data = rng_chance(r, 0.5) ? 32 : 64;
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_range(r, 300 * KB, 3 * MB);
        s->app[side].write_max = 65536;
    }
    if (rng_chance(r, 0.5))
        family_each_link(s, r, family_bad);
    family_join_all(s, r);
}

void make_memory_short(struct scenario *s, struct rng *r)
{
    s->n_conns = (unsigned)rng_range(r, 2, SIM_CONNS);
    s->conn_gap = rng_log_range(r, 1, 20 * BRAID_MS);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->core[side].keepalive_idle = 60 * BRAID_SECOND;
    s->core[SIM_SERVER].memory = (size_t)rng_log_range(r, 64 * KB, 2 * MB);
    family_join_all(s, r);
    s->expect = EXPECT_PREFIX;
    s->reasons[SIM_CLIENT] = 1u << BRAID_CLOSE_DONE | 1u << BRAID_CLOSE_RESET | 1u << BRAID_CLOSE_REFUSED |
                             1u << BRAID_CLOSE_TIMEOUT;
    s->reasons[SIM_SERVER] = s->reasons[SIM_CLIENT] | 1u << BRAID_CLOSE_RESOURCES;
    s->limit = 4 * 3600 * BRAID_SECOND;
}
