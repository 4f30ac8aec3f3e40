/* The scheduler ecf: its two conditions, the hysteresis, and when it does not wait. */
#include "sched_view.h"

extern const struct sched_ops sched_ecf;

/* The example of the paper's introduction: a fast path of 10 ms that takes 10 segments, and a slow one of
 * 100 ms; one of 10 packets could go at once over the slow path, but is earlier over the fast one. */
static void fast_is_full(uint64_t unsent)
{
    setup_paths(&sched_ecf, 2);
    path[0].srtt_us = 10000;
    path[1].srtt_us = 100000;
    path[0].cwnd = path[1].cwnd = 10 * MSS;
    fill(0);
    drain(1);
    view.unsent = unsent;
}

START_TEST(waits_when_the_fast_path_alone_ends_earlier)
{
    fast_is_full(MSS);
    ck_assert_int_eq(pick(), -1);
    drain(0);
    ck_assert_int_eq(pick(), 0);
}
END_TEST

/* n * RTT_F < RTT_S with n = 1 + k / cwnd_F: for k below 9 windows. */
START_TEST(uses_both_when_there_is_more_than_the_fast_path_takes_in_a_slow_round_trip)
{
    fast_is_full(90 * MSS - 1);
    ck_assert_int_eq(pick(), -1);
    fast_is_full(90 * MSS);
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(whoever_waits_goes_on_waiting_up_to_a_quarter_more)
{
    fast_is_full(90 * MSS - 1);
    ck_assert_int_eq(pick(), -1);
    view.unsent = 115 * MSS - 1; /* (1 + k / cwnd) * 10 ms < 125 ms */
    ck_assert_int_eq(pick(), -1);
    view.unsent = 115 * MSS;
    ck_assert_int_eq(pick(), 1);
    view.unsent = 115 * MSS - 1; /* the bonus is gone */
    ck_assert_int_eq(pick(), 1);
    view.unsent = 90 * MSS - 1;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(the_spread_of_round_trip_times_counts_for_waiting)
{
    fast_is_full(100 * MSS);
    ck_assert_int_eq(pick(), 1);
    path[1].rttvar_us = 20000;
    ck_assert_int_eq(pick(), -1);
    fast_is_full(100 * MSS);
    path[0].rttvar_us = 20000;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

/* The second condition: the slow path is through before the fast one has room again. */
START_TEST(uses_a_slow_path_that_is_hardly_slower)
{
    fast_is_full(MSS);
    path[1].srtt_us = 20000;
    path[0].cwnd = 1000 * MSS;
    fill(0);
    ck_assert_int_eq(pick(), 1); /* even a single window takes two fast round trips: not below 20 ms */
    path[1].srtt_us = 20001;
    ck_assert_int_eq(pick(), -1);
    path[1].rttvar_us = 100; /* widens the first condition, and narrows the second */
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(does_not_wait_for_a_fast_path_that_is_unusable_idle_or_silent)
{
    fast_is_full(MSS);
    path[0].usable = false;
    ck_assert_int_eq(pick(), 1);
    path[0].usable = true;
    path[0].in_flight = 0;
    ck_assert_int_eq(pick(), 1);
    fill(0);
    ck_assert_int_eq(pick(), -1);
    view.now += 2 * path[0].srtt_us + 1;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(a_path_of_unknown_round_trip_time_is_tried)
{
    fast_is_full(MSS);
    path[1].srtt_us = 0;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(reinjections_do_not_wait)
{
    fast_is_full(MSS);
    view.tried = 1;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

/* The longest timeouts and the largest buffers: products must not overflow. */
START_TEST(the_largest_values_are_compared_rightly)
{
    fast_is_full(UINT64_C(1) << 33);
    path[0].srtt_us = 60 * BRAID_SECOND;
    path[1].srtt_us = 120 * BRAID_SECOND;
    path[0].cwnd = path[1].cwnd = UINT64_C(1) << 30;
    fill(0);
    drain(1);
    ck_assert_int_eq(pick(), 1); /* nine rounds of a minute are longer than two minutes */
    view.unsent = 1;
    path[1].srtt_us += 1;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ecf");
    TCase *t = tcase_create("ecf");
    tcase_add_test(t, waits_when_the_fast_path_alone_ends_earlier);
    tcase_add_test(t, uses_both_when_there_is_more_than_the_fast_path_takes_in_a_slow_round_trip);
    tcase_add_test(t, whoever_waits_goes_on_waiting_up_to_a_quarter_more);
    tcase_add_test(t, the_spread_of_round_trip_times_counts_for_waiting);
    tcase_add_test(t, uses_a_slow_path_that_is_hardly_slower);
    tcase_add_test(t, does_not_wait_for_a_fast_path_that_is_unusable_idle_or_silent);
    tcase_add_test(t, a_path_of_unknown_round_trip_time_is_tried);
    tcase_add_test(t, reinjections_do_not_wait);
    tcase_add_test(t, the_largest_values_are_compared_rightly);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
