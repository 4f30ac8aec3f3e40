/* Families about middleboxes that change segments and payload, speak for an end, or fall silent; and several
 * boxes on one path. */
#include "families_box.h"

void mb_checksum(struct scenario *s, bool on)
{
    s->checksum[SIM_CLIENT] = s->checksum[SIM_SERVER] = on;
}

/* ---- segments ---------------------------------------------------------------------- */

void mb_split(struct scenario *s, struct rng *r)
{
    family_box(s, (struct box_spec){.ops = &box_split,
                                    .path = SIM_PATHS,
                                    .chance = rng_chance(r, 0.5) ? 0.3 : 0,
                                    .segment = {.most = (uint32_t)rng_log_range(r, 100, 1200)}});
}

void mb_merge(struct scenario *s, struct rng *r, uint32_t most)
{
    family_box(s, (struct box_spec){.ops = &box_merge,
                                    .path = SIM_PATHS,
                                    .chance = rng_chance(r, 0.5) ? 0.3 : 0,
                                    .segment = {.most = most, .hold = rng_log_range(r, 10, 5 * BRAID_MS)}});
}

/* Every piece has the options of the whole. */
void make_mb_split_dup_options(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    mb_split(s, r);
}

/* Only the first piece has the mapping, which is enough. */
void make_mb_split_first_only(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    mb_split(s, r);
    s->boxes[0].segment.first_only = true;
}

/* The mapping of the second segment is lost, and with it the data on that subflow. */
void make_mb_merge(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    mb_merge(s, r, 1400);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].write_max = (uint32_t)rng_log_range(r, 50, 3000);
}

void make_mb_merge_split(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    mb_merge(s, r, (uint32_t)rng_log_range(r, 2000, 20000));
}

/* IP fragments, in disorder; the loss of one is the loss of its packet. */
void make_mb_fragments(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    s->fragment = rng_chance(r, 0.5) ? 1 : 0.2;
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->gro[side] = false;
}

/* ---- payload ----------------------------------------------------------------------- */

static void alter(struct scenario *s, struct rng *r, unsigned path)
{
    s->alters = true;
    family_box(s, (struct box_spec){.ops = &box_alter,
                                    .path = path,
                                    .on = rng_chance(r, 0.3)   ? MB_UP
                                          : rng_chance(r, 0.5) ? MB_DOWN
                                                               : 0,
                                    .chance = (double)rng_log_range(r, 5, 300) / 1000});
}

/* Without checksums nobody can see it. */
void make_mb_alg_same_length(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    mb_checksum(s, false);
    alter(s, r, SIM_PATHS);
}

/* One subflow: the first change is seen, and both ends fall back; none, if no data passed. */
void make_mb_alg_checksum(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 1, ANY);
    mb_checksum(s, true);
    alter(s, r, 0);
}

/* The subflow over the second path has to go. */
void make_mb_alg_checksum_two(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    mb_checksum(s, true);
    alter(s, r, 1);
}

static void alg(struct scenario *s, struct rng *r, unsigned path)
{
    bool shorter = rng_chance(r, 0.5);

    s->alters = s->alters_length = s->opaque = true;
    family_box(s, (struct box_spec){.ops = &box_alg,
                                    .path = path,
                                    .alg = {.least = shorter ? -20 : 1,
                                            .most = shorter ? -1 : 20,
                                            .edits = (unsigned)rng_range(r, 1, 8)}});
}

void make_mb_alg_length(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 1, ANY);
    mb_checksum(s, false);
    alg(s, r, 0);
}

void make_mb_alg_length_checksum(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 1, ANY);
    mb_checksum(s, true);
    alg(s, r, 0);
}

void make_mb_alg_length_two(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    mb_checksum(s, true);
    alg(s, r, 1);
}

/* ---- who speaks for an end --------------------------------------------------------- */

static void pep(struct scenario *s, struct rng *r, unsigned path, double lose, bool retransmit)
{
    (void)r;
    s->opaque = true;
    family_box(
        s, (struct box_spec){.ops = &box_pep, .path = path, .pep = {.lose = lose, .retransmit = retransmit}});
}

void make_mb_proactive_ack(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    pep(s, r, SIM_PATHS, (double)rng_below(r, 100) / 1000, true);
}

/* What it has acknowledged and lost is gone for that subflow; another path may bring it. */
void make_mb_proactive_ack_loss(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    pep(s, r, s->n_paths - 1, (double)rng_log_range(r, 5, 300) / 1000, false);
}

static void rst(struct scenario *s, struct rng *r, unsigned path, enum rst_aim aim)
{
    family_box(s, (struct box_spec){.ops = &box_rst,
                                    .path = path,
                                    .after = (uint64_t)rng_log_range(r, 1, 100) - 1,
                                    .chance = 0.3,
                                    .rst = {.aim = aim, .sides = (unsigned)rng_range(r, 1, 3), .most = 1}});
}

/* With the right sequence number: that subflow is gone. */
void make_mb_rst_exact(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    rst(s, r, s->n_paths - 1, RST_EXACT);
    if (s->n_paths == 2)
        s->outcomes = DONE;
}

static void harmless_rst(struct scenario *s, struct rng *r, enum rst_aim aim)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    rst(s, r, SIM_PATHS, aim);
    s->boxes[0].rst.most = (unsigned)rng_log_range(r, 1, 100);
}

void make_mb_rst_in_window(struct scenario *s, struct rng *r)
{
    harmless_rst(s, r, RST_IN_WINDOW);
    s->plain = rng_chance(r, 0.2);
    s->outcomes = s->plain ? PLAIN : DONE;
}

void make_mb_rst_outside(struct scenario *s, struct rng *r)
{
    harmless_rst(s, r, RST_OUTSIDE);
}

void make_mb_rst_blind(struct scenario *s, struct rng *r)
{
    harmless_rst(s, r, RST_BLIND);
}

/* A firewall that does not like joins says so to the client, to the server, or to both. */
void make_mb_rst_join(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    rst(s, r, 1, RST_EXACT);
    s->boxes[0].after = 0;
    s->boxes[0].chance = 0;
    s->boxes[0].rst.subtypes = MB_JOIN;
    s->boxes[0].rst.most = 10;
}

/* ---- silence ----------------------------------------------------------------------- */

/* Returns how long. */
static braid_time silence(struct scenario *s, struct rng *r, unsigned path, braid_time from, braid_time least,
                          braid_time most)
{
    braid_time len = rng_log_range(r, least, most);

    family_box(s, (struct box_spec){.ops = &box_drop,
                                    .path = path,
                                    .on = rng_chance(r, 0.6)   ? 0
                                          : rng_chance(r, 0.5) ? MB_UP
                                                               : MB_DOWN,
                                    .from = from,
                                    .until = from + len});
    return len;
}

void make_mb_silence_short(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    mb_slow(s, r);
    for (unsigned i = 0; i < 3; i++)
        silence(s, r, SIM_PATHS, rng_log_range(r, BRAID_MS, 2 * BRAID_SECOND), 20 * BRAID_MS, 500 * BRAID_MS);
}

/* A handshake is given up after a while, and goes on without MPTCP if its SYNs up to the third (3 s) were
 * swallowed; a connection outlives half a minute. */
static void long_silence(struct scenario *s, struct rng *r, unsigned path)
{
    braid_time from = rng_log_range(r, BRAID_MS, 6 * BRAID_SECOND), len;

    mb_slow(s, r);
    len = silence(s, r, path, from, 20 * BRAID_MS, 30 * BRAID_SECOND);
    if (from >= 3 * BRAID_SECOND || path == 1)
        return;
    if (from + len > 3 * BRAID_SECOND)
        s->outcomes |= PLAIN;
    if (len > 5 * BRAID_SECOND)
        s->outcomes |= FAILED;
}

void make_mb_silence_long(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    long_silence(s, r, SIM_PATHS);
}

void make_mb_silence_one(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    long_silence(s, r, (unsigned)rng_below(r, 2));
}

/* ---- several at once --------------------------------------------------------------- */

void make_mb_nat_seq_split(struct scenario *s, struct rng *r)
{
    mb_base(s, r, (unsigned)rng_range(r, 1, 3), DONE);
    mb_nat(s, r);
    mb_seq(s);
    mb_split(s, r);
}

/* The address translation of a provider behind that of a home. */
void make_mb_nat_nat(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), DONE);
    mb_nat(s, r);
    mb_nat(s, r);
}

void make_mb_nat_strip(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), PLAIN);
    mb_nat(s, r);
    family_box(s, (struct box_spec){.ops = &box_strip,
                                    .path = SIM_PATHS,
                                    .options = {.unknown = true, .nop = rng_chance(r, 0.5)}});
    mb_split(s, r);
}

void make_mb_seq_pep(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    mb_seq(s);
    pep(s, r, SIM_PATHS, 0.02, true);
}

void make_mb_nat_rst(struct scenario *s, struct rng *r)
{
    mb_base(s, r, 2, DONE);
    mb_nat(s, r);
    mb_seq(s);
    rst(s, r, 1, RST_EXACT);
}

void make_mb_everything(struct scenario *s, struct rng *r)
{
    mb_base(s, r, (unsigned)rng_range(r, 1, 3), ANY);
    family_each_link(s, r, family_bad);
    mb_nat(s, r);
    mb_seq(s);
    mb_merge(s, r, 3000);
    mb_split(s, r);
    rst(s, r, SIM_PATHS, (enum rst_aim)rng_below(r, 4));
    silence(s, r, SIM_PATHS, rng_log_range(r, BRAID_MS, 2 * BRAID_SECOND), 20 * BRAID_MS, 30 * BRAID_SECOND);
}
