/* A CPE with two converters (cpe_world.h), and what its tests have alike. */
#ifndef BRAID_TESTS_CPE_CONVERTERS_H
#define BRAID_TESTS_CPE_CONVERTERS_H

#include "cpe_world.h"

#define CONVERTER "203.0.113.1:5124"
#define SECOND    "203.0.113.2:5124"
#define SERVER    "198.51.100.80:80"
#define SIX       "[2001:db8::80]:80"
#define TRIP      (2 * LAN_DELAY + 2 * WAN_DELAY)
#define BEGUN     (1000 * BRAID_SECOND)

static struct braid_addr addr;

static inline void set_peer(unsigned i, const char *at_)
{
    struct targets t = {.addr = {at(at_)}, .n = 1};
    cpes_set_peer(world.cpes, 0, i, &t);
}

static inline void setup(void)
{
    world_begin();
    world.params.kind = CPE_CONVERT;
    world.params.n_peers = 2;
    make_cpe();
    set_peer(0, CONVERTER);
    set_peer(1, SECOND);
    world.manners = CONVERTS;
}

static inline void teardown(void)
{
    world_end();
}

static inline void expect_asked(const char *server, const char *through)
{
    addr = at(server);
    ck_assert(addr_equal(&world.asked, &addr));
    addr = at(through);
    ck_assert(addr_equal(&world.through, &addr));
}

static inline void expect_nothing_left(void)
{
    ck_assert_uint_eq(world.node->n_conns, 0);
    for (unsigned i = 0; i < PLACES; i++) {
        struct braid_core_stats s;
        braid_core_stats(world.cores[i], &s);
        ck_assert_uint_eq(s.conns, 0);
    }
}

/* Both ways, and nobody sees the messages. */
static inline void expect_carried(void)
{
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
    say(&world.server, "you are welcome");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, "you are welcome");
    ck_assert(counted(CPE_UP) == 5 && counted(CPE_DOWN) == 15);
}

#endif
