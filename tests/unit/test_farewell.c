/* role/farewell, role/farewell_freeze: the line of a connection of an edge at its end, and what its times are
 * counted by (src/role/serve.c, src/role/edge_client.c). */
#include <check.h>
#include <stdlib.h>
#include <braid/events.h>
#include "io/clock.h"
#include "log_ear.h"
#include "relay_harness.h"
#include "role/edge_freeze.h"
#include "role/farewell_freeze.h"
#include "thawed.h"

static void listen_to_log(void)
{
    setup();
    log_ear_begin();
    node->farewells = farewells_new();
    ck_assert_ptr_nonnull(node->farewells);
    static const char *const paths[] = {"dsl"};
    ck_assert_int_eq(farewells_set_paths(node->farewells, paths, 1), 0);
}

static void stop_listening(void)
{
    log_ear_end();
    teardown();
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static uint64_t taken(enum edge_time which)
{
    const struct durations *t = &edges_counters(edges, 0)->times[which];
    uint64_t n = 0;
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
        n += t->samples[i];
    return n;
}

/* A client whose server has answered. */
static struct braid_conn *opened(int *server)
{
    struct braid_conn *c = connected(server);
    c->opened_at = clock_now() - 2 * BRAID_SECOND;
    return c;
}

START_TEST(an_end_in_order_is_told_with_what_was_carried)
{
    int server;
    char text[8];
    struct braid_conn *c = opened(&server);
    client_sends(c, "question", 8);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 8);
    finish(c, server);
    says(" braidd: info: connection ended edge=test client=");
    says(" why=closed seconds=2.");
    says(" protocol=mptcp in=8 out=0 subflows=1 paths.dsl.in=8 paths.dsl.out=0\n");
    ck_assert_uint_eq(taken(EDGE_LENGTH), 1);
    ck_assert_uint_eq(taken(EDGE_CONNECT), 1);
}
END_TEST

START_TEST(the_first_byte_of_the_server_is_counted_once)
{
    int server;
    struct braid_conn *c = opened(&server);
    ck_assert_uint_eq(taken(EDGE_FIRST_BYTE), 0);
    for (size_t sent = 1; sent <= 2; sent++) {
        ck_assert_int_eq(send(server, "x", 1, 0), 1);
        until(c, c->down_len == sent);
    }
    ck_assert_uint_eq(taken(EDGE_FIRST_BYTE), 1);
    ck_assert_uint_ge(edges_counters(edges, 0)->times[EDGE_FIRST_BYTE].sum_us, 2 * BRAID_SECOND);
    finish(c, server);
}
END_TEST

START_TEST(who_resets_is_named)
{
    int server;
    struct braid_conn *c = opened(&server);
    fake_close(c, BRAID_CLOSE_RESET);
    finish(c, server);
    says(" why=client-reset ");
    c = opened(&server);
    server_reset(server);
    until(c, c->aborted || c->abort_delivered);
    fake_close(c, BRAID_CLOSE_ABORTED);
    finish(c, -1);
    says(" why=server-reset ");
}
END_TEST

static const struct {
    enum braid_close why;
    const char *word;
} closes[] = {
    {BRAID_CLOSE_TIMEOUT, " why=client-timeout "},  {BRAID_CLOSE_RESOURCES, " why=memory-limit "},
    {BRAID_CLOSE_PROTOCOL, " why=protocol-error "}, {BRAID_CLOSE_FATE, " why=first-subflow-gone "},
    {BRAID_CLOSE_ABORTED, " why=killed "},
};

START_TEST(what_else_ends_a_connection_is_named)
{
    int server;
    struct braid_conn *c = opened(&server);
    fake_close(c, closes[_i].why);
    finish(c, server);
    says(closes[_i].word);
}
END_TEST

START_TEST(a_server_that_refuses_is_named_and_its_client_has_no_length)
{
    close(listener);
    struct braid_conn *c = fake_syn();
    until(c, c->refused);
    finish(c, -1);
    says(" why=server-refused ");
    ck_assert_uint_eq(taken(EDGE_LENGTH), 0);
    listener = server_listen(AF_INET, 1);
}
END_TEST

START_TEST(who_waits_when_the_edge_stops_is_drained)
{
    close(listener);
    listener = server_listen(AF_INET, 0);
    bool drained = false;
    struct braid_conn *c = fake_syn();
    node_drain(node, set_flag, &drained);
    ck_assert(drained);
    finish(c, -1);
    says(" why=drained ");
}
END_TEST

START_TEST(what_ends_with_the_daemon_has_a_line)
{
    int server;
    struct braid_conn *c = opened(&server);
    node_free(node);
    says(" why=proxy-ended ");
    close(server);
    fake_conn_free(c);
    new_edges();
}
END_TEST

/* An upgrade that came to nothing. */
START_TEST(what_goes_on_in_another_process_has_none)
{
    int server;
    struct braid_conn *c = opened(&server);
    edges_forget(edges);
    ck_assert_uint_eq(node->n_conns, 0);
    ck_assert_str_eq(said(), "");
    close(server);
    fake_conn_free(c);
}
END_TEST

/* A subflow that ends before its connection counts, under the name that its path had. */
START_TEST(a_subflow_that_has_ended_is_added)
{
    int server;
    char text[8];
    static const char *const renamed[] = {"lte"};
    const struct braid_event down = {.kind = BRAID_EVENT_SUBFLOW_DOWN};
    struct braid_conn *c = opened(&server);
    client_sends(c, "question", 8);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 8);
    farewells_hear(node->farewells, c, &down);
    ck_assert_int_eq(farewells_set_paths(node->farewells, renamed, 1), 0);
    finish(c, server);
    says(" subflows=2 paths.dsl.in=8 paths.dsl.out=0 paths.lte.in=8 paths.lte.out=0\n");
}
END_TEST

static void read_past(void *arg, const struct thaw_item *item)
{
    farewells_thaw(node->farewells, *(uint64_t *)arg, item);
}

/* In the next process, which may know its path no more. */
START_TEST(a_subflow_that_ended_before_an_upgrade_is_added)
{
    int server;
    char text[8];
    static const char *const renamed[] = {"lte"};
    const struct braid_event down = {.kind = BRAID_EVENT_SUBFLOW_DOWN};
    struct freezer f = {.len = 0};
    struct braid_conn *c = opened(&server);
    uint64_t id = braid_conn_id(c);
    client_sends(c, "question", 8);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 8);
    farewells_freeze(node->farewells, id, &f, 1);
    ck_assert_uint_eq(f.len, 0);
    farewells_hear(node->farewells, c, &down);
    farewells_freeze(node->farewells, id, &f, 1);
    farewells_free(node->farewells);
    node->farewells = farewells_new();
    ck_assert_int_eq(farewells_set_paths(node->farewells, renamed, 1), 0);
    thawed(&f, read_past, &id);
    finish(c, server);
    says(" subflows=2 paths.dsl.in=8 paths.dsl.out=0 paths.lte.in=8 paths.lte.out=0\n");
}
END_TEST

START_TEST(nothing_is_kept_of_what_has_ended)
{
    int server;
    const struct braid_event down = {.kind = BRAID_EVENT_SUBFLOW_DOWN}, closed = {.kind = BRAID_EVENT_CLOSED};
    struct braid_conn *c = opened(&server);
    farewells_hear(node->farewells, c, &down);
    farewells_hear(node->farewells, c, &closed);
    fake_close(c, BRAID_CLOSE_DONE);
    farewells_hear(node->farewells, c, &down); /* its user is gone */
    says(" subflows=1 ");
    finish(c, server);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("farewell");
    tcase_add_checked_fixture(t, listen_to_log, stop_listening);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, an_end_in_order_is_told_with_what_was_carried);
    tcase_add_test(t, the_first_byte_of_the_server_is_counted_once);
    tcase_add_test(t, who_resets_is_named);
    tcase_add_loop_test(t, what_else_ends_a_connection_is_named, 0, sizeof(closes) / sizeof(closes[0]));
    tcase_add_test(t, a_server_that_refuses_is_named_and_its_client_has_no_length);
    tcase_add_test(t, who_waits_when_the_edge_stops_is_drained);
    tcase_add_test(t, what_ends_with_the_daemon_has_a_line);
    tcase_add_test(t, what_goes_on_in_another_process_has_none);
    tcase_add_test(t, a_subflow_that_has_ended_is_added);
    tcase_add_test(t, a_subflow_that_ended_before_an_upgrade_is_added);
    tcase_add_test(t, nothing_is_kept_of_what_has_ended);
    Suite *s = suite_create("farewell");
    suite_add_tcase(s, t);
    return run_suite(s);
}
