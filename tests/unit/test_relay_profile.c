/* relay: which profile a connection gets, by its port, by its server's pattern, and by hand. */
#include "role/pattern.h"
#include "relay_harness.h"

static const struct sched_ops one_path = {.name = "one"}, all_paths = {.name = "all"};
static const struct cc_ops gentle = {.name = "gentle"}, brisk = {.name = "brisk"};
static const struct pm_ops quiet = {.name = "quiet"};
static struct profile bulk = {.name = "bulk", .sched = &all_paths, .cc = &brisk};
static struct profile interactive = {.name = "interactive", .sched = &one_path, .cc = &gentle, .pm = &quiet};
static struct profile automatic = {
    .name = "auto", .sched = &all_paths, .cc = &brisk, .bulk = &bulk, .interactive = &interactive};

/* An edge with this profile, and another one for ports 440 to 449. */
static void edge_of(const struct profile *own, const struct profile *of_ports)
{
    node_free(node);
    params =
        (struct edge_params){.name = "test",
                             .profile = own,
                             .sched = own->sched,
                             .cc = own->cc,
                             .pool = {.targets = {{.host = (char *)"server.example", .weight = 1}}, .n = 1}};
    params.port_profiles[0] = (struct port_profile){.first = 440, .last = 449, .profile = of_ports};
    params.n_port_profiles = 1;
    make_edges();
}

static struct braid_conn *syn_to(uint16_t port)
{
    struct braid_conn *c = fake_conn();
    c->local.port = port;
    c->ops->incoming(fake_listener->params.ctx, c);
    return c;
}

static void has_profile(const struct braid_conn *c, const struct profile *given, const struct profile *now)
{
    struct relayed told;
    ck_assert(node_tell(node, c, &told) && !told.cpe);
    ck_assert_ptr_eq(told.profile, given);
    ck_assert_ptr_eq(told.now, now);
}

static void end(struct braid_conn *c, int server)
{
    fake_close(c, BRAID_CLOSE_DONE);
    if (server >= 0)
        close(server);
    fake_conn_free(c);
}

START_TEST(a_connection_has_the_profile_of_its_port_or_that_of_the_edge)
{
    static const struct {
        uint16_t port;
        bool of_ports;
    } ports[] = {{439, false}, {440, true}, {443, true}, {449, true}, {450, false}};
    edge_of(&bulk, &interactive);
    ck_assert_ptr_eq(fake_listener->params.sched, &all_paths);
    for (unsigned i = 0; i < 5; i++) {
        struct braid_conn *c = syn_to(ports[i].port);
        ck_assert_ptr_eq(c->sched, ports[i].of_ports ? &one_path : NULL);
        ck_assert_ptr_eq(c->cc, ports[i].of_ports ? &gentle : NULL);
        ck_assert_ptr_eq(c->pm, ports[i].of_ports ? &quiet : NULL);
        has_profile(c, ports[i].of_ports ? &interactive : &bulk, ports[i].of_ports ? &interactive : &bulk);
        end(c, -1);
    }
}
END_TEST

START_TEST(an_edge_without_profiles_leaves_its_listeners_algorithms)
{
    struct braid_conn *c = syn_to(443);
    ck_assert_ptr_null(c->sched);
    has_profile(c, NULL, NULL);
    end(c, -1);
}
END_TEST

/* The server sends, and the client acknowledges everything at once. */
static void answer(struct braid_conn *c, int server, size_t bytes)
{
    static const char zeros[4096];
    size_t goal = c->down_len + bytes;
    ck_assert_uint_eq(c->down_acked, c->down_len);
    while (bytes > 0) {
        size_t n = bytes < sizeof(zeros) ? bytes : sizeof(zeros);
        ck_assert_int_eq(send(server, zeros, n, MSG_NOSIGNAL), (ssize_t)n);
        bytes -= n;
    }
    until(c, c->down_len == goal);
    c->down_acked = c->down_len;
}

static struct braid_conn *talking(uint16_t port, int *server)
{
    struct braid_conn *c = syn_to(port);
    until(c, c->established_told);
    *server = server_accept();
    return c;
}

START_TEST(an_automatic_profile_follows_the_servers_pattern)
{
    int server;
    edge_of(&automatic, &bulk);
    struct braid_conn *c = talking(80, &server);
    has_profile(c, &automatic, &bulk);
    for (int i = 0; i < PATTERN_RUN; i++)
        answer(c, server, 100);
    ck_assert_ptr_null(c->sched);
    answer(c, server, 100);
    has_profile(c, &automatic, &interactive);
    ck_assert_ptr_eq(c->sched, &one_path);
    ck_assert_ptr_eq(c->cc, &gentle);
    answer(c, server, PATTERN_LARGE + 1);
    has_profile(c, &automatic, &bulk);
    ck_assert_ptr_eq(c->sched, &all_paths);
    ck_assert_ptr_eq(c->cc, &brisk);
    end(c, server);
}
END_TEST

START_TEST(an_ordinary_profile_does_not)
{
    int server;
    edge_of(&bulk, &interactive);
    struct braid_conn *c = talking(80, &server);
    for (int i = 0; i < 3 * PATTERN_RUN; i++)
        answer(c, server, 100);
    has_profile(c, &bulk, &bulk);
    ck_assert_ptr_null(c->sched);
    end(c, server);
}
END_TEST

START_TEST(a_profile_is_set_by_hand)
{
    int server;
    edge_of(&automatic, &bulk);
    struct braid_conn *c = talking(80, &server);
    node_set_profile(node, c, &interactive);
    has_profile(c, &interactive, &interactive);
    ck_assert_ptr_eq(c->sched, &one_path);
    answer(c, server, PATTERN_LARGE + 1);
    has_profile(c, &interactive, &interactive);
    node_set_profile(node, c, &automatic);
    has_profile(c, &automatic, &bulk);
    ck_assert_ptr_eq(c->sched, &all_paths);
    end(c, server);
}
END_TEST

START_TEST(algorithms_set_one_by_one_end_an_automatic_profile)
{
    int server;
    edge_of(&automatic, &bulk);
    struct braid_conn *c = talking(80, &server);
    node_set_profile(node, c, NULL);
    has_profile(c, NULL, NULL);
    for (int i = 0; i < 2 * PATTERN_RUN; i++)
        answer(c, server, 100);
    ck_assert_ptr_null(c->sched);
    end(c, server);
}
END_TEST

/* REQ10 and REQ12 of RFC 6897: what was asked for by itself comes before any profile. */
START_TEST(what_is_a_connections_own_outlives_changes_of_its_profile)
{
    static const struct profile_own all = {.redundancy = REDUNDANCY_ALL},
                                    none = {.redundancy = REDUNDANCY_NONE},
                                    some = {.redundancy = REDUNDANCY_SOME};
    const struct profile_own named = {.pm = pm_algorithms[1]};
    int server;
    edge_of(&automatic, &bulk);
    struct braid_conn *c = talking(443, &server);
    ck_assert_ptr_eq(c->sched, &all_paths);
    node_set_own(node, c, &all);
    ck_assert(c->sched->duplicate && profile_redundancy_of(c) == REDUNDANCY_ALL);
    node_set_profile(node, c, &interactive);
    ck_assert(c->sched->duplicate && c->cc == &gentle && c->pm == &quiet);
    node_set_own(node, c, &none);
    ck_assert(c->sched == &one_path && !c->repeats && profile_redundancy_of(c) == REDUNDANCY_NONE);
    node_set_own(node, c, &some);
    node_set_own(node, c, &named);
    ck_assert(c->sched == &one_path && c->repeats && profile_redundancy_of(c) == REDUNDANCY_SOME);
    node_set_profile(node, c, &bulk); /* which names no path manager */
    ck_assert(c->sched == &all_paths && c->repeats && c->pm == pm_algorithms[1]);
    node_set_own(node, c, &all);
    node_set_profile(node, c, NULL); /* an operator sets algorithms one by one */
    c->sched = &one_path;
    node_set_profile(node, c, &interactive);
    ck_assert(c->sched == &one_path);
    end(c, server);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("relay_profile");
    TCase *t = tcase_create("relay_profile");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_connection_has_the_profile_of_its_port_or_that_of_the_edge);
    tcase_add_test(t, an_edge_without_profiles_leaves_its_listeners_algorithms);
    tcase_add_test(t, an_automatic_profile_follows_the_servers_pattern);
    tcase_add_test(t, an_ordinary_profile_does_not);
    tcase_add_test(t, a_profile_is_set_by_hand);
    tcase_add_test(t, algorithms_set_one_by_one_end_an_automatic_profile);
    tcase_add_test(t, what_is_a_connections_own_outlives_changes_of_its_profile);
    suite_add_tcase(s, t);
    return run_suite(s);
}
