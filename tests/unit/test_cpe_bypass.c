/* role/cpe_convert: servers that speak MPTCP, and are reached without a converter, in virtual time. */
#include "cpe_converters.h"
#include "role/learned.h"

static void learning(bool bypass)
{
    const struct siphash_key key = {3, 4};
    world.params.bypass = bypass;
    world.node->learned = learned_new(&key, LEARNED_MAX);
    ck_assert_ptr_nonnull(world.node->learned);
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    world.itself = at(SERVER);
}

/* The next connection is carried, after so long, and goes through the converter, which is asked for the
 * option as well, or not. */
static void expect_through(braid_time took, bool asks)
{
    braid_time begun = world.now;
    world.asked = (struct braid_addr){0};
    device_connects(SERVER);
    until(&world.device.established, 5 * BRAID_SECOND);
    ck_assert_int_ge(world.now - begun, took);
    ck_assert_int_lt(world.now - begun, took + BRAID_MS);
    expect_asked(SERVER, CONVERTER);
    ck_assert_int_eq(world.asked_mptcp, asks);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
}

static void expect_straight(void)
{
    braid_time begun = world.now;
    struct braid_addr remote;
    world.asked = (struct braid_addr){0};
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    ck_assert_int_eq(world.now - begun, TRIP);
    ck_assert_uint_eq(world.asked.port, 0);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
    braid_conn_addrs(world.server.conn, &addr, &remote);
    ck_assert(addr_equal(&addr, &world.itself));
}

static size_t known_as_straight(void)
{
    struct learned_entry e[4];
    size_t n = learned_list(world.node->learned, world.now, e, 4), straight = 0;
    for (size_t i = 0; i < n; i++)
        straight += e[i].kind == LEARNED_STRAIGHT && e[i].uplink == LEARNED_NO_UPLINK &&
                    addr_equal(&e[i].addr, &world.itself);
    return straight;
}

/* In the message behind the acceptance, or in the one that is waited for. It goes on for as long as it works.
 */
START_TEST(a_server_that_speaks_mptcp_is_reached_without_the_converter)
{
    world.bare = _i;
    learning(true);
    world.speaks_mptcp = true;
    serve(SERVER, BRAID_CLIENTS_ANY);
    expect_through(_i ? TRIP + 2 * WAN_DELAY : TRIP, true);
    ck_assert_uint_eq(known_as_straight(), 1);
    for (unsigned i = 0; i < 3; i++) {
        expect_straight();
        ck_assert(braid_conn_is_mptcp(world.server.conn));
        run_for(400 * BRAID_SECOND, NULL);
    }
    ck_assert(counted(CPE_BYPASSED) == 3 && counted(CPE_ACCEPTED) == 4 && counted(CPE_STRAIGHT) == 0);
    run_for(600 * BRAID_SECOND, NULL);
    expect_through(_i ? TRIP + 2 * WAN_DELAY : TRIP, true);
}
END_TEST

/* Nothing is asked about it for a while. */
START_TEST(one_that_does_not_is_not)
{
    learning(true);
    for (unsigned i = 0; i < 3; i++)
        expect_through(TRIP, i == 0);
    ck_assert(known_as_straight() == 0 && counted(CPE_BYPASSED) == 0);
    run_for(600 * BRAID_SECOND, NULL);
    expect_through(TRIP, true);
}
END_TEST

START_TEST(the_operator_may_not_want_that)
{
    learning(false);
    world.speaks_mptcp = true;
    serve(SERVER, BRAID_CLIENTS_ANY);
    for (unsigned i = 0; i < 2; i++)
        expect_through(TRIP, false);
}
END_TEST

/* It answers without MPTCP, refuses, or does not answer: the converter carries the connection, and those that
 * follow, for longer with each time. */
START_TEST(what_does_not_work_straight_goes_through_the_converter)
{
    const braid_time more[] = {2 * WAN_DELAY, 2 * WAN_DELAY, BRAID_SECOND};
    learning(true);
    world.speaks_mptcp = true;
    expect_through(TRIP, true);
    if (_i == 0)
        serve(SERVER, BRAID_CLIENTS_PLAIN);
    else if (_i == 1)
        serve("198.51.100.80:1", BRAID_CLIENTS_ANY); /* so that its address answers by a RST */
    else
        world.dead = at(SERVER);
    for (unsigned i = 0; i < 3; i++)
        world.uplinks.all[i].usable[UPLINK_V4] = i == 0;
    cpes_set_uplinks(world.cpes, &world.uplinks);
    ck_assert_uint_eq(known_as_straight(), 1);
    expect_through(TRIP + more[_i], false);
    learned_forget(world.node->learned, 0);
    ck_assert_uint_eq(known_as_straight(), 0);
    expect_through(TRIP, false);
    run_for(600 * BRAID_SECOND, NULL);
    expect_through(TRIP, true);
    expect_through(TRIP + more[_i], false);
    run_for(600 * BRAID_SECOND, NULL);
    expect_through(TRIP, false);
}
END_TEST

/* Somebody takes the option away behind the handshake: that connection goes on as it can. */
START_TEST(one_that_falls_back_is_known_for_it)
{
    learning(true);
    world.speaks_mptcp = true;
    serve(SERVER, BRAID_CLIENTS_ANY);
    expect_through(TRIP, true);
    world.strips = true;
    expect_straight();
    ck_assert_uint_eq(counted(CPE_BYPASSED), 1);
    braid_conn_abort(world.device.conn);
    run_for(BRAID_SECOND, NULL);
    world.strips = false;
    expect_through(TRIP, false);
}
END_TEST

START_TEST(a_converter_that_minds_the_option_is_asked_without)
{
    world.bare = _i;
    learning(true);
    world.deaf = true;
    expect_through((_i ? 2 : 1) * 2 * WAN_DELAY + (_i ? TRIP + 2 * WAN_DELAY : TRIP), false);
    ck_assert_uint_eq(world.refused, 1);
    expect_through(_i ? TRIP + 2 * WAN_DELAY : TRIP, false);
    ck_assert(world.refused == 1 && counted(CPE_STRAIGHT) == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe_bypass");
    TCase *t = tcase_create("cpe_bypass");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_server_that_speaks_mptcp_is_reached_without_the_converter, 0, 2);
    tcase_add_test(t, one_that_does_not_is_not);
    tcase_add_test(t, the_operator_may_not_want_that);
    tcase_add_loop_test(t, what_does_not_work_straight_goes_through_the_converter, 0, 3);
    tcase_add_test(t, one_that_falls_back_is_known_for_it);
    tcase_add_loop_test(t, a_converter_that_minds_the_option_is_asked_without, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
