/* io/ledgerfile: what one process left is what the next one finds, and what is no such file is left alone or
 * believed to hold nothing. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/heirlooms.h"
#include "io/ledgerfile.h"
#include "suite.h"

#define EACH 100

static char folder[] = "/tmp/ledgerfile-XXXXXX";
static char path[64], error[LEDGERFILE_ERROR];

static void setup(void)
{
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/state", folder);
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
}

static struct ledgerfile *must_open(unsigned workers)
{
    struct ledgerfile *f = ledgerfile_open(path, workers, EACH, error);
    ck_assert_msg(f != NULL, "%s", error);
    return f;
}

static struct braid_addr address(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* The entry i of a worker's ledger. */
static void note(struct ledgerfile *f, unsigned worker, uint32_t i, const char *remote)
{
    struct braid_ledger *l = ledgerfile_ledger(f, worker);
    ck_assert_uint_eq(l->size, EACH);
    l->entries[i] = (struct braid_ledger_entry){.local = address("10.0.0.1:80"),
                                                .remote = address(remote),
                                                .used = 1,
                                                .mptcp = 1,
                                                .peer_key = 1000 * worker + i};
    if (l->top <= i)
        l->top = i + 1;
}

/* A process with two workers that dies in the middle. */
static void leave_something(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct ledgerfile *f = must_open(2);
        note(f, 0, 0, "10.1.0.1:1");
        note(f, 0, 2, "10.1.0.2:2");
        note(f, 1, EACH - 1, "10.1.0.3:3");
        abort();
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
}

/* How many entries are found now; a new file is begun. */
static size_t found(void)
{
    size_t n;
    struct ledgerfile *f = must_open(1);
    ledgerfile_orphans(f, &n);
    ledgerfile_close(f);
    return n;
}

START_TEST(what_a_dead_process_left_is_found_once)
{
    size_t n;
    leave_something();
    struct ledgerfile *f = must_open(3);
    const struct braid_ledger_entry *e = ledgerfile_orphans(f, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_uint_eq(e[0].peer_key, 0);
    ck_assert_uint_eq(e[1].peer_key, 2);
    ck_assert_uint_eq(e[2].peer_key, 1000 + EACH - 1);
    ck_assert_uint_eq(e[2].remote.port, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(ledgerfile_ledger(f, i)->top, 0);
    ledgerfile_close(f);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(a_second_process_is_told_that_the_file_is_in_use)
{
    struct ledgerfile *f = must_open(1);
    ck_assert_ptr_null(ledgerfile_open(path, 1, EACH, error));
    ck_assert_msg(strstr(error, "in use") != NULL, "%s", error);
    ledgerfile_close(f);
}
END_TEST

START_TEST(it_is_for_its_owners_eyes_only)
{
    struct stat st;
    struct ledgerfile *f = must_open(1);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ledgerfile_close(f);
    leave_something();
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_ptr_null(ledgerfile_open(path, 1, EACH, error));
    ck_assert_ptr_nonnull(strstr(error, "only this user"));
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    char other[80];
    snprintf(other, sizeof(other), "%s/other", folder);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_ptr_null(ledgerfile_open(path, 1, EACH, error));
    ck_assert_int_eq(access(other, F_OK), -1);
}
END_TEST

START_TEST(a_folder_that_is_missing_is_named)
{
    ck_assert_ptr_null(ledgerfile_open("/nowhere/at/all", 1, EACH, error));
    ck_assert_ptr_nonnull(strstr(error, "/nowhere/at/all: No such file"));
}
END_TEST

/* Changes `len` bytes at `at` of the file. */
static void damage(off_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

START_TEST(a_file_cut_short_or_of_another_layout_holds_nothing)
{
    leave_something();
    ck_assert_int_eq(truncate(path, 5000), 0);
    ck_assert_uint_eq(found(), 0);
    leave_something();
    damage(0, "other", 5);
    ck_assert_uint_eq(found(), 0);
    leave_something();
    damage(12, (const uint32_t[]){0xffffffff, 0xffffffff}, 8);
    ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(a_count_beyond_the_end_is_not_believed)
{
    leave_something();
    damage(4096 + 4, (const uint32_t[]){0xffffffff}, 4);
    ck_assert_uint_eq(found(), 3);
}
END_TEST

START_TEST(entries_that_make_no_sense_are_passed_over)
{
    leave_something();
    struct braid_ledger_entry bad = {
        .local = address("10.0.0.1:80"), .remote = address("224.0.0.1:1"), .used = 1};
    damage(4096 + sizeof(struct braid_ledger), &bad, sizeof(bad));
    bad.remote = address("[2001:db8::1]:1");
    damage(4096 + sizeof(struct braid_ledger) + 2 * sizeof(bad), &bad, sizeof(bad));
    ck_assert_uint_eq(found(), 1);
}
END_TEST

/* The daemon before us still writes to its own. */
START_TEST(one_that_takes_over_has_the_name_in_the_end)
{
    struct ledgerfile *old = must_open(1);
    note(old, 0, 1, "10.0.0.2:1000");
    heirlooms_begin();
    struct ledgerfile *refused = must_open(2), *next = must_open(2);
    ledgerfile_close(refused);
    note(next, 1, 0, "10.0.0.2:1001");
    note(next, 0, 0, "10.0.0.2:1002");
    note(old, 0, 2, "10.0.0.2:1003");
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(ledgerfile_settle(next), 0);
    ck_assert_int_eq(ledgerfile_settle(next), 0);
    heirlooms_settle();
    ck_assert_ptr_null(ledgerfile_open(path, 1, EACH, error));
    ck_assert_ptr_nonnull(strstr(error, "in use"));
    ledgerfile_close(next);
    ck_assert_int_eq(access(path, F_OK), -1);
    ledgerfile_close(old);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("ledgerfile");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_a_dead_process_left_is_found_once);
    tcase_add_test(t, a_second_process_is_told_that_the_file_is_in_use);
    tcase_add_test(t, it_is_for_its_owners_eyes_only);
    tcase_add_test(t, a_link_is_not_followed);
    tcase_add_test(t, a_folder_that_is_missing_is_named);
    tcase_add_test(t, a_file_cut_short_or_of_another_layout_holds_nothing);
    tcase_add_test(t, a_count_beyond_the_end_is_not_believed);
    tcase_add_test(t, entries_that_make_no_sense_are_passed_over);
    tcase_add_test(t, one_that_takes_over_has_the_name_in_the_end);
    Suite *s = suite_create("ledgerfile");
    suite_add_tcase(s, t);
    return run_suite(s);
}
