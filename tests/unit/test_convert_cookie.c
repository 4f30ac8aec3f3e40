/* Cookies of the Convert Protocol: of an address, and of a secret, which are good once. */
#include <check.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "io/mac.h"
#include "role/convert_cookie.h"
#include "suite.h"
#include "thawed.h"

#define NOW INT64_C(1800000000)
#define DAY 86400
#define PSK "correct-horse-battery"

static struct braid_addr server;

static void setup(void)
{
    ck_assert_int_eq(addr_parse("192.0.2.1:443", &server), 0);
}

static enum convert_cookie_verdict check(const uint8_t cookie[CONVERT_PSK_COOKIE], int64_t now)
{
    return convert_psk_check(PSK, &server, now, cookie, CONVERT_PSK_COOKIE);
}

/* RFC 4231, test case 2. */
START_TEST(the_code_is_hmac_sha256)
{
    static const uint8_t right[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                    0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                    0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    uint8_t mac[MAC_SIZE];
    mac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    ck_assert_mem_eq(mac, right, sizeof(right));
    ck_assert(mac_equal(mac, right, sizeof(mac)));
    mac[31] ^= 1;
    ck_assert(!mac_equal(mac, right, sizeof(mac)));
}
END_TEST

START_TEST(an_address_has_a_cookie_of_its_own_for_a_day_or_two)
{
    struct braid_ip client, other;
    uint8_t cookie[CONVERT_ADDRESS_COOKIE], second[CONVERT_ADDRESS_COOKIE];
    ck_assert_int_eq(ip_parse("198.51.100.1", &client), 0);
    ck_assert_int_eq(ip_parse("198.51.100.2", &other), 0);
    convert_address_cookie(&client, NOW, cookie);
    convert_address_cookie(&other, NOW, second);
    ck_assert_mem_ne(cookie, second, sizeof(cookie));
    for (int64_t now = NOW; now <= NOW + DAY; now += DAY / 2)
        ck_assert_int_eq(convert_address_check(&client, now, cookie, sizeof(cookie)), CONVERT_COOKIE_GOOD);
    ck_assert_int_eq(convert_address_check(&client, NOW + 2 * DAY, cookie, sizeof(cookie)),
                     CONVERT_COOKIE_WRONG);
    ck_assert_int_eq(convert_address_check(&client, NOW - DAY, cookie, sizeof(cookie)), CONVERT_COOKIE_WRONG);
    ck_assert_int_eq(convert_address_check(&other, NOW, cookie, sizeof(cookie)), CONVERT_COOKIE_WRONG);
    ck_assert_int_eq(convert_address_check(&client, NOW, cookie, sizeof(cookie) - 4), CONVERT_COOKIE_WRONG);
    for (unsigned i = 0; i < sizeof(cookie); i++) {
        cookie[i] ^= 1;
        ck_assert_int_eq(convert_address_check(&client, NOW, cookie, sizeof(cookie)), CONVERT_COOKIE_WRONG);
        cookie[i] ^= 1;
    }
}
END_TEST

START_TEST(a_cookie_of_a_secret_is_good_once)
{
    uint8_t first[CONVERT_PSK_COOKIE], second[CONVERT_PSK_COOKIE];
    convert_psk_cookie(PSK, &server, NOW, first);
    convert_psk_cookie(PSK, &server, NOW, second);
    ck_assert_mem_ne(first, second, sizeof(first));
    ck_assert_int_eq(check(first, NOW), CONVERT_COOKIE_GOOD);
    ck_assert_int_eq(check(second, NOW), CONVERT_COOKIE_GOOD);
    for (int64_t now = NOW - 60; now <= NOW + 60; now++)
        ck_assert_int_eq(check(first, now), CONVERT_COOKIE_SPENT);
}
END_TEST

/* A cookie made by a clock that goes ahead is shown as early, and again as late, as may be. */
START_TEST(it_is_remembered_for_as_long_as_it_would_be_good)
{
    uint8_t cookie[CONVERT_PSK_COOKIE];
    convert_psk_cookie(PSK, &server, NOW + 60, cookie);
    ck_assert_int_eq(check(cookie, NOW), CONVERT_COOKIE_GOOD);
    ck_assert_int_eq(check(cookie, NOW + 120), CONVERT_COOKIE_SPENT);
    ck_assert_int_eq(check(cookie, NOW + 121), CONVERT_COOKIE_WRONG);
}
END_TEST

START_TEST(clocks_may_differ_by_a_minute)
{
    static const struct {
        int shift;
        enum convert_cookie_verdict verdict;
    } cases[] = {{-61, CONVERT_COOKIE_WRONG},
                 {-60, CONVERT_COOKIE_GOOD},
                 {60, CONVERT_COOKIE_GOOD},
                 {61, CONVERT_COOKIE_WRONG},
                 {1 << 30, CONVERT_COOKIE_WRONG}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t cookie[CONVERT_PSK_COOKIE];
        convert_psk_cookie(PSK, &server, NOW + cases[i].shift, cookie);
        ck_assert_int_eq(check(cookie, NOW), cases[i].verdict);
    }
}
END_TEST

START_TEST(it_holds_for_this_secret_and_server_only)
{
    struct braid_addr other;
    uint8_t cookie[CONVERT_PSK_COOKIE];
    convert_psk_cookie(PSK, &server, NOW, cookie);
    ck_assert_int_eq(convert_psk_check("another-horse-battery", &server, NOW, cookie, sizeof(cookie)),
                     CONVERT_COOKIE_WRONG);
    other = server;
    other.port++;
    ck_assert_int_eq(convert_psk_check(PSK, &other, NOW, cookie, sizeof(cookie)), CONVERT_COOKIE_WRONG);
    other = server;
    other.ip.b[15]++;
    ck_assert_int_eq(convert_psk_check(PSK, &other, NOW, cookie, sizeof(cookie)), CONVERT_COOKIE_WRONG);
    ck_assert_int_eq(convert_psk_check(PSK, &server, NOW, cookie, sizeof(cookie) - 4), CONVERT_COOKIE_WRONG);
    for (unsigned i = 0; i < sizeof(cookie); i++) {
        cookie[i] ^= 1;
        ck_assert_int_eq(check(cookie, NOW), CONVERT_COOKIE_WRONG);
        cookie[i] ^= 1;
    }
    ck_assert_int_eq(check(cookie, NOW), CONVERT_COOKIE_GOOD);
}
END_TEST

/* Those who share a bucket are found by trying. When it is full, nobody is let in unnoticed. */
START_TEST(what_cannot_be_remembered_is_not_good)
{
    unsigned good = 0;
    int64_t now = NOW;
    enum convert_cookie_verdict v = CONVERT_COOKIE_GOOD;
    for (unsigned tries = 0; v != CONVERT_COOKIE_FULL; tries++) {
        uint8_t cookie[CONVERT_PSK_COOKIE];
        ck_assert_uint_lt(tries, 4000000);
        convert_psk_cookie(PSK, &server, now, cookie);
        if (get16(cookie + 14) != 0x1234)
            continue;
        v = check(cookie, now);
        good += v == CONVERT_COOKIE_GOOD;
        if (v == CONVERT_COOKIE_FULL)
            ck_assert_int_eq(check(cookie, now + 60), CONVERT_COOKIE_FULL);
    }
    ck_assert_uint_eq(good, 16);
    for (;;) {
        uint8_t cookie[CONVERT_PSK_COOKIE];
        now = NOW + 200; /* the sixteen are over */
        convert_psk_cookie(PSK, &server, now, cookie);
        if (get16(cookie + 14) != 0x1234)
            continue;
        ck_assert_int_eq(check(cookie, now), CONVERT_COOKIE_GOOD);
        break;
    }
}
END_TEST

#define THREADS 4
#define COOKIES 2000

static uint8_t shared[COOKIES][CONVERT_PSK_COOKIE];
static unsigned goods[THREADS];
static pthread_barrier_t together;

static void *try_all(void *arg)
{
    unsigned *good = arg;
    pthread_barrier_wait(&together);
    for (unsigned i = 0; i < COOKIES; i++)
        *good += convert_psk_check(PSK, &server, NOW, shared[i], sizeof(shared[i])) == CONVERT_COOKIE_GOOD;
    return NULL;
}

START_TEST(of_several_workers_one_takes_it)
{
    pthread_t threads[THREADS];
    unsigned all = 0;
    for (unsigned i = 0; i < COOKIES; i++)
        convert_psk_cookie(PSK, &server, NOW, shared[i]);
    pthread_barrier_init(&together, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, try_all, &goods[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += goods[i];
    }
    pthread_barrier_destroy(&together);
    ck_assert_uint_eq(all, COOKIES);
}
END_TEST

/* What one process has made and taken. */
struct first {
    uint8_t of_address[CONVERT_ADDRESS_COOKIE], spent[CONVERT_PSK_COOKIE], unspent[CONVERT_PSK_COOKIE];
    size_t len;
    uint8_t state[4096];
};

static void be_first(int fd, const struct braid_ip *client)
{
    struct first all;
    struct freezer f = {.len = 0};
    convert_address_cookie(client, NOW, all.of_address);
    convert_psk_cookie(PSK, &server, NOW, all.spent);
    convert_psk_cookie(PSK, &server, NOW, all.unspent);
    bool good = check(all.spent, NOW) == CONVERT_COOKIE_GOOD;
    convert_cookies_freeze(&f, 7, NOW);
    good &= !f.failed && f.len <= sizeof(all.state);
    memcpy(all.state, f.data, good ? f.len : 0);
    all.len = f.len;
    free(f.data);
    good &= write(fd, &all, sizeof(all)) == sizeof(all);
    _exit(!good);
}

static void take(void *arg, const struct thaw_item *item)
{
    (void)arg;
    ck_assert_uint_eq(item->tag, 7);
    convert_cookies_thaw(item, NOW);
}

START_TEST(another_process_knows_what_was_given_and_what_was_spent)
{
    struct braid_ip client;
    struct first first;
    int pipes[2], status;
    ck_assert_int_eq(ip_parse("198.51.100.1", &client), 0);
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0)
        be_first(pipes[1], &client);
    ck_assert_int_eq(read(pipes[0], &first, sizeof(first)), sizeof(first));
    ck_assert(waitpid(child, &status, 0) == child && status == 0);
    ck_assert_int_eq(convert_address_check(&client, NOW, first.of_address, CONVERT_ADDRESS_COOKIE),
                     CONVERT_COOKIE_WRONG);
    struct freezer f = {.data = malloc(first.len), .len = first.len};
    memcpy(f.data, first.state, first.len);
    thawed(&f, take, NULL);
    ck_assert_int_eq(convert_address_check(&client, NOW, first.of_address, CONVERT_ADDRESS_COOKIE),
                     CONVERT_COOKIE_GOOD);
    ck_assert_int_eq(check(first.spent, NOW), CONVERT_COOKIE_SPENT);
    ck_assert_int_eq(check(first.unspent, NOW), CONVERT_COOKIE_GOOD);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("convert cookie");
    TCase *t = tcase_create("cookie");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_code_is_hmac_sha256);
    tcase_add_test(t, an_address_has_a_cookie_of_its_own_for_a_day_or_two);
    tcase_add_test(t, a_cookie_of_a_secret_is_good_once);
    tcase_add_test(t, it_is_remembered_for_as_long_as_it_would_be_good);
    tcase_add_test(t, clocks_may_differ_by_a_minute);
    tcase_add_test(t, it_holds_for_this_secret_and_server_only);
    tcase_add_test(t, what_cannot_be_remembered_is_not_good);
    tcase_add_test(t, of_several_workers_one_takes_it);
    tcase_add_test(t, another_process_knows_what_was_given_and_what_was_spent);
    suite_add_tcase(s, t);
    return run_suite(s);
}
