/* Proportional rate reduction: the examples of RFC 6937 section 3.1, and its bounds. */
#include <check.h>
#include <stdlib.h>

#include "tcp/prr.h"
#include "suite.h"

#define MSS 1000u

/* The figures count in segments, so a segment is one byte long in their tests. */
static unsigned send_segments(struct prr *p, uint64_t allowed)
{
    prr_on_sent(p, allowed);
    return (unsigned)allowed;
}

/* RFC 6937, first figure. Segment 0 of 20 is lost; ACKs 1 and 2 let two new segments go (limited transmit),
 * so that FlightSize is 22 and ssthresh 11 (the cwnd row for RFC 6675) when ACK 3 begins recovery. */
START_TEST(single_loss_sends_what_the_figure_of_rfc6937_shows)
{
    static const unsigned pipe_seen[] = {18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 11, 10, 10};
    static const unsigned sent[] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1};
    struct prr p;
    unsigned pipe = 19; /* after ACK 3 took one segment and before the lost one is taken off */

    prr_begin(&p, 22, 11);
    for (unsigned i = 0; i < 17; i++) {
        pipe--;
        ck_assert_uint_eq(pipe, pipe_seen[i]);
        unsigned n = send_segments(&p, prr_on_ack(&p, 1, pipe, false, i == 0, 1));
        ck_assert_msg(n == sent[i], "ACK %u: %u sent, %u expected", i + 3, n, sent[i]);
        pipe += n;
    }
    ck_assert_uint_eq(pipe, 11);
}
END_TEST

/* Second figure: 15 of 20 lost, pipe falls to 4, far below ssthresh. */
static void burst_loss(bool safe, const unsigned *pipe_seen, unsigned each)
{
    struct prr p;
    unsigned pipe = 5;

    prr_begin(&p, 22, 10);
    for (unsigned i = 0; i < 3; i++) {
        pipe--;
        ck_assert_uint_eq(pipe, pipe_seen[i]);
        unsigned n = send_segments(&p, prr_on_ack(&p, 1, pipe, safe, !safe, 1));
        ck_assert_uint_eq(n, each);
        pipe += n;
    }
}

START_TEST(burst_loss_without_progress_keeps_the_conservative_bound)
{
    burst_loss(false, (const unsigned[]){4, 4, 4}, 1);
}
END_TEST

START_TEST(burst_loss_with_progress_takes_the_slow_start_bound)
{
    burst_loss(true, (const unsigned[]){4, 5, 6}, 2);
}
END_TEST

START_TEST(progress_with_new_losses_stays_conservative)
{
    struct prr p;
    prr_begin(&p, 20 * MSS, 10 * MSS);
    prr_on_sent(&p, MSS);
    ck_assert_uint_eq(prr_on_ack(&p, MSS, 4 * MSS, true, true, MSS), MSS);
    ck_assert_uint_eq(prr_on_ack(&p, MSS, 4 * MSS, true, false, MSS), 2 * MSS);
}
END_TEST

START_TEST(first_retransmission_always_goes_out)
{
    struct prr p;
    prr_begin(&p, 20 * MSS, 10 * MSS);
    ck_assert_uint_ge(prr_on_ack(&p, 0, 20 * MSS, false, true, MSS), MSS);
    ck_assert_uint_ge(prr_on_ack(&p, 1, 20 * MSS, false, true, MSS), MSS);
    prr_on_sent(&p, MSS);
    ck_assert_uint_eq(prr_on_ack(&p, 0, 20 * MSS, false, true, MSS), 0);
}
END_TEST

START_TEST(allowance_not_used_is_kept)
{
    struct prr p;
    prr_begin(&p, 20 * MSS, 10 * MSS);
    for (unsigned i = 0; i < 6; i++)
        prr_on_ack(&p, MSS, 15 * MSS, false, false, MSS);
    ck_assert_uint_eq(prr_on_ack(&p, 0, 15 * MSS, false, false, MSS), 3 * MSS);
}
END_TEST

START_TEST(an_ack_without_new_delivery_gets_no_slow_start_credit)
{
    struct prr p;
    prr_begin(&p, 20 * MSS, 10 * MSS);
    prr_on_sent(&p, MSS);
    ck_assert_uint_eq(prr_on_ack(&p, MSS, 4 * MSS, false, false, MSS), MSS);
    prr_on_sent(&p, MSS);
    ck_assert_uint_eq(prr_on_ack(&p, 0, 4 * MSS, true, false, MSS), 0);
}
END_TEST

/* Strong packet conservation (RFC 6937 section 4): whatever the ACKs look like, without progress no more
 * leaves than was delivered (but for the first retransmission), and pipe is never driven above ssthresh from
 * below. */
START_TEST(no_sequence_of_acks_breaks_the_bounds)
{
    uint64_t x = 88172645463325252u;
    for (unsigned run = 0; run < 2000; run++) {
        struct prr p;
        uint64_t flight = 1 + x % (1u << 24), ssthresh = 2 * MSS + x % flight;
        prr_begin(&p, flight, ssthresh);
        for (unsigned i = 0; i < 50; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            uint64_t pipe = x % (2 * ssthresh), newly = (x >> 32) % (5 * MSS);
            bool first = p.out == 0;
            uint64_t n = prr_on_ack(&p, newly, pipe, false, false, MSS);
            if (pipe <= ssthresh && !first)
                ck_assert_uint_le(pipe + n, ssthresh);
            if (pipe > ssthresh && !first && ssthresh <= flight)
                ck_assert_uint_le(n, p.delivered);
            prr_on_sent(&p, n);
        }
    }
}
END_TEST

START_TEST(huge_and_empty_flights_do_not_overflow)
{
    struct prr p;
    prr_begin(&p, UINT64_MAX / 2, UINT64_MAX / 4);
    ck_assert_uint_eq(prr_on_ack(&p, UINT64_MAX / 4, UINT64_MAX / 2, false, false, MSS),
                      (uint64_t)1 << 40); /* the most that any window is */
    prr_begin(&p, 0, 2 * MSS);
    ck_assert_uint_eq(prr_on_ack(&p, MSS, 3 * MSS, false, false, MSS), (uint64_t)MSS * 2 * MSS);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prr");
    TCase *t = tcase_create("rfc6937");
    tcase_add_test(t, single_loss_sends_what_the_figure_of_rfc6937_shows);
    tcase_add_test(t, burst_loss_without_progress_keeps_the_conservative_bound);
    tcase_add_test(t, burst_loss_with_progress_takes_the_slow_start_bound);
    tcase_add_test(t, progress_with_new_losses_stays_conservative);
    tcase_add_test(t, first_retransmission_always_goes_out);
    tcase_add_test(t, allowance_not_used_is_kept);
    tcase_add_test(t, an_ack_without_new_delivery_gets_no_slow_start_credit);
    tcase_add_test(t, no_sequence_of_acks_breaks_the_bounds);
    tcase_add_test(t, huge_and_empty_flights_do_not_overflow);
    suite_add_tcase(s, t);
    return run_suite(s);
}
