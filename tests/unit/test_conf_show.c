/* What is in force, written down (src/conf/show.c, src/admin/render_config.c): read again it is the same. */
#include "conf_harness.h"
#include <event2/buffer.h>
#include "admin/render.h"

static const char *const files[] = {
    EDGE,
    "[daemon]\nworkers = 2\nlog_format = json\nstate = none\n[limits]\nkeepalive = 60\nmemory = 100\n" EDGE
    "eject = 5\nbalance = hash\nallow = 192.0.2.0/24\n[edge two]\nlisten = [2001:db8::1]:80\n"
    "target = a.example:80, b.example:81 weight 2\nsignal = 2001:db8::2\njoins = signalled\n",
    TRANSPARENT "source = client\nports = 80-443\nprofiles = 80:mine\nbypass = off\n[profile mine]\n"
                "scheduler = roundrobin\n[path lte]\nremote = 2001:db8::/32\ncost = 5\nquota = 1KB\n",
    "[edge c]\nmode = convert\nlisten = 10.99.9.1:5124\nallow = any\ncookie = psk\n"
    "psk = correct-horse-battery\nearly = yes\n[admin]\nlisten = 127.0.0.1:9999\nhostname = a.example\n",
    "[uplink a]\ninterface = eth0\nquota = 5GB\n[uplink b]\ninterface = eth1\nbackup = yes\n[cpe lan]\n"
    "[policy p]\nports = 22\nmptcp = no\n",
    "[uplink a]\ninterface = eth0\n[cpe lan]\nmode = convert\npeer = 198.51.100.1:5124\ncookie = psk\n"
    "psk = another-secret-of-it\nexcept = none\nanswer = early\n[cpe other]\nports = 1-1\nmode = explicit\n"
    "peer = p.example:1\nintercept = tproxy\n",
};
#define FILES (int)(sizeof(files) / sizeof(files[0]))

static struct evbuffer *buf;

static void setup(void)
{
    buf = evbuffer_new();
}

static void teardown(void)
{
    evbuffer_free(buf);
}

/* The caller frees it. */
static char *written(render_fn *render, bool changed)
{
    struct doc d = {.buf = buf};
    const struct snapshot_view v = {.conf = &conf, .changed = changed};
    render(&d, &v);
    size_t n = evbuffer_get_length(buf);
    char *text = calloc(1, n + 1);
    evbuffer_remove(buf, text, n);
    return text;
}

static void say(void *arg, bool warning, const char *line)
{
    ck_abort_msg("%s%s: %s", warning ? "warning: " : "", line, (const char *)arg);
}

/* Without a warning, either. */
static void read_again(const char *text)
{
    const struct conf_report report = {.say = say, .arg = (void *)text};
    ck_assert_int_eq(conf_parse_all("f.ini", text, strlen(text), &conf, &report), 0);
}

START_TEST(what_is_written_means_the_same)
{
    ck_assert_msg(parse(files[_i]) == 0, "%s", err);
    char *all = written(render_config_text, false), *changed = written(render_config_text, true);
    conf_free(&conf);
    for (int i = 0; i < 2; i++) {
        read_again(i == 0 ? all : changed);
        char *all_again = written(render_config_text, false), *again = written(render_config_text, true);
        conf_free(&conf);
        ck_assert_str_eq(all, all_again);
        ck_assert_str_eq(changed, again);
        free(all_again);
        free(again);
    }
    ck_assert_ptr_null(strstr(all, "secret-of-it"));
    ck_assert_ptr_null(strstr(all, "horse"));
    free(all);
    free(changed);
}
END_TEST

START_TEST(only_what_differs_is_shown_if_that_is_asked_for)
{
    ck_assert_int_eq(
        parse("[limits]\nkeepalive = 60\nstall = 1200\n[daemon]\nworkers = 0\n" EDGE "eject = 3\n"), 0);
    char *text = written(render_config_text, true);
    ck_assert_str_eq(text, "[limits]\nkeepalive = 60\n\n" EDGE);
    free(text);
    conf_free(&conf);
}
END_TEST

START_TEST(what_has_no_default_tells_what_decides)
{
    ck_assert_int_eq(parse(files[5]), 0);
    char *text = written(render_config_text, false);
    ck_assert_ptr_nonnull(
        strstr(text, "\n; state: beside the control socket, with .state behind its name\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nexcept = none\n"));
    ck_assert_ptr_nonnull(strstr(text,
                                 "\n; a secret is not shown: put it in the place of the asterisks\npsk = "
                                 "****************\n"));
    free(text);
    char *json = written(render_config_json, true);
    ck_assert_ptr_nonnull(strstr(json, "{\"key\":\"psk\",\"value\":null,\"otherwise\":null,\"changed\":true,"
                                       "\"secret\":true}"));
    ck_assert_ptr_eq(
        strstr(json, "{\"sections\":[{\"section\":\"uplink a\",\"keys\":[{\"key\":\"interface\","), json);
    ck_assert_str_eq(json + strlen(json) - 5, "]}]}\n");
    free(json);
    conf_free(&conf);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_show");
    TCase *t = tcase_create("conf_show");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, what_is_written_means_the_same, 0, FILES);
    tcase_add_test(t, only_what_differs_is_shown_if_that_is_asked_for);
    tcase_add_test(t, what_has_no_default_tells_what_decides);
    suite_add_tcase(s, t);
    return run_suite(s);
}
