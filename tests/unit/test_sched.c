/* The schedulers minrtt and roundrobin. */
#include <check.h>
#include <stdlib.h>

#include <braid/sched.h>

#define MSS 1400u

extern const struct sched_ops sched_minrtt, sched_roundrobin;

static struct sched s;
static struct sched_path path[SCHED_MAX_PATHS];
static struct sched_view view;

/* n usable paths with ids 10, 11, .., room, and round-trip times of 10, 20, .. ms. */
static void setup_paths(const struct sched_ops *ops, unsigned n)
{
    s = (struct sched){.ops = ops};
    if (ops->init)
        ops->init(&s);
    for (unsigned i = 0; i < n; i++)
        path[i] = (struct sched_path){
            .id = 10 + i, .usable = true, .mss = MSS, .space = 100 * MSS, .srtt_us = 10000 * (i + 1)};
    view = (struct sched_view){.paths = path, .n_paths = n, .unsent = 1 << 20, .data_window = 1 << 20};
}

static int pick(void)
{
    return s.ops->pick(&s, &view);
}

static int pick_and_send(uint64_t bytes)
{
    int i = pick();
    if (i >= 0 && s.ops->sent)
        s.ops->sent(&s, &view, i, bytes);
    return i;
}

static const struct sched_ops *each(int i)
{
    return sched_algorithms[i];
}

START_TEST(list_names_each_scheduler_once)
{
    ck_assert_str_eq(each(0)->name, "minrtt");
    ck_assert_str_eq(each(1)->name, "roundrobin");
    ck_assert_str_eq(each(2)->name, "redundant");
    ck_assert_ptr_null(each(3));
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

/* Whatever the view, the answer keeps the contract of sched.h. */
START_TEST(answers_are_always_admissible)
{
    uint64_t x = 88172645463325252u;
    setup_paths(each(_i), SCHED_MAX_PATHS);
    for (unsigned run = 0; run < 50000; run++) {
        bool regular_usable = false, regular_space = false, any_space = false;
        for (unsigned i = 0; i < SCHED_MAX_PATHS; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            path[i].usable = x % 3 == 0;
            path[i].backup = x >> 8 & 1;
            path[i].space = (x >> 16) % 3 * MSS;
            path[i].srtt_us = (int64_t)((x >> 24) % 4) * 10000;
            path[i].id = (uint32_t)(x >> 32);
            regular_usable |= path[i].usable && !path[i].backup;
            regular_space |= path[i].usable && !path[i].backup && path[i].space;
            any_space |= path[i].usable && path[i].space;
        }
        view.n_paths = 1 + x % SCHED_MAX_PATHS;
        view.tried = x >> 48 & (x >> 40);
        int i = pick_and_send(x % (3 * MSS));
        if (i >= 0) {
            ck_assert_int_lt(i, (int)view.n_paths);
            ck_assert(path[i].usable && path[i].space > 0);
        }
        if (view.n_paths == SCHED_MAX_PATHS && view.tried == 0) {
            ck_assert_int_eq(i >= 0, regular_usable ? regular_space : any_space);
            ck_assert(i < 0 || path[i].backup == !regular_usable);
        }
    }
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
    tcase_add_test(t, list_names_each_scheduler_once);
    tcase_add_loop_test(t, nothing_to_choose_from_means_wait, 0, 3);
    tcase_add_loop_test(t, backup_waits_while_a_regular_path_is_usable_even_if_full, 0, 3);
    tcase_add_loop_test(t, reinjection_takes_a_path_that_has_not_carried_the_bytes, 0, 3);
    tcase_add_loop_test(t, reinjection_repeats_a_path_only_when_there_is_no_other, 0, 3);
    tcase_add_loop_test(t, reinjection_from_a_dead_path_may_use_the_backup, 0, 3);
    tcase_add_loop_test(t, answers_are_always_admissible, 0, 3);
    suite_add_tcase(suite, t);
    t = tcase_create("minrtt");
    tcase_add_test(t, minrtt_takes_the_lowest_rtt_that_has_room);
    tcase_add_test(t, minrtt_takes_a_path_of_unknown_rtt_last);
    suite_add_tcase(suite, t);
    t = tcase_create("roundrobin");
    tcase_add_test(t, roundrobin_gives_every_path_its_turn);
    tcase_add_test(t, roundrobin_does_not_move_on_before_a_full_segment_was_sent);
    tcase_add_test(t, roundrobin_skips_full_paths_and_goes_on_from_there);
    tcase_add_test(t, roundrobin_counts_each_turn_from_its_own_start);
    tcase_add_test(t, roundrobin_keeps_its_turn_when_paths_come_and_go);
    tcase_add_test(t, roundrobin_wraps_round_at_the_largest_number);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
