/* relay/end_socket: what a socket of the kernel's costs in system calls, spliced to a scripted connection.
 * That bytes and ends arrive whatever the ends are is for test_splice.c. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "fake_core.h"
#include "relay/end_conn.h"
#include "relay/end_socket.h"
#include "relay/splice.h"
#include "io/poller.h"
#include "suite.h"

static struct event_base *base;
static struct poller *poller;
static struct splicer *splicer;
static struct splice_owner owner;
static struct splice splice;
static struct braid_conn *conn;
static int server; /* the far end of the socket */

static struct end_ops counting;
static const struct end_ops *plain;
static unsigned reads, looks, questions;

static void on_moved(struct splice *s, unsigned from, size_t n)
{
    (void)s;
    (void)from;
    (void)n;
}

static void on_end(struct splice *s, unsigned end)
{
    (void)s;
    (void)end;
}

static void on_gone(struct splice *s, unsigned end, enum braid_close why)
{
    (void)s;
    (void)end;
    (void)why;
}

static void on_over(struct splice *s)
{
    (void)s;
}

static const struct splice_events events = {
    .moved = on_moved, .failed = on_end, .gone = on_gone, .over = on_over};
static const struct braid_conn_ops conn_ops = {.established = end_conn_established,
                                               .readable = end_conn_readable,
                                               .writable = end_conn_writable,
                                               .closed = end_conn_closed};

static ssize_t counted_read(struct end *e, const struct iovec *iov, unsigned n)
{
    reads++;
    return plain->read(e, iov, n);
}

static ssize_t counted_look(struct end *e, void *data, size_t len)
{
    looks++;
    return plain->look(e, data, len);
}

static bool counted_failed(struct end *e)
{
    questions++;
    return plain->failed(e);
}

/* A connected pair; returns ours. */
static int connect_server(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int listener = socket(AF_INET, SOCK_STREAM, 0), ours = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(connect(ours, (struct sockaddr *)&sa, len), 0);
    server = accept(listener, NULL, NULL);
    ck_assert_int_ge(server, 0);
    ck_assert_int_eq(evutil_make_socket_nonblocking(ours), 0);
    close(listener);
    return ours;
}

static void turns(void)
{
    for (unsigned i = 0; i < 20; i++)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void setup(void)
{
    base = event_base_new();
    splicer = splicer_new(base);
    poller = end_socket_poller(base);
    ck_assert(splicer && poller);
    owner = (struct splice_owner){.events = &events, .splicer = splicer};
    splice_init(&splice, &owner);
    conn = fake_conn_of(&conn_ops);
    conn->accepted = true;
    end_conn_init(&splice.ends[0], conn);
    ck_assert_int_eq(end_socket_init(&splice.ends[1], poller, connect_server()), 0);
    plain = splice.ends[1].ops;
    counting = *plain;
    counting.read = counted_read;
    counting.look = counted_look;
    counting.failed = counted_failed;
    splice.ends[1].ops = &counting;
    splice_start(&splice);
    end_conn_established(conn, &splice.ends[0]);
    turns();
    reads = looks = questions = 0;
}

static void teardown(void)
{
    splice_drop(&splice);
    close(server);
    fake_conn_free(conn);
    splicer_free(splicer);
    poller_free(poller);
    event_base_free(base);
}

static void server_says(const char *text, int flags)
{
    ck_assert_int_eq(send(server, text, strlen(text), flags), (ssize_t)strlen(text));
}

static void client_must_have(const char *text)
{
    ck_assert_uint_eq(conn->down_len, strlen(text));
    ck_assert_mem_eq(conn->down, text, strlen(text));
}

START_TEST(a_short_answer_takes_one_read)
{
    server_says("answer", 0);
    turns();
    client_must_have("answer");
    ck_assert_uint_eq(reads, 1);
    ck_assert_uint_eq(looks + questions, 0);
}
END_TEST

START_TEST(so_does_one_with_the_end_behind_it)
{
    server_says("answer", 0);
    ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    turns();
    client_must_have("answer");
    ck_assert(conn->shut);
    ck_assert_uint_eq(reads, 1);
    ck_assert_uint_eq(looks + questions, 0);
}
END_TEST

START_TEST(an_end_by_itself_is_read)
{
    server_says("answer", 0);
    turns();
    ck_assert(!conn->shut);
    ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    turns();
    ck_assert(conn->shut);
    ck_assert_uint_eq(reads, 2);
}
END_TEST

/* A read stops at urgent data, with more behind it. The urgent byte itself is none of the stream. */
START_TEST(what_follows_urgent_data_is_read_as_well)
{
    server_says("before", 0);
    server_says("!", MSG_OOB);
    server_says("behind", 0);
    ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    turns();
    client_must_have("beforebehind");
    ck_assert(conn->shut);
}
END_TEST

START_TEST(of_the_kernel_s_mptcp_everything_is_asked_for)
{
    end_socket_is_mptcp(&splice.ends[1]);
    server_says("answer", 0);
    ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    turns();
    client_must_have("answer");
    ck_assert(conn->shut);
    ck_assert_uint_eq(looks, 1);
}
END_TEST

static int nodelay(void)
{
    int on = -1;
    socklen_t len = sizeof(on);
    ck_assert_int_eq(getsockopt(splice.ends[1].fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    return on;
}

START_TEST(nagle_s_algorithm_holds_back_nothing_from_the_second_write_on)
{
    struct iovec iov = {.iov_base = (void *)"request", .iov_len = 7};
    ck_assert_int_eq(plain->write(&splice.ends[1], &iov, 1), 7);
    ck_assert_int_eq(nodelay(), 0);
    ck_assert_int_eq(plain->write(&splice.ends[1], &iov, 1), 7);
    ck_assert_int_eq(nodelay(), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("socket as an end");
    TCase *t = tcase_create("calls");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_short_answer_takes_one_read);
    tcase_add_test(t, so_does_one_with_the_end_behind_it);
    tcase_add_test(t, an_end_by_itself_is_read);
    tcase_add_test(t, what_follows_urgent_data_is_read_as_well);
    tcase_add_test(t, of_the_kernel_s_mptcp_everything_is_asked_for);
    tcase_add_test(t, nagle_s_algorithm_holds_back_nothing_from_the_second_write_on);
    suite_add_tcase(s, t);
    return run_suite(s);
}
