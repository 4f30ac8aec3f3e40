/* What programs wish of a CPE (role/cpe_wishes.c), and what they are told (role/app_serve.c): the device of
 * cpe_world.h is this machine itself. */
#include "cpe_program.h"
#include <errno.h>
#include "io/mailbox.h"
#include "io/multihoming.h"
#include "role/app_serve.h"
#include "role/cpe_lanes.h"
#include "role/cpe_wishes.h"
#include "role/watches.h"
#include "role/wishes.h"

/* uplinks: a bit for each whose address is named. */
static struct app_message told(enum app_kind kind, enum app_option option, unsigned uplinks)
{
    struct app_question q = {.kind = kind, .option = option};
    for (unsigned i = 0; i < 3; i++)
        if (uplinks & 1u << i)
            q.addrs.addr[q.addrs.n++].ip = outer[i];
    return answer_to(q);
}

/* An address with a port, of those that uplinks can carry. */
static uint32_t added(unsigned uplink, uint16_t port)
{
    struct app_question q = {
        .kind = APP_SET, .option = APP_ADD, .addrs.n = 1, .ports = {.first = 40000, .last = 60999}};
    q.addrs.addr[0] = (struct braid_addr){.ip = outer[uplink], .port = port};
    return answer_to(q).error;
}

/* A change of the subflow with this number. */
static uint32_t changed(enum app_option option, uint32_t subflow)
{
    return answer_to((struct app_question){.kind = APP_SET, .option = option, .value = subflow}).error;
}

/* Which uplinks it has subflows over, as the program is told: "0.2". */
static void expect_over(const char *expected)
{
    struct app_message m = told(APP_GET, APP_SUBFLOWS, 0);
    char text[] = "...";
    for (unsigned i = 0; i < m.n_pairs; i++)
        for (unsigned j = 0; j < 3; j++)
            if (ip_equal(&m.pairs[i].local.ip, &outer[j]))
                text[j] = (char)('0' + j);
    ck_assert_str_eq(text, expected);
}

START_TEST(who_wishes_nothing_has_mptcp_over_all_uplinks)
{
    ask(NULL);
    expect_over("012");
    ck_assert_uint_eq(told(APP_GET, APP_ENABLE, 0).value, 1);
    int64_t token;
    struct app_message m = told(APP_GET, APP_CONNID, 0);
    ck_assert(m.has_value && m.error == 0);
    struct braid_pair pair = told(APP_GET, APP_SUBFLOWS, 0).pairs[0];
    pair.local.ip = world.uplinks.all[0].inner[UPLINK_V4];
    const struct braid_conn *wan = braid_core_find(world.cores[ROUTER], &pair.local, &pair.remote);
    ck_assert(wan && braid_conn_get_option(wan, BRAID_OPT_CONNID, &token) == 0 && token == m.value);
}
END_TEST

/* RFC 6897 section 5.3.2: MPTCP must not be used. */
START_TEST(a_program_without_mptcp_has_none_even_with_a_server_that_speaks_it)
{
    const struct wish w = {.aware = true, .plain = true, .endpoints = UPLINK_ENDPOINTS};
    ask(&w);
    ck_assert(world.device.established && !braid_conn_is_mptcp(world.server.conn));
    struct braid_core_stats s;
    const struct braid_counters *c = braid_core_counters(world.cores[ROUTER]);
    braid_core_stats(world.cores[WORLD], &s);
    ck_assert_uint_eq(s.conns, 1);
    ck_assert_uint_eq(c->v[COUNT_MP_CAPABLE_SYN_TX], 0);
    ck_assert_uint_eq(told(APP_GET, APP_ENABLE, 0).value, 0);
    ck_assert_uint_eq(told(APP_GET, APP_CONNID, 0).error, EOPNOTSUPP);
    ck_assert_uint_eq(told(APP_SET, APP_ADD, 1u << 1).error, EOPNOTSUPP);
}
END_TEST

START_TEST(a_program_without_mptcp_is_refused_where_plain_tcp_is)
{
    world.params.no_plain = true;
    const struct wish w = {.aware = true, .plain = true, .endpoints = UPLINK_ENDPOINTS};
    ask(&w);
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(counted(CPE_NOT_MPTCP), 1);
}
END_TEST

START_TEST(only_the_wished_uplinks_are_used_and_others_on_demand)
{
    const struct wish w = {.aware = true,
                           .endpoints = UPLINK_ENDPOINT(1, UPLINK_V4) | UPLINK_ENDPOINT(2, UPLINK_V4)};
    ask(&w);
    expect_over(".12");
    ck_assert_uint_eq(world.syns[0], 0);
    ck_assert_uint_eq(told(APP_SET, APP_ADD, 1u << 0).error, 0);
    run_for(BRAID_SECOND, NULL);
    expect_over("012");
    ck_assert_uint_eq(told(APP_SET, APP_REMOVE, 1u << 1).error, 0);
    run_for(BRAID_SECOND, NULL);
    expect_over("0.2");
    ck_assert_uint_eq(told(APP_SET, APP_ENABLE, 0).error, EISCONN);
    ck_assert_uint_eq(told(APP_SET, APP_CONNID, 0).error, ENOPROTOOPT);
}
END_TEST

/* The first subflow goes, too, once there is another. */
START_TEST(the_last_uplink_is_left_when_there_is_another)
{
    const struct wish w = {.aware = true, .endpoints = UPLINK_ENDPOINT(1, UPLINK_V4)};
    ask(&w);
    expect_over(".1.");
    told(APP_SET, APP_REMOVE, 1u << 1);
    run_for(BRAID_SECOND, NULL);
    expect_over(".1."); /* alternatives come first */
    told(APP_SET, APP_ADD, 1u << 2);
    run_for(BRAID_SECOND, NULL);
    expect_over("..2");
    say(&world.device, "again");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "helloagain");
}
END_TEST

/* Section 4.2.1: the program that binds to an address means this one. */
START_TEST(who_binds_to_an_uplinks_address_has_plain_tcp_over_it)
{
    ask_from(&outer[2], NULL, BRAID_CLIENTS_ANY);
    ck_assert(!braid_conn_is_mptcp(world.server.conn));
    expect_over("..2");
    ck_assert(world.syns[0] == 0 && world.syns[1] == 0);
}
END_TEST

/* Section 5.3.2: ... unless it has enabled MPTCP, or named others: then these. */
START_TEST(who_binds_and_enables_has_mptcp_over_what_it_names)
{
    const struct wish enabled = {.aware = true, .endpoints = UPLINK_ENDPOINTS},
                      named = {.aware = true, .endpoints = UPLINK_ENDPOINT(1, UPLINK_V4)};
    ask_from(&outer[2], _i ? &named : &enabled, BRAID_CLIENTS_ANY);
    /* the wish was for any address of the machine: but the bound one has to be named */
    ck_assert(!braid_conn_is_mptcp(world.server.conn));
    world_end();
    setup();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.other = (struct braid_addr){.ip = outer[2], .port = 1};
    device_connects(SERVER);
    struct wish_news n = {.client = world.other, .meant = at(SERVER), .wish = _i ? named : enabled};
    wishes_add(world.node->wishes, &n, world.now);
    run_for(BRAID_SECOND, NULL);
    ck_assert(braid_conn_is_mptcp(world.server.conn));
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_over(_i ? ".12" : "..2");
}
END_TEST

/* RFC 6897 section 4.5. */
START_TEST(a_policy_is_for_programs_that_say_nothing)
{
    static const struct policy all[] = {
        {.name = "other", .ports = {{81, 81}}, .n_ports = 1, .plain = true},
        {.name = "mine",
         .ports = {{80, 80}},
         .n_ports = 1,
         .plain = true,
         .endpoints = UPLINK_ENDPOINT(1, UPLINK_V4)},
    };
    const struct wish enabled = {.aware = true, .endpoints = UPLINK_ENDPOINTS},
                      named = {.aware = true, .named = true, .endpoints = UPLINK_ENDPOINT(2, UPLINK_V4)};
    const struct wish *const wishes[] = {NULL, &enabled, &named};
    world_end();
    world_begin();
    for (unsigned i = 0; i < 3; i++)
        world.uplinks.all[i].ways[UPLINK_V4].outer = outer[i];
    world.neighbours = (struct cpe_neighbours){.policies = all, .n_policies = 2};
    make_cpe();
    world.node->wishes = wishes_new();
    ask(wishes[_i]);
    expect_over(_i == 2 ? "..2" : ".1.");
    ck_assert_uint_eq(told(APP_GET, APP_ENABLE, 0).value, _i > 0);
    ck_assert_uint_eq(counted(CPE_BY_POLICY), 1);
    struct relayed r;
    ck_assert(node_tell(
        world.node,
        braid_core_find(world.cores[ROUTER], &(struct braid_addr){at(SERVER).ip, 80}, &world.other), &r));
    ck_assert_str_eq(r.policy, "mine");
}
END_TEST

/* Section 6.3: whoever moves the machine's IPv6 connections is not disturbed. */
START_TEST(where_ipv6_is_moved_otherwise_it_is_plain_tcp)
{
    static const char *const servers[] = {SERVER, "[2001:db8::80]:80"};
    world.uplinks.multihoming = MULTIHOMING_MOBILE;
    cpes_set_uplinks(world.cpes, &world.uplinks);
    serve(servers[_i], BRAID_CLIENTS_ANY);
    device_connects(servers[_i]);
    until(&world.device.established, BRAID_SECOND);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
    ck_assert_int_eq(braid_conn_is_mptcp(world.server.conn), _i == 0);
    ck_assert_uint_eq(counted(CPE_KEPT_OFF), _i);
}
END_TEST

/* By way of a peer the other family does, and joins have no other; with a peer of IPv6 alone it is plain. */
START_TEST(peers_are_reached_by_the_family_that_is_left)
{
    static const char *const peers[] = {"198.51.100.9:5124", "[2001:db8::9]:5124"};
    const struct targets both = {.addr = {at(peers[1]), at(peers[0])}, .n = 2},
                         one = {.addr = {at(peers[1])}, .n = 1};
    struct wish w = {.endpoints = UPLINK_ENDPOINTS};
    struct braid_addr addrs[CPE_WISH_ADDRS];
    const struct braid_addr meant = at("[2001:db8::80]:80");
    world_end();
    world_begin();
    world.params.kind = CPE_EXPLICIT;
    world.params.n_peers = 1;
    world.uplinks.multihoming = MULTIHOMING_SHIM6 | MULTIHOMING_HIP;
    make_cpe();
    cpes_set_peer(world.cpes, 0, 0, _i ? &one : &both);
    struct cpe *cpe = world.cpes->all[0];
    cpe_wish_keep_off(cpe, &meant, &w);
    ck_assert_int_eq(w.plain, _i);
    ck_assert_uint_eq(cpe_wish_addrs(cpe, &w, addrs), 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(ip_is_v4(&addrs[i].ip));
    struct race_lane lanes[RACE_LANES];
    const struct cpe_wish asks = {.meant = &meant, .of_program = &w};
    ck_assert_uint_eq(cpe_lanes(cpe, &asks, lanes), 3);
    ck_assert(lanes[0].plain == _i && ip_is_v4(&lanes[0].remote.ip) == !_i);
    /* no peer can be had, and the server itself has IPv6 */
    const struct cpe_wish straight = {.meant = &meant, .straight = true, .of_program = &w};
    ck_assert(cpe_lanes(cpe, &straight, lanes) == 3 && lanes[0].plain && lanes[2].plain);
}
END_TEST

START_TEST(identities_of_hip_are_left_to_the_kernel)
{
    device_connects("[2001:20::80]:80");
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(counted(CPE_INCOMING), 0);
    ck_assert(counted(CPE_KEPT_OFF) > 0 && counted(CPE_KEPT_OFF) == counted(CPE_PASSED));
    world.other = at("[2001:10::1]:1");
    uint64_t before = counted(CPE_KEPT_OFF);
    device_connects("[2001:db8::80]:80");
    run_for(BRAID_SECOND, NULL);
    ck_assert(counted(CPE_INCOMING) == 0 && counted(CPE_KEPT_OFF) > before);
}
END_TEST

START_TEST(a_device_of_the_lan_is_nobody_to_be_asked)
{
    serve(SERVER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    struct app_message answer;
    struct app_question q = {.local = at("192.168.77.2:1"), .remote = at(SERVER), .kind = APP_GET};
    ck_assert(world.device.established && !app_serve(world.node, &q, &answer));
}
END_TEST

/* REQ14: the connection over the uplinks is what it is told of, by the addresses that it knows. */
START_TEST(a_program_is_told_what_happens_to_its_connection)
{
    struct event_base *base = event_base_new(); /* the main thread's */
    struct mailbox *mb = mailbox_new(base);
    struct watch *w = watch_new(16, mb, NULL, NULL);
    struct app_question q = {.kind = APP_WATCH, .watch = w};
    struct watch_event e;
    const struct wish wish = {.aware = true, .endpoints = UPLINK_ENDPOINT(1, UPLINK_V4)};
    world.node->watches = watches_new(world.cores[ROUTER], 0);
    ask(&wish);
    ck_assert_uint_eq(answer_to(q).error, 0);
    ck_assert(watch_take(w, &e) && e.event.kind == BRAID_EVENT_ESTABLISHED && e.event.mptcp);
    ck_assert(watch_take(w, &e) && e.event.kind == BRAID_EVENT_SUBFLOW_UP && e.event.present);
    ck_assert(ip_equal(&e.event.local.ip, &outer[1]));
    ck_assert_uint_eq(told(APP_SET, APP_ADD, 1u << 2).error, 0);
    run_for(BRAID_SECOND, NULL);
    ck_assert(watch_take(w, &e) && e.event.kind == BRAID_EVENT_SUBFLOW_UP && !e.event.present);
    ck_assert(ip_equal(&e.event.local.ip, &outer[2]) && !watch_take(w, &e));
    braid_conn_abort(world.device.conn);
    run_for(BRAID_SECOND, NULL);
    ck_assert(watch_take(w, &e) && e.event.kind == BRAID_EVENT_SUBFLOW_DOWN);
    ck_assert(watch_take(w, &e) && e.event.kind == BRAID_EVENT_SUBFLOW_DOWN);
    ck_assert(watch_take(w, &e) && e.event.kind == BRAID_EVENT_CLOSED && !watch_take(w, &e));
    watches_free(world.node->watches);
    world.node->watches = NULL;
    mailbox_free(mb);
    event_base_free(base);
    watch_free(w);
}
END_TEST

START_TEST(before_the_server_has_answered_there_is_no_connection)
{
    world.manners = HOLDS;
    ask(NULL);
    ck_assert(!world.device.established);
    ck_assert_uint_eq(told(APP_GET, APP_ENABLE, 0).error, ENOTCONN);
}
END_TEST

/* REQ7 of RFC 6897. */
START_TEST(a_subflow_is_opened_and_closed_as_the_program_says)
{
    const struct wish w = {.aware = true, .endpoints = UPLINK_ENDPOINT(1, UPLINK_V4)};
    struct app_question q = {.kind = APP_SET,
                             .option = APP_OPEN,
                             .ports = {.first = 50000, .last = 59999},
                             .pair.local = {.ip = outer[2], .port = 50123}};
    ask(&w);
    expect_over(".1.");
    ck_assert_uint_eq(answer_to(q).error, 0); /* whatever was wished of addresses */
    run_for(BRAID_SECOND, NULL);
    expect_over(".12");
    ck_assert_uint_eq(told(APP_GET, APP_SUBFLOWS, 0).pairs[1].local.port, 50123);
    ck_assert_uint_eq(answer_to(q).error, EADDRINUSE);
    q.pair.remote = at("203.0.113.9:80");
    ck_assert_uint_eq(answer_to(q).error, EACCES);
    q.pair.local.port = 60000;
    ck_assert_uint_eq(answer_to(q).error, EADDRNOTAVAIL);
    q.pair.local = at("192.0.2.9:50124");
    ck_assert_uint_eq(answer_to(q).error, EADDRNOTAVAIL);
    struct app_message m = told(APP_GET, APP_STATISTICS, 0);
    ck_assert(m.n_figures == 2 && m.figures[0].subflow != m.figures[1].subflow);
    ck_assert_uint_eq(changed(APP_CLOSE, m.figures[0].subflow), 0);
    ck_assert_uint_eq(changed(APP_CLOSE, 77), ENOENT);
    run_for(100 * BRAID_MS, NULL);
    ck_assert_uint_eq(changed(APP_CLOSE, m.figures[0].subflow), ENOENT);
    say(&world.device, "again");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "helloagain");
}
END_TEST

/* REQ11. */
START_TEST(a_subflow_is_spared_and_used_as_the_program_says)
{
    struct braid_conn_stats stats;
    ask(NULL);
    uint32_t number = told(APP_GET, APP_STATISTICS, 0).figures[1].subflow;
    ck_assert_uint_eq(changed(APP_SPARE, number), 0);
    run_for(100 * BRAID_MS, NULL);
    ck_assert_uint_eq(told(APP_GET, APP_STATISTICS, 0).figures[1].flags,
                      APP_FLAG_ESTABLISHED | APP_FLAG_BACKUP);
    braid_conn_stats(world.server.conn, &stats);
    ck_assert(stats.subflows[1].backup && !stats.subflows[0].backup);
    ck_assert_uint_eq(changed(APP_USE, number), 0);
    ck_assert_uint_eq(changed(APP_USE, 77), ENOENT);
    run_for(100 * BRAID_MS, NULL);
    braid_conn_stats(world.server.conn, &stats);
    ck_assert(!stats.subflows[1].backup);
}
END_TEST

/* The ports of its subflows, as the program is told, which the world sees; 0: there is none. */
static void expect_ports(const uint16_t expected[3])
{
    struct app_message m = told(APP_GET, APP_SUBFLOWS, 0);
    struct braid_pair seen[APP_PAIRS_MAX];
    uint16_t ports[3] = {0};
    unsigned n = braid_conn_subflows(world.server.conn, seen, APP_PAIRS_MAX);
    ck_assert_uint_eq(n, m.n_pairs);
    for (unsigned i = 0; i < m.n_pairs; i++)
        for (unsigned j = 0; j < 3; j++) {
            if (!ip_equal(&m.pairs[i].local.ip, &outer[j]))
                continue;
            ports[j] = m.pairs[i].local.port;
            bool found = false;
            for (unsigned k = 0; k < n; k++)
                found |= ip_equal(&seen[k].remote.ip, &world.uplinks.all[j].inner[UPLINK_V4]) &&
                         seen[k].remote.port == ports[j];
            ck_assert(found);
        }
    for (unsigned j = 0; j < 3; j++)
        ck_assert_uint_eq(ports[j], expected[j]);
}

/* RFC 6897 section 5.3.3: the first subflow's as well, and they may differ. */
START_TEST(ports_that_are_named_are_bound_to)
{
    struct wish w = {.aware = true,
                     .endpoints = UPLINK_ENDPOINT(0, UPLINK_V4) | UPLINK_ENDPOINT(1, UPLINK_V4)};
    w.port[0][UPLINK_V4] = 51000;
    w.port[1][UPLINK_V4] = 51001;
    ask(&w);
    expect_ports((const uint16_t[]){51000, 51001, 0});
    ck_assert_uint_eq(added(2, 51002), 0);
    ck_assert_uint_eq(added(2, 39999), EADDRNOTAVAIL);
    run_for(BRAID_SECOND, NULL);
    expect_ports((const uint16_t[]){51000, 51001, 51002});
    /* another port is for what is opened from now on */
    ck_assert_uint_eq(added(1, 52001), 0);
    run_for(BRAID_SECOND, NULL);
    expect_ports((const uint16_t[]){51000, 51001, 51002});
    told(APP_SET, APP_REMOVE, 1u << 1);
    run_for(BRAID_SECOND, NULL);
    expect_ports((const uint16_t[]){51000, 0, 51002});
    ck_assert_uint_eq(added(1, 51001), EADDRINUSE); /* TIME_WAIT */
    ck_assert_uint_eq(added(1, 52001), 0);
    run_for(BRAID_SECOND, NULL);
    expect_ports((const uint16_t[]){51000, 52001, 51002});
}
END_TEST

START_TEST(a_port_that_is_taken_is_said_before_connect)
{
    const struct wish_news none = {.meant = at(SERVER), .wish.endpoints = UPLINK_ENDPOINTS};
    struct wish_news n = {.client = at("0.0.0.0:2"), .meant = at(SERVER)};
    ask(NULL);
    struct braid_pair pair = told(APP_GET, APP_SUBFLOWS, 0).pairs[0];
    n.wish.endpoints = UPLINK_ENDPOINT(0, UPLINK_V4);
    n.wish.port[0][UPLINK_V4] = pair.local.port;
    const uint16_t free_on_others = pair.local.port < 40000 ? 40000 : pair.local.port;
    ck_assert(ip_equal(&pair.local.ip, &outer[0]));
    ck_assert_uint_eq(app_wish(world.node, &n, world.now), EADDRINUSE);
    n.meant = at("198.51.100.81:80");
    ck_assert_uint_eq(app_wish(world.node, &n, world.now), 0);
    ck_assert_uint_eq(app_wish(world.node, &none, world.now), 0);
    ck_assert_uint_eq(added(1, free_on_others), 0); /* on another uplink it is free */
}
END_TEST

START_TEST(a_profile_is_the_connections)
{
    static const struct profile wished = {.name = "wished"};
    struct profile p = wished;
    p.sched = sched_algorithms[1];
    p.cc = cc_algorithms[0];
    const struct wish w = {.endpoints = UPLINK_ENDPOINTS, .profile = &p};
    ask(&w);
    struct relayed r;
    struct braid_pair pair = told(APP_GET, APP_SUBFLOWS, 0).pairs[0];
    pair.local.ip = world.uplinks.all[0].inner[UPLINK_V4];
    const struct braid_conn *wan = braid_core_find(world.cores[ROUTER], &pair.local, &pair.remote);
    ck_assert(wan && node_tell(world.node, wan, &r));
    ck_assert_str_eq(r.profile->name, "wished");
    struct braid_conn_stats stats;
    braid_conn_stats(wan, &stats);
    ck_assert_str_eq(stats.scheduler, sched_algorithms[1]->name);
    ck_assert_str_eq(told(APP_GET, APP_PROFILE, 0).profile, "wished");
    struct profile other = {.name = "other", .sched = sched_algorithms[0], .cc = cc_algorithms[0]};
    ck_assert_uint_eq(
        answer_to((struct app_question){.kind = APP_SET, .option = APP_PROFILE, .profile = &other}).error, 0);
    braid_conn_stats(wan, &stats);
    ck_assert_str_eq(stats.scheduler, sched_algorithms[0]->name);
    ck_assert_str_eq(told(APP_GET, APP_PROFILE, 0).profile, "other");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe_wishes");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, who_wishes_nothing_has_mptcp_over_all_uplinks);
    tcase_add_test(t, a_program_without_mptcp_has_none_even_with_a_server_that_speaks_it);
    tcase_add_test(t, a_program_without_mptcp_is_refused_where_plain_tcp_is);
    tcase_add_test(t, only_the_wished_uplinks_are_used_and_others_on_demand);
    tcase_add_test(t, the_last_uplink_is_left_when_there_is_another);
    tcase_add_test(t, who_binds_to_an_uplinks_address_has_plain_tcp_over_it);
    tcase_add_loop_test(t, who_binds_and_enables_has_mptcp_over_what_it_names, 0, 2);
    tcase_add_loop_test(t, a_policy_is_for_programs_that_say_nothing, 0, 3);
    tcase_add_loop_test(t, where_ipv6_is_moved_otherwise_it_is_plain_tcp, 0, 2);
    tcase_add_loop_test(t, peers_are_reached_by_the_family_that_is_left, 0, 2);
    tcase_add_test(t, identities_of_hip_are_left_to_the_kernel);
    tcase_add_test(t, a_device_of_the_lan_is_nobody_to_be_asked);
    tcase_add_test(t, a_program_is_told_what_happens_to_its_connection);
    tcase_add_test(t, before_the_server_has_answered_there_is_no_connection);
    tcase_add_test(t, a_subflow_is_opened_and_closed_as_the_program_says);
    tcase_add_test(t, a_subflow_is_spared_and_used_as_the_program_says);
    tcase_add_test(t, ports_that_are_named_are_bound_to);
    tcase_add_test(t, a_port_that_is_taken_is_said_before_connect);
    tcase_add_test(t, a_profile_is_the_connections);
    suite_add_tcase(s, t);
    return run_suite(s);
}
