/* The control socket and braidctl, answered from fake workers. */
#include <fcntl.h>
#include <sys/wait.h>
#include "control_harness.h"
#include "ctl/client.h"
#include "suite.h"

/* ---- the socket's file ---- */

START_TEST(the_socket_is_for_its_owner_only_and_goes_with_the_daemon)
{
    struct stat st;
    end();
    umask(0);
    begin(8, 5000);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(umask(022), 0);
    control_free(control);
    ck_assert_int_eq(lstat(path, &st), -1);
    ck_assert_int_eq(control_open(path, base, &control, err, sizeof(err)), 0);
}
END_TEST

START_TEST(a_socket_that_a_daemon_answers_at_is_in_use)
{
    struct control *second;
    char expected[CONF_ERROR_MAX];
    ck_assert_int_eq(control_open(path, base, &second, err, sizeof(err)), -1);
    snprintf(expected, sizeof(expected),
             "[daemon] control: %s: a daemon answers there already; stop that one, or name another path",
             path);
    ck_assert_str_eq(err, expected);
    struct reply_text r = ask("status\n");
    has(r.text, "Braid ");
    free(r.text);
}
END_TEST

START_TEST(a_socket_left_behind_is_replaced)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    end();
    strcpy(sun.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    close(fd);
    begin(8, 5000);
    struct reply_text r = ask("status\n");
    has(r.text, "Braid ");
    free(r.text);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    struct stat st;
    end();
    close(open(path, O_CREAT | O_WRONLY, 0644));
    ck_assert_int_eq(control_open(path, base, &control, err, sizeof(err)), -1);
    has(err, "it exists and is not a socket; name another path, or remove the file");
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    unlink(path);
    begin(8, 5000);
}
END_TEST

START_TEST(a_path_that_cannot_be_is_one_line)
{
    struct control *c;
    char deep[256];
    snprintf(deep, sizeof(deep), "%s/a/b/control.sock", dir);
    ck_assert_int_eq(control_open(deep, base, &c, err, sizeof(err)), -1);
    has(err,
        "/a/b/control.sock: No such file or directory; name a path whose directory exists or can be made");
    memset(deep, 'x', sizeof(deep) - 1);
    deep[0] = '/';
    deep[sizeof(deep) - 1] = '\0';
    ck_assert_int_eq(control_open(deep, base, &c, err, sizeof(err)), -1);
    has(err, "the path is too long");
    ck_assert_ptr_null(strchr(err, '\n'));
}
END_TEST

START_TEST(the_file_of_a_later_daemon_is_not_removed)
{
    struct stat st;
    unlink(path);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    control_free(control);
    control = NULL;
    ck_assert_int_eq(lstat(path, &st), 0);
    close(fd);
    unlink(path);
}
END_TEST

/* ---- commands ---- */

static const struct {
    const char *line;
    int command, format, id; /* command -1: an error */
} lines[] = {
    {"status", BRAID_COMMAND_STATUS, COMMAND_TEXT, 0},
    {"  status\t--json \r", BRAID_COMMAND_STATUS, COMMAND_JSON, 0},
    {"--json connections", BRAID_COMMAND_CONNECTIONS, COMMAND_JSON, 0},
    {"counters", BRAID_COMMAND_COUNTERS, COMMAND_TEXT, 0},
    {"show 12", BRAID_COMMAND_SHOW, COMMAND_TEXT, 12},
    {"show --json 12", BRAID_COMMAND_SHOW, COMMAND_JSON, 12},
    {"bypass", BRAID_COMMAND_BYPASS, COMMAND_TEXT, 0},
    {"bypass clear --json", BRAID_COMMAND_BYPASS, COMMAND_JSON, 0},
    {"bypass on", -1, COMMAND_TEXT, 0},
    {"learned clear", BRAID_COMMAND_LEARNED, COMMAND_TEXT, 0},
    {"bypass clear 1", -1, COMMAND_TEXT, 0},
    {"set 12 scheduler minrtt", BRAID_COMMAND_SET, COMMAND_TEXT, 12},
    {"set 12 congestion x --json", BRAID_COMMAND_SET, COMMAND_JSON, 12},
    {"set 12 profile bulk", BRAID_COMMAND_SET, COMMAND_TEXT, 12},
    {"set 12 profile", -1, COMMAND_TEXT, 0},
    {"set x profile bulk", -1, COMMAND_TEXT, 0},
    {"set 12 checksum on", -1, COMMAND_TEXT, 0},
    {"set 12 profile bulk now", -1, COMMAND_TEXT, 0},
    {"set 12 profile bulk now now now", -1, COMMAND_TEXT, 0},
    {"kill 12 --json", BRAID_COMMAND_KILL, COMMAND_JSON, 12},
    {"kill edge=web idle=60", BRAID_COMMAND_KILL, COMMAND_TEXT, 0},
    {"kill", -1, COMMAND_TEXT, 0},
    {"kill all", -1, COMMAND_TEXT, 0},
    {"kill 12 13", -1, COMMAND_TEXT, 0},
    {"kill 12 edge=web", -1, COMMAND_TEXT, 0},
    {"kill limit=3", -1, COMMAND_TEXT, 0},
    {"drain web --json", BRAID_COMMAND_DRAIN, COMMAND_JSON, 0},
    {"drain", BRAID_COMMAND_DRAIN, COMMAND_TEXT, 0},
    {"drain web six", -1, COMMAND_TEXT, 0},
    {"undrain web", BRAID_COMMAND_UNDRAIN, COMMAND_TEXT, 0},
    {"undrain", -1, COMMAND_TEXT, 0},
    {"config changed=yes", BRAID_COMMAND_CONFIG, COMMAND_TEXT, 0},
    {"config changed", -1, COMMAND_TEXT, 0},
    {"connections limit=3 after=7 --json", BRAID_COMMAND_CONNECTIONS, COMMAND_JSON, 0},
    {"connections web", -1, COMMAND_TEXT, 0},
    {"algorithms --json", BRAID_COMMAND_ALGORITHMS, COMMAND_JSON, 0},
    {"algorithms all", -1, COMMAND_TEXT, 0},
    {"paths", BRAID_COMMAND_PATHS, COMMAND_TEXT, 0},
    {"paths clear", BRAID_COMMAND_PATHS, COMMAND_TEXT, 0},
    {"", -1, COMMAND_TEXT, 0},
    {"--json", -1, COMMAND_JSON, 0},
    {"stat", -1, COMMAND_TEXT, 0},
    {"STATUS", -1, COMMAND_TEXT, 0},
    {"status now", -1, COMMAND_TEXT, 0},
    {"status --text", -1, COMMAND_TEXT, 0},
    {"show", -1, COMMAND_TEXT, 0},
    {"show x", -1, COMMAND_TEXT, 0},
    {"show -1", -1, COMMAND_TEXT, 0},
    {"show 1x", -1, COMMAND_TEXT, 0},
    {"show 1 2 3 4 5 6 --json", -1, COMMAND_JSON, 0},
    {"show 99999999999999999999", -1, COMMAND_TEXT, 0},
};

START_TEST(a_line_is_a_command_or_an_error)
{
    char line[BRAID_CONTROL_LINE];
    struct command_call call;
    const char *error = NULL;
    strcpy(line, lines[_i].line);
    int result = command_parse(line, &call, &error);
    ck_assert_int_eq(result, lines[_i].command < 0 ? -1 : 0);
    ck_assert_int_eq(call.format, lines[_i].format);
    if (result == 0) {
        ck_assert_ptr_eq(call.command, &commands[lines[_i].command]);
        ck_assert_uint_eq(call.id, lines[_i].id);
        ck_assert_int_eq(call.clear, strstr(lines[_i].line, "clear") != NULL);
    } else {
        ck_assert_ptr_nonnull(error);
    }
}
END_TEST

START_TEST(every_command_is_answered_as_a_table_and_as_json)
{
    static const char *const replies[][2] = {
        {"status\n", "2 workers\n"},
        {"status --json\n", "\"total\":{\"connections\":6,"},
        {"connections\n", "\n71 connections\n"},
        {"connections --json\n", "],\"next_after\":null,\"count\":71}\n"},
        {"connections limit=2 --json\n", "],\"next_after\":4,\"count\":2}\n"},
        {"connections limit=2 after=4\n", "\n2 connections\nwhat follows is listed by after=8\n"},
        {"connections after=138\n", "\n2 connections\n"}, /* the last of one worker, and the other one's */
        {"connections edge=six limit=90\n", "\n35 connections\n"},
        {"kill edge=six\n", "ended 35 connections\n"},
        {"kill 3 --json\n", "{\"killed\":1}\n"},
        {"show 3\n", "connection 3 of edge web, worker 1: mptcp, ESTABLISHED\n"},
        {"show 3 --json\n", "{\"id\":3,\"worker\":1,\"edge\":\"web\","},
        {"drain\n", "nothing is drained\n"},
        {"drain six\n", "edge six: drained, 2 connections\n"},
        {"drain --json\n",
         "{\"edges\":[{\"name\":\"six\",\"drained\":true,\"connections\":2}],\"cpes\":[]}\n"},
        {"status --json\n",
         "\"joins\":\"any\",\"versions\":\"1\",\"v0_addresses\":\"ignore\",\"drained\":true,"},
        {"undrain six --json\n",
         "{\"edges\":[{\"name\":\"six\",\"drained\":false,\"connections\":2}],\"cpes\":[]}\n"},
        {"drain\n", "nothing is drained\n"},
        {"config\n", "\n[edge web]\nmode = explicit\nlisten = 10.99.9.1:8080\n"},
        {"config changed=yes\n",
         "[edge web]\nlisten = 10.99.9.1:8080\ntarget = 10.99.3.2:80\nsignal = 10.99.9.2\n\n"},
        {"config --json\n",
         "{\"sections\":[{\"section\":\"daemon\",\"keys\":[{\"key\":\"workers\",\"value\":\"0\","},
        {"counters\n", "TcpActiveOpens "},
        {"counters --json\n", "{\"TcpActiveOpens\":3,"},
        {"learned\n", "\n3 things learned\n"},
        {"learned clear\n", "\n3 things learned, now forgotten\n"},
        {"learned --json clear\n", "],\"count\":3,\"cleared\":true}\n"},
        {"bypass\n", "\n3 servers\n"},
        {"bypass --json\n", "],\"count\":3,\"cleared\":false}\n"},
        {"bypass clear\n", "\n3 servers, now forgotten\n"},
        {"bypass --json clear\n", "],\"count\":3,\"cleared\":true}\n"},
        {"algorithms\n", "scheduler     minrtt "},
        {"algorithms --json\n", "{\"scheduler\":[{\"name\":\"minrtt\","},
        {"paths\n", "\n2 paths\n"},
        {"paths clear\n", "\n2 paths, counted anew from now on\n"},
        {"paths --json\n", "{\"paths\":[{\"name\":\"lte\","},
        {"set 3 scheduler roundrobin\n",
         "connection 3: scheduler roundrobin, congestion cubic, path manager signal\n"},
        {"set 3 profile bulk --json\n", "{\"id\":3,\"worker\":1,\"edge\":\"web\","},
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct reply_text r = ask(replies[i][0]);
        has(r.text, replies[i][1]);
        ck_assert(ends_with(r.text, "\n"));
        free(r.text);
    }
}
END_TEST

START_TEST(errors_come_in_the_format_that_was_asked_for)
{
    static const char *const replies[][2] = {
        {"nonsense\n",
         "error: unknown command; there are status connections show counters bypass targets learned kill set "
         "drain undrain algorithms config paths uplinks top rates reload upgrade events watch record and the "
         "option "
         "--json\n"},
        {"nonsense --json\n",
         "{\"error\":\"unknown command; there are status connections show counters bypass targets learned "
         "kill set drain undrain algorithms config paths uplinks top rates reload upgrade events watch "
         "record "
         "and the option "
         "--json\"}\n"},
        {"top limit=501\n",
         "error: this command takes limit=N, 1 to 500; sort=KEY, one of rate, bytes, age, rtt, retransmits, "
         "memory, subflows; find=TEXT, 63 bytes at most; and the filters KEY=VALUE: edge=NAME client=PREFIX "
         "server=ADDRESS state=STATE subflows=N idle=SECONDS path=NAME uplink=NAME after=ID\n"},
        {"kill idle=soon\n", "error: idle= takes a number of seconds, 1 to 31622400\n"},
        {"kill edge=nobody\n", "error: there is no edge or CPE \"nobody\"; \"status\" lists them\n"},
        {"drain nobody\n", "error: there is no edge or CPE \"nobody\"; it is one of: web, six, any\n"},
        {"undrain\n", "error: this command takes one argument, the name of an edge or a CPE\n"},
        {"kill 999\n", "error: no connection has this id (it may have ended); \"connections\" lists them\n"},
        {"rates seconds=0\n", "error: this command takes no argument but seconds=N, 1 to 300\n"},
        {"status x\n", "error: this command takes no argument\n"},
        {"set 999 profile bulk\n",
         "error: no connection has this id (it may have ended); \"connections\" lists them\n"},
        {"set 3 profile fast\n", "error: there is no profile \"fast\"; it is one of: bulk, interactive, "
                                 "resilient, economy, auto, mine\n"},
        {"bypass x\n", "error: this command takes no argument but \"clear\"\n"},
        {"show 999\n", "error: no connection has this id (it may have ended); \"connections\" lists them\n"},
        {"show 999 --json\n",
         "{\"error\":\"no connection has this id (it may have ended); \\\"connections\\\" lists them\"}\n"},
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct reply_text r = ask(replies[i][0]);
        ck_assert_str_eq(r.text, replies[i][1]);
        free(r.text);
    }
}
END_TEST

START_TEST(a_line_may_come_in_pieces_and_only_the_first_counts)
{
    int fd = client_unix(path);
    client_send(fd, "show ");
    for (int i = 0; i < 10; i++)
        client_spin(base, -1);
    client_send(fd, "3\nstatus\n");
    struct reply_text r = client_receive(base, fd);
    ck_assert_int_eq(strncmp(r.text, "connection 3 of", 15), 0);
    ck_assert_ptr_null(strstr(r.text, "workers"));
    free(r.text);
}
END_TEST

START_TEST(a_client_that_shuts_its_side_is_answered)
{
    int fd = client_unix(path);
    client_send(fd, "status\n");
    shutdown(fd, SHUT_WR);
    struct reply_text r = client_receive(base, fd);
    has(r.text, "2 workers");
    free(r.text);
}
END_TEST

START_TEST(a_line_that_does_not_end_is_not_kept)
{
    char text[BRAID_CONTROL_LINE + 1];
    memset(text, 'x', BRAID_CONTROL_LINE);
    text[BRAID_CONTROL_LINE] = '\0';
    struct reply_text r = ask(text);
    ck_assert_uint_eq(r.len, 0);
    free(r.text);
}
END_TEST

START_TEST(a_text_that_breaks_off_ends_with_an_error_and_json_does_not_end)
{
    end();
    begin(8, 500); /* ms: the first page has to be answered in time */
    fake.hold = true;
    for (int json = 0; json < 2; json++) {
        int fd = client_unix(path);
        client_send(fd, json ? "connections --json\n" : "connections\n");
        client_until(base, fake.n_held == 1);
        fake_release(&fake);
        client_until(base, fake.n_held == 1);
        struct reply_text r = client_receive(base, fd);
        has(r.text, "192.0.2.7:40000");
        ck_assert(json ? !ends_with(r.text, "\n")
                       : ends_with(r.text, "\nerror: a worker did not answer in time; try again\n"));
        free(r.text);
        fake_release(&fake);
    }
}
END_TEST

START_TEST(a_client_that_goes_away_leaves_nothing)
{
    fake.hold = true;
    int fd = client_unix(path);
    client_send(fd, "connections\n");
    client_until(base, fake.n_held == 1);
    close(fd);
    fake.hold = false;
    fake_release(&fake);
    client_until(base, fake.open_dumps == 0);
    struct reply_text r = ask("status\n");
    has(r.text, "2 workers");
    free(r.text);
}
END_TEST

START_TEST(clients_beyond_the_limit_are_turned_away_and_the_others_served)
{
    int fds[80], open_fds = 0;
    for (int i = 0; i < 80; i++) {
        fds[i] = client_unix(path);
        client_spin(base, -1);
    }
    for (int i = 0; i < 80; i++) {
        char byte;
        client_spin(base, -1);
        open_fds += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0;
        close(fds[i]);
    }
    ck_assert_int_eq(open_fds, 64);
    for (int i = 0; i < 20; i++)
        client_spin(base, -1);
    struct reply_text r = ask("status\n");
    has(r.text, "2 workers");
    free(r.text);
}
END_TEST

/* ---- braidctl ---- */

static char *file_text(FILE *f)
{
    char *text = calloc(1, 1 << 20);
    rewind(f);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* Runs braidctl in a process of its own, and the loop meanwhile. */
static int braidctl(char **argv, char **out, char **error)
{
    FILE *o = tmpfile(), *e = tmpfile();
    int argc = 0, status = 0;
    while (argv[argc])
        argc++;
    pid_t pid = fork();
    if (pid == 0)
        _exit(client_main(argc, argv, o, e) | (fflush(o) || fflush(e) ? 64 : 0));
    client_until(base, waitpid(pid, &status, WNOHANG) == pid);
    ck_assert(WIFEXITED(status));
    *out = file_text(o);
    *error = file_text(e);
    return WEXITSTATUS(status);
}

#define CTL(...) braidctl((char *[]){"braidctl", __VA_ARGS__, NULL}, &out, &error)

START_TEST(braidctl_prints_tables_and_json)
{
    char *out, *error;
    ck_assert_int_eq(CTL("-s", path, "status"), 0);
    has(out, "2 workers\n");
    ck_assert_str_eq(error, "");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("connections", "--json", "-s", path), 0);
    has(out, "{\"connections\":[{\"id\":2,");
    has(out, "\"count\":71}\n");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("--json", "-s", path, "show", "3"), 0);
    has(out, "{\"id\":3,");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-s", path, "set", "3", "profile", "mine"), 0);
    has(out, "connection 3: profile mine, ");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-s", path, "bypass"), 0);
    has(out, "\n3 servers\n");
    free(out);
    free(error);
    ck_assert_uint_eq(fake.cleared, 0);
    ck_assert_int_eq(CTL("-s", path, "bypass", "clear"), 0);
    has(out, "\n3 servers, now forgotten\n");
    ck_assert_uint_eq(fake.cleared, 2);
    free(out);
    free(error);
}
END_TEST

/* The fake edges never lose a connection. */
START_TEST(braidctl_waits_for_a_drain_so_long)
{
    char *out, *error;
    ck_assert_int_eq(CTL("-s", path, "drain", "web", "--wait", "0"), 3);
    ck_assert_str_eq(out, "edge web: drained, 4 connections\n");
    ck_assert_str_eq(error, "web: 4 connections left\n");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-s", path, "drain", "any", "--wait"), 0);
    ck_assert_str_eq(error, "any: 0 connections left\n");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-s", path, "drain", "nobody", "--wait=1"), 1);
    has(error, "it is one of: web, six, any\n");
    free(out);
    free(error);
}
END_TEST

START_TEST(braidctl_tells_the_daemons_errors)
{
    char *out, *error;
    ck_assert_int_eq(CTL("-s", path, "show", "999"), 1);
    ck_assert_str_eq(out, "");
    ck_assert_str_eq(error,
                     "braidctl: no connection has this id (it may have ended); \"connections\" lists them\n");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-s", path, "--json", "show", "999"), 1);
    has(out, "{\"error\":\"no connection has this id");
    free(out);
    free(error);
}
END_TEST

START_TEST(braidctl_does_not_take_a_part_for_the_whole)
{
    char *out, *error;
    end();
    begin(8, 30);
    fake.hold = true;
    fake.n_held = 0;
    ck_assert_int_eq(CTL("-s", path, "status"), 1);
    has(error, "braidctl: a worker did not answer in time");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-s", path, "--json", "status"), 1);
    has(out, "{\"error\":\"a worker did not answer in time");
    free(out);
    free(error);
}
END_TEST

START_TEST(braidctl_says_what_to_do_when_nobody_answers)
{
    char *out, *error;
    ck_assert_int_eq(CTL("-s", "/nonexistent/x.sock", "status"), 1);
    ck_assert_str_eq(error,
                     "braidctl: /nonexistent/x.sock: there is no such socket: is braidd running? (-s SOCKET "
                     "names another one)\n");
    free(out);
    free(error);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    end();
    strcpy(sun.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    close(fd);
    ck_assert_int_eq(CTL("-s", path, "status"), 1);
    has(error, "nobody answers: braidd is not running");
    free(out);
    free(error);
    begin(8, 5000);
}
END_TEST

START_TEST(braidctl_tells_misuse_from_failure)
{
    static char long_name[BRAID_CONTROL_LINE];
    memset(long_name, 'x', sizeof(long_name) - 1);
    static char *const misuses[][6] = {
        {NULL},
        {"nonsense", NULL},
        {"status", "x", NULL},
        {"show", NULL},
        {"show", "x", NULL},
        {"show", "1", "2", NULL},
        {"-x", NULL},
        {"--yaml", NULL},
        {"-s", NULL},
        {"bypass", "off", NULL},
        {"bypass", "clear", "1", NULL},
        {"paths", "forget", NULL},
        {"algorithms", "all", NULL},
        {"set", NULL},
        {"set", "3", "profile", NULL},
        {"set", "x", "profile", "bulk", NULL},
        {"set", "3", "checksum", "on", NULL},
        {"set", "3", "profile", "bulk", "now", NULL},
        {"set", "3", "profile", long_name, NULL},
    };
    for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
        char *out, *error, *argv[8] = {"braidctl"};
        for (int k = 0; misuses[i][k]; k++)
            argv[k + 1] = misuses[i][k];
        ck_assert_int_eq(braidctl(argv, &out, &error), 2);
        ck_assert_int_eq(strncmp(error, "braidctl: ", 10), 0);
        ck_assert(ends_with(error, "; \"braidctl -h\" tells how to use it\n"));
        ck_assert_str_eq(out, "");
        free(out);
        free(error);
    }
}
END_TEST

START_TEST(braidctl_helps)
{
    char *out, *error;
    ck_assert_int_eq(CTL("-h"), 0);
    has(out, "usage: braidctl [-s SOCKET | --url URL] [--json] [-h] [-V] COMMAND\n");
    has(out, "\n  show ID ");
    free(out);
    free(error);
    ck_assert_int_eq(CTL("-V"), 0);
    ck_assert_int_eq(strncmp(out, "braidctl ", 9), 0);
    free(out);
    free(error);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control");
    TCase *t = tcase_create("control");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_socket_is_for_its_owner_only_and_goes_with_the_daemon);
    tcase_add_test(t, a_socket_that_a_daemon_answers_at_is_in_use);
    tcase_add_test(t, a_socket_left_behind_is_replaced);
    tcase_add_test(t, a_file_that_is_no_socket_is_left_alone);
    tcase_add_test(t, a_path_that_cannot_be_is_one_line);
    tcase_add_test(t, the_file_of_a_later_daemon_is_not_removed);
    tcase_add_loop_test(t, a_line_is_a_command_or_an_error, 0, sizeof(lines) / sizeof(lines[0]));
    tcase_add_test(t, every_command_is_answered_as_a_table_and_as_json);
    tcase_add_test(t, errors_come_in_the_format_that_was_asked_for);
    tcase_add_test(t, a_line_may_come_in_pieces_and_only_the_first_counts);
    tcase_add_test(t, a_client_that_shuts_its_side_is_answered);
    tcase_add_test(t, a_line_that_does_not_end_is_not_kept);
    tcase_add_test(t, a_text_that_breaks_off_ends_with_an_error_and_json_does_not_end);
    tcase_add_test(t, a_client_that_goes_away_leaves_nothing);
    tcase_add_test(t, clients_beyond_the_limit_are_turned_away_and_the_others_served);
    tcase_add_test(t, braidctl_prints_tables_and_json);
    tcase_add_test(t, braidctl_waits_for_a_drain_so_long);
    tcase_add_test(t, braidctl_tells_the_daemons_errors);
    tcase_add_test(t, braidctl_does_not_take_a_part_for_the_whole);
    tcase_add_test(t, braidctl_says_what_to_do_when_nobody_answers);
    tcase_add_test(t, braidctl_tells_misuse_from_failure);
    tcase_add_test(t, braidctl_helps);
    suite_add_tcase(s, t);
    return run_suite(s);
}
