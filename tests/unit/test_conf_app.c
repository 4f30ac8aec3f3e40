/* [daemon] app_socket, app_mode and app_group: the socket for programs of this machine. */
#include "conf_harness.h"

START_TEST(it_is_beside_the_control_socket_and_open_to_everybody)
{
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.daemon.app_socket, "/run/braid/app.sock");
    ck_assert(conf.daemon.app_mode == 0666 && conf.daemon.app_group == (gid_t)-1);
    conf_free(&conf);
    ck_assert_msg(parse("[daemon]\ncontrol = /tmp/x.sock\n" EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.daemon.app_socket, "/tmp/app.sock");
    conf_free(&conf);
}
END_TEST

START_TEST(it_is_where_and_whose_the_operator_says)
{
    ck_assert_msg(parse("[daemon]\napp_socket = /srv/app.sock\napp_mode = 660\napp_group = root\n" EDGE) == 0,
                  "%s", err);
    ck_assert_str_eq(conf.daemon.app_socket, "/srv/app.sock");
    ck_assert(conf.daemon.app_mode == 0660 && conf.daemon.app_group == 0);
    conf_free(&conf);
    ck_assert_msg(parse("[daemon]\napp_socket = none\n" EDGE) == 0, "%s", err);
    ck_assert_ptr_null(conf.daemon.app_socket);
    conf_free(&conf);
}
END_TEST

#define LONG_PATH                                                                                            \
    "/a2345678901234567890123456789012345678901234567890123456789012345678901234567890"                      \
    "123456789012345678901234567"

START_TEST(what_is_wrong_is_told)
{
    check_refused(
        "[daemon]\napp_socket = app.sock\n" EDGE,
        "2: [daemon] app_socket: \"app.sock\" is neither none nor the absolute path of a socket; give "
        "one, such as /run/braid/app.sock");
    check_refused("[daemon]\napp_socket = " LONG_PATH "\n" EDGE,
                  "2: [daemon] app_socket: the path has 108 bytes; a UNIX socket's path has at most 107");
    check_refused(
        "[daemon]\napp_mode = 668\n" EDGE,
        "2: [daemon] app_mode: \"668\" is not an octal number of permissions; give one up to 777, such "
        "as 666 for everybody or 660 for a group");
    check_refused("[daemon]\napp_mode = 1777\n" EDGE,
                  "2: [daemon] app_mode: \"1777\" is not an octal number of permissions; give one up to 777, "
                  "such as 666 for everybody or 660 for a group");
    check_refused(
        "[daemon]\napp_group = no-such-group\n" EDGE,
        "2: [daemon] app_group: there is no group \"no-such-group\"; name one that exists, or make it "
        "with groupadd");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_app");
    TCase *t = tcase_create("all");
    tcase_add_test(t, it_is_beside_the_control_socket_and_open_to_everybody);
    tcase_add_test(t, it_is_where_and_whose_the_operator_says);
    tcase_add_test(t, what_is_wrong_is_told);
    suite_add_tcase(s, t);
    return run_suite(s);
}
