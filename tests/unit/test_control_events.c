/* Events by the control socket (admin/follow.c, admin/render_events.c), and braidctl that follows them. */
#include <sys/wait.h>
#include "control_harness.h"
#include "ctl/client.h"
#include "io/mailbox.h"
#include "suite.h"

#define ROOM     512
#define WATCHERS 16

static struct mailbox *mb;
static struct watch *watches[WATCHERS];
static uint64_t wanted[WATCHERS]; /* connections; 0: all */
static unsigned n_watches, n_unwatched;

static struct watch *fake_watch(struct snapshot_source *s, const uint64_t *id, void (*ready)(void *arg),
                                void *arg)
{
    (void)s;
    ck_assert_uint_lt(n_watches, WATCHERS);
    wanted[n_watches] = id ? *id : 0;
    return watches[n_watches++] = watch_new(ROOM, mb, ready, arg);
}

/* Freed at the end, as workers may know it until then. */
static void fake_unwatch(struct snapshot_source *s, struct watch *w)
{
    (void)s;
    (void)w;
    n_unwatched++;
}

static void events_setup(void)
{
    setup();
    mb = mailbox_new(base);
    fake.source.watch = fake_watch;
    fake.source.unwatch = fake_unwatch;
    n_watches = n_unwatched = 0;
}

static void events_teardown(void)
{
    end();
    begin(8, 5000); /* for teardown() */
    ck_assert_uint_eq(n_unwatched, n_watches);
    for (unsigned i = 0; i < n_watches; i++) {
        struct watch_event e;
        while (watch_take(watches[i], &e))
            ;
        watch_free(watches[i]);
    }
    mailbox_free(mb);
    teardown();
}

static struct watch_event an_event(enum braid_event_kind kind)
{
    struct watch_event e = {.worker = 1, .conn = 8, .event = {.kind = kind, .subflow = 2, .reset = -1}};
    e.event.local = fake_addr("10.99.9.1:8080");
    e.event.remote = fake_addr("[2001:db8::7]:40001");
    return e;
}

static void tell(enum braid_event_kind kind, bool last)
{
    struct watch_event e = an_event(kind);
    watch_tell(watches[n_watches - 1], &e, last);
}

static int follower(const char *line)
{
    unsigned before = n_watches;
    int fd = client_unix(path);
    client_send(fd, line);
    client_until(base, n_watches > before);
    return fd;
}

static char *line_of(int fd)
{
    static char text[1024];
    size_t n = 0;
    while (n == 0 || text[n - 1] != '\n') {
        client_until(base, recv(fd, text + n, 1, MSG_DONTWAIT) == 1);
        ck_assert_uint_lt(++n, sizeof(text) - 1);
    }
    text[n] = '\0';
    return text;
}

START_TEST(each_event_is_a_line_when_it_happens)
{
    int fd = follower("events\n");
    ck_assert_uint_eq(wanted[0], 0);
    tell(BRAID_EVENT_SUBFLOW_UP, false);
    has(line_of(fd), "       17 subflow-up       2 10.99.9.1:8080        [2001:db8::7]:40001\n");
    struct watch_event e = an_event(BRAID_EVENT_SUBFLOW_DOWN);
    e.event.why = BRAID_CLOSE_RESET;
    e.event.reset = 3;
    watch_tell(watches[0], &e, false);
    has(line_of(fd), "[2001:db8::7]:40001  reset by peer (3)\n");
    tell(BRAID_EVENT_CLOSED, false); /* of one of all */
    has(line_of(fd), "  done\n");
    e = an_event(BRAID_EVENT_PRIORITY);
    e.event.backup = e.event.by_peer = true;
    watch_tell(watches[0], &e, false);
    has(line_of(fd), "  backup  by the peer\n");
    e = (struct watch_event){.lost = 9};
    watch_tell(watches[0], &e, false);
    has(line_of(fd), " 9 events are missing here\n");
    close(fd);
    client_until(base, n_unwatched == 1);
}
END_TEST

static void tell_of(const char *edge, const char *client, enum braid_event_kind kind)
{
    struct watch_event e = an_event(kind);
    strcpy(e.edge, edge);
    e.client = fake_addr(client);
    watch_tell(watches[n_watches - 1], &e, false);
}

/* The kinds that a line stands for, of an edge or a client. */
START_TEST(who_watches_is_told_what_was_asked_for)
{
    int fd = follower("watch edge=six client=192.0.2.0/24 kind=closed,subflow-up\n");
    ck_assert_uint_eq(wanted[0], 0);
    tell_of("web", "192.0.2.7:1", BRAID_EVENT_CLOSED);
    tell_of("six", "198.51.100.7:1", BRAID_EVENT_CLOSED);
    tell_of("six", "192.0.2.7:1", BRAID_EVENT_SUBFLOW_DOWN);
    struct watch_event target = {.target = WATCH_EJECTED, .edge = "six"};
    watch_tell(watches[0], &target, false);
    tell_of("six", "192.0.2.7:1", BRAID_EVENT_SUBFLOW_UP);
    has(line_of(fd), " subflow-up       2 10.99.9.1:8080        [2001:db8::7]:40001  six\n");
    watch_tell(watches[0], &(struct watch_event){.lost = 3}, false);
    has(line_of(fd), " 3 events are missing here\n"); /* of whatever they were */
    close(fd);
    client_until(base, n_unwatched == 1);
    static const char *const wrong[] = {"watch kind=\n", "watch kind=closed,\n", "watch kind=closd\n",
                                        "watch idle=3\n", "watch web\n"};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct reply_text r = ask(wrong[i]);
        has(r.text, "error: this command takes edge=NAME");
        free(r.text);
    }
}
END_TEST

START_TEST(targets_and_uplinks_are_for_who_watches)
{
    static struct uplinks uplinks = {.n = 1};
    uplinks.all[0] = (struct uplink){.name = "dsl", .usable = {true, false}};
    fake.source.uplinks = &uplinks;
    int fd = follower("watch --json\n");
    struct watch_event target = {.target = WATCH_EJECTED, .edge = "web", .worker = 1};
    target.event.remote = fake_addr("10.99.3.2:80");
    watch_tell(watches[0], &target, false);
    has(line_of(fd),
        ",\"event\":\"target\",\"edge\":\"web\",\"target\":\"10.99.3.2:80\",\"state\":\"ejected\","
        "\"worker\":1}\n");
    uplinks.all[0].usable[0] = false;
    has(line_of(fd), ",\"event\":\"uplink\",\"uplink\":\"dsl\",\"family\":\"ipv4\",\"state\":\"down\","
                     "\"before\":\"up\"}\n");
    close(fd);
    client_until(base, n_unwatched == 1);
    fd = follower("events\n");
    watch_tell(watches[1], &target, false);
    tell(BRAID_EVENT_FALLBACK, false);
    has(line_of(fd), " fallback ");
    close(fd);
    client_until(base, n_unwatched == 2);
    fake.source.uplinks = NULL;
}
END_TEST

START_TEST(json_is_a_document_a_line)
{
    int fd = follower("events 17 --json\n");
    ck_assert_uint_eq(wanted[0], 17);
    struct watch_event e = an_event(BRAID_EVENT_ANNOUNCED);
    e.event.address_id = 5;
    watch_tell(watches[0], &e, false);
    char *text = line_of(fd);
    ck_assert_int_eq(strncmp(text, "{\"time_us\":1", 12), 0);
    has(text, ",\"connection\":17,\"edge\":null,\"event\":\"announced\",\"subflow\":null,\"client\":\"[::]:"
              "0\",\"local\":\"10.99.9.1:8080\","
              "\"remote\":\"[2001:db8::7]:40001\",\"mptcp\":false,\"backup\":false,\"by_peer\":false,"
              "\"present\":false,\"address_id\":5,\"reason\":null,\"reset\":null}\n");
    e = (struct watch_event){.lost = 9};
    watch_tell(watches[0], &e, false);
    has(line_of(fd), ",\"event\":\"lost\",\"lost\":9}\n");
    tell(BRAID_EVENT_CLOSED, true);
    struct reply_text r = client_receive(base, fd); /* its end is that of the stream */
    has(r.text, "\"event\":\"closed\",\"subflow\":null,");
    has(r.text, "\"reason\":\"done\",\"reset\":null}\n");
    free(r.text);
    client_until(base, n_unwatched == 1);
}
END_TEST

START_TEST(a_connection_that_is_not_there_is_an_error)
{
    int fd = follower("events 99\n");
    watch_tell(watches[0], &(struct watch_event){.missing = true}, true);
    struct reply_text r = client_receive(base, fd);
    ck_assert_str_eq(r.text,
                     "error: no connection has this id (it may have ended); \"connections\" lists them\n");
    free(r.text);
}
END_TEST

/* What waits for who does not read is bounded, and what is lost is said. */
START_TEST(who_does_not_read_loses_events)
{
    unsigned told = 0, lines = 0;
    unsigned long long lost = 0;
    int fd = follower("events\n");
    for (; told < 40000; told++) {
        tell(BRAID_EVENT_SUBFLOW_UP, false);
        if (told % 64 == 0)
            event_base_loop(base, EVLOOP_NONBLOCK);
    }
    while (lines + lost < told) {
        char *text = line_of(fd), *missing = strstr(text, " events are missing here\n");
        if (missing) {
            while (missing[-1] != ' ')
                missing--;
            lost += strtoull(missing, NULL, 10);
        } else {
            lines++;
        }
    }
    ck_assert(lost > 0 && lines > ROOM && lines + lost == told);
    close(fd);
    client_until(base, n_unwatched == 1);
}
END_TEST

START_TEST(there_are_as_many_followers_as_there_may_be)
{
    int fds[8];
    for (unsigned i = 0; i < 8; i++)
        fds[i] = follower("events\n");
    struct reply_text r = ask("events\n");
    has(r.text, "error: too many requests");
    free(r.text);
    r = ask("status\n"); /* others are answered as ever */
    has(r.text, "2 workers\n");
    free(r.text);
    close(fds[0]);
    client_until(base, n_unwatched == 1);
    fds[0] = follower("events\n");
    for (unsigned i = 0; i < 8; i++)
        close(fds[i]);
    client_until(base, n_unwatched == 9);
}
END_TEST

/* Runs braidctl in a process of its own, and the loop; when it watches, tells it of some kinds, ended by a
 * negative one. */
static int follows(char **argv, const int *kinds, bool then_end, char *out, char *error)
{
    FILE *o = tmpfile(), *e = tmpfile();
    int argc = 0, status = 0;
    while (argv[argc])
        argc++;
    pid_t pid = fork();
    if (pid == 0)
        _exit(client_main(argc, argv, o, e) | (fflush(o) || fflush(e) ? 64 : 0));
    client_until(base, n_watches == 1);
    for (; *kinds >= 0; kinds++)
        tell((enum braid_event_kind) * kinds, *kinds == BRAID_EVENT_CLOSED);
    for (unsigned i = 0; i < 20; i++)
        client_spin(base, -1);
    if (then_end)
        end();
    client_until(base, waitpid(pid, &status, WNOHANG) == pid);
    if (then_end)
        begin(8, 5000);
    FILE *files[] = {o, e};
    char *texts[] = {out, error};
    for (unsigned i = 0; i < 2; i++) {
        rewind(files[i]);
        texts[i][fread(texts[i], 1, 4095, files[i])] = '\0';
        fclose(files[i]);
    }
    return WEXITSTATUS(status);
}

START_TEST(braidctl_follows_until_the_connection_or_the_daemon_ends)
{
    char out[4096], error[4096];
    static const int up[] = {BRAID_EVENT_SUBFLOW_UP, -1},
                     all[] = {BRAID_EVENT_SUBFLOW_UP, BRAID_EVENT_CLOSED, -1};
    char *one[] = {"braidctl", "-s", path, "events", "17", NULL},
         *every[] = {"braidctl", "-s", path, "events", NULL};
    if (_i == 0) {
        ck_assert_int_eq(follows(one, all, false, out, error), 0);
        has(out, "closed");
        ck_assert_str_eq(error, "");
    } else {
        ck_assert_int_eq(follows(_i == 1 ? one : every, up, true, out, error), 1);
        has(error, "the daemon has broken off");
    }
    has(out, "subflow-up");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_events");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, events_setup, events_teardown);
    tcase_add_test(t, each_event_is_a_line_when_it_happens);
    tcase_add_test(t, who_watches_is_told_what_was_asked_for);
    tcase_add_test(t, targets_and_uplinks_are_for_who_watches);
    tcase_add_test(t, json_is_a_document_a_line);
    tcase_add_test(t, a_connection_that_is_not_there_is_an_error);
    tcase_add_test(t, who_does_not_read_loses_events);
    tcase_add_test(t, there_are_as_many_followers_as_there_may_be);
    tcase_add_loop_test(t, braidctl_follows_until_the_connection_or_the_daemon_ends, 0, 3);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
