/* relay: the splice between a scripted core (fake_core.h) and a real server on loopback. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/addr.h"
#include "fake_core.h"
#include "io/upstream.h"
#include "property.h"
#include "relay/edge.h"

#define PATIENCE        5 /* seconds that anything may take */
#define CONNECT_TIMEOUT (200 * BRAID_MS)

static struct event_base *base;
static struct edges *edges;
static struct edge_params params;
static struct braid_addr target;
static int listener;

/* ---- the server ------------------------------------------------------------------------------------------
 */

static int server_listen(int family, int backlog)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    ck_assert_int_eq(addr_parse(family == AF_INET ? "127.0.0.1:0" : "[::1]:0", &target), 0);
    len = upstream_sockaddr(&target, &sa);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(upstream_addr((struct sockaddr *)&sa, &target), 0);
    return fd;
}

static int server_accept(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Far less room than FAKE_STREAM. */
static void shrink(int fd)
{
    int small = 65536;
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
}

static void server_reset(int fd)
{
    upstream_reset(fd);
}

/* ---- driving ---------------------------------------------------------------------------------------------
 */

static void turn(struct braid_conn *c)
{
    struct timeval little = {.tv_usec = 2000};
    event_base_loopexit(base, &little);
    event_base_loop(base, EVLOOP_ONCE);
    fake_flush(c);
}

/* Turns the loop until the condition holds. */
#define until(c, condition)                                                                                  \
    do {                                                                                                     \
        time_t limit = time(NULL) + PATIENCE;                                                                \
        while (!(condition)) {                                                                               \
            ck_assert_msg(time(NULL) < limit, "never: %s", #condition);                                      \
            turn(c);                                                                                         \
        }                                                                                                    \
    } while (0)

/* Lets everything happen that is going to. */
static void settle(struct braid_conn *c)
{
    for (unsigned i = 0; i < 10; i++)
        turn(c);
}

static uint64_t counted(enum edge_counter which)
{
    return edges_counters(edges, 0)->v[which];
}

static void new_edges(void)
{
    params = (struct edge_params){.name = "test", .connect_timeout = CONNECT_TIMEOUT};
    edges = edges_new(NULL, base, &params, &target, 1);
    ck_assert_ptr_nonnull(edges);
}

static void setup(void)
{
    base = event_base_new();
    listener = server_listen(AF_INET, 16);
    new_edges();
}

static void teardown(void)
{
    edges_free(edges);
    event_base_free(base);
    close(listener);
}

/* A connection with both ends up; *server is the server's socket. */
static struct braid_conn *connected(int *server)
{
    struct braid_conn *c = fake_syn();
    until(c, c->established_told);
    *server = server_accept();
    return c;
}

static void client_sends(struct braid_conn *c, const void *data, size_t len)
{
    memcpy(c->up + c->up_arrived, data, len);
    c->up_arrived += len;
    fake_flush(c);
}

static void finish(struct braid_conn *c, int server)
{
    if (!c->closed_told && !c->refused)
        fake_close(c, BRAID_CLOSE_DONE);
    if (server >= 0)
        close(server);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 0);
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 0);
    fake_conn_free(c);
}

static uint64_t seed;

static void fill_random(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)rng_next(&seed);
}

/* ---- opening ---------------------------------------------------------------------------------------------
 */

START_TEST(the_client_is_answered_once_the_server_has_answered)
{
    struct braid_conn *c = fake_syn();
    until(c, c->accepted);
    int server = server_accept();
    struct braid_addr told;
    ck_assert_int_eq(edges_server(edges, c, &told), 0);
    ck_assert(addr_equal(&told, &target));
    ck_assert_uint_eq(counted(EDGE_ACCEPTED), 1);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 1);
    finish(c, server);
}
END_TEST

START_TEST(an_ipv6_server_is_reached)
{
    close(listener);
    listener = server_listen(AF_INET6, 16);
    edges_set_target(edges, 0, &target);
    int server;
    struct braid_conn *c = connected(&server);
    finish(c, server);
}
END_TEST

START_TEST(a_refusing_server_becomes_a_reset)
{
    close(listener);
    struct braid_conn *c = fake_syn();
    until(c, c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_RESET);
    ck_assert(!c->accepted);
    ck_assert_uint_eq(counted(EDGE_REFUSED), 1);
    finish(c, -1);
    listener = server_listen(AF_INET, 1);
}
END_TEST

START_TEST(an_unreachable_server_becomes_unreachable)
{
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        printf("test_relay: an unreachable server: skipped, needs a network namespace\n");
        return;
    }
    struct braid_conn *c = fake_syn(); /* there is not even a loopback device in use */
    until(c, c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_UNREACHABLE);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    finish(c, -1);
}
END_TEST

START_TEST(a_silent_server_becomes_unreachable_after_the_timeout)
{
    close(listener);
    listener = server_listen(AF_INET, 0); /* a full backlog drops SYNs */
    edges_set_target(edges, 0, &target);
    int fillers[8];
    bool done;
    for (unsigned i = 0; i < 8; i++)
        fillers[i] = upstream_connect(&target, &done);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    struct braid_conn *first = fake_syn(), *second = fake_syn();
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 2);
    until(first, first->refused);
    clock_gettime(CLOCK_MONOTONIC, &end);
    until(second, second->refused);
    ck_assert_int_eq(first->refusal, BRAID_REFUSE_UNREACHABLE);
    int64_t took = (end.tv_sec - begin.tv_sec) * BRAID_SECOND + (end.tv_nsec - begin.tv_nsec) / 1000;
    ck_assert_int_ge(took, CONNECT_TIMEOUT - 2 * BRAID_MS);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 2);
    finish(first, -1);
    finish(second, -1);
    for (unsigned i = 0; i < 8; i++)
        close(fillers[i]);
}
END_TEST

START_TEST(a_client_that_gives_up_first_frees_the_server)
{
    struct braid_conn *c = fake_syn();
    fake_close(c, BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 1);
    finish(c, -1);
}
END_TEST

START_TEST(a_client_that_goes_before_it_was_announced_is_nobodys)
{
    struct braid_conn *c = fake_conn();
    fake_close(c, BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
    finish(c, -1);
}
END_TEST

START_TEST(a_greeting_is_read_only_for_an_established_client)
{
    struct braid_conn *c = fake_syn();
    c->client_ready = false;
    until(c, c->accepted);
    int server = server_accept();
    ck_assert_int_eq(send(server, "220 hello", 9, 0), 9);
    settle(c);
    ck_assert_uint_eq(c->down_len, 0);
    c->client_ready = true;
    until(c, c->down_len == 9);
    ck_assert_mem_eq(c->down, "220 hello", 9);
    finish(c, server);
}
END_TEST

/* ---- bytes -----------------------------------------------------------------------------------------------
 */

struct exchange {
    struct braid_conn *c;
    int server;
    uint8_t *up, *down; /* what is to arrive */
    size_t len;
    size_t up_sent, up_got, down_sent;
};

/* One random step at the client's and one at the server's end. */
static void exchange_step(struct exchange *x)
{
    struct braid_conn *c = x->c;
    c->piece = 1 + rng_below(&seed, 5000);
    size_t n = rng_below(&seed, 70000);
    if (n > x->len - x->up_sent)
        n = x->len - x->up_sent;
    client_sends(c, x->up + x->up_sent, n);
    x->up_sent += n;
    c->down_acked += rng_below(&seed, c->down_len - c->down_acked + 1);
    static uint8_t got[50000];
    ssize_t r = recv(x->server, got, 1 + rng_below(&seed, sizeof(got) - 1), 0);
    if (r > 0) {
        ck_assert_uint_le(x->up_got + (size_t)r, x->len);
        must(memcmp(got, x->up + x->up_got, (size_t)r) == 0);
        x->up_got += (size_t)r;
    }
    n = rng_below(&seed, 70000);
    if (n > x->len - x->down_sent)
        n = x->len - x->down_sent;
    r = n ? send(x->server, x->down + x->down_sent, n, MSG_NOSIGNAL) : 0;
    x->down_sent += r > 0 ? (size_t)r : 0;
}

START_TEST(random_pieces_arrive_equal_both_ways)
{
    seed = (uint64_t)_i + 1;
    struct exchange x = {.len = 1500000 + rng_below(&seed, 500000)};
    x.up = malloc(x.len);
    x.down = malloc(x.len);
    fill_random(x.up, x.len);
    fill_random(x.down, x.len);
    x.c = connected(&x.server);
    x.c->sndbuf = 1 + rng_below(&seed, 300000);
    time_t limit = time(NULL) + PATIENCE;
    while (x.up_got < x.len || x.c->down_len < x.len) {
        ck_assert_msg(time(NULL) < limit, "stalled: up %zu of %zu, down %zu", x.up_got, x.len, x.c->down_len);
        exchange_step(&x);
        turn(x.c);
    }
    ck_assert(memcmp(x.c->down, x.down, x.len) == 0);
    ck_assert_uint_eq(counted(EDGE_TO_SERVER), x.len);
    ck_assert_uint_eq(counted(EDGE_FROM_SERVER), x.len);
    finish(x.c, x.server);
    free(x.up);
    free(x.down);
}
END_TEST

/* ---- ends ------------------------------------------------------------------------------------------------
 */

static ssize_t receive(struct braid_conn *c, int server, void *data, size_t len)
{
    ssize_t n;
    until(c, (n = recv(server, data, len, 0)) >= 0 || errno != EAGAIN);
    return n;
}

START_TEST(a_clients_end_reaches_the_server_which_may_go_on)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    client_sends(c, "request", 7);
    c->up_end = true;
    fake_flush(c);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 7);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    ck_assert_int_eq(send(server, "reply", 5, 0), 5);
    until(c, c->down_len == 5);
    ck_assert(!c->shut);
    close(server);
    until(c, c->shut);
    ck_assert(!c->aborted);
    finish(c, -1);
    ck_assert_uint_eq(counted(EDGE_CLOSED), 1);
}
END_TEST

START_TEST(a_servers_end_reaches_the_client_which_may_go_on)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    ck_assert_int_eq(send(server, "bye", 3, 0), 3);
    shutdown(server, SHUT_WR); /* comes together with the bytes */
    until(c, c->shut);
    ck_assert_uint_eq(c->down_len, 3);
    client_sends(c, "more", 4);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 4);
    c->up_end = true;
    fake_flush(c);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    ck_assert(!c->aborted);
    finish(c, server);
}
END_TEST

START_TEST(the_clients_end_waits_for_bytes_the_socket_did_not_take)
{
    int server;
    struct braid_conn *c = connected(&server);
    shrink(server);
    c->up_arrived = FAKE_STREAM;
    seed = 5;
    fill_random(c->up, FAKE_STREAM);
    c->up_end = true;
    fake_flush(c);
    settle(c);
    ck_assert_uint_lt(c->up_taken, FAKE_STREAM);
    size_t got = 0;
    uint8_t *data = malloc(FAKE_STREAM);
    while (got < FAKE_STREAM) {
        ssize_t n = receive(c, server, data + got, FAKE_STREAM - got);
        ck_assert_int_gt(n, 0);
        got += (size_t)n;
    }
    ck_assert(memcmp(data, c->up, FAKE_STREAM) == 0);
    ck_assert_int_eq(receive(c, server, data, 1), 0);
    free(data);
    finish(c, server);
}
END_TEST

START_TEST(a_servers_reset_aborts_the_client)
{
    int server;
    struct braid_conn *c = connected(&server);
    server_reset(server);
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(counted(EDGE_SERVER_RESET), 1);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
    finish(c, -1);
}
END_TEST

START_TEST(a_reset_that_comes_with_the_last_bytes_is_noticed)
{
    int server;
    struct braid_conn *c = connected(&server);
    ck_assert_int_eq(send(server, "last", 4, 0), 4);
    server_reset(server); /* before the loop turns: one event for both */
    until(c, c->closed_told);
    ck_assert(c->aborted);
    finish(c, -1);
}
END_TEST

START_TEST(a_reset_is_noticed_while_the_client_takes_nothing)
{
    int server;
    struct braid_conn *c = connected(&server);
    c->sndbuf = 1000;
    static uint8_t data[5000];
    ck_assert_int_eq(send(server, data, sizeof(data), 0), sizeof(data));
    until(c, c->down_len == 1000);
    settle(c);
    server_reset(server);
    until(c, c->closed_told);
    ck_assert(c->aborted);
    finish(c, -1);
}
END_TEST

START_TEST(a_reset_after_the_servers_end_is_noticed)
{
    int server;
    struct braid_conn *c = connected(&server);
    close(server);
    until(c, c->shut);
    client_sends(c, "to nobody", 9); /* answered with RST */
    until(c, c->closed_told);
    ck_assert(c->aborted);
    finish(c, -1);
}
END_TEST

START_TEST(a_clients_abort_or_silence_resets_the_server)
{
    static const enum braid_close whys[] = {BRAID_CLOSE_RESET, BRAID_CLOSE_TIMEOUT, BRAID_CLOSE_PROTOCOL};
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    fake_close(c, whys[_i]);
    ssize_t n = receive(c, server, text, sizeof(text));
    int why = errno;
    ck_assert_int_eq(n, -1);
    ck_assert_int_eq(why, ECONNRESET);
    ck_assert_uint_eq(counted(_i == 1 ? EDGE_TIMEOUT : EDGE_CLIENT_RESET), 1);
    finish(c, server);
}
END_TEST

START_TEST(an_ordered_end_does_not_reset_the_server)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    client_sends(c, "x", 1);
    c->up_end = true;
    fake_flush(c);
    shutdown(server, SHUT_WR);
    until(c, c->shut);
    fake_close(c, BRAID_CLOSE_DONE);
    struct braid_addr told;
    ck_assert_int_eq(edges_server(edges, c, &told), -1); /* the core still has it, the edge does not */
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 1);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    finish(c, server);
}
END_TEST

/* ---- back-pressure ---------------------------------------------------------------------------------------
 */

START_TEST(a_server_that_reads_nothing_stops_the_client)
{
    int server;
    struct braid_conn *c = connected(&server);
    shrink(server);
    c->up_arrived = FAKE_STREAM;
    fake_flush(c);
    settle(c);
    size_t stopped = c->up_taken;
    ck_assert_uint_lt(stopped, FAKE_STREAM);
    settle(c);
    ck_assert_uint_eq(c->up_taken, stopped);
    static uint8_t data[65536];
    for (size_t got = 0; got < FAKE_STREAM;)
        got += (size_t)receive(c, server, data, sizeof(data));
    ck_assert_uint_eq(c->up_taken, FAKE_STREAM);
    finish(c, server);
}
END_TEST

START_TEST(a_client_that_reads_nothing_stops_the_server)
{
    int server;
    struct braid_conn *c = connected(&server);
    c->sndbuf = 100000;
    static uint8_t data[65536];
    size_t sent = 0;
    ssize_t n;
    for (unsigned idle = 0; idle < 20; turn(c)) {
        n = send(server, data, sizeof(data), MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        if (sent > FAKE_STREAM - sizeof(data))
            break;
    }
    ck_assert_uint_eq(c->down_len, 100000);
    while (c->down_len < sent) {
        size_t before = c->down_len;
        c->down_acked = before;
        until(c, c->down_len > before);
    }
    finish(c, server);
}
END_TEST

/* ---- draining and ending ---------------------------------------------------------------------------------
 */

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

START_TEST(draining_ends_with_the_last_connection)
{
    bool drained = false;
    int server;
    struct braid_conn *c = connected(&server);
    edges_drain(edges, set_flag, &drained);
    ck_assert_ptr_null(fake_listener);
    settle(c);
    ck_assert(!drained);
    fake_close(c, BRAID_CLOSE_DONE);
    ck_assert(drained);
    finish(c, server);
}
END_TEST

START_TEST(draining_without_connections_ends_at_once)
{
    bool drained = false;
    edges_drain(edges, set_flag, &drained);
    ck_assert(drained);
}
END_TEST

START_TEST(freeing_resets_servers_and_releases_clients)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    edges_free(edges);
    ck_assert(c->released);
    ck_assert_int_eq(recv(server, text, sizeof(text), 0), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(server);
    fake_conn_free(c);
    new_edges();
}
END_TEST

static TCase *new_case(Suite *s, const char *name)
{
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 4 * PATIENCE);
    suite_add_tcase(s, t);
    return t;
}

static Suite *relay_suite(void)
{
    Suite *s = suite_create("relay");
    TCase *t = new_case(s, "opening");
    tcase_add_test(t, the_client_is_answered_once_the_server_has_answered);
    tcase_add_test(t, an_ipv6_server_is_reached);
    tcase_add_test(t, a_refusing_server_becomes_a_reset);
    tcase_add_test(t, a_silent_server_becomes_unreachable_after_the_timeout);
    tcase_add_test(t, a_client_that_gives_up_first_frees_the_server);
    tcase_add_test(t, a_client_that_goes_before_it_was_announced_is_nobodys);
    tcase_add_test(t, a_greeting_is_read_only_for_an_established_client);
    t = new_case(s, "bytes");
    tcase_add_loop_test(t, random_pieces_arrive_equal_both_ways, 0, 10);
    t = new_case(s, "ends");
    tcase_add_test(t, a_clients_end_reaches_the_server_which_may_go_on);
    tcase_add_test(t, a_servers_end_reaches_the_client_which_may_go_on);
    tcase_add_test(t, the_clients_end_waits_for_bytes_the_socket_did_not_take);
    tcase_add_test(t, a_servers_reset_aborts_the_client);
    tcase_add_test(t, a_reset_that_comes_with_the_last_bytes_is_noticed);
    tcase_add_test(t, a_reset_is_noticed_while_the_client_takes_nothing);
    tcase_add_test(t, a_reset_after_the_servers_end_is_noticed);
    tcase_add_loop_test(t, a_clients_abort_or_silence_resets_the_server, 0, 3);
    tcase_add_test(t, an_ordered_end_does_not_reset_the_server);
    t = new_case(s, "back-pressure");
    tcase_add_test(t, a_server_that_reads_nothing_stops_the_client);
    tcase_add_test(t, a_client_that_reads_nothing_stops_the_server);
    t = new_case(s, "ending");
    tcase_add_test(t, draining_ends_with_the_last_connection);
    tcase_add_test(t, draining_without_connections_ends_at_once);
    tcase_add_test(t, freeing_resets_servers_and_releases_clients);
    t = new_case(s, "in another namespace"); /* last: without CK_FORK, nothing else works any more */
    tcase_add_test(t, an_unreachable_server_becomes_unreachable);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(relay_suite());
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
