/* relay/dial: the addresses of one server, on loopback, are tried as RFC 8305 has it. */
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <event2/event.h>
#include <check.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/sockaddr.h"
#include "io/upstream.h"
#include "relay/dial.h"
#include "suite.h"

#define TIMEOUT (2 * BRAID_SECOND)
#define FILLERS 8

static struct event_base *base;
static struct dial *d;
static struct targets targets;
static int fd;    /* the connected socket, -1: none */
static int error; /* 0: it did not fail */
static struct braid_addr server;
static struct braid_addr missed[4]; /* those that were */
static int missed_for[4];
static unsigned n_missed;

static void on_connected(void *arg, int connected, const struct braid_addr *addr)
{
    ck_assert_ptr_eq(arg, &targets);
    fd = connected;
    server = *addr;
    event_base_loopbreak(base);
}

static void on_failed(void *arg, int why)
{
    ck_assert_ptr_eq(arg, &targets);
    error = why;
    event_base_loopbreak(base);
}

static void on_missed(void *arg, const struct braid_addr *addr, int why)
{
    ck_assert_ptr_eq(arg, &targets);
    ck_assert_uint_lt(n_missed, 4);
    missed[n_missed] = *addr;
    missed_for[n_missed++] = why;
}

static void is_missed(unsigned i, unsigned target, int why)
{
    ck_assert(addr_equal(&missed[i], &targets.addr[target]));
    ck_assert_int_eq(missed_for[i], why);
}

static void setup(void)
{
    base = event_base_new();
    targets.n = n_missed = 0;
    fd = -1;
    error = 0;
}

static void teardown(void)
{
    if (fd >= 0)
        close(fd);
    event_base_free(base);
}

/* One more address, which listens; backlog -1: it refuses. */
static int add_server(const char *text, int backlog)
{
    struct braid_addr *a = &targets.addr[targets.n++];
    struct sockaddr_storage sa;
    ck_assert_int_eq(addr_parse(text, a), 0);
    socklen_t len = sockaddr_from(a, &sa);
    int s = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(s, (struct sockaddr *)&sa, len), 0);
    ck_assert(backlog < 0 || listen(s, backlog) == 0);
    ck_assert_int_eq(getsockname(s, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, a), 0);
    return s;
}

/* One more, which answers nothing, as its queue is full. */
static int add_silent_server(int fillers[FILLERS])
{
    int s = add_server("127.0.0.1:0", 0);
    bool done;
    for (unsigned i = 0; i < FILLERS; i++)
        fillers[i] = upstream_connect(&targets.addr[targets.n - 1], NULL, &done);
    return s;
}

static void close_all(const int *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        close(fds[i]);
}

static braid_time now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * BRAID_SECOND + ts.tv_nsec / 1000;
}

static void begin(void)
{
    struct dial_params params = {.targets = &targets,
                                 .timeout = TIMEOUT,
                                 .missed = on_missed,
                                 .connected = on_connected,
                                 .failed = on_failed,
                                 .arg = &targets};
    d = dial_new(base, &params);
    ck_assert_ptr_nonnull(d);
    dial_begin(d);
}

/* How long it took. */
static braid_time dial(void)
{
    braid_time start = now();
    begin();
    if (fd < 0 && !error)
        event_base_dispatch(base);
    ck_assert((fd >= 0) != (error != 0));
    return now() - start;
}

static void expect_server(unsigned i)
{
    ck_assert_int_ge(fd, 0);
    ck_assert(addr_equal(&server, &targets.addr[i]));
}

START_TEST(the_first_address_is_it_if_it_answers)
{
    int s[] = {add_server("127.0.0.1:0", 4), add_server("127.0.0.2:0", 4)};
    dial();
    expect_server(0);
    ck_assert_int_eq(accept(s[1], NULL, NULL), -1); /* the other one never heard of it */
    close_all(s, 2);
}
END_TEST

START_TEST(the_next_address_is_tried_at_once_when_one_refuses)
{
    int s[] = {add_server("[::1]:0", -1), add_server("127.0.0.2:0", -1), add_server("127.0.0.1:0", 4)};
    ck_assert_int_lt(dial(), DIAL_DELAY);
    expect_server(2);
    close_all(s, 3);
}
END_TEST

START_TEST(the_next_address_is_tried_beside_one_that_is_silent)
{
    int fillers[FILLERS], s[] = {add_silent_server(fillers), add_server("127.0.0.2:0", 4)};
    braid_time took = dial();
    ck_assert_int_ge(took, DIAL_DELAY - 2 * BRAID_MS);
    ck_assert_int_lt(took, TIMEOUT);
    expect_server(1);
    close_all(s, 2);
    close_all(fillers, FILLERS);
}
END_TEST

/* Its SYN is repeated after a second, when there is room; until then another address was tried. */
START_TEST(a_silent_address_may_still_answer)
{
    int fillers[FILLERS], others[FILLERS];
    int s[] = {add_silent_server(fillers), add_silent_server(others)};
    for (int a; (a = accept(s[0], NULL, NULL)) >= 0;)
        close(a);
    close_all(fillers, FILLERS);
    dial();
    expect_server(0);
    close_all(s, 2);
    close_all(others, FILLERS);
}
END_TEST

START_TEST(it_fails_when_every_address_has_failed)
{
    int s[] = {add_server("127.0.0.1:0", -1), add_server("127.0.0.2:0", -1)};
    ck_assert_int_lt(dial(), DIAL_DELAY);
    ck_assert_int_eq(error, ECONNREFUSED);
    close_all(s, 2);
}
END_TEST

START_TEST(it_fails_after_the_timeout)
{
    int fillers[FILLERS], s[] = {add_silent_server(fillers), add_server("127.0.0.2:0", -1)};
    ck_assert_int_ge(dial(), TIMEOUT - 2 * BRAID_MS);
    ck_assert_int_eq(error, ETIMEDOUT);
    close_all(s, 2);
    close_all(fillers, FILLERS);
}
END_TEST

/* The thread stands still until the timeout is over: the server gets it once more. */
START_TEST(a_pause_of_this_machine_is_no_time_that_a_server_had)
{
    int fillers[FILLERS], s[] = {add_silent_server(fillers)};
    braid_time start = now();
    clock_sleep_until(clock_now());
    begin();
    usleep(TIMEOUT); /* the pause itself */
    while (!error) { /* as a worker does */
        clock_sleep_until(clock_now() + TIMEOUT);
        event_base_loop(base, EVLOOP_ONCE);
    }
    ck_assert_int_ge(now() - start, 2 * TIMEOUT - 300 * BRAID_MS);
    ck_assert_int_eq(error, ETIMEDOUT);
    close_all(s, 1);
    close_all(fillers, FILLERS);
}
END_TEST

START_TEST(whoever_gives_up_hears_nothing_more)
{
    int fillers[FILLERS], s[] = {add_silent_server(fillers), add_server("127.0.0.2:0", 4)};
    begin();
    dial_free(d);
    event_base_dispatch(base); /* ends at once: nothing is left in it */
    ck_assert(fd == -1 && error == 0);
    close_all(s, 2);
    close_all(fillers, FILLERS);
}
END_TEST

START_TEST(whoever_fails_or_is_overtaken_is_told)
{
    int fillers[FILLERS], s[3] = {add_server("127.0.0.1:0", -1)};
    s[1] = add_silent_server(fillers);
    s[2] = add_server("127.0.0.2:0", 4);
    dial();
    expect_server(2);
    ck_assert_uint_eq(n_missed, 2);
    is_missed(0, 0, ECONNREFUSED);
    is_missed(1, 1, ETIMEDOUT);
    close_all(s, 3);
    close_all(fillers, FILLERS);
}
END_TEST

START_TEST(whoever_is_silent_to_the_end_is_told)
{
    int fillers[FILLERS], s[2] = {add_silent_server(fillers), add_server("127.0.0.2:0", -1)};
    ck_assert_int_ge(dial(), TIMEOUT - 2 * BRAID_MS);
    ck_assert_uint_eq(n_missed, 2);
    is_missed(0, 1, ECONNREFUSED);
    is_missed(1, 0, ETIMEDOUT);
    close_all(s, 2);
    close_all(fillers, FILLERS);
}
END_TEST

/* From where the only attempt comes. */
static struct braid_addr from_where(void)
{
    struct dial_progress p;
    struct braid_addr ours;
    dial_look(d, &p);
    ck_assert(upstream_local(p.attempts[0].fd, &ours));
    return ours;
}

/* The server's kernel has accepted, and the loop has not come round since. */
START_TEST(what_the_server_knows_is_settled_at_once)
{
    int s[] = {add_server("127.0.0.1:0", 4)};
    begin();
    struct braid_addr ours = from_where(), other = ours;
    other.port ^= 1;
    ck_assert(!dial_settle(d, &other, &targets.addr[0]) && !dial_settle(d, &ours, &ours) && fd == -1);
    ck_assert(dial_settle(d, &ours, &targets.addr[0]));
    expect_server(0);
    close_all(s, 1);
}
END_TEST

START_TEST(nothing_is_settled_before_the_server_has_answered)
{
    int fillers[FILLERS], s[] = {add_silent_server(fillers)};
    begin();
    struct braid_addr ours = from_where();
    ck_assert(!dial_settle(d, &ours, &targets.addr[0]) && fd == -1 && error == 0);
    event_base_dispatch(base);
    ck_assert_int_eq(error, ETIMEDOUT);
    close_all(s, 1);
    close_all(fillers, FILLERS);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dial");
    TCase *t = tcase_create("dial");
    tcase_set_timeout(t, 20);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_first_address_is_it_if_it_answers);
    tcase_add_test(t, whoever_fails_or_is_overtaken_is_told);
    tcase_add_test(t, what_the_server_knows_is_settled_at_once);
    tcase_add_test(t, nothing_is_settled_before_the_server_has_answered);
    tcase_add_test(t, whoever_is_silent_to_the_end_is_told);
    tcase_add_test(t, the_next_address_is_tried_at_once_when_one_refuses);
    tcase_add_test(t, the_next_address_is_tried_beside_one_that_is_silent);
    tcase_add_test(t, a_silent_address_may_still_answer);
    tcase_add_test(t, it_fails_when_every_address_has_failed);
    tcase_add_test(t, it_fails_after_the_timeout);
    tcase_add_test(t, a_pause_of_this_machine_is_no_time_that_a_server_had);
    tcase_add_test(t, whoever_gives_up_hears_nothing_more);
    suite_add_tcase(s, t);
    return run_suite(s);
}
