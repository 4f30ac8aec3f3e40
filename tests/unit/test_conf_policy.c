/* The configuration file: [policy NAME]. */
#include "base/addr.h"
#include "conf_harness.h"

#define CPE    "[uplink dsl]\ninterface = eth1\n[uplink lte]\ninterface = wwan0\n[cpe lan]\n"
#define POLICY "[policy p]\n"

static const struct policy *good(const char *text)
{
    ck_assert_msg(parse(text) == 0, "%s", err);
    ck_assert_uint_ge(conf.n_policies, 1);
    return conf.policies;
}

START_TEST(what_is_left_out_is_for_everybody_and_changes_nothing)
{
    const struct policy *p = good(CPE POLICY);
    ck_assert_str_eq(p->name, "p");
    ck_assert_uint_eq(p->n_users + p->n_cgroups + p->n_programs + p->n_to + p->n_ports, 0);
    ck_assert(!p->plain && !p->profile && p->endpoints == UPLINK_ENDPOINTS);
    conf_free(&conf);
}
END_TEST

START_TEST(every_key_is_read)
{
    const struct policy *p =
        good(POLICY "user = root, 1000 - 1999, any, 33\ncgroup = /system.slice/a.service, user.slice\n"
                    "program = curl, /usr/bin/wget\nto = !192.0.2.9, 192.0.2.0/24\nports = 25, 80-443\n"
                    "mptcp = no\nprofile = mine\nuplinks = lte\n" CPE
                    "[profile mine]\npath_manager = on-demand\n");
    ck_assert_uint_eq(p->n_users, 4);
    ck_assert(p->users[0].first == 0 && p->users[0].last == 0);
    ck_assert(p->users[1].first == 1000 && p->users[1].last == 1999);
    ck_assert(p->users[2].first == 0 && p->users[2].last == UINT32_MAX - 1);
    ck_assert(p->users[3].first == 33 && p->users[3].last == 33);
    ck_assert_uint_eq(p->n_cgroups, 2);
    ck_assert_str_eq(p->cgroups[1], "user.slice");
    ck_assert_uint_eq(p->n_programs, 2);
    ck_assert_str_eq(p->programs[1], "/usr/bin/wget");
    ck_assert(p->n_to == 2 && !p->to[0].allow && p->to[1].allow && p->to[1].bits == 96 + 24);
    ck_assert(p->n_ports == 2 && p->ports[0].last == 25 && p->ports[1].first == 80);
    ck_assert(p->plain && strcmp(p->profile->name, "mine") == 0);
    ck_assert_str_eq(p->profile->pm->name, "on-demand");
    ck_assert_uint_eq(p->endpoints, UPLINK_ENDPOINT(1, UPLINK_V4) | UPLINK_ENDPOINT(1, UPLINK_V6));
    conf_free(&conf);
}
END_TEST

#define SIXTEEN "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"

static const struct {
    const char *text, *error;
} bad[] = {
    {POLICY "user = nobody-of-that-name\n",
     "2: [policy p] user: \"nobody-of-that-name\" is neither any, nor a user of this machine, nor a range of "
     "numbers; give such, separated by commas, such as www-data, 1000-59999"},
    {POLICY "user = 2000-1000\n",
     "2: [policy p] user: \"2000-1000\" is neither any, nor a user of this machine, nor a range of numbers; "
     "give such, separated by commas, such as www-data, 1000-59999"},
    {POLICY "user = 4294967295\n",
     "2: [policy p] user: \"4294967295\" is neither any, nor a user of this machine, nor a range of numbers; "
     "give such, separated by commas, such as www-data, 1000-59999"},
    {POLICY "user = " SIXTEEN ",17\n", "2: [policy p] user: there are more than 16 items; give at most 16"},
    {POLICY "ports = " SIXTEEN ",17\n", "2: [policy p] ports: there are more than 16 items; give at most 16"},
    {POLICY "cgroup = /\n",
     "2: [policy p] cgroup: \"/\" is not the path of a control group below the root of version 2; give one, "
     "such as system.slice/ssh.service"},
    {POLICY "cgroup = a/../..\n",
     "2: [policy p] cgroup: \"a/../..\" is not the path of a control group below the root of version 2; give "
     "one, such as system.slice/ssh.service"},
    {POLICY "program = bin/curl\n",
     "2: [policy p] program: \"bin/curl\" is neither a program's name nor its absolute path, without blanks "
     "and of at most 200 bytes; give one, such as curl or /usr/bin/curl"},
    {POLICY "program = my program\n", "2: [policy p] program: \"my program\" is neither a program's name nor "
                                      "its absolute path, without blanks "
                                      "and of at most 200 bytes; give one, such as curl or /usr/bin/curl"},
    {POLICY "to = 192.0.2.1/24\n",
     "2: [policy p] to: \"192.0.2.1/24\" has bits beyond its length; give addresses and prefixes, separated "
     "by commas, and a \"!\" before those that are not meant, such as !10.0.0.5, 10.0.0.0/8, 2001:db8::/32"},
    {POLICY "ports = 443-80\n",
     "2: [policy p] ports: \"443-80\" is not a range of ports; give the first and the last one, such as "
     "1-65535, or a single port, such as 443"},
    {POLICY "mptcp = maybe\n", "2: [policy p] mptcp: \"maybe\" is not known; it is one of: no, yes"},
    {POLICY "profile = fast\n" CPE,
     "2: [policy p] profile: there is no profile \"fast\"; it is one of: bulk, interactive, resilient, "
     "economy, auto; or add a section [profile NAME]"},
    {CPE POLICY "uplinks = dsl, sat\n", "7: [policy p] uplinks: there is no section [uplink sat]; name some "
                                        "that there are, separated by commas"},
    {CPE POLICY "uplinks = dsl,\n",
     "7: [policy p] uplinks: there is no section [uplink ]; name some that there are, separated by commas"},
    {CPE POLICY "users = 1\n",
     "7: [policy p] users: unknown key; the nearest is user (all of this section: user, cgroup, program, to, "
     "ports, mptcp, profile, uplinks)"},
    {"[policy]\n", "1: [policy] has no proper name; give 1 to 32 letters, digits, '-', '_' or '.', such as "
                   "[policy web]"},
};

START_TEST(every_error_is_one_line_that_names_file_line_key_and_what_is_right)
{
    check_refused(bad[_i].text, bad[_i].error);
}
END_TEST

START_TEST(there_are_no_more_than_a_word_has_bits)
{
    char text[4096] = "", expected[128];
    for (unsigned i = 0; i <= POLICIES_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "[policy p%u]\n", i);
    snprintf(expected, sizeof(expected), "%u: there are more than %u policies; use fewer of them",
             POLICIES_MAX + 1, POLICIES_MAX);
    check_refused(text, expected);
}
END_TEST

/* ---- what has no effect ---- */

static unsigned n_said;
static char said[CONF_ERROR_MAX];

static void say(void *arg, bool warning, const char *line)
{
    (void)arg;
    ck_assert_msg(warning, "%s", line);
    snprintf(said, sizeof(said), "%s", line);
    n_said++;
}

static const struct {
    const char *text, *warning;
} vain[] = {
    {CPE POLICY "[policy later]\nports = 80\n",
     "f.ini:7: [policy later] comes after [policy p], which is for all connections: this one never counts; "
     "change their order"},
    {CPE "plain = refuse\n" POLICY "mptcp = no\n",
     "f.ini:8: [policy p] mptcp: has connections of [cpe lan] refused, since that has plain = refuse"},
    {EDGE POLICY, "f.ini:4: [policy p] there is no [cpe NAME] section, and policies are for its connections "
                  "only"},
    {CPE "[profile mine]\n" POLICY "profile = mine\n", NULL},
    {CPE POLICY "ports = 80\n[policy rest]\nmptcp = no\n", NULL},
};

START_TEST(what_has_no_effect_is_said)
{
    const struct conf_report report = {.say = say};
    n_said = 0;
    ck_assert_int_eq(conf_parse_all("f.ini", vain[_i].text, strlen(vain[_i].text), &conf, &report), 0);
    ck_assert_uint_eq(n_said, vain[_i].warning != NULL);
    if (vain[_i].warning)
        ck_assert_str_eq(said, vain[_i].warning);
    conf_free(&conf);
}
END_TEST

START_TEST(a_file_that_breaks_off_is_read_or_refused)
{
    static const char text[] = CPE POLICY "user = root, 5-7\ncgroup = a, b/c\nprogram = curl\n"
                                          "to = !10.0.0.0/8\nports = 1-2, 7\nuplinks = dsl, lte\n";
    check_prefixes(text, sizeof(text));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_policy");
    TCase *t = tcase_create("conf_policy");
    tcase_add_test(t, what_is_left_out_is_for_everybody_and_changes_nothing);
    tcase_add_test(t, every_key_is_read);
    tcase_add_loop_test(t, every_error_is_one_line_that_names_file_line_key_and_what_is_right, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, there_are_no_more_than_a_word_has_bits);
    tcase_add_loop_test(t, what_has_no_effect_is_said, 0, sizeof(vain) / sizeof(vain[0]));
    tcase_add_test(t, a_file_that_breaks_off_is_read_or_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
