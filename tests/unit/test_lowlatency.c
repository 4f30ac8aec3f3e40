/* The scheduler lowlatency: which path, how stubbornly, and when another one is used. */
#include "sched_view.h"

extern const struct sched_ops sched_lowlatency;

static void setup_two(int64_t rtt0, int64_t rtt1)
{
    setup_paths(&sched_lowlatency, 2);
    path[0].srtt_us = path[0].min_rtt_us = rtt0;
    path[1].srtt_us = path[1].min_rtt_us = rtt1;
    view.unsent = 100;
}

START_TEST(a_steady_path_is_better_than_a_faster_one_with_a_queue_or_that_wavers)
{
    setup_two(20000, 60000);
    ck_assert_int_eq(pick(), 0);
    setup_two(20000, 60000);
    path[0].srtt_us = 131000; /* 20 + 61 ms */
    ck_assert_int_eq(pick(), 1);
    setup_two(20000, 60000);
    path[0].srtt_us = 70000;
    path[0].rttvar_us = 41000;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

/* Samples of 20 and 60 ms, as of a peer that delays every other ACK, or three of four. */
START_TEST(delayed_acks_make_no_path_worse)
{
    setup_two(20000, 21000);
    path[0].srtt_us = 40000;
    path[0].rttvar_us = 20000;
    ck_assert_int_eq(pick(), 0);
    setup_two(20000, 21000);
    path[0].srtt_us = 50000;
    path[0].rttvar_us = 15000;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

/* When the least of late has just been forgotten. */
START_TEST(a_least_sample_above_the_mean_is_not_believed)
{
    setup_two(20000, 40000);
    path[0].min_rtt_us = 60000;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(the_path_is_changed_only_for_one_that_is_a_quarter_better)
{
    setup_two(40000, 41000);
    ck_assert_int_eq(pick(), 0);
    path[1].srtt_us = path[1].min_rtt_us = 30000;
    ck_assert_int_eq(pick(), 0);
    path[1].srtt_us = path[1].min_rtt_us = 29999;
    ck_assert_int_eq(pick(), 1);
    path[0].srtt_us = path[0].min_rtt_us = 23000;
    ck_assert_int_eq(pick(), 1);
    path[0].srtt_us = path[0].min_rtt_us = 22000;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(a_path_that_loses_is_as_late_as_its_repairs)
{
    setup_two(20000, 50000);
    path[0].bytes_sent = path[1].bytes_sent = 950 * MSS;
    path[0].retransmits = 10; /* one in a hundred: 20 + 2 * 20 ms */
    ck_assert_int_eq(pick(), 1);
    setup_two(20000, 50000);
    path[0].bytes_sent = path[1].bytes_sent = 950 * MSS;
    path[0].retransmits = 5; /* half of that */
    ck_assert_int_eq(pick(), 0);
    path[1].srtt_us = path[1].min_rtt_us = 29000; /* a quarter better than 40 ms */
    ck_assert_int_eq(pick(), 1);
}
END_TEST

/* Our own samples are from before they came. */
START_TEST(what_others_have_queued_is_waited_for_by_us_as_well)
{
    setup_two(20000, 60000);
    path[0].busy_rtt_us = 81000;
    ck_assert_int_eq(pick(), 1);
    path[1].busy_rtt_us = 65000;
    ck_assert_int_eq(pick(), 1);
    path[0].busy_rtt_us = 48000;
    ck_assert_int_eq(pick(), 0);
    path[0].busy_rtt_us = 0;
    path[1].busy_rtt_us = 5000; /* the queue is as good as gone, the path is no shorter for it */
    ck_assert_int_eq(pick(), 0);
}
END_TEST

/* Of a path that we have left for its queue, our samples tell the worst, and others how it is now. */
START_TEST(what_others_see_now_counts_more_than_our_own_samples)
{
    setup_two(20000, 60000);
    path[0].srtt_us = 300000;
    path[0].rttvar_us = 50000;
    path[0].retransmits = 1000;
    ck_assert_int_eq(pick(), 1);
    path[0].busy_rtt_us = 40000;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(losses_beyond_one_in_a_hundred_make_no_path_worse)
{
    setup_two(20000, 61000);
    path[0].retransmits = 1000;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(a_full_path_is_waited_for_while_it_is_the_faster_way_still)
{
    setup_two(10000, 100000);
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
    setup_two(10000, 100000);
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

static void be_silent(unsigned i, braid_time how_long)
{
    path[i].usable = false;
    ck_assert_int_eq(pick(), 1 - (int)i);
    view.now += how_long;
    ck_assert_int_eq(pick(), 1 - (int)i);
    ck_assert_int_eq(pick(), 1 - (int)i); /* which is one time still */
    path[i].usable = true;
}

START_TEST(a_path_that_goes_away_twice_is_left_for_a_while)
{
    setup_two(10000, 150000);
    ck_assert_int_eq(pick(), 0);
    be_silent(0, 100 * BRAID_MS);
    view.now += BRAID_SECOND;
    ck_assert_int_eq(pick(), 0);
    be_silent(0, 100 * BRAID_MS);
    view.now += 30 * BRAID_SECOND - 1;
    ck_assert_int_eq(pick(), 1);
    path[1].srtt_us = path[1].min_rtt_us = 300000; /* even so it would be the better one */
    ck_assert_int_eq(pick(), 0);
    path[1].srtt_us = path[1].min_rtt_us = 150000;
    ck_assert_int_eq(pick(), 1);
    view.now += 1;
    ck_assert_int_eq(pick(), 0);
    view.now += 12 * BRAID_SECOND - 1;
    be_silent(0, 100 * BRAID_MS); /* once suffices then */
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(but_not_if_that_is_seldom_or_short_or_befalls_others_too)
{
    setup_two(10000, 150000);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(pick(), 0);
        be_silent(0, 100 * BRAID_MS);
        view.now += 12 * BRAID_SECOND;
    }
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(pick(), 0);
        be_silent(0, 99 * BRAID_MS);
    }
    ck_assert_int_eq(pick(), 0);
    be_silent(0, 100 * BRAID_MS);
    be_silent(1, 100 * BRAID_MS);
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(a_path_of_unknown_delay_is_neither_used_nor_preferred_to_waiting)
{
    setup_two(10000, 0);
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
    path[1].rttvar_us = 90000;
    ck_assert_int_eq(pick(), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lowlatency");
    TCase *t = tcase_create("lowlatency");
    tcase_add_test(t, a_steady_path_is_better_than_a_faster_one_with_a_queue_or_that_wavers);
    tcase_add_test(t, delayed_acks_make_no_path_worse);
    tcase_add_test(t, a_least_sample_above_the_mean_is_not_believed);
    tcase_add_test(t, the_path_is_changed_only_for_one_that_is_a_quarter_better);
    tcase_add_test(t, a_path_that_loses_is_as_late_as_its_repairs);
    tcase_add_test(t, losses_beyond_one_in_a_hundred_make_no_path_worse);
    tcase_add_test(t, what_others_have_queued_is_waited_for_by_us_as_well);
    tcase_add_test(t, what_others_see_now_counts_more_than_our_own_samples);
    tcase_add_test(t, a_full_path_is_waited_for_while_it_is_the_faster_way_still);
    tcase_add_test(t, a_path_that_fails_or_falls_silent_is_left_and_returned_to);
    tcase_add_test(t, a_path_that_goes_away_twice_is_left_for_a_while);
    tcase_add_test(t, but_not_if_that_is_seldom_or_short_or_befalls_others_too);
    tcase_add_test(t, a_path_of_unknown_delay_is_neither_used_nor_preferred_to_waiting);
    tcase_add_test(t, reinjections_take_the_best_path_that_has_not_carried_the_bytes);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
