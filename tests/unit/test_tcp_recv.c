/* Receiving: order, SACK (RFC 2018), DSACK (RFC 2883), delayed ACKs, the window, PAWS (RFC 7323). */
#include "tcp_harness.h"

#define SEG 1448u

/* Established, and past the time in which every segment is acknowledged at once. */
static struct harness *settled(void)
{
    struct harness *h = h_passive(h_new(), 10 * BRAID_MS);

    h->sf.ack.quick = 0;
    h->sf.rcv.mss = SEG;
    return h;
}

START_TEST(the_first_segments_are_acknowledged_at_once)
{
    struct harness *h = h_passive(h_new(), 10 * BRAID_MS);

    SAY(h, .seq = 1, .ack = 1, .len = 10);
    h_expect_ack(h, 1, 11);
    SAY(h, .seq = 11, .ack = 1, .len = 10);
    h_expect_ack(h, 1, 21);
    h_nothing(h);
    ck_assert_uint_eq(h->n_in, 20);
    h_free(h);
}
END_TEST

/* An initial window of ten segments, and the twenty that it leads to. */
START_TEST(each_segment_of_the_first_two_windows_is_acknowledged_at_once)
{
    struct harness *h = h_passive(h_new(), 10 * BRAID_MS);
    uint32_t seq = 1;

    h->sf.rcv.mss = SEG;
    for (unsigned i = 0; i < 32; i++, seq += SEG) {
        SAY(h, .seq = seq, .ack = 1, .len = SEG);
        h_expect_ack(h, 1, seq + SEG);
    }
    SAY(h, .seq = seq, .ack = 1, .len = SEG);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_single_segment_is_acknowledged_after_40_ms)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = SEG);
    h_nothing(h);
    h_run(h, 39 * BRAID_MS);
    h_nothing(h);
    h_run(h, 2 * BRAID_MS);
    h_expect_ack(h, 1, 1 + SEG);
    h_nothing(h);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_DELAYED_ACKS], 1);
    h_free(h);
}
END_TEST

START_TEST(a_short_request_waits_for_the_answer_if_the_owner_is_patient)
{
    struct harness *h = h_new();

    h->sf.ack.patient = true;
    h_passive(h, 10 * BRAID_MS);
    h_input(h, (struct say){.seq = 1, .ack = 1, .len = 100});
    h_send_raw(h, 50);
    subflow_flush(&h->sf, h->now);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 101, 50);
    h_run(h, 20 * BRAID_MS);
    h_nothing(h);
    SAY(h, .seq = 101, .ack = 51, .len = 100); /* not answered: the connection is young, the wait short */
    h_run(h, 3900 * US);
    h_nothing(h);
    h_run(h, 200 * US);
    h_expect_ack(h, 51, 201);
    SAY(h, .seq = 201, .ack = 51, .len = SEG); /* not a short one */
    h_expect_ack(h, 51, 201 + SEG);
    h_free(h);
}
END_TEST

START_TEST(every_second_full_segment_is_acknowledged)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = SEG);
    h_nothing(h);
    SAY(h, .seq = 1 + SEG, .ack = 1, .len = SEG);
    h_expect_ack(h, 1, 1 + 2 * SEG);
    h_run(h, BRAID_SECOND);
    h_nothing(h);
    h_free(h);
}
END_TEST

/* The end of a burst: its sender waits for the ACK. */
START_TEST(more_than_one_full_segment_is_acknowledged)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = SEG);
    h_nothing(h);
    SAY(h, .seq = 1 + SEG, .ack = 1, .len = 220);
    h_expect_ack(h, 1, 221 + SEG);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_batch_gets_one_ack)
{
    struct harness *h = settled();

    for (uint32_t i = 0; i < 10; i++)
        h_input(h, (struct say){.seq = 1 + i * SEG, .ack = 1, .len = SEG});
    h_nothing(h);
    subflow_flush(&h->sf, h->now);
    h_expect_ack(h, 1, 1 + 10 * SEG);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_super_packet_is_acknowledged_at_once)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 20 * SEG, .seg_size = SEG);
    h_expect_ack(h, 1, 1 + 20 * SEG);
    ck_assert_uint_eq(h->n_in, 20 * SEG);
    ck_assert_uint_eq(h->sf.rcv.mss, SEG);
    h_free(h);
}
END_TEST

START_TEST(data_of_ours_carries_the_acknowledgement)
{
    struct harness *h = settled();

    h_input(h, (struct say){.seq = 1, .ack = 1, .len = SEG});
    h_send_raw(h, 100);
    subflow_flush(&h->sf, h->now);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1 + SEG, 100);
    h_run(h, 100 * BRAID_MS);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(an_ack_that_the_owner_wants_is_not_replaced_by_data)
{
    struct harness *h = settled();

    subflow_ack_soon(&h->sf);
    h_send_raw(h, 100);
    subflow_flush(&h->sf, h->now);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 100);
    h_expect_ack(h, 101, 1);
    h_nothing(h);
    subflow_ack_at_once(&h->sf, h->now);
    h_expect_ack(h, 101, 1);
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(what_comes_out_of_order_waits_and_is_reported_the_latest_first)
{
    struct harness *h = settled();
    const struct wire_tcp *t;

    SAY(h, .seq = 101, .ack = 1, .len = 100);
    t = h_expect_ack(h, 1, 1);
    ck_assert_uint_eq(t->n_sack, 1);
    h_expect_sack(h, t, 0, 101, 201);
    SAY(h, .seq = 301, .ack = 1, .len = 100);
    t = h_expect_ack(h, 1, 1);
    ck_assert_uint_eq(t->n_sack, 2);
    h_expect_sack(h, t, 0, 301, 401);
    h_expect_sack(h, t, 1, 101, 201);
    SAY(h, .seq = 501, .ack = 1, .len = 100);
    h_expect_ack(h, 1, 1);
    SAY(h, .seq = 201, .ack = 1, .len = 100); /* joins the first two */
    t = h_expect_ack(h, 1, 1);
    ck_assert_uint_eq(t->n_sack, 2);
    h_expect_sack(h, t, 0, 101, 401);
    h_expect_sack(h, t, 1, 501, 601);
    ck_assert_uint_eq(h->n_in, 0);
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    t = h_expect_ack(h, 1, 401);
    ck_assert_uint_eq(h->n_in, 400);
    h_expect_sack(h, t, 0, 501, 601);
    SAY(h, .seq = 401, .ack = 1, .len = 100);
    t = h_expect_ack(h, 1, 601);
    ck_assert_uint_eq(t->n_sack, 0);
    for (unsigned i = 0; i < 600; i++)
        ck_assert_uint_eq(h->in[i], h_byte(i));
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_OFO_QUEUE], 4);
    h_free(h);
}
END_TEST

START_TEST(timestamps_leave_room_for_three_blocks)
{
    struct harness *h = settled();

    for (unsigned i = 0; i < 5; i++)
        SAY(h, .seq = 101 + 200 * i, .ack = 1, .len = 100);
    const struct wire_tcp *t = &h->out[h->n_out - 1].p.tcp;
    ck_assert_uint_eq(t->n_sack, 3);
    h_expect_sack(h, t, 0, 901, 1001);
    h_expect_sack(h, t, 2, 501, 601);
    h_free(h);
}
END_TEST

START_TEST(options_of_the_owner_come_before_sack_blocks)
{
    struct harness *h = settled();

    h->options.has = MPTCP_HAS(MPTCP_DSS);
    h->options.dss = (struct mptcp_dss){.has_ack = true, .ack64 = true};
    SAY(h, .seq = 101, .ack = 1, .len = 100);
    SAY(h, .seq = 301, .ack = 1, .len = 100);
    const struct wire_tcp *t = &h->out[h->n_out - 1].p.tcp;
    ck_assert_uint_eq(t->mp.has, MPTCP_HAS(MPTCP_DSS));
    ck_assert_uint_eq(t->n_sack, 1);
    h_expect_sack(h, t, 0, 301, 401);
    h_free(h);
}
END_TEST

START_TEST(blocks_that_found_no_place_come_back)
{
    struct harness *h = settled();

    for (unsigned i = 0; i < 6; i++)
        SAY(h, .seq = 101 + 200 * i, .ack = 1, .len = 100);
    /* Only the last four are remembered: 501 701 901 1101. They come into order, the first holes stay. */
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    SAY(h, .seq = 201, .ack = 1, .len = 100);
    const struct wire_tcp *t = &h->out[h->n_out - 1].p.tcp;
    ck_assert_uint_eq(t->ack - h->peer_iss, 401);
    for (unsigned i = 2; i < 6; i++)
        ck_assert_uint_eq(h->sf.ooo->sacks[i - 2].start, 101 + 200 * (7 - i));
    h_free(h);
}
END_TEST

START_TEST(acks_with_data_in_disorder_are_separate_from_data_of_ours)
{
    struct harness *h = settled();

    h_input(h, (struct say){.seq = 101, .ack = 1, .len = 100});
    h_send_raw(h, 50);
    subflow_flush(&h->sf, h->now);
    ck_assert_uint_eq(h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 50)->n_sack, 0);
    h_expect_sack(h, h_expect_ack(h, 51, 1), 0, 101, 201);
    h_nothing(h);
    h_free(h);
}
END_TEST

/* RFC 2883 section 4.1.1 and 4.1.2 */
START_TEST(a_full_duplicate_is_reported_by_dsack)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 2 * SEG, .seg_size = SEG);
    h_expect_ack(h, 1, 1 + 2 * SEG);
    SAY(h, .seq = 1, .ack = 1, .len = SEG);
    const struct wire_tcp *t = h_expect_ack(h, 1, 1 + 2 * SEG);
    ck_assert_uint_eq(t->n_sack, 1);
    h_expect_sack(h, t, 0, 1, 1 + SEG);
    ck_assert_uint_eq(h->n_in, 2 * SEG);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_DSACK_SENT], 1);
    SAY(h, .seq = 1 + 2 * SEG, .ack = 1, .len = 2 * SEG, .seg_size = SEG);
    ck_assert_uint_eq(h_expect_ack(h, 1, 1 + 4 * SEG)->n_sack, 0); /* reported once */
    h_free(h);
}
END_TEST

/* RFC 2883 section 4.2: duplicate and new data in one segment. */
START_TEST(of_a_partial_duplicate_the_old_part_is_reported_and_the_new_part_used)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 100);
    SAY(h, .seq = 51, .ack = 1, .len = 100);
    const struct wire_tcp *t = h_expect_ack(h, 1, 151);
    h_expect_sack(h, t, 0, 51, 101);
    ck_assert_uint_eq(h->n_in, 150);
    h_free(h);
}
END_TEST

/* RFC 2883 section 4.1.3: above the cumulative ACK the second block holds the first. */
START_TEST(a_duplicate_of_queued_data_is_reported_before_its_block)
{
    struct harness *h = settled();

    SAY(h, .seq = 101, .ack = 1, .len = 200);
    h_expect_ack(h, 1, 1);
    SAY(h, .seq = 151, .ack = 1, .len = 50);
    const struct wire_tcp *t = h_expect_ack(h, 1, 1);
    ck_assert_uint_eq(t->n_sack, 2);
    h_expect_sack(h, t, 0, 151, 201);
    h_expect_sack(h, t, 1, 101, 301);
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    ck_assert_uint_eq(h->n_in, 300);
    h_free(h);
}
END_TEST

START_TEST(overlapping_pieces_are_put_together)
{
    struct harness *h = settled();

    SAY(h, .seq = 101, .ack = 1, .len = 50);
    SAY(h, .seq = 201, .ack = 1, .len = 50);
    SAY(h, .seq = 81, .ack = 1, .len = 140); /* covers the first, overlaps the second */
    SAY(h, .seq = 241, .ack = 1, .len = 60); /* overlaps from behind */
    SAY(h, .seq = 1, .ack = 1, .len = 90);
    ck_assert_uint_eq(h->n_in, 300);
    ck_assert_uint_eq(h->sf.ooo->n, 0);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_uint_eq(h->in[i], h_byte(i));
    h_free(h);
}
END_TEST

START_TEST(when_memory_is_short_what_is_out_of_order_is_dropped)
{
    struct harness *h = settled();

    h->account.limit = 3000;
    SAY(h, .seq = 1001, .ack = 1, .len = 2000);
    ck_assert_uint_gt(h->account.used, 2000);
    SAY(h, .seq = 5001, .ack = 1, .len = 2000);
    const struct wire_tcp *t = &h->out[h->n_out - 1].p.tcp;
    ck_assert_uint_eq(t->n_sack, 1); /* nothing is promised that was not kept */
    h_expect_sack(h, t, 0, 1001, 3001);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_OFO_DROP], 1);
    SAY(h, .seq = 1, .ack = 1, .len = 1000); /* in order needs no memory */
    ck_assert_uint_eq(h->n_in, 3000);
    h_free(h);
}
END_TEST

START_TEST(the_queue_has_a_limit_in_pieces)
{
    struct harness *h = settled();

    h->sf.syn.sack_ok = false;
    for (unsigned i = 0; i < 5000; i++)
        h_input(h, (struct say){.seq = 10 + 3 * i, .ack = 1, .len = 1});
    ck_assert_uint_eq(h->sf.ooo->n, 4096);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_OFO_DROP], 5000 - 4096);
    h_free(h);
}
END_TEST

START_TEST(data_beyond_the_window_is_cut_off)
{
    struct harness *h = settled();

    h->window = 0; /* the edge stays where it was promised to be: 65536 */
    SAY(h, .seq = 60001, .ack = 1, .len = 10000);
    const struct wire_tcp *t = h_expect_ack(h, 1, 1);
    h_expect_sack(h, t, 0, 60001, 65536);
    SAY(h, .seq = 65537, .ack = 1, .len = 10);
    ck_assert_uint_eq(h_expect_ack(h, 1, 1)->n_sack, 1);
    ck_assert_uint_eq(h->sf.ooo->bytes, 5535);
    h_free(h);
}
END_TEST

START_TEST(a_window_that_grew_elsewhere_counts)
{
    struct harness *h = settled();

    h->sf.syn.rcv_wscale = 2; /* the owner may advertise more on other subflows */
    h->window = 200000;
    SAY(h, .seq = 100001, .ack = 1, .len = 1000);
    ck_assert_uint_eq(h->sf.ooo->bytes, 1000);
    h_free(h);
}
END_TEST

START_TEST(a_window_that_opens_is_announced)
{
    struct harness *h = settled();

    h->sf.rcv.adv = 4001;
    h->window = 4000 - 2 * SEG; /* nobody reads */
    SAY(h, .seq = 1, .ack = 1, .len = 2 * SEG, .seg_size = SEG);
    h->window = 0;
    SAY(h, .seq = 1 + 2 * SEG, .ack = 1, .len = 4000 - 2 * SEG);
    h_run(h, 50 * BRAID_MS);
    h->taken = h->n_out;
    h->window = SEG;
    subflow_flush(&h->sf, h->now);
    h_nothing(h); /* too little to be worth a segment */
    h->window = 2 * SEG;
    subflow_flush(&h->sf, h->now);
    ck_assert_uint_eq(h_expect_ack(h, 1, 4001)->window, 2 * SEG);
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_window_that_opens_is_not_announced_while_most_of_it_is_left)
{
    struct harness *h = settled();

    h->sf.rcv.adv = 40001;
    h->window = 40000 - 2 * SEG;
    SAY(h, .seq = 1, .ack = 1, .len = 2 * SEG, .seg_size = SEG);
    h_expect_ack(h, 1, 1 + 2 * SEG);
    h->window = (40000 - 2 * SEG) / 3 * 4 - 4; /* what is left is a little more than three quarters of it */
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h->window += 8;
    subflow_flush(&h->sf, h->now);
    ck_assert_uint_eq(h_expect_ack(h, 1, 1 + 2 * SEG)->window, h->window);
    h_free(h);
}
END_TEST

START_TEST(of_the_window_of_the_syn_a_quarter_is_used_before_a_larger_one_is_announced)
{
    struct harness *h = h_new();

    h->sf.ack.patient = true;
    h->env.rcvbuf_max = 1 << 20;
    h_passive(h, 10 * BRAID_MS);
    ck_assert_uint_eq(h->sf.rcv.adv, 1 + H_WINDOW);
    h->window = 1 << 20;
    h_input(h, (struct say){.seq = 1, .ack = 1, .len = H_WINDOW / 4, .seg_size = H_WINDOW});
    h->sf.ack.bytes = 0; /* nothing but the window is looked at */
    subflow_flush(&h->sf, h->now);
    h_nothing(h);
    h_input(h, (struct say){.seq = 1 + H_WINDOW / 4, .ack = 1, .len = 1, .seg_size = H_WINDOW});
    h->sf.ack.bytes = 0;
    subflow_flush(&h->sf, h->now);
    h_expect_ack(h, 1, H_WINDOW / 4 + 2);
    h_free(h);
}
END_TEST

START_TEST(the_window_field_is_scaled)
{
    struct harness *h = h_new();

    h->env.rcvbuf_max = 1 << 20;
    h->window = 1 << 20;
    h_passive(h, BRAID_MS);
    SAY(h, .seq = 1, .ack = 1, .len = 10);
    ck_assert_uint_eq(h_expect_ack(h, 1, 11)->window, (1 << 20) >> 5);
    ck_assert_uint_eq(h->sf.rcv.adv, 11 + (1 << 20));
    h_free(h);
}
END_TEST

START_TEST(paws_drops_old_segments)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 2 * SEG, .seg_size = SEG, .tsval = 9000);
    ck_assert_uint_eq(h_expect_ack(h, 1, 1 + 2 * SEG)->tsecr, 9000);
    SAY(h, .seq = 1 + 2 * SEG, .ack = 1, .len = 100, .tsval = 8999);
    h_expect_ack(h, 1, 1 + 2 * SEG);
    ck_assert_uint_eq(h->n_in, 2 * SEG);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_PAWS_ESTAB], 1);
    /* An old empty segment was merely overtaken. */
    SAY(h, .seq = 1 + 2 * SEG, .ack = 1, .tsval = 8999);
    h_nothing(h);
    /* After 24 days the clock may have wrapped. */
    h->now += 25 * 24 * 3600 * BRAID_SECOND;
    SAY(h, .seq = 1 + 2 * SEG, .ack = 1, .len = 100, .tsval = 8999);
    ck_assert_uint_eq(h->n_in, 2 * SEG + 100);
    h_free(h);
}
END_TEST

/* RFC 7323 section 4.3: a segment out of order must not make the echo too recent. */
START_TEST(the_echoed_timestamp_is_that_of_the_segment_that_advances_the_window)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .len = 100, .tsval = 9000);
    SAY(h, .seq = 201, .ack = 1, .len = 100, .tsval = 9100);
    ck_assert_uint_eq(h_expect_ack(h, 1, 101)->tsecr, 9000);
    SAY(h, .seq = 101, .ack = 1, .len = 100, .tsval = 9200);
    ck_assert_uint_eq(h_expect_ack(h, 1, 301)->tsecr, 9200);
    h_free(h);
}
END_TEST

START_TEST(the_owner_may_drop_a_segment)
{
    struct harness *h = settled();

    h->verdict_segment = SUBFLOW_DROP;
    SAY(h, .seq = 1, .ack = 1, .len = 100, .flags = TCP_FIN);
    ck_assert_uint_eq(h->n_in, 0);
    ck_assert_uint_eq(h->fins, 0);
    ck_assert_uint_eq(h->sf.rcv.nxt, 1);
    h->verdict_segment = SUBFLOW_RESET;
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h_expect(h, TCP_RST | TCP_ACK, 1, 1, 0);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_LOCAL);
    h_free(h);
}
END_TEST

START_TEST(sequence_numbers_wrap_without_notice)
{
    struct harness *h = h_new();

    h->peer_iss = UINT32_MAX - 500;
    h_passive(h, BRAID_MS);
    h->sf.ack.quick = 0;
    SAY(h, .seq = 401, .ack = 1, .len = 400);
    h_expect_sack(h, h_expect_ack(h, 1, 1), 0, 401, 801);
    SAY(h, .seq = 1, .ack = 1, .len = 400);
    h_expect_ack(h, 1, 801);
    ck_assert_uint_eq(h->n_in, 800);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp receiving");
    TCase *tc = tcase_create("acks");

    tcase_add_test(tc, the_first_segments_are_acknowledged_at_once);
    tcase_add_test(tc, each_segment_of_the_first_two_windows_is_acknowledged_at_once);
    tcase_add_test(tc, a_single_segment_is_acknowledged_after_40_ms);
    tcase_add_test(tc, a_short_request_waits_for_the_answer_if_the_owner_is_patient);
    tcase_add_test(tc, every_second_full_segment_is_acknowledged);
    tcase_add_test(tc, more_than_one_full_segment_is_acknowledged);
    tcase_add_test(tc, a_batch_gets_one_ack);
    tcase_add_test(tc, a_super_packet_is_acknowledged_at_once);
    tcase_add_test(tc, data_of_ours_carries_the_acknowledgement);
    tcase_add_test(tc, an_ack_that_the_owner_wants_is_not_replaced_by_data);
    tcase_add_test(tc, data_beyond_the_window_is_cut_off);
    tcase_add_test(tc, a_window_that_grew_elsewhere_counts);
    tcase_add_test(tc, a_window_that_opens_is_announced);
    tcase_add_test(tc, a_window_that_opens_is_not_announced_while_most_of_it_is_left);
    tcase_add_test(tc, of_the_window_of_the_syn_a_quarter_is_used_before_a_larger_one_is_announced);
    tcase_add_test(tc, the_window_field_is_scaled);
    suite_add_tcase(s, tc);
    tc = tcase_create("disorder");
    tcase_add_test(tc, what_comes_out_of_order_waits_and_is_reported_the_latest_first);
    tcase_add_test(tc, timestamps_leave_room_for_three_blocks);
    tcase_add_test(tc, options_of_the_owner_come_before_sack_blocks);
    tcase_add_test(tc, blocks_that_found_no_place_come_back);
    tcase_add_test(tc, acks_with_data_in_disorder_are_separate_from_data_of_ours);
    tcase_add_test(tc, a_full_duplicate_is_reported_by_dsack);
    tcase_add_test(tc, of_a_partial_duplicate_the_old_part_is_reported_and_the_new_part_used);
    tcase_add_test(tc, a_duplicate_of_queued_data_is_reported_before_its_block);
    tcase_add_test(tc, overlapping_pieces_are_put_together);
    tcase_add_test(tc, when_memory_is_short_what_is_out_of_order_is_dropped);
    tcase_add_test(tc, the_queue_has_a_limit_in_pieces);
    suite_add_tcase(s, tc);
    tc = tcase_create("checks");
    tcase_add_test(tc, paws_drops_old_segments);
    tcase_add_test(tc, the_echoed_timestamp_is_that_of_the_segment_that_advances_the_window);
    tcase_add_test(tc, the_owner_may_drop_a_segment);
    tcase_add_test(tc, sequence_numbers_wrap_without_notice);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
