/* What a program that embeds the stack relies on: errors instead of aborts, and reasons for them. */
#include "pair.h"

static struct pair p;

static void setup(void)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
}

static void teardown(void)
{
    pair_free(&p);
}

/* ---- writing that cannot be ---- */

static void must_be_shut(struct braid_conn *c)
{
    struct iovec iov[2];
    ck_assert_int_eq(braid_conn_write(c, "x", 1), BRAID_SHUT);
    ck_assert_int_eq(braid_conn_write(c, "", 0), BRAID_SHUT);
    ck_assert_uint_eq(braid_conn_reserve(c, 1, iov, 2), 0);
}

START_TEST(writing_after_the_shutdown_is_an_error_and_changes_nothing)
{
    ck_assert_int_eq(braid_conn_write(p.client.conn, "", 0), 0);
    side_write(&p.client, 1000);
    braid_conn_shutdown(p.client.conn);
    must_be_shut(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    must_be_shut(p.client.conn);
    ck_assert(p.server.eof && p.server.received == 1000 && p.server.wrong_bytes == 0);
    side_write(&p.server, 1000); /* the other direction lives */
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.received == 1000 && p.client.closed && p.client.why == BRAID_CLOSE_DONE);
}
END_TEST

START_TEST(writing_after_an_abort_is_an_error)
{
    braid_conn_abort(p.client.conn);
    must_be_shut(p.client.conn);
    braid_conn_abort_delivered(p.server.conn);
    must_be_shut(p.server.conn);
}
END_TEST

START_TEST(room_that_was_not_committed_is_given_back)
{
    struct iovec iov[2];
    ck_assert_uint_gt(braid_conn_reserve(p.client.conn, 1000, iov, 2), 0);
    ck_assert_uint_gt(braid_conn_reserve(p.client.conn, 1000, iov, 2), 0);
    memcpy(iov[0].iov_base, (const uint8_t[]){pattern(0), pattern(1)}, 2);
    braid_conn_commit(p.client.conn, 2);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.received == 2 && p.server.wrong_bytes == 0);
}
END_TEST

START_TEST(reading_nothing_takes_nothing)
{
    uint8_t byte;
    ck_assert_int_eq(braid_conn_read(p.client.conn, &byte, 0), 0);
    p.client.reading = false;
    side_write(&p.server, 1);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_conn_read(p.client.conn, &byte, 0), 0);
    ck_assert_int_eq(braid_conn_read(p.client.conn, &byte, 1), 1);
}
END_TEST

/* ---- why something could not be ---- */

static struct braid_conn *connect_from(const char *local, const char *remote)
{
    struct braid_connect_params c = {.local = pair_addr(local),
                                     .remote = pair_addr(remote),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .ops = &pair_ops,
                                     .user = &p.client};
    return braid_connect(p.client.core, &c, p.now);
}

static void must_not_connect(const char *local, const char *remote, enum braid_error why)
{
    ck_assert_ptr_null(connect_from(local, remote));
    ck_assert_int_eq(braid_core_error(p.client.core), why);
}

START_TEST(a_connection_that_cannot_be_opened_says_why)
{
    ck_assert_int_eq(braid_core_error(p.client.core), BRAID_ERROR_NONE);
    must_not_connect("10.0.1.2:4000", "10.0.9.1:80", BRAID_ERROR_TAKEN);
    must_not_connect("10.0.1.2:4001", "[2001:db8::1]:80", BRAID_ERROR_ADDRESS);
    must_not_connect("[2001:db8::1]:4001", "10.0.9.1:80", BRAID_ERROR_ADDRESS);
    must_not_connect("10.0.1.2:4001", "0.0.0.0:80", BRAID_ERROR_ADDRESS);
    must_not_connect("0.0.0.0:4001", "10.0.9.1:80", BRAID_ERROR_ADDRESS);
    must_not_connect("10.0.1.2:4001", "224.0.0.1:80", BRAID_ERROR_ADDRESS);
    must_not_connect("10.0.1.2:4001", "10.0.9.1:0", BRAID_ERROR_ADDRESS);
    ck_assert_ptr_nonnull(connect_from("10.0.1.2:4001", "10.0.9.1:80"));
    ck_assert_int_eq(braid_core_error(p.client.core), BRAID_ERROR_NONE);
}
END_TEST

START_TEST(a_listener_that_cannot_be_says_why)
{
    struct braid_listen_params l = {.addr = pair_addr("10.0.9.1:80"),
                                    .name = "second",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &pair_ops,
                                    .ctx = &p};
    struct braid_core *core = p.server.core;
    ck_assert_ptr_null(braid_listen(core, &l));
    ck_assert_int_eq(braid_core_error(core), BRAID_ERROR_TAKEN);
    l.addr = pair_addr("224.0.0.1:80");
    ck_assert_ptr_null(braid_listen(core, &l));
    ck_assert_int_eq(braid_core_error(core), BRAID_ERROR_ADDRESS);
    l.addr = pair_addr("0.0.0.0:0");
    l.port_first = 2000;
    l.port_last = 1000;
    ck_assert_ptr_null(braid_listen(core, &l));
    ck_assert_int_eq(braid_core_error(core), BRAID_ERROR_ADDRESS);
    l.port_last = 3000;
    ck_assert_ptr_nonnull(braid_listen(core, &l));
    ck_assert_int_eq(braid_core_error(core), BRAID_ERROR_NONE);
    ck_assert_ptr_null(braid_listen(core, &l));
    ck_assert_int_eq(braid_core_error(core), BRAID_ERROR_TAKEN);
}
END_TEST

static enum braid_error join_from(const char *local, const char *remote)
{
    struct braid_addr l = pair_addr(local), r = pair_addr(remote);
    return braid_conn_join(p.client.conn, &l, &r, false, p.now);
}

START_TEST(a_join_that_cannot_be_says_why)
{
    ck_assert_int_eq(join_from("10.0.2.2:4001", "10.0.9.1:80"),
                     BRAID_ERROR_NOT_YET); /* no DSS of the server yet */
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_int_eq(join_from("10.0.1.2:4000", "10.0.9.1:80"), BRAID_ERROR_TAKEN);
    ck_assert_int_eq(join_from("10.0.2.2:4001", "[2001:db8::1]:80"), BRAID_ERROR_ADDRESS);
    for (unsigned i = 1; i < 8; i++)
        ck_assert_int_eq(join_from("10.0.2.2:0", "10.0.9.1:80"), BRAID_ERROR_NONE);
    ck_assert_int_eq(join_from("10.0.2.2:0", "10.0.9.1:80"), BRAID_ERROR_LIMIT);
    braid_conn_abort(p.client.conn);
    ck_assert_int_eq(join_from("10.0.2.2:0", "10.0.9.1:80"), BRAID_ERROR_CLOSED);
}
END_TEST

START_TEST(plain_tcp_cannot_be_joined)
{
    teardown();
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, true);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(join_from("10.0.2.2:4001", "10.0.9.1:80"), BRAID_ERROR_PLAIN);
}
END_TEST

START_TEST(every_error_has_a_text)
{
    for (enum braid_error e = BRAID_ERROR_NONE; e <= BRAID_ERROR_UNWANTED; e++)
        ck_assert_uint_gt(strlen(braid_error_text(e)), 5);
}
END_TEST

/* ---- ports ---- */

static void few_ports(uint16_t first, uint16_t last)
{
    struct braid_core_params params;
    braid_core_free(p.client.core);
    braid_core_params_default(&params);
    params.port_first = first;
    params.port_last = last;
    pair_new_core(&p, &p.client, &params);
}

START_TEST(ports_come_out_of_the_range_until_it_is_used_up)
{
    few_ports(500, 519);
    bool seen[20] = {false};
    for (unsigned i = 0; i < 20; i++) {
        struct braid_addr local, remote;
        struct braid_conn *c = connect_from("10.0.1.2:0", "10.0.9.1:80");
        ck_assert_ptr_nonnull(c);
        braid_conn_addrs(c, &local, &remote);
        ck_assert(local.port >= 500 && local.port <= 519 && !seen[local.port - 500]);
        seen[local.port - 500] = true;
    }
    must_not_connect("10.0.1.2:0", "10.0.9.1:80", BRAID_ERROR_PORTS);
    ck_assert_ptr_nonnull(connect_from("10.0.1.2:0", "10.0.9.1:81")); /* another 4-tuple */
}
END_TEST

START_TEST(subflows_of_path_managers_come_out_of_the_range_too)
{
    few_ports(65530, 65535);
    p.pm = pm_algorithms[2];
    ck_assert_str_eq(p.pm->name, "fullmesh");
    struct braid_endpoint e = {.addr = pair_addr("10.0.2.2:0"), .subflow = true};
    ck_assert_int_eq(braid_core_endpoint_add(p.client.core, &e), 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_stats st;
    braid_conn_stats(p.client.conn, &st);
    ck_assert_uint_eq(st.n_subflows, 2);
    ck_assert_uint_ge(st.subflows[1].local.port, 65530);
}
END_TEST

START_TEST(without_a_range_ports_are_those_of_the_operating_system)
{
    const uint16_t wrong[][2] = {{0, 0}, {0, 9}, {9, 8}};
    few_ports(wrong[_i][0], wrong[_i][1]);
    struct braid_addr local, remote;
    braid_conn_addrs(connect_from("10.0.1.2:0", "10.0.9.1:80"), &local, &remote);
    ck_assert(local.port >= 32768 && local.port <= 60999);
}
END_TEST

/* ---- whom a listener takes ---- */

static void listen_anywhere(enum braid_clients clients)
{
    struct braid_listen_params l = {.addr = pair_addr("0.0.0.0:0"),
                                    .clients = clients,
                                    .name = "any",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &pair_ops,
                                    .ctx = &p};
    ck_assert_ptr_nonnull(braid_listen(p.server.core, &l));
}

/* A client of somebody whose address is not ours. */
static void meet(bool plain)
{
    struct braid_connect_params c = {.local = pair_addr("10.0.1.2:0"),
                                     .remote = pair_addr("192.0.2.1:443"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .plain = plain,
                                     .ops = &pair_ops,
                                     .user = &p.client};
    p.client.established = p.server.established = false;
    p.client.conn = braid_connect(p.client.core, &c, p.now);
    ck_assert_ptr_nonnull(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
}

START_TEST(a_wildcard_listener_may_take_plain_clients_too)
{
    listen_anywhere(BRAID_CLIENTS_ANY);
    meet(true);
    ck_assert(p.server.established && !braid_conn_is_mptcp(p.server.conn));
    pair_transfer(&p, &p.server, 100000, BRAID_SECOND);
    ck_assert(p.client.received == 100000 && p.client.wrong_bytes == 0);
    meet(false);
    ck_assert(p.server.established && braid_conn_is_mptcp(p.server.conn));
    ck_assert_uint_eq(side_count(&p.server, COUNT_PASSED_BACK), 0);
}
END_TEST

START_TEST(a_wildcard_listener_may_speak_plain_tcp_to_all)
{
    listen_anywhere(BRAID_CLIENTS_PLAIN);
    meet(false);
    ck_assert(p.server.established && !braid_conn_is_mptcp(p.server.conn));
    ck_assert(p.client.established && !braid_conn_is_mptcp(p.client.conn));
}
END_TEST

START_TEST(a_wildcard_listener_takes_who_offers_mptcp_by_itself)
{
    const enum braid_clients same[] = {BRAID_CLIENTS_DEFAULT, BRAID_CLIENTS_MPTCP};
    listen_anywhere(same[_i]);
    meet(true);
    ck_assert(!p.server.established && side_count(&p.server, COUNT_PASSED_BACK) > 0);
    p.client.conn = NULL;
    meet(false);
    ck_assert(p.server.established && braid_conn_is_mptcp(p.server.conn));
}
END_TEST

/* ---- what a connection is, and why it ends ---- */

static int64_t mode(const struct side *s)
{
    int64_t value = -1;
    ck_assert_int_eq(braid_conn_get_option(s->conn, BRAID_OPT_MODE, &value), 0);
    return value;
}

START_TEST(the_mode_tells_not_yet_from_plain)
{
    ck_assert_int_eq(mode(&p.client), BRAID_MODE_MPTCP);
    ck_assert_int_eq(mode(&p.server), BRAID_MODE_MPTCP);
    teardown();
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    ck_assert_int_eq(mode(&p.client), BRAID_MODE_NOT_YET);
    teardown();
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, true);
    ck_assert_int_eq(mode(&p.client), BRAID_MODE_PLAIN);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(mode(&p.server), BRAID_MODE_PLAIN);
}
END_TEST

START_TEST(only_reasons_that_there_are_can_be_set)
{
    int64_t reason;
    ck_assert_int_eq(braid_conn_get_option(p.client.conn, BRAID_OPT_RESET_REASON, &reason), 0);
    ck_assert_int_eq(reason, BRAID_RESET_UNSPECIFIED);
    ck_assert_int_eq(braid_conn_set_option(p.client.conn, BRAID_OPT_RESET_REASON, -1), -1);
    ck_assert_int_eq(braid_conn_set_option(p.client.conn, BRAID_OPT_RESET_REASON, 7), -1);
    ck_assert_int_eq(braid_conn_set_option(p.client.conn, BRAID_OPT_RESET_REASON, 6), 0);
}
END_TEST

static size_t drained;

/* The last chance to read what has come. */
static void drain(struct braid_conn *c, void *user, enum braid_close why)
{
    uint8_t some[300];
    ssize_t n;
    while ((n = braid_conn_read(c, some, sizeof(some))) > 0)
        for (ssize_t i = 0; i < n; i++, drained++)
            ck_assert_uint_eq(some[i], pattern(drained));
    side_closed(c, user, why);
}

START_TEST(unread_bytes_can_be_read_when_the_connection_is_over)
{
    static const struct braid_conn_ops ops = {.closed = drain};
    struct braid_connect_params c = {.local = pair_addr("10.0.1.2:4001"),
                                     .remote = pair_addr("10.0.9.1:80"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .plain = _i,
                                     .ops = &ops,
                                     .user = &p.client};
    p.client.conn = braid_connect(p.client.core, &c, p.now);
    pair_run_for(&p, BRAID_SECOND);
    side_write(&p.server, 5000);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(!p.client.closed);
    braid_conn_abort(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(drained, 5000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("embed");
    TCase *t = tcase_create("embed");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, writing_after_the_shutdown_is_an_error_and_changes_nothing);
    tcase_add_test(t, writing_after_an_abort_is_an_error);
    tcase_add_test(t, room_that_was_not_committed_is_given_back);
    tcase_add_test(t, reading_nothing_takes_nothing);
    tcase_add_test(t, a_connection_that_cannot_be_opened_says_why);
    tcase_add_test(t, a_listener_that_cannot_be_says_why);
    tcase_add_test(t, a_join_that_cannot_be_says_why);
    tcase_add_test(t, plain_tcp_cannot_be_joined);
    tcase_add_test(t, every_error_has_a_text);
    tcase_add_test(t, ports_come_out_of_the_range_until_it_is_used_up);
    tcase_add_test(t, subflows_of_path_managers_come_out_of_the_range_too);
    tcase_add_loop_test(t, without_a_range_ports_are_those_of_the_operating_system, 0, 3);
    tcase_add_test(t, a_wildcard_listener_may_take_plain_clients_too);
    tcase_add_test(t, a_wildcard_listener_may_speak_plain_tcp_to_all);
    tcase_add_loop_test(t, a_wildcard_listener_takes_who_offers_mptcp_by_itself, 0, 2);
    tcase_add_test(t, the_mode_tells_not_yet_from_plain);
    tcase_add_test(t, only_reasons_that_there_are_can_be_set);
    tcase_add_loop_test(t, unread_bytes_can_be_read_when_the_connection_is_over, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
