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
    tcase_add_test(t, names_that_there_are_not_come_with_those_that_there_are);
    tcase_add_test(t, paths_are_forgotten_by_every_worker_and_only_when_told);
    suite_add_tcase(s, t);
    return run_suite(s);
}
