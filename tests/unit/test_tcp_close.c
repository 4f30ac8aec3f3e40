/* Closing: every way through the states of RFC 9293 section 3.3.2. */
#include "tcp_harness.h"

static struct harness *settled(void)
{
    return h_passive(h_new(), 10 * BRAID_MS);
}

static void close_now(struct harness *h)
{
    subflow_close(&h->sf, h->now);
    subflow_flush(&h->sf, h->now);
}

START_TEST(we_close_first)
{
    struct harness *h = settled();

    close_now(h);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    ck_assert_int_eq(h->sf.state, TCP_STATE_FIN_WAIT_1);
    ck_assert(!h->sf.cc.usable);
    SAY(h, .seq = 1, .ack = 2);
    ck_assert_int_eq(h->sf.state, TCP_STATE_FIN_WAIT_2);
    SAY(h, .seq = 1, .ack = 2, .len = 50); /* the other half still works */
    h_expect_ack(h, 2, 51);
    ck_assert_uint_eq(h->n_in, 50);
    h_input(h, (struct say){.seq = 51, .ack = 2, .flags = TCP_FIN});
    h_expect_ack(h, 2, 52); /* not left to the flush: the owner forgets the subflow now */
    ck_assert_int_eq(h->sf.state, TCP_STATE_TIME_WAIT);
    ck_assert_uint_eq(h->fins, 1);
    ck_assert_uint_eq(h->closed, 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_DONE);
    subflow_flush(&h->sf, h->now);
    h_run(h, 60 * BRAID_SECOND);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(the_peer_closes_first)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .flags = TCP_FIN);
    h_expect_ack(h, 1, 2);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSE_WAIT);
    ck_assert_uint_gt(subflow_space(&h->sf, h->now), 0); /* half closed: we may go on */
    h_send_raw(h, 30);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 2, 30);
    close_now(h);
    h_expect(h, TCP_FIN | TCP_ACK, 31, 2, 0);
    ck_assert_int_eq(h->sf.state, TCP_STATE_LAST_ACK);
    SAY(h, .seq = 2, .ack = 31);
    ck_assert_uint_eq(h->closed, 0);
    SAY(h, .seq = 2, .ack = 32);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSED);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_DONE);
    ck_assert_uint_eq(h->maps_acked, 1);
    h_nothing(h);
    h_free(h);
}
END_TEST

/* RFC 9293 section 3.6, figure 13. */
START_TEST(both_close_at_once)
{
    struct harness *h = settled();

    close_now(h);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    SAY(h, .seq = 1, .ack = 1, .flags = TCP_FIN);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSING);
    h_expect_ack(h, 2, 2);
    SAY(h, .seq = 2, .ack = 2);
    ck_assert_int_eq(h->sf.state, TCP_STATE_TIME_WAIT);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_DONE);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(the_peers_fin_acknowledges_ours)
{
    struct harness *h = settled();

    close_now(h);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    SAY(h, .seq = 1, .ack = 2, .flags = TCP_FIN);
    h_expect_ack(h, 2, 2);
    ck_assert_int_eq(h->sf.state, TCP_STATE_TIME_WAIT);
    h_free(h);
}
END_TEST

START_TEST(a_fin_ahead_of_its_time_waits)
{
    struct harness *h = settled();

    SAY(h, .seq = 101, .ack = 1, .len = 100, .flags = TCP_FIN);
    h_expect_sack(h, h_expect_ack(h, 1, 1), 0, 101, 201);
    ck_assert_uint_eq(h->fins, 0);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    SAY(h, .seq = 201, .ack = 1, .len = 50); /* nothing comes after a FIN */
    h->taken = h->n_out;
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h_expect_ack(h, 1, 202);
    ck_assert_uint_eq(h->n_in, 200);
    ck_assert_uint_eq(h->fins, 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSE_WAIT);
    h_free(h);
}
END_TEST

START_TEST(a_fin_beyond_the_window_is_not_believed)
{
    struct harness *h = settled();

    SAY(h, .seq = H_WINDOW - 9, .ack = 1, .len = 100, .flags = TCP_FIN);
    ck_assert(!h->sf.fin.known);
    h_free(h);
}
END_TEST

START_TEST(a_fin_before_data_that_is_here_is_not_believed)
{
    struct harness *h = settled();

    SAY(h, .seq = 101, .ack = 1, .len = 100);
    SAY(h, .seq = 51, .ack = 1, .flags = TCP_FIN);
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    ck_assert_uint_eq(h->n_in, 200);
    ck_assert_uint_eq(h->fins, 0);
    h_free(h);
}
END_TEST

START_TEST(a_repeated_fin_is_acknowledged_again)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .flags = TCP_FIN);
    h_expect_ack(h, 1, 2);
    SAY(h, .seq = 1, .ack = 1, .flags = TCP_FIN);
    h_expect_ack(h, 1, 2);
    ck_assert_uint_eq(h->fins, 1);
    h_free(h);
}
END_TEST

START_TEST(our_fin_is_repeated_when_lost)
{
    struct harness *h = settled();

    close_now(h);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    h_run(h, 3 * BRAID_SECOND);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    SAY(h, .seq = 1, .ack = 2);
    ck_assert_int_eq(h->sf.state, TCP_STATE_FIN_WAIT_2);
    h_free(h);
}
END_TEST

START_TEST(the_fin_follows_the_data)
{
    struct harness *h = settled();

    h_send_raw(h, 500);
    close_now(h);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 500);
    h_expect(h, TCP_FIN | TCP_ACK, 501, 1, 0);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    SAY(h, .seq = 1, .ack = 501);
    ck_assert_int_eq(h->sf.state, TCP_STATE_FIN_WAIT_1);
    SAY(h, .seq = 1, .ack = 502);
    ck_assert_int_eq(h->sf.state, TCP_STATE_FIN_WAIT_2);
    h_free(h);
}
END_TEST

START_TEST(a_fin_needs_no_window)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 1, .no_window = true);
    h_expect_ack(h, 1, 2);
    close_now(h);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 2, 0);
    h_free(h);
}
END_TEST

START_TEST(a_reset_in_fin_wait_closes)
{
    struct harness *h = settled();

    close_now(h);
    SAY(h, .flags = TCP_RST, .seq = 1, .ack = 2);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_RST);
    h_free(h);
}
END_TEST

START_TEST(what_was_not_acknowledged_goes_back_to_the_owner)
{
    struct harness *h = settled();

    h_send_raw(h, 500);
    h_send_raw(h, 500);
    SAY(h, .seq = 1, .ack = 700);
    ck_assert_uint_eq(h->maps_acked, 1);
    SAY(h, .flags = TCP_RST, .seq = 1, .ack = 1);
    ck_assert_uint_eq(h->maps_lost, 0);
    subflow_destroy(&h->sf);
    ck_assert_uint_eq(h->maps_lost, 1);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp closing");
    TCase *tc = tcase_create("close");

    tcase_add_test(tc, we_close_first);
    tcase_add_test(tc, the_peer_closes_first);
    tcase_add_test(tc, both_close_at_once);
    tcase_add_test(tc, the_peers_fin_acknowledges_ours);
    tcase_add_test(tc, a_fin_ahead_of_its_time_waits);
    tcase_add_test(tc, a_fin_beyond_the_window_is_not_believed);
    tcase_add_test(tc, a_fin_before_data_that_is_here_is_not_believed);
    tcase_add_test(tc, a_repeated_fin_is_acknowledged_again);
    tcase_add_test(tc, our_fin_is_repeated_when_lost);
    tcase_add_test(tc, the_fin_follows_the_data);
    tcase_add_test(tc, a_fin_needs_no_window);
    tcase_add_test(tc, a_reset_in_fin_wait_closes);
    tcase_add_test(tc, what_was_not_acknowledged_goes_back_to_the_owner);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
