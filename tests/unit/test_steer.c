/* Sockets of the daemon's own tell the packet filter that they are (io/steer.h). */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "io/steer.h"
#include "io/upstream.h"

static uint32_t mark_of(int fd)
{
    uint32_t mark = 0;
    socklen_t len = sizeof(mark);
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
    return mark;
}

/* What setting a mark leads to here: not everybody may. */
static uint32_t expected(void)
{
    const uint32_t any = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool may = setsockopt(fd, SOL_SOCKET, SO_MARK, &any, sizeof(any)) == 0;
    close(fd);
    return may ? EXEMPT_MARK : 0;
}

START_TEST(mark_and_errno)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    errno = EBUSY;
    steer_exempt(fd);
    steer_exempt(-1);
    ck_assert_int_eq(errno, EBUSY);
    ck_assert_uint_eq(mark_of(fd), expected());
    close(fd);
}
END_TEST

START_TEST(connections_to_servers)
{
    struct sockaddr_storage sa = {.ss_family = AF_INET};
    socklen_t len = sizeof(sa);
    ((struct sockaddr_in *)&sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(struct sockaddr_in)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    struct braid_addr addr;
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &addr), 0);
    bool connected;
    int fd = upstream_connect(&addr, NULL, &connected);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(mark_of(fd), expected());
    close(fd);
    close(listener);
}
END_TEST

START_TEST(listening_for_any_address)
{
    struct braid_addr addr = {.ip = ip_from_v4((const uint8_t[4]){127, 0, 0, 1})};
    int fd = upstream_listen_transparent(&addr), on = 0;
    socklen_t len = sizeof(on);
    if (expected() == 0) { /* not everybody may do this either */
        ck_assert_int_eq(fd, -1);
        return;
    }
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(getsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, &len), 0);
    ck_assert_int_eq(on, 1);
    close(fd);
    addr.ip = ip_from_v4((const uint8_t[4]){192, 0, 2, 77}); /* of somebody else: bound all the same */
    fd = upstream_listen_transparent(&addr);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("steer");
    TCase *tc = tcase_create("exempt");
    tcase_add_test(tc, mark_and_errno);
    tcase_add_test(tc, connections_to_servers);
    tcase_add_test(tc, listening_for_any_address);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
