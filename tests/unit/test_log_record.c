/* io/log_record: fields as text and as JSON, whatever is in them, and lines that are too long; JSON is read
 * back by Python's parser. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io/log_record.h"
#include "suite.h"

static struct log_record r;

/* The line without the time that text begins with, and without its newline. */
static const char *said(void)
{
    static char line[LOG_LINE + 1];
    log_record_end(&r);
    ck_assert_uint_le(r.len, LOG_LINE);
    ck_assert(r.line[r.len - 1] == '\n');
    ck_assert_ptr_null(memchr(r.line, '\n', r.len - 1));
    memcpy(line, r.line, r.len - 1);
    line[r.len - 1] = '\0';
    const char *begin = strstr(line, "braidd: ");
    return r.json || !begin ? line : begin;
}

static void setup_text(void)
{
    log_record_set_format(LOG_FORMAT_TEXT);
}

static void setup_json(void)
{
    log_record_set_format(LOG_FORMAT_JSON);
}

/* What Python reads in lines: the members of the last one, without the time, as ascii() has them. */
static const char *parsed(const char *lines)
{
    static char out[8 * LOG_LINE];
    char name[] = "/tmp/braid-log-record-XXXXXX", command[256];
    int fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    FILE *f = fdopen(fd, "w");
    fputs(lines, f);
    fclose(f);
    snprintf(command, sizeof(command),
             "python3 -c 'import json; all = [json.loads(b) for b in open(\"%s\", \"rb\")]; "
             "d = all[-1]; d.pop(\"time\"); print(ascii(d))'",
             name);
    FILE *p = popen(command, "r");
    size_t n = fread(out, 1, sizeof(out) - 1, p);
    ck_assert_int_eq(pclose(p), 0);
    remove(name);
    out[n ? n - 1 : 0] = '\0';
    return out;
}

static void some_fields(void)
{
    log_record_begin(&r, LOG_LEVEL_INFO, "done");
    log_record_text(&r, "edge", "web");
    log_record_uint(&r, "n", 18446744073709551615u);
    log_record_text(&r, "left_out", NULL);
    log_record_open(&r, "paths");
    log_record_open(&r, "dsl");
    log_record_uint(&r, "in", 1);
    log_record_seconds(&r, "rtt", 1234567);
    log_record_close(&r);
    log_record_open(&r, "lte");
    log_record_close(&r);
    log_record_close(&r);
    log_record_text(&r, "why", "both sides closed");
}

START_TEST(text_has_fields_as_words)
{
    some_fields();
    ck_assert_str_eq(said(),
                     "braidd: info: done edge=web n=18446744073709551615 paths.dsl.in=1 paths.dsl.rtt=1.234 "
                     "why=\"both sides closed\"");
}
END_TEST

START_TEST(text_quotes_what_would_be_taken_for_something_else)
{
    log_record_begin(&r, LOG_LEVEL_WARN, "m");
    log_record_text(&r, "a", "");
    log_record_text(&r, "b", "x=y");
    log_record_text(&r, "c", "say \"no\"\n");
    log_record_text(&r, "d", "[2001:db8::1]:443");
    log_record_text(&r, "e", "\xff\x1b");
    log_record_text(&r, "f g=\n", "1");
    ck_assert_str_eq(said(),
                     "braidd: warn: m a=\"\" b=\"x=y\" c=\"say \\\"no\\\"\\u000a\" d=[2001:db8::1]:443 "
                     "e=\"\\ufffd\\u001b\" f_g__=1");
}
END_TEST

START_TEST(json_has_fields_as_members)
{
    some_fields();
    ck_assert_str_eq(parsed(said()), "{'level': 'info', 'message': 'done', 'edge': 'web', "
                                     "'n': 18446744073709551615, 'paths': {'dsl': {'in': 1, 'rtt': 1.234}, "
                                     "'lte': {}}, 'why': 'both sides closed'}");
}
END_TEST

START_TEST(json_is_valid_whatever_is_in_it)
{
    log_record_begin(&r, LOG_LEVEL_ERROR, "a\"b\\c\nd\te\x01\x7f\xc3\xa9\xff\xc3(\xed\xa0\x80");
    log_record_text(&r, "key\"with\\\n", "\xf0\x9f\x98\x80\xf8 ,}");
    ck_assert_str_eq(parsed(said()),
                     "{'level': 'error', 'message': 'a\"b\\\\c\\nd\\te\\x01\\x7f\\xe9\\ufffd\\ufffd("
                     "\\ufffd\\ufffd\\ufffd', 'key_with__': '\\U0001f600\\ufffd ,}'}");
}
END_TEST

static char lines[1 << 21];
static size_t n_bytes;

static void keep(const char *line)
{
    n_bytes += (size_t)snprintf(lines + n_bytes, sizeof(lines) - n_bytes, "%s\n", line);
    ck_assert_uint_lt(n_bytes, sizeof(lines));
}

static void two_groups(const char *message, const char *text)
{
    log_record_begin(&r, LOG_LEVEL_INFO, message);
    log_record_open(&r, "a");
    log_record_text(&r, "b", text);
    log_record_open(&r, "c");
    log_record_uint(&r, "d", 1);
    log_record_close(&r);
    log_record_close(&r);
    log_record_text(&r, "e", "f");
}

/* Texts of every length around that of the line, as the message or in a field. */
START_TEST(a_long_line_is_cut_between_fields)
{
    static char text[2 * LOG_LINE];
    const char *character = _i & 2 ? "x" : "\xc3\xa9";
    size_t n = strlen(character);
    for (size_t len = LOG_LINE / 2; len < LOG_LINE + 100; len += 5) {
        for (size_t i = 0; i < len; i++)
            text[i] = character[i % n];
        text[len - len % n] = '\0';
        two_groups(_i & 1 ? text : "m", text);
        bool cut = r.cut;
        const char *line = said();
        ck_assert(cut == (strstr(line, "cut") != NULL));
        keep(line);
    }
    if (r.json)
        parsed(lines);
}
END_TEST

START_TEST(random_bytes_are_valid_json)
{
    srand(1);
    for (unsigned i = 0; i < 1000; i++) {
        char text[300];
        for (unsigned k = 0; k < sizeof(text) - 1; k++)
            text[k] = (char)(1 + rand() % 255);
        text[rand() % (int)sizeof(text)] = '\0';
        text[sizeof(text) - 1] = '\0';
        log_record_begin(&r, LOG_LEVEL_INFO, text);
        log_record_text(&r, text, text);
        keep(said());
    }
    parsed(lines);
}
END_TEST

int main(void)
{
    TCase *text = tcase_create("text"), *json = tcase_create("json");
    tcase_add_checked_fixture(text, setup_text, NULL);
    tcase_add_test(text, text_has_fields_as_words);
    tcase_add_test(text, text_quotes_what_would_be_taken_for_something_else);
    tcase_add_loop_test(text, a_long_line_is_cut_between_fields, 0, 4);
    tcase_add_checked_fixture(json, setup_json, NULL);
    tcase_set_timeout(json, 120);
    tcase_add_test(json, json_has_fields_as_members);
    tcase_add_test(json, json_is_valid_whatever_is_in_it);
    tcase_add_loop_test(json, a_long_line_is_cut_between_fields, 0, 4);
    tcase_add_test(json, random_bytes_are_valid_json);
    Suite *s = suite_create("log_record");
    suite_add_tcase(s, text);
    suite_add_tcase(s, json);
    return run_suite(s);
}
