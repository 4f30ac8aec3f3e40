/* Files of secrets, and the tokens that are in one (src/io/secret_file.c, src/io/bearer_tokens.c). */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/bearer_tokens.h"
#include "suite.h"

static char path[64], error[SECRET_FILE_ERROR];

static void setup(void)
{
    strcpy(path, "/tmp/braid-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    error[0] = '\0';
}

static void teardown(void)
{
    unlink(path);
}

static struct bearer_tokens *of(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    fclose(f);
    return bearer_tokens_read(path, error);
}

START_TEST(each_line_is_a_token_and_only_the_whole_of_it)
{
    static const char text[] =
        "# operators\r\n0123456789abcdef\r\n\n  \nABCDEFGHIJ-._~+/==  \nnoneolinefollowsme";
    struct bearer_tokens *t = of(text, strlen(text));
    ck_assert_msg(t != NULL, "%s", error);
    ck_assert(bearer_tokens_have(t, "0123456789abcdef"));
    ck_assert(bearer_tokens_have(t, "ABCDEFGHIJ-._~+/=="));
    ck_assert(bearer_tokens_have(t, "noneolinefollowsme"));
    static const char *const wrong[] = {
        "", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0", "# operators", "0123456789abcdef\r"};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!bearer_tokens_have(t, wrong[i]), "%s", wrong[i]);
    char longest[TOKEN_MOST + 50];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert(!bearer_tokens_have(t, longest));
    bearer_tokens_free(t);
}
END_TEST

START_TEST(what_is_no_token_is_named_by_its_line)
{
    static const char zero[] = "0123456789\0abcdef\n";
    char text[TOKENS_MAX * 20 + 100] = "";
    ck_assert_ptr_null(of("\n0123456789abcde\n", 17));
    ck_assert_msg(strncmp(error, "line 2 is not a token", 21) == 0, "%s", error);
    ck_assert_ptr_null(of("0123456789 abcdef\n", 18));
    ck_assert_ptr_null(of(zero, sizeof(zero) - 1));
    ck_assert_ptr_null(of("", 0));
    ck_assert_msg(strncmp(error, "there is no token in it", 23) == 0, "%s", error);
    for (unsigned i = 0; i <= TOKENS_MAX; i++)
        sprintf(text + strlen(text), "0123456789abcde%03u\n", i);
    ck_assert_ptr_null(of(text, strlen(text)));
    ck_assert_msg(strncmp(error, "line 65 is one token too many", 29) == 0, "%s", error);
    memset(text, 'a', TOKEN_MOST + 1);
    ck_assert_ptr_null(of(text, TOKEN_MOST + 1));
    struct bearer_tokens *t = of(text, TOKEN_MOST);
    ck_assert_ptr_nonnull(t);
    text[TOKEN_MOST] = '\0';
    ck_assert(bearer_tokens_have(t, text));
    bearer_tokens_free(t);
}
END_TEST

static const struct {
    mode_t mode;
    bool fine;
} modes[] = {{0600, true},  {0400, true},  {0640, true},  {0440, true},
             {0644, false}, {0660, false}, {0602, false}, {0601, false}};

START_TEST(others_have_no_access_to_the_file)
{
    bearer_tokens_free(of("0123456789abcdef", 16));
    chmod(path, modes[_i].mode);
    struct bearer_tokens *t = bearer_tokens_read(path, error);
    ck_assert_int_eq(t != NULL, modes[_i].fine);
    if (!t)
        ck_assert_msg(strstr(error, "chmod 640 or 600") != NULL, "%s", error);
    bearer_tokens_free(t);
}
END_TEST

START_TEST(what_is_no_file_is_refused_at_once)
{
    char *big = malloc(SECRET_FILE_MAX + 2);
    memset(big, '\n', SECRET_FILE_MAX + 2);
    ck_assert_ptr_null(of(big, SECRET_FILE_MAX + 1));
    ck_assert_ptr_nonnull(strstr(error, "64 KiB"));
    free(big);
    unlink(path);
    ck_assert_ptr_null(bearer_tokens_read(path, error));
    ck_assert_ptr_nonnull(strstr(error, "No such file"));
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(bearer_tokens_read(path, error));
    ck_assert_ptr_nonnull(strstr(error, "no regular file"));
    ck_assert_ptr_null(bearer_tokens_read("/tmp", error));
}
END_TEST

START_TEST(somebody_elses_file_is_refused)
{
    bearer_tokens_free(of("0123456789abcdef", 16));
    if (geteuid() != 0)
        return; /* who cannot give a file away cannot be given one here */
    ck_assert_int_eq(chown(path, 65534, 0), 0);
    ck_assert_ptr_null(bearer_tokens_read(path, error));
    ck_assert_ptr_nonnull(strstr(error, "belongs to somebody else"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bearer_tokens");
    TCase *t = tcase_create("tokens");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, each_line_is_a_token_and_only_the_whole_of_it);
    tcase_add_test(t, what_is_no_token_is_named_by_its_line);
    tcase_add_loop_test(t, others_have_no_access_to_the_file, 0, sizeof(modes) / sizeof(modes[0]));
    tcase_add_test(t, what_is_no_file_is_refused_at_once);
    tcase_add_test(t, somebody_elses_file_is_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
