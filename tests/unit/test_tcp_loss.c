/* Loss detection and recovery: RACK-TLP (RFC 8985), SACK (RFC 6675), PRR (RFC 6937), RTO (RFC 6298), NewReno
 * (RFC 6582), and taking a recovery back. The RTT is 100 ms throughout; min_RTT/4 is 25 ms. */
#include "tcp_harness.h"

#define SEG   1448u
#define RTT   (100 * BRAID_MS)
#define AT(n) (1 + (uint64_t)(n)*SEG) /* offset of segment n, from 0 */
#define SEGS(a, b)                                                                                           \
    {                                                                                                        \
        AT(a), AT(b)                                                                                         \
    } /* segments a to b - 1 */

static struct harness *settled(void)
{
    return h_passive(h_new(), RTT);
}

/* n segments in one super-packet, acknowledgements of which arrive from now on. */
static struct harness *in_flight(struct harness *h, uint32_t n)
{
    h->sf.cc.cwnd = (uint64_t)n * SEG;
    h_send_raw(h, n * SEG);
    h->taken = h->n_out;
    h_run(h, RTT);
    h_nothing(h);
    return h;
}

/* ---- RACK ---- */

START_TEST(three_sacked_segments_make_the_hole_lost_at_once)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 2)});
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 3)});
    h_nothing(h);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 4)});
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_nothing(h);
    ck_assert(h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.ssthresh, 5 * SEG);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_SACK_RECOVERY], 1);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_RETRANS_SEGS], 1);
    ck_assert_uint_eq(h->sf.snd.retransmits, 1);
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 3 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(10));
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, 5 * SEG);
    ck_assert_uint_eq(h->maps_acked, 1);
    h_free(h);
}
END_TEST

START_TEST(one_sacked_segment_makes_the_hole_lost_after_the_reordering_window)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 2)});
    ck_assert_int_eq(h->sf.tries.kind, REXMIT_REORDER);
    h_run(h, 24900 * US);
    h_nothing(h);
    h_run(h, 200 * US);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_nothing(h);
    ck_assert(h->sf.cc.in_recovery);
    h_free(h);
}
END_TEST

START_TEST(a_reordered_segment_is_not_retransmitted)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 2)});
    h_run(h, 20 * BRAID_MS);
    SAY(h, .seq = 1, .ack = AT(2));
    ck_assert(h->sf.reo_wnd.reordering_seen);
    h_run(h, 50 * BRAID_MS);
    h_nothing(h);
    ck_assert(!h->sf.cc.in_recovery);
    /* From now on even many SACKed segments have to wait. */
    SAY(h, .seq = 1, .ack = AT(2), .sack = {SEGS(3, 9)});
    h_nothing(h);
    h_free(h);
}
END_TEST

/* RFC 8985 section 3.2 step 4, figure 1: SACKs of what was sent later tell of a lost retransmission. */
START_TEST(a_lost_retransmission_is_noticed)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 4)});
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_run(h, BRAID_MS);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 7)});
    ck_assert_uint_gt(subflow_space(&h->sf, h->now), 0);
    h_send_raw(h, SEG);
    h_expect(h, TCP_ACK | TCP_PSH, AT(10), 1, SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 10)});
    h_nothing(h); /* all of that was sent before the retransmission */
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 11)});
    h_expect(h, TCP_ACK, 1, 1, SEG);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_LOST_RETRANSMIT], 1);
    SAY(h, .seq = 1, .ack = AT(11));
    ck_assert(!h->sf.cc.in_recovery);
    h_free(h);
}
END_TEST

/* RFC 7323 section 4.3: while the first hole is open every ACK echoes what came before it. */
START_TEST(a_lost_retransmission_is_noticed_by_echoes_from_before_the_hole)
{
    struct harness *h = in_flight(settled(), 12);
    uint32_t ts = h_tsval_at(h, h->now - RTT);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 4)}, .tsecr = ts);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_run(h, 2 * BRAID_MS);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(6, 12), SEGS(1, 4)}, .tsecr = ts);
    h_expect(h, TCP_ACK, AT(4), 1, 2 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(4, 5), SEGS(6, 12), SEGS(1, 4)}, .tsecr = ts);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_LOST_RETRANSMIT], 1);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    ck_assert_uint_eq(h->timeouts, 0);
    h_free(h);
}
END_TEST

/* Section 6.2 step 2: the echo shows that the original was acknowledged. */
START_TEST(an_ack_of_the_original_is_no_news_of_the_retransmission)
{
    struct harness *h = in_flight(settled(), 10);
    uint32_t ts = h_tsval_at(h, h->now - RTT);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 4)}, .tsecr = ts);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_run(h, 5 * BRAID_MS);
    SAY(h, .seq = 1, .ack = AT(4), .tsecr = ts);
    ck_assert_int_eq(h->sf.flight->rack.rtt_us, RTT);
    ck_assert_uint_eq(h->sf.flight->rack.end_seq, AT(4));
    h_free(h);
}
END_TEST

START_TEST(several_holes_are_filled_in_order)
{
    struct harness *h = in_flight(settled(), 20);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(16, 17), SEGS(10, 12), SEGS(1, 2)});
    unsigned first = h->taken;
    h_run(h, BRAID_MS);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(16, 20), SEGS(10, 12), SEGS(1, 2)});
    h_run(h, BRAID_MS);
    SAY(h, .seq = 1, .ack = AT(2), .sack = {SEGS(16, 20), SEGS(10, 12)});
    uint32_t last = 0;
    for (unsigned i = first; i < h->n_out; i++) {
        ck_assert_uint_ge(h->out[i].p.tcp.seq - h->sf.syn.iss, last);
        last = h->out[i].p.tcp.seq - h->sf.syn.iss;
        ck_assert_uint_eq((last - 1) % SEG, 0);
    }
    ck_assert_uint_ge(h->n_out, first + 3);
    h_free(h);
}
END_TEST

/* RFC 8985 section 6.2 step 4 */
START_TEST(dsacks_widen_the_reordering_window)
{
    struct harness *h = in_flight(settled(), 10);

    ck_assert_uint_eq(h->sf.reo_wnd.mult, 1);
    SAY(h, .seq = 1, .ack = AT(4), .sack = {SEGS(1, 2)});
    ck_assert_uint_eq(h->sf.reo_wnd.mult, 2);
    SAY(h, .seq = 1, .ack = AT(5), .sack = {SEGS(2, 3)});
    ck_assert_uint_eq(h->sf.reo_wnd.mult, 2); /* once per round trip */
    ck_assert_int_eq(h->sf.reo_wnd.persist, 16);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_DSACK_RECV], 2);
    SAY(h, .seq = 1, .ack = AT(5), .sack = {SEGS(6, 7)});
    h_run(h, 49 * BRAID_MS); /* 2 * min_RTT / 4 */
    h_nothing(h);
    h_run(h, 2 * BRAID_MS);
    h_expect(h, TCP_ACK, AT(5), 1, SEG);
    h_free(h);
}
END_TEST

/* ---- PRR ---- */

START_TEST(the_window_shrinks_smoothly_to_ssthresh)
{
    struct harness *h = in_flight(settled(), 20);
    uint64_t sent = 0;

    for (unsigned i = 2; i <= 20; i++) {
        unsigned before = h->n_out;

        SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, i)});
        uint64_t n = subflow_space(&h->sf, h->now);
        if (n > 0) {
            h_send_raw(h, (uint32_t)n);
            sent += n;
        }
        if (h->sf.cc.in_recovery)
            ck_assert_uint_le(h->n_out - before, 2);
    }
    /* RecoverFS is 20 (less the two SACKed before), ssthresh 10: about every second ACK lets one segment go.
     */
    ck_assert_uint_ge(sent / SEG, 8);
    ck_assert_uint_le(sent / SEG, 10);
    ck_assert_uint_le(h->sf.flight->board.pipe, 10 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(20));
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    h_free(h);
}
END_TEST

/* ---- TLP ---- */

START_TEST(the_last_segment_is_repeated_when_acks_stay_away)
{
    struct harness *h = settled();

    h_send_raw(h, 3 * SEG);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 3 * SEG);
    h_run(h, 201 * BRAID_MS); /* 2 SRTT + 2 ms */
    h_nothing(h);
    h_run(h, 2 * BRAID_MS);
    h_expect(h, TCP_ACK | TCP_PSH, AT(2), 1, SEG);
    h_nothing(h);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_LOSS_PROBES], 1);
    ck_assert_int_eq(h->sf.tries.kind, REXMIT_RTO);
    /* The SACK of the probe shows that the two before are lost. */
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(2, 3)});
    h_run(h, 26 * BRAID_MS);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(1), .sack = {SEGS(2, 3)});
    h_expect(h, TCP_ACK, AT(1), 1, SEG);
    ck_assert_uint_eq(h->timeouts, 0);
    h_free(h);
}
END_TEST

START_TEST(a_single_segment_is_given_time_for_a_delayed_ack)
{
    struct harness *h = settled();

    h_send_raw(h, 500);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 500);
    /* 2 SRTT + 200 ms would be later than the RTO of 300 ms; then the probe goes at that time. */
    h_run(h, 299 * BRAID_MS);
    h_nothing(h);
    h_run(h, 2 * BRAID_MS);
    h_expect(h, TCP_ACK | TCP_PSH, 1, 1, 500);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_LOSS_PROBES], 1);
    ck_assert_uint_eq(h->timeouts, 0);
    h_run(h, 301 * BRAID_MS);
    ck_assert_uint_eq(h->timeouts, 1);
    h_free(h);
}
END_TEST

/* Section 7.4.2 */
static struct harness *probed(void)
{
    struct harness *h = settled();

    h_send_raw(h, 2 * SEG);
    h_run(h, 210 * BRAID_MS);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_LOSS_PROBES], 1);
    h_send_raw(h, SEG);
    h_run(h, RTT);
    return h;
}

START_TEST(a_probe_that_repaired_a_loss_costs_half_of_the_window)
{
    struct harness *h = probed();

    SAY(h, .seq = 1, .ack = AT(2));
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    SAY(h, .seq = 1, .ack = AT(3));
    ck_assert_uint_eq(h->sf.cc.cwnd, 5 * SEG);
    ck_assert(!h->sf.cc.in_recovery);
    h_free(h);
}
END_TEST

START_TEST(a_probe_that_was_not_needed_costs_nothing)
{
    struct harness *h = probed();

    SAY(h, .seq = 1, .ack = AT(2));
    SAY(h, .seq = 1, .ack = AT(3), .sack = {SEGS(1, 2)});
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    h_free(h);
}
END_TEST

/* ---- RTO ---- */

static struct harness *without_sack(uint32_t n)
{
    struct harness *h = h_new();

    h->sack = false;
    h_passive(h, RTT);
    h->sf.cc.cwnd = (uint64_t)n * SEG;
    h_send_raw(h, n * SEG);
    h->taken = h->n_out;
    return h;
}

START_TEST(the_timeout_doubles_and_one_segment_leaves_each_time)
{
    struct harness *h = without_sack(10);
    braid_time rto = 300 * BRAID_MS, at = h->now; /* SRTT + 4 RTTVAR */

    /* The path may have become one that swallows what is big: packets are of 1500, 1280, then 576 bytes. */
    const uint32_t size[] = {SEG, 1280 - 52, 1280 - 52, 576 - 52, 576 - 52};
    for (unsigned i = 0; i < 5; i++, rto *= 2) {
        at += rto;
        h_run_to(h, at - BRAID_MS);
        h_nothing(h);
        h_run(h, 2 * BRAID_MS);
        h_expect(h, TCP_ACK, 1, 1, size[i]);
        if (i > 0 && size[i] < size[i - 1]) /* the rest of what was one segment before */
            h->taken = h->n_out;
        h_nothing(h);
        ck_assert_uint_eq(h->timeouts, i + 1);
        ck_assert_uint_eq(h->sf.rtt.backoff, i + 1);
        ck_assert_uint_le(h->sf.cc.cwnd, SEG);
        ck_assert_uint_eq(h->sf.cc.ssthresh, 5 * SEG); /* once, RFC 5681 section 3.1 */
    }
    ck_assert_uint_eq(subflow_space(&h->sf, h->now), 0);
    h_free(h);
}
END_TEST

START_TEST(after_a_timeout_slow_start_repairs)
{
    struct harness *h = without_sack(10);

    h_run(h, 301 * BRAID_MS);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(1));
    h_expect(h, TCP_ACK, AT(1), 1, 2 * SEG);
    ck_assert_uint_eq(h->sf.rtt.backoff, 0); /* the timestamp gave a sample */
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(3));
    h_expect(h, TCP_ACK, AT(3), 1, 4 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(7));
    h_expect(h, TCP_ACK | TCP_PSH, AT(7), 1, 3 * SEG);
    h_nothing(h);
    SAY(h, .seq = 1, .ack = AT(10));
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, 5 * SEG); /* ssthresh: the algorithm goes on from here */
    h_free(h);
}
END_TEST

START_TEST(retransmission_begins_in_the_middle_of_a_super_packet)
{
    struct harness *h = without_sack(10);

    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(3) + 7);
    h_run(h, 301 * BRAID_MS);
    h_expect(h, TCP_ACK, AT(3) + 7, 1, SEG - 7);
    SAY(h, .seq = 1, .ack = AT(4));
    h_expect(h, TCP_ACK, AT(4), 1, SEG);
    h_free(h);
}
END_TEST

START_TEST(a_peer_that_drops_what_it_sacked_gets_it_again)
{
    struct harness *h = in_flight(settled(), 4);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(0, 1)}); /* absurd, but it happens: reneging */
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 4)});
    h_run(h, 310 * BRAID_MS);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 0);
    h_free(h);
}
END_TEST

/* ---- without SACK: RFC 6582 ---- */

START_TEST(three_duplicate_acks_start_recovery_and_partial_acks_go_on)
{
    struct harness *h = without_sack(10);

    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(1));
    SAY(h, .seq = 1, .ack = AT(1));
    SAY(h, .seq = 1, .ack = AT(1));
    h_nothing(h);
    SAY(h, .seq = 1, .ack = AT(1));
    h_expect(h, TCP_ACK, AT(1), 1, SEG);
    ck_assert(h->sf.cc.in_recovery);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(5));
    h_expect(h, TCP_ACK, AT(5), 1, SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(10));
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, 5 * SEG);
    h_free(h);
}
END_TEST

/* RFC 8684 section 3.3.4 */
START_TEST(acks_that_carry_mptcp_signals_are_no_duplicates)
{
    struct harness *h = without_sack(10);

    h_run(h, RTT);
    for (unsigned i = 0; i < 5; i++)
        SAY(h, .seq = 1, .ack = 1, .mp_prio = 1);
    h_nothing(h);
    ck_assert(!h->sf.cc.in_recovery);
    h_free(h);
}
END_TEST

/* ---- undo ---- */

START_TEST(a_recovery_is_undone_when_all_of_it_was_duplicate)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 4)});
    h_expect(h, TCP_ACK, 1, 1, SEG);
    h_run(h, BRAID_MS);
    SAY(h, .seq = 1, .ack = AT(10)); /* it was only late */
    ck_assert_uint_eq(h->sf.cc.cwnd, 5 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(10), .sack = {SEGS(0, 1)});
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    ck_assert_uint_eq(h->sf.cc.ssthresh, CC_SSTHRESH_INFINITE);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_DSACK_UNDO], 1);
    h_free(h);
}
END_TEST

START_TEST(a_recovery_is_not_undone_by_a_part_of_it)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(2, 6)});
    h_expect(h, TCP_ACK, 1, 1, SEG);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(2, 8)});
    h_expect(h, TCP_ACK, AT(1), 1, SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = AT(10));
    SAY(h, .seq = 1, .ack = AT(10), .sack = {SEGS(0, 1)});
    ck_assert_uint_eq(h->sf.cc.cwnd, 5 * SEG);
    SAY(h, .seq = 1, .ack = AT(10), .sack = {SEGS(1, 2)});
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    h_free(h);
}
END_TEST

/* RFC 3522: the ACK echoes the original. */
START_TEST(a_spurious_timeout_is_undone_by_timestamps)
{
    struct harness *h = without_sack(10);
    uint32_t ts = h_last_tsval(h);

    h_run(h, 301 * BRAID_MS);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    ck_assert_uint_eq(h->sf.flight->board.lost_bytes, 9 * SEG);
    h_run(h, 50 * BRAID_MS);
    SAY(h, .seq = 1, .ack = AT(2), .tsecr = ts);
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, 10 * SEG);
    ck_assert_uint_eq(h->sf.flight->board.lost_bytes, 0);
    ck_assert_uint_eq(h->sf.flight->board.pipe, 8 * SEG);
    ck_assert_uint_eq(h->sf.rtt.backoff, 0);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_SPURIOUS_RTOS], 1);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(a_true_timeout_is_not_undone)
{
    struct harness *h = without_sack(10);

    h_run(h, 301 * BRAID_MS);
    h_run(h, 50 * BRAID_MS);
    SAY(h, .seq = 1, .ack = AT(1));
    ck_assert(h->sf.flight->recovery.by_rto);
    ck_assert_uint_eq(h->env.count.v[COUNT_TCP_SPURIOUS_RTOS], 0);
    h_free(h);
}
END_TEST

/* ---- hostile ---- */

START_TEST(absurd_blocks_are_ignored)
{
    struct harness *h = in_flight(settled(), 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {{AT(5), AT(11)}});
    SAY(h, .seq = 1, .ack = 1, .sack = {{AT(6), AT(5)}});
    SAY(h, .seq = 1, .ack = 1, .sack = {{AT(2) + (UINT64_C(1) << 31), AT(3)}});
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 0);
    h_nothing(h);
    h_free(h);
}
END_TEST

START_TEST(the_scoreboard_does_not_grow_without_bounds)
{
    struct harness *h = settled();

    h->sf.cc.cwnd = 1 << 20;
    ck_assert_uint_eq(h_send(h, 60000, 1 << 16), 60000);
    h->sf.reo_wnd.reordering_seen = true;
    for (uint64_t off = 3; off < 60000; off += 2) {
        struct buf *b;
        struct say s = {.seq = 1, .ack = 1, .sack = {{off, off + 1}}};
        struct wire_packet p = h_packet(h, &s, &b);

        subflow_input(&h->sf, &p, b, 0, h->now);
        buf_unref(b);
    }
    subflow_check(&h->sf);
    ck_assert_uint_le(h->sf.flight->board.n_sent, 16384);
    SAY(h, .seq = 1, .ack = 60001);
    ck_assert_uint_eq(h->sf.flight->board.n_sent, 0);
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 0);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp loss");
    TCase *tc = tcase_create("rack");

    tcase_add_test(tc, three_sacked_segments_make_the_hole_lost_at_once);
    tcase_add_test(tc, one_sacked_segment_makes_the_hole_lost_after_the_reordering_window);
    tcase_add_test(tc, a_reordered_segment_is_not_retransmitted);
    tcase_add_test(tc, a_lost_retransmission_is_noticed);
    tcase_add_test(tc, a_lost_retransmission_is_noticed_by_echoes_from_before_the_hole);
    tcase_add_test(tc, an_ack_of_the_original_is_no_news_of_the_retransmission);
    tcase_add_test(tc, several_holes_are_filled_in_order);
    tcase_add_test(tc, dsacks_widen_the_reordering_window);
    tcase_add_test(tc, the_window_shrinks_smoothly_to_ssthresh);
    suite_add_tcase(s, tc);
    tc = tcase_create("tlp");
    tcase_add_test(tc, the_last_segment_is_repeated_when_acks_stay_away);
    tcase_add_test(tc, a_single_segment_is_given_time_for_a_delayed_ack);
    tcase_add_test(tc, a_probe_that_repaired_a_loss_costs_half_of_the_window);
    tcase_add_test(tc, a_probe_that_was_not_needed_costs_nothing);
    suite_add_tcase(s, tc);
    tc = tcase_create("rto");
    tcase_add_test(tc, the_timeout_doubles_and_one_segment_leaves_each_time);
    tcase_add_test(tc, after_a_timeout_slow_start_repairs);
    tcase_add_test(tc, retransmission_begins_in_the_middle_of_a_super_packet);
    tcase_add_test(tc, a_peer_that_drops_what_it_sacked_gets_it_again);
    tcase_add_test(tc, three_duplicate_acks_start_recovery_and_partial_acks_go_on);
    tcase_add_test(tc, acks_that_carry_mptcp_signals_are_no_duplicates);
    suite_add_tcase(s, tc);
    tc = tcase_create("undo");
    tcase_add_test(tc, a_recovery_is_undone_when_all_of_it_was_duplicate);
    tcase_add_test(tc, a_recovery_is_not_undone_by_a_part_of_it);
    tcase_add_test(tc, a_spurious_timeout_is_undone_by_timestamps);
    tcase_add_test(tc, a_true_timeout_is_not_undone);
    suite_add_tcase(s, tc);
    tc = tcase_create("hostile");
    tcase_add_test(tc, absurd_blocks_are_ignored);
    tcase_add_test(tc, the_scoreboard_does_not_grow_without_bounds);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
