/* Wishes of programs that wait for their SYNs (src/role/wishes.c). */
#include <check.h>
#include "base/addr.h"
#include "role/wishes.h"
#include "suite.h"

#define SERVER "192.0.2.1:443"
#define ANY    "0.0.0.0:5000"
#define OWN    "10.200.0.254:5000"

static struct wishes *ws;

static void setup(void)
{
    ws = wishes_new();
    ck_assert_ptr_nonnull(ws);
}

static void teardown(void)
{
    wishes_free(ws);
}

static struct braid_addr at(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* endpoints tells one wish from another. */
static void add(const struct braid_addr *client, uint32_t user, unsigned endpoints, braid_time now)
{
    struct wish_news n = {
        .client = *client, .meant = at(SERVER), .user = user, .wish = {.endpoints = endpoints}};
    wishes_add(ws, &n, now);
}

static void wish(const char *client, unsigned endpoints)
{
    struct braid_addr c = at(client);
    add(&c, 1000, endpoints, 0);
}

/* 0: none. */
static unsigned take(const char *client, const char *meant, bool own, braid_time now)
{
    struct braid_addr c = at(client), m = at(meant);
    struct wish w;
    return wishes_take(ws, &c, &m, own, &w, now) ? w.endpoints : 0;
}

START_TEST(a_wish_is_found_once_by_its_connection)
{
    wish("10.0.0.2:5000", 1);
    ck_assert_uint_eq(take("10.0.0.2:5001", SERVER, true, 1), 0);
    ck_assert_uint_eq(take("10.0.0.3:5000", SERVER, true, 1), 0);
    ck_assert_uint_eq(take("10.0.0.2:5000", "192.0.2.1:80", true, 1), 0);
    ck_assert_uint_eq(take("10.0.0.2:5000", SERVER, false, 1), 1);
    ck_assert_uint_eq(take("10.0.0.2:5000", SERVER, false, 1), 0);
    struct braid_addr c = at(OWN);
    struct wish w;
    ck_assert(!wishes_take(NULL, &c, &c, true, &w, 1));
}
END_TEST

/* A device of the LAN with the same port is somebody else. */
START_TEST(any_address_is_that_of_this_machine_alone)
{
    wish(ANY, 1);
    ck_assert_uint_eq(take("192.168.77.2:5000", SERVER, false, 1), 0);
    wish(OWN, 2);
    ck_assert_uint_eq(take(OWN, SERVER, true, 1), 2); /* the exact one first */
    ck_assert_uint_eq(take(OWN, SERVER, true, 1), 1);
    struct braid_addr any6 = at("[::]:5000"), own6 = at("[fd00:200::fe]:5000"),
                      server6 = at("[2001:db8::1]:443");
    struct wish_news n = {.client = any6, .meant = server6, .wish = {.endpoints = 3}};
    struct wish w;
    wishes_add(ws, &n, 0);
    ck_assert(wishes_take(ws, &own6, &server6, true, &w, 1));
}
END_TEST

START_TEST(the_last_word_counts_and_only_for_a_while)
{
    wish(ANY, 1);
    wish(ANY, 2);
    ck_assert_uint_eq(take(OWN, SERVER, true, 1), 2);
    ck_assert_uint_eq(take(OWN, SERVER, true, 1), 0);
    wish(ANY, 1);
    ck_assert_uint_eq(take(OWN, SERVER, true, WISHES_LIFE), 0);
    wish(ANY, 1);
    ck_assert_uint_eq(take(OWN, SERVER, true, WISHES_LIFE - 1), 1);
}
END_TEST

START_TEST(who_wishes_much_loses_only_what_is_his)
{
    struct braid_addr client = at("0.0.0.0:1");
    add(&client, 1, 7, 0);
    for (unsigned i = 0; i < 3 * WISHES_USER; i++) {
        client.port = (uint16_t)(10000 + i);
        add(&client, 2, 1 + i, 0);
    }
    ck_assert_uint_eq(take("10.200.0.254:1", SERVER, true, 1), 7);
    ck_assert_uint_eq(take("10.200.0.254:10000", SERVER, true, 1), 0);
    char last[] = "10.200.0.254:10767", kept[] = "10.200.0.254:10512", lost[] = "10.200.0.254:10511";
    ck_assert_uint_eq(take(last, SERVER, true, 1), 768);
    ck_assert_uint_eq(take(kept, SERVER, true, 1), 513);
    ck_assert_uint_eq(take(lost, SERVER, true, 1), 0);
}
END_TEST

START_TEST(all_together_are_bounded)
{
    struct braid_addr client = at("0.0.0.0:1");
    for (unsigned i = 0; i <= WISHES_MAX; i++) {
        client.port = (uint16_t)(1 + i);
        add(&client, i / 100, 1 + i, 0);
    }
    ck_assert_uint_eq(take("10.200.0.254:1", SERVER, true, 1), 0);
    ck_assert_uint_eq(take("10.200.0.254:2", SERVER, true, 1), 2);
    ck_assert_uint_eq(take("10.200.0.254:4097", SERVER, true, 1), WISHES_MAX + 1);
}
END_TEST

START_TEST(nobody_speaks_for_another_user)
{
    struct braid_addr c = at("10.0.0.2:5000");
    add(&c, 1000, 1, 0);
    add(&c, 1001, 2, 1);
    ck_assert_uint_eq(take("10.0.0.2:5000", SERVER, true, 2), 1);
    add(&c, 1000, 1, 0);
    add(&c, 1000, 3, 1);
    ck_assert_uint_eq(take("10.0.0.2:5000", SERVER, true, 2), 3);
    add(&c, 1000, 1, 0);
    add(&c, 1001, 2, WISHES_LIFE); /* whose time is over */
    ck_assert_uint_eq(take("10.0.0.2:5000", SERVER, true, WISHES_LIFE + 1), 2);
}
END_TEST

/* The program was quicker than its SYN; or another worker has that already, and nobody comes for it. */
START_TEST(a_word_that_comes_behind_the_syn_waits_only_for_a_moment)
{
    struct wish_news n = {.client = at(OWN), .meant = at(SERVER), .late = true, .wish = {.endpoints = 1}};
    wishes_add(ws, &n, 0);
    ck_assert_uint_eq(take(OWN, SERVER, true, WISHES_LATE - 1), 1);
    wishes_add(ws, &n, 0);
    ck_assert_uint_eq(take("10.0.0.9:1", SERVER, true, WISHES_LATE - 1), 0);
    ck_assert(wishes_wait(ws));
    ck_assert_uint_eq(take("10.0.0.9:1", SERVER, true, WISHES_LATE), 0);
    ck_assert(!wishes_wait(ws));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wishes");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_wish_is_found_once_by_its_connection);
    tcase_add_test(t, any_address_is_that_of_this_machine_alone);
    tcase_add_test(t, the_last_word_counts_and_only_for_a_while);
    tcase_add_test(t, who_wishes_much_loses_only_what_is_his);
    tcase_add_test(t, nobody_speaks_for_another_user);
    tcase_add_test(t, all_together_are_bounded);
    tcase_add_test(t, a_word_that_comes_behind_the_syn_waits_only_for_a_moment);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
