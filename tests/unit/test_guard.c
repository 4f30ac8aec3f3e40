/* Who is let in at the HTTP port by what a request's head says (src/admin/guard.c, src/admin/request.c). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "admin/guard.h"
#include "io/bearer_tokens.h"
#include "suite.h"

static struct admin_params params;
static char name[] = "proxy.example";

/* What the head of fields, each ended by a newline, deserves: 200, if it can be answered. */
static int judge(const char *fields)
{
    struct request r = {0};
    char text[1024], *at = text;
    int code = 0;
    snprintf(text, sizeof(text), "GET /metrics HTTP/1.1\n%s\n", fields);
    for (char *line; code == 0 && (line = strsep(&at, "\n")) != NULL && at;)
        code = request_take_line(&r, line, strlen(line));
    return code != 200 ? code : guard_place(&params, &r) ? 403 : guard_token(&params, &r) ? 401 : 200;
}

static void setup(void)
{
    params = (struct admin_params){.names = {name}, .n_names = 1};
}

static void teardown(void)
{
    bearer_tokens_free(params.tokens);
}

static const struct {
    const char *fields;
    int code;
} places[] = {
    {"Host: localhost\n", 200},
    {"Host: LocalHost:9180\n", 200},
    {"Host:\n", 200},
    {"Host: 192.0.2.1\n", 200},
    {"Host: 192.0.2.1:80\n", 200},
    {"Host: [::1]\n", 200},
    {"Host: [2001:db8::1]:9180\n", 200},
    {"Host: Proxy.example:9180\n", 200},
    {"Host: proxy.example.\n", 403},
    {"Host: proxy.example.evil.example\n", 403},
    {"Host: evil.example\n", 403},
    {"Host: 127.0.0.1.evil.example\n", 403},
    {"Host: [evil.example]\n", 403},
    {"Host: [::1]evil.example\n", 403},
    {"Host: [::1\n", 403},
    {"Host: evil.example:[::1]\n", 403},
    {"Host: localhost@evil.example\n", 403},
    {"Host: a\nHost: a\n", 400},
    {"Host: localhost:9180\nOrigin: http://localhost:9180\n", 200},
    {"Host: LOCALHOST:9180\nOrigin: http://localhost:9180\n", 200},
    {"Host: proxy.example\nOrigin: http://proxy.example\n", 200},
    {"Host: localhost:9180\nOrigin: http://localhost:9181\n", 403},
    {"Host: localhost:9180\nOrigin: http://localhost\n", 403},
    {"Host: localhost:9180\nOrigin: https://localhost:9180\n", 403},
    {"Host: localhost:9180\nOrigin: http://evil.example\n", 403},
    {"Host: localhost:9180\nOrigin: null\n", 403},
    {"Host: localhost:9180\nOrigin:\n", 403},
    {"Host:\nOrigin: http://\n", 403},
    {"Host: a\nOrigin: http://a\nOrigin: http://a\n", 400},
};

START_TEST(host_and_origin_have_to_be_ours)
{
    ck_assert_msg(judge(places[_i].fields) == places[_i].code, "%s", places[_i].fields);
}
END_TEST

START_TEST(an_origin_that_is_too_long_is_none_of_ours)
{
    char fields[800];
    snprintf(fields, sizeof(fields), "Host: localhost\nOrigin: http://localhost%0*d\n", REQUEST_HOST, 0);
    ck_assert_int_eq(judge(fields), 403);
}
END_TEST

static const struct {
    const char *fields;
    int code;
} tokens[] = {
    {"Host: localhost\n", 401},
    {"Host: localhost\nAuthorization: Basic 0123456789abcdef\n", 401},
    {"Host: localhost\nAuthorization: Bearer 0123456789abcdeX\n", 401},
    {"Host: localhost\nAuthorization: Bearer\n", 401},
    {"Host: localhost\nAuthorization: 0123456789abcdef\n", 401},
    {"Host: localhost\nAuthorization: Bearer 0123456789abcdef,\n", 401},
    {"Host: localhost\nAuthorization: Bearer 0123456789abcdef\n", 200},
    {"Host: localhost\nauthorization: bearer  0123456789abcdef \n", 200},
    {"Host: localhost\nAuthorization: Bearer second-of-the-tokens\n", 200},
    {"Host: evil.example\nAuthorization: Bearer 0123456789abcdef\n", 403},
    {"Host: a\nAuthorization: Bearer 0123456789abcdef\nAuthorization: Bearer x\n", 400},
};

START_TEST(one_of_the_tokens_has_to_be_there)
{
    static const char text[] = "# two\n0123456789abcdef\nsecond-of-the-tokens\n";
    char path[] = "/tmp/braid-test-XXXXXX", error[SECRET_FILE_ERROR];
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
    close(fd);
    params.tokens = bearer_tokens_read(path, error);
    unlink(path);
    ck_assert_msg(params.tokens != NULL, "%s", error);
    ck_assert_msg(judge(tokens[_i].fields) == tokens[_i].code, "%s", tokens[_i].fields);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("guard");
    TCase *t = tcase_create("guard");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, host_and_origin_have_to_be_ours, 0, sizeof(places) / sizeof(places[0]));
    tcase_add_test(t, an_origin_that_is_too_long_is_none_of_ours);
    tcase_add_loop_test(t, one_of_the_tokens_has_to_be_there, 0, sizeof(tokens) / sizeof(tokens[0]));
    suite_add_tcase(s, t);
    return run_suite(s);
}
