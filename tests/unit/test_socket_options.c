/* Options of a program's socket that do not show in packets (role/socket_options.c; RFC 6897 section 4.4). */
#include "cpe_program.h"

extern const struct cc_ops cc_reno;

static const struct socket_options some = {.told = true,
                                           .keepalive_idle = 20 * BRAID_SECOND,
                                           .keepalive_step = 3 * BRAID_SECOND,
                                           .keepalive_probes = 4,
                                           .user_timeout = 9 * BRAID_SECOND,
                                           .sndbuf = 30000,
                                           .cc = &cc_reno};

static int64_t of_wan(enum braid_option option)
{
    int64_t value;
    ck_assert_int_eq(braid_conn_get_option(braid_conn_by_id(world.cores[ROUTER], 2), option, &value), 0);
    return value;
}

static void expect_some(void)
{
    struct braid_conn_stats stats;
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE), 20 * BRAID_SECOND);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE_STEP), 3 * BRAID_SECOND);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE_PROBES), 4);
    ck_assert_int_eq(of_wan(BRAID_OPT_USER_TIMEOUT), 9 * BRAID_SECOND);
    ck_assert_int_eq(of_wan(BRAID_OPT_SNDBUF), 30000);
    braid_conn_stats(braid_conn_by_id(world.cores[ROUTER], 2), &stats);
    ck_assert_uint_eq(stats.n_subflows, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_str_eq(stats.subflows[i].congestion, "reno");
}

static void set_options(const struct socket_options *o)
{
    ck_assert_uint_eq(
        answer_to((struct app_question){.kind = APP_SET, .option = APP_SOCKET, .socket = *o}).error, 0);
}

START_TEST(options_that_came_with_a_wish_are_the_connections)
{
    const struct wish w = {.endpoints = UPLINK_ENDPOINTS, .socket = some};
    ask(&w);
    ck_assert(braid_conn_is_mptcp(world.server.conn));
    expect_some();
}
END_TEST

START_TEST(options_may_come_while_the_far_side_is_asked)
{
    struct braid_addr own = at(OWN);
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.other = own;
    device_connects(SERVER);
    run_for(2 * LAN_DELAY, NULL);
    set_options(&some);
    ck_assert(!world.device.established);
    until(&world.device.established, BRAID_SECOND);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_some();
}
END_TEST

START_TEST(options_may_be_set_and_taken_back_later)
{
    static const struct socket_options nothing = {.told = true};
    ask(NULL);
    int64_t first[] = {of_wan(BRAID_OPT_KEEPALIVE), of_wan(BRAID_OPT_USER_TIMEOUT), of_wan(BRAID_OPT_SNDBUF)};
    set_options(&some);
    expect_some();
    set_options(&nothing);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE), first[0]);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE_STEP), 0);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE_PROBES), 0);
    ck_assert_int_eq(of_wan(BRAID_OPT_USER_TIMEOUT), first[1]);
    ck_assert_int_eq(of_wan(BRAID_OPT_SNDBUF), first[2]);
}
END_TEST

/* The operator's keeps translators awake. */
START_TEST(nobody_has_keepalives_more_seldom_than_the_operator_says)
{
    struct socket_options seldom = some;
    ask(NULL);
    int64_t usual = of_wan(BRAID_OPT_KEEPALIVE);
    seldom.keepalive_idle = usual + 1;
    set_options(&seldom);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE), usual);
    ck_assert_int_eq(of_wan(BRAID_OPT_KEEPALIVE_STEP), 0);
}
END_TEST

START_TEST(a_send_buffer_below_the_least_means_no_mptcp)
{
    struct wish w = {.endpoints = UPLINK_ENDPOINTS, .socket = {.told = true, .sndbuf = 4000}};
    world_end();
    world_begin();
    world.params.least_buffer = 4096;
    world.params.no_plain = _i == 2;
    for (unsigned i = 0; i < 3; i++)
        world.uplinks.all[i].ways[UPLINK_V4].outer = outer[i];
    make_cpe();
    world.node->wishes = wishes_new();
    w.aware = _i == 1; /* it has said more */
    ask(&w);
    ck_assert(braid_conn_is_mptcp(world.server.conn) == (_i > 0));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("socket_options");
    TCase *t = tcase_create("socket_options");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, options_that_came_with_a_wish_are_the_connections);
    tcase_add_test(t, options_may_come_while_the_far_side_is_asked);
    tcase_add_test(t, options_may_be_set_and_taken_back_later);
    tcase_add_test(t, nobody_has_keepalives_more_seldom_than_the_operator_says);
    tcase_add_loop_test(t, a_send_buffer_below_the_least_means_no_mptcp, 0, 3);
    suite_add_tcase(s, t);
    return run_suite(s);
}
