/* service/quota_file, service/quota_keeper: what paths have carried outlives the daemon, and no file of
 * whatever kind keeps one from starting. Workers and cores are stand-ins; posts run at once, or later if
 * held. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>
#include "role/node.h"
#include "service/quota_file.h"
#include "service/quota_keeper.h"
#include "suite.h"

#define WORKERS 2
#define PATHS   2

struct braid_core {
    uint64_t usage[PATHS];
};

struct worker {
    struct braid_core core;
    struct node node;
};

static char dir[] = "/tmp/braid-quotas-XXXXXX", path[64], bad[64], error[QUOTA_FILE_ERROR];
static struct worker all[WORKERS];
static struct workers workers;
static struct event_base *base;
static bool held;
static void (*post)(struct worker *w, void *arg);
static void *post_arg;
static const char *names[PATHS] = {"lte", "dsl"};
static struct braid_core_params limits = {.n_paths = PATHS};
static struct daemon_params daemon_params = {.state_dir = dir};
static struct service_params params = {.daemon = &daemon_params, .limits = &limits, .path_names = names};

struct braid_core *worker_core(struct worker *w)
{
    return &w->core;
}

void *worker_user(const struct worker *w)
{
    return (void *)&w->node;
}

uint64_t braid_core_path_usage(const struct braid_core *core, unsigned i)
{
    return core->usage[i];
}

void braid_core_path_set(struct braid_core *core, unsigned i, uint64_t used, uint64_t elsewhere)
{
    ck_assert_uint_eq(elsewhere, 0);
    core->usage[i] = used;
}

static void run_posts(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        post(&all[i], post_arg);
}

void workers_tell(const struct workers *ws, void (*fn)(struct worker *w, void *arg), void *arg)
{
    ck_assert_ptr_eq(ws, &workers);
    post = fn;
    post_arg = arg;
    if (!held)
        run_posts();
}

static void setup(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/quotas", dir);
    snprintf(bad, sizeof(bad), "%s/quotas.bad", dir);
    base = event_base_new();
    held = false;
    daemon_params.state_dir = dir;
    params.generation = 0;
    workers.n = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        all[i] = (struct worker){.node = {.generation = 0}};
        workers.all[i] = &all[i];
    }
}

static void teardown(void)
{
    unlink(path);
    unlink(bad);
    ck_assert_int_eq(rmdir(dir), 0); /* and nothing else was left there */
    event_base_free(base);
}

/* ---- the file ---- */

static char *contents(void)
{
    char *text = calloc(1, 4096);
    FILE *f = fopen(path, "r");
    ck_assert(f && text);
    ck_assert_uint_lt(fread(text, 1, 4095, f), 4095);
    fclose(f);
    return text;
}

static void put(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    ck_assert(f && fwrite(text, 1, len, f) == len);
    fclose(f);
}

START_TEST(what_is_written_is_read)
{
    const struct quota_entry in[] = {{"lte", 123}, {"a-name-of-thirty-two-characters_", UINT64_MAX}};
    struct quota_entry *out;
    ck_assert_int_eq(quota_file_write(path, in, 2, error), 0);
    ck_assert_int_eq(quota_file_write(path, in, 2, error), 0); /* over the one that is there */
    ck_assert_int_eq(quota_file_read(path, &out, error), 2);
    ck_assert(strcmp(out[0].name, "lte") == 0 && out[0].bytes == 123);
    ck_assert(strcmp(out[1].name, in[1].name) == 0 && out[1].bytes == UINT64_MAX);
    free(out);
    ck_assert_int_eq(quota_file_write(path, NULL, 0, error), 0);
    ck_assert_int_eq(quota_file_read(path, &out, error), 0);
    free(out);
    struct stat st;
    ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
}
END_TEST

START_TEST(no_file_is_none)
{
    struct quota_entry *out;
    ck_assert_int_eq(quota_file_read(path, &out, error), 0);
    free(out);
}
END_TEST

/* Wherever it is cut off, and whatever bit of it is another one. */
START_TEST(a_torn_file_is_refused)
{
    const struct quota_entry in[] = {{"lte", 1234567}, {"dsl", 89}};
    struct quota_entry *out;
    ck_assert_int_eq(quota_file_write(path, in, 2, error), 0);
    char *text = contents();
    size_t len = strlen(text);
    for (size_t n = 0; n < len; n++) {
        put(text, n);
        ck_assert_int_eq(quota_file_read(path, &out, error), -1);
        ck_assert_ptr_null(out);
    }
    for (size_t i = 0; i < 8 * len; i++) {
        text[i / 8] ^= (char)(1 << (i % 8));
        put(text, len);
        ck_assert_int_eq(quota_file_read(path, &out, error), -1);
        text[i / 8] ^= (char)(1 << (i % 8));
    }
    free(text);
}
END_TEST

START_TEST(what_is_no_such_file_is_refused)
{
    static const char *const others[] = {"braid quotas 2\nend 0\n", "[edge web]\n", "\nend \nend \n",
                                         "braid quotas 1\nlte\nend 0000000000000000\n"};
    struct quota_entry *out;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        put(others[i], strlen(others[i]));
        ck_assert_int_eq(quota_file_read(path, &out, error), -1);
        ck_assert_ptr_nonnull(strstr(error, path));
    }
    ck_assert_int_eq(quota_file_read(dir, &out, error), -1);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* nobody waits for its other end */
    ck_assert_int_eq(quota_file_read(path, &out, error), -1);
    unlink(path);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(quota_file_read(path, &out, error), -1);
}
END_TEST

/* ---- the keeper ---- */

static struct quota_keeper *start(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        memset(&all[i].core, 0, sizeof(all[i].core));
    return quota_keeper_new(base, &workers, &params);
}

static void expect(const char *name, uint64_t bytes)
{
    struct quota_entry *v;
    int n = quota_file_read(path, &v, error), found = 0;
    for (int i = 0; i < n; i++)
        if (strcmp(v[i].name, name) == 0) {
            ck_assert_uint_eq(v[i].bytes, bytes);
            found++;
        }
    free(v);
    ck_assert_int_eq(found, 1);
}

START_TEST(the_sum_of_all_workers_goes_on_with_the_first)
{
    struct quota_keeper *k = start();
    all[0].core.usage[0] = 100;
    all[1].core.usage[0] = 23;
    all[1].core.usage[1] = 5;
    quota_keeper_free(k);
    expect("lte", 123);
    k = start();
    ck_assert(all[0].core.usage[0] == 123 && all[0].core.usage[1] == 5);
    ck_assert(all[1].core.usage[0] == 0 && all[1].core.usage[1] == 0);
    all[1].core.usage[0] = 7;
    quota_keeper_free(k);
    expect("lte", 130);
}
END_TEST

/* Its timer, QUOTA_KEEPER_SECONDS later; written is what the look before has seen. */
START_TEST(it_is_written_while_the_daemon_runs)
{
    struct quota_keeper *k = start();
    all[0].core.usage[0] = 100;
    event_base_loop(base, EVLOOP_ONCE);
    ck_assert_int_ne(access(path, F_OK), 0);
    held = true;
    all[0].core.usage[0] = 200;
    event_base_loop(base, EVLOOP_ONCE);
    expect("lte", 100);
    event_base_loop(base, EVLOOP_ONCE); /* the workers are busy */
    expect("lte", 100);
    run_posts();
    event_base_loop(base, EVLOOP_ONCE);
    expect("lte", 200);
    held = false;
    run_posts();
    quota_keeper_free(k);
}
END_TEST

START_TEST(a_tally_of_another_configuration_is_given_up)
{
    struct quota_keeper *k = start();
    held = true;
    all[0].core.usage[0] = 100;
    event_base_loop(base, EVLOOP_ONCE);
    limits.n_paths = 1;
    params.generation = all[0].node.generation = all[1].node.generation = 1;
    quota_keeper_change(k);
    run_posts();
    event_base_loop(base, EVLOOP_ONCE);
    ck_assert_int_ne(access(path, F_OK), 0);
    run_posts();
    quota_keeper_free(k);
    expect("lte", 100);
    limits.n_paths = PATHS;
}
END_TEST

START_TEST(a_file_that_is_none_is_set_aside)
{
    put("a letter", 8);
    struct quota_keeper *k = start();
    ck_assert_ptr_nonnull(k);
    ck_assert_int_eq(access(bad, F_OK), 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    quota_keeper_free(k);
    expect("lte", 0);
}
END_TEST

START_TEST(a_path_that_there_is_no_more_is_nobodys)
{
    const struct quota_entry in[] = {{"gone", 9}, {"dsl", 8}};
    ck_assert_int_eq(quota_file_write(path, in, 2, error), 0);
    struct quota_keeper *k = start();
    ck_assert(all[0].core.usage[0] == 0 && all[0].core.usage[1] == 8);
    quota_keeper_free(k);
}
END_TEST

START_TEST(without_a_directory_nothing_is_kept)
{
    static char none[] = "", no_place[] = "/proc/nowhere";
    daemon_params.state_dir = none;
    ck_assert_ptr_null(start());
    quota_keeper_change(NULL);
    quota_keeper_free(NULL);
    daemon_params.state_dir = no_place;
    ck_assert_ptr_null(start());
    daemon_params.state_dir = NULL;
    unsetenv("STATE_DIRECTORY");
    ck_assert_ptr_null(start());
    char two[2 * sizeof(dir)];
    snprintf(two, sizeof(two), "%s:/nowhere", dir);
    setenv("STATE_DIRECTORY", two, 1);
    struct quota_keeper *k = start();
    ck_assert_ptr_nonnull(k);
    quota_keeper_free(k);
    unsetenv("STATE_DIRECTORY");
    expect("lte", 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("quota_file");
    TCase *t = tcase_create("quota_file");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, no_file_is_none);
    tcase_add_test(t, a_torn_file_is_refused);
    tcase_add_test(t, what_is_no_such_file_is_refused);
    tcase_add_test(t, the_sum_of_all_workers_goes_on_with_the_first);
    tcase_add_test(t, it_is_written_while_the_daemon_runs);
    tcase_add_test(t, a_tally_of_another_configuration_is_given_up);
    tcase_add_test(t, a_file_that_is_none_is_set_aside);
    tcase_add_test(t, a_path_that_there_is_no_more_is_nobodys);
    tcase_add_test(t, without_a_directory_nothing_is_kept);
    suite_add_tcase(s, t);
    return run_suite(s);
}
