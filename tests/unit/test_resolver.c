/* role/resolver and io/dns: against a name server of the test's own on loopback, a thread. */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/addr.h"
#include "io/clock.h"
#include "role/resolver.h"
#include "suite.h"

#define PATIENCE 15

enum { TYPE_A = 1, TYPE_AAAA = 28 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *answers[2]; /* what the name resolves to, guarded by lock; NULL: the lookup fails */
static uint32_t ttl;           /* of the answers, in seconds; guarded by lock */
static sem_t asked, changed;
static struct targets news;
static unsigned news_edge;
static struct event_base *base;
static char resolv_conf[64];
static int server;
static uint16_t server_port;
static pthread_t server_thread;

/* ---- the name server ---- */

static uint8_t *put(uint8_t *at, uint32_t value, unsigned bytes)
{
    while (bytes-- > 0)
        *at++ = (uint8_t)(value >> 8 * bytes);
    return at;
}

/* An answer's record (RFC 1035 section 4.1.3), if it is of this type. */
static uint8_t *put_record(uint8_t *at, const char *text, int type)
{
    struct braid_ip ip;
    ck_assert_int_eq(ip_parse(text, &ip), 0);
    if (ip_is_v4(&ip) != (type == TYPE_A))
        return at;
    unsigned len = type == TYPE_A ? 4 : 16;
    at = put(at, 0xc00c, 2); /* the name that was asked for */
    at = put(at, (uint32_t)type, 2);
    at = put(at, 1, 2);
    at = put(at, ttl, 4);
    at = put(at, len, 2);
    memcpy(at, ip.b + 16 - len, len);
    return at + len;
}

/* Makes an answer of a question, in its place. Returns its length. */
static size_t make_answer(uint8_t *packet, size_t len)
{
    static const char name[] = "\6server\7example";
    ck_assert_uint_ge(len, 12 + sizeof(name) + 4);
    ck_assert_str_eq((char *)packet + 12, name);
    int type = packet[12 + sizeof(name)] << 8 | packet[12 + sizeof(name) + 1];
    uint8_t *begin = packet + 12 + sizeof(name) + 4, *at = begin;
    unsigned n = 0;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *end = answers[i] ? put_record(at, answers[i], type) : at;
        n += end > at;
        at = end;
    }
    put(packet + 2, 0x8180u | (answers[0] || answers[1] ? 0 : 3), 2); /* or: no such name */
    pthread_mutex_unlock(&lock);
    put(packet + 6, n, 2);
    put(packet + 8, 0, 4);
    if (type == TYPE_A) /* each lookup asks for both */
        sem_post(&asked);
    return (size_t)(at - packet);
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        uint8_t packet[512];
        struct sockaddr_in from;
        socklen_t len = sizeof(from);
        ssize_t n = recvfrom(server, packet, sizeof(packet) - 64, 0, (struct sockaddr *)&from, &len);
        if (n <= 0)
            return NULL;
        sendto(server, packet, make_answer(packet, (size_t)n), 0, (struct sockaddr *)&from, len);
    }
}

#define SERVER "127.0.0.1"
#define NOBODY "127.0.0.2" /* refuses */

static void start_server(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t len = sizeof(sin);
    ck_assert_int_eq(inet_pton(AF_INET, SERVER, &sin.sin_addr), 1);
    server = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&sin, sizeof(sin)), 0);
    ck_assert_int_eq(getsockname(server, (struct sockaddr *)&sin, &len), 0);
    server_port = ntohs(sin.sin_port);
    ck_assert_int_eq(pthread_create(&server_thread, NULL, serve, NULL), 0);
}

/* Puts a file in place that names this server. */
static void write_conf(const char *address)
{
    char fresh[80];
    snprintf(fresh, sizeof(fresh), "%s.new", resolv_conf);
    FILE *f = fopen(fresh, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "nameserver %s\n", address);
    fclose(f);
    ck_assert_int_eq(rename(fresh, resolv_conf), 0);
}

/* ---- the resolver ---- */

static void set_answers(const char *first, const char *second)
{
    pthread_mutex_lock(&lock);
    answers[0] = first;
    answers[1] = second;
    pthread_mutex_unlock(&lock);
}

/* Runs the loop until it has happened. */
static void wait_for(sem_t *what)
{
    braid_time end = clock_now() + PATIENCE * BRAID_SECOND;
    while (sem_trywait(what) < 0) {
        ck_assert_int_lt(clock_now(), end);
        event_base_loop(base, EVLOOP_NONBLOCK);
        poll(NULL, 0, 1);
    }
}

static void on_changed(void *arg, unsigned i, const struct targets *targets)
{
    ck_assert_ptr_eq(arg, &news);
    news = *targets;
    news_edge = i;
    sem_post(&changed);
}

static const struct edge_params edges[] = {
    {.name = "literal", .pool = {.targets = {{.host = (char *)"192.0.2.7", .port = 443}}, .n = 1}},
    {.name = "named", .pool = {.targets = {{.host = (char *)"server.example", .port = 80}}, .n = 1}},
    {.name = "any", .kind = EDGE_TRANSPARENT},
};

static struct resolver *resolver_with(const struct edge_params *first, unsigned n, braid_time ttl_min,
                                      braid_time ttl_max)
{
    struct resolver_name names[3];
    for (unsigned i = 0; i < n; i++)
        names[i] = (struct resolver_name){.kind = "edge",
                                          .owner = first[i].name,
                                          .key = "target",
                                          .host = first[i].pool.targets[0].host,
                                          .port = first[i].pool.targets[0].port};
    struct resolver_params params = {.names = names,
                                     .n = n,
                                     .edges = first,
                                     .n_edges = n,
                                     .base = base,
                                     .ttl_min = ttl_min,
                                     .ttl_max = ttl_max,
                                     .period = 50 * BRAID_MS,
                                     .retry = 10 * BRAID_MS,
                                     .resolv_conf = resolv_conf,
                                     .port = server_port};
    struct resolver *r = resolver_new(&params);
    ck_assert_ptr_nonnull(r);
    return r;
}

/* The n edges from the first one on; looked up every 50 ms, and again 10 ms after a failure. */
static struct resolver *resolver_of(const struct edge_params *first, unsigned n)
{
    return resolver_with(first, n, 50 * BRAID_MS, 50 * BRAID_MS);
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
    base = event_base_new();
    ttl = 0;
    strcpy(resolv_conf, "/tmp/braid-test-resolv-XXXXXX");
    close(mkstemp(resolv_conf));
    write_conf(SERVER);
    start_server();
}

static void teardown(void)
{
    shutdown(server, SHUT_RDWR);
    pthread_join(server_thread, NULL);
    close(server);
    unlink(resolv_conf);
    event_base_free(base);
}

START_TEST(literals_and_names_are_looked_up_at_the_start)
{
    struct targets targets[3];
    set_answers("127.0.0.1", "::1");
    struct resolver *r = resolver_of(edges, 3);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    expect(&targets[0], "192.0.2.7:443", NULL);
    expect(&targets[1], "[::1]:80", "127.0.0.1:80");
    ck_assert_uint_eq(targets[2].n, 0);
    resolver_free(r);
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
    resolver_free(r);
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
    resolver_free(r); /* nor does the end wait */
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
    resolver_free(r);
}
END_TEST

/* At the start and later; a good address beside it is used, one that was good before is kept. */
START_TEST(an_address_that_leads_back_here_is_never_used)
{
    struct edge_params loop = edges[1];
    struct targets targets[1];
    ck_assert_int_eq(addr_parse("192.0.2.1:80", &loop.listen[0]), 0);
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
    resolver_free(r);
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
    braid_time end = clock_now() + 100 * BRAID_MS;
    while (clock_now() < end)
        event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(sem_trywait(&asked), -1);
    resolver_free(r);
}
END_TEST

START_TEST(addresses_are_good_for_their_ttl)
{
    struct targets targets[1];
    ttl = 1;
    set_answers("192.0.2.5", NULL);
    struct resolver *r = resolver_with(&edges[1], 1, 10 * BRAID_MS, 100 * BRAID_SECOND);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    braid_time answered = clock_now();
    expect(&targets[0], "192.0.2.5:80", NULL);
    resolver_report(r, on_changed, &news);
    set_answers("192.0.2.6", NULL);
    wait_for(&asked);
    wait_for(&changed);
    expect(&news, "192.0.2.6:80", NULL);
    ck_assert_int_ge(clock_now() - answered, 990 * BRAID_MS); /* the loop's clock is coarser */
    resolver_free(r);
}
END_TEST

/* At least 20 ms, at most 100 ms. */
START_TEST(a_ttl_counts_within_bounds)
{
    static const struct {
        uint32_t ttl;
        braid_time least;
    } bounds[] = {{0, 20 * BRAID_MS}, {86400, 100 * BRAID_MS}};
    struct targets targets[1];
    ttl = bounds[_i].ttl;
    set_answers("192.0.2.5", NULL);
    struct resolver *r = resolver_with(&edges[1], 1, 20 * BRAID_MS, 100 * BRAID_MS);
    resolver_first(r, PATIENCE * BRAID_SECOND, targets);
    braid_time answered = clock_now();
    wait_for(&asked);
    for (unsigned i = 0; i < 3; i++)
        wait_for(&asked);
    ck_assert_int_ge(clock_now() - answered, 3 * (bounds[_i].least - 5 * BRAID_MS));
    resolver_free(r);
}
END_TEST

START_TEST(another_name_server_is_asked_when_the_file_names_it)
{
    struct targets targets[1];
    write_conf(NOBODY);
    set_answers("192.0.2.5", NULL);
    struct resolver *r = resolver_of(&edges[1], 1);
    resolver_first(r, 20 * BRAID_MS, targets);
    ck_assert_uint_eq(targets[0].n, 0);
    ck_assert_int_eq(sem_trywait(&asked), -1);
    resolver_report(r, on_changed, &news);
    write_conf(SERVER);
    wait_for(&changed);
    expect(&news, "192.0.2.5:80", NULL);
    resolver_free(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resolver");
    TCase *t = tcase_create("resolver");
    tcase_set_timeout(t, 2 * PATIENCE);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, literals_and_names_are_looked_up_at_the_start);
    tcase_add_test(t, a_name_that_does_not_resolve_is_tried_again);
    tcase_add_test(t, the_start_does_not_wait_for_a_silent_name_server);
    tcase_add_test(t, other_addresses_are_told_and_a_reordered_answer_is_not);
    tcase_add_test(t, an_address_that_leads_back_here_is_never_used);
    tcase_add_test(t, literals_are_never_looked_up);
    tcase_add_test(t, addresses_are_good_for_their_ttl);
    tcase_add_loop_test(t, a_ttl_counts_within_bounds, 0, 2);
    tcase_add_test(t, another_name_server_is_asked_when_the_file_names_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
