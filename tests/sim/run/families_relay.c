/* Families of a chain of relays (chain.h): a device that speaks plain TCP, a CPE with two to four uplinks, a
 * converter or an edge, and a server that speaks plain TCP. What the ends write is compared where it comes
 * out; whatever happens on the way, a byte that somebody has acknowledged arrives, or the end that misses it
 * is told. */
#include "../families_box.h"
#include "chain.h"

/* ---- common parts ------------------------------------------------------------------ */

static struct link_params any_lan(struct rng *r, braid_time most_delay)
{
    struct link_params p = {.rate = (uint64_t)rng_log_range(r, 500 * KB, 50 * MB),
                            .delay = rng_log_range(r, 20, most_delay),
                            .mtu = 1500,
                            .whole = rng_chance(r, 0.5)};

    p.queue = 128 * KB + family_bdp(&p);
    return p;
}

static void chain(struct scenario *s, struct rng *r)
{
    family_home(s, r);
    s->chain.middle = &sim_chain;
    s->chain.convert = rng_chance(r, 0.6);
    s->chain.lan = any_lan(r, 5 * BRAID_MS);
    s->chain.backhaul = any_lan(r, 40 * BRAID_MS);
    for (unsigned i = 0; i < s->n_paths; i++)
        if (rng_chance(r, 0.5))
            s->race_srtt[i] = 2 * s->up[i].delay + BRAID_MS;
    /* What converters take of a SYN, mostly. */
    s->app[SIM_SERVER].syn_data = rng_chance(r, 0.8) ? 1460 : 0;
    s->app[SIM_SERVER].accept_delay = rng_chance(r, 0.3) ? rng_log_range(r, BRAID_MS, 300 * BRAID_MS) : 0;
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total /= 4;
        s->core[side].keepalive_idle = 10 * BRAID_SECOND;
    }
}

/* Longer than it takes uplinks to go and come back. */
static void long_chain(struct scenario *s, struct rng *r)
{
    chain(s, r);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].total *= 2;
}

static struct app_params *either(struct scenario *s, struct rng *r)
{
    return &s->app[rng_below(r, SIM_SIDES)];
}

/* A reader of more than all buffers together hold: those of either end of each of the three connections, with
 * fast uplinks between them. */
static struct app_params *bounded(struct scenario *s, struct rng *r)
{
    unsigned reader = (unsigned)rng_below(r, SIM_SIDES);

    chain(s, r);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = 64 * KB;
    s->chain.most_held = 3 * (64 + 64) * KB;
    s->app[!reader].total = (uint64_t)rng_range(r, 600 * KB, MB);
    for (unsigned i = 0; i < s->n_paths; i++) {
        s->up[i].rate *= 10;
        s->down[i].rate *= 10;
    }
    return &s->app[reader];
}

static void may_fail(struct scenario *s)
{
    s->expect = EXPECT_OUTCOME;
    s->outcomes = PLAIN | FAILED;
}

static void at(struct scenario *s, enum action_kind kind, braid_time when, unsigned a, unsigned b)
{
    family_action(s, (struct action){.kind = kind, .at = when, .a = a, .b = b});
}

static braid_time some_time(struct rng *r)
{
    return rng_log_range(r, BRAID_MS, FAMILY_HORIZON / 2);
}

/* ---- streams ----------------------------------------------------------------------- */

void make_relay_clean(struct scenario *s, struct rng *r)
{
    chain(s, r);
}

/* The server speaks, the device listens, and may never say a word. */
void make_relay_server_first(struct scenario *s, struct rng *r)
{
    chain(s, r);
    s->app[SIM_CLIENT].total = (uint64_t)rng_range(r, 0, 1);
    s->app[SIM_SERVER].total = (uint64_t)rng_log_range(r, 1, 500 * KB);
}

/* One direction ends, and the other goes on for as long as it likes. */
void make_relay_half_close(struct scenario *s, struct rng *r)
{
    unsigned first;

    chain(s, r);
    first = (unsigned)rng_below(r, SIM_SIDES);
    s->app[first].total = (uint64_t)rng_log_range(r, 1, 50 * KB) - 1;
    s->app[!first].total = (uint64_t)rng_log_range(r, 1, 500 * KB);
    s->app[!first].eof_first = true;
    s->app[!first].shutdown_delay = 0;
    if (rng_chance(r, 0.5)) {
        s->app[!first].pause = 0.2;
        s->app[!first].pause_max = 2 * BRAID_SECOND;
    }
}

/* Who reads slowly slows down who writes, over all three connections: nothing piles up in between. */
void make_relay_slow_reader(struct scenario *s, struct rng *r)
{
    struct app_params *a = bounded(s, r);

    a->read_max = (uint32_t)rng_log_range(r, 1000, 30000);
    a->read_every = rng_log_range(r, 100, 50 * BRAID_MS);
}

void make_relay_stalled_reader(struct scenario *s, struct rng *r)
{
    struct app_params *a = bounded(s, r);

    a->stall_at = (uint64_t)rng_log_range(r, 1, 100 * KB);
    a->stall_for = rng_log_range(r, BRAID_SECOND, 60 * BRAID_SECOND);
}

/* The smallest that may be configured, several connections beside each other. */
void make_relay_small_buffers(struct scenario *s, struct rng *r)
{
    chain(s, r);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->core[side].rcvbuf_max = (size_t)rng_log_range(r, 64 * KB, 128 * KB);
        s->core[side].sndbuf_max = (size_t)rng_log_range(r, 64 * KB, 128 * KB);
        s->app[side].total = (uint64_t)rng_range(r, 0, 200 * KB);
    }
    s->n_conns = (unsigned)rng_range(r, 1, 4);
    s->conn_gap = rng_log_range(r, BRAID_MS, BRAID_SECOND);
}

/* ---- ends before their time -------------------------------------------------------- */

static void aborted(struct scenario *s, struct rng *r, unsigned side)
{
    chain(s, r);
    s->expect = EXPECT_PREFIX;
    s->reasons[side] = 1u << BRAID_CLOSE_ABORTED | 1u << BRAID_CLOSE_DONE;
    s->reasons[!side] = 1u << BRAID_CLOSE_RESET | 1u << BRAID_CLOSE_DONE;
    /* before it was answered it is a refusal */
    if (side == SIM_SERVER)
        s->reasons[SIM_CLIENT] |= 1u << BRAID_CLOSE_REFUSED;
    at(s, ACT_ABORT, some_time(r), side, 0);
}

/* A RST on the LAN is MP_FASTCLOSE on the uplinks, and a RST again to the server. */
void make_relay_device_aborts(struct scenario *s, struct rng *r)
{
    aborted(s, r, SIM_CLIENT);
}

void make_relay_server_aborts(struct scenario *s, struct rng *r)
{
    aborted(s, r, SIM_SERVER);
}

/* One of the relays ends the connection, for reasons of its own: both ends are told, wherever they are in
 * their streams. */
void make_relay_middle_aborts(struct scenario *s, struct rng *r)
{
    chain(s, r);
    may_fail(s);
    at(s, ACT_RELAY_ABORT, some_time(r), (unsigned)rng_below(r, 2), 0);
}

/* ---- uplinks ----------------------------------------------------------------------- */

/* Nowhere is a link without loss: not in the LAN either. */
void make_relay_lossy(struct scenario *s, struct rng *r)
{
    chain(s, r);
    for (unsigned i = 0; i < s->n_paths; i++) {
        family_bad(&s->up[i], r);
        family_bad(&s->down[i], r);
        s->up[i].loss = s->up[i].loss > 0.03 ? 0.03 : s->up[i].loss;
        s->down[i].loss = s->down[i].loss > 0.03 ? 0.03 : s->down[i].loss;
    }
    s->chain.lan.loss = rng_chance(r, 0.5) ? 0.02 : 0;
    s->chain.backhaul.loss = rng_chance(r, 0.5) ? 0.02 : 0;
}

void make_relay_come_go(struct scenario *s, struct rng *r)
{
    long_chain(s, r);
    family_come_and_go(s, r, 10 * BRAID_SECOND);
}

void make_relay_address(struct scenario *s, struct rng *r)
{
    long_chain(s, r);
    family_renew(s, r, (unsigned)rng_range(r, 1, 8));
}

void make_relay_silent(struct scenario *s, struct rng *r)
{
    long_chain(s, r);
    family_fall_silent(s, r, 3);
}

/* An uplink that takes MPTCP away: what began there is plain TCP, or fails visibly when it is taken away in
 * the middle. */
void make_relay_strip(struct scenario *s, struct rng *r)
{
    chain(s, r);
    may_fail(s);
    family_strip(s, r, (unsigned)rng_below(r, s->n_paths));
}

void make_relay_nat(struct scenario *s, struct rng *r)
{
    long_chain(s, r);
    family_translate(s, r);
}

/* ---- converters -------------------------------------------------------------------- */

static void two_converters(struct scenario *s, struct rng *r, enum converter_manners first)
{
    chain(s, r);
    s->chain.convert = true;
    s->n_addrs = 2;
    s->chain.manners[0] = first;
    s->n_conns = (unsigned)rng_range(r, 1, 4);
    s->conn_gap = rng_log_range(r, 10 * BRAID_MS, 3 * BRAID_SECOND);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 200 * KB);
    /* the second address is no place for subflows to the first one */
    s->signal[SIM_SERVER] = s->endpoints[SIM_SERVER] = false;
}

/* The first converter of two refuses, by a RST or with a reason; the next one serves. */
void make_relay_refused(struct scenario *s, struct rng *r)
{
    static const enum converter_manners ways[] = {CONVERTER_ABSENT, CONVERTER_DENIES, CONVERTER_EXHAUSTED};

    two_converters(s, r, ways[rng_below(r, 3)]);
}

/* The first of two is silent. */
void make_relay_dead_converter(struct scenario *s, struct rng *r)
{
    two_converters(s, r, CONVERTER_DEAD);
}

/* It asks the server when it gets around to it, within the CPE's patience. */
void make_relay_slow_converter(struct scenario *s, struct rng *r)
{
    chain(s, r);
    s->chain.convert = true;
    s->chain.converter_delay = rng_log_range(r, 50 * BRAID_MS, 6 * BRAID_SECOND);
}

void make_relay_no_server(struct scenario *s, struct rng *r)
{
    chain(s, r);
    s->chain.server_refuses = true;
    s->expect = EXPECT_REFUSED;
    s->reasons[SIM_CLIENT] = 1u << BRAID_CLOSE_REFUSED;
    /* an edge answers who waits too long, and what it has answered it can only reset */
    if (!s->chain.convert)
        s->reasons[SIM_CLIENT] |= 1u << BRAID_CLOSE_RESET;
    if (rng_chance(r, 0.5))
        s->chain.converter_delay = rng_log_range(r, BRAID_MS, 6 * BRAID_SECOND);
}

/* Its machine goes, for good or until it has started again, without a memory of what it carried. */
void make_relay_converter_dies(struct scenario *s, struct rng *r)
{
    chain(s, r);
    may_fail(s);
    s->n_conns = (unsigned)rng_range(r, 1, 4);
    s->conn_gap = rng_log_range(r, 10 * BRAID_MS, 3 * BRAID_SECOND);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->core[side].break_before_make = 20 * BRAID_SECOND;
    at(s, ACT_RELAY_DIE, some_time(r), 0, rng_chance(r, 0.3) ? 0 : (unsigned)rng_log_range(r, 1, 30000));
}

/* ---- together ---------------------------------------------------------------------- */

/* A page's worth of connections, while uplinks come and go. */
void make_relay_many(struct scenario *s, struct rng *r)
{
    chain(s, r);
    may_fail(s);
    s->n_conns = (unsigned)rng_range(r, 4, 12);
    s->conn_gap = rng_log_range(r, 5 * BRAID_MS, BRAID_SECOND);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 200 * KB);
        s->core[side].break_before_make = 20 * BRAID_SECOND;
    }
    family_come_and_go(s, r, 5 * BRAID_SECOND);
    family_renew(s, r, 2);
}

void make_relay_everything(struct scenario *s, struct rng *r)
{
    chain(s, r);
    may_fail(s);
    s->n_conns = (unsigned)rng_range(r, 1, 4);
    s->conn_gap = rng_log_range(r, 10 * BRAID_MS, 3 * BRAID_SECOND);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side].total = (uint64_t)rng_log_range(r, 1, 400 * KB);
        s->core[side].break_before_make = 30 * BRAID_SECOND;
    }
    if (rng_chance(r, 0.3))
        family_each_link(s, r, family_bad);
    if (rng_chance(r, 0.3))
        family_strip(s, r, (unsigned)rng_below(r, s->n_paths));
    if (rng_chance(r, 0.5))
        family_come_and_go(s, r, 3 * BRAID_SECOND);
    if (rng_chance(r, 0.5))
        family_fall_silent(s, r, 3);
    if (rng_chance(r, 0.3))
        at(s, ACT_RELAY_ABORT, some_time(r), (unsigned)rng_below(r, 2), 0);
    if (rng_chance(r, 0.3))
        at(s, ACT_ABORT, some_time(r), (unsigned)rng_below(r, 2), 0);
    if (rng_chance(r, 0.3))
        at(s, ACT_RELAY_DIE, some_time(r), 0, (unsigned)rng_log_range(r, 1, 10000));
    if (rng_chance(r, 0.3))
        either(s, r)->read_every = 20 * BRAID_MS;
}
