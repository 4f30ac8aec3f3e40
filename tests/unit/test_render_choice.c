/* Documents of what an operator can choose from: algorithms and profiles. */
#include <braid/pm.h>
#include "conf/profiles.h"
#include "render_harness.h"

static void setup(void)
{
    begin_view(1);
}

START_TEST(every_algorithm_has_a_line_that_says_what_it_is)
{
    char line[256];
    render_algorithms_text(&doc, &view);
    const char *text = written();
    for (unsigned i = 0; sched_algorithms[i]; i++) {
        ck_assert_ptr_nonnull(sched_algorithms[i]->about);
        snprintf(line, sizeof(line), "\nscheduler     %-16s %s\n", sched_algorithms[i]->name,
                 sched_algorithms[i]->about);
        contains(text, line);
    }
    for (unsigned i = 0; cc_algorithms[i]; i++) {
        ck_assert_ptr_nonnull(cc_algorithms[i]->about);
        snprintf(line, sizeof(line), "\ncongestion    %-16s %s\n", cc_algorithms[i]->name,
                 cc_algorithms[i]->about);
        contains(text, line);
    }
    for (unsigned i = 0; pm_algorithms[i]; i++) {
        ck_assert_ptr_nonnull(pm_algorithms[i]->about);
        snprintf(line, sizeof(line), "\npath_manager  %-16s %s\n", pm_algorithms[i]->name,
                 pm_algorithms[i]->about);
        contains(text, line);
    }
    contains(text, "\nprofile       mine             minrtt, hybrid\n");
    contains(text, "\nprofile       auto             bulk or interactive, by the server's way of sending\n");
}
END_TEST

START_TEST(algorithms_in_json_are_lists_by_what_they_are_set_with)
{
    render_algorithms_json(&doc, &view);
    const char *text = written();
    contains(text, "{\"scheduler\":[{\"name\":\"minrtt\",\"about\":\"");
    contains(text, "],\"congestion\":[{\"name\":\"");
    contains(text, "],\"path_manager\":[{\"name\":\"");
    contains(text, "],\"profile\":[{\"name\":\"bulk\",\"scheduler\":\"");
    contains(text, "{\"name\":\"auto\",\"scheduler\":\"minrtt\",\"congestion\":\"hybrid\",\"path_manager\":"
                   "null,\"auto\":true}");
    contains(text, "{\"name\":\"mine\",\"scheduler\":\"minrtt\",\"congestion\":\"hybrid\",\"path_manager\":"
                   "null,\"auto\":false}");
}
END_TEST

START_TEST(a_connection_tells_its_profile_and_what_an_automatic_one_makes_of_it)
{
    render_conn_json(&doc, &view);
    contains(written(), "\"profile\":null,\"profile_now\":null,");
    again();
    job->conns[0]->told.profile = job->conns[0]->told.now = conf_profile(&conf, "mine");
    render_change_text(&doc, &view);
    ck_assert_str_eq(written(),
                     "connection 3: profile mine, scheduler minrtt, congestion cubic, path manager signal\n");
    again();
    job->conns[0]->told.profile = conf_profile(&conf, "auto");
    job->conns[0]->told.now = conf_profile(&conf, "interactive");
    render_conn_text(&doc, &view);
    contains(written(),
             "profile auto (interactive), scheduler minrtt, congestion cubic, path manager signal\n");
    again();
    render_conn_json(&doc, &view);
    contains(written(), "\"profile\":\"auto\",\"profile_now\":\"interactive\",\"scheduler\":\"minrtt\",");
}
END_TEST

START_TEST(the_status_tells_the_profiles_of_edges_and_ports)
{
    render_status_text(&doc, &view);
    contains(written(), "\nedge any: transparent, any -> any, auto: minrtt, hybrid\n"
                        "  ports 22: interactive, 5000-5100: mine\n");
    again();
    render_status_json(&doc, &view);
    contains(written(), "\"profile\":\"bulk\",\"profiles\":[],\"scheduler\":\"minrtt\",");
    contains(written(),
             "\"profile\":\"auto\",\"profiles\":[{\"first\":22,\"last\":22,\"profile\":\"interactive\"},"
             "{\"first\":5000,\"last\":5100,\"profile\":\"mine\"}],");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("render_choice");
    TCase *t = tcase_create("render_choice");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_algorithm_has_a_line_that_says_what_it_is);
    tcase_add_test(t, algorithms_in_json_are_lists_by_what_they_are_set_with);
    tcase_add_test(t, a_connection_tells_its_profile_and_what_an_automatic_one_makes_of_it);
    tcase_add_test(t, the_status_tells_the_profiles_of_edges_and_ports);
    suite_add_tcase(s, t);
    return run_suite(s);
}
