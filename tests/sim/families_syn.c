/* Families about data in the SYN, and in the SYN/ACK of plain TCP. */
#include "families_box.h"

#define MB_CAPABLE (1u << 0)

/* The client's SYN carries some bytes, of which the server takes as many or fewer, and reads them before it
 * accepts or later. */
static void syn_data(struct scenario *s, struct rng *r)
{
    struct app_params *client = &s->app[SIM_CLIENT], *server = &s->app[SIM_SERVER];

    client->syn_data = (uint16_t)rng_log_range(r, 1, 1460);
    client->total +=
        1 + (uint64_t)rng_range(r, 0, 2) * client->syn_data; /* a lost third ACK is repeated with data */
    server->syn_data = rng_chance(r, 0.7) ? 1460 : (uint16_t)rng_range(r, 0, 1460);
    server->read_pending = rng_chance(r, 0.6);
    if (!rng_chance(r, 0.3))
        return;
    s->checksum[rng_below(r, 2)] = true;
    for (unsigned side = 0; side < SIM_SIDES; side++) /* for what waits for its checksum */
        s->core[side].rcvbuf_max += MB;
}

void make_syn_data(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    if (rng_chance(r, 0.5))
        family_each_link(s, r, rng_chance(r, 0.5) ? family_lossy : family_bad);
    family_join_all(s, r);
}

/* Four segments at most, or all SYNs of half a minute could be among them. */
static void drop_early(struct scenario *s, struct rng *r, unsigned path)
{
    struct box_spec drop = {.ops = &box_drop, .path = path};

    for (unsigned i = 0; i < 4; i++)
        if (rng_chance(r, 0.6))
            drop.drop.mask[rng_below(r, 2)] |= 1ull << rng_below(r, 5);
    if (drop.drop.mask[0] || drop.drop.mask[1]) /* or all would be lost */
        family_box(s, drop);
}

/* SYNs, SYN/ACKs, the third ACK, the first data. After four SYNs without an answer it is plain TCP. */
void make_syn_data_lost(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    drop_early(s, r, 0);
    family_join_all(s, r);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = WHOLE;
}

/* The SYN is repeated while the server takes its time, and again while the SYN/ACK is lost. */
void make_syn_data_slow_server(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    s->app[SIM_SERVER].accept_delay = rng_log_range(r, 500 * BRAID_MS, 14 * BRAID_SECOND);
    if (rng_chance(r, 0.5))
        drop_early(s, r, 0);
    family_join_all(s, r);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = WHOLE;
}

/* Somebody takes the payload of SYNs away. */
void make_syn_data_eaten(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    family_box(s, (struct box_spec){
                      .ops = &box_empty, .path = 0, .on = ON_SYN, .chance = rng_chance(r, 0.5) ? 0.5 : 0});
    if (rng_chance(r, 0.5))
        drop_early(s, r, 0);
    family_join_all(s, r);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = WHOLE;
}

/* Somebody lets no SYN with payload pass: the fourth one has none. */
void make_syn_data_refused(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    s->app[SIM_CLIENT].total++;
    family_box(s, (struct box_spec){.ops = &box_drop, .path = 0, .on = ON_SYN, .drop = {.payload = true}});
    family_join_all(s, r);
}

/* Nor one with MP_CAPABLE: the fifth one, or the fourth if none had a payload, is plain TCP's. */
void make_syn_data_capable_refused(struct scenario *s, struct rng *r)
{
    if (rng_chance(r, 0.7))
        syn_data(s, r);
    s->n_paths = 1;
    family_box(
        s, (struct box_spec){.ops = &box_drop, .path = 0, .on = ON_SYN, .drop = {.subtypes = MB_CAPABLE}});
    s->expect = EXPECT_OUTCOME;
    s->outcomes = PLAIN;
}

/* Options are taken away from the SYN, the SYN/ACK, or what follows, from the beginning or a little later. */
void make_syn_data_stripped(struct scenario *s, struct rng *r)
{
    unsigned on = 1u << rng_below(r, 4);

    mb_base(s, r, 1, ANY);
    syn_data(s, r);
    if (on & ON_HANDSHAKE)
        s->outcomes = PLAIN;
    family_box(s, (struct box_spec){.ops = &box_strip,
                                    .path = 0,
                                    .on = on,
                                    .after = on & ON_HANDSHAKE ? 0 : (uint64_t)rng_log_range(r, 1, 20) - 1,
                                    .options = {.nop = rng_chance(r, 0.5)}});
    if (rng_chance(r, 0.3))
        drop_early(s, r, 0);
    if (rng_chance(r, 0.3))
        s->app[SIM_SERVER].accept_delay = rng_log_range(r, 500 * BRAID_MS, 14 * BRAID_SECOND);
}

/* Numbers, addresses and segments change on the way. */
void make_syn_data_boxes(struct scenario *s, struct rng *r)
{
    mb_base(s, r, mb_one_or_two(r), ANY);
    syn_data(s, r);
    if (rng_chance(r, 0.5))
        mb_nat(s, r);
    if (rng_chance(r, 0.5))
        mb_seq(s);
    if (rng_chance(r, 0.5))
        mb_split(s, r);
    if (rng_chance(r, 0.2))
        mb_merge(s, r, 1400);
    if (rng_chance(r, 0.3))
        drop_early(s, r, 0);
    if (rng_chance(r, 0.3))
        s->app[SIM_SERVER].accept_delay = rng_log_range(r, 500 * BRAID_MS, 14 * BRAID_SECOND);
}

void make_syn_data_plain(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    s->plain = true;
    s->n_paths = 1;
    if (rng_chance(r, 0.5))
        drop_early(s, r, 0);
    else
        family_each_link(s, r, family_bad);
}

/* Every SYN is answered by a cookie, which carries no payload. */
void make_syn_data_cookie(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    s->core[SIM_SERVER].half_open = 0;
    s->app[SIM_CLIENT].total++;
    if (rng_chance(r, 0.5))
        drop_early(s, r, 0);
    family_join_all(s, r);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = ANY; /* nothing is left of a client whose third ACK and first data are lost */
}

/* The server answers by plain TCP, with the first bytes of its stream in the SYN/ACK. */
void make_syn_data_answer(struct scenario *s, struct rng *r)
{
    s->n_paths = 1;
    if (rng_chance(r, 0.7))
        syn_data(s, r);
    s->app[SIM_SERVER].answer = (uint16_t)rng_log_range(r, 1, 3000);
    s->app[SIM_SERVER].total += s->app[SIM_SERVER].answer;
    if (rng_chance(r, 0.5))
        drop_early(s, r, 0);
    if (rng_chance(r, 0.3))
        family_box(s, (struct box_spec){.ops = &box_empty, .path = 0, .on = ON_SYNACK});
    if (rng_chance(r, 0.3))
        family_each_link(s, r, family_bad);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = PLAIN;
}

/* The server writes, and some of it leaves, before the third ACK. */
static void early(struct scenario *s, struct rng *r)
{
    syn_data(s, r);
    s->app[SIM_SERVER].early = (uint16_t)rng_log_range(r, 1, UINT16_MAX);
}

void make_syn_data_early(struct scenario *s, struct rng *r)
{
    early(s, r);
    if (rng_chance(r, 0.5))
        family_each_link(s, r, rng_chance(r, 0.5) ? family_lossy : family_bad);
    family_join_all(s, r);
}

void make_syn_data_early_lost(struct scenario *s, struct rng *r)
{
    early(s, r);
    drop_early(s, r, 0);
    if (rng_chance(r, 0.3))
        s->app[SIM_SERVER].accept_delay = rng_log_range(r, 500 * BRAID_MS, 14 * BRAID_SECOND);
    family_join_all(s, r);
    s->expect = EXPECT_OUTCOME;
    s->outcomes = WHOLE;
}

void make_syn_data_early_boxes(struct scenario *s, struct rng *r)
{
    make_syn_data_boxes(s, r);
    s->app[SIM_SERVER].early = (uint16_t)rng_log_range(r, 1, UINT16_MAX);
}

void make_syn_data_early_stripped(struct scenario *s, struct rng *r)
{
    make_syn_data_stripped(s, r);
    s->app[SIM_SERVER].early = (uint16_t)rng_log_range(r, 1, UINT16_MAX);
}

void make_syn_data_early_memory(struct scenario *s, struct rng *r)
{
    make_syn_data_memory(s, r);
    s->app[SIM_SERVER].early = (uint16_t)rng_log_range(r, 1, UINT16_MAX);
}

void make_syn_data_memory(struct scenario *s, struct rng *r)
{
    make_memory_short(s, r);
    syn_data(s, r);
    s->app[SIM_SERVER].accept_delay = rng_log_range(r, 1, 3 * BRAID_SECOND);
}
