/* role/resolver: against a getaddrinfo of the test's own, so that no name server is asked. */
#include <check.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "role/resolver.h"
#include "suite.h"

#define PATIENCE 5

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *answers[2]; /* what the name resolves to, guarded by lock; NULL: the lookup fails */
static sem_t asked, changed;
static struct targets news;
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
    a->info.ai_addrlen = sockaddr_from(&addr, &a->sa);
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

static void on_changed(void *arg, unsigned i, const struct targets *targets)
{
    ck_assert_ptr_eq(arg, &news);
    news = *targets;
    news_edge = i;
    sem_post(&changed);
}

static const struct edge_params edges[] = {
    {.name = "literal", .target_host = (char *)"192.0.2.7", .target_port = 443},
    {.name = "named", .target_host = (char *)"server.example", .target_port = 80},
    {.name = "any", .transparent = true},
};

/* The n edges from the first one on; looked up every 50 ms, and again 10 ms after a failure. */
static struct resolver *resolver_of(const struct edge_params *first, unsigned n)
{
    struct resolver_params params = {.edges = first, .n = n, .period = 50 * BRAID_MS, .retry = 10 * BRAID_MS};
    struct resolver *r = resolver_new(&params);
    ck_assert_ptr_nonnull(r);
    return r;
}

static void expect(const struct targets *t, const char *first, const char *second)
{
    char is[ADDR_TEXT];
    ck_assert_uint_eq(t->n, second ? 2 : 1);
    ck_assert_str_eq(addr_text(&t->addr[0], is), first);
    if (second)
        ck_assert_str_eq(addr_text(&t->addr[1], is), second);
}

static void setup(void)
{
    sem_init(&asked, 0, 0);
    sem_init(&changed, 0, 0);
}

START_TEST(literals_and_names_are_looked_up_at_the_start)
{
    struct targets targets[3];
    set_answers("2001:db8::5", "192.0.2.5");
    struct resolver *r = resolver_of(edges, 3);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    expect(&targets[0], "192.0.2.7:443", NULL);
    expect(&targets[1], "[2001:db8::5]:80", "192.0.2.5:80");
    ck_assert_uint_eq(targets[2].n, 0);
    resolver_stop(r);
}
END_TEST

START_TEST(a_name_that_does_not_resolve_is_tried_again)
{
    struct targets targets[2];
    set_answers(NULL, NULL);
    struct resolver *r = resolver_of(edges, 2);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    expect(&targets[0], "192.0.2.7:443", NULL);
    ck_assert_uint_eq(targets[1].n, 0);
    resolver_report(r, on_changed, &news);
    for (unsigned i = 0; i < 4; i++)
        wait_for(&asked);
    set_answers("192.0.2.5", NULL);
    wait_for(&changed);
    expect(&news, "192.0.2.5:80", NULL);
    ck_assert_uint_eq(news_edge, 1);
    resolver_stop(r);
}
END_TEST

/* What is found between the two is told, too. */
START_TEST(the_start_does_not_wait_for_a_silent_name_server)
{
    struct targets targets[2];
    set_answers("192.0.2.5", NULL);
    pthread_mutex_lock(&lock); /* no lookup comes to its end */
    struct resolver *r = resolver_of(edges, 2);
    resolver_first(r, 20 * BRAID_MS, targets);
    expect(&targets[0], "192.0.2.7:443", NULL);
    ck_assert_uint_eq(targets[1].n, 0);
    pthread_mutex_unlock(&lock);
    wait_for(&asked);
    resolver_report(r, on_changed, &news);
    wait_for(&changed);
    expect(&news, "192.0.2.5:80", NULL);
    pthread_mutex_lock(&lock);
    resolver_stop(r); /* nor does the end wait */
    pthread_mutex_unlock(&lock);
}
END_TEST

START_TEST(other_addresses_are_told_and_a_reordered_answer_is_not)
{
    struct targets targets[2];
    set_answers("192.0.2.5", "192.0.2.6");
    struct resolver *r = resolver_of(edges, 2);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    wait_for(&asked);
    resolver_report(r, on_changed, &news);
    set_answers("192.0.2.6", "192.0.2.5");
    wait_for(&asked);
    wait_for(&asked);
    set_answers(NULL, NULL); /* a failure keeps the addresses */
    wait_for(&asked);
    wait_for(&asked);
    ck_assert_int_eq(sem_trywait(&changed), -1);
    set_answers("192.0.2.9", "192.0.2.5");
    wait_for(&changed);
    expect(&news, "192.0.2.5:80", "192.0.2.9:80"); /* what was first stays so while it is there */
    set_answers("192.0.2.9", NULL);
    wait_for(&changed);
    expect(&news, "192.0.2.9:80", NULL);
    resolver_stop(r);
}
END_TEST

/* At the start and later; a good address beside it is used, one that was good before is kept. */
START_TEST(an_address_that_leads_back_here_is_never_used)
{
    struct edge_params loop = edges[1];
    struct targets targets[1];
    ck_assert_int_eq(addr_parse("192.0.2.1:80", &loop.listen), 0);
    set_answers("192.0.2.1", NULL);
    struct resolver *r = resolver_of(&loop, 1);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    ck_assert_uint_eq(targets[0].n, 0);
    resolver_report(r, on_changed, &news);
    set_answers("192.0.2.1", "192.0.2.5");
    wait_for(&changed);
    expect(&news, "192.0.2.5:80", NULL);
    while (sem_trywait(&asked) == 0)
        ;
    set_answers("192.0.2.1", NULL);
    wait_for(&asked);
    wait_for(&asked);
    wait_for(&asked);
    ck_assert_int_eq(sem_trywait(&changed), -1);
    resolver_stop(r);
}
END_TEST

START_TEST(literals_are_never_looked_up)
{
    const struct edge_params nameless[] = {edges[0], edges[2]};
    struct targets targets[2];
    struct resolver *r = resolver_of(nameless, 2);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    expect(&targets[0], "192.0.2.7:443", NULL);
    resolver_report(r, on_changed, &news);
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
    Suite *s = suite_create("relay_resolver");
    TCase *t = tcase_create("resolver");
    tcase_set_timeout(t, 4 * PATIENCE);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, literals_and_names_are_looked_up_at_the_start);
    tcase_add_test(t, a_name_that_does_not_resolve_is_tried_again);
    tcase_add_test(t, the_start_does_not_wait_for_a_silent_name_server);
    tcase_add_test(t, other_addresses_are_told_and_a_reordered_answer_is_not);
    tcase_add_test(t, an_address_that_leads_back_here_is_never_used);
    tcase_add_test(t, literals_are_never_looked_up);
    suite_add_tcase(s, t);
    return run_suite(s);
}
