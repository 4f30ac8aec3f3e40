/* The scheduler blest: its estimate, lambda, and when it does not wait. */
#include "sched_view.h"

extern const struct sched_ops sched_blest;

/* A fast path that is full, and a slow one with ten times its round-trip time. */
static void fast_is_full(void)
{
    setup_paths(&sched_blest, 2);
    path[0].srtt_us = 10000;
    path[1].srtt_us = 100000;
    path[0].cwnd = 10 * MSS;
    fill(0);
    path[1].in_flight = 20 * MSS;
    path[1].space = 5 * MSS;
}

/* What the fast path sends in a round trip of the slow one: 10 * (10 + 9 / 2) segments. With lambda 1.2 they
 * need 174 segments beside the 20 in flight on the slow path and the new one. */
START_TEST(waits_exactly_when_the_estimate_does_not_fit_into_the_window)
{
    fast_is_full();
    view.send_window = (174 + 20 + 1) * MSS;
    ck_assert_int_eq(pick(), 1);
    view.send_window -= 1;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(takes_the_fast_path_while_it_has_space)
{
    fast_is_full();
    drain(0);
    view.send_window = 30 * MSS;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

/* Finds lambda from outside: the smallest window with which the slow path is used. */
static unsigned lambda_per_mille(void)
{
    uint64_t before[sizeof(sched_priv) / sizeof(sched_priv[0])];
    uint64_t at = mark[0], window = view.send_window;
    unsigned lambda = 900;
    memcpy(before, sched_priv, sizeof(before));
    mark[0] = 0;
    for (; lambda < 1500; lambda++) {
        view.send_window = 145u * MSS * lambda / 1000 + 21 * MSS;
        if (pick() == 1)
            break;
        memcpy(sched_priv, before, sizeof(before));
        mark[0] = 0;
    }
    memcpy(sched_priv, before, sizeof(before));
    mark[0] = at;
    view.send_window = window;
    return lambda;
}

static void one_round(bool blocked)
{
    view.now += path[1].srtt_us;
    view.blocks += blocked;
    mark[0] = 0; /* the fast path was used meanwhile */
    pick();
}

START_TEST(lambda_rises_with_each_round_that_blocked_and_falls_with_each_that_did_not)
{
    fast_is_full();
    view.send_window = 100 * MSS;
    pick();
    ck_assert_uint_eq(lambda_per_mille(), 1200);
    one_round(true);
    ck_assert_uint_eq(lambda_per_mille(), 1240);
    one_round(false);
    ck_assert_uint_eq(lambda_per_mille(), 1230);
    for (int i = 0; i < 5; i++)
        one_round(true);
    ck_assert_uint_eq(lambda_per_mille(), 1300);
    for (int i = 0; i < 50; i++)
        one_round(false);
    ck_assert_uint_eq(lambda_per_mille(), 1000);
}
END_TEST

START_TEST(lambda_moves_once_per_round_trip_of_the_slow_path)
{
    fast_is_full();
    view.send_window = 100 * MSS;
    pick();
    for (int i = 0; i < 9; i++) {
        view.now += path[1].srtt_us / 10;
        view.blocks++;
        pick();
    }
    ck_assert_uint_eq(lambda_per_mille(), 1200);
}
END_TEST

START_TEST(does_not_wait_for_a_fast_path_that_is_unusable_idle_or_unknown)
{
    fast_is_full();
    view.send_window = 30 * MSS;
    ck_assert_int_eq(pick(), -1);
    path[0].usable = false;
    ck_assert_int_eq(pick(), 1);
    path[0].usable = true;
    path[0].in_flight = 0; /* no ACK will come from there */
    ck_assert_int_eq(pick(), 1);
    fill(0);
    path[1].srtt_us = 0;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

START_TEST(does_not_wait_for_a_fast_path_that_has_fallen_silent)
{
    fast_is_full();
    path[0].rttvar_us = 1000;
    view.send_window = 30 * MSS;
    ck_assert_int_eq(pick(), -1);
    view.now += 24000; /* 2 srtt + 4 rttvar */
    ck_assert_int_eq(pick(), -1);
    view.now += 1;
    ck_assert_int_eq(pick(), 1);
    drain(0);
    ck_assert_int_eq(pick_and_send(10 * MSS), 0);
    fill(0);
    ck_assert_int_eq(pick(), -1); /* it has answered: a new wait */
}
END_TEST

START_TEST(reinjections_do_not_wait)
{
    fast_is_full();
    view.send_window = 30 * MSS;
    view.tried = 1;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("blest");
    TCase *t = tcase_create("blest");
    tcase_add_test(t, waits_exactly_when_the_estimate_does_not_fit_into_the_window);
    tcase_add_test(t, takes_the_fast_path_while_it_has_space);
    tcase_add_test(t, lambda_rises_with_each_round_that_blocked_and_falls_with_each_that_did_not);
    tcase_add_test(t, lambda_moves_once_per_round_trip_of_the_slow_path);
    tcase_add_test(t, does_not_wait_for_a_fast_path_that_is_unusable_idle_or_unknown);
    tcase_add_test(t, does_not_wait_for_a_fast_path_that_has_fallen_silent);
    tcase_add_test(t, reinjections_do_not_wait);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
