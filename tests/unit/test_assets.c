/* The embedded files of the page (src/admin/assets.c): they are those of the source, fit together, and are
 * served. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admin/assets.h"
#include "http_harness.h"
#include "suite.h"

static const struct {
    const char *path, *file, *type;
} files[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/page.css", "page.css", "text/css; charset=utf-8"},
    {"/page.js", "page.js", "text/javascript; charset=utf-8"},
    {"/tables.js", "tables.js", "text/javascript; charset=utf-8"},
    {"/connections.js", "connections.js", "text/javascript; charset=utf-8"},
    {"/charts.js", "charts.js", "text/javascript; charset=utf-8"},
    {"/format.js", "format.js", "text/javascript; charset=utf-8"},
};

static size_t size_of(const struct asset *a)
{
    return (size_t)(a->end - a->begin);
}

START_TEST(an_asset_is_the_file_of_the_source)
{
    const struct asset *a = asset_at(files[_i].path);
    char path[128], *text = NULL;
    size_t size = 0;
    ck_assert_ptr_nonnull(a);
    ck_assert_str_eq(a->type, files[_i].type);
    snprintf(path, sizeof(path), "src/admin/page/%s", files[_i].file);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "no %s: run this from the project's folder", path);
    ck_assert_int_gt(getdelim(&text, &size, '\0', f), 0);
    ck_assert_uint_eq(strlen(text), size_of(a));
    ck_assert_mem_eq(text, a->begin, size_of(a));
    free(text);
    fclose(f);
}
END_TEST

START_TEST(the_library_that_draws_is_there)
{
    const struct asset *script = asset_at("/dygraph.min.js"), *style = asset_at("/dygraph.min.css");
    ck_assert_ptr_nonnull(script);
    ck_assert_ptr_nonnull(style);
    ck_assert_uint_gt(size_of(script), 50000);
    ck_assert_ptr_nonnull(memmem(script->begin, size_of(script), "Dygraph", 7));
    ck_assert_ptr_nonnull(memmem(style->begin, size_of(style), ".dygraph-", 9));
}
END_TEST

START_TEST(nothing_else_is)
{
    static const char *const paths[] = {"",         "//",      "/page",       "/page.js/",
                                        "/PAGE.JS", "page.js", "/../page.js", "/x"};
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        ck_assert_msg(!asset_at(paths[i]), "\"%s\"", paths[i]);
}
END_TEST

/* Whatever the page names in src="..." and href="..." is an asset, or data. */
START_TEST(what_the_page_asks_for_is_an_asset)
{
    const struct asset *page = asset_at("/");
    char *text = strndup(page->begin, size_of(page)), *at = text;
    unsigned n = 0;
    while ((at = strpbrk(at, "sh")) != NULL) {
        size_t skip = strncmp(at, "src=\"", 5) == 0 ? 5 : strncmp(at, "href=\"", 6) == 0 ? 6 : 0;
        if (skip == 0) {
            at++;
            continue;
        }
        at += skip;
        char *path = strndup(at, strcspn(at, "\""));
        ck_assert_msg(asset_at(path) || strcmp(path, "data:,") == 0, "the page asks for %s", path);
        n++;
        free(path);
    }
    ck_assert_uint_ge(n, 4);
    free(text);
}
END_TEST

START_TEST(the_policy_lets_nothing_come_from_elsewhere)
{
    const char *policy = asset_policy();
    ck_assert_ptr_nonnull(strstr(policy, "default-src 'none'"));
    ck_assert_ptr_nonnull(strstr(policy, "script-src 'self';"));
    ck_assert_ptr_nonnull(strstr(policy, "frame-ancestors 'none'"));
    ck_assert_ptr_null(strstr(policy, "http"));
    ck_assert_ptr_null(strchr(policy, '*'));
}
END_TEST

/* ---- served ---- */

/* The whole answer; the caller frees its text. */
static struct reply_text answer_to(const char *method, const char *path)
{
    char request[256];
    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
             method, path);
    int fd = client_tcp(http_port(http));
    client_send(fd, request);
    return client_receive(base, fd);
}

static void is_served(const char *path)
{
    const struct asset *a = asset_at(path);
    char head[128];
    snprintf(head, sizeof(head), "\r\nContent-Length: %zu\r\n", size_of(a));
    struct reply_text got = answer_to("GET", path), bare = answer_to("HEAD", path);
    const char *body = strstr(got.text, "\r\n\r\n") + 4;
    ck_assert_ptr_eq(strstr(got.text, "HTTP/1.1 200 OK\r\n"), got.text);
    ck_assert_ptr_nonnull(strstr(got.text, head));
    ck_assert_ptr_nonnull(strstr(got.text, "\r\nContent-Security-Policy: default-src 'none'; "));
    ck_assert_uint_eq(got.len - (size_t)(body - got.text), size_of(a));
    ck_assert_mem_eq(body, a->begin, size_of(a));
    ck_assert_uint_eq(bare.len, (size_t)(body - got.text));
    ck_assert_ptr_nonnull(strstr(bare.text, head));
    free(got.text);
    free(bare.text);
}

/* One of them is longer than a socket takes at once. */
START_TEST(an_asset_is_served_byte_for_byte)
{
    is_served("/");
    is_served("/page.js");
    is_served("/dygraph.min.js");
}
END_TEST

START_TEST(nothing_can_be_sent_to_an_asset)
{
    struct reply_text got = answer_to("POST", "/");
    ck_assert_ptr_eq(strstr(got.text, "HTTP/1.1 405 "), got.text);
    free(got.text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("assets");
    TCase *t = tcase_create("assets");
    tcase_add_loop_test(t, an_asset_is_the_file_of_the_source, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(t, the_library_that_draws_is_there);
    tcase_add_test(t, nothing_else_is);
    tcase_add_test(t, what_the_page_asks_for_is_an_asset);
    tcase_add_test(t, the_policy_lets_nothing_come_from_elsewhere);
    suite_add_tcase(s, t);
    t = tcase_create("served");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_asset_is_served_byte_for_byte);
    tcase_add_test(t, nothing_can_be_sent_to_an_asset);
    suite_add_tcase(s, t);
    return run_suite(s);
}
