/* [daemon] user, group and seccomp: whom the daemon becomes, and what it may call. */
#include <grp.h>
#include <pwd.h>
#include "conf_harness.h"

START_TEST(it_stays_who_it_is)
{
    ck_assert_msg(parse(EDGE) == 0, "%s", err);
    ck_assert_ptr_null(conf.daemon.user);
    conf_free(&conf);
}
END_TEST

START_TEST(a_user_brings_the_group)
{
    const struct passwd *nobody = getpwnam("nobody");
    ck_assert_ptr_nonnull(nobody);
    uid_t uid = nobody->pw_uid;
    gid_t gid = nobody->pw_gid;
    ck_assert_msg(parse("[daemon]\nuser = nobody\n" EDGE) == 0, "%s", err);
    ck_assert_str_eq(conf.daemon.user, "nobody");
    ck_assert(conf.daemon.uid == uid && conf.daemon.gid == gid);
    conf_free(&conf);
}
END_TEST

START_TEST(a_group_counts_wherever_it_stands)
{
    const struct group *tty = getgrnam("tty");
    ck_assert_ptr_nonnull(tty);
    gid_t gid = tty->gr_gid;
    static const char *const both[] = {"[daemon]\nuser = nobody\ngroup = tty\n" EDGE,
                                       "[daemon]\ngroup = tty\nuser = nobody\n" EDGE};
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_msg(parse(both[i]) == 0, "%s", err);
        ck_assert_uint_eq(conf.daemon.gid, gid);
        conf_free(&conf);
    }
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
    check_refused(
        "[daemon]\nuser = no-such-user\n" EDGE,
        "2: [daemon] user: there is no user \"no-such-user\"; name one that exists, or make it with "
        "useradd --system");
    check_refused(
        "[daemon]\nuser = root\n" EDGE,
        "2: [daemon] user: \"root\" may do everything; name a user of braidd's own, such as braid, or "
        "leave the key out");
    check_refused("[daemon]\nuser = nobody\ngroup = no-such-group\n" EDGE,
                  "3: [daemon] group: there is no group \"no-such-group\"; name one that exists, or make it "
                  "with groupadd");
    check_refused("[daemon]\ngroup = tty\n" EDGE,
                  "2: [daemon] group: is that of user, which is missing; add one, such as user = braid");
}
END_TEST

START_TEST(the_filter_of_system_calls_has_four_words)
{
    static const struct {
        const char *text;
        enum seccomp_mode mode;
    } words[] = {{"", SECCOMP_AUTO},
                 {"[daemon]\nseccomp = off\n", SECCOMP_OFF},
                 {"[daemon]\nseccomp = log\n", SECCOMP_LOG},
                 {"[daemon]\nseccomp = refuse\n", SECCOMP_REFUSE},
                 {"[daemon]\nseccomp = kill\n", SECCOMP_KILL}};
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s" EDGE, words[i].text);
        ck_assert_msg(parse(text) == 0, "%s", err);
        ck_assert_int_eq(conf.daemon.seccomp, words[i].mode);
        conf_free(&conf);
    }
    check_refused("[daemon]\nseccomp = on\n" EDGE,
                  "2: [daemon] seccomp: \"on\" is not known; it is one of: off, log, refuse, kill");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_user");
    TCase *t = tcase_create("all");
    tcase_add_test(t, it_stays_who_it_is);
    tcase_add_test(t, a_user_brings_the_group);
    tcase_add_test(t, a_group_counts_wherever_it_stands);
    tcase_add_test(t, what_is_wrong_is_told);
    tcase_add_test(t, the_filter_of_system_calls_has_four_words);
    suite_add_tcase(s, t);
    return run_suite(s);
}
