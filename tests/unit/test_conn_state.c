/* How far connections and subflows are, as both ends see it (enum braid_conn_state). */
#include "pair.h"

static struct pair p;

static void setup(void)
{
    pair_init(&p, false, NULL, 0);
}

static void teardown(void)
{
    pair_free(&p);
}

/* The only connection of the server's core, whether its user knows it or not. */
static struct braid_conn_stats at_server(void)
{
    struct braid_conn_stats st;
    struct braid_dump *d = braid_dump_begin(p.server.core);
    ck_assert_uint_eq(braid_dump_next(d, &st, 1), 1);
    braid_dump_end(d);
    return st;
}

static void must_be(const struct braid_conn_stats *st, enum braid_conn_state state, const char *subflow)
{
    ck_assert_str_eq(braid_conn_state_text(st->state), braid_conn_state_text(state));
    ck_assert_uint_gt(st->n_subflows, 0);
    ck_assert_str_eq(st->subflows[st->n_subflows - 1].state, subflow);
}

static void client_is(enum braid_conn_state state, const char *subflow)
{
    struct braid_conn_stats st = stats_of(&p.client);
    must_be(&st, state, subflow);
    ck_assert_int_eq(braid_conn_state(p.client.conn), state);
}

static void server_is(enum braid_conn_state state, const char *subflow)
{
    struct braid_conn_stats st = at_server();
    must_be(&st, state, subflow);
}

/* What `from` has to say reaches the other end, whose answers wait. */
static void hand(struct side *from)
{
    braid_core_flush(from->core, p.now);
    ck_assert_uint_ne(p.head, p.tail);
    for (unsigned end = p.tail; p.head != end;)
        pair_deliver(&p);
}

START_TEST(who_opens_has_sent_a_syn_and_who_answers_has_received_one)
{
    pair_connect(&p, _i == 1); /* MPTCP, and plain TCP */
    client_is(BRAID_CONN_SYN_SENT, "SYN-SENT");
    hand(&p.client);
    client_is(BRAID_CONN_SYN_SENT, "SYN-SENT");
    server_is(BRAID_CONN_PENDING, "SYN-RECEIVED"); /* its user has not been asked yet */
    hand(&p.server);
    server_is(BRAID_CONN_SYN_RECEIVED, "SYN-RECEIVED");
    client_is(BRAID_CONN_ESTABLISHED, "ESTABLISHED");
    hand(&p.client);
    server_is(BRAID_CONN_ESTABLISHED, "ESTABLISHED");
}
END_TEST

START_TEST(a_join_shows_which_end_opens_it)
{
    struct braid_addr from = pair_addr("10.0.2.2:4001"), to = pair_addr("10.0.9.1:80");
    pair_connect(&p, false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_conn_join(p.client.conn, &from, &to, false, p.now), BRAID_ERROR_NONE);
    client_is(BRAID_CONN_ESTABLISHED, "SYN-SENT");
    hand(&p.client);
    server_is(BRAID_CONN_ESTABLISHED, "SYN-RECEIVED");
    hand(&p.server);
    client_is(BRAID_CONN_ESTABLISHED, "ESTABLISHED");
}
END_TEST

START_TEST(two_that_open_at_once_have_both_received_a_syn)
{
    struct braid_connect_params back = {.local = pair_addr("10.0.9.1:80"),
                                        .remote = pair_addr("10.0.1.2:4000"),
                                        .cc = cc_algorithms[0],
                                        .sched = sched_algorithms[0],
                                        .plain = true,
                                        .ops = &pair_ops,
                                        .user = &p.server};
    pair_connect(&p, true);
    p.server.conn = braid_connect(p.server.core, &back, p.now);
    ck_assert_ptr_nonnull(p.server.conn);
    braid_core_flush(p.server.core, p.now);
    hand(&p.client);
    client_is(BRAID_CONN_SYN_RECEIVED, "SYN-RECEIVED");
    server_is(BRAID_CONN_SYN_RECEIVED, "SYN-RECEIVED");
    pair_run_for(&p, BRAID_SECOND);
    client_is(BRAID_CONN_ESTABLISHED, "ESTABLISHED");
    server_is(BRAID_CONN_ESTABLISHED, "ESTABLISHED");
}
END_TEST

START_TEST(the_end_of_each_direction_shows_at_both_ends)
{
    pair_connect(&p, _i == 1);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_shutdown(p.client.conn);
    ck_assert_int_eq(braid_conn_state(p.client.conn), BRAID_CONN_FIN_WAIT);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_conn_state(p.client.conn), BRAID_CONN_FIN_WAIT);
    ck_assert_int_eq(braid_conn_state(p.server.conn), BRAID_CONN_CLOSE_WAIT);
    braid_conn_shutdown(p.server.conn);
    ck_assert_int_eq(braid_conn_state(p.server.conn), BRAID_CONN_LAST_ACK);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.server.closed);
}
END_TEST

START_TEST(a_connection_that_waits_for_a_subflow_says_so)
{
    pair_connect(&p, false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, stats_of(&p.client).subflows[0].id), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_conn_state(p.client.conn), BRAID_CONN_NO_SUBFLOW);
    ck_assert_int_eq(braid_conn_state(p.server.conn), BRAID_CONN_NO_SUBFLOW);
}
END_TEST

START_TEST(both_ends_count_the_same_bytes_from_their_side)
{
    pair_connect(&p, _i == 1);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 2500, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_stats c = stats_of(&p.client), s = stats_of(&p.server);
    ck_assert_uint_eq(c.bytes_out, 1000);
    ck_assert_uint_eq(c.bytes_in, 2500);
    ck_assert_uint_eq(s.bytes_out, 2500);
    ck_assert_uint_eq(s.bytes_in, 1000);
    ck_assert(addr_equal(&c.local, &s.remote) && addr_equal(&c.remote, &s.local));
    ck_assert_uint_eq(c.local.port, 4000);
    ck_assert_str_eq(s.listener, "test");
    ck_assert_ptr_null(c.listener);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conn_state");
    TCase *t = tcase_create("conn_state");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, who_opens_has_sent_a_syn_and_who_answers_has_received_one, 0, 2);
    tcase_add_test(t, a_join_shows_which_end_opens_it);
    tcase_add_test(t, two_that_open_at_once_have_both_received_a_syn);
    tcase_add_loop_test(t, the_end_of_each_direction_shows_at_both_ends, 0, 2);
    tcase_add_test(t, a_connection_that_waits_for_a_subflow_says_so);
    tcase_add_loop_test(t, both_ends_count_the_same_bytes_from_their_side, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
