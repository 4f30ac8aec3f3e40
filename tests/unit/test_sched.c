/* What all schedulers have in common, and the simple ones: minrtt, roundrobin, quota, backup. */
#include <string.h>

#include "sched_view.h"

extern const struct sched_ops sched_minrtt, sched_roundrobin, sched_quota, sched_backup, sched_blest,
    sched_ecf, sched_lowlatency, sched_priority;

static const struct sched_ops *each(int i)
{
    return sched_algorithms[i];
}

static int n_schedulers(void)
{
    int n = 0;
    while (sched_algorithms[n])
        n++;
    return n;
}

START_TEST(list_names_each_scheduler_once)
{
    for (int i = 0; i < n_schedulers(); i++) {
        ck_assert_uint_gt(strlen(each(i)->about), 20);
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(each(i)->name, each(k)->name);
    }
    ck_assert_str_eq(each(0)->name, "minrtt");
}
END_TEST

START_TEST(nothing_to_choose_from_means_wait)
{
    setup_paths(each(_i), 0);
    ck_assert_int_eq(pick(), -1);
    setup_paths(each(_i), 3);
    for (unsigned i = 0; i < 3; i++)
        path[i].space = 0;
    ck_assert_int_eq(pick(), -1);
    setup_paths(each(_i), 3);
    for (unsigned i = 0; i < 3; i++)
        path[i].usable = false;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(backup_waits_while_a_regular_path_is_usable_even_if_full)
{
    setup_paths(each(_i), 2);
    path[0].backup = true;
    ck_assert_int_eq(pick(), 1);
    path[1].space = 0;
    ck_assert_int_eq(pick(), -1);
    path[1].usable = false;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(a_path_over_its_quota_waits_like_a_backup)
{
    setup_paths(each(_i), 2);
    path[0].over_quota = true;
    ck_assert_int_eq(pick(), 1);
    fill(1);
    ck_assert_int_eq(pick(), -1);
    path[1].usable = false;
    ck_assert_int_eq(pick(), 0);
    path[1].usable = path[1].backup = true; /* backups alone: both kinds are alike */
    path[1].srtt_us = path[0].srtt_us / 2;
    drain(1);
    ck_assert_int_ge(pick(), 0);
}
END_TEST

START_TEST(reinjection_takes_a_path_that_has_not_carried_the_bytes)
{
    setup_paths(each(_i), 3);
    view.tried = 1;
    ck_assert_int_eq(pick(), 1);
    view.tried = 1 | 2;
    ck_assert_int_eq(pick(), 2);
    path[2].space = 0;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(reinjection_repeats_a_path_only_when_there_is_no_other)
{
    setup_paths(each(_i), 2);
    view.tried = 1 | 2;
    ck_assert_int_eq(pick(), 0);
    view.tried = 1;
    path[1].usable = false;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(reinjection_from_a_dead_path_may_use_the_backup)
{
    setup_paths(each(_i), 2);
    view.tried = 1;
    path[0].usable = false;
    path[1].backup = true;
    ck_assert_int_eq(pick(), 1);
}
END_TEST

#define COSTS 3

static uint64_t x = 88172645463325252u;

static uint64_t next_random(void)
{
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x >> 8;
}

static void random_path(unsigned i)
{
    path[i].usable = next_random() % 3 == 0;
    path[i].backup = next_random() & 1;
    path[i].over_quota = next_random() % 8 == 0;
    path[i].space = next_random() % 3 * MSS;
    path[i].cwnd = (1 + next_random() % 100) * MSS;
    path[i].in_flight = path[i].space == 0 ? path[i].cwnd : 0;
    path[i].srtt_us = (int64_t)(next_random() % 4) * 10000;
    path[i].rttvar_us = path[i].srtt_us / 4;
    path[i].slow_start = next_random() & 1;
    path[i].cost = (uint32_t)(next_random() % COSTS);
    path[i].weight = 1 + (uint32_t)(next_random() % 3);
    path[i].id = (uint32_t)next_random();
}

/* Though a path has room; the hot standby aside. */
static bool prefers_to_wait(const struct sched_ops *o)
{
    return o == &sched_blest || o == &sched_ecf || o == &sched_lowlatency || o == &sched_priority;
}

/* Whatever the view, the answer keeps the contract of sched.h; and who waits although a path has room does
 * not wait for ever, be it for the paths of one cost after the other. The hot standby is the exception: it
 * waits for its path until that is unusable. */
START_TEST(answers_are_always_admissible)
{
    unsigned waits = 0;
    setup_paths(each(_i), SCHED_MAX_PATHS);
    for (unsigned run = 0; run < 50000; run++) {
        bool regular_usable = false, regular_space = false, any_space = false;
        for (unsigned i = 0; i < SCHED_MAX_PATHS; i++) {
            random_path(i);
            bool regular = path[i].usable && !path[i].backup && !path[i].over_quota;
            regular_usable |= regular;
            regular_space |= regular && path[i].space;
            any_space |= path[i].usable && path[i].space;
        }
        bool possible = regular_usable ? regular_space : any_space;
        view.n_paths = run % 2 ? SCHED_MAX_PATHS : 1 + (unsigned)(next_random() % SCHED_MAX_PATHS);
        view.tried = run % 3 ? 0 : next_random() & next_random();
        view.unsent = next_random() % (1 << 20);
        view.send_window = next_random() % (1 << 20);
        view.now += (braid_time)(next_random() % 100000);
        int i = pick_and_send(next_random() % (3 * MSS));
        if (i >= 0) {
            ck_assert_int_lt(i, (int)view.n_paths);
            ck_assert(path[i].usable && path[i].space > 0);
        }
        if (view.n_paths < SCHED_MAX_PATHS || view.tried)
            continue;
        if (i < 0 && possible && each(_i) != &sched_backup) {
            waits++;
            for (unsigned cost = 0; i < 0 && cost < COSTS; cost++) {
                view.now += 10 * BRAID_SECOND;
                i = pick();
            }
        }
        ck_assert(each(_i) == &sched_backup || (i >= 0) == possible);
        ck_assert(i < 0 || (path[i].backup || path[i].over_quota) == !regular_usable);
    }
    ck_assert_int_eq(waits > 0, prefers_to_wait(each(_i)));
}
END_TEST

START_TEST(minrtt_takes_the_lowest_rtt_that_has_room)
{
    setup_paths(&sched_minrtt, 3);
    path[0].srtt_us = 30000;
    path[2].srtt_us = 10000;
    ck_assert_int_eq(pick(), 2);
    path[2].space = 0;
    ck_assert_int_eq(pick(), 1);
    path[1].space = 0;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(minrtt_takes_a_path_of_unknown_rtt_last)
{
    setup_paths(&sched_minrtt, 3);
    path[0].srtt_us = 0;
    ck_assert_int_eq(pick(), 1);
    path[1].space = path[2].space = 0;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(quota_takes_the_lowest_rtt_within_the_quota)
{
    setup_paths(&sched_quota, 3);
    ck_assert_int_eq(pick(), 0);
    path[0].over_quota = true;
    ck_assert_int_eq(pick(), 1);
    path[1].over_quota = true;
    ck_assert_int_eq(pick(), 2);
    path[2].over_quota = true;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(backup_uses_one_path_and_waits_for_it_when_it_is_full)
{
    setup_paths(&sched_backup, 3);
    path[0].srtt_us = 90000;
    ck_assert_int_eq(pick(), 0);
    fill(0);
    view.now += 10 * BRAID_SECOND;
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(backup_moves_on_when_the_path_fails_and_back_when_it_recovers)
{
    setup_paths(&sched_backup, 3);
    path[0].usable = false;
    ck_assert_int_eq(pick(), 1);
    path[1].usable = false;
    ck_assert_int_eq(pick(), 2);
    path[1].usable = true;
    ck_assert_int_eq(pick(), 1);
    path[0].usable = true;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(backup_goes_by_cost_before_age)
{
    setup_paths(&sched_backup, 3);
    path[0].cost = 2;
    path[1].cost = path[2].cost = 1;
    path[1].id = 30;
    ck_assert_int_eq(pick(), 2);
    path[2].usable = false;
    ck_assert_int_eq(pick(), 1);
    path[1].usable = false;
    ck_assert_int_eq(pick(), 0);
}
END_TEST

START_TEST(backup_lets_a_standby_carry_what_the_active_path_has_not_delivered)
{
    setup_paths(&sched_backup, 3);
    view.tried = 1;
    ck_assert_int_eq(pick(), 1);
    fill(1);
    ck_assert_int_eq(pick(), 2);
    fill(2);
    ck_assert_int_eq(pick(), -1);
}
END_TEST

START_TEST(roundrobin_gives_every_path_its_turn)
{
    static const int turns[] = {0, 1, 2, 0, 1, 2, 0};
    setup_paths(&sched_roundrobin, 3);
    for (unsigned i = 0; i < sizeof(turns) / sizeof(*turns); i++)
        ck_assert_int_eq(pick_and_send(MSS), turns[i]);
}
END_TEST

START_TEST(roundrobin_does_not_move_on_before_a_full_segment_was_sent)
{
    setup_paths(&sched_roundrobin, 2);
    ck_assert_int_eq(pick(), 0);
    ck_assert_int_eq(pick(), 0);
    ck_assert_int_eq(pick_and_send(MSS / 2), 0);
    ck_assert_int_eq(pick_and_send(MSS / 2), 0);
    ck_assert_int_eq(pick_and_send(44 * MSS), 1);
    ck_assert_int_eq(pick_and_send(MSS), 0);
}
END_TEST

START_TEST(roundrobin_skips_full_paths_and_goes_on_from_there)
{
    setup_paths(&sched_roundrobin, 4);
    ck_assert_int_eq(pick_and_send(MSS), 0);
    path[1].space = path[2].space = 0;
    ck_assert_int_eq(pick_and_send(MSS), 3);
    path[1].space = path[2].space = MSS;
    ck_assert_int_eq(pick_and_send(MSS), 0);
    ck_assert_int_eq(pick_and_send(MSS), 1);
}
END_TEST

START_TEST(roundrobin_counts_each_turn_from_its_own_start)
{
    setup_paths(&sched_roundrobin, 2);
    ck_assert_int_eq(pick_and_send(MSS - 1), 0);
    path[0].space = 0;
    ck_assert_int_eq(pick_and_send(MSS - 1), 1);
    path[0].space = MSS;
    ck_assert_int_eq(pick_and_send(1), 1);
    ck_assert_int_eq(pick_and_send(MSS), 0);
}
END_TEST

START_TEST(roundrobin_keeps_its_turn_when_paths_come_and_go)
{
    setup_paths(&sched_roundrobin, 4);
    ck_assert_int_eq(pick_and_send(MSS), 0);
    ck_assert_int_eq(pick_and_send(MSS), 1);
    /* The first path closes: the others move down by one index. */
    path[0] = path[1], path[1] = path[2], path[2] = path[3];
    view.n_paths = 3;
    ck_assert_int_eq(pick_and_send(MSS), 1);
    ck_assert_int_eq(pick_and_send(MSS), 2);
    /* The order in the view does not matter, only the numbers do. */
    struct sched_path first = path[0];
    path[0] = path[2], path[2] = first;
    ck_assert_int_eq(pick_and_send(MSS), 2);
    ck_assert_int_eq(pick_and_send(MSS), 1);
}
END_TEST

START_TEST(roundrobin_wraps_round_at_the_largest_number)
{
    setup_paths(&sched_roundrobin, 2);
    path[0].id = 0;
    path[1].id = UINT32_MAX;
    ck_assert_int_eq(pick_and_send(MSS), 0);
    ck_assert_int_eq(pick_and_send(MSS), 1);
    ck_assert_int_eq(pick_and_send(MSS), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sched");
    TCase *t = tcase_create("all");
    int n = n_schedulers();
    tcase_add_test(t, list_names_each_scheduler_once);
    tcase_add_loop_test(t, nothing_to_choose_from_means_wait, 0, n);
    tcase_add_loop_test(t, backup_waits_while_a_regular_path_is_usable_even_if_full, 0, n);
    tcase_add_loop_test(t, a_path_over_its_quota_waits_like_a_backup, 0, n);
    tcase_add_loop_test(t, reinjection_takes_a_path_that_has_not_carried_the_bytes, 0, n);
    tcase_add_loop_test(t, reinjection_repeats_a_path_only_when_there_is_no_other, 0, n);
    tcase_add_loop_test(t, reinjection_from_a_dead_path_may_use_the_backup, 0, n);
    tcase_add_loop_test(t, answers_are_always_admissible, 0, n);
    suite_add_tcase(suite, t);
    t = tcase_create("minrtt");
    tcase_add_test(t, minrtt_takes_the_lowest_rtt_that_has_room);
    tcase_add_test(t, minrtt_takes_a_path_of_unknown_rtt_last);
    suite_add_tcase(suite, t);
    t = tcase_create("quota and backup");
    tcase_add_test(t, quota_takes_the_lowest_rtt_within_the_quota);
    tcase_add_test(t, backup_uses_one_path_and_waits_for_it_when_it_is_full);
    tcase_add_test(t, backup_moves_on_when_the_path_fails_and_back_when_it_recovers);
    tcase_add_test(t, backup_goes_by_cost_before_age);
    tcase_add_test(t, backup_lets_a_standby_carry_what_the_active_path_has_not_delivered);
    suite_add_tcase(suite, t);
    t = tcase_create("roundrobin");
    tcase_add_test(t, roundrobin_gives_every_path_its_turn);
    tcase_add_test(t, roundrobin_does_not_move_on_before_a_full_segment_was_sent);
    tcase_add_test(t, roundrobin_skips_full_paths_and_goes_on_from_there);
    tcase_add_test(t, roundrobin_counts_each_turn_from_its_own_start);
    tcase_add_test(t, roundrobin_keeps_its_turn_when_paths_come_and_go);
    tcase_add_test(t, roundrobin_wraps_round_at_the_largest_number);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
