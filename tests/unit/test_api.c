/* What makes a connection look like a socket: reading with a copy, closing, options. */
#include "pair.h"

static struct pair p;

static void open_connection(bool plain)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, plain);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
}

static void setup(void)
{
    open_connection(false);
}

static void teardown(void)
{
    pair_free(&p);
}

static int64_t option(const struct side *s, enum braid_option o)
{
    int64_t value = -1;
    ck_assert_int_eq(braid_conn_get_option(s->conn, o, &value), 0);
    return value;
}

static void set_option(struct side *s, enum braid_option o, int64_t value)
{
    ck_assert_int_eq(braid_conn_set_option(s->conn, o, value), 0);
    ck_assert_int_eq(option(s, o), value);
}

static uint64_t connections(const struct side *s)
{
    struct braid_core_stats st;
    braid_core_stats(s->core, &st);
    return st.conns;
}

START_TEST(read_copies_in_pieces_of_any_size_and_tells_the_end_from_nothing_yet)
{
    uint8_t got[7000];
    p.server.reading = false;
    ck_assert_int_eq(braid_conn_read(p.server.conn, got, sizeof(got)), BRAID_AGAIN);
    side_write(&p.client, 10000);
    braid_conn_shutdown(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_UNREAD), 10000);
    uint64_t at = 0;
    const size_t sizes[] = {1, 1500, 7000, 7000};
    for (unsigned i = 0; i < 4; i++) {
        size_t want = 10000 - at < sizes[i] ? 10000 - at : sizes[i];
        ck_assert_int_eq(braid_conn_read(p.server.conn, got, sizes[i]), (ssize_t)want);
        for (size_t k = 0; k < want; k++)
            ck_assert_uint_eq(got[k], pattern(at + k));
        at += want;
    }
    ck_assert_uint_eq(at, 10000);
    ck_assert_int_eq(braid_conn_read(p.server.conn, got, 1), 0);
    ck_assert_int_eq(braid_conn_read(p.server.conn, got, 1), 0);
}
END_TEST

START_TEST(close_delivers_what_was_written_and_then_the_end)
{
    ck_assert_uint_eq(side_write(&p.client, 100000), 100000);
    braid_conn_close(p.client.conn);
    p.client.conn = NULL;
    pair_run_for(&p, 2 * BRAID_SECOND);
    ck_assert_uint_eq(p.server.received, 100000);
    ck_assert_uint_eq(p.server.wrong_bytes, 0);
    ck_assert(p.server.eof && !p.client.closed);
    braid_conn_close(p.server.conn);
    p.server.conn = NULL;
    pair_run_for(&p, 2 * BRAID_SECOND);
    ck_assert(!p.server.closed);
    ck_assert_uint_eq(connections(&p.client) + connections(&p.server), 0);
    ck_assert_uint_eq(side_count(&p.client, COUNT_MP_FASTCLOSE_RX), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_FASTCLOSE_RX), 0);
}
END_TEST

START_TEST(close_with_unread_bytes_aborts)
{
    p.server.reading = false;
    side_write(&p.client, 100);
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_close(p.server.conn);
    p.server.conn = NULL;
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
}
END_TEST

START_TEST(the_end_of_a_core_is_told_to_every_peer)
{
    side_write(&p.client, 1000);
    pair_run_for(&p, BRAID_SECOND);
    struct side *gone = _i ? &p.server : &p.client, *left = _i ? &p.client : &p.server;
    braid_conn_shutdown(gone->conn); /* of one direction only: the other one is cut off */
    braid_core_abort(gone->core, p.now);
    ck_assert(gone->closed && gone->why == BRAID_CLOSE_ABORTED);
    ck_assert_uint_eq(connections(gone), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(left->closed && left->why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(side_count(left, COUNT_MP_FASTCLOSE_RX), 1);
}
END_TEST

START_TEST(the_end_of_a_core_spares_what_has_ended_in_order)
{
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    while (!p.server.closed)
        pair_run_for(&p, BRAID_MS);
    braid_core_abort(p.server.core, p.now);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_DONE);
    ck_assert_uint_eq(side_count(&p.client, COUNT_MP_FASTCLOSE_RX), 0);
}
END_TEST

static void incoming_closed(void *ctx, struct braid_conn *c)
{
    (void)ctx;
    braid_conn_close(c);
}

START_TEST(close_before_the_answer_refuses)
{
    const struct braid_conn_ops ops = {.incoming = incoming_closed};
    struct braid_listen_params l = {.addr = pair_addr("10.0.9.1:81"),
                                    .name = "closer",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &ops};
    ck_assert_ptr_nonnull(braid_listen(p.server.core, &l));
    struct braid_connect_params c = {.local = pair_addr("10.0.1.2:4001"),
                                     .remote = l.addr,
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .ops = &pair_ops,
                                     .user = &p.client};
    ck_assert_ptr_nonnull(braid_connect(p.client.core, &c, p.now));
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_REFUSED);
}
END_TEST

static bool nothing_arrives(struct pair *all, bool to_server, uint8_t *packet, size_t len)
{
    (void)all;
    (void)to_server;
    (void)packet;
    (void)len;
    return false;
}

START_TEST(close_while_connecting_gives_up)
{
    pair_free(&p);
    pair_init(&p, false, NULL, 0);
    p.tap = nothing_arrives;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND / 2);
    braid_conn_close(p.client.conn);
    pair_run_for(&p, BRAID_SECOND / 2);
    ck_assert(!p.client.closed);
    ck_assert_uint_eq(connections(&p.client), 0);
    ck_assert(braid_core_deadline(p.client.core) == BRAID_NEVER);
}
END_TEST

/* How much a server that does not read holds in the end. */
static int64_t held_by_a_server_that_does_not_read(int64_t rcvbuf)
{
    p.server.reading = false;
    if (rcvbuf > 0)
        set_option(&p.server, BRAID_OPT_RCVBUF, rcvbuf);
    for (int i = 0; i < 50; i++) {
        side_write(&p.client, 100000);
        pair_run_for(&p, 100 * BRAID_MS);
    }
    return option(&p.server, BRAID_OPT_UNREAD);
}

START_TEST(rcvbuf_limits_what_the_peer_may_send_ahead)
{
    int64_t held = held_by_a_server_that_does_not_read(100000);
    ck_assert_int_ge(held, 90000);
    ck_assert_int_le(held, 110000); /* the window is rounded up to what its scale can say */
    p.server.reading = true;
    side_read(&p.server);
    pair_transfer(&p, &p.client, 500000, 20 * BRAID_SECOND);
}
END_TEST

START_TEST(without_rcvbuf_it_is_more)
{
    ck_assert_int_gt(held_by_a_server_that_does_not_read(0), 200000);
}
END_TEST

/* RFC 8684 section 3.3.5. */
START_TEST(send_buffers_are_by_default_as_big_as_receive_buffers)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    ck_assert_uint_ge(params.sndbuf_max, params.rcvbuf_max);
}
END_TEST

START_TEST(sndbuf_limits_what_may_be_written_ahead)
{
    set_option(&p.client, BRAID_OPT_SNDBUF, 20000);
    ck_assert_uint_eq(side_write(&p.client, 100000), 20000);
    ck_assert_int_eq(option(&p.client, BRAID_OPT_UNACKED), 20000);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(option(&p.client, BRAID_OPT_UNACKED), 0);
    pair_transfer(&p, &p.client, 500000, 20 * BRAID_SECOND); /* and does not grow again */
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(side_write(&p.client, 100000), 20000);
}
END_TEST

START_TEST(keepalive_probes_after_the_time_that_was_set_and_not_after_zero)
{
    set_option(&p.client, BRAID_OPT_KEEPALIVE, 10 * BRAID_SECOND);
    pair_run_for(&p, 8 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.client, COUNT_TCP_KEEPALIVE), 0);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.client, COUNT_TCP_KEEPALIVE), 1);
    set_option(&p.client, BRAID_OPT_KEEPALIVE, 0);
    pair_run_for(&p, 1000 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.client, COUNT_TCP_KEEPALIVE), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_KEEPALIVE), 0); /* the other side's is 2 hours */
}
END_TEST

START_TEST(keepalive_set_while_connecting_holds_for_later_subflows_too)
{
    pair_free(&p);
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    set_option(&p.client, BRAID_OPT_KEEPALIVE, 10 * BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    struct braid_addr l = pair_addr("10.0.2.2:4001"), r = pair_addr("10.0.9.1:80");
    ck_assert_int_eq(braid_conn_join(p.client.conn, &l, &r, false, p.now), 0);
    pair_run_for(&p, 12 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.client, COUNT_TCP_KEEPALIVE), 2);
}
END_TEST

/* A peer that answers and takes nothing. */
static void write_to_a_closed_window(void)
{
    p.server.reading = false;
    side_write(&p.client, 200000);
    pair_run_for(&p, BRAID_SECOND);
    side_write(&p.client, 200000);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_gt(option(&p.client, BRAID_OPT_UNACKED), 0);
}

START_TEST(user_timeout_ends_a_connection_whose_peer_takes_nothing)
{
    write_to_a_closed_window();
    set_option(&p.client, BRAID_OPT_USER_TIMEOUT, 20 * BRAID_SECOND);
    pair_run_for(&p, 19 * BRAID_SECOND);
    ck_assert(!p.client.closed);
    pair_run_for(&p, 22 * BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_TIMEOUT);
}
END_TEST

START_TEST(user_timeout_zero_waits_for_ever)
{
    write_to_a_closed_window();
    set_option(&p.client, BRAID_OPT_USER_TIMEOUT, 0);
    pair_run_for(&p, 4000 * BRAID_SECOND); /* the core's own limit is 20 minutes */
    ck_assert(!p.client.closed);
    p.server.reading = true;
    side_read(&p.server);
    pair_run_for(&p, 200 * BRAID_SECOND);
    ck_assert_int_eq(option(&p.client, BRAID_OPT_UNACKED), 0);
    ck_assert_uint_eq(p.server.received, p.client.sent);
    ck_assert_uint_eq(p.server.wrong_bytes, 0);
}
END_TEST

START_TEST(options_tell_what_the_connection_is)
{
    ck_assert_int_eq(option(&p.server, BRAID_OPT_MPTCP), 1);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_CHECKSUM), 0);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_SUBFLOWS), 1);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_MAXSEG), 1500 - 20 - 20 - 12 - 28);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    struct braid_addr l = pair_addr("10.0.2.2:4001"), r = pair_addr("10.0.9.1:80");
    ck_assert_int_eq(braid_conn_join(p.client.conn, &l, &r, false, p.now), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_SUBFLOWS), 2);
}
END_TEST

/* RFC 6897 sections 5.3.4 and 5.3.5. */
START_TEST(subflows_and_the_identifier_are_told)
{
    struct braid_pair pairs[4] = {0};
    struct braid_conn_stats stats;
    braid_conn_stats(p.client.conn, &stats);
    ck_assert_int_eq(option(&p.client, BRAID_OPT_CONNID), stats.token);
    ck_assert_int_ne(option(&p.client, BRAID_OPT_CONNID), option(&p.server, BRAID_OPT_CONNID));
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    struct braid_addr l = pair_addr("10.0.2.2:4001"), r = pair_addr("10.0.9.1:80");
    ck_assert_int_eq(braid_conn_join(p.client.conn, &l, &r, false, p.now), 0);
    ck_assert_uint_eq(braid_conn_subflows(p.client.conn, pairs, 4), 1); /* not before it is established */
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(braid_conn_subflows(p.client.conn, pairs, 4), 2);
    ck_assert(addr_equal(&pairs[1].local, &l) && addr_equal(&pairs[1].remote, &r));
    ck_assert_uint_eq(braid_conn_subflows(p.client.conn, pairs + 2, 1), 2); /* only one fits */
    ck_assert(addr_equal(&pairs[2].local, &pairs[0].local) && pairs[3].local.port == 0);
    ck_assert_ptr_eq(braid_core_find(p.client.core, &l, &r), p.client.conn);
    ck_assert_ptr_null(braid_core_find(p.client.core, &r, &l));
}
END_TEST

START_TEST(options_tell_of_plain_tcp_and_of_checksums)
{
    int64_t none;
    pair_free(&p);
    open_connection(true);
    ck_assert_int_eq(braid_conn_get_option(p.client.conn, BRAID_OPT_CONNID, &none), -1);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_MPTCP), 0);
    ck_assert_int_eq(option(&p.server, BRAID_OPT_MAXSEG), 1500 - 20 - 20 - 12);
    pair_free(&p);
    pair_init(&p, true, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(option(&p.client, BRAID_OPT_CHECKSUM), 1);
}
END_TEST

START_TEST(options_out_of_range_or_only_to_be_read_are_refused_and_change_nothing)
{
    const enum braid_option buffers[] = {BRAID_OPT_RCVBUF, BRAID_OPT_SNDBUF};
    for (unsigned i = 0; i < 2; i++) {
        int64_t before = option(&p.client, buffers[i]);
        ck_assert_int_eq(braid_conn_set_option(p.client.conn, buffers[i], 4095), -1);
        ck_assert_int_eq(braid_conn_set_option(p.client.conn, buffers[i], before + 1), -1);
        ck_assert_int_eq(option(&p.client, buffers[i]), before);
    }
    ck_assert_int_eq(braid_conn_set_option(p.client.conn, BRAID_OPT_KEEPALIVE, -2), -1);
    ck_assert_int_eq(braid_conn_set_option(p.client.conn, BRAID_OPT_USER_TIMEOUT, -2), -1);
    for (enum braid_option o = BRAID_OPT_MPTCP; o <= BRAID_OPT_UNACKED; o++)
        ck_assert_int_eq(braid_conn_set_option(p.client.conn, o, 1), -1);
    int64_t value;
    ck_assert_int_eq(braid_conn_get_option(p.client.conn, (enum braid_option)100, &value), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("api");
    TCase *t = tcase_create("api");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, read_copies_in_pieces_of_any_size_and_tells_the_end_from_nothing_yet);
    tcase_add_test(t, close_delivers_what_was_written_and_then_the_end);
    tcase_add_test(t, close_with_unread_bytes_aborts);
    tcase_add_loop_test(t, the_end_of_a_core_is_told_to_every_peer, 0, 2);
    tcase_add_test(t, the_end_of_a_core_spares_what_has_ended_in_order);
    tcase_add_test(t, close_before_the_answer_refuses);
    tcase_add_test(t, close_while_connecting_gives_up);
    tcase_add_test(t, rcvbuf_limits_what_the_peer_may_send_ahead);
    tcase_add_test(t, without_rcvbuf_it_is_more);
    tcase_add_test(t, send_buffers_are_by_default_as_big_as_receive_buffers);
    tcase_add_test(t, sndbuf_limits_what_may_be_written_ahead);
    tcase_add_test(t, keepalive_probes_after_the_time_that_was_set_and_not_after_zero);
    tcase_add_test(t, keepalive_set_while_connecting_holds_for_later_subflows_too);
    tcase_add_test(t, user_timeout_ends_a_connection_whose_peer_takes_nothing);
    tcase_add_test(t, user_timeout_zero_waits_for_ever);
    tcase_add_test(t, options_tell_what_the_connection_is);
    tcase_add_test(t, subflows_and_the_identifier_are_told);
    tcase_add_test(t, options_tell_of_plain_tcp_and_of_checksums);
    tcase_add_test(t, options_out_of_range_or_only_to_be_read_are_refused_and_change_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
