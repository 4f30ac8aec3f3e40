/* bypass: what is remembered of servers, for how long, and how many of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/addr.h"
#include "role/bypass.h"
#include "suite.h"
#include "thawed.h"

#define MAX   4
#define UNTIL (100 * BRAID_SECOND)

static struct bypass *bypass;

static void setup(void)
{
    const struct siphash_key key = {1, 2};
    bypass = bypass_new(&key, MAX);
    ck_assert_ptr_nonnull(bypass);
}

static void teardown(void)
{
    bypass_free(bypass);
}

static struct braid_addr addr(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* Server number i of many. */
static struct braid_addr server(unsigned i)
{
    struct braid_addr a = addr("10.0.0.0:80");
    a.ip.b[14] = (uint8_t)(i >> 8);
    a.ip.b[15] = (uint8_t)i;
    return a;
}

static enum bypass_kind found(unsigned i, braid_time now)
{
    struct braid_addr a = server(i);
    return bypass_find(bypass, 0, &a, now);
}

static void learn(unsigned i, enum bypass_kind kind, braid_time until, braid_time now)
{
    struct braid_addr a = server(i);
    bypass_learn(bypass, 0, &a, kind, until, now);
}

static bool pass(unsigned i, braid_time now)
{
    struct braid_addr a = server(i);
    return bypass_pass(bypass, 0, &a, now);
}

START_TEST(a_server_is_known_until_its_time_is_over)
{
    ck_assert_int_eq(found(1, 0), BYPASS_UNKNOWN);
    learn(1, BYPASS_MPTCP, UNTIL, 0);
    learn(2, BYPASS_PLAIN, UNTIL, 0);
    ck_assert_int_eq(found(1, UNTIL - 1), BYPASS_MPTCP);
    ck_assert_int_eq(found(2, UNTIL - 1), BYPASS_PLAIN);
    ck_assert(pass(1, UNTIL - 1));
    ck_assert(!pass(2, UNTIL - 1));
    ck_assert_int_eq(found(1, UNTIL), BYPASS_UNKNOWN);
    ck_assert_int_eq(found(2, UNTIL), BYPASS_UNKNOWN);
    ck_assert(!pass(1, UNTIL));
    ck_assert(!pass(3, 0));
}
END_TEST

START_TEST(another_port_address_or_edge_is_another_destination)
{
    struct braid_addr v4 = addr("10.0.0.1:80"), port = addr("10.0.0.1:81"), v6 = addr("[2001:db8::1]:80");
    bypass_learn(bypass, 1, &v4, BYPASS_MPTCP, UNTIL, 0);
    ck_assert_int_eq(bypass_find(bypass, 1, &v4, 0), BYPASS_MPTCP);
    ck_assert_int_eq(bypass_find(bypass, 0, &v4, 0), BYPASS_UNKNOWN);
    ck_assert_int_eq(bypass_find(bypass, 1, &port, 0), BYPASS_UNKNOWN);
    ck_assert_int_eq(bypass_find(bypass, 1, &v6, 0), BYPASS_UNKNOWN);
    bypass_learn(bypass, 1, &v6, BYPASS_PLAIN, UNTIL, 0);
    ck_assert_int_eq(bypass_find(bypass, 1, &v6, 0), BYPASS_PLAIN);
}
END_TEST

START_TEST(a_lost_option_does_not_overrule_what_was_seen)
{
    learn(1, BYPASS_MPTCP, UNTIL, 0);
    learn(1, BYPASS_PLAIN, 2 * UNTIL, UNTIL - 1);
    ck_assert_int_eq(found(1, UNTIL - 1), BYPASS_MPTCP);
    ck_assert_int_eq(found(1, UNTIL), BYPASS_UNKNOWN);
    learn(1, BYPASS_PLAIN, 2 * UNTIL, UNTIL);
    ck_assert_int_eq(found(1, UNTIL), BYPASS_PLAIN);
    learn(1, BYPASS_MPTCP, 2 * UNTIL, UNTIL);
    ck_assert_int_eq(found(1, UNTIL), BYPASS_MPTCP);
}
END_TEST

START_TEST(learning_again_extends_the_time_and_keeps_the_count)
{
    struct bypass_entry e;
    learn(1, BYPASS_MPTCP, UNTIL, 0);
    pass(1, 0);
    pass(1, 0);
    learn(1, BYPASS_MPTCP, 2 * UNTIL, UNTIL + 5);
    pass(1, UNTIL + 5);
    ck_assert_uint_eq(bypass_list(bypass, UNTIL + 5, &e, 1), 1);
    ck_assert_uint_eq(e.passed, 3);
    ck_assert_int_eq(e.left, UNTIL - 5);
    ck_assert_uint_eq(bypass_count(bypass), 1);
}
END_TEST

START_TEST(the_list_holds_only_who_is_bypassed_now)
{
    struct bypass_entry out[MAX];
    learn(1, BYPASS_MPTCP, 10, 0);
    learn(2, BYPASS_MPTCP, UNTIL, 0);
    learn(3, BYPASS_PLAIN, UNTIL, 0);
    learn(4, BYPASS_MPTCP, UNTIL, 0);
    pass(4, 0);
    ck_assert_uint_eq(bypass_list(bypass, 10, out, MAX), 2);
    struct braid_addr two = server(2), four = server(4);
    ck_assert(addr_equal(&out[0].addr, &four));
    ck_assert(addr_equal(&out[1].addr, &two));
    ck_assert_uint_eq(out[0].passed, 1);
    ck_assert_uint_eq(out[1].passed, 0);
    ck_assert_int_eq(out[1].left, UNTIL - 10);
    ck_assert_uint_eq(bypass_list(bypass, 10, out, 1), 1);
}
END_TEST

START_TEST(the_oldest_of_its_kind_makes_room)
{
    learn(0, BYPASS_MPTCP, UNTIL, 0);
    learn(1, BYPASS_MPTCP, UNTIL, 0);
    for (unsigned i = 100; i < 1100; i++)
        learn(i, BYPASS_PLAIN, UNTIL, 0);
    ck_assert_int_eq(found(0, 0), BYPASS_MPTCP);
    ck_assert_int_eq(found(1100 - MAX - 1, 0), BYPASS_UNKNOWN);
    for (unsigned i = 1100 - MAX; i < 1100; i++)
        ck_assert_int_eq(found(i, 0), BYPASS_PLAIN);
    learn(0, BYPASS_MPTCP, UNTIL, 0); /* not the oldest any more */
    for (unsigned i = 2; i < 2 + MAX - 1; i++)
        learn(i, BYPASS_MPTCP, UNTIL, 0);
    ck_assert_int_eq(found(1, 0), BYPASS_UNKNOWN);
    ck_assert_int_eq(found(0, 0), BYPASS_MPTCP);
    ck_assert_uint_eq(bypass_count(bypass), MAX);
}
END_TEST

START_TEST(everything_can_be_forgotten)
{
    for (unsigned i = 0; i < MAX; i++)
        learn(i, i % 2 ? BYPASS_MPTCP : BYPASS_PLAIN, UNTIL, 0);
    bypass_clear(bypass);
    for (unsigned i = 0; i < MAX; i++)
        ck_assert_int_eq(found(i, 0), BYPASS_UNKNOWN);
    ck_assert_uint_eq(bypass_count(bypass), 0);
    learn(1, BYPASS_MPTCP, UNTIL, 0);
    ck_assert_int_eq(found(1, 0), BYPASS_MPTCP);
}
END_TEST

/* Of edge 0 there, edge 3 here. */
static void take(void *arg, const struct thaw_item *item)
{
    ck_assert_uint_eq(item->tag, 7);
    bypass_thaw(arg, 3, item);
}

START_TEST(another_process_goes_on_with_what_is_known_of_an_edge)
{
    const struct siphash_key key = {3, 4};
    struct bypass *there = bypass_new(&key, MAX);
    struct braid_addr one = server(1), two = server(2), three = server(3), four = server(4);
    struct bypass_entry listed[MAX];
    struct freezer f = {.len = 0};
    learn(1, BYPASS_MPTCP, UNTIL, 0);
    ck_assert(pass(1, 0) && pass(1, 0));
    learn(2, BYPASS_PLAIN, UNTIL, 0);
    learn(3, BYPASS_MPTCP, 10, 0); /* is over */
    bypass_learn(bypass, 1, &four, BYPASS_MPTCP, UNTIL, 0);
    bypass_freeze(bypass, 0, 20, &f, 7);
    thawed(&f, take, there);
    ck_assert_int_eq(bypass_find(there, 3, &one, UNTIL - 1), BYPASS_MPTCP);
    ck_assert_int_eq(bypass_find(there, 3, &one, UNTIL), BYPASS_UNKNOWN);
    ck_assert_int_eq(bypass_find(there, 3, &two, UNTIL - 1), BYPASS_PLAIN);
    ck_assert_int_eq(bypass_find(there, 3, &three, 0), BYPASS_UNKNOWN);
    ck_assert_int_eq(bypass_find(there, 3, &four, 0), BYPASS_UNKNOWN);
    ck_assert_uint_eq(bypass_list(there, 0, listed, MAX), 1);
    ck_assert_uint_eq(listed[0].passed, 2);
    bypass_free(there);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bypass");
    TCase *t = tcase_create("bypass");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_server_is_known_until_its_time_is_over);
    tcase_add_test(t, another_port_address_or_edge_is_another_destination);
    tcase_add_test(t, a_lost_option_does_not_overrule_what_was_seen);
    tcase_add_test(t, learning_again_extends_the_time_and_keeps_the_count);
    tcase_add_test(t, the_list_holds_only_who_is_bypassed_now);
    tcase_add_test(t, the_oldest_of_its_kind_makes_room);
    tcase_add_test(t, everything_can_be_forgotten);
    tcase_add_test(t, another_process_goes_on_with_what_is_known_of_an_edge);
    suite_add_tcase(s, t);
    return run_suite(s);
}
