/* base/durations: where the bounds are, and sums. */
#include <check.h>
#include <braid/types.h>
#include "base/durations.h"
#include "suite.h"

START_TEST(a_bound_holds_what_does_not_exceed_it)
{
    struct durations t = {.sum_us = 0};
    durations_take(&t, durations_bounds[0]);
    durations_take(&t, durations_bounds[0] + 1);
    durations_take(&t, durations_bounds[DURATIONS_BOUNDS - 1]);
    durations_take(&t, durations_bounds[DURATIONS_BOUNDS - 1] + 1);
    ck_assert_uint_eq(t.samples[0], 1);
    ck_assert_uint_eq(t.samples[1], 1);
    ck_assert_uint_eq(t.samples[DURATIONS_BOUNDS - 1], 1);
    ck_assert_uint_eq(t.samples[DURATIONS_BOUNDS], 1);
    ck_assert_uint_eq(t.sum_us, (uint64_t)(2 * (BRAID_MS + 86400 * BRAID_SECOND) + 2));
}
END_TEST

START_TEST(bounds_ascend)
{
    for (unsigned i = 1; i < DURATIONS_BOUNDS; i++)
        ck_assert_int_lt(durations_bounds[i - 1], durations_bounds[i]);
}
END_TEST

START_TEST(less_than_none_is_none)
{
    struct durations t = {.sum_us = 0};
    durations_take(&t, -5);
    ck_assert_uint_eq(t.samples[0], 1);
    ck_assert_uint_eq(t.sum_us, 0);
}
END_TEST

START_TEST(two_are_added)
{
    struct durations a = {.samples = {1, 2}, .sum_us = 3},
                     b = {.samples = {4, [DURATIONS_BOUNDS] = 5}, .sum_us = 6};
    durations_add(&a, &b);
    ck_assert_uint_eq(a.samples[0], 5);
    ck_assert_uint_eq(a.samples[1], 2);
    ck_assert_uint_eq(a.samples[DURATIONS_BOUNDS], 5);
    ck_assert_uint_eq(a.sum_us, 9);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("durations");
    tcase_add_test(t, a_bound_holds_what_does_not_exceed_it);
    tcase_add_test(t, bounds_ascend);
    tcase_add_test(t, less_than_none_is_none);
    tcase_add_test(t, two_are_added);
    Suite *s = suite_create("durations");
    suite_add_tcase(s, t);
    return run_suite(s);
}
