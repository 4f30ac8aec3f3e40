/* Whom the HTTP port answers: names, origins and tokens, as src/admin/guard.c judges them. */
#include "http_harness.h"
#include "io/bearer_tokens.h"
#include "suite.h"

START_TEST(names_are_refused_unless_they_are_listed_wherever_it_listens)
{
    char name[] = "monitor.example";
    restart("0.0.0.0:1", 8, 5000);
    struct http_reply r = ask("GET", "/api/v1/counters", "Host: Monitor.example:80\r\n");
    ck_assert_int_eq(r.code, 403);
    free(r.raw.text);
    params.names[0] = name;
    params.n_names = 1;
    r = ask("GET", "/api/v1/counters", "Host: Monitor.example:80\r\n");
    ck_assert_int_eq(r.code, 200);
    free(r.raw.text);
    params.n_names = 0;
}
END_TEST

START_TEST(a_page_of_another_origin_is_refused)
{
    struct http_reply r = ask("GET", "/metrics", "Host: localhost:1\r\nOrigin: http://localhost:1\r\n");
    ck_assert_int_eq(r.code, 200);
    free(r.raw.text);
    r = ask("GET", "/metrics", "Host: localhost:1\r\nOrigin: http://localhost:2\r\n");
    ck_assert_int_eq(r.code, 403);
    has(&r, "{\"error\":\"a web page elsewhere may not ask");
    free(r.raw.text);
}
END_TEST

static const struct {
    const char *path, *headers;
    int code;
    const char *part; /* of the head */
} authorized[] = {
    {"/metrics", "", 401, "\r\nWWW-Authenticate: Bearer realm=\"braid\"\r\n"},
    {"/metrics", "Authorization: Bearer 0123456789abcdeX\r\n", 401, ", error=\"invalid_token\"\r\n"},
    {"/metrics", "Authorization: Bearer 0123456789abcdef\r\n", 200, " 200 OK\r\n"},
    {"/api/v1/top?order=up", "", 401, "application/json"},
    {"/nowhere", "", 404, "application/json"},
};

START_TEST(where_there_are_tokens_one_is_asked_for)
{
    char path[] = "/tmp/braid-test-XXXXXX", error[SECRET_FILE_ERROR], headers[128];
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "0123456789abcdef", 16), 16);
    close(fd);
    params.tokens = bearer_tokens_read(path, error);
    unlink(path);
    ck_assert_msg(params.tokens != NULL, "%s", error);
    snprintf(headers, sizeof(headers), "Host: localhost\r\n%s", authorized[_i].headers);
    struct http_reply r = ask("GET", authorized[_i].path, headers);
    ck_assert_msg(r.code == authorized[_i].code, "%s: %d", headers, r.code);
    ck_assert_msg(strstr(r.raw.text, authorized[_i].part) != NULL, "%s", r.raw.text);
    free(r.raw.text);
    bearer_tokens_free(params.tokens);
    params.tokens = NULL;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("admission");
    TCase *t = tcase_create("admission");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, names_are_refused_unless_they_are_listed_wherever_it_listens);
    tcase_add_test(t, a_page_of_another_origin_is_refused);
    tcase_add_loop_test(t, where_there_are_tokens_one_is_asked_for, 0,
                        sizeof(authorized) / sizeof(authorized[0]));
    suite_add_tcase(s, t);
    return run_suite(s);
}
