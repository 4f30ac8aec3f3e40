/* The scheduler lowlatency: which path, how stubbornly, and when another one is used. */
#include "sched_view.h"

extern const struct sched_ops sched_lowlatency;

static void setup_two(int64_t srtt0, int64_t var0, int64_t srtt1, int64_t var1)
{
    setup_paths(&sched_lowlatency, 2);
    path[0].srtt_us = srtt0;
    path[0].rttvar_us = var0;
    path[1].srtt_us = srtt1;
    path[1].rttvar_us = var1;
    view.unsent = 100;
}

START_TEST(a_steady_path_is_better_than_a_faster_one_that_wavers)
{
    setup_two(20000, 10000, 40000, 1000);
    ck_assert_int_eq(pick(), 1);
    setup_two(20000, 1000, 40000, 1000);
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(the_path_is_changed_only_for_one_that_is_a_quarter_better)
{
    setup_two(40000, 0, 41000, 0);
    ck_assert_int_eq(pick(), 0);
    path[1].srtt_us = 30000;
    ck_assert_int_eq(pick(), 0);
    path[1].srtt_us = 29999;
    ck_assert_int_eq(pick(), 1);
    path[0].srtt_us = 23000;
    ck_assert_int_eq(pick(), 1);
    path[0].srtt_us = 22000;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(a_full_path_is_waited_for_while_it_is_the_faster_way_still)
{
    setup_two(10000, 0, 100000, 0);
    path[0].cwnd = 10 * MSS;
    fill(0);
    view.unsent = 90 * MSS; /* ten round trips */
    ck_assert_int_eq(pick(), -1);
    view.unsent += 1;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(a_path_that_fails_or_falls_silent_is_left_and_returned_to)
{
    setup_two(10000, 0, 100000, 0);
    ck_assert_int_eq(pick_and_send(100), 0);
    path[0].usable = false;
    ck_assert_int_eq(pick_and_send(100), 1);
    path[0].usable = true;
    ck_assert_int_eq(pick_and_send(100), 0);
    fill(0);
    ck_assert_int_eq(pick(), -1);
    view.now += 20001;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(a_path_of_unknown_delay_is_neither_used_nor_preferred_to_waiting)
{
    setup_two(10000, 0, 0, 0);
    ck_assert_int_eq(pick(), 0);
    fill(0);
    view.unsent = 1 << 20;
    ck_assert_int_eq(pick(), -1);
    path[0].usable = false;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(reinjections_take_the_best_path_that_has_not_carried_the_bytes)
{
    setup_paths(&sched_lowlatency, 3);
    ck_assert_int_eq(pick(), 0);
    view.tried = 1;
    ck_assert_int_eq(pick(), 1);
    path[1].rttvar_us = 20000;
    ck_assert_int_eq(pick(), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lowlatency");
    TCase *t = tcase_create("lowlatency");
    tcase_add_test(t, a_steady_path_is_better_than_a_faster_one_that_wavers);
    tcase_add_test(t, the_path_is_changed_only_for_one_that_is_a_quarter_better);
    tcase_add_test(t, a_full_path_is_waited_for_while_it_is_the_faster_way_still);
    tcase_add_test(t, a_path_that_fails_or_falls_silent_is_left_and_returned_to);
    tcase_add_test(t, a_path_of_unknown_delay_is_neither_used_nor_preferred_to_waiting);
    tcase_add_test(t, reinjections_take_the_best_path_that_has_not_carried_the_bytes);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
