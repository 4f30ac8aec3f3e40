/* conf: everything that is wrong is told at once, and what is right but has no effect is warned of. */
#include "conf_harness.h"

static char errors[8192], warnings[8192];
static unsigned n_errors, n_warnings;

static void take(void *arg, bool warning, const char *line)
{
    (void)arg;
    char *text = warning ? warnings : errors;
    strcat(text, line);
    strcat(text, "\n");
    (*(warning ? &n_warnings : &n_errors))++;
}

static int parse_all(const char *text)
{
    const struct conf_report report = {.say = take};
    errors[0] = warnings[0] = '\0';
    n_errors = n_warnings = 0;
    return conf_parse_all("f.ini", text, strlen(text), &conf, &report);
}

static void begins_lines(const char *text, const char *const lines[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ck_assert_msg(strncmp(text, lines[i], strlen(lines[i])) == 0, "no \"%s\" at: %s", lines[i], text);
        text = strchr(text, '\n') + 1;
    }
    ck_assert_str_eq(text, "");
}

START_TEST(every_wrong_line_is_told)
{
    static const char *const lines[] = {"f.ini:2: [daemon] workers: ",  "f.ini:3: [daemon] log_level: ",
                                        "f.ini:4: this is neither",     "f.ini:5: unknown section [nonsense]",
                                        "f.ini:8: [edge web] listen: ", "f.ini:10: [edge web] shceduler: "};
    ck_assert_int_eq(
        parse_all("[daemon]\nworkers = many\nlog_level = loud\nwhat is this\n[nonsense]\n"
                  "workers = -1\n[edge web]\nlisten = here\ntarget = 10.99.3.2:80\nshceduler = x\n"),
        -1);
    begins_lines(errors, lines, sizeof(lines) / sizeof(lines[0]));
}
END_TEST

START_TEST(what_two_keys_do_not_agree_on_is_told_for_each_section)
{
    ck_assert_int_eq(parse_all(EDGE "[edge two]\nlisten = 10.99.9.1:8080\n"), -1);
    begins_lines(errors, (const char *const[]){"f.ini:4: [edge two] target: is missing"}, 1);
    ck_assert_int_eq(
        parse_all("[edge web]\nlisten = 10.99.9.1:1\ntarget = 10.99.3.2:80\n"
                  "[edge two]\nlisten = 10.99.9.1:1\ntarget = 10.99.3.2:80\n[edge three]\n"
                  "listen = 10.99.9.1:2\ntarget = 10.99.9.1:1\n[edge four]\nlisten = 10.99.9.1:3\n"
                  "profile = fast\ntarget = 10.99.3.2:80\n"),
        -1);
    begins_lines(errors,
                 (const char *const[]){"f.ini:5: [edge two] listen: ", "f.ini:9: [edge three] target: ",
                                       "f.ini:12: [edge four] profile: there is no profile \"fast\""},
                 3);
}
END_TEST

START_TEST(a_file_that_is_something_else_is_given_up_soon)
{
    static char text[4096];
    for (unsigned i = 0; i + 1 < sizeof(text); i++)
        text[i] = i % 2 ? '\n' : 'x';
    ck_assert_int_eq(parse_all(text), -1);
    ck_assert_uint_eq(n_errors, 20);
}
END_TEST

static const struct {
    const char *text, *warning; /* "": none */
} cases[] = {
    {EDGE "[path a]\nremote = 10.0.0.0/8\n[path b]\nremote = 10.0.0.0/8\n",
     "f.ini:6: [path b] has the prefixes of [path a] in line 4, "},
    {EDGE "[path a]\nremote = 10.0.0.0/8\n[path b]\nremote = 10.0.0.0/9\n", ""},
    {EDGE "[path a]\nremote = 10.0.0.0/8\n[path b]\nlocal = 10.0.0.0/8\n", ""},
    {EDGE "[profile mine]\nscheduler = minrtt\n", "f.ini:4: [profile mine] no edge and no CPE uses it; "},
    {"[edge conv]\nmode = convert\nlisten = 192.0.2.1:5124\nopen = yes\n",
     "f.ini:4: [edge conv] open: lets everybody who reaches listen connect to servers from here; "},
    {"[edge conv]\nmode = convert\nlisten = 192.0.2.1:5124\nopen = yes\ncookie = psk\npsk = "
     "0123456789abcdef\n",
     ""},
    {"[edge conv]\nmode = convert\nlisten = 192.0.2.1:5124\nallow = 203.0.113.0/24\n", ""},
    {EDGE "profile = mine\n[profile mine]\nscheduler = minrtt\n", ""},
    {EDGE "[profile bulk]\nscheduler = minrtt\n", ""},
    {EDGE "profile = auto\n[profile interactive]\nscheduler = minrtt\n", ""},
    {TRANSPARENT "profiles = 443:mine\n[profile mine]\nscheduler = minrtt\n", ""},
    {TRANSPARENT "ports = 80\nprofiles = 443:bulk\n",
     "f.ini:4: [edge any] profiles: 443-443:bulk is outside of "},
    {TRANSPARENT "ports = 80-500\nprofiles = 443-1000:bulk\n", ""},
    {EDGE "[limits]\nmemory = 16\nrcvbuf = 20000\n", "f.ini:6: [limits] rcvbuf: is more than memory "},
    {EDGE "[limits]\nsndbuf = 20000\nmemory = 16\n", "f.ini:5: [limits] sndbuf: is more than memory "},
    {EDGE "[limits]\nmemory = 16\n", ""},
    {EDGE "[tun]\nlocal_ports = 50000\n",
     "f.ini:5: [tun] local_ports: has 1 port for the 8 subflows that a connection may have"},
    {EDGE "[tun]\nlocal_ports = 50000-50006\n", "f.ini:5: [tun] local_ports: has 7 ports for the 8 "},
    {EDGE "[tun]\nlocal_ports = 50000-50007\n", ""},
    {EDGE "[tun]\nlocal_ports = 50000-50015\n[daemon]\nworkers = 2\n", ""},
    {EDGE "[tun]\nlocal_ports = 50000-50014\n[daemon]\nworkers = 2\n",
     "f.ini:5: [tun] local_ports: has 7 ports of each worker for the 8 "},
    {EDGE "[tun]\nlocal_ports = 50000-50002\n[daemon]\nworkers = 4\n",
     "f.ini:5: [tun] local_ports: has 3 ports for 4 workers: connections of two of them may take the same "},
    {EDGE "[tun]\nlocal_ports = 50000-50007\n[limits]\nsubflows = 9\n", "f.ini:5: [tun] local_ports: "},
    {EDGE "[limits]\nrcvbuf = 20000\n", ""}, /* memory follows the machine's */
    {EDGE "[limits]\nmemory = 0\nrcvbuf = 20000\n", ""},
};

START_TEST(what_has_no_effect_is_warned_of)
{
    ck_assert_msg(parse_all(cases[_i].text) == 0, "%s", errors);
    ck_assert_msg(strncmp(warnings, cases[_i].warning, strlen(cases[_i].warning)) == 0, "%s", warnings);
    ck_assert_uint_eq(n_warnings, *cases[_i].warning ? 1 : 0);
    conf_free(&conf);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told)
{
    const struct conf_report report = {.say = take};
    ck_assert_int_eq(conf_load_all("/nonexistent/f.ini", &conf, &report), -1);
    ck_assert_uint_eq(n_errors, 1);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("report");
    tcase_add_test(t, every_wrong_line_is_told);
    tcase_add_test(t, what_two_keys_do_not_agree_on_is_told_for_each_section);
    tcase_add_test(t, a_file_that_is_something_else_is_given_up_soon);
    tcase_add_loop_test(t, what_has_no_effect_is_warned_of, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(t, a_file_that_cannot_be_read_is_told);
    Suite *s = suite_create("conf_report");
    suite_add_tcase(s, t);
    return run_suite(s);
}
