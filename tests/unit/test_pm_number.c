/* A certain number of subflows, whatever the path manager does (src/pm/number.c). */
#include "pm_view.h"

/* As path_manager.c asks. */
static void ask_for(unsigned wanted)
{
    unsigned most = view.max_subflows;
    view.wanted = wanted;
    view.max_subflows = pm_number_limit(&view);
    ask();
    pm_keep_number(&pm, &view, &plan);
    view.max_subflows = most;
}

static bool closes(uint32_t id)
{
    for (unsigned i = 0; i < plan.n; i++)
        if (plan.actions[i].what == PM_CLOSE && plan.actions[i].subflow == id)
            return true;
    return false;
}

START_TEST(who_wants_no_number_has_what_the_path_manager_wants)
{
    setup("fullmesh", 3, 1);
    ask_for(0);
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    setup("passive", 3, 1);
    add_subflow(1, 0);
    ask_for(0);
    ck_assert_uint_eq(plan.n, 0);
}
END_TEST

START_TEST(a_mesh_is_no_larger_than_is_wanted)
{
    setup("fullmesh", 3, 2);
    ask_for(2);
    ck_assert_uint_eq(planned(PM_OPEN), 1);
    ask_for(1);
    ck_assert_uint_eq(plan.n, 0);
}
END_TEST

/* Before any two addresses have a second subflow, each has one. */
START_TEST(more_than_a_mesh_are_opened_between_the_same_addresses)
{
    setup("fullmesh", 2, 1);
    ask_for(4);
    ck_assert_uint_eq(planned(PM_OPEN), 1);
    ck_assert_uint_eq(opens(1, 0), 1);
    add_subflow(1, 0);
    ask_for(4);
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    ck_assert_uint_eq(opens(0, 0), 1);
    ck_assert_uint_eq(opens(1, 0), 1);
    /* and what is on its way is not given up as one too many between the two */
    add_subflow(0, 0)->established = false;
    add_subflow(1, 0)->established = false;
    ask_for(4);
    ck_assert_uint_eq(planned(PM_OPEN) + planned(PM_CLOSE), 0);
}
END_TEST

START_TEST(those_that_wait_do_not_wait_for_a_number)
{
    setup(_i ? "backup" : "on-demand", 3, 1);
    ask_for(3);
    ck_assert_uint_eq(planned(PM_OPEN), 2);
}
END_TEST

START_TEST(who_was_opened_opens_none_unless_its_path_manager_does)
{
    setup("signal", 3, 1);
    view.opener = false;
    ask_for(3);
    ck_assert_uint_eq(planned(PM_OPEN), 0);
    setup("passive", 3, 1);
    ask_for(3);
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    setup("fullmesh", 3, 1);
    view.opener = false;
    ask_for(3);
    ck_assert_uint_eq(planned(PM_OPEN), 2);
}
END_TEST

START_TEST(the_limit_holds)
{
    setup("passive", 1, 1);
    view.max_subflows = 2;
    ask_for(2);
    ck_assert_uint_eq(planned(PM_OPEN), 1);
    add_subflow(0, 0)->lost = true;
    ask_for(2);
    ck_assert_uint_eq(planned(PM_OPEN), 0); /* its place is taken */
}
END_TEST

START_TEST(what_is_too_much_is_closed_the_newest_first)
{
    setup("signal", 3, 1);
    view.opener = _i;
    for (unsigned i = 1; i < 4; i++)
        add_subflow(i % 3, 0)->ours = i % 2;
    ask_for(2);
    ck_assert_uint_eq(planned(PM_CLOSE), 2);
    ck_assert(closes(2) && closes(3));
}
END_TEST

START_TEST(what_is_of_least_use_goes_first)
{
    setup("signal", 3, 1);
    add_subflow(1, 0)->backup = true;
    add_subflow(2, 0)->established = false;
    add_subflow(2, 0);
    ask_for(3);
    ck_assert(planned(PM_CLOSE) == 1 && closes(2));
    ask_for(2);
    ck_assert(planned(PM_CLOSE) == 2 && closes(1));
    subflows[0].stale = true;
    ask_for(1);
    ck_assert(planned(PM_CLOSE) == 3 && closes(0));
    subflows[0].wished = true; /* the connection ends with it */
    ask_for(1);
    ck_assert(planned(PM_CLOSE) == 3 && !closes(0));
}
END_TEST

START_TEST(one_that_is_lost_is_replaced_and_closed_then)
{
    setup("signal", 2, 1);
    add_subflow(1, 0);
    subflows[0].stale = subflows[0].lost = true;
    ask_for(2);
    ck_assert(planned(PM_OPEN) == 1 && planned(PM_CLOSE) == 0);
    ask_for(1); /* one is there */
    ck_assert(plan.n == 1 && closes(0));
}
END_TEST

START_TEST(while_none_works_all_are_tried)
{
    setup("signal", 3, 1);
    subflows[0].stale = subflows[0].lost = true;
    ask_for(1);
    ck_assert(planned(PM_OPEN) == 3 && planned(PM_CLOSE) == 0);
    for (unsigned i = 0; i < 3; i++)
        add_subflow(i, 0)->established = false;
    ask_for(1);
    ck_assert_uint_eq(planned(PM_OPEN) + planned(PM_CLOSE), 0);
    subflows[2].established = true;
    ask_for(1);
    ck_assert(planned(PM_CLOSE) == 3 && !closes(2));
    subflows[2].established = false;
    for (unsigned i = 1; i < 4; i++)
        subflows[i].opened_at = NOW - 4 * BRAID_SECOND;
    ask_for(1);
    ck_assert_uint_eq(planned(PM_CLOSE), 3); /* nobody answers */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("number of subflows");
    TCase *t = tcase_create("plans");
    tcase_add_test(t, who_wants_no_number_has_what_the_path_manager_wants);
    tcase_add_test(t, a_mesh_is_no_larger_than_is_wanted);
    tcase_add_test(t, more_than_a_mesh_are_opened_between_the_same_addresses);
    tcase_add_loop_test(t, those_that_wait_do_not_wait_for_a_number, 0, 2);
    tcase_add_test(t, who_was_opened_opens_none_unless_its_path_manager_does);
    tcase_add_test(t, the_limit_holds);
    tcase_add_loop_test(t, what_is_too_much_is_closed_the_newest_first, 0, 2);
    tcase_add_test(t, what_is_of_least_use_goes_first);
    tcase_add_test(t, one_that_is_lost_is_replaced_and_closed_then);
    tcase_add_test(t, while_none_works_all_are_tried);
    suite_add_tcase(s, t);
    return run_suite(s);
}
