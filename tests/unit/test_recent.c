/* base/recent: what is found again, and who makes room. */
#include <check.h>
#include <stdlib.h>
#include "base/recent.h"
#include "suite.h"

#define MAX 4

struct thing {
    struct recent_entry entry;
    unsigned value;
};

static struct recent recent;

static void setup(void)
{
    const struct siphash_key key = {3, 4};
    ck_assert_int_eq(recent_init(&recent, &key, MAX), 0);
}

static void teardown(void)
{
    recent_free(&recent);
}

static struct recent_key key_of(unsigned i)
{
    return (struct recent_key){.ip = {{0xfd, [15] = 1}}, .owner = i};
}

static struct thing *put(unsigned i)
{
    struct recent_key key = key_of(i);
    struct thing *t = (struct thing *)recent_put(&recent, &key, sizeof(*t));
    ck_assert_ptr_nonnull(t);
    return t;
}

static struct thing *find(unsigned i)
{
    struct recent_key key = key_of(i);
    return (struct thing *)recent_find(&recent, &key);
}

START_TEST(what_was_put_is_found_with_what_is_known_of_it)
{
    struct thing *t = put(1);
    ck_assert_uint_eq(t->value, 0);
    t->value = 7;
    ck_assert_ptr_eq(put(1), t);
    ck_assert_uint_eq(find(1)->value, 7);
    ck_assert_uint_eq(recent_count(&recent), 1);
}
END_TEST

START_TEST(every_part_of_the_key_counts)
{
    const struct recent_key key = key_of(1);
    struct recent_key ip = key, owner = key, port = key, kind = key;
    put(1);
    ip.ip.b[0] = 0xfc;
    owner.owner = 2;
    port.port = 1;
    kind.kind = 1;
    ck_assert_ptr_nonnull(recent_find(&recent, &key));
    ck_assert_ptr_null(recent_find(&recent, &ip));
    ck_assert_ptr_null(recent_find(&recent, &owner));
    ck_assert_ptr_null(recent_find(&recent, &port));
    ck_assert_ptr_null(recent_find(&recent, &kind));
}
END_TEST

START_TEST(the_oldest_makes_room_and_putting_again_makes_new)
{
    for (unsigned i = 0; i < MAX; i++)
        put(i);
    put(0);
    put(MAX);
    ck_assert_ptr_null(find(1));
    for (unsigned i = 2; i <= MAX; i++)
        ck_assert_ptr_nonnull(find(i));
    ck_assert_ptr_nonnull(find(0));
    ck_assert_uint_eq(recent_count(&recent), MAX);
    ck_assert_uint_eq(recent_entry(recent.order.next)->key.owner, 2);
    ck_assert_uint_eq(recent_entry(recent.order.prev)->key.owner, MAX);
}
END_TEST

START_TEST(one_or_all_can_be_forgotten)
{
    put(1);
    put(2);
    recent_drop(&recent, &find(1)->entry);
    ck_assert(!find(1) && find(2) && recent_count(&recent) == 1);
    recent_clear(&recent);
    ck_assert(!find(2) && recent_count(&recent) == 0);
}
END_TEST

START_TEST(one_that_was_never_made_is_nothing)
{
    struct recent none = {.max = 0};
    recent_free(&none);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recent");
    TCase *t = tcase_create("recent");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_was_put_is_found_with_what_is_known_of_it);
    tcase_add_test(t, every_part_of_the_key_counts);
    tcase_add_test(t, the_oldest_makes_room_and_putting_again_makes_new);
    tcase_add_test(t, one_or_all_can_be_forgotten);
    tcase_add_test(t, one_that_was_never_made_is_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
