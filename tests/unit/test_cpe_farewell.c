/* role/carried_farewell, role/farewell: the line of a connection that a CPE has carried, whichever of its two
 * connections is gone first, and what its times are counted by; in virtual time (cpe_world.h). */
#include <braid/events.h>
#include "cpe_world.h"
#include "log_ear.h"
#include "role/carried_freeze.h"
#include "role/farewell.h"

#define SERVER "198.51.100.80:80"
#define ASKED  (2 * WAN_DELAY) /* from the question to the answer */
#define HELLO  "hello"
#define LONGER "you are welcome"

static void setup(void)
{
    world_begin();
    log_ear_begin();
}

static void teardown(void)
{
    log_ear_end();
    world_end();
}

static void begin_log(void)
{
    world.node->farewells = farewells_new();
    ck_assert_ptr_nonnull(world.node->farewells);
    braid_core_on_event(world.cores[ROUTER], farewells_hear, world.node->farewells);
}

static void make_logged_cpe(void)
{
    make_cpe();
    begin_log();
    serve(SERVER, BRAID_CLIENTS_ANY);
}

static uint64_t taken(enum cpe_time which)
{
    const struct durations *t = &cpes_counters(world.cpes, 0)->times[which];
    uint64_t n = 0;
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
        n += t->samples[i];
    return n;
}

static void open_one(void)
{
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    run_for(WAN_DELAY + LAN_DELAY, NULL);
    ck_assert(world.server.established);
    say(&world.device, HELLO);
    run_for(BRAID_SECOND, NULL);
    say(&world.server, LONGER);
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, LONGER);
}

/* The router's connection of one side. */
static struct braid_conn *find(bool wan)
{
    for (uint64_t id = 1; id < 100; id++) {
        struct braid_conn *c = braid_conn_by_id(world.cores[ROUTER], id);
        struct relayed told;
        if (c && node_tell(world.node, c, &told) && told.wan == wan)
            return c;
    }
    ck_abort_msg("there is no such connection");
    return NULL;
}

static void end_in_order(struct app *first, struct app *second)
{
    braid_conn_shutdown(first->conn);
    until(&second->eof, BRAID_SECOND);
    braid_conn_shutdown(second->conn);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(first->closed && second->closed);
    ck_assert_uint_eq(world.node->n_conns, 0);
}

START_TEST(an_end_in_order_is_told_with_what_was_carried)
{
    make_logged_cpe();
    open_one();
    end_in_order(_i ? &world.server : &world.device, _i ? &world.device : &world.server);
    says(" braidd: info: connection ended cpe=lan client=192.168.77.2:");
    says(" service=" SERVER " server=" SERVER " why=closed seconds=2.");
    says(" protocol=mptcp in=5 out=15 subflows=3 paths.-.in=5 paths.-.out=15\n");
}
END_TEST

START_TEST(its_times_are_counted)
{
    make_logged_cpe();
    open_one();
    const struct durations *t = cpes_counters(world.cpes, 0)->times;
    ck_assert_uint_eq(t[CPE_CONNECT].sum_us, ASKED);
    ck_assert_uint_eq(taken(CPE_FIRST_BYTE), 1);
    ck_assert_uint_ge(t[CPE_FIRST_BYTE].sum_us, BRAID_SECOND + ASKED);
    ck_assert_uint_eq(taken(CPE_LENGTH), 0);
    say(&world.server, LONGER);
    run_for(BRAID_SECOND, NULL);
    end_in_order(&world.device, &world.server);
    ck_assert(taken(CPE_CONNECT) == 1 && taken(CPE_FIRST_BYTE) == 1 && taken(CPE_LENGTH) == 1);
    ck_assert_uint_ge(t[CPE_LENGTH].sum_us, 3 * BRAID_SECOND);
}
END_TEST

START_TEST(who_resets_is_named)
{
    make_logged_cpe();
    open_one();
    braid_conn_abort(_i ? world.server.conn : world.device.conn);
    run_for(BRAID_SECOND, NULL);
    says(_i ? " why=server-reset " : " why=client-reset ");
    says(" in=5 out=15 subflows=3 paths.-.in=5 paths.-.out=15\n");
}
END_TEST

START_TEST(killing_either_connection_kills_both)
{
    make_logged_cpe();
    open_one();
    braid_conn_abort(find(_i));
    run_for(BRAID_SECOND, NULL);
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_RESET);
    ck_assert(world.server.closed && world.server.why == BRAID_CLOSE_RESET);
    says(" why=killed ");
    says(" service=" SERVER " ");
    says(" paths.-.in=5 paths.-.out=15\n");
}
END_TEST

static const struct {
    enum manners manners;
    enum braid_clients clients;
    const char *word;
} failures[] = {
    {REFUSES, BRAID_CLIENTS_ANY, " why=server-refused "},
    {UNREACHABLE, BRAID_CLIENTS_ANY, " why=server-unreachable "},
    {HOLDS, BRAID_CLIENTS_ANY, " why=server-timeout "},
    {ACCEPTS, BRAID_CLIENTS_PLAIN, " why=not-mptcp "},
};

START_TEST(why_nothing_came_of_it_is_told)
{
    world.params.no_plain = failures[_i].manners == ACCEPTS;
    make_cpe();
    begin_log();
    serve(SERVER, failures[_i].clients);
    world.manners = failures[_i].manners;
    device_connects(SERVER);
    until(&world.device.closed, 60 * BRAID_SECOND);
    says(" connection ended cpe=lan client=192.168.77.2:");
    says(" service=" SERVER " ");
    says(failures[_i].word);
    says(" in=0 out=0 subflows=0\n");
    ck_assert(taken(CPE_CONNECT) == 0 && taken(CPE_LENGTH) == 0);
}
END_TEST

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

START_TEST(who_waits_when_the_daemon_stops_is_drained)
{
    bool drained = false;
    make_logged_cpe();
    world.manners = HOLDS;
    device_connects(SERVER);
    run_for(20 * BRAID_MS, NULL);
    node_drain(world.node, set_flag, &drained);
    ck_assert(drained);
    says(" why=drained ");
}
END_TEST

START_TEST(what_ends_with_the_daemon_has_a_line)
{
    make_logged_cpe();
    open_one();
    braid_core_on_event(world.cores[ROUTER], NULL, NULL);
    node_free(world.node);
    says(" service=" SERVER " server=" SERVER " why=proxy-ended ");
    says(" subflows=3 paths.-.in=5 paths.-.out=15\n");
    make_cpe();
}
END_TEST

/* An upgrade that came to nothing. */
START_TEST(what_goes_on_in_another_process_has_none)
{
    make_logged_cpe();
    open_one();
    braid_core_on_event(world.cores[ROUTER], NULL, NULL);
    cpes_forget_all(world.cpes);
    ck_assert_uint_eq(world.node->n_conns, 0);
    ck_assert_str_eq(said(), "");
    ck_assert_uint_eq(taken(CPE_LENGTH), 0);
}
END_TEST

/* One over an uplink that is gone. */
START_TEST(a_subflow_that_has_ended_is_added)
{
    int64_t subflows;
    make_logged_cpe();
    open_one();
    braid_core_endpoint_remove(world.cores[ROUTER], &world.uplinks.all[0].inner[UPLINK_V4]);
    run_for(2 * BRAID_SECOND, NULL);
    ck_assert_int_eq(braid_conn_get_option(world.server.conn, BRAID_OPT_SUBFLOWS, &subflows), 0);
    ck_assert_int_eq(subflows, 2);
    end_in_order(&world.device, &world.server);
    says(" subflows=3 ");
}
END_TEST

/* It is switched on while one connection of the two is left. */
START_TEST(a_log_that_comes_late_tells_what_it_knows)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    open_one();
    braid_conn_shutdown(world.device.conn);
    until(&world.server.eof, BRAID_SECOND);
    braid_conn_shutdown(world.server.conn);
    const bool *first = &world.server.closed;
    until(first, 5 * BRAID_SECOND);
    begin_log();
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.node->n_conns, 0);
    if (*said())
        says(" connection ended cpe=lan ");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("cpe_farewell");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, an_end_in_order_is_told_with_what_was_carried, 0, 2);
    tcase_add_test(t, its_times_are_counted);
    tcase_add_loop_test(t, who_resets_is_named, 0, 2);
    tcase_add_loop_test(t, killing_either_connection_kills_both, 0, 2);
    tcase_add_loop_test(t, why_nothing_came_of_it_is_told, 0, sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(t, who_waits_when_the_daemon_stops_is_drained);
    tcase_add_test(t, what_ends_with_the_daemon_has_a_line);
    tcase_add_test(t, what_goes_on_in_another_process_has_none);
    tcase_add_test(t, a_subflow_that_has_ended_is_added);
    tcase_add_test(t, a_log_that_comes_late_tells_what_it_knows);
    Suite *s = suite_create("cpe_farewell");
    suite_add_tcase(s, t);
    return run_suite(s);
}
