/* [admin]: where it may listen, and what it asks for there (src/conf/admin_keys.c, src/conf/admin_check.c).
 */
#include <unistd.h>
#include "base/addr.h"
#include "conf_harness.h"
#include "io/bearer_tokens.h"

static char path[32];

static void setup(void)
{
    strcpy(path, "/tmp/braid-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "0123456789abcdef\n", 17), 17);
    close(fd);
}

static void teardown(void)
{
    unlink(path);
}

static int parse_admin(const char *admin)
{
    char text[1024];
    snprintf(text, sizeof(text), "[admin]\n%s" EDGE, admin);
    return parse(text);
}

/* One that names the file of tokens. */
static int parse_with_tokens(const char *admin)
{
    char text[512];
    snprintf(text, sizeof(text), "%stoken_file = %s\n", admin, path);
    return parse_admin(text);
}

START_TEST(all_keys_are_read)
{
    ck_assert_msg(parse_with_tokens("listen = [::]:9180\nhostname = a.example , B-1\ninsecure = no\n") == 0,
                  "%s", err);
    ck_assert_uint_eq(conf.admin.n_names, 2);
    ck_assert_str_eq(conf.admin.names[0], "a.example");
    ck_assert_str_eq(conf.admin.names[1], "B-1");
    ck_assert_str_eq(conf.admin.token_file, path);
    ck_assert(bearer_tokens_have(conf.admin.tokens, "0123456789abcdef"));
    ck_assert(!conf.admin.insecure);
    conf_free(&conf);
}
END_TEST

START_TEST(beyond_loopback_something_has_to_keep_strangers_out)
{
    static const char *const listens[] = {"0.0.0.0:9180", "[::]:9180", "192.0.2.1:9180", "[2001:db8::1]:1"};
    for (unsigned i = 0; i < 4; i++) {
        char line[128], expected[256];
        snprintf(line, sizeof(line), "hostname = a\nlisten = %s\n", listens[i]);
        ck_assert_int_eq(parse_admin(line), -1);
        snprintf(expected, sizeof(expected), "f.ini:3: [admin] listen: %s is reached from elsewhere",
                 listens[i]);
        ck_assert_msg(strncmp(err, expected, strlen(expected)) == 0, "%s", err);
        ck_assert_msg(parse_with_tokens(line) == 0, "%s", err);
        conf_free(&conf);
        strcat(line, "insecure = yes\n");
        ck_assert_msg(parse_admin(line) == 0, "%s", err);
        conf_free(&conf);
    }
    ck_assert_int_eq(parse_admin("listen = [::1]:1\n"), 0);
    conf_free(&conf);
    ck_assert_int_eq(parse_admin("listen = 127.3.2.1:1\n"), 0);
    conf_free(&conf);
}
END_TEST

static const struct {
    const char *lines, *error;
} bad[] = {
    {"hostname = 192.0.2.1\n", "f.ini:2: [admin] hostname: \"192.0.2.1\" is not a name without a port"},
    {"hostname = a.example:80\n", "f.ini:2: [admin] hostname: \"a.example:80\" is not a name"},
    {"hostname = a,b,c,d,e,f,g,h,i\n", "f.ini:2: [admin] hostname: there are more than 8 names"},
    {"token_file = tokens\n", "f.ini:2: [admin] token_file: \"tokens\" is not the absolute path of a file"},
    {"\ntoken_file = /nowhere/tokens\n", "f.ini:3: [admin] token_file: /nowhere/tokens: No such file"},
    {"tls_cert = cert.pem\n", "f.ini:2: [admin] tls_cert: \"cert.pem\" is not the absolute path of a file"},
    {"tls_cert = /nowhere/c\n", "f.ini:2: [admin] tls_cert: needs tls_key, too"},
    {"tls_key = /nowhere/k\n", "f.ini:2: [admin] tls_key: needs tls_cert, too"},
    {"tls_client_ca = /nowhere/c\n", "f.ini:2: [admin] tls_client_ca: needs tls_cert, too"},
    {"tls_cert = /nowhere/c\n\ntls_key = /nowhere/k\n", "f.ini:2: [admin] tls_cert: /nowhere/c: "},
    {"insecure = perhaps\n", "f.ini:2: [admin] insecure: "},
};

START_TEST(what_is_wrong_is_said_in_one_line)
{
    ck_assert_int_eq(parse_admin(bad[_i].lines), -1);
    ck_assert_msg(strncmp(err, bad[_i].error, strlen(bad[_i].error)) == 0, "%s", err);
}
END_TEST

static char said[1024];

static void note(void *arg, bool warning, const char *line)
{
    (void)arg;
    (void)warning;
    snprintf(said, sizeof(said), "%s", line);
}

START_TEST(insecure_is_warned_of)
{
    static const char open[] = "[admin]\nlisten = 0.0.0.0:9180\ninsecure = yes\n" EDGE;
    static const char needless[] = "[admin]\ninsecure = yes\n" EDGE;
    const struct conf_report report = {.say = note};
    ck_assert_int_eq(conf_parse_all("f.ini", open, strlen(open), &conf, &report), 0);
    ck_assert_msg(strstr(said, "f.ini:2: [admin] listen: is reached from elsewhere: everybody") != NULL, "%s",
                  said);
    conf_free(&conf);
    ck_assert_int_eq(conf_parse_all("f.ini", needless, strlen(needless), &conf, &report), 0);
    ck_assert_msg(strstr(said, "f.ini:2: [admin] insecure: has no effect") != NULL, "%s", said);
    conf_free(&conf);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_admin");
    TCase *t = tcase_create("conf_admin");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, all_keys_are_read);
    tcase_add_test(t, beyond_loopback_something_has_to_keep_strangers_out);
    tcase_add_loop_test(t, what_is_wrong_is_said_in_one_line, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, insecure_is_warned_of);
    suite_add_tcase(s, t);
    return run_suite(s);
}
