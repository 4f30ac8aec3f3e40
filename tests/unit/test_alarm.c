/* io/alarm: one deadline in a poller. */
#include <check.h>
#include <event2/event.h>
#include "io/alarm.h"
#include "io/clock.h"
#include "io/poller.h"
#include "suite.h"

#define LATER (20 * BRAID_MS)

static struct event_base *base;
static struct poller *poller;
static struct alarm *ours, *other;
static unsigned rung, other_rung;

static void ring(void *arg)
{
    ++*(unsigned *)arg;
}

static void setup(void)
{
    base = event_base_new();
    poller = poller_new(base, NULL);
    ours = alarm_new(poller, ring, &rung);
    other = alarm_new(poller, ring, &other_rung);
    ck_assert(ours && other);
    rung = other_rung = 0;
}

static void teardown(void)
{
    alarm_free(ours);
    alarm_free(other);
    poller_free(poller);
    event_base_free(base);
}

START_TEST(it_rings_once_and_not_before_its_time)
{
    braid_time began = clock_now();
    alarm_set(other, 2 * LATER);
    alarm_set(ours, LATER);
    poller_turn(poller, true);
    ck_assert_int_ge(clock_now() - began, LATER);
    ck_assert_uint_eq(rung, 1);
    while (other_rung == 0)
        poller_turn(poller, true);
    ck_assert_uint_eq(rung, 1);
}
END_TEST

START_TEST(the_time_that_was_set_last_counts)
{
    alarm_set(ours, BRAID_SECOND * 3600);
    alarm_set(ours, LATER);
    poller_turn(poller, true);
    ck_assert_uint_eq(rung, 1);
}
END_TEST

START_TEST(what_is_past_rings_at_once)
{
    alarm_set(ours, -BRAID_SECOND);
    poller_turn(poller, true);
    ck_assert_uint_eq(rung, 1);
    alarm_set(ours, 0);
    poller_turn(poller, true);
    ck_assert_uint_eq(rung, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("alarm");
    TCase *t = tcase_create("alarm");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, it_rings_once_and_not_before_its_time);
    tcase_add_test(t, the_time_that_was_set_last_counts);
    tcase_add_test(t, what_is_past_rings_at_once);
    suite_add_tcase(s, t);
    return run_suite(s);
}
