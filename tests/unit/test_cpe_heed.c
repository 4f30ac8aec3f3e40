/* What a device's packets show of the options of its socket, and a CPE heeds (role/cpe_heed.c): looked at
 * from the server's end. */
#include "cpe_world.h"

#define SERVER "198.51.100.80:80"

extern const struct sched_ops sched_lowlatency;

static struct profile ends[2], automatic;

static void setup(void)
{
    world_begin();
    world.params.heed = CPE_HEED_ALL;
    world.params.least_buffer = 4096;
    serve(SERVER, BRAID_CLIENTS_ANY);
}

static void teardown(void)
{
    world_end();
}

/* The device's stack has receive buffers of so many bytes, and says so in its SYNs. */
static void small_device(size_t rcvbuf)
{
    struct braid_core_params params;
    struct braid_host host = {
        .ctx = (void *)(uintptr_t)DEVICE, .output = world_output, .random = world_random};
    braid_core_free(world.cores[DEVICE]);
    braid_core_params_default(&params);
    params.rcvbuf_max = rcvbuf;
    world.cores[DEVICE] = braid_core_new(&params, &host, world.now);
    ck_assert_ptr_nonnull(world.cores[DEVICE]);
}

static void greet(void)
{
    world.device.n = world.server.n = 0;
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
}

static void carried(void)
{
    make_cpe();
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    greet();
}

/* What the server's connection says. */
static int64_t shown(enum braid_option option)
{
    int64_t value;
    ck_assert_int_eq(braid_conn_get_option(world.server.conn, option, &value), 0);
    return value;
}

/* What the one over the uplinks has been set to. */
static int64_t set(enum braid_option option)
{
    int64_t value;
    const struct braid_conn *wan = braid_conn_by_id(world.cores[ROUTER], 2);
    ck_assert_int_eq(braid_conn_get_option(wan, option, &value), 0);
    return value;
}

/* ---- traffic class ---------------------------------------------------------------------------------- */

START_TEST(the_class_of_a_devices_packets_is_that_of_the_subflows)
{
    world.traffic_class = 0xb8;
    carried();
    ck_assert_int_eq(shown(BRAID_OPT_PEER_CLASS), 0xb8);
}
END_TEST

/* As ssh does, when it knows whether a person sits there. */
START_TEST(it_follows_when_the_device_changes_it)
{
    carried();
    ck_assert_int_eq(set(BRAID_OPT_TRAFFIC_CLASS), 0);
    ck_assert_int_eq(braid_conn_set_option(world.device.conn, BRAID_OPT_TRAFFIC_CLASS, 0x10), 0);
    greet();
    ck_assert_int_eq(set(BRAID_OPT_TRAFFIC_CLASS), 0x10);
    ck_assert_int_eq(braid_conn_set_option(world.device.conn, BRAID_OPT_TRAFFIC_CLASS, 0), 0);
    greet();
    ck_assert_int_eq(set(BRAID_OPT_TRAFFIC_CLASS), 0);
}
END_TEST

/* ---- segments --------------------------------------------------------------------------------------- */

START_TEST(segments_are_no_larger_than_the_device_takes)
{
    world.max_segment = 700;
    carried();
    ck_assert_int_eq(shown(BRAID_OPT_PEER_MAXSEG), 700);
}
END_TEST

/* ---- buffers ---------------------------------------------------------------------------------------- */

START_TEST(a_small_buffer_bounds_what_a_server_may_send_ahead)
{
    small_device(8000);
    carried();
    ck_assert(braid_conn_is_mptcp(world.server.conn));
    world.device.reading = false;
    static const char piece[1000] = {0};
    size_t n = 0;
    for (unsigned i = 0; i < 1000; i++) {
        ssize_t taken = braid_conn_write(world.server.conn, piece, sizeof(piece));
        n += taken > 0 ? (size_t)taken : 0;
        run_for(10 * BRAID_MS, NULL);
    }
    /* with the device, with the router, and in the send buffers of router and server */
    ck_assert_int_eq(set(BRAID_OPT_RCVBUF), 8000);
    ck_assert_uint_gt(n, 16000);
}
END_TEST

START_TEST(one_below_the_least_gets_no_mptcp)
{
    small_device(4000);
    carried();
    ck_assert(!braid_conn_is_mptcp(world.server.conn));
    const struct braid_counters *c = braid_core_counters(world.cores[ROUTER]);
    ck_assert_uint_eq(c->v[COUNT_MP_CAPABLE_SYN_TX], 0);
}
END_TEST

START_TEST(where_plain_tcp_is_refused_it_gets_mptcp_all_the_same)
{
    small_device(4000);
    world.params.no_plain = true;
    carried();
    ck_assert(braid_conn_is_mptcp(world.server.conn));
}
END_TEST

START_TEST(nobody_has_less_than_nothing)
{
    small_device(4000);
    world.params.least_buffer = 0;
    carried();
    ck_assert(braid_conn_is_mptcp(world.server.conn));
}
END_TEST

START_TEST(the_operator_says_what_is_heeded)
{
    small_device(4000);
    world.traffic_class = 0xb8;
    world.max_segment = 700;
    world.params.heed = 0;
    carried();
    ck_assert(braid_conn_is_mptcp(world.server.conn));
    ck_assert_int_eq(shown(BRAID_OPT_PEER_CLASS), 0);
    ck_assert_int_gt(shown(BRAID_OPT_PEER_MAXSEG), 700);
    ck_assert_int_eq(braid_conn_set_option(world.device.conn, BRAID_OPT_TRAFFIC_CLASS, 0x10), 0);
    greet();
    ck_assert_int_eq(shown(BRAID_OPT_PEER_CLASS), 0);
}
END_TEST

/* ---- Nagle's algorithm ------------------------------------------------------------------------------ */

static void with_automatic_profile(void)
{
    ends[0] = (struct profile){.name = "bulk", .sched = world.params.sched, .cc = world.params.cc};
    ends[1] = (struct profile){.name = "interactive", .sched = &sched_lowlatency, .cc = world.params.cc};
    automatic = (struct profile){.name = "auto",
                                 .sched = world.params.sched,
                                 .cc = world.params.cc,
                                 .bulk = &ends[0],
                                 .interactive = &ends[1]};
    world.params.profile = &automatic;
}

static const char *profile_in_use(void)
{
    struct relayed r;
    ck_assert(node_tell(world.node, braid_conn_by_id(world.cores[ROUTER], 2), &r));
    return r.now->name;
}

/* Pieces of 100 bytes, this far apart, without a word of the server's in between. */
static void write_pieces(unsigned n, braid_time pause)
{
    static const char piece[101] = {[0 ... 99] = 'x'};
    for (unsigned i = 0; i < n; i++) {
        say(&world.device, piece);
        run_for(pause, NULL);
    }
}

/* Each is at the server one way after it was written, though none before it was acknowledged. */
START_TEST(small_pieces_leave_at_once_over_the_uplinks)
{
    carried();
    size_t before = world.server.n;
    write_pieces(3, BRAID_MS);
    run_for(LAN_DELAY + WAN_DELAY - BRAID_MS, NULL);
    ck_assert_uint_eq(world.server.n - before, 300);
    ck_assert_int_eq(set(BRAID_OPT_UNACKED), 300);
}
END_TEST

START_TEST(who_writes_small_pieces_at_once_is_interactive)
{
    with_automatic_profile();
    carried();
    ck_assert_str_eq(profile_in_use(), "bulk");
    write_pieces(3, BRAID_MS);
    ck_assert_str_eq(profile_in_use(), "interactive");
}
END_TEST

START_TEST(one_that_waits_for_acknowledgements_is_not_known_to_be)
{
    with_automatic_profile();
    carried();
    write_pieces(3, 100 * BRAID_MS);
    ck_assert_str_eq(profile_in_use(), "bulk");
}
END_TEST

START_TEST(who_writes_much_at_last_is_bulk_for_all_that)
{
    static char much[200001];
    with_automatic_profile();
    carried();
    write_pieces(3, BRAID_MS);
    ck_assert_str_eq(profile_in_use(), "interactive");
    memset(much, 'x', sizeof(much) - 1);
    say(&world.device, much);
    run_for(BRAID_SECOND, NULL);
    write_pieces(3, BRAID_MS);
    ck_assert_str_eq(profile_in_use(), "bulk");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe_heed");
    TCase *t = tcase_create("cpe_heed");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_class_of_a_devices_packets_is_that_of_the_subflows);
    tcase_add_test(t, it_follows_when_the_device_changes_it);
    tcase_add_test(t, segments_are_no_larger_than_the_device_takes);
    tcase_add_test(t, a_small_buffer_bounds_what_a_server_may_send_ahead);
    tcase_add_test(t, one_below_the_least_gets_no_mptcp);
    tcase_add_test(t, where_plain_tcp_is_refused_it_gets_mptcp_all_the_same);
    tcase_add_test(t, nobody_has_less_than_nothing);
    tcase_add_test(t, the_operator_says_what_is_heeded);
    tcase_add_test(t, small_pieces_leave_at_once_over_the_uplinks);
    tcase_add_test(t, who_writes_small_pieces_at_once_is_interactive);
    tcase_add_test(t, one_that_waits_for_acknowledgements_is_not_known_to_be);
    tcase_add_test(t, who_writes_much_at_last_is_bulk_for_all_that);
    suite_add_tcase(s, t);
    return run_suite(s);
}
