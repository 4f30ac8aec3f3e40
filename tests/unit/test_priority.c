/* The scheduler priority: the order by cost, and when the cheap paths count as full. */
#include "sched_view.h"

extern const struct sched_ops sched_priority;

#define CHEAP 1
#define DEAR  0

/* The cheap path has the longer round-trip time, and 100 segments of cwnd. */
static void setup_costs(uint64_t unsent)
{
    setup_paths(&sched_priority, 2);
    path[DEAR].cost = 5;
    path[DEAR].srtt_us = 10000;
    path[CHEAP].srtt_us = 40000;
    view.unsent = unsent;
}

START_TEST(the_cheapest_comes_first_whatever_its_rtt)
{
    setup_costs(1000 * MSS);
    ck_assert_int_eq(pick(), CHEAP);
    path[CHEAP].cost = 5;
    ck_assert_int_eq(pick(), DEAR); /* of equals the faster */
}
END_TEST

START_TEST(a_burst_that_the_cheap_path_takes_in_a_round_trip_waits_for_it)
{
    setup_costs(100 * MSS);
    fill(CHEAP);
    ck_assert_int_eq(pick(), -1);
    view.now += 80000;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(a_backlog_overflows_when_it_has_stood_for_a_round_trip)
{
    setup_costs(100 * MSS + 1);
    fill(CHEAP);
    ck_assert_int_eq(pick(), -1);
    view.now += 39999;
    ck_assert_int_eq(pick(), -1);
    view.now += 1;
    ck_assert_int_eq(pick(), DEAR);
    ck_assert_int_eq(pick_and_send(MSS), DEAR); /* only as far as it is too much */
    view.unsent -= MSS;
    ck_assert_int_eq(pick(), -1);
    view.unsent += 10 * MSS;
    ck_assert_int_eq(pick(), -1); /* a new backlog, to stand anew */
    view.now += 40000;
    ck_assert_int_eq(pick(), DEAR);
}
END_TEST

/* Space on the cheap path now and then does not make a backlog new. */
START_TEST(a_backlog_stands_on_while_the_cheap_path_moves)
{
    setup_costs(1000 * MSS);
    for (int i = 0; i < 4; i++) {
        drain(CHEAP);
        ck_assert_int_eq(pick_and_send(MSS), CHEAP);
        fill(CHEAP);
        ck_assert_int_eq(pick(), -1);
        view.now += 10000;
    }
    ck_assert_int_eq(pick(), DEAR);
}
END_TEST

START_TEST(the_end_of_a_burst_ends_the_backlog_even_if_nobody_asks)
{
    setup_costs(1000 * MSS);
    ck_assert_int_eq(pick_and_send(1000 * MSS), CHEAP); /* all of it */
    view.now += 10 * BRAID_SECOND;
    fill(CHEAP);
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(slow_start_is_given_time)
{
    setup_costs(1000 * MSS);
    path[CHEAP].slow_start = true;
    for (int i = 0; i < 8; i++) {
        drain(CHEAP);
        ck_assert_int_eq(pick_and_send(MSS), CHEAP);
        fill(CHEAP);
        ck_assert_int_eq(pick(), -1);
        view.now += 40000;
    }
    ck_assert_int_eq(pick(), DEAR);
}
END_TEST

START_TEST(a_send_buffer_that_holds_little_beyond_the_window_does_not_prevent_overflow)
{
    setup_costs(60 * MSS);
    view.send_window = 200 * MSS;
    fill(CHEAP);
    ck_assert_int_eq(pick(), -1);
    view.now += 40000;
    ck_assert_int_eq(pick(), DEAR);
    view.unsent = 50 * MSS;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(the_third_path_takes_what_the_first_two_cannot)
{
    setup_costs(150 * MSS);
    setup_paths(&sched_priority, 3);
    for (unsigned i = 0; i < 3; i++)
        path[i].cost = i;
    view.unsent = 150 * MSS;
    fill(0);
    fill(1);
    pick();
    view.now += 15000;
    ck_assert_int_eq(pick(), -1); /* less than both take in a round trip */
    view.unsent = 201 * MSS;
    ck_assert_int_eq(pick(), -1); /* has stood for a round trip of the first, not of the second */
    view.now += 5000;
    ck_assert_int_eq(pick(), 2);
}
END_TEST

START_TEST(a_cheap_path_that_fails_or_falls_silent_holds_up_nobody)
{
    setup_costs(MSS);
    path[CHEAP].usable = false;
    ck_assert_int_eq(pick(), DEAR);
    path[CHEAP].usable = true;
    ck_assert_int_eq(pick(), CHEAP);
    fill(CHEAP);
    ck_assert_int_eq(pick(), -1);
    view.now += 2 * path[CHEAP].srtt_us + 1;
    ck_assert_int_eq(pick(), DEAR);
}
END_TEST

START_TEST(reinjections_take_the_cheapest_path_that_has_space)
{
    setup_costs(MSS);
    view.tried = 1u << CHEAP;
    ck_assert_int_eq(pick(), DEAR);
    view.tried = 1u << DEAR;
    ck_assert_int_eq(pick(), CHEAP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("priority");
    TCase *t = tcase_create("priority");
    tcase_add_test(t, the_cheapest_comes_first_whatever_its_rtt);
    tcase_add_test(t, a_burst_that_the_cheap_path_takes_in_a_round_trip_waits_for_it);
    tcase_add_test(t, a_backlog_overflows_when_it_has_stood_for_a_round_trip);
    tcase_add_test(t, a_backlog_stands_on_while_the_cheap_path_moves);
    tcase_add_test(t, the_end_of_a_burst_ends_the_backlog_even_if_nobody_asks);
    tcase_add_test(t, slow_start_is_given_time);
    tcase_add_test(t, a_send_buffer_that_holds_little_beyond_the_window_does_not_prevent_overflow);
    tcase_add_test(t, the_third_path_takes_what_the_first_two_cannot);
    tcase_add_test(t, a_cheap_path_that_fails_or_falls_silent_holds_up_nobody);
    tcase_add_test(t, reinjections_take_the_cheapest_path_that_has_space);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
