/* io/closer: nobody waits for what others have handed over. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <event2/event.h>
#include "io/clock.h"
#include "io/closer.h"
#include "suite.h"

#define SOON (2 * BRAID_SECOND)

static struct event_base *base;
static struct closer *closer;
static atomic_int held = -1; /* its close takes until that is another one, whoever disturbs it */

/* The C library's, with a file system of somebody's own behind one descriptor. */
int close(int fd)
{
    while (fd >= 0 && fd == held)
        poll(NULL, 0, 1);
    return (int)syscall(SYS_close, fd);
}

static void begin(void)
{
    base = event_base_new();
    closer = closer_new(base);
    ck_assert_ptr_nonnull(closer);
}

static void end(void)
{
    held = -1;
    closer_free(closer);
    event_base_free(base);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Runs the base until the descriptor is closed; false: it is not. */
static bool is_closed_soon(int fd)
{
    static const struct timeval moment = {.tv_usec = 1000};
    braid_time until = clock_now() + SOON;
    while (is_open(fd) && clock_now() < until) {
        event_base_loopexit(base, &moment);
        event_base_dispatch(base);
        poll(NULL, 0, 1);
    }
    return !is_open(fd);
}

START_TEST(what_is_put_is_closed)
{
    for (unsigned i = 0; i < 100; i++) {
        int fd = dup(0);
        ck_assert_int_ge(fd, 0);
        closer_put(closer, fd);
        ck_assert(is_closed_soon(fd));
    }
}
END_TEST

/* A TCP socket whose last close waits for ten minutes. */
static int lingering(int *far)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    struct linger linger = {.l_onoff = 1, .l_linger = 600};
    char bytes[65536] = {0};
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, len), 0);
    *far = accept(listener, NULL, NULL);
    ck_assert_int_ge(*far, 0);
    close(listener);
    while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    return fd;
}

START_TEST(a_socket_that_lingers_is_not_waited_for)
{
    int far[5], fds[5], other;
    for (unsigned i = 0; i < 5; i++)
        fds[i] = lingering(&far[i]);
    other = dup(0);
    braid_time before = clock_now();
    for (unsigned i = 0; i < 5; i++)
        closer_put(closer, fds[i]);
    closer_put(closer, other);
    ck_assert_int_lt(clock_now() - before, SOON);
    ck_assert(is_closed_soon(other));
    for (unsigned i = 0; i < 5; i++)
        close(far[i]);
}
END_TEST

START_TEST(what_nothing_ends_is_left_behind)
{
    int stuck = dup(0), other = dup(0);
    held = stuck;
    closer_put(closer, stuck);
    closer_put(closer, other);
    ck_assert(is_closed_soon(other));
    ck_assert(is_open(stuck));
    held = -1;
    ck_assert(is_closed_soon(stuck));
}
END_TEST

START_TEST(what_waits_is_bounded)
{
    int fds[1000], n = 0, stuck = dup(0);
    held = stuck;
    closer_put(closer, stuck);
    while (n < 1000 && !closer_is_full(closer)) {
        fds[n] = dup(0);
        closer_put(closer, fds[n++]);
    }
    ck_assert(n > 10 && n < 1000);
    held = -1;
    for (int i = 0; i < n; i++)
        ck_assert(is_closed_soon(fds[i]));
    ck_assert(!closer_is_full(closer));
}
END_TEST

/* The thread goes when it can, and nobody waits for it. */
START_TEST(the_end_waits_for_nobody)
{
    int stuck = dup(0);
    held = stuck;
    closer_put(closer, stuck);
    closer_put(closer, dup(0));
    poll(NULL, 0, 20);
    braid_time before = clock_now();
    closer_free(closer);
    ck_assert_int_lt(clock_now() - before, SOON);
    held = -1;
    while (is_open(stuck))
        poll(NULL, 0, 1);
    closer = closer_new(base);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("closer");
    TCase *t = tcase_create("closer");
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, what_is_put_is_closed);
    tcase_add_test(t, a_socket_that_lingers_is_not_waited_for);
    tcase_add_test(t, what_nothing_ends_is_left_behind);
    tcase_add_test(t, what_waits_is_bounded);
    tcase_add_test(t, the_end_waits_for_nobody);
    suite_add_tcase(s, t);
    return run_suite(s);
}
