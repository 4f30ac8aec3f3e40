/* The calls of SCTP's interface where no daemon is: what a TCP socket has of them. With one they are tried by
 * tests/e2e/test_app.py. */
#include <arpa/inet.h>
#include <braid/sctp.h>
#include <braid/socket.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include "suite.h"

static struct sockaddr_in at(const char *ip, uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    ck_assert_int_eq(inet_pton(AF_INET, ip, &sa.sin_addr), 1);
    return sa;
}

static int opened(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* A socket that listens on loopback, or that only has the port, which then refuses. */
static int server(bool listens, struct sockaddr_in *addr)
{
    int fd = opened();
    socklen_t len = sizeof(*addr);
    *addr = at("127.0.0.1", 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)addr, len), 0);
    ck_assert(!listens || listen(fd, 1) == 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)addr, &len), 0);
    return fd;
}

static int bindx(int fd, struct sockaddr_in *addrs, int n, int flags)
{
    return sctp_bindx(fd, (struct sockaddr *)addrs, n, flags);
}

static void expect_failure(int result, int why)
{
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(errno, why);
}

START_TEST(a_single_address_is_bound_to)
{
    struct sockaddr_in *own, one = at("127.0.0.2", 0);
    int fd = opened();
    ck_assert_int_eq(bindx(fd, &one, 1, SCTP_BINDX_ADD_ADDR), 0);
    ck_assert_int_eq(sctp_getladdrs(fd, 0, (struct sockaddr **)&own), 1);
    ck_assert(own->sin_addr.s_addr == one.sin_addr.s_addr && own->sin_port != 0);
    one.sin_port = own->sin_port ^ 1;
    expect_failure(bindx(fd, &one, 1, SCTP_BINDX_ADD_ADDR), EINVAL);
    sctp_freeladdrs((struct sockaddr *)own);
    close(fd);
}
END_TEST

/* It must not listen everywhere. */
START_TEST(several_are_not_what_tcp_can_do)
{
    struct sockaddr_in two[] = {at("127.0.0.2", 7), at("127.0.0.3", 7)}, *own;
    int fd = opened();
    expect_failure(bindx(fd, two, 2, SCTP_BINDX_ADD_ADDR), EOPNOTSUPP);
    two[0].sin_port = two[1].sin_port = 0;
    expect_failure(bindx(fd, two, 2, SCTP_BINDX_ADD_ADDR), EOPNOTSUPP);
    expect_failure(bindx(fd, two, 1, SCTP_BINDX_REM_ADDR), EOPNOTSUPP);
    ck_assert_int_eq(sctp_getladdrs(fd, 0, (struct sockaddr **)&own), 1);
    ck_assert(own->sin_addr.s_addr == INADDR_ANY && own->sin_port == 0);
    sctp_freeladdrs((struct sockaddr *)own);
    close(fd);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    struct sockaddr_in two[] = {at("127.0.0.2", 7), at("127.0.0.3", 8)};
    int fd = opened();
    expect_failure(bindx(fd, two, 2, SCTP_BINDX_ADD_ADDR), EINVAL);
    expect_failure(bindx(fd, two, 0, SCTP_BINDX_ADD_ADDR), EINVAL);
    expect_failure(bindx(fd, two, TCP_MULTIPATH_ADDRESSES_MAX + 1, SCTP_BINDX_ADD_ADDR), EINVAL);
    expect_failure(bindx(fd, two, 1, SCTP_BINDX_ADD_ADDR | SCTP_BINDX_REM_ADDR), EINVAL);
    expect_failure(bindx(fd, NULL, 1, SCTP_BINDX_ADD_ADDR), EINVAL);
    two[0].sin_family = AF_UNIX;
    expect_failure(bindx(fd, two, 1, SCTP_BINDX_ADD_ADDR), EINVAL);
    expect_failure(sctp_connectx(fd, (struct sockaddr *)two, 1, NULL), EINVAL);
    close(fd);
    two[0].sin_family = AF_INET;
    expect_failure(bindx(fd, two, 1, SCTP_BINDX_ADD_ADDR), EBADF);
}
END_TEST

START_TEST(the_first_that_answers_is_connected_to)
{
    struct sockaddr_in servers[2], *peers;
    sctp_assoc_t id = 7;
    int refusing = server(false, &servers[0]), listening = server(true, &servers[1]), fd = opened();
    expect_failure(sctp_getpaddrs(fd, 0, (struct sockaddr **)&peers), ENOTCONN);
    ck_assert_int_eq(sctp_connectx(fd, (struct sockaddr *)servers, 2, &id), 0);
    ck_assert_int_eq(id, 0);
    ck_assert_int_eq(sctp_getpaddrs(fd, 0, (struct sockaddr **)&peers), 1);
    ck_assert_int_eq(peers->sin_port, servers[1].sin_port);
    sctp_freepaddrs((struct sockaddr *)peers);
    close(fd);
    close(listening);
    fd = opened();
    expect_failure(sctp_connectx(fd, (struct sockaddr *)servers, 2, NULL), ECONNREFUSED);
    close(fd);
    close(refusing);
}
END_TEST

START_TEST(who_does_not_block_tries_one)
{
    struct sockaddr_in servers[2];
    int refusing = server(false, &servers[0]), listening = server(true, &servers[1]), fd = opened();
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(sctp_connectx(fd, (struct sockaddr *)servers, 2, NULL), -1);
    ck_assert(errno == EINPROGRESS || errno == ECONNREFUSED);
    close(fd);
    close(listening);
    close(refusing);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sctp");
    TCase *t = tcase_create("sctp");
    setenv("BRAID_APP_SOCKET", "/nonexistent/app.sock", 1);
    tcase_add_test(t, a_single_address_is_bound_to);
    tcase_add_test(t, several_are_not_what_tcp_can_do);
    tcase_add_test(t, what_makes_no_sense_is_refused);
    tcase_add_test(t, the_first_that_answers_is_connected_to);
    tcase_add_test(t, who_does_not_block_tries_one);
    suite_add_tcase(s, t);
    return run_suite(s);
}
