/* relay/resolver: against a getaddrinfo of the test's own, so that no name server is asked. */
#include <check.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/addr.h"
#include "io/upstream.h"
#include "relay/resolver.h"
#include "suite.h"

#define PATIENCE 5

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *answers[2]; /* what the name resolves to, guarded by lock; NULL: the lookup fails */
static sem_t asked, changed;
static struct braid_addr news;
static unsigned news_edge;

struct answer {
    struct addrinfo info;
    struct sockaddr_storage sa;
};

static struct addrinfo *make_answer(const char *text, struct addrinfo *next)
{
    struct answer *a = calloc(1, sizeof(*a));
    struct braid_addr addr = {.port = 80};
    ck_assert_int_eq(ip_parse(text, &addr.ip), 0);
    a->info.ai_addrlen = upstream_sockaddr(&addr, &a->sa);
    a->info.ai_addr = (struct sockaddr *)&a->sa;
    a->info.ai_next = next;
    return &a->info;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    (void)hints;
    ck_assert_str_eq(node, "server.example");
    ck_assert_str_eq(service, "80");
    pthread_mutex_lock(&lock);
    *out = NULL;
    for (unsigned i = 2; i-- > 0;) {
        if (answers[i])
            *out = make_answer(answers[i], *out);
    }
    pthread_mutex_unlock(&lock);
    sem_post(&asked);
    return *out ? 0 : EAI_AGAIN;
}

void freeaddrinfo(struct addrinfo *info)
{
    while (info) {
        struct addrinfo *next = info->ai_next;
        free(info); /* the first member of struct answer */
        info = next;
    }
}

static void set_answers(const char *first, const char *second)
{
    pthread_mutex_lock(&lock);
    answers[0] = first;
    answers[1] = second;
    pthread_mutex_unlock(&lock);
}

static void wait_for(sem_t *what)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE;
    ck_assert_int_eq(sem_timedwait(what, &limit), 0);
}

static void on_changed(void *arg, unsigned i, const struct braid_addr *target)
{
    ck_assert_ptr_eq(arg, &news);
    news = *target;
    news_edge = i;
    sem_post(&changed);
}

static const struct edge_params params[] = {
    {.name = "literal", .target_host = (char *)"192.0.2.7", .target_port = 443},
    {.name = "named", .target_host = (char *)"server.example", .target_port = 80},
    {.name = "any", .transparent = true},
};

static void expect(const struct braid_addr *a, const char *text)
{
    char is[ADDR_TEXT];
    ck_assert_str_eq(addr_text(a, is), text);
}

static void setup(void)
{
    sem_init(&asked, 0, 0);
    sem_init(&changed, 0, 0);
}

START_TEST(literals_and_names_are_looked_up_at_the_start)
{
    struct braid_addr targets[3];
    char error[RESOLVER_ERROR];
    set_answers("2001:db8::5", "192.0.2.5");
    ck_assert_int_eq(resolver_lookup(params, 3, targets, error), 0);
    expect(&targets[0], "192.0.2.7:443");
    expect(&targets[1], "[2001:db8::5]:80");
}
END_TEST

START_TEST(a_name_that_does_not_resolve_is_named_in_the_error)
{
    struct braid_addr targets[2];
    char error[RESOLVER_ERROR];
    set_answers(NULL, NULL);
    ck_assert_int_eq(resolver_lookup(params, 2, targets, error), -1);
    ck_assert_ptr_nonnull(strstr(error, "named"));
    ck_assert_ptr_nonnull(strstr(error, "server.example"));
    ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

START_TEST(a_new_address_is_told_and_a_reordered_answer_is_not)
{
    struct braid_addr targets[2];
    char error[RESOLVER_ERROR];
    set_answers("192.0.2.5", "192.0.2.6");
    ck_assert_int_eq(resolver_lookup(params, 2, targets, error), 0);
    wait_for(&asked);
    set_answers("192.0.2.6", "192.0.2.5");
    struct resolver *r = resolver_start(params, 2, targets, 1, on_changed, &news);
    ck_assert_ptr_nonnull(r);
    wait_for(&asked);
    set_answers(NULL, NULL); /* a failure keeps the address */
    wait_for(&asked);
    ck_assert_int_eq(sem_trywait(&changed), -1);
    set_answers("192.0.2.9", NULL);
    wait_for(&changed);
    expect(&news, "192.0.2.9:80");
    ck_assert_uint_eq(news_edge, 1);
    resolver_stop(r);
}
END_TEST

START_TEST(literals_are_never_looked_up_again)
{
    const struct edge_params nameless[] = {params[0], params[2]};
    struct braid_addr targets[2];
    char error[RESOLVER_ERROR];
    ck_assert_int_eq(resolver_lookup(nameless, 2, targets, error), 0);
    struct resolver *r =
        resolver_start(nameless, 2, targets, 0, on_changed, &news); /* period 0: all the time */
    ck_assert_ptr_nonnull(r);
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 100000000;
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;
    ck_assert_int_eq(sem_timedwait(&asked, &limit), -1);
    resolver_stop(r);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("resolver");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 4 * PATIENCE);
    tcase_add_test(t, literals_and_names_are_looked_up_at_the_start);
    tcase_add_test(t, a_name_that_does_not_resolve_is_named_in_the_error);
    tcase_add_test(t, a_new_address_is_told_and_a_reordered_answer_is_not);
    tcase_add_test(t, literals_are_never_looked_up_again);
    Suite *s = suite_create("resolver");
    suite_add_tcase(s, t);
    return run_suite(s);
}
