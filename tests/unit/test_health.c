/* health: targets that are asked whether they are well, by connecting and by HTTP, and what their answers, or
 * their silence, make of them (src/role/health.c, health_check.c). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/addr.h"
#include "io/upstream.h"
#include "listening.h"
#include "role/health.h"
#include "suite.h"
#include "wire/proxy_protocol.h"

#define PATIENCE 10 /* seconds that anything may take */
#define INTERVAL (50 * BRAID_MS)

static struct event_base *base;
static struct edge_params edge;
static struct targets targets;
static struct health *health;
static int listener;
static unsigned news, downs;
static bool up;

static void on_changed(void *arg, unsigned i, const struct braid_addr *addr, bool well)
{
    (void)arg;
    ck_assert_uint_eq(i, 0);
    ck_assert(addr_equal(addr, &targets.addr[0]));
    up = well;
    downs += !well;
    news++;
}

static void make(void)
{
    const struct health_params p = {.edges = &edge, .n_edges = 1, .base = base, .changed = on_changed};
    health = health_new(&p);
    ck_assert_ptr_nonnull(health);
    ck_assert_int_eq(health_follow(health, &targets), 0);
}

static void setup(void)
{
    base = event_base_new();
    listener = listening("127.0.0.1:0", 16, &targets.addr[0]);
    targets.n = 1;
    edge = (struct edge_params){
        .name = "web",
        .pool = {.targets = {{.host = (char *)"server.example", .port = 80, .weight = 1}},
                 .n = 1,
                 .health = {.kind = HEALTH_CONNECT, .interval = INTERVAL, .rise = 2, .fall = 3}}};
    news = downs = 0;
}

static void teardown(void)
{
    health_free(health);
    event_base_free(base);
    close(listener);
}

static void turn(void)
{
    struct timeval little = {.tv_usec = 2000};
    event_base_loopexit(base, &little);
    event_base_loop(base, EVLOOP_ONCE);
}

#define until(condition)                                                                                     \
    do {                                                                                                     \
        time_t limit = time(NULL) + PATIENCE;                                                                \
        while (!(condition)) {                                                                               \
            ck_assert_msg(time(NULL) < limit, "never: %s", #condition);                                      \
            turn();                                                                                          \
        }                                                                                                    \
    } while (0)

/* The next question's connection. */
static int asked(void)
{
    int fd;
    until((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    return fd;
}

static size_t hear(int fd, char *out, size_t room)
{
    ssize_t n;
    until((n = recv(fd, out, room, 0)) >= 0 || errno != EAGAIN);
    ck_assert_int_ge(n, 0);
    return (size_t)n;
}

/* Its other end is closed, in whatever way. */
static void over(int fd)
{
    char rest[2000];
    ssize_t n;
    until((n = recv(fd, rest, sizeof(rest), 0)) == 0 || (n < 0 && errno != EAGAIN));
    close(fd);
}

static void answer(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    over(fd);
}

/* So many times in a row. */
static void answer_with(unsigned times, const char *text)
{
    while (times-- > 0) {
        char request[2000];
        int fd = asked();
        hear(fd, request, sizeof(request));
        answer(fd, text);
    }
}

/* A server whose address is its own, and that does not listen yet. */
static void refuse(void)
{
    struct sockaddr_storage sa;
    close(listener);
    ck_assert_int_eq(addr_parse("127.0.0.1:0", &targets.addr[0]), 0);
    socklen_t len = sockaddr_from(&targets.addr[0], &sa);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &targets.addr[0]), 0);
}

static void by_http(void)
{
    edge.pool.health.kind = HEALTH_HTTP;
    edge.pool.health.path = (char *)"/healthz";
    make();
}

START_TEST(who_takes_a_connection_is_well)
{
    make();
    for (unsigned i = 0; i < 4; i++)
        close(asked());
    ck_assert_uint_eq(news, 0);
}
END_TEST

START_TEST(who_never_was_well_is_down_at_once)
{
    refuse();
    make();
    until(news > 0);
    ck_assert(!up);
    ck_assert_int_eq(listen(listener, 16), 0);
    close(asked());
    ck_assert_uint_eq(news, 1);
    close(asked());
    until(news == 2);
    ck_assert(up);
}
END_TEST

START_TEST(who_was_well_has_to_fail_in_a_row)
{
    by_http();
    answer_with(1, "HTTP/1.1 200 OK\r\n\r\n");
    answer_with(2, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
    answer_with(1, "HTTP/1.0 302 Found\r\n\r\n");
    answer_with(2, "HTTP/1.1 404 Not Found\r\n\r\n");
    ck_assert_uint_eq(news, 0);
    answer_with(1, "HTTP/1.1 500 Oh\r\n\r\n");
    until(news == 1);
    ck_assert(!up);
    answer_with(1, "HTTP/1.1 204 No Content\r\n\r\n");
    answer_with(1, "HTTP/1.1 199 Odd\r\n\r\n");
    answer_with(1, "HTTP/1.1 399 Odd\r\n\r\n");
    ck_assert_uint_eq(news, 1);
    answer_with(1, "HTTP/1.1 200 OK\r\n\r\n");
    until(news == 2);
    ck_assert(up);
}
END_TEST

static const char *const unwell[] = {"SSH-2.0-OpenSSH\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 2x0 OK\r\n",
                                     "HTTP/1.1-200 OK\r\n", "ICY 200 OK\r\n\r\n"};

START_TEST(what_is_no_status_is_no_answer)
{
    by_http();
    answer_with(1, unwell[_i]);
    until(news == 1);
    ck_assert(!up);
}
END_TEST

START_TEST(an_answer_may_come_byte_by_byte)
{
    char request[2000];
    edge.pool.health.interval = 5 * BRAID_SECOND;
    by_http();
    int fd = asked();
    hear(fd, request, sizeof(request));
    for (const char *at = "HTTP/1.1 20"; *at; at++) {
        ck_assert_int_eq(send(fd, at, 1, MSG_NOSIGNAL), 1);
        turn();
    }
    answer(fd, "0");
    ck_assert_uint_eq(news, 0);
}
END_TEST

START_TEST(who_says_nothing_is_down)
{
    by_http();
    int fd = asked();
    until(news == 1);
    ck_assert(!up);
    close(fd);
}
END_TEST

START_TEST(who_ends_without_an_answer_is_down)
{
    by_http();
    int fd = asked();
    shutdown(fd, SHUT_WR);
    until(news == 1);
    ck_assert(!up);
    close(fd);
}
END_TEST

START_TEST(the_request_names_path_and_host)
{
    static const char begin[] = "GET /healthz HTTP/1.1\r\nHost: server.example:80\r\n";
    char request[2000];
    by_http();
    int fd = asked();
    size_t n = hear(fd, request, sizeof(request));
    ck_assert_uint_gt(n, sizeof(begin));
    ck_assert_mem_eq(request, begin, sizeof(begin) - 1);
    ck_assert_mem_eq(request + n - 4, "\r\n\r\n", 4);
    close(fd);
}
END_TEST

START_TEST(a_server_that_expects_a_header_has_one)
{
    char bytes[2000];
    struct proxy_header h;
    edge.proxy_protocol = _i ? PROXY_V2 : PROXY_V1;
    by_http();
    int fd = asked();
    size_t n = hear(fd, bytes, sizeof(bytes));
    ck_assert_int_eq(proxy_parse((uint8_t *)bytes, n, &h), PROXY_COMPLETE);
    ck_assert_int_eq(h.version, edge.proxy_protocol);
    ck_assert(h.has_addresses == (h.version == PROXY_V1));
    ck_assert(!h.has_addresses || addr_equal(&h.destination, &targets.addr[0]));
    ck_assert_mem_eq(bytes + h.len, "GET /", 5);
    close(fd);
}
END_TEST

START_TEST(nobody_is_asked_who_is_no_target_any_more)
{
    struct targets none = {.n = 0};
    by_http();
    int fd = asked();
    ck_assert_int_eq(health_follow(health, &none), 0);
    over(fd);
    for (unsigned i = 0; i < 50; i++)
        turn();
    ck_assert_int_lt(accept4(listener, NULL, NULL, SOCK_NONBLOCK), 0);
    ck_assert_uint_eq(news, 0);
}
END_TEST

START_TEST(another_configuration_knows_what_was_known)
{
    refuse();
    make();
    until(news == 1);
    struct health *before = health;
    make();
    health_inherit(health, before);
    health_free(before);
    health_tell(health);
    ck_assert(news == 2 && !up);
    ck_assert_int_eq(listen(listener, 16), 0);
    until(up);
    ck_assert_uint_eq(news, 3);
}
END_TEST

/* What is known of it stands in the state of workers. */
START_TEST(another_process_knows_what_was_known)
{
    refuse();
    make();
    health_recall(health, 0, &targets.addr[0], true);
    until(news == 1); /* not before it has failed three times */
    ck_assert(!up);
    health_free(health);
    make();
    health_recall(health, 0, &targets.addr[0], false);
    health_recall(health, 0, &targets.addr[0], true); /* another worker's word */
    health_tell(health);
    ck_assert(news == 2 && !up);
    ck_assert_int_eq(listen(listener, 16), 0);
    until(up);
    ck_assert_uint_eq(news, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("health");
    TCase *t = tcase_create("health");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 6 * PATIENCE);
    tcase_add_test(t, who_takes_a_connection_is_well);
    tcase_add_test(t, who_never_was_well_is_down_at_once);
    tcase_add_test(t, who_was_well_has_to_fail_in_a_row);
    tcase_add_loop_test(t, what_is_no_status_is_no_answer, 0, sizeof(unwell) / sizeof(unwell[0]));
    tcase_add_test(t, an_answer_may_come_byte_by_byte);
    tcase_add_test(t, who_says_nothing_is_down);
    tcase_add_test(t, who_ends_without_an_answer_is_down);
    tcase_add_test(t, the_request_names_path_and_host);
    tcase_add_loop_test(t, a_server_that_expects_a_header_has_one, 0, 2);
    tcase_add_test(t, nobody_is_asked_who_is_no_target_any_more);
    tcase_add_test(t, another_configuration_knows_what_was_known);
    tcase_add_test(t, another_process_knows_what_was_known);
    suite_add_tcase(s, t);
    return run_suite(s);
}
