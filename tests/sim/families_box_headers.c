/* Families about middleboxes that change addresses, sequence numbers and options. */
#include "families_box.h"
#include "segment.h"

void mb_base(struct scenario *s, struct rng *r, unsigned paths, unsigned outcomes)
{
    s->n_paths = paths;
    s->expect = EXPECT_OUTCOME;
    s->outcomes = outcomes;
    s->boxes_at_server = rng_chance(r, 0.4);
    s->checksum[rng_below(r, 2)] = rng_chance(r, 0.4);
    s->limit = 4 * 3600 * BRAID_SECOND;
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = rng_chance(r, 0.1) ? 0 : (uint64_t)rng_log_range(r, 1, 300 * KB);
        s->app[side].write_max = (uint32_t)rng_log_range(r, 2000, 65536);
        s->core[side].keepalive_idle = 60 * BRAID_SECOND;
        s->core[side].time_wait = 30 * BRAID_SECOND;
    }
    if (rng_chance(r, 0.2)) {
        family_each_link(s, r, family_lossy);
        s->app[SIM_CLIENT].total++; /* without data a lost third ACK is not sent again: plain TCP */
    }
    family_join_all(s, r);
}

void mb_slow(struct scenario *s, struct rng *r)
{
    for (unsigned i = 0; i < FAMILY_PATHS; i++) {
        s->up[i].rate = s->down[i].rate = (uint64_t)rng_log_range(r, 20 * KB, 300 * KB);
        s->up[i].delay = s->down[i].delay = rng_log_range(r, BRAID_MS, 60 * BRAID_MS);
        s->up[i].queue = s->down[i].queue = 64 * KB + family_bdp(&s->up[i]);
    }
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].total = (uint64_t)rng_log_range(r, 10 * KB, 200 * KB);
}

unsigned mb_one_or_two(struct rng *r)
{
    return (unsigned)rng_range(r, 1, 2);
}

/* ---- addresses and numbers --------------------------------------------------------- */

void mb_nat(struct scenario *s, struct rng *r)
{
    family_box(s, (struct box_spec){.ops = &box_nat,
                                    .path = SIM_PATHS,
                                    .nat = {.ports = rng_chance(r, 0.7), .lost = NAT_DROP}});
}

void make_mb_nat(struct scenario *s, struct rng *r)
{
    mb_base(s, r, (unsigned)rng_range(r, 1, 3), DONE);
    mb_nat(s, r);
}

static void rebind(struct scenario *s, struct rng *r, unsigned path, bool swap)
{
    family_box(s, (struct box_spec){.ops = &box_nat,
                                    .path = path,
                                    .nat = {.ports = !swap || rng_chance(r, 0.5),
                                            .rebind_at = rng_log_range(r, 10 * BRAID_MS, 3 * BRAID_SECOND),
                                            .swap_address = swap,
                                            .lost = (enum nat_lost)rng_below(r, 3)}});
}

/* With one path the connection may hang on the subflow that is gone; the client joins again in some. */
static void mapping_lost(struct scenario *s, struct rng *r, bool swap)
{
    mb_base(s, r, mb_one_or_two(r), DONE | FAILED);
    mb_slow(s, r);
    rebind(s, r, s->n_paths - 1, swap);
    for (unsigned i = 0; i < 3; i++)
        if (rng_chance(r, 0.5))
            family_action(s, (struct action){.kind = ACT_JOIN,
                                             .at = rng_range(r, BRAID_SECOND, 20 * BRAID_SECOND),
                                             .a = (unsigned)rng_below(r, s->n_paths)});
    if (s->n_paths == 2)
        s->outcomes = DONE; /* the other path carries on */
}

void make_mb_nat_rebind(struct scenario *s, struct rng *r)
{
    mapping_lost(s, r, false);
}

void make_mb_swap_address(struct scenario *s, struct rng *r)
{
    mapping_lost(s, r, true);
}

void mb_seq(struct scenario *s)
{
    s->opaque = true;
    family_box(s, (struct box_spec){.ops = &box_seq, .path = SIM_PATHS});
}

void make_mb_seq_rewrite(struct scenario *s, struct rng *r)
{
    mb_base(s, r, (unsigned)rng_range(r, 1, 3), DONE);
    family_each_link(s, r, family_lossy); /* for SACK blocks */
    s->app[SIM_CLIENT].total++;
    mb_seq(s);
}

/* ---- options ----------------------------------------------------------------------- */

static void add_strip(struct scenario *s, struct rng *r, unsigned on, uint64_t after)
{
    family_box(
        s,
        (struct box_spec){
            .ops = &box_strip, .path = 0, .on = on, .after = after, .options = {.nop = rng_chance(r, 0.5)}});
}

void make_mb_strip_syn(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), PLAIN);
    add_strip(s, r, ON_SYN, 0);
}

void make_mb_strip_synack(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), PLAIN);
    add_strip(s, r, ON_SYNACK, 0);
}

/* In the middle of a connection: what it may become depends on when, and on who has data. */
void make_mb_strip_mid_up(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 1, ANY);
    add_strip(s, r, ON_UP, (uint64_t)rng_log_range(r, 1, 60) - 1);
}

void make_mb_strip_mid_down(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 1, ANY);
    add_strip(s, r, ON_DOWN, (uint64_t)rng_log_range(r, 1, 60) - 1);
}

void make_mb_strip_mid_both(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 1, ANY);
    add_strip(s, r, ON_UP | ON_DOWN, (uint64_t)rng_log_range(r, 1, 60) - 1);
}

/* On the second path only: the first one carries everything. */
void make_mb_strip_join(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    family_box(s, (struct box_spec){.ops = &box_strip,
                                    .path = 1,
                                    .on = (unsigned)rng_range(r, 1, ON_ALL),
                                    .after = (uint64_t)rng_below(r, 12),
                                    .options = {.nop = rng_chance(r, 0.5)}});
}

/* All that is not in RFC 9293, 7323 or 2018. */
void make_mb_strip_unknown(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), PLAIN);
    family_box(s, (struct box_spec){
                      .ops = &box_strip, .path = 0, .options = {.unknown = true, .nop = rng_chance(r, 0.5)}});
}

/* Timestamps, SACK or the window scale cannot be agreed on. */
void make_mb_strip_known(struct scenario *s, struct rng *r)
{
    static const uint8_t kinds[] = {OPT_MSS, OPT_WSCALE, OPT_SACK_OK, OPT_TS};

    mb_base(s, r, mb_one_or_two(r), DONE);
    s->opaque = true;
    family_box(s, (struct box_spec){.ops = &box_strip,
                                    .path = SIM_PATHS,
                                    .on = rng_chance(r, 0.5) ? ON_SYN : ON_HANDSHAKE,
                                    .options = {.kinds = true, .kind = kinds[rng_below(r, 4)]}});
}

void make_mb_repeat_options(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    family_box(s, (struct box_spec){.ops = &box_repeat_options, .path = SIM_PATHS});
}

void make_mb_turn_options(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    family_box(s, (struct box_spec){.ops = &box_turn_options, .path = SIM_PATHS});
}

void make_mb_drop_join(struct scenario *s, struct rng *r)
{
    mb_base(s, r, (unsigned)rng_range(r, 2, 3), DONE);
    family_box(s, (struct box_spec){.ops = &box_drop,
                                    .path = SIM_PATHS,
                                    .on = rng_chance(r, 0.5) ? 0 : 1u << rng_below(r, 4),
                                    .drop = {.subtypes = MB_JOIN}});
}

void make_mb_drop_add_addr(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    mb_slow(s, r);
    s->n_addrs = 2;
    family_action(
        s, (struct action){.kind = ACT_ANNOUNCE, .at = rng_log_range(r, BRAID_MS, BRAID_SECOND), .a = 1});
    family_action(s, (struct action){.kind = ACT_JOIN, .at = BRAID_SECOND, .a = 1, .b = 1});
    family_box(s, (struct box_spec){.ops = rng_chance(r, 0.5) ? &box_drop : &box_strip,
                                    .path = SIM_PATHS,
                                    .on = rng_chance(r, 0.5) ? 0 : ON_DOWN});
    if (s->boxes[0].ops == &box_drop)
        s->boxes[0].drop = (struct box_drop_params){.subtypes = MB_ADD_ADDR};
    else
        s->boxes[0].options = (struct box_options_params){.subtypes = MB_ADD_ADDR, .nop = true};
}
