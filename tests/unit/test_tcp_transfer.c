/* Sending without loss: windows, super-packets, pacing, idleness. */
#include "tcp_harness.h"

#define SEG 1448u
#define RTT (100 * BRAID_MS)

static const struct cc_ops cc_paced = {
    .name = "paced",
    .priv_size = 2 * sizeof(uint64_t),
    .saved_size = 2 * sizeof(uint64_t),
    .init = fixed_init,
    .on_ack = fixed_on_ack,
    .on_loss = fixed_on_loss,
    .on_undo = fixed_on_undo,
};

static struct harness *settled(void)
{
    return h_passive(h_new(), RTT);
}

/* As settled, with a peer that gives 8 MiB of window. */
static struct harness *wide(uint64_t cwnd)
{
    struct harness *h = settled();

    h->sf.syn.snd_wscale = 7;
    SAY(h, .seq = 1, .ack = 1);
    h->sf.cc.cwnd = cwnd;
    return h;
}

START_TEST(the_initial_window_leaves_as_one_super_packet)
{
    struct harness *h = settled();

    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 10 * SEG);
    h_send_raw(h, 10 * SEG);
    const struct sent_segment *s = &h->out[h->n_out - 1];
    ck_assert_uint_eq(s->gso_size, SEG);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 10 * SEG);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_OUT_SEGS], 10 + 1); /* and the SYN/ACK */
    ck_assert_uint_eq(h->sf.cc.in_flight, 10 * SEG);
    h_free(h);
}
END_TEST

START_TEST(one_segment_is_no_super_packet)
{
    struct harness *h = settled();

    h_send_raw(h, SEG);
    ck_assert_uint_eq(h->out[h->n_out - 1].gso_size, 0);
    h_free(h);
}
END_TEST

START_TEST(acknowledged_maps_go_back_in_order)
{
    struct harness *h = settled();

    h_send(h, 3000, 1000);
    SAY(h, .seq = 1, .ack = 1000);
    ck_assert_uint_eq(h->maps_acked, 0);
    SAY(h, .seq = 1, .ack = 2001);
    ck_assert_uint_eq(h->maps_acked, 2);
    SAY(h, .seq = 1, .ack = 3001);
    ck_assert_uint_eq(h->maps_acked, 3);
    ck_assert_uint_eq(h->sf.flight->board.pipe, 0);
    ck_assert_int_eq(h->sf.due.rexmit, BRAID_NEVER);
    h_free(h);
}
END_TEST

START_TEST(small_super_packets_are_put_off_while_acks_are_to_come)
{
    struct harness *h = settled();

    h_send_raw(h, 10 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    SAY(h, .seq = 1, .ack = 1 + 4 * SEG);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 4 * SEG);
    h_free(h);
}
END_TEST

START_TEST(a_tiny_window_does_not_wait)
{
    struct harness *h = settled();

    h->sf.cc.cwnd = 2 * SEG;
    h_send_raw(h, 2 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + SEG);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), SEG);
    h_free(h);
}
END_TEST

START_TEST(with_nothing_in_flight_one_segment_may_always_leave)
{
    struct harness *h = settled();

    h->sf.cc.cwnd = 100;
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), SEG);
    h_free(h);
}
END_TEST

/* RFC 9293 section 3.8.6.2.1 */
START_TEST(the_peers_window_is_used_in_whole_segments)
{
    struct harness *h = settled();

    SAY(h, .seq = 1, .ack = 1, .window = 3000);
    ck_assert_uint_eq(h->sf.snd.wnd, 65535); /* same segment number, smaller window: an old one perhaps */
    SAY(h, .seq = 1, .ack = 1, .len = 1, .window = 60000);
    SAY(h, .seq = 2, .ack = 1, .len = 1, .window = 3000);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 2 * SEG);
    h_send_raw(h, 2 * SEG);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    SAY(h, .seq = 3, .ack = 1 + 2 * SEG, .window = 1000);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 1000); /* nothing in flight: better than a probe */
    SAY(h, .seq = 3, .ack = 1 + 2 * SEG, .no_window = true);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 1000); /* right edges do not move left: overtaken */
    SAY(h, .seq = 3, .ack = 1 + 2 * SEG, .len = 1);
    SAY(h, .seq = 4, .ack = 1 + 2 * SEG, .len = 1, .no_window = true);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    h_free(h);
}
END_TEST

START_TEST(an_old_segment_does_not_change_the_window)
{
    struct harness *h = settled();

    SAY(h, .seq = 11, .ack = 1, .len = 10, .window = 50000);
    ck_assert_uint_eq(h->sf.snd.wnd, 50000);
    SAY(h, .seq = 1, .ack = 1, .len = 10, .window = 40000);
    ck_assert_uint_eq(h->sf.snd.wnd, 50000);
    h_free(h);
}
END_TEST

START_TEST(a_super_packet_stays_below_64_kib)
{
    struct harness *h = wide(1 << 20);

    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 44 * SEG);
    ck_assert_uint_eq(h_send(h, 500000, 1 << 20), 500000);
    ck_assert_uint_eq(h->n_out - h->taken, 8);
    h_free(h);
}
END_TEST

START_TEST(a_map_of_many_slices_may_need_several_packets)
{
    struct harness *h = settled();
    struct tcp_map *m = calloc(1, sizeof(*m));
    uint8_t bytes[4000];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = h_byte(i);
    m->slices = calloc(40, sizeof(*m->slices));
    for (unsigned i = 0; i < 40; i++)
        m->slices[m->n_slices++] = slice_of(NULL, bytes + 100 * i, 100);
    m->len = 4000;
    ck_assert_uint_ge(subflow_space(&h->sf, h->now), 4000);
    subflow_send(&h->sf, m, h->now);
    h_expect(h, TCP_ACK, 1, 1, 2 * SEG); /* of 3,200 bytes in 32 slices the whole segments */
    h_expect(h, TCP_ACK | TCP_PSH, 1 + 2 * SEG, 1, 4000 - 2 * SEG);
    SAY(h, .seq = 1, .ack = 4001);
    ck_assert_uint_eq(h->maps_acked, 1);
    h_free(h);
}
END_TEST

START_TEST(many_small_packets_do_not_escape_the_window)
{
    struct harness *h = settled();

    ck_assert_uint_lt(h_send(h, 1000, 1), 14);
    ck_assert_uint_ge(h->n_out - h->taken, 10);
    h_free(h);
}
END_TEST

/* RFC 7661: a window that was not used must not grow. */
/* With something lost the owner is not asked for more, so that room beside it says nothing of him. */
START_TEST(what_is_lost_is_no_want_of_data)
{
    struct harness *h = settled();

    h_send_raw(h, 4 * SEG);
    h->taken = h->n_out;
    h_run(h, RTT);
    h->sf.cc.cwnd = 100 * SEG;
    h->sf.delivery.limited_until = 0;
    sent_mark(&h->sf, sent_of(h->sf.flight->board.runs.next), SENT_LOST);
    subflow_flush(&h->sf, h->now);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 4 * SEG);
    ck_assert_uint_eq(h->sf.delivery.limited_until, 0);
    subflow_flush(&h->sf, h->now);
    ck_assert_uint_gt(h->sf.delivery.limited_until, 0);
    h_free(h);
}
END_TEST

START_TEST(the_algorithm_hears_whether_the_window_was_used)
{
    struct harness *h = settled();

    h_send(h, 2 * SEG, 1 << 16);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG);
    ck_assert_uint_eq(h->sf.cc.priv[1], 0);
    h_send(h, 1 << 20, 1 << 16); /* more than fits */
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 6 * SEG);
    ck_assert_uint_eq(h->sf.cc.priv[1], 1);
    ck_assert_uint_eq(h->sf.cc.priv[0], 6 * SEG);
    h_free(h);
}
END_TEST

/* RFC 2861: each RTO halves the window of 200 segments. */
START_TEST(after_long_idleness_the_initial_window_is_used_again)
{
    struct harness *h = wide(200 * SEG);

    ck_assert_uint_eq(h_send(h, SEG, SEG), SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + SEG);
    ck_assert_uint_gt(subflow_space(&h->sf, h->now), 10 * SEG);
    h_run(h, 5 * rtt_rto(&h->sf.rtt));
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 10 * SEG);
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    h_free(h);
}
END_TEST

START_TEST(rtt_samples_come_from_the_latest_transmission)
{
    struct harness *h = settled();

    h_send(h, SEG, SEG);
    h_run(h, 50 * BRAID_MS);
    h_send(h, SEG, SEG);
    h_run(h, 80 * BRAID_MS);
    SAY(h, .seq = 1, .ack = 1 + 2 * SEG);
    ck_assert_int_eq(h->sf.rtt.min_rtt_us, 80 * BRAID_MS);
    ck_assert_int_eq(h->sf.cc.min_rtt_us, 80 * BRAID_MS);
    h_free(h);
}
END_TEST

START_TEST(nothing_new_leaves_after_close)
{
    struct harness *h = settled();

    subflow_close(&h->sf, h->now);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    h_free(h);
}
END_TEST

/* Sends what may leave, over that time; returns the bytes. */
static uint64_t send_for(struct harness *h, braid_time time)
{
    braid_time end = h->now + time;
    uint64_t sent = 0;

    for (;;) {
        uint64_t n = subflow_space(&h->sf, h->now);
        if (n > 0)
            h_send_raw(h, (uint32_t)n);
        else if (h->now >= end)
            return sent;
        else
            h_run(h, BRAID_MS / 2);
        sent += n;
    }
}

START_TEST(the_initial_window_is_not_paced)
{
    struct harness *h = h_new();

    h->cc = &cc_paced;
    h_passive(h, RTT);
    ck_assert_uint_gt(h->sf.pacer.rate, 0);
    ck_assert_uint_eq(send_for(h, 0), 10 * SEG);
    h_free(h);
}
END_TEST

/* 4 bytes and the rest: a whole segment less would be one less in each of the windows that follow. */
START_TEST(the_initial_window_is_used_to_its_last_byte)
{
    struct harness *h = settled();

    h_send_raw(h, 4);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 10 * SEG - 4);
    h_send_raw(h, 10 * SEG - 4);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 10 * SEG);
    h_send_raw(h, 4);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 9 * SEG);
    h_free(h);
}
END_TEST

/* A crumb is not worth a segment. */
START_TEST(less_than_half_a_segment_does_not_fill_the_initial_window)
{
    struct harness *h = settled();

    h_send_raw(h, SEG - 100);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 9 * SEG);
    h_free(h);
}
END_TEST

/* Two thirds of the window are in flight, but their ACKs are a round trip away. */
START_TEST(small_super_packets_are_not_put_off_at_the_end_of_a_round)
{
    struct harness *h = settled();

    h_send_raw(h, 10 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1 + 10 * SEG);
    h_send_raw(h, 9 * SEG);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), SEG);
    h_run(h, RTT / 2);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    h_free(h);
}
END_TEST

/* 2 cwnd per RTT in slow start: 40 segments come to 800 of them per second, two per 2.5 ms; but an initial
 * window may leave as soon as the ACKs of a round begin to come. */
START_TEST(a_slow_flow_is_paced_in_small_bursts)
{
    struct harness *h = h_new();

    h->cc = &cc_paced;
    h_passive(h, RTT);
    h->sf.syn.snd_wscale = 7;
    h_send_raw(h, 10 * SEG);
    h_run(h, RTT);
    h->sf.cc.cwnd = 40 * SEG;
    SAY(h, .seq = 1, .ack = 1 + 10 * SEG);
    ck_assert_uint_eq(h->sf.pacer.rate, 2 * 40 * SEG * 10);
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 2 * SEG);
    ck_assert_uint_eq(send_for(h, 0), 12 * SEG);
    ck_assert_uint_eq(send_for(h, 10 * BRAID_MS), 8 * SEG);
    ck_assert_uint_eq(send_for(h, 24 * BRAID_MS), 18 * SEG);
    ck_assert_uint_eq(send_for(h, RTT / 2), 2 * SEG);
    h_free(h);
}
END_TEST

/* 20 Gbit/s: 2.5 MB per millisecond. */
START_TEST(a_fast_flow_needs_no_timer_per_packet)
{
    struct harness *h = h_new();
    uint64_t total = 20 << 20, sent = 0;

    h->cc = &cc_paced;
    h_passive(h, 8 * BRAID_MS);
    h->sf.syn.snd_wscale = 10;
    SAY(h, .seq = 1, .ack = 1);
    h->sf.cc.cwnd = 10 << 20;
    h->sf.cc.ssthresh = 10 << 20;
    SAY(h, .seq = 1, .ack = 1, .len = 1);
    pacer_set_rate(&h->sf.pacer, UINT64_C(2500000000));
    h->taken = h->n_out;
    braid_time start = h->now;
    while (sent < total) {
        uint64_t n = subflow_space(&h->sf, h->now);

        if (n > 0) {
            h_send_raw(h, (uint32_t)n);
            sent += n;
            if (h->sf.flight->board.pipe > (8 << 20))
                SAY(h, .seq = 2, .ack = 1 + sent);
        } else {
            ck_assert_int_ne(h->sf.due.pace, BRAID_NEVER);
            h_run(h, 64 * US);
        }
    }
    ck_assert_uint_le(h->wakes, 12);
    ck_assert_int_ge(h->now - start, 5 * BRAID_MS);
    ck_assert_int_le(h->now - start, 10 * BRAID_MS);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp sending");
    TCase *tc = tcase_create("windows");

    tcase_add_test(tc, the_initial_window_leaves_as_one_super_packet);
    tcase_add_test(tc, one_segment_is_no_super_packet);
    tcase_add_test(tc, acknowledged_maps_go_back_in_order);
    tcase_add_test(tc, small_super_packets_are_put_off_while_acks_are_to_come);
    tcase_add_test(tc, small_super_packets_are_not_put_off_at_the_end_of_a_round);
    tcase_add_test(tc, the_initial_window_is_used_to_its_last_byte);
    tcase_add_test(tc, less_than_half_a_segment_does_not_fill_the_initial_window);
    tcase_add_test(tc, a_tiny_window_does_not_wait);
    tcase_add_test(tc, with_nothing_in_flight_one_segment_may_always_leave);
    tcase_add_test(tc, the_peers_window_is_used_in_whole_segments);
    tcase_add_test(tc, an_old_segment_does_not_change_the_window);
    tcase_add_test(tc, a_super_packet_stays_below_64_kib);
    tcase_add_test(tc, a_map_of_many_slices_may_need_several_packets);
    tcase_add_test(tc, many_small_packets_do_not_escape_the_window);
    suite_add_tcase(s, tc);
    tc = tcase_create("rate");
    tcase_add_test(tc, what_is_lost_is_no_want_of_data);
    tcase_add_test(tc, the_algorithm_hears_whether_the_window_was_used);
    tcase_add_test(tc, after_long_idleness_the_initial_window_is_used_again);
    tcase_add_test(tc, rtt_samples_come_from_the_latest_transmission);
    tcase_add_test(tc, nothing_new_leaves_after_close);
    tcase_add_test(tc, the_initial_window_is_not_paced);
    tcase_add_test(tc, a_slow_flow_is_paced_in_small_bursts);
    tcase_add_test(tc, a_fast_flow_needs_no_timer_per_packet);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
