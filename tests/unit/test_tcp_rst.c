/* Resets and what else a blind attacker may try: RFC 5961, RFC 9293 section 3.10.7. */
#include "tcp_harness.h"

static struct harness *settled(void)
{
    struct harness *h = h_passive(h_new(), 10 * BRAID_MS);

    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h_expect_ack(h, 1, 101);
    return h;
}

START_TEST(a_reset_at_the_exact_number_closes)
{
    struct harness *h = settled();

    SAY(h, .flags = TCP_RST, .seq = 101, .ack = 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSED);
    ck_assert_uint_eq(h->resets, 1);
    ck_assert_uint_eq(h->closed, 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_RST);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_ESTAB_RESETS], 1);
    h_run(h, BRAID_SECOND);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_reset_elsewhere_in_the_window_is_challenged)
{
    struct harness *h = settled();

    SAY(h, .flags = TCP_RST, .seq = 102, .ack = 1);
    h_expect_ack(h, 1, 101);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_CHALLENGE_ACK], 1);
    SAY(h, .flags = TCP_RST, .seq = 101 + H_WINDOW + 1, .ack = 1);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_reset_without_timestamp_or_with_an_old_one_counts)
{
    struct harness *h = settled();

    SAY(h, .flags = TCP_RST, .seq = 101, .ack = 1, .tsval = 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSED);
    h_free(h);
}
END_TEST

START_TEST(a_syn_is_challenged_wherever_it_is)
{
    struct harness *h = settled();

    SAY(h, .flags = TCP_SYN, .seq = 101, .no_ack = true);
    h_expect_ack(h, 1, 101);
    SAY(h, .flags = TCP_SYN, .seq = 900000, .no_ack = true);
    h_expect_ack(h, 1, 101);
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    h_expect_ack(h, 1, 101);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    h_free(h);
}
END_TEST

START_TEST(challenges_are_limited_per_second)
{
    struct harness *h = settled();

    for (unsigned i = 0; i < 300; i++)
        SAY(h, .flags = TCP_RST, .seq = 200, .ack = 1);
    uint64_t sent = h->env.count.v[COUNT_TCP_CHALLENGE_ACK];
    ck_assert_uint_ge(sent, 100);
    ck_assert_uint_le(sent, 200);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_ACK_SKIPPED_CHALLENGE], 300 - sent);
    h->taken = h->n_out;
    h_run(h, 1001 * BRAID_MS);
    SAY(h, .flags = TCP_RST, .seq = 200, .ack = 1);
    h_expect_ack(h, 1, 101);
    h_free(h);
}
END_TEST

START_TEST(an_ack_of_what_was_not_sent_is_challenged_and_its_data_ignored)
{
    struct harness *h = settled();

    SAY(h, .seq = 101, .ack = 2, .len = 10);
    h_expect_ack(h, 1, 101);
    ck_assert_uint_eq(h->n_in, 100);
    SAY(h, .seq = 101, .ack = (uint64_t)1 - 70000, .len = 10);
    h_expect_ack(h, 1, 101);
    ck_assert_uint_eq(h->n_in, 100);
    SAY(h, .seq = 101, .ack = (uint64_t)1 - 60000, .len = 10); /* old, but within a window */
    ck_assert_uint_eq(h->n_in, 110);
    h_free(h);
}
END_TEST

START_TEST(a_segment_without_ack_is_ignored)
{
    struct harness *h = settled();

    SAY(h, .seq = 101, .no_ack = true, .len = 10);
    h_nothing(h);
    ck_assert_uint_eq(h->n_in, 100);
    h_free(h);
}
END_TEST

START_TEST(segments_outside_the_window_are_answered)
{
    struct harness *h = settled();

    SAY(h, .seq = 101 + 2 * H_WINDOW, .ack = 1, .len = 10);
    h_expect_ack(h, 1, 101);
    SAY(h, .seq = (uint64_t)0 - 5000, .ack = 1, .len = 10);
    ck_assert_uint_eq(h_expect_ack(h, 1, 101)->n_sack, 0);
    SAY(h, .seq = (uint64_t)0 - 50, .ack = 1, .len = 500); /* begins before the SYN */
    ck_assert_uint_eq(h_expect_ack(h, 1, 101)->n_sack, 0);
    ck_assert_uint_eq(h->n_in, 100);
    ck_assert_uint_eq(h->segments, 2); /* those of the handshake and the first data */
    h_free(h);
}
END_TEST

START_TEST(a_keepalive_is_answered_but_not_a_storm)
{
    struct harness *h = settled();

    for (unsigned i = 0; i < 50; i++)
        SAY(h, .seq = 100, .ack = 1);
    h_expect_ack(h, 1, 101);
    h_nothing(h);
    h_run(h, 200 * BRAID_MS);
    SAY(h, .seq = 100, .ack = 1);
    h_expect_ack(h, 1, 101);
    h_free(h);
}
END_TEST

START_TEST(our_reset_carries_the_owners_options)
{
    struct harness *h = settled();

    h->options.has = MPTCP_HAS(MPTCP_TCPRST);
    h->options.rst_reason = MPTCP_RST_MIDDLEBOX;
    subflow_reset(&h->sf, h->now);
    const struct wire_tcp *t = h_expect(h, TCP_RST | TCP_ACK, 1, 101, 0);
    ck_assert_uint_eq(t->mp.rst_reason, MPTCP_RST_MIDDLEBOX);
    ck_assert_uint_eq(h->closed, 0);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_OUT_RSTS], 1);
    subflow_reset(&h->sf, h->now);
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_reset_before_the_answer_is_silent)
{
    struct harness *h = h_new();
    struct buf *b;
    struct say syn = {.flags = TCP_SYN, .no_ack = true};
    struct wire_packet p = h_packet(h, &syn, &b);

    subflow_open_passive(&h->sf, &p, &cc_fixed, h->now);
    subflow_reset(&h->sf, h->now);
    h_nothing(h);
    buf_unref(b);
    h_free(h);
}
END_TEST

/* RFC 9293 section 3.10.7.1 */
START_TEST(segments_of_no_connection_are_refused)
{
    struct harness *h = h_new();
    struct buf *b;
    struct say s = {.seq = 50, .ack = 7, .len = 10};
    struct wire_packet p = h_packet(h, &s, &b);

    tcp_refuse(&h->env, &p, -1);
    const struct sent_segment *out = h_next(h);
    ck_assert_uint_eq(out->p.tcp.flags, TCP_RST);
    ck_assert_uint_eq(out->p.tcp.seq, p.tcp.ack);
    ck_assert_uint_eq(out->p.tcp.mp.has, 0);
    ck_assert(addr_equal(&out->p.dst, &p.src) && addr_equal(&out->p.src, &p.dst));
    buf_unref(b);

    s = (struct say){.flags = TCP_SYN | TCP_FIN, .seq = 50, .no_ack = true, .len = 10};
    p = h_packet(h, &s, &b);
    tcp_refuse(&h->env, &p, MPTCP_RST_PROHIBITED);
    out = h_next(h);
    ck_assert_uint_eq(out->p.tcp.flags, TCP_RST | TCP_ACK);
    ck_assert_uint_eq(out->p.tcp.seq, 0);
    ck_assert_uint_eq(out->p.tcp.ack, p.tcp.seq + 12);
    ck_assert_uint_eq(out->p.tcp.mp.rst_reason, MPTCP_RST_PROHIBITED);
    buf_unref(b);

    s = (struct say){.flags = TCP_RST, .seq = 50, .ack = 7};
    p = h_packet(h, &s, &b);
    tcp_refuse(&h->env, &p, -1);
    h_nothing(h);
    buf_unref(b);
    subflow_open_active(&h->sf, &cc_fixed, h->now);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp resets");
    TCase *tc = tcase_create("in");

    tcase_add_test(tc, a_reset_at_the_exact_number_closes);
    tcase_add_test(tc, a_reset_elsewhere_in_the_window_is_challenged);
    tcase_add_test(tc, a_reset_without_timestamp_or_with_an_old_one_counts);
    tcase_add_test(tc, a_syn_is_challenged_wherever_it_is);
    tcase_add_test(tc, challenges_are_limited_per_second);
    tcase_add_test(tc, an_ack_of_what_was_not_sent_is_challenged_and_its_data_ignored);
    tcase_add_test(tc, a_segment_without_ack_is_ignored);
    tcase_add_test(tc, segments_outside_the_window_are_answered);
    tcase_add_test(tc, a_keepalive_is_answered_but_not_a_storm);
    suite_add_tcase(s, tc);
    tc = tcase_create("out");
    tcase_add_test(tc, our_reset_carries_the_owners_options);
    tcase_add_test(tc, a_reset_before_the_answer_is_silent);
    tcase_add_test(tc, segments_of_no_connection_are_refused);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
