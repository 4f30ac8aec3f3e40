/* Rates of connections, from looks at what they have carried. */
#include <check.h>
#include "admin/census.h"
#include "suite.h"

static struct census *census;

static void setup(void)
{
    census = census_new();
    ck_assert_ptr_nonnull(census);
}

static void teardown(void)
{
    census_free(census);
}

START_TEST(a_rate_is_what_came_between_two_looks)
{
    struct census_rate r = census_look(census, 7, 1000, 5000, BRAID_SECOND);
    ck_assert(r.from_client == 0 && r.to_client == 0);
    r = census_look(census, 7, 1500, 9000, 3 * BRAID_SECOND);
    ck_assert_uint_eq(r.from_client, 250);
    ck_assert_uint_eq(r.to_client, 2000);
    census_look(census, 8, 1 << 20, 1 << 20, 3 * BRAID_SECOND); /* another one has its own */
    r = census_look(census, 7, 1500, 9100, 4 * BRAID_SECOND);
    ck_assert_uint_eq(r.from_client, 0);
    ck_assert_uint_eq(r.to_client, 100);
}
END_TEST

START_TEST(two_looks_at_once_see_the_same)
{
    census_look(census, 7, 0, 0, BRAID_SECOND);
    census_look(census, 7, 1000, 0, 2 * BRAID_SECOND);
    struct census_rate r = census_look(census, 7, 1001, 0, 2 * BRAID_SECOND + 1);
    ck_assert_uint_eq(r.from_client, 1000);
    r = census_look(census, 7, 2000, 0, 3 * BRAID_SECOND); /* measured since the one before last */
    ck_assert_uint_eq(r.from_client, 1000);
}
END_TEST

START_TEST(who_is_not_looked_at_any_more_is_forgotten)
{
    for (uint64_t id = 0; id < 1000; id++)
        census_look(census, id, 0, 0, BRAID_SECOND);
    for (uint64_t id = 0; id < 500; id++)
        census_look(census, id, 0, 0, 6 * BRAID_SECOND);
    census_forget(census, 10 * BRAID_SECOND);
    ck_assert_uint_eq(census_count(census), 1000);
    census_forget(census, 11 * BRAID_SECOND);
    ck_assert_uint_eq(census_count(census), 500);
    struct census_rate r = census_look(census, 700, 5000, 0, 12 * BRAID_SECOND);
    ck_assert_uint_eq(r.from_client, 0);
    census_forget(census, 30 * BRAID_SECOND);
    ck_assert_uint_eq(census_count(census), 0);
}
END_TEST

START_TEST(counters_that_became_less_are_no_rate)
{
    census_look(census, 7, 1000, 1000, BRAID_SECOND);
    struct census_rate r = census_look(census, 7, 10, 2000, 2 * BRAID_SECOND);
    ck_assert_uint_eq(r.from_client, 0);
    ck_assert_uint_eq(r.to_client, 1000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("census");
    TCase *t = tcase_create("census");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_rate_is_what_came_between_two_looks);
    tcase_add_test(t, two_looks_at_once_see_the_same);
    tcase_add_test(t, who_is_not_looked_at_any_more_is_forgotten);
    tcase_add_test(t, counters_that_became_less_are_no_rate);
    suite_add_tcase(s, t);
    return run_suite(s);
}
