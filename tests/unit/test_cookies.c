/* What is known of sockets, by cookie (src/socket/cookies.c). */
#include <check.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "socket/cookies.h"
#include "suite.h"

struct known {
    char before;
    uint64_t number;
};
static struct cookies table = COOKIES(struct known);

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void put(int fd, uint64_t number)
{
    struct known k = {.before = 'b', .number = number};
    ck_assert_int_eq(cookies_put(&table, fd, &k), 0);
}

/* 0: nothing is known. */
static uint64_t get(int fd)
{
    struct known k = {.number = 0};
    errno = EXDEV;
    ck_assert(cookies_get(&table, fd, &k) == (k.number > 0) && errno == EXDEV);
    return k.number;
}

START_TEST(a_socket_is_known_by_every_descriptor_and_in_children)
{
    int one = new_socket(), other = new_socket(), status;
    ck_assert(!cookies_any(&table) && get(one) == 0);
    put(one, 1);
    ck_assert(cookies_any(&table) && get(one) == 1 && get(other) == 0);
    int copy = dup(one);
    close(one);
    int next = new_socket(); /* has its number */
    ck_assert_int_eq(next, one);
    ck_assert(get(copy) == 1 && get(next) == 0);
    put(copy, 2);
    pid_t child = fork();
    if (child == 0)
        _exit((int)get(copy));
    ck_assert(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 2);
    close(copy);
    close(next);
    close(other);
}
END_TEST

START_TEST(sockets_that_are_closed_are_forgotten)
{
    int kept = new_socket(), copy;
    put(kept, 7);
    copy = dup(kept);
    ck_assert_uint_eq(get(copy), 7);
    close(kept);
    for (unsigned i = 1; i <= 10000; i++) {
        int fd = new_socket();
        put(fd, i);
        ck_assert_uint_eq(get(fd), i);
        close(fd);
    }
    ck_assert_uint_eq(get(copy), 7);
    ck_assert_uint_le(table.all.count,
                      192); /* it goes when it was missed twice, and they are looked at in 64s */
    close(copy);
}
END_TEST

START_TEST(many_that_are_open_are_all_known)
{
    enum { MANY = 500 };
    int fds[MANY];
    for (unsigned i = 0; i < MANY; i++)
        put(fds[i] = new_socket(), i + 1);
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_uint_eq(get(fds[i]), i + 1);
    for (unsigned i = 0; i < MANY; i++)
        close(fds[i]);
}
END_TEST

START_TEST(what_is_no_socket_cannot_be_known)
{
    struct known k = {.number = 1};
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(cookies_put(&table, ends[0], &k), -1);
    ck_assert_int_eq(errno, ENOTSOCK);
    ck_assert_int_eq(cookies_put(&table, -1, &k), -1);
    ck_assert_int_eq(errno, EBADF);
    ck_assert_uint_eq(get(ends[0]), 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cookies");
    TCase *t = tcase_create("cookies");
    tcase_add_test(t, a_socket_is_known_by_every_descriptor_and_in_children);
    tcase_add_test(t, sockets_that_are_closed_are_forgotten);
    tcase_add_test(t, many_that_are_open_are_all_known);
    tcase_add_test(t, what_is_no_socket_cannot_be_known);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
