/* The commands of the control socket that change something. */
#include "conf/profiles.h"
#include "control_harness.h"
#include "suite.h"

static void set_of_7(const char *what, const char *name)
{
    char line[BRAID_CONTROL_LINE];
    snprintf(line, sizeof(line), "set 7 %s %s\n", what, name);
    struct reply_text r = ask(line);
    ck_assert_ptr_null(strstr(r.text, "error"));
    free(r.text);
}

START_TEST(what_is_to_be_set_goes_to_the_worker_that_has_the_connection)
{
    fake.conns[1] = 5;
    set_of_7("scheduler", sched_algorithms[1]->name);
    ck_assert_uint_eq(fake.changed_worker, 1); /* 7 is 3 times 2 and 1 */
    ck_assert_uint_eq(fake.changed_id, 3);
    ck_assert_ptr_eq(fake.changed.sched, sched_algorithms[1]);
    ck_assert(!fake.changed.cc && !fake.changed.profile);
    set_of_7("congestion", cc_algorithms[1]->name);
    ck_assert_ptr_eq(fake.changed.cc, cc_algorithms[1]);
    ck_assert(!fake.changed.sched && !fake.changed.profile);
    set_of_7("profile", "mine");
    ck_assert_str_eq(fake.changed.profile->name, "mine");
    ck_assert(!fake.changed.sched && !fake.changed.cc);
}
END_TEST

static void set_number(const char *what, const char *name, enum app_number which, uint64_t expected)
{
    uint64_t value;
    set_of_7(what, name);
    ck_assert(app_numbers_tell(&fake.changed.demands.numbers, which, &value) && value == expected);
    ck_assert_uint_eq(fake.changed.demands.numbers.said, 1u << which);
    ck_assert(!fake.changed.sched && !fake.changed.cc && !fake.changed.profile);
}

START_TEST(so_does_what_programs_can_ask_for)
{
    fake.conns[1] = 5;
    set_of_7("path_manager", pm_algorithms[2]->name);
    ck_assert_ptr_eq(fake.changed.demands.path_manager, pm_algorithms[2]);
    ck_assert_uint_eq(fake.changed.demands.numbers.said, 0);
    set_number("redundancy", "none", APP_NUMBER_REDUNDANCY, APP_REDUNDANCY_NONE);
    set_number("redundancy", "all", APP_NUMBER_REDUNDANCY, APP_REDUNDANCY_ALL);
    set_number("subflows", "16", APP_NUMBER_SUBFLOWS, 16);
    set_number("fate_sharing", "no", APP_NUMBER_FATE_SHARING, 0);
    set_number("fate_sharing", "yes", APP_NUMBER_FATE_SHARING, 1);
}
END_TEST

START_TEST(what_cannot_be_asked_for_is_told)
{
    static const char *const wrong[][2] = {
        {"path_manager none-such", "there is no path manager \"none-such\"; it is one of: "},
        {"redundancy most", "there is no redundancy \"most\"; it is one of: none, some, all\n"},
        {"subflows 17", "there is no number of subflows \"17\"; it is one of: 0 (as the"},
        {"subflows x", "there is no number of subflows \"x\"; it is one of: 0 (as the"},
        {"fate_sharing 1", "there is no fate sharing \"1\"; it is one of: no, yes\n"},
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char line[BRAID_CONTROL_LINE];
        snprintf(line, sizeof(line), "set 3 %s\n", wrong[i][0]);
        struct reply_text r = ask(line);
        ck_assert_ptr_nonnull(strstr(r.text, wrong[i][1]));
        free(r.text);
    }
    ck_assert_uint_eq(fake.asked, 0);
}
END_TEST

START_TEST(names_that_there_are_not_come_with_those_that_there_are)
{
    char expected[2 * CONF_ERROR_MAX], list[CONF_LIST_MAX];
    struct reply_text r = ask("set 3 scheduler fastest\n");
    snprintf(expected, sizeof(expected), "error: there is no scheduler \"fastest\"; it is one of: %s\n",
             conf_scheduler_list(list));
    ck_assert_str_eq(r.text, expected);
    free(r.text);
    r = ask("set 3 congestion none\n");
    snprintf(expected, sizeof(expected), "error: there is no congestion control \"none\"; it is one of: %s\n",
             conf_congestion_list(list));
    ck_assert_str_eq(r.text, expected);
    free(r.text);
    ck_assert_uint_eq(fake.asked, 0);
}
END_TEST

START_TEST(paths_are_forgotten_by_every_worker_and_only_when_told)
{
    free(ask("paths\n").text);
    ck_assert_uint_eq(fake.forgotten, 0);
    free(ask("paths clear\n").text);
    ck_assert_uint_eq(fake.forgotten, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control_set");
    TCase *t = tcase_create("control_set");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_to_be_set_goes_to_the_worker_that_has_the_connection);
    tcase_add_test(t, so_does_what_programs_can_ask_for);
    tcase_add_test(t, what_cannot_be_asked_for_is_told);
    tcase_add_test(t, names_that_there_are_not_come_with_those_that_there_are);
    tcase_add_test(t, paths_are_forgotten_by_every_worker_and_only_when_told);
    suite_add_tcase(s, t);
    return run_suite(s);
}
