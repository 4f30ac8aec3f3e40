/* RFC 6298: the retransmission timeout. */
#include <check.h>
#include <stdlib.h>

#include "tcp/rtt.h"
#include "suite.h"

static struct rtt r;

static void setup(void)
{
    rtt_init(&r);
}

START_TEST(timeout_is_one_second_before_any_sample)
{
    ck_assert_int_eq(rtt_rto(&r), 1000000);
}
END_TEST

START_TEST(first_sample_sets_srtt_and_half_of_it_as_variance)
{
    rtt_sample(&r, 300000, 0);
    ck_assert_int_eq(r.srtt_us, 300000);
    ck_assert_int_eq(r.rttvar_us, 150000);
    ck_assert_int_eq(rtt_rto(&r), 300000 + 4 * 150000);
}
END_TEST

START_TEST(later_samples_update_variance_before_srtt)
{
    rtt_sample(&r, 400000, 0);
    rtt_sample(&r, 800000, 1);
    /* RTTVAR = 3/4 * 200 + 1/4 * |400 - 800| = 250 ms; SRTT = 7/8 * 400 + 1/8 * 800 = 450 ms. */
    ck_assert_int_eq(r.rttvar_us, 250000);
    ck_assert_int_eq(r.srtt_us, 450000);
    ck_assert_int_eq(rtt_rto(&r), 1450000);
    rtt_sample(&r, 50000, 2);
    /* RTTVAR = 3/4 * 250 + 1/4 * 400 = 287.5 ms; SRTT = 7/8 * 450 + 1/8 * 50 = 400 ms. */
    ck_assert_int_eq(r.rttvar_us, 287500);
    ck_assert_int_eq(r.srtt_us, 400000);
}
END_TEST

START_TEST(variation_counts_at_least_the_clock_granularity)
{
    for (int i = 0; i < 100; i++)
        rtt_sample(&r, 500000, i);
    ck_assert_int_lt(r.rttvar_us, 250);
    ck_assert_int_eq(rtt_rto(&r), 501000);
}
END_TEST

START_TEST(timeout_has_a_floor_of_200_ms)
{
    for (int i = 0; i < 100; i++)
        rtt_sample(&r, 1000, i);
    ck_assert_int_eq(rtt_rto(&r), 200000);
}
END_TEST

START_TEST(timeout_has_a_ceiling_of_60_s)
{
    rtt_sample(&r, 50 * BRAID_SECOND, 0);
    ck_assert_int_eq(rtt_rto(&r), 60000000);
}
END_TEST

START_TEST(backoff_doubles_up_to_the_ceiling_and_never_wraps)
{
    rtt_sample(&r, 100000, 0);
    int64_t expected = 300000;
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(rtt_rto(&r), expected);
        rtt_backoff(&r);
        expected = expected * 2 < 60000000 ? expected * 2 : 60000000;
    }
}
END_TEST

START_TEST(backoff_applies_to_the_initial_timeout_too)
{
    rtt_backoff(&r);
    rtt_backoff(&r);
    ck_assert_int_eq(rtt_rto(&r), 4000000);
}
END_TEST

START_TEST(a_sample_ends_the_backoff)
{
    rtt_sample(&r, 100000, 0);
    rtt_backoff(&r);
    rtt_backoff(&r);
    rtt_sample(&r, 100000, 1);
    ck_assert_uint_eq(r.backoff, 0);
    /* RTTVAR = 3/4 * 50 ms. */
    ck_assert_int_eq(rtt_rto(&r), 100000 + 4 * 37500);
}
END_TEST

START_TEST(absurd_samples_are_clamped)
{
    rtt_sample(&r, -5, 0);
    ck_assert_int_eq(r.srtt_us, 1);
    rtt_sample(&r, INT64_MAX, 1);
    rtt_sample(&r, INT64_MIN, 2);
    rtt_sample(&r, 0, 3);
    ck_assert_int_ge(r.srtt_us, 1);
    ck_assert_int_le(r.srtt_us, RTT_RTO_MAX);
    ck_assert_int_ge(rtt_rto(&r), RTT_RTO_MIN);
    ck_assert_int_le(rtt_rto(&r), RTT_RTO_MAX);
}
END_TEST

START_TEST(minimum_is_kept_for_ten_seconds)
{
    rtt_sample(&r, 20000, 0);
    rtt_sample(&r, 30000, 5 * BRAID_SECOND);
    ck_assert_int_eq(r.min_rtt_us, 20000);
    rtt_sample(&r, 10000, 6 * BRAID_SECOND);
    ck_assert_int_eq(r.min_rtt_us, 10000);
    rtt_sample(&r, 30000, 16 * BRAID_SECOND);
    ck_assert_int_eq(r.min_rtt_us, 10000);
    rtt_sample(&r, 30000, 16 * BRAID_SECOND + 1);
    ck_assert_int_eq(r.min_rtt_us, 30000);
}
END_TEST

START_TEST(repeating_the_minimum_renews_it)
{
    rtt_sample(&r, 10000, 0);
    rtt_sample(&r, 10000, 8 * BRAID_SECOND);
    rtt_sample(&r, 30000, 15 * BRAID_SECOND);
    ck_assert_int_eq(r.min_rtt_us, 10000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rtt");
    TCase *t = tcase_create("rfc6298");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, timeout_is_one_second_before_any_sample);
    tcase_add_test(t, first_sample_sets_srtt_and_half_of_it_as_variance);
    tcase_add_test(t, later_samples_update_variance_before_srtt);
    tcase_add_test(t, variation_counts_at_least_the_clock_granularity);
    tcase_add_test(t, timeout_has_a_floor_of_200_ms);
    tcase_add_test(t, timeout_has_a_ceiling_of_60_s);
    tcase_add_test(t, backoff_doubles_up_to_the_ceiling_and_never_wraps);
    tcase_add_test(t, backoff_applies_to_the_initial_timeout_too);
    tcase_add_test(t, a_sample_ends_the_backoff);
    tcase_add_test(t, absurd_samples_are_clamped);
    tcase_add_test(t, minimum_is_kept_for_ten_seconds);
    tcase_add_test(t, repeating_the_minimum_renews_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
