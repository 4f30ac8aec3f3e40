/* io/heirlooms: what a daemon has opened is there for the next one, by its name, each once; what nobody takes
 * is closed, and files go with it; until then nothing of the machine is taken back. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "io/heirlooms.h"
#include "io/unix_socket.h"
#include "suite.h"

#define SOME 300

static int null_file(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static unsigned seen;

static int count(void *arg, const char *name, int fd)
{
    (void)fd;
    seen += strcmp(name, arg) == 0;
    return 0;
}

static unsigned kept(const char *name)
{
    seen = 0;
    ck_assert_int_eq(heirlooms_each(count, (void *)name), 0);
    return seen;
}

START_TEST(each_is_taken_once_and_kept_for_the_next)
{
    int fds[] = {null_file(), null_file(), null_file()};
    heirlooms_begin();
    ck_assert_int_eq(heirlooms_inherit("tun:a", fds[0]), 0);
    ck_assert_int_eq(heirlooms_inherit("tun:a", fds[1]), 0);
    ck_assert_int_eq(heirlooms_inherit("tun:b", fds[2]), 0);
    ck_assert(heirloom_waits("tun:a") && !heirloom_waits("tun"));
    ck_assert_int_eq(heirloom_take("tun:a"), fds[0]);
    ck_assert_int_eq(heirloom_take("tun:a"), fds[1]);
    ck_assert_int_eq(heirloom_take("tun:a"), -1);
    ck_assert(!heirloom_waits("tun:a"));
    ck_assert(heirlooms_are_others());
    heirlooms_settle();
    ck_assert(!heirlooms_are_others());
    ck_assert(is_open(fds[0]) && is_open(fds[1]) && !is_open(fds[2]));
    ck_assert_uint_eq(kept("tun:a"), 2);
    ck_assert_uint_eq(kept("tun:b"), 0);
}
END_TEST

START_TEST(what_was_opened_is_kept_until_it_is_closed)
{
    char name[HEIRLOOM_NAME];
    for (int i = 0; i < SOME; i++) {
        snprintf(name, sizeof(name), "tproxy:%d", i % 3);
        heirloom_keep(name, 1000 + i);
    }
    for (int i = 0; i < SOME; i += 2)
        heirloom_drop(1000 + i);
    ck_assert_uint_eq(kept("tproxy:0") + kept("tproxy:1") + kept("tproxy:2"), SOME / 2);
    ck_assert_int_eq(heirloom_take("tproxy:0"), -1); /* they are not left by anybody */
}
END_TEST

START_TEST(one_that_cannot_be_noted_is_not_forgotten)
{
    char name[HEIRLOOM_NAME + 1];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    heirloom_keep(name, 7);
    ck_assert_int_eq(heirlooms_each(count, name), -1);
    ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

static struct unix_socket_params params_of(const char *path)
{
    return (struct unix_socket_params){.key = "[daemon] control",
                                       .path = path,
                                       .type = SOCK_STREAM,
                                       .mode = 0600,
                                       .group = (gid_t)-1,
                                       .backlog = 4};
}

static int reach(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    strcpy(sun.sun_path, path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(s, (struct sockaddr *)&sun, sizeof(sun));
    close(s);
    return result;
}

/* As two processes would: the second gets a duplicate. */
START_TEST(a_socket_of_a_path_goes_on_with_its_file)
{
    char folder[] = "/tmp/heirlooms-XXXXXX", path[64], error[256];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/control.sock", folder);
    const struct unix_socket_params params = params_of(path);
    struct unix_file old = {0}, new = {0};
    int first = unix_socket_open(&params, &old, error, sizeof(error));
    ck_assert_msg(first >= 0, "%s", error);
    char name[HEIRLOOM_NAME];
    snprintf(name, sizeof(name), "unix:%s", path);
    ck_assert_uint_eq(kept(name), 1);
    heirlooms_begin();
    ck_assert_int_eq(heirlooms_inherit(name, dup(first)), 0);
    int second = unix_socket_open(&params, &new, error, sizeof(error));
    ck_assert_msg(second >= 0 && second != first, "%s", error);
    unix_file_remove(&new); /* as if it were refused */
    ck_assert_int_eq(reach(path), 0);
    ck_assert_int_eq(heirlooms_inherit(name, second), 0);
    ck_assert_int_eq(unix_socket_open(&params, &new, error, sizeof(error)), second);
    heirlooms_settle();
    close(first);
    ck_assert_int_eq(reach(path), 0);
    unix_file_remove(&new);
    free(old.path); /* and no more: the file and the socket are the other's */
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(the_file_of_a_socket_that_nobody_takes_goes)
{
    char folder[] = "/tmp/heirlooms-XXXXXX", path[64], error[256], name[HEIRLOOM_NAME];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/control.sock", folder);
    const struct unix_socket_params params = params_of(path);
    struct unix_file old = {0};
    int fd = unix_socket_open(&params, &old, error, sizeof(error));
    ck_assert_msg(fd >= 0, "%s", error);
    snprintf(name, sizeof(name), "unix:%s", path);
    heirlooms_begin();
    heirlooms_inherit(name, dup(fd));
    heirlooms_settle();
    free(old.path);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

static Suite *heirlooms_suite(void)
{
    Suite *s = suite_create("heirlooms");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, each_is_taken_once_and_kept_for_the_next);
    tcase_add_test(tc, what_was_opened_is_kept_until_it_is_closed);
    tcase_add_test(tc, one_that_cannot_be_noted_is_not_forgotten);
    tcase_add_test(tc, a_socket_of_a_path_goes_on_with_its_file);
    tcase_add_test(tc, the_file_of_a_socket_that_nobody_takes_goes);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(heirlooms_suite());
}
