/* Connecting by name (socket/by_name.c): this file is the resolver, and its servers are on loopback. */
#include <braid/socket.h>
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "suite.h"

/* ---- the resolver ---- */

static struct sockaddr_storage answers[4];
static struct addrinfo infos[4];
static unsigned n_answers;
static int problem;

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    ck_assert_str_eq(host, "server.test");
    ck_assert(strcmp(service, "http") == 0 && hints->ai_socktype == SOCK_STREAM);
    for (unsigned i = 0; i < n_answers; i++)
        infos[i] =
            (struct addrinfo){.ai_family = answers[i].ss_family,
                              .ai_addr = (struct sockaddr *)&answers[i],
                              .ai_addrlen = answers[i].ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                                            : sizeof(struct sockaddr_in6),
                              .ai_next = i + 1 < n_answers ? &infos[i + 1] : NULL};
    *out = infos;
    return problem;
}

void freeaddrinfo(struct addrinfo *all)
{
    ck_assert_ptr_eq(all, infos);
}

/* ---- the servers ---- */

enum manners { ACCEPTS, REFUSES, SILENT };

static int listeners[4], fillers[4][4];

/* A queue that is full has the kernel drop what comes. */
static void fill(unsigned i)
{
    for (unsigned j = 0; j < 4; j++) {
        fillers[i][j] = socket(answers[i].ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i][j], (const struct sockaddr *)&answers[i], sizeof(struct sockaddr_in));
    }
}

/* The name has one more address. */
static void serve(enum manners manners)
{
    unsigned i = n_answers++;
    char host[16];
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    snprintf(host, sizeof(host), "127.0.0.%u", i + 1);
    inet_pton(AF_INET, host, &in.sin_addr);
    listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listeners[i], (const struct sockaddr *)&in, sizeof(in)), 0);
    ck_assert_int_eq(getsockname(listeners[i], (struct sockaddr *)&answers[i], &len), 0);
    if (manners != REFUSES)
        ck_assert_int_eq(listen(listeners[i], manners == SILENT ? 0 : 8), 0);
    if (manners == SILENT)
        fill(i);
}

static void setup(void)
{
    n_answers = 0;
    problem = 0;
    for (unsigned i = 0; i < 4; i++) {
        listeners[i] = -1;
        for (unsigned j = 0; j < 4; j++)
            fillers[i][j] = -1;
    }
}

static void teardown(void)
{
    for (unsigned i = 0; i < 4; i++) {
        close(listeners[i]);
        for (unsigned j = 0; j < 4; j++)
            close(fillers[i][j]);
    }
}

/* ---- what is tried ---- */

static struct braid_name_options how;
static double took; /* seconds */
static unsigned n_prepared, families[4];
static int prepare_fails; /* the place of the one that does; -1: none */

static int prepare(int fd, void *arg)
{
    socklen_t len = sizeof(families[0]);
    ck_assert_ptr_eq(arg, &took);
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &families[n_prepared], &len), 0);
    errno = EPERM;
    return (int)n_prepared++ == prepare_fails ? -1 : 0;
}

static unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* Connects; the place of the address that it has become, or -1 with errno. Leaves nothing behind. */
static int tried(int *flags)
{
    struct timespec begin, end;
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    unsigned before = descriptors();
    n_prepared = 0;
    how.prepare = prepare;
    how.arg = &took;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    int fd = braid_connect_name("server.test", "http", &how), why = errno, place = -1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    took = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    if (fd >= 0) {
        ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
        for (unsigned i = 0; i < n_answers; i++)
            if (memcmp(&peer, &answers[i], len) == 0)
                place = (int)i;
        if (flags)
            *flags = (fcntl(fd, F_GETFL) & O_NONBLOCK) | (fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
    ck_assert_uint_eq(descriptors(), before);
    errno = why;
    return place;
}

static void setup_trying(void)
{
    how = (struct braid_name_options){0};
    prepare_fails = -1;
    setup();
}

/* The machine may be busy: whether it is ever done in so short a time. */
static void expect_soon(int place, double seconds)
{
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(tried(NULL), place);
        if (took < seconds)
            return;
    }
    ck_abort_msg("it takes %f s", took);
}

START_TEST(the_first_address_that_answers_is_it)
{
    int flags;
    serve(ACCEPTS);
    serve(ACCEPTS);
    ck_assert_int_eq(tried(&flags), 0);
    ck_assert_uint_eq(n_prepared, 1);
    ck_assert_int_eq(flags, 0);
    how.flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    ck_assert_int_eq(tried(&flags), 0);
    ck_assert_int_eq(flags, O_NONBLOCK | FD_CLOEXEC);
}
END_TEST

START_TEST(an_address_that_refuses_costs_nothing)
{
    serve(REFUSES);
    serve(REFUSES);
    serve(ACCEPTS);
    expect_soon(2, 0.2);
}
END_TEST

START_TEST(one_that_is_silent_is_not_waited_for)
{
    serve(SILENT);
    serve(ACCEPTS);
    serve(ACCEPTS);
    ck_assert_int_eq(tried(NULL), 1);
    ck_assert_uint_eq(n_prepared, 2);
    ck_assert(took > 0.2 && took < 5);
}
END_TEST

/* The one after it comes at once, although another is still waited for. */
START_TEST(a_refusal_calls_for_the_next_one)
{
    serve(SILENT);
    serve(REFUSES);
    serve(ACCEPTS);
    expect_soon(2, 0.45);
    ck_assert(took > 0.2);
}
END_TEST

START_TEST(what_nobody_answers_ends_in_time)
{
    how.timeout_ms = 100;
    serve(SILENT);
    ck_assert(tried(NULL) < 0 && errno == ETIMEDOUT);
    ck_assert(took < 5);
    serve(REFUSES);
    how.timeout_ms = 400;
    ck_assert(tried(NULL) < 0 && errno == ECONNREFUSED); /* which says more */
}
END_TEST

START_TEST(if_all_refuse_so_does_the_name)
{
    serve(REFUSES);
    serve(REFUSES);
    ck_assert(tried(NULL) < 0 && errno == ECONNREFUSED);
    ck_assert_uint_eq(n_prepared, 2);
}
END_TEST

START_TEST(a_socket_that_cannot_be_prepared_is_not_used)
{
    serve(ACCEPTS);
    prepare_fails = 0;
    ck_assert(tried(NULL) < 0 && errno == EPERM);
    serve(ACCEPTS);
    ck_assert_int_eq(tried(NULL), 1);
}
END_TEST

/* RFC 8305 section 4. */
START_TEST(the_families_take_turns)
{
    for (unsigned i = 0; i < 2; i++) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&answers[n_answers++];
        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(i + 1))};
        inet_pton(AF_INET6, "::1", &in6->sin6_addr);
    }
    serve(REFUSES);
    serve(REFUSES);
    ck_assert_int_lt(tried(NULL), 0);
    ck_assert_uint_eq(n_prepared, 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(families[i], i % 2 ? AF_INET : AF_INET6);
}
END_TEST

START_TEST(a_name_without_addresses_is_told_from_silence)
{
    static const struct {
        int problem, error;
    } problems[] = {{EAI_NONAME, ENOENT}, {EAI_AGAIN, EAGAIN}, {EAI_MEMORY, ENOMEM}, {EAI_SERVICE, EINVAL}};
    for (unsigned i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
        problem = problems[i].problem;
        ck_assert_int_eq(braid_connect_name("server.test", "http", NULL), -1);
        ck_assert_int_eq(errno, problems[i].error);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("by_name");
    TCase *t = tcase_create("by_name");
    tcase_add_checked_fixture(t, setup_trying, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, the_first_address_that_answers_is_it);
    tcase_add_test(t, an_address_that_refuses_costs_nothing);
    tcase_add_test(t, one_that_is_silent_is_not_waited_for);
    tcase_add_test(t, a_refusal_calls_for_the_next_one);
    tcase_add_test(t, what_nobody_answers_ends_in_time);
    tcase_add_test(t, if_all_refuse_so_does_the_name);
    tcase_add_test(t, a_socket_that_cannot_be_prepared_is_not_used);
    tcase_add_test(t, the_families_take_turns);
    tcase_add_test(t, a_name_without_addresses_is_told_from_silence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
