/* relay: edges that come, change and go while clients are there (src/role/edge_change.c). */
#include "relay_harness.h"
#include "base/hold.h"

static struct edge_params two[2];
static struct targets targets[2];
static unsigned overs;

static void over(struct hold *h)
{
    (void)h;
    overs++;
}

static struct hold first = {.users = 1, .over = over}, second = {.users = 1, .over = over};

/* n of `two` are in force, which `second` is on. */
static void change(unsigned n)
{
    for (unsigned i = 0; i < 2; i++)
        targets[i] = (struct targets){.addr = {target}, .n = 1};
    const struct edges_change to = {
        .limits = &limits, .params = two, .targets = targets, .n = n, .hold = &second};
    ck_assert_int_eq(edges_change(edges, &to), 0);
}

static void begin(void)
{
    two[0] = two[1] = params;
    two[1].name = "other";
    overs = 0;
    atomic_store(&first.users, 1);
    atomic_store(&second.users, 1);
    edges_hold(edges, &first);
}

START_TEST(an_edge_that_stays_keeps_its_clients_and_its_listener)
{
    int server;
    begin();
    struct braid_conn *c = connected(&server);
    unsigned listeners = fake_listeners;
    two[0].checksum = true;
    change(2);
    ck_assert_uint_eq(edges_count(edges), 2);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 1);
    ck_assert_ptr_eq(edges_params(edges, 0), &two[0]);
    ck_assert_uint_eq(atomic_load(&first.users), 1);
    ck_assert_uint_eq(fake_listeners, listeners + 1);
    change(1);
    ck_assert_uint_eq(fake_listeners, listeners);
    client_sends(c, "x", 1);
    char got;
    ck_assert_int_eq(receive(c, server, &got, 1), 1);
    finish(c, server);
}
END_TEST

START_TEST(an_edge_that_goes_leaves_with_its_last_client)
{
    int server;
    begin();
    struct braid_conn *c = connected(&server);
    unsigned listeners = fake_listeners;
    change(0);
    ck_assert_uint_eq(edges_count(edges), 0);
    ck_assert_uint_lt(fake_listeners, listeners);
    ck_assert_uint_eq(atomic_load(&first.users), 2); /* its params are in use */
    struct braid_addr of;
    ck_assert(server_of(c, &of));
    client_sends(c, "x", 1);
    char got;
    ck_assert_int_eq(receive(c, server, &got, 1), 1);
    fake_close(c, BRAID_CLOSE_DONE);
    close(server);
    settle(c);
    ck_assert_uint_eq(atomic_load(&first.users), 1);
    fake_conn_free(c);
}
END_TEST

/* Whoever holds the params has the address routed here: FINs that are not acknowledged yet need that. */
START_TEST(an_edge_that_goes_waits_for_what_the_core_still_closes)
{
    int server;
    begin();
    struct braid_conn *c = connected(&server);
    change(0);
    fake_closing = true;
    fake_close(c, BRAID_CLOSE_DONE);
    close(server);
    settle(c);
    ck_assert_uint_eq(atomic_load(&first.users), 2);
    fake_closing = false;
    until(c, atomic_load(&first.users) == 1);
    fake_conn_free(c);
}
END_TEST

START_TEST(one_at_another_address_is_another_but_counts_on)
{
    int server;
    begin();
    struct braid_conn *c = connected(&server);
    two[0].listen[0].port = 4711;
    two[0].n_listen = 1;
    change(1);
    uint64_t open, connecting;
    ck_assert_uint_eq(counted(EDGE_ACCEPTED), 1);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 0);
    edges_leaving(edges, 0, &open, &connecting);
    ck_assert_uint_eq(open, 1);
    fake_close(c, BRAID_CLOSE_DONE);
    close(server);
    settle(c);
    edges_leaving(edges, 0, &open, &connecting);
    ck_assert_uint_eq(open, 0);
    ck_assert_uint_eq(counted(EDGE_CLOSED), 1);
    fake_conn_free(c);
}
END_TEST

START_TEST(a_drained_edge_stays_so_whatever_changes_but_its_name)
{
    begin();
    unsigned listeners = fake_listeners;
    ck_assert(!edges_drain(edges, "nobody", true) && !edges_drain(edges, "test", false));
    ck_assert(edges_drain(edges, "test", true) && !edges_drain(edges, "test", true));
    ck_assert(edges_are_drained(edges, 0));
    ck_assert_uint_eq(fake_listeners, listeners - 1);
    two[0].listen[0].port = 4711; /* it is another one now */
    two[0].n_listen = 1;
    change(2);
    ck_assert(edges_are_drained(edges, 0) && !edges_are_drained(edges, 1));
    ck_assert_uint_eq(fake_listeners, listeners);
    change(2);
    ck_assert(edges_are_drained(edges, 0));
    ck_assert(edges_drain(edges, "test", false));
    ck_assert_uint_eq(fake_listeners, listeners + 1);
    edges_drain(edges, "test", true);
    change(0);
    change(1);
    ck_assert(!edges_are_drained(edges, 0));
    ck_assert_uint_eq(fake_listeners, listeners);
}
END_TEST

/* Also one that waits for its server. */
START_TEST(the_clients_of_a_drained_edge_go_on)
{
    int server;
    begin();
    struct braid_conn *c = connected(&server), *late = fake_syn();
    ck_assert(edges_drain(edges, "test", true));
    until(late, late->accepted);
    int other = server_accept();
    ck_assert_uint_eq(counted(EDGE_ACCEPTED), 2);
    client_sends(c, "x", 1);
    char got;
    ck_assert_int_eq(receive(c, server, &got, 1), 1);
    close(other);
    fake_close(late, BRAID_CLOSE_DONE);
    settle(late);
    fake_conn_free(late);
    finish(c, server);
}
END_TEST

START_TEST(what_leaves_is_freed_with_the_node)
{
    int server;
    begin();
    struct braid_conn *c = connected(&server);
    change(0);
    node_free(node);
    node = NULL;
    ck_assert_uint_eq(atomic_load(&first.users), 1);
    close(server);
    fake_conn_free(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edge_change");
    TCase *t = tcase_create("edge_change");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_edge_that_stays_keeps_its_clients_and_its_listener);
    tcase_add_test(t, an_edge_that_goes_leaves_with_its_last_client);
    tcase_add_test(t, an_edge_that_goes_waits_for_what_the_core_still_closes);
    tcase_add_test(t, one_at_another_address_is_another_but_counts_on);
    tcase_add_test(t, a_drained_edge_stays_so_whatever_changes_but_its_name);
    tcase_add_test(t, the_clients_of_a_drained_edge_go_on);
    tcase_add_test(t, what_leaves_is_freed_with_the_node);
    suite_add_tcase(s, t);
    return run_suite(s);
}
