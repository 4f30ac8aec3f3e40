/* Path manager on-demand and what the user expects (src/pm/on_demand.c; REQ9 of RFC 6897). Round trips take
 * 20 ms, 65,536 bytes are a bunch. */
#include "pm_view.h"

static void expect(uint64_t bytes, braid_time time, uint64_t rate)
{
    setup("on-demand", 2, 1);
    view.expected = (struct pm_expected){.bytes = bytes, .time = time, .rate = rate};
    ask();
}

static unsigned opened(void)
{
    return planned(PM_OPEN);
}

static void waits_too_long(void)
{
    view.waited = 3 * view.rtt_us;
    ask();
}

static void has_carried(uint64_t bytes)
{
    view.bytes = bytes;
    ask();
}

START_TEST(much_that_is_expected_is_a_reason_at_once)
{
    expect(65536, 0, 0);
    ck_assert_uint_eq(opened(), 1);
    expect(0, 2 * BRAID_SECOND, 1000000);
    ck_assert_uint_eq(opened(), 1);
    expect(0, 0, 1000000); /* that alone is said of a second at least */
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

START_TEST(what_waits_is_no_reason_if_little_is_expected)
{
    if (_i == 0)
        expect(65535, 0, 0);
    else
        expect(0, 50 * BRAID_MS, 1000000);
    ck_assert(opened() == 0 && plan.wake_waited == 0 && plan.wake_bytes == 65536);
    waits_too_long();
    ck_assert_uint_eq(opened(), 0);
    has_carried(65536); /* it was wrong */
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

/* It is over before a join is of use, how much it may be. */
START_TEST(nor_is_what_is_to_come_if_the_time_is_short)
{
    expect(1000000, 59 * BRAID_MS, 0);
    ck_assert_uint_eq(opened(), 0);
    waits_too_long();
    ck_assert_uint_eq(opened(), 0);
    expect(1000000, 60 * BRAID_MS, 0);
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

/* 14,600 bytes in a round trip are what a connection begins with. */
START_TEST(how_much_comes_slowly_is_no_reason_before_it_waits)
{
    expect(1000000000, 3600 * BRAID_SECOND, 730000);
    ck_assert(opened() == 0 && plan.wake_bytes == 0 && plan.wake_waited == 60000);
    has_carried(100000000);
    ck_assert_uint_eq(opened(), 0);
    waits_too_long();
    ck_assert_uint_eq(opened(), 1);
    expect(1000000000, 3600 * BRAID_SECOND, 730001);
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

START_TEST(silence_is_a_reason_whatever_is_expected)
{
    if (_i == 0)
        expect(1000, 0, 0);
    else
        expect(0, 0, 1000);
    ck_assert_uint_eq(opened(), 0);
    subflows[0].stale = true;
    ask();
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

START_TEST(a_time_alone_says_little_and_large_numbers_do_no_harm)
{
    expect(0, 3600 * BRAID_SECOND, 0);
    ck_assert(opened() == 0 && plan.wake_bytes == 65536 && plan.wake_waited == 60000);
    expect(0, INT64_MAX, INT64_MAX);
    ck_assert_uint_eq(opened(), 1);
    expect(INT64_MAX, INT64_MAX, 0);
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

/* Without a sample of the round trip nobody knows what is slow or brief. */
START_TEST(what_depends_on_round_trips_waits_for_one)
{
    setup("on-demand", 2, 1);
    view.rtt_us = 0;
    view.expected = (struct pm_expected){.time = 1, .rate = 1};
    view.bytes = 65536;
    ask();
    ck_assert_uint_eq(opened(), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("what is expected");
    TCase *t = tcase_create("on-demand");
    tcase_add_test(t, much_that_is_expected_is_a_reason_at_once);
    tcase_add_loop_test(t, what_waits_is_no_reason_if_little_is_expected, 0, 2);
    tcase_add_test(t, nor_is_what_is_to_come_if_the_time_is_short);
    tcase_add_test(t, how_much_comes_slowly_is_no_reason_before_it_waits);
    tcase_add_loop_test(t, silence_is_a_reason_whatever_is_expected, 0, 2);
    tcase_add_test(t, a_time_alone_says_little_and_large_numbers_do_no_harm);
    tcase_add_test(t, what_depends_on_round_trips_waits_for_one);
    suite_add_tcase(s, t);
    return run_suite(s);
}
