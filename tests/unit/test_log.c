/* io/log: levels, one line per message, the journal's prefixes, and the limit per place. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io/log.h"
#include "suite.h"

static char written[16384];
static int ends[2], saved;

/* What goes to stderr from here on is read by read_log. */
static void setup(void)
{
    unsetenv("JOURNAL_STREAM");
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
    ck_assert_str_eq(read_log(), "braidd: error: one 1\nbraidd: warn: two\n");
}
END_TEST

START_TEST(a_notice_is_written_at_every_level)
{
    log_init(LOG_LEVEL_ERROR);
    log_notice("ready: %d", 1);
    ck_assert_str_eq(read_log(), "braidd: info: ready: 1\n");
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    log_init(LOG_LEVEL_DEBUG);
    log_error("e");
    log_warn("w");
    log_info("i");
    log_debug("d");
    ck_assert_str_eq(read_log(), "<3>e\n<4>w\n<6>i\n<7>d\n");
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
    ck_assert_str_eq(read_log(), "braidd: info: late (7 more like this)\n");
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

START_TEST(level_names_are_those_of_the_configuration)
{
    enum log_level level;
    ck_assert_int_eq(log_level_parse("error", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_ERROR);
    ck_assert_int_eq(log_level_parse("debug", &level), 0);
    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(log_level_parse("loud", &level), -1);
    ck_assert_int_eq(log_level_parse("", &level), -1);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("log");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, messages_above_the_level_are_dropped);
    tcase_add_test(t, a_notice_is_written_at_every_level);
    tcase_add_test(t, the_journal_gets_priorities);
    tcase_add_test(t, one_place_cannot_flood_and_leaves_room_for_others);
    tcase_add_test(t, a_later_period_tells_how_much_was_swallowed);
    tcase_add_test(t, a_long_message_is_cut_and_still_one_line);
    tcase_add_test(t, level_names_are_those_of_the_configuration);
    Suite *s = suite_create("log");
    suite_add_tcase(s, t);
    return run_suite(s);
}
