/* base/durations: where the bounds are, and sums; and that they go on in another process
 * (src/base/durations_freeze.c). */
#include <check.h>
#include <braid/types.h>
#include "base/durations_freeze.h"
#include "suite.h"
#include "thawed.h"

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

enum { TIMES = 2 };

static const char *time_name(unsigned i)
{
    return i ? "length" : "answer";
}

static void take(void *arg, const struct thaw_item *item)
{
    durations_thaw(item, arg, TIMES, time_name);
}

START_TEST(they_go_on_by_their_names)
{
    struct durations was[TIMES] = {{.samples = {1, [DURATIONS_BOUNDS] = 5}, .sum_us = 3}},
                     is[TIMES] = {{.samples = {2}, .sum_us = 4}, {.samples = {7}, .sum_us = 8}};
    struct freezer f = {.len = 0};
    durations_freeze(&f, 1, was, TIMES, time_name);
    thawed(&f, take, is);
    ck_assert_uint_eq(is[0].samples[0], 3);
    ck_assert_uint_eq(is[0].samples[DURATIONS_BOUNDS], 5);
    ck_assert_uint_eq(is[0].sum_us, 7);
    ck_assert_uint_eq(is[1].samples[0], 7);
    ck_assert_uint_eq(is[1].sum_us, 8);
}
END_TEST

/* As another version may have written them. */
static void freeze_by_hand(struct freezer *f, const char *name, uint64_t bound)
{
    size_t all = freeze_begin(f, 1), one = freeze_begin(f, 1), samples;
    freeze_text(f, 1, name);
    samples = freeze_begin(f, 2);
    freeze_number(f, 1, bound);
    freeze_number(f, 2, 9);
    freeze_end(f, samples);
    freeze_end(f, one);
    freeze_end(f, all);
}

START_TEST(other_bounds_count_for_the_next_one)
{
    struct durations is[TIMES] = {{.sum_us = 0}};
    struct freezer f = {.len = 0};
    freeze_by_hand(&f, "answer", (uint64_t)durations_bounds[1] - 1);
    thawed(&f, take, is);
    ck_assert_uint_eq(is[0].samples[1], 9);
    freeze_by_hand(&f, "nobody knows it", 1);
    thawed(&f, take, is);
    ck_assert_uint_eq(is[0].samples[0] + is[1].samples[0], 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("durations");
    tcase_add_test(t, a_bound_holds_what_does_not_exceed_it);
    tcase_add_test(t, bounds_ascend);
    tcase_add_test(t, less_than_none_is_none);
    tcase_add_test(t, two_are_added);
    tcase_add_test(t, they_go_on_by_their_names);
    tcase_add_test(t, other_bounds_count_for_the_next_one);
    Suite *s = suite_create("durations");
    suite_add_tcase(s, t);
    return run_suite(s);
}
