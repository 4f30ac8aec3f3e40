/* TIME_WAIT without a subflow: what it answers, and when a new connection may take its place (RFC 6191). */
#include "tcp/timewait.h"
#include "tcp_harness.h"

/* A connection that we closed first, at rcv_nxt 2 and snd_nxt 2; last TSval of the peer 7000. */
static struct harness *waiting(struct timewait *tw, bool ts)
{
    struct harness *h = h_new();

    h->ts = ts;
    h_passive(h, 10 * BRAID_MS);
    subflow_close(&h->sf, h->now);
    subflow_flush(&h->sf, h->now);
    SAY(h, .seq = 1, .ack = 2, .flags = TCP_FIN);
    ck_assert_int_eq(h->sf.state, TCP_STATE_TIME_WAIT);
    timewait_init(tw, &h->sf);
    h->taken = h->n_out;
    return h;
}

static enum timewait_action input(struct harness *h, struct timewait *tw, struct say s)
{
    struct buf *b;
    struct wire_packet p = h_packet(h, &s, &b);
    enum timewait_action a = timewait_input(tw, &p, &h->env, h->now);

    buf_unref(b);
    return a;
}
#define INPUT(h, tw, ...) input(h, tw, (struct say){__VA_ARGS__})

START_TEST(a_repeated_fin_is_acknowledged_and_restarts_the_timer)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, true);

    h->now += 123 * BRAID_MS;
    ck_assert_int_eq(INPUT(h, &tw, .seq = 1, .ack = 2, .flags = TCP_FIN), TIMEWAIT_RESTART);
    const struct wire_tcp *t = h_expect_ack(h, 2, 2);
    ck_assert_uint_eq(t->tsval, h_tsval_at(h, h->now));
    ck_assert_uint_eq(t->tsecr, 7000);
    ck_assert_uint_eq(t->window, H_WINDOW);
    ck_assert_uint_eq(t->mp.has, 0);
    h_free(h);
}
END_TEST

START_TEST(empty_segments_and_resets_are_ignored)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, true);

    ck_assert_int_eq(INPUT(h, &tw, .seq = 2, .ack = 2), TIMEWAIT_NOTHING);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 99, .ack = 2), TIMEWAIT_NOTHING);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 2, .ack = 2, .flags = TCP_RST), TIMEWAIT_NOTHING); /* RFC 1337 */
    h_nothing(h);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 1, .ack = 2), TIMEWAIT_NOTHING); /* a keepalive */
    h_expect_ack(h, 2, 2);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 1, .ack = 2, .len = 10), TIMEWAIT_NOTHING);
    h_expect_ack(h, 2, 2);
    h_free(h);
}
END_TEST

START_TEST(a_later_timestamp_or_number_lets_a_new_connection_in)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, true);

    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 0, .tsval = 7001),
                     TIMEWAIT_REUSE);
    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 3, .tsval = 7000),
                     TIMEWAIT_REUSE);
    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 3, .no_ts = true),
                     TIMEWAIT_REUSE);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(an_old_syn_is_challenged)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, true);

    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 9, .tsval = 6999),
                     TIMEWAIT_NOTHING);
    h_expect_ack(h, 2, 2);
    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 0, .tsval = 7000),
                     TIMEWAIT_NOTHING);
    h_expect_ack(h, 2, 2);
    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .seq = 9, .ack = 2, .tsval = 8000), TIMEWAIT_NOTHING);
    h_expect_ack(h, 2, 2);
    h_free(h);
}
END_TEST

/* Another host with the address and port of the first, behind a NAT: it answers the ACK with a RST. */
START_TEST(only_the_reset_that_answers_a_challenge_ends_it)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, true);

    ck_assert_int_eq(INPUT(h, &tw, .seq = 2, .flags = TCP_RST, .no_ack = true), TIMEWAIT_NOTHING);
    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 9, .tsval = 6999),
                     TIMEWAIT_NOTHING);
    h_expect_ack(h, 2, 2);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 1, .flags = TCP_RST, .no_ack = true), TIMEWAIT_NOTHING);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 3, .flags = TCP_RST, .no_ack = true), TIMEWAIT_NOTHING);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 2, .flags = TCP_RST, .no_ack = true, .no_ts = true),
                     TIMEWAIT_FORGET);
    h_nothing(h);
    h_free(h);
}
END_TEST

/* RFC 7323 section 5.2: a RST is not subject to PAWS, and the other host's clock is not the first one's. */
START_TEST(the_time_stamp_of_such_a_reset_does_not_matter)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, true);

    INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 0, .tsval = 6000);
    h_expect_ack(h, 2, 2);
    ck_assert_int_eq(INPUT(h, &tw, .seq = 2, .flags = TCP_RST, .no_ack = true, .tsval = 6000),
                     TIMEWAIT_FORGET);
    h_free(h);
}
END_TEST

START_TEST(without_timestamps_the_number_decides)
{
    struct timewait tw = {0};
    struct harness *h = waiting(&tw, false);

    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 2), TIMEWAIT_NOTHING);
    ck_assert(!h_expect_ack(h, 2, 2)->has_ts);
    ck_assert_int_eq(INPUT(h, &tw, .flags = TCP_SYN, .no_ack = true, .seq = 3), TIMEWAIT_REUSE);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp time-wait");
    TCase *tc = tcase_create("input");

    tcase_add_test(tc, a_repeated_fin_is_acknowledged_and_restarts_the_timer);
    tcase_add_test(tc, empty_segments_and_resets_are_ignored);
    tcase_add_test(tc, a_later_timestamp_or_number_lets_a_new_connection_in);
    tcase_add_test(tc, an_old_syn_is_challenged);
    tcase_add_test(tc, only_the_reset_that_answers_a_challenge_ends_it);
    tcase_add_test(tc, the_time_stamp_of_such_a_reset_does_not_matter);
    tcase_add_test(tc, without_timestamps_the_number_decides);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
