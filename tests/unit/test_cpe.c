/* role/cpe: devices, a router, and servers behind its uplinks, in virtual time (cpe_world.h). */
#include "cpe_world.h"
#include "role/edge.h"
#include "role/learned.h"
#include "role/race.h"

#define SERVER "198.51.100.80:80"
#define SIX    "[2001:db8::80]:80"
#define TRIP   (2 * LAN_DELAY + 2 * WAN_DELAY)

static void setup(void)
{
    world_begin();
}

static void teardown(void)
{
    world_end();
}

/* A connection, open at both ends. */
static void connected(const char *to, enum braid_clients clients)
{
    make_cpe();
    serve(to, clients);
    device_connects(to);
    until(&world.device.established, BRAID_SECOND);
    run_for(WAN_DELAY + LAN_DELAY, NULL);
    ck_assert(world.server.established);
}

static void expect_no_conns(void)
{
    ck_assert_uint_eq(world.node->n_conns, 0);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->open, 0);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->connecting, 0);
    for (unsigned i = 0; i < PLACES; i++) {
        struct braid_core_stats s;
        braid_core_stats(world.cores[i], &s);
        ck_assert_uint_eq(s.conns, 0);
    }
}

/* ---- opening ------------------------------------------------------------------------------------ */

START_TEST(the_device_is_answered_when_the_server_has_answered)
{
    static const char *const servers[] = {SERVER, SIX};
    connected(servers[_i], BRAID_CLIENTS_ANY);
    ck_assert_int_eq(world.now, 1000 * BRAID_SECOND + TRIP + WAN_DELAY + LAN_DELAY);
    ck_assert(!braid_conn_is_mptcp(world.device.conn));
    ck_assert(braid_conn_is_mptcp(world.server.conn));
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
    say(&world.server, "you are welcome");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, "you are welcome");
    ck_assert(counted(CPE_ACCEPTED) == 1 && counted(CPE_PLAIN) == 0);
    ck_assert(counted(CPE_UP) == 5 && counted(CPE_DOWN) == 15);
}
END_TEST

START_TEST(it_is_over_all_uplinks)
{
    connected(SERVER, BRAID_CLIENTS_ANY);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    int64_t subflows;
    ck_assert_int_eq(braid_conn_get_option(world.server.conn, BRAID_OPT_SUBFLOWS, &subflows), 0);
    ck_assert_int_eq(subflows, 3);
}
END_TEST

START_TEST(a_server_without_mptcp_is_reached_by_plain_tcp)
{
    connected(SERVER, BRAID_CLIENTS_PLAIN);
    ck_assert(!braid_conn_is_mptcp(world.server.conn));
    ck_assert(counted(CPE_ACCEPTED) == 1 && counted(CPE_PLAIN) == 1);
    say(&world.server, "220 welcome");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, "220 welcome");
}
END_TEST

START_TEST(plain_tcp_may_be_forbidden)
{
    world.params.no_plain = true;
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_PLAIN);
    device_connects(SERVER);
    until(&world.device.closed, 30 * BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(counted(CPE_NOT_MPTCP), 1);
    run_for(BRAID_SECOND, NULL);
    expect_no_conns();
}
END_TEST

START_TEST(a_server_that_refuses_is_one_that_refuses)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.manners = REFUSES;
    device_connects(SERVER);
    until(&world.device.closed, BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_REFUSED);
    ck_assert(counted(CPE_REFUSED) == 1 && counted(CPE_ACCEPTED) == 0);
    run_for(BRAID_SECOND, NULL);
    expect_no_conns();
}
END_TEST

START_TEST(an_unreachable_server_is_unreachable)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.manners = UNREACHABLE;
    device_connects(SERVER);
    until(&world.device.closed, CPE_CONNECT_TIMEOUT + BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_UNREACHABLE);
    ck_assert_uint_eq(counted(CPE_UNREACHABLE), 1);
    run_for(BRAID_SECOND, NULL);
    expect_no_conns();
}
END_TEST

/* The device repeats its SYN meanwhile. */
START_TEST(a_server_that_does_not_answer_is_unreachable_in_the_end)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.manners = HOLDS;
    device_connects(SERVER);
    until(&world.device.closed, CPE_CONNECT_TIMEOUT + BRAID_SECOND);
    ck_assert_int_ge(world.now, 1000 * BRAID_SECOND + CPE_CONNECT_TIMEOUT);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_UNREACHABLE);
    ck_assert(counted(CPE_UNREACHABLE) == 1 && counted(CPE_INCOMING) == 1);
}
END_TEST

START_TEST(a_silent_uplink_costs_little)
{
    world.silent[0] = true;
    connected(SERVER, BRAID_CLIENTS_ANY);
    ck_assert_int_lt(world.now, 1000 * BRAID_SECOND + RACE_HEAD_START + 2 * TRIP);
    ck_assert(world.syns[1] >= 1 && counted(CPE_ACCEPTED) == 1);
}
END_TEST

START_TEST(the_cheapest_uplink_is_first_where_cost_counts)
{
    static struct sched_ops priority;
    priority = *sched_algorithms[0];
    priority.name = _i ? "priority" : "another";
    world.params.sched = &priority;
    world.uplinks.all[0].cost = world.uplinks.all[2].cost = 10;
    world.uplinks.all[1].srtt[UPLINK_V4] = 50 * BRAID_MS;
    world.uplinks.all[0].srtt[UPLINK_V4] = 20 * BRAID_MS;
    connected(SERVER, BRAID_CLIENTS_ANY);
    ck_assert_uint_eq(world.syns[0], !_i);
    ck_assert_uint_eq(world.syns[1], _i);
}
END_TEST

#define TICK 64 /* microseconds, by which timers may be late (src/base/wheel.h) */

/* A connection that begins now is open after so long. */
static void expect_open_after(braid_time time)
{
    braid_time begun = world.now;
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    ck_assert_int_ge(world.now - begun, time);
    ck_assert_int_lt(world.now - begun, time + TICK);
    run_for(WAN_DELAY + LAN_DELAY, NULL);
    braid_conn_abort(world.device.conn);
    run_for(BRAID_SECOND, NULL);
}

static void learning_cpe(void)
{
    const struct siphash_key key = {7, 8};
    make_cpe();
    world.node->learned = learned_new(&key, LEARNED_MAX);
    ck_assert_ptr_nonnull(world.node->learned);
    serve(SERVER, BRAID_CLIENTS_ANY);
}

START_TEST(what_a_connection_has_shown_of_an_uplink_steers_the_next)
{
    learning_cpe();
    world.silent[0] = true;
    expect_open_after(RACE_HEAD_START + TRIP);
    unsigned asked = world.syns[0];
    expect_open_after(TRIP);
    ck_assert_uint_eq(world.syns[0], asked);
    learned_clear(world.node->learned);
    expect_open_after(RACE_HEAD_START + TRIP);
}
END_TEST

START_TEST(a_device_that_gives_up_takes_the_far_side_along)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.manners = HOLDS;
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->connecting, 1);
    braid_conn_abort(world.device.conn);
    run_for(40 * BRAID_SECOND, NULL); /* whoever gives up a SYN says nothing */
    ck_assert_uint_eq(world.node->n_conns, 0);
}
END_TEST

/* ---- what is the kernel's ------------------------------------------------------------------------- */

static void passed_back(const char *to)
{
    unsigned before = world.passed;
    device_connects(to);
    run_for(100 * BRAID_MS, NULL);
    ck_assert_msg(world.passed == before + 1, "%s", to);
    braid_conn_abort(world.device.conn);
    run_for(100 * BRAID_MS, NULL);
}

START_TEST(exceptions_and_other_ports_are_passed_back)
{
    struct braid_addr lan = at("198.51.100.0:1"), but = at("198.51.100.64:1");
    world.params.except[0] = (struct reach_rule){.prefix = but.ip, .bits = 96 + 26, .allow = true};
    world.params.except[1] = (struct reach_rule){.prefix = lan.ip, .bits = 96 + 24};
    world.params.n_except = 2;
    world.params.port_first = 80;
    world.params.port_last = 443;
    struct edge_params edge = {.listen = {at("203.0.113.7:5000")}, .n_listen = 1};
    world.neighbours = (struct cpe_neighbours){.edges = &edge, .n_edges = 1};
    make_cpe();
    passed_back("198.51.100.1:80");
    passed_back("203.0.113.1:79");
    passed_back("203.0.113.1:444");
    passed_back("203.0.113.7:80");
    passed_back("240.0.0.1:80");
    passed_back("169.254.169.254:80");
    ck_assert_uint_eq(counted(CPE_INCOMING), 0);
    ck_assert_uint_eq(counted(CPE_PASSED), 4);
    device_connects("198.51.100.80:80");
    run_for(100 * BRAID_MS, NULL);
    ck_assert_uint_eq(counted(CPE_INCOMING), 1);
}
END_TEST

START_TEST(without_a_usable_uplink_everything_is_the_kernels)
{
    make_cpe();
    for (unsigned i = 0; i < 3; i++)
        world.uplinks.all[i].usable[UPLINK_V4] = false;
    cpes_set_uplinks(world.cpes, &world.uplinks);
    passed_back(SERVER);
    device_connects(SIX);
    run_for(100 * BRAID_MS, NULL);
    ck_assert(counted(CPE_PASSED) == 1 && counted(CPE_INCOMING) == 1);
}
END_TEST

START_TEST(uplinks_that_go_between_a_syn_and_its_flush_make_it_unreachable)
{
    make_cpe();
    device_connects(SERVER);
    world_flush();
    land();
    world.uplinks.n = 0;
    cpes_set_uplinks(world.cpes, &world.uplinks);
    until(&world.device.closed, CPE_CONNECT_TIMEOUT);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_UNREACHABLE);
    ck_assert_uint_eq(counted(CPE_UNREACHABLE), 1);
}
END_TEST

/* ---- carrying -------------------------------------------------------------------------------------- */

START_TEST(each_direction_ends_by_itself)
{
    connected(SERVER, BRAID_CLIENTS_ANY);
    say(&world.device, "request");
    braid_conn_shutdown(world.device.conn);
    run_for(BRAID_SECOND, NULL);
    ck_assert(world.server.eof && !world.device.eof);
    say(&world.server, "answer");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, "answer");
    braid_conn_shutdown(world.server.conn);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_DONE);
    ck_assert(world.server.closed && world.server.why == BRAID_CLOSE_DONE);
    ck_assert_uint_eq(counted(CPE_CLOSED), 1);
    expect_no_conns();
}
END_TEST

START_TEST(an_abort_goes_through_in_both_directions)
{
    connected(SERVER, BRAID_CLIENTS_ANY);
    struct app *one = _i ? &world.server : &world.device, *other = _i ? &world.device : &world.server;
    braid_conn_abort(one->conn);
    run_for(BRAID_SECOND, NULL);
    ck_assert(other->closed && other->why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(counted(CPE_LAN_RESET), !_i);
    ck_assert_uint_eq(counted(CPE_WAN_RESET), _i);
    expect_no_conns();
}
END_TEST

/* As a server does that refuses an upload: its answer, and a RST behind it. The device is slow, so that much
 * of it is still on the router. */
START_TEST(what_came_before_a_reset_arrives)
{
    static uint8_t bytes[300000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 8));
    connected(SERVER, BRAID_CLIENTS_ANY);
    ck_assert_int_eq(braid_conn_set_option(world.device.conn, BRAID_OPT_RCVBUF, 65536), 0);
    world.device.reading = false;
    for (size_t n = 0; n < sizeof(bytes); run_for(100 * BRAID_MS, NULL)) {
        ssize_t took = braid_conn_write(world.server.conn, bytes + n, sizeof(bytes) - n);
        ck_assert_int_ge(took, 0);
        n += (size_t)took;
    }
    braid_conn_abort_delivered(world.server.conn);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(world.server.closed && !world.device.closed);
    world.device.reading = true;
    for (unsigned i = 0; i < 100 && !world.device.closed; i++) {
        app_read(&world.device);
        run_for(100 * BRAID_MS, NULL);
    }
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(world.device.n, sizeof(bytes));
    ck_assert_mem_eq(world.device.got, bytes, sizeof(bytes));
    ck_assert_uint_eq(counted(CPE_WAN_RESET), 1);
    expect_no_conns();
}
END_TEST

/* What the slow end does not read stays with the fast one, and all of it arrives. */
START_TEST(a_slow_reader_holds_up_the_writer)
{
    static uint8_t bytes[WORLD_ROOM];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 8));
    connected(SERVER, BRAID_CLIENTS_ANY);
    struct app *from = _i ? &world.server : &world.device, *to = _i ? &world.device : &world.server;
    ck_assert_int_eq(braid_conn_set_option(to->conn, BRAID_OPT_RCVBUF, 65536), 0);
    to->reading = false;
    size_t written = 0;
    for (unsigned round = 0; round < 20; round++) {
        ssize_t n = braid_conn_write(from->conn, bytes + written, sizeof(bytes) - written);
        written += n > 0 ? (size_t)n : 0;
        run_for(BRAID_SECOND, NULL);
    }
    ck_assert_uint_lt(counted(_i ? CPE_DOWN : CPE_UP), sizeof(bytes));
    to->reading = true;
    for (unsigned round = 0; round < 60 && to->n < sizeof(bytes); round++) {
        ssize_t n = braid_conn_write(from->conn, bytes + written, sizeof(bytes) - written);
        written += n > 0 ? (size_t)n : 0;
        app_read(to);
        run_for(BRAID_SECOND, NULL);
    }
    ck_assert_uint_eq(to->n, sizeof(bytes));
    ck_assert_mem_eq(to->got, bytes, sizeof(bytes));
}
END_TEST

/* ---- what is told, and the end ------------------------------------------------------------------------ */

static struct braid_conn *conn_of(bool wan, struct relayed *told)
{
    struct braid_dump *d = braid_dump_begin(world.cores[ROUTER]);
    struct braid_conn *found = NULL;
    struct braid_conn_stats s;
    while (braid_dump_next(d, &s, 1) == 1) {
        struct relayed r;
        if (node_tell(world.node, s.conn, &r) && r.wan == wan) {
            *told = r;
            found = braid_conn_by_id(world.cores[ROUTER], s.id);
        }
    }
    braid_dump_end(d);
    ck_assert_ptr_nonnull(found);
    return found;
}

START_TEST(both_connections_are_told_of)
{
    static const struct profile own = {.name = "own"};
    struct braid_addr server = at(SERVER);
    struct relayed lan, wan;
    world.params.profile = &own;
    connected(SERVER, BRAID_CLIENTS_ANY);
    struct braid_conn *l = conn_of(false, &lan), *w = conn_of(true, &wan);
    ck_assert(lan.other == braid_conn_id(w) && wan.other == braid_conn_id(l));
    ck_assert_str_eq(lan.cpe, "lan");
    ck_assert(addr_equal(&lan.client, &wan.client) && addr_equal(&lan.meant, &wan.meant));
    ck_assert(addr_equal(&lan.meant, &server) && addr_equal(&lan.server, &server));
    ck_assert(lan.profile == &own && wan.now == &own);
}
END_TEST

START_TEST(connections_that_a_race_has_not_won_are_nobodys)
{
    unsigned n = 0;
    struct braid_conn_stats s;
    struct relayed told;
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.manners = HOLDS;
    device_connects(SERVER);
    run_for(RACE_HEAD_START * 2, NULL);
    struct braid_dump *d = braid_dump_begin(world.cores[ROUTER]);
    for (; braid_dump_next(d, &s, 1) == 1; n++)
        ck_assert_int_eq(node_tell(world.node, s.conn, &told), s.listener != NULL);
    braid_dump_end(d);
    ck_assert_uint_ge(n, 3);
}
END_TEST

START_TEST(a_profile_is_that_of_the_port_and_changes_the_connection_over_the_uplinks)
{
    static struct profile of_port = {.name = "port"}, other = {.name = "other"};
    struct relayed told;
    struct braid_conn_stats s;
    of_port.sched = other.sched = sched_algorithms[1];
    of_port.cc = other.cc = cc_algorithms[1];
    other.sched = sched_algorithms[2];
    world.params.port_profiles[0] = (struct port_profile){.first = 80, .last = 80, .profile = &of_port};
    world.params.n_port_profiles = 1;
    connected(SERVER, BRAID_CLIENTS_ANY);
    braid_conn_stats(conn_of(true, &told), &s);
    ck_assert_ptr_eq(told.profile, &of_port);
    ck_assert_str_eq(s.scheduler, of_port.sched->name);
    ck_assert_str_eq(s.congestion, of_port.cc->name);
    node_set_profile(world.node, conn_of(false, &told), &other);
    braid_conn_stats(conn_of(true, &told), &s);
    ck_assert_str_eq(s.scheduler, other.sched->name);
    ck_assert_str_eq(s.path_manager, "fullmesh");
    ck_assert_ptr_eq(told.profile, &other);
}
END_TEST

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

START_TEST(a_drain_refuses_who_waits_and_waits_for_the_rest)
{
    bool drained = false;
    connected(SERVER, BRAID_CLIENTS_ANY);
    struct app first = world.device, far = world.server;
    braid_conn_set_user(first.conn, &first);
    braid_conn_set_user(far.conn, &far);
    world.manners = HOLDS;
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    node_drain(world.node, set_flag, &drained);
    run_for(BRAID_SECOND, NULL);
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_REFUSED && !drained);
    passed_back(SERVER);
    braid_conn_shutdown(first.conn);
    braid_conn_shutdown(far.conn);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(drained && first.closed && far.closed);
}
END_TEST

START_TEST(a_drained_cpe_keeps_what_it_has_and_passes_the_rest)
{
    connected(SERVER, BRAID_CLIENTS_ANY);
    struct app first = world.device, far = world.server;
    braid_conn_set_user(first.conn, &first);
    braid_conn_set_user(far.conn, &far);
    ck_assert(cpes_drain(world.cpes, world.params.name, true) && cpes_are_drained(world.cpes, 0));
    passed_back(SERVER);
    ck_assert(!first.closed && !far.closed);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->open, 1);
    ck_assert(cpes_drain(world.cpes, world.params.name, false) && !cpes_are_drained(world.cpes, 0));
    ck_assert(!cpes_drain(world.cpes, "nobody", true));
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->open, 2);
}
END_TEST

/* What was there is freed, with a race under way and a connection open: under the sanitizers that tells. */
START_TEST(a_node_that_is_freed_leaves_nothing)
{
    connected(SERVER, BRAID_CLIENTS_ANY);
    world.manners = HOLDS;
    device_connects(SERVER);
    run_for(300 * BRAID_MS, NULL);
    ck_assert_uint_eq(world.node->n_conns, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe");
    TCase *t = tcase_create("cpe");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, the_device_is_answered_when_the_server_has_answered, 0, 2);
    tcase_add_test(t, it_is_over_all_uplinks);
    tcase_add_test(t, a_server_without_mptcp_is_reached_by_plain_tcp);
    tcase_add_test(t, plain_tcp_may_be_forbidden);
    tcase_add_test(t, a_server_that_refuses_is_one_that_refuses);
    tcase_add_test(t, an_unreachable_server_is_unreachable);
    tcase_add_test(t, a_server_that_does_not_answer_is_unreachable_in_the_end);
    tcase_add_test(t, a_silent_uplink_costs_little);
    tcase_add_loop_test(t, the_cheapest_uplink_is_first_where_cost_counts, 0, 2);
    tcase_add_test(t, what_a_connection_has_shown_of_an_uplink_steers_the_next);
    tcase_add_test(t, a_device_that_gives_up_takes_the_far_side_along);
    tcase_add_test(t, exceptions_and_other_ports_are_passed_back);
    tcase_add_test(t, without_a_usable_uplink_everything_is_the_kernels);
    tcase_add_test(t, uplinks_that_go_between_a_syn_and_its_flush_make_it_unreachable);
    tcase_add_test(t, each_direction_ends_by_itself);
    tcase_add_loop_test(t, an_abort_goes_through_in_both_directions, 0, 2);
    tcase_add_test(t, what_came_before_a_reset_arrives);
    tcase_add_loop_test(t, a_slow_reader_holds_up_the_writer, 0, 2);
    tcase_add_test(t, both_connections_are_told_of);
    tcase_add_test(t, connections_that_a_race_has_not_won_are_nobodys);
    tcase_add_test(t, a_profile_is_that_of_the_port_and_changes_the_connection_over_the_uplinks);
    tcase_add_test(t, a_drain_refuses_who_waits_and_waits_for_the_rest);
    tcase_add_test(t, a_drained_cpe_keeps_what_it_has_and_passes_the_rest);
    tcase_add_test(t, a_node_that_is_freed_leaves_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
