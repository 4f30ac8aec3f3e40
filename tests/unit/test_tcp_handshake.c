/* Opening: passive, active, simultaneous; what is negotiated; what goes wrong. */
#include "tcp_harness.h"

static void open_passive(struct harness *h)
{
    struct buf *b;
    struct say syn = {.flags = TCP_SYN, .no_ack = true};
    struct wire_packet p = h_packet(h, &syn, &b);

    subflow_open_passive(&h->sf, &p, &cc_fixed, h->now);
    buf_unref(b);
}

START_TEST(nothing_is_said_until_the_owner_answers)
{
    struct harness *h = h_new();

    open_passive(h);
    SAY(h, .flags = TCP_SYN, .no_ack = true);
    h_run(h, 60 * BRAID_SECOND);
    h_nothing(h);
    ck_assert_int_eq(h->sf.state, TCP_STATE_SYN_RECEIVED);
    h_free(h);
}
END_TEST

START_TEST(the_synack_offers_what_the_syn_offered)
{
    struct harness *h = h_new();

    h->env.rcvbuf_max = 4 << 20;
    h->window = 3 << 20;
    open_passive(h);
    subflow_answer(&h->sf, h->now);
    const struct wire_tcp *t = h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    ck_assert(t->has_mss && t->has_ts && t->sack_ok && t->has_wscale);
    ck_assert_uint_eq(t->mss, 1460);
    ck_assert_uint_eq(t->wscale, 7); /* 65535 << 6 is just below 4 MiB */
    ck_assert_uint_eq(t->window, 65535);
    ck_assert_uint_eq(t->tsecr, h->peer_ts);
    h_run(h, 30 * BRAID_MS);
    SAY(h, .seq = 1, .ack = 1);
    h_nothing(h);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(h->handshakes, 1);
    ck_assert_uint_eq(h->established, 1);
    ck_assert_uint_eq(h->segments, 1);
    ck_assert_int_eq(h->sf.rtt.srtt_us, 30 * BRAID_MS);
    ck_assert_uint_eq(h->sf.size.mss, 1448);
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * 1448);
    ck_assert(h->sf.cc.usable);
    h_free(h);
}
END_TEST

START_TEST(the_synack_offers_nothing_that_the_syn_did_not)
{
    struct harness *h = h_new();

    h->ts = h->sack = h->wscale = false;
    h->env.rcvbuf_max = 4 << 20;
    h->window = 1 << 20;
    h_passive(h, BRAID_MS);
    const struct wire_tcp *t = &h->out[0].p.tcp;
    ck_assert(!t->has_ts && !t->sack_ok && !t->has_wscale && t->has_mss);
    ck_assert_uint_eq(h->sf.size.mss, 1460);
    SAY(h, .seq = 1, .ack = 1, .len = 10);
    t = h_expect_ack(h, 1, 11);
    ck_assert_uint_eq(t->window, 65535); /* unscaled from now on, too */
    ck_assert(!t->has_ts);
    h_free(h);
}
END_TEST

START_TEST(without_an_mss_option_536_bytes_are_assumed)
{
    struct harness *h = h_new();
    struct buf *b;
    struct say syn = {.flags = TCP_SYN, .no_ack = true};
    struct wire_packet p = h_packet(h, &syn, &b);

    p.tcp.has_mss = false;
    subflow_open_passive(&h->sf, &p, &cc_fixed, h->now);
    ck_assert_uint_eq(h->sf.size.mss, 536 - 12);
    buf_unref(b);
    h_free(h);
}
END_TEST

START_TEST(options_of_the_owner_shrink_the_segments)
{
    struct harness *h = h_new();

    h->sf.size.reserve = 28;
    h_passive(h, BRAID_MS);
    ck_assert_uint_eq(h->sf.size.mss, 1420);
    h->sf.size.reserve = 0;
    subflow_update_mss(&h->sf);
    ck_assert_uint_eq(h->sf.size.mss, 1448);
    ck_assert_uint_eq(h->sf.cc.mss, 1448);
    h_free(h);
}
END_TEST

START_TEST(ipv6_leaves_twenty_bytes_less)
{
    struct harness *h = h_new();

    h->sf.local = h_addr("[2001:db8::1]:80");
    h->sf.remote = h_addr("[2001:db8::2]:5000");
    open_passive(h);
    subflow_answer(&h->sf, h->now);
    ck_assert_uint_eq(h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0)->mss, 1440);
    ck_assert_uint_eq(h->sf.size.mss, 1428);
    h_free(h);
}
END_TEST

START_TEST(a_repeated_syn_is_answered_again)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    SAY(h, .flags = TCP_SYN, .no_ack = true);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(the_synack_is_repeated_from_one_second_on_until_the_timeout)
{
    struct harness *h = h_new();
    braid_time start = h->now;

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    for (unsigned i = 0; i < 4; i++) {
        h_run_to(h, start + ((braid_time)(1 << (i + 1)) - 1) * BRAID_SECOND - 1);
        h_nothing(h);
        h_run(h, BRAID_MS);
        h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    }
    h_run_to(h, start + 20 * BRAID_SECOND - 1);
    ck_assert_uint_eq(h->closed, 0);
    h_run(h, BRAID_MS);
    h_nothing(h);
    ck_assert_uint_eq(h->closed, 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_REFUSED);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_ATTEMPT_FAILS], 1);
    h_free(h);
}
END_TEST

START_TEST(after_a_lost_syn_one_segment_begins)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_run(h, 1100 * BRAID_MS);
    SAY(h, .seq = 1, .ack = 1);
    ck_assert_uint_eq(h->established, 1);
    ck_assert_uint_eq(h->sf.cc.cwnd, h->sf.size.mss);
    ck_assert_int_eq(h->sf.rtt.srtt_us, 0); /* Karn: whose echo this is, nobody knows */
    h_free(h);
}
END_TEST

START_TEST(an_ack_of_something_else_is_reset_without_harm)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    SAY(h, .seq = 1, .ack = 2);
    h_expect(h, TCP_RST, 2, 0, 0);
    ck_assert_int_eq(h->sf.state, TCP_STATE_SYN_RECEIVED);
    SAY(h, .seq = 1, .ack = 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    h_free(h);
}
END_TEST

START_TEST(the_owner_may_ignore_the_third_ack)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    h->verdict_handshake = SUBFLOW_DROP;
    SAY(h, .seq = 1, .ack = 1, .len = 5);
    ck_assert_int_eq(h->sf.state, TCP_STATE_SYN_RECEIVED);
    ck_assert_uint_eq(h->n_in, 0);
    h_run(h, 1100 * BRAID_MS);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    h->verdict_handshake = SUBFLOW_OK;
    SAY(h, .seq = 1, .ack = 1, .len = 5);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(h->n_in, 5);
    h_free(h);
}
END_TEST

START_TEST(the_owner_may_reject_the_third_ack)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    h->verdict_handshake = SUBFLOW_RESET;
    SAY(h, .seq = 1, .ack = 1);
    h_expect(h, TCP_RST | TCP_ACK, 1, 1, 0);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_LOCAL);
    ck_assert_uint_eq(h->established, 0);
    h_run(h, 10 * BRAID_SECOND);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(payload_and_fin_may_come_with_the_third_ack)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    SAY(h, .seq = 1, .ack = 1, .len = 100, .flags = TCP_FIN);
    ck_assert_uint_eq(h->n_in, 100);
    ck_assert_uint_eq(h->fins, 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_CLOSE_WAIT);
    h_expect_ack(h, 1, 102);
    h_free(h);
}
END_TEST

START_TEST(a_reset_ends_syn_received_only_at_the_exact_number)
{
    struct harness *h = h_new();

    open_passive(h);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    SAY(h, .flags = TCP_RST, .seq = 100, .no_ack = true);
    h_expect_ack(h, 1, 1);
    ck_assert_uint_eq(h->closed, 0);
    SAY(h, .flags = TCP_RST, .seq = 1, .no_ack = true);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_REFUSED);
    ck_assert_uint_eq(h->resets, 0);
    h_nothing(h);
    h_free(h);
}
END_TEST

static struct harness *open_active(void)
{
    struct harness *h = h_new();

    subflow_open_active(&h->sf, &cc_fixed, h->now);
    return h;
}

START_TEST(an_active_open_acknowledges_the_synack_at_the_end_of_the_batch)
{
    struct harness *h = open_active();
    const struct wire_tcp *t = h_expect(h, TCP_SYN, 0, 0, 0);

    ck_assert(t->has_mss && t->has_ts && t->sack_ok && t->has_wscale);
    h_run(h, 20 * BRAID_MS);
    h_input(h, (struct say){.flags = TCP_SYN, .seq = 0, .ack = 1});
    h_nothing(h);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    subflow_flush(&h->sf, h->now);
    h_expect_ack(h, 1, 1);
    ck_assert_uint_eq(h->handshakes, 1);
    ck_assert_uint_eq(h->segments, 0);
    ck_assert_int_eq(h->sf.rtt.srtt_us, 20 * BRAID_MS);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_ACTIVE_OPENS], 1);
    h_run(h, 10 * BRAID_SECOND);
    h_nothing(h);
    h_free(h);
}
END_TEST

/* For the peer, which is in SYN_RECEIVED, it never was established. */
START_TEST(what_is_given_up_with_the_synack_is_reset_without_an_ack)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    h_input(h, (struct say){.flags = TCP_SYN, .seq = 0, .ack = 1});
    subflow_reset(&h->sf, h->now);
    h_expect(h, TCP_RST | TCP_ACK, 1, 1, 0);
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h_free(h);
}
END_TEST

/* And only once, before the data. */
START_TEST(the_third_ack_may_be_asked_for)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    h_input(h, (struct say){.flags = TCP_SYN, .seq = 0, .ack = 1});
    subflow_third_ack(&h->sf, h->now);
    h_expect_ack(h, 1, 1);
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_synack_without_options_is_taken_as_it_is)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    h->ts = h->sack = h->wscale = false;
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    ck_assert(!h_expect_ack(h, 1, 1)->has_ts);
    ck_assert(!h->sf.syn.sack_ok);
    ck_assert_uint_eq(h->sf.syn.rcv_wscale, 0);
    h_free(h);
}
END_TEST

START_TEST(a_wrong_ack_in_syn_sent_is_reset)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 7);
    h_expect(h, TCP_RST, 7, 0, 0);
    SAY(h, .flags = TCP_RST, .seq = 0, .ack = 7);
    SAY(h, .flags = TCP_RST, .seq = 0, .no_ack = true);
    SAY(h, .seq = 1, .ack = 1);
    h_nothing(h);
    ck_assert_int_eq(h->sf.state, TCP_STATE_SYN_SENT);
    SAY(h, .flags = TCP_RST, .seq = 0, .ack = 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_REFUSED);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_rejected_synack_is_reset)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    h->verdict_handshake = SUBFLOW_RESET;
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    h_expect(h, TCP_RST | TCP_ACK, 1, 1, 0);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_LOCAL);
    h_free(h);
}
END_TEST

START_TEST(an_ignored_synack_leaves_the_syn_to_be_repeated)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    h->verdict_handshake = SUBFLOW_DROP;
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    h_run(h, 1100 * BRAID_MS);
    h_expect(h, TCP_SYN, 0, 0, 0);
    h_nothing(h);
    h->verdict_handshake = SUBFLOW_OK;
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    h_expect_ack(h, 1, 1);
    h_free(h);
}
END_TEST

/* RFC 9293 section 3.5, figure 7. */
START_TEST(a_simultaneous_open_succeeds)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    SAY(h, .flags = TCP_SYN, .seq = 0, .no_ack = true);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    ck_assert_int_eq(h->sf.state, TCP_STATE_SYN_RECEIVED);
    ck_assert_uint_eq(h->handshakes, 1);
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(h->handshakes, 1);
    ck_assert_uint_eq(h->established, 1);
    SAY(h, .seq = 1, .ack = 1, .len = 3);
    ck_assert_uint_eq(h->n_in, 3);
    h_free(h);
}
END_TEST

START_TEST(a_close_before_the_synack_sends_its_fin_after_it)
{
    struct harness *h = open_active();

    h_expect(h, TCP_SYN, 0, 0, 0);
    subflow_close(&h->sf, h->now);
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    h_expect_ack(h, 1, 1);
    h_expect(h, TCP_FIN | TCP_ACK, 1, 1, 0);
    h_free(h);
}
END_TEST

/* ---- payload of SYNs ---- */

static void take_syn(struct harness *h, uint32_t len)
{
    struct buf *b;
    struct say syn = {.flags = TCP_SYN, .no_ack = true, .len = len};
    struct wire_packet p = h_packet(h, &syn, &b);

    h->sf.syn.take = 100;
    subflow_open_passive(&h->sf, &p, &cc_fixed, h->now);
    subflow_take_syn(&h->sf, &p, b, h->now);
    buf_unref(b);
}

static void expect_bytes(struct harness *h, size_t n)
{
    ck_assert_uint_eq(h->n_in, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(h->in[i], h_byte(i));
}

START_TEST(the_synack_acknowledges_what_the_newest_syn_carried)
{
    struct harness *h = h_new();

    take_syn(h, 24);
    expect_bytes(h, 24);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 25, 0);
    SAY(h, .flags = TCP_SYN, .no_ack = true);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    SAY(h, .flags = TCP_SYN, .no_ack = true, .len = 150); /* more than is taken */
    h_expect(h, TCP_SYN | TCP_ACK, 0, 101, 0);
    expect_bytes(h, 100);
    h_run(h, BRAID_SECOND);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 101, 0);
    SAY(h, .flags = TCP_SYN, .no_ack = true);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    SAY(h, .seq = 1, .ack = 1, .len = 120); /* what is here already comes again */
    h_expect_ack(h, 1, 121);
    expect_bytes(h, 120);
    h_free(h);
}
END_TEST

START_TEST(an_acknowledged_syn_owes_nothing_and_data_follows_its_payload)
{
    struct harness *h = h_new();

    h->window = 1 << 20;
    take_syn(h, 24);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 25, 0);
    h_run(h, 10 * BRAID_MS);
    SAY(h, .seq = 25, .ack = 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    h_run(h, BRAID_SECOND);
    h_nothing(h);
    ck_assert_uint_eq(subflow_bytes_in(&h->sf), 24);
    SAY(h, .seq = 25, .ack = 1, .len = 10);
    h_expect_ack(h, 1, 35);
    expect_bytes(h, 34);
    h_free(h);
}
END_TEST

START_TEST(without_memory_the_payload_of_a_syn_is_left)
{
    struct harness *h = h_new();

    h->account.limit = 40;
    take_syn(h, 24);
    expect_bytes(h, 0);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    h_free(h);
}
END_TEST

START_TEST(the_payload_of_a_syn_is_acknowledged_as_far_as_it_came)
{
    for (uint32_t acked = 0; acked <= 20; acked += 10) {
        struct harness *h = h_new();

        h->syn_len = 20;
        subflow_open_active(&h->sf, &cc_fixed, h->now);
        h_expect(h, TCP_SYN, 0, 0, 20);
        SAY(h, .flags = TCP_SYN, .ack = 22); /* more than there was */
        h_expect(h, TCP_RST, 22, 0, 0);
        h_run(h, BRAID_SECOND);
        h_expect(h, TCP_SYN, 0, 0, 0);
        SAY(h, .flags = TCP_SYN, .ack = 1 + acked);
        h_expect_ack(h, 1 + acked, 1);
        ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
        ck_assert_uint_eq(h->sf.snd.una, 1 + acked);
        ck_assert_uint_eq(h->sf.snd.nxt, 1 + acked);
        SAY(h, .seq = 1, .ack = 21, .len = 5); /* it had all of it, but did not say so */
        h_expect_ack(h, 1 + acked, 6);
        SAY(h, .seq = 6, .ack = 22, .len = 5);
        ck_assert_uint_eq(h->n_in, 5);
        h_free(h);
    }
}
END_TEST

START_TEST(the_payload_of_a_syn_leaves_room_for_options)
{
    struct harness *h = h_new();

    h->syn_len = sizeof(h->syn_payload);
    subflow_open_active(&h->sf, &cc_fixed, h->now);
    h_expect(h, TCP_SYN, 0, 0, 1460 - TCP_OPTIONS_MAX);
    h_free(h);
}
END_TEST

START_TEST(a_payload_in_the_synack_arrives_or_does_not)
{
    for (uint32_t acked = 0; acked <= 20; acked += 10) {
        struct harness *h = h_new();

        h->syn_len = 20;
        open_passive(h);
        subflow_answer(&h->sf, h->now);
        h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 20);
        h_run(h, BRAID_SECOND);
        h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
        SAY(h, .seq = 1, .ack = 22);
        h_expect(h, TCP_RST, 22, 0, 0);
        h->verdict_handshake = SUBFLOW_DROP;
        SAY(h, .seq = 1, .ack = 1 + acked);
        ck_assert_int_eq(h->sf.state, TCP_STATE_SYN_RECEIVED);
        h->verdict_handshake = SUBFLOW_OK;
        SAY(h, .seq = 1, .ack = 1 + acked);
        ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
        ck_assert_uint_eq(h->sf.snd.nxt, 1 + acked);
        h_nothing(h);
        h_free(h);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp handshake");
    TCase *tc = tcase_create("passive");

    tcase_add_test(tc, nothing_is_said_until_the_owner_answers);
    tcase_add_test(tc, the_synack_offers_what_the_syn_offered);
    tcase_add_test(tc, the_synack_offers_nothing_that_the_syn_did_not);
    tcase_add_test(tc, without_an_mss_option_536_bytes_are_assumed);
    tcase_add_test(tc, options_of_the_owner_shrink_the_segments);
    tcase_add_test(tc, ipv6_leaves_twenty_bytes_less);
    tcase_add_test(tc, a_repeated_syn_is_answered_again);
    tcase_add_test(tc, the_synack_is_repeated_from_one_second_on_until_the_timeout);
    tcase_add_test(tc, after_a_lost_syn_one_segment_begins);
    tcase_add_test(tc, an_ack_of_something_else_is_reset_without_harm);
    tcase_add_test(tc, the_owner_may_ignore_the_third_ack);
    tcase_add_test(tc, the_owner_may_reject_the_third_ack);
    tcase_add_test(tc, payload_and_fin_may_come_with_the_third_ack);
    tcase_add_test(tc, a_reset_ends_syn_received_only_at_the_exact_number);
    suite_add_tcase(s, tc);
    tc = tcase_create("active");
    tcase_add_test(tc, an_active_open_acknowledges_the_synack_at_the_end_of_the_batch);
    tcase_add_test(tc, what_is_given_up_with_the_synack_is_reset_without_an_ack);
    tcase_add_test(tc, the_third_ack_may_be_asked_for);
    tcase_add_test(tc, a_synack_without_options_is_taken_as_it_is);
    tcase_add_test(tc, a_wrong_ack_in_syn_sent_is_reset);
    tcase_add_test(tc, a_rejected_synack_is_reset);
    tcase_add_test(tc, an_ignored_synack_leaves_the_syn_to_be_repeated);
    tcase_add_test(tc, a_simultaneous_open_succeeds);
    tcase_add_test(tc, a_close_before_the_synack_sends_its_fin_after_it);
    tcase_add_test(tc, the_synack_acknowledges_what_the_newest_syn_carried);
    tcase_add_test(tc, an_acknowledged_syn_owes_nothing_and_data_follows_its_payload);
    tcase_add_test(tc, without_memory_the_payload_of_a_syn_is_left);
    tcase_add_test(tc, the_payload_of_a_syn_is_acknowledged_as_far_as_it_came);
    tcase_add_test(tc, the_payload_of_a_syn_leaves_room_for_options);
    tcase_add_test(tc, a_payload_in_the_synack_arrives_or_does_not);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
