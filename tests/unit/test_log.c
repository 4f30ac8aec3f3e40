/* io/log: levels, one line per message, the time or the journal's prefixes, the limit per place, and a reader
 * that is slow. Fields and formats: test_log_record.c. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "io/log.h"
#include "io/log_writer.h"
#include "suite.h"

static char written[1 << 17];
static int ends[2], saved;

/* What goes to stderr from here on is read by read_log. */
static void setup(void)
{
    unsetenv("JOURNAL_STREAM");
    setenv("TZ", "UTC", 1);
    signal(SIGPIPE, SIG_IGN); /* as main.c does */
    ck_assert_int_eq(pipe(ends), 0);
    saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
}

static void teardown(void)
{
    close(ends[0]);
    close(saved);
}

static const char *read_log(void)
{
    dup2(saved, STDERR_FILENO); /* the last writer is gone: reading ends */
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], written + len, sizeof(written) - 1 - len)) > 0;)
        len += (size_t)n;
    written[len] = '\0';
    return written;
}

#define STAMP (sizeof("2026-03-01T12:00:00.123+00:00 ") - 1)

/* The same without the times that lines begin with. */
static const char *read_said(void)
{
    static char said[sizeof(written)];
    char *to = said;
    for (const char *line = read_log(), *end; (end = strchr(line, '\n')); line = end + 1) {
        ck_assert_uint_gt((size_t)(end - line), STAMP);
        to = mempcpy(to, line + STAMP, (size_t)(end + 1 - line) - STAMP);
    }
    *to = '\0';
    return said;
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

START_TEST(messages_above_the_level_are_dropped)
{
    log_init(LOG_LEVEL_WARN);
    log_error("one %d", 1);
    log_warn("two");
    log_info("three");
    log_debug("four");
    ck_assert_str_eq(read_said(), "braidd: error: one 1\nbraidd: warn: two\n");
}
END_TEST

START_TEST(a_notice_is_written_at_every_level)
{
    log_init(LOG_LEVEL_ERROR);
    log_notice("ready: %d", 1);
    ck_assert_str_eq(read_said(), "braidd: info: ready: 1\n");
}
END_TEST

/* What systemd would say if it had made our stderr. */
static void name_the_journal(int more)
{
    char stream[64];
    struct stat st;
    ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + (unsigned)more);
    setenv("JOURNAL_STREAM", stream, 1);
}

START_TEST(a_journal_that_is_not_our_stderr_gets_nothing)
{
    name_the_journal(1);
    log_init(LOG_LEVEL_INFO);
    log_info("i");
    ck_assert_str_eq(read_said(), "braidd: info: i\n");
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
    name_the_journal(0);
    log_init(LOG_LEVEL_DEBUG);
    log_error("e");
    log_warn("w");
    log_info("i");
    log_debug("d");
    ck_assert_str_eq(read_log(), "<3>e\n<4>w\n<6>i\n<7>d\n");
}
END_TEST

START_TEST(a_line_begins_with_the_time_in_its_zone)
{
    struct tm tm = {0};
    int ms, zone_h, zone_m;
    setenv("TZ", "TEST-05:30", 1); /* east of Greenwich */
    log_init(LOG_LEVEL_INFO);
    time_t before = time(NULL);
    log_info("i");
    time_t after = time(NULL);
    const char *line = read_log(), *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &tm);
    ck_assert_ptr_nonnull(rest);
    ck_assert_int_eq(sscanf(rest, ".%3d+%2d:%2d braidd: info: i\n", &ms, &zone_h, &zone_m), 3);
    ck_assert_int_eq(zone_h * 60 + zone_m, 330);
    time_t said = timegm(&tm) - 330 * 60;
    ck_assert(before <= said && said <= after);
}
END_TEST

START_TEST(a_line_of_the_journal_has_no_time_as_json_neither)
{
    name_the_journal(0);
    log_init(LOG_LEVEL_INFO);
    log_record_set_format(LOG_FORMAT_JSON);
    log_info("i");
    ck_assert_str_eq(read_log(), "<6>{\"level\":\"info\",\"message\":\"i\"}\n");
}
END_TEST

START_TEST(a_message_cannot_speak_to_the_terminal)
{
    log_init(LOG_LEVEL_INFO);
    log_info("a\033[2Jb\rc\177d");
    ck_assert_str_eq(read_said(), "braidd: info: a [2Jb c d\n");
}
END_TEST

START_TEST(one_place_cannot_flood_and_leaves_room_for_others)
{
    log_init(LOG_LEVEL_INFO);
    for (unsigned i = 0; i < 1000; i++)
        log_info("flood");
    log_info("another place");
    const char *text = read_log();
    ck_assert_uint_ge(count_lines(text), LOG_BURST + 1);
    ck_assert_uint_le(count_lines(text), 2 * LOG_BURST + 1); /* a period may have begun in between */
    ck_assert_ptr_nonnull(strstr(text, "another place\n"));
}
END_TEST

START_TEST(a_later_period_tells_how_much_was_swallowed)
{
    struct log_limit limit = {.period = 1, .count = LOG_BURST + 7}; /* long ago */
    log_init(LOG_LEVEL_INFO);
    log_write(LOG_LEVEL_INFO, &limit, "late");
    ck_assert_str_eq(read_said(), "braidd: info: late (7 more like this)\n");
}
END_TEST

START_TEST(a_long_message_is_cut_and_still_one_line)
{
    static char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    log_init(LOG_LEVEL_INFO);
    log_info("%s", text);
    const char *line = read_log();
    ck_assert_uint_eq(count_lines(line), 1);
    ck_assert_uint_lt(strlen(line), sizeof(text));
    ck_assert(line[strlen(line) - 1] == '\n');
}
END_TEST

START_TEST(a_message_with_newlines_is_one_line)
{
    log_init(LOG_LEVEL_INFO);
    log_info("a\nb");
    ck_assert_str_eq(read_said(), "braidd: info: a b\n");
}
END_TEST

/* ---- with a thread that writes ---------------------------------------------------------------- */

#define SPEAKERS 4
#define LINES    200 /* of each */

static void *speak(void *arg)
{
    for (unsigned i = 0; i < LINES; i++)
        log_write(LOG_LEVEL_INFO, NULL, "%s %u", (const char *)arg, i);
    return NULL;
}

static void speak_all(void)
{
    static const char *const names[SPEAKERS] = {"a", "b", "c", "d"};
    pthread_t threads[SPEAKERS];
    for (unsigned i = 0; i < SPEAKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, speak, (void *)names[i]), 0);
    for (unsigned i = 0; i < SPEAKERS; i++)
        pthread_join(threads[i], NULL);
}

/* Each line is whole, and each thread's lines are there in order. */
static void all_there(const char *text)
{
    unsigned next[SPEAKERS] = {0};
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        char who;
        unsigned n;
        ck_assert_int_eq(sscanf(line + STAMP, "braidd: info: %c %u\n", &who, &n), 2);
        ck_assert_uint_lt((unsigned)(who - 'a'), SPEAKERS);
        ck_assert_uint_eq(n, next[who - 'a']++);
    }
    for (unsigned i = 0; i < SPEAKERS; i++)
        ck_assert_uint_eq(next[i], LINES);
}

START_TEST(nothing_is_lost_when_the_log_ends_in_order)
{
    log_init(LOG_LEVEL_INFO);
    ck_assert_int_eq(log_start(), 0);
    speak_all();
    log_stop();
    all_there(read_log());
    ck_assert_uint_eq(log_lost(), 0);
}
END_TEST

static void *say_one(void *arg)
{
    log_write(LOG_LEVEL_INFO, NULL, "%s", (const char *)arg);
    return NULL;
}

START_TEST(rings_are_given_back_by_threads_that_end)
{
    log_init(LOG_LEVEL_INFO);
    ck_assert_int_eq(log_start(), 0);
    for (unsigned i = 0; i < 2 * LOG_THREADS; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, say_one, "x"), 0);
        pthread_join(thread, NULL);
    }
    log_stop();
    ck_assert_uint_eq(count_lines(read_log()), 2 * LOG_THREADS);
}
END_TEST

/* The pipe is full, as if its reader had been stopped. */
static void fill_pipe(void)
{
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096), 4096);
    fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
    while (write(STDERR_FILENO, ".", 1) == 1)
        ;
    fcntl(STDERR_FILENO, F_SETFL, flags);
}

/* The reader goes on, in a thread of its own. */
static void *read_on(void *arg)
{
    (void)arg;
    static char text[1 << 20];
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)n;
    return text;
}

START_TEST(nobody_waits_for_a_reader_that_is_stuck_and_what_was_lost_is_said)
{
    pthread_t reader;
    char *text;
    log_init(LOG_LEVEL_INFO);
    ck_assert_int_eq(log_start(), 0);
    fill_pipe();
    for (unsigned i = 0; i < 10000; i++)
        log_write(LOG_LEVEL_INFO, NULL, "line %u", i); /* returns, though nobody reads */
    uint64_t lost = log_lost();
    ck_assert_uint_gt(lost, 5000);
    ck_assert_int_eq(pthread_create(&reader, NULL, read_on, NULL), 0);
    log_stop();
    dup2(saved, STDERR_FILENO);
    pthread_join(reader, (void **)&text);
    unsigned next = 0, said = 0;
    for (char *line = text + strspn(text, "."); *line; line = strchr(line, '\n') + 1) {
        unsigned n;
        if (sscanf(line + STAMP, "braidd: info: line %u\n", &n) == 1)
            ck_assert_uint_eq(n, next++); /* the first ones: later ones found no room */
        else
            ck_assert_int_eq(sscanf(line + STAMP, "braidd: warn: %u lines of the log were lost", &said), 1);
    }
    ck_assert_uint_eq(said, lost);
    ck_assert_uint_eq(next + said, 10000);
}
END_TEST

START_TEST(the_end_does_not_wait_for_a_reader_that_is_stuck)
{
    log_init(LOG_LEVEL_INFO);
    ck_assert_int_eq(log_start(), 0);
    fill_pipe();
    log_info("one");
    log_stop();
    log_info("two");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("log");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, messages_above_the_level_are_dropped);
    tcase_add_test(t, a_notice_is_written_at_every_level);
    tcase_add_test(t, the_journal_gets_priorities);
    tcase_add_test(t, a_line_begins_with_the_time_in_its_zone);
    tcase_add_test(t, a_line_of_the_journal_has_no_time_as_json_neither);
    tcase_add_test(t, a_message_cannot_speak_to_the_terminal);
    tcase_add_test(t, one_place_cannot_flood_and_leaves_room_for_others);
    tcase_add_test(t, a_later_period_tells_how_much_was_swallowed);
    tcase_add_test(t, a_long_message_is_cut_and_still_one_line);
    tcase_add_test(t, a_journal_that_is_not_our_stderr_gets_nothing);
    tcase_add_test(t, a_message_with_newlines_is_one_line);
    tcase_add_test(t, nothing_is_lost_when_the_log_ends_in_order);
    tcase_add_test(t, rings_are_given_back_by_threads_that_end);
    tcase_add_test(t, nobody_waits_for_a_reader_that_is_stuck_and_what_was_lost_is_said);
    tcase_add_test(t, the_end_does_not_wait_for_a_reader_that_is_stuck);
    Suite *s = suite_create("log");
    suite_add_tcase(s, t);
    return run_suite(s);
}
