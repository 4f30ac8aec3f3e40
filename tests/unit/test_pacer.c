/* The pacer: average rate, lateness, bursts. */
#include <check.h>
#include <stdlib.h>

#include "tcp/pacer.h"
#include "suite.h"

#define MSS 1460u

static struct pacer p;

static void setup(void)
{
    pacer_init(&p);
}

START_TEST(without_a_rate_it_is_always_ready)
{
    ck_assert(pacer_ready(&p, 0));
    pacer_sent(&p, 1u << 30, 0, 0);
    ck_assert(pacer_ready(&p, 0));
    ck_assert_uint_eq(pacer_quantum(&p, MSS), 43 * MSS);
}
END_TEST

START_TEST(a_burst_costs_its_time)
{
    pacer_set_rate(&p, 1000000);
    pacer_sent(&p, 10000, 0, 0); /* 10 ms, of which 2 ms are the credit of an idle start */
    ck_assert(!pacer_ready(&p, 7999));
    ck_assert(pacer_ready(&p, 8000));
    ck_assert_int_eq(p.next, 8000);
}
END_TEST

/* At 1 MB/s 5 ms of the schedule, of which 2 ms would be made up for anyway. */
START_TEST(bytes_that_may_leave_ahead_do_so_at_once)
{
    pacer_set_rate(&p, 1000000);
    pacer_sent(&p, 2500, 5000, 0);
    ck_assert(pacer_ready(&p, 0));
    pacer_sent(&p, 2500, 5000, 0);
    ck_assert(pacer_ready(&p, 0));
    pacer_sent(&p, 1000, 5000, 0);
    ck_assert_int_eq(p.next, 1000);
    ck_assert(!pacer_ready(&p, 999));
    pacer_sent(&p, 1000, 5000, 3000); /* 2 ms behind the schedule */
    ck_assert_int_eq(p.next, 2000);
    pacer_sent(&p, 1000, 5000, 60000); /* idle: not more than 5000 bytes are made up for */
    ck_assert_int_eq(p.next, 56000);
}
END_TEST

/* Sends whenever ready, with a timer that fires late by the given time at most, and returns bytes per second.
 */
static double run_paced(uint64_t rate, int64_t lateness, braid_time duration, bool wiggle)
{
    uint64_t sent = 0;
    unsigned n = 0;
    braid_time now = 0;
    pacer_set_rate(&p, rate);
    while (now < duration) {
        ck_assert(pacer_ready(&p, now));
        uint64_t burst = pacer_quantum(&p, MSS);
        pacer_sent(&p, burst, 0, now);
        sent += burst;
        if (wiggle)
            pacer_set_rate(&p, rate + n % 2);
        if (pacer_ready(&p, now))
            continue;
        now = p.next + (lateness ? (int64_t)(n++ * 7919u % (uint64_t)(lateness + 1)) : 0);
    }
    return (double)sent * 1e6 / (double)now;
}

START_TEST(average_rate_holds_from_slow_to_fast)
{
    static const uint64_t rates[] = {10000, 125000, 6250000, 1234567890, 2500000000};
    for (unsigned i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        setup();
        double got = run_paced(rates[i], 0, 10 * BRAID_SECOND, false);
        ck_assert_double_eq_tol(got / (double)rates[i], 1.0, 0.001);
    }
}
END_TEST

START_TEST(late_timers_do_not_lower_the_average)
{
    double got = run_paced(6250000, PACER_SLACK, 10 * BRAID_SECOND, false);
    ck_assert_double_eq_tol(got / 6250000, 1.0, 0.001);
}
END_TEST

START_TEST(rate_changes_do_not_lose_the_remainder)
{
    double got = run_paced(1234567890, 50, 10 * BRAID_SECOND, true);
    ck_assert_double_eq_tol(got / 1234567890, 1.0, 0.001);
}
END_TEST

START_TEST(idle_time_is_not_made_up_for)
{
    uint64_t sent = 0;
    pacer_set_rate(&p, 1000000);
    pacer_sent(&p, 2000, 0, 0);
    braid_time now = 10 * BRAID_SECOND;
    while (pacer_ready(&p, now)) {
        pacer_sent(&p, 1000, 0, now);
        sent += 1000;
    }
    /* 2 ms of credit at 1 byte/us, and the burst that uses it up may overdraw by one. */
    ck_assert_uint_ge(sent, 2000);
    ck_assert_uint_le(sent, 3000);
}
END_TEST

START_TEST(quantum_is_whole_segments_between_two_and_a_super_packet)
{
    pacer_set_rate(&p, 1);
    ck_assert_uint_eq(pacer_quantum(&p, MSS), 2 * MSS);
    pacer_set_rate(&p, 2000000);
    ck_assert_uint_eq(pacer_quantum(&p, MSS), 2 * MSS);
    pacer_set_rate(&p, 6250000); /* 50 Mbit/s: 6,250 bytes per ms */
    ck_assert_uint_eq(pacer_quantum(&p, MSS), 4 * MSS);
    pacer_set_rate(&p, UINT64_MAX);
    ck_assert_uint_eq(pacer_quantum(&p, MSS), 43 * MSS);
    ck_assert_uint_eq(pacer_quantum(&p, 40000), 40000);
    ck_assert_uint_eq(pacer_quantum(&p, 65483), 65483);
}
END_TEST

START_TEST(extreme_rates_and_bursts_stay_in_range)
{
    pacer_set_rate(&p, 1);
    for (int i = 0; i < 1000; i++)
        pacer_sent(&p, UINT64_MAX, 0, 0);
    ck_assert_int_gt(p.next, 0);
    ck_assert_int_le(p.next, 1000 * 60 * BRAID_SECOND);
    setup();
    pacer_set_rate(&p, UINT64_MAX);
    ck_assert_uint_eq(p.rate, PACER_RATE_MAX);
    pacer_sent(&p, UINT64_MAX, 0, 0);
    ck_assert_int_eq(p.next, 60 * BRAID_SECOND - PACER_SLACK);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pacer");
    TCase *t = tcase_create("pacer");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, without_a_rate_it_is_always_ready);
    tcase_add_test(t, a_burst_costs_its_time);
    tcase_add_test(t, bytes_that_may_leave_ahead_do_so_at_once);
    tcase_add_test(t, average_rate_holds_from_slow_to_fast);
    tcase_add_test(t, late_timers_do_not_lower_the_average);
    tcase_add_test(t, rate_changes_do_not_lose_the_remainder);
    tcase_add_test(t, idle_time_is_not_made_up_for);
    tcase_add_test(t, quantum_is_whole_segments_between_two_and_a_super_packet);
    tcase_add_test(t, extreme_rates_and_bursts_stay_in_range);
    suite_add_tcase(s, t);
    return run_suite(s);
}
