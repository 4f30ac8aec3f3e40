/* What programs have said of sockets that listen (src/role/services.c), and whether they still do
 * (src/io/listening.c): with sockets of the kernel's, on loopback. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "role/services.h"
#include "suite.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

static struct services *ss;
static bool here; /* what is_local says */

static void setup(void)
{
    ss = services_new();
    ck_assert_ptr_nonnull(ss);
    here = true;
}

static void teardown(void)
{
    services_free(ss);
}

static bool is_local(void *arg, const struct braid_ip *ip)
{
    (void)arg;
    (void)ip;
    return here;
}

/* A socket that listens there, port 0: any; what a program would say of it. */
static int listen_at(const char *text, struct service_news *news)
{
    struct sockaddr_storage sa;
    struct braid_addr at;
    socklen_t len, cookie_len = sizeof(news->cookie);
    int one = 1;
    ck_assert_int_eq(addr_parse(text, &at), 0);
    len = sockaddr_from(&at, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    len = sizeof(sa);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *news = (struct service_news){.user = 1000, .wish.plain = true};
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &news->at), 0);
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &news->cookie, &cookie_len), 0);
    return fd;
}

/* Whether clients of this address, at that port, are to be plain. */
static bool plain_at(const char *text, uint16_t port, braid_time now)
{
    struct braid_addr server;
    ck_assert_int_eq(addr_parse(text, &server), 0);
    server.port = port;
    const struct service_wish *w = services_find(ss, &server, is_local, NULL, now);
    return w && w->plain;
}

START_TEST(the_word_goes_with_the_socket)
{
    struct service_news n, other;
    int fd = listen_at("127.0.0.1:0", &n);
    ck_assert(!plain_at("127.0.0.1:1", n.at.port, 0));
    ck_assert_uint_eq(services_add(ss, &n, 0), 0);
    ck_assert(plain_at("127.0.0.1:1", n.at.port, BRAID_SECOND));
    ck_assert(!plain_at("127.0.0.1:1", (uint16_t)(n.at.port + 1), BRAID_SECOND));
    ck_assert(!plain_at("127.0.0.2:1", n.at.port, BRAID_SECOND));
    ck_assert(!plain_at("[::1]:1", n.at.port, BRAID_SECOND));
    close(fd);
    /* another socket at the same address has said nothing */
    char again[ADDR_TEXT];
    fd = listen_at(addr_text(&n.at, again), &other);
    ck_assert(plain_at("127.0.0.1:1", n.at.port, BRAID_SECOND + SERVICES_SURE - 1));
    ck_assert(!plain_at("127.0.0.1:1", n.at.port, BRAID_SECOND + SERVICES_SURE));
    ck_assert_uint_eq(services_add(ss, &n, 0), EINVAL);
    close(fd);
}
END_TEST

START_TEST(the_last_word_counts)
{
    struct service_news n, other;
    char text[ADDR_TEXT];
    int fd = listen_at("127.0.0.1:0", &n), second = listen_at(addr_text(&n.at, text), &other);
    services_add(ss, &n, 0);
    n.wish.plain = false;
    services_add(ss, &n, 0);
    ck_assert(!plain_at("127.0.0.1:1", n.at.port, 1));
    services_add(ss, &other, 0); /* one of a group */
    ck_assert(plain_at("127.0.0.1:1", n.at.port, 1));
    close(second);
    ck_assert(!plain_at("127.0.0.1:1", n.at.port, BRAID_SECOND));
    close(fd);
}
END_TEST

START_TEST(any_address_is_any_of_this_machine)
{
    struct service_news n;
    int fd = listen_at("[::]:0", &n);
    services_add(ss, &n, 0);
    ck_assert(plain_at("127.0.0.1:1", n.at.port, 1) && plain_at("[2001:db8::1]:1", n.at.port, 1));
    n.v6_only = true;
    services_add(ss, &n, 0);
    ck_assert(!plain_at("127.0.0.1:1", n.at.port, 1) && plain_at("[2001:db8::1]:1", n.at.port, 1));
    here = false; /* a server elsewhere with the same port */
    ck_assert(!plain_at("[2001:db8::1]:1", n.at.port, 1));
    close(fd);
    here = true;
    fd = listen_at("0.0.0.0:0", &n);
    services_add(ss, &n, 0);
    ck_assert(plain_at("192.0.2.1:1", n.at.port, 1) && !plain_at("[2001:db8::1]:1", n.at.port, 1));
    close(fd);
}
END_TEST

START_TEST(a_user_has_so_many_and_those_that_are_gone_make_room)
{
    struct service_news n[SERVICES_USER + 1];
    int fds[SERVICES_USER + 1];
    for (unsigned i = 0; i <= SERVICES_USER; i++) {
        fds[i] = listen_at("127.0.0.1:0", &n[i]);
        ck_assert_uint_eq(services_add(ss, &n[i], 0), i < SERVICES_USER ? 0 : ENOBUFS);
    }
    ck_assert_uint_eq(services_add(ss, &n[7], 0), 0); /* what is there already */
    n[SERVICES_USER].user++;
    ck_assert_uint_eq(services_add(ss, &n[SERVICES_USER], 0), 0);
    close(fds[0]);
    struct service_news late;
    int fd = listen_at("127.0.0.1:0", &late);
    ck_assert_uint_eq(services_add(ss, &late, BRAID_SECOND), 0);
    close(fd);
    for (unsigned i = 1; i <= SERVICES_USER; i++)
        close(fds[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("services");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_word_goes_with_the_socket);
    tcase_add_test(t, the_last_word_counts);
    tcase_add_test(t, any_address_is_any_of_this_machine);
    tcase_add_test(t, a_user_has_so_many_and_those_that_are_gone_make_room);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
