/* Sets of ranges: examples of each way to merge and split, and random operations against one flag per number.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/ranges.h"
#include "property.h"
#include "suite.h"

static struct ranges s;

static void setup(void)
{
    ranges_init(&s);
}

static void teardown(void)
{
    ranges_free(&s);
}

static void expect(unsigned n, const struct range *r)
{
    ck_assert_uint_eq(s.n, n);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_eq(s.r[i].start, r[i].start);
        ck_assert_uint_eq(s.r[i].end, r[i].end);
    }
}

START_TEST(an_empty_set_takes_no_memory)
{
    ck_assert_ptr_null(s.r);
    ranges_add(&s, 10, 20);
    ranges_add(&s, 30, 40);
    ranges_subtract(&s, 10, 30);
    ck_assert_ptr_nonnull(s.r);
    ranges_subtract(&s, 5, 50);
    ck_assert_ptr_null(s.r);
    ck_assert_uint_eq(s.cap, 0);
    ranges_add(&s, 1, 2);
    expect(1, (struct range[]){{1, 2}});
}
END_TEST

START_TEST(adjacent_and_overlapping_ranges_merge)
{
    ranges_add(&s, 10, 20);
    ranges_add(&s, 30, 40);
    ranges_add(&s, 50, 60);
    expect(3, (struct range[]){{10, 20}, {30, 40}, {50, 60}});
    ranges_add(&s, 20, 30);
    expect(2, (struct range[]){{10, 40}, {50, 60}});
    ranges_add(&s, 5, 70);
    expect(1, (struct range[]){{5, 70}});
    ranges_add(&s, 5, 6);
    expect(1, (struct range[]){{5, 70}});
}
END_TEST

START_TEST(subtraction_trims_splits_and_removes)
{
    ranges_add(&s, 10, 40);
    ranges_add(&s, 50, 60);
    ranges_subtract(&s, 20, 30);
    expect(3, (struct range[]){{10, 20}, {30, 40}, {50, 60}});
    ranges_subtract(&s, 15, 55);
    expect(2, (struct range[]){{10, 15}, {55, 60}});
    ranges_subtract(&s, 0, 10);
    expect(2, (struct range[]){{10, 15}, {55, 60}});
    ranges_subtract(&s, 0, 100);
    expect(0, NULL);
}
END_TEST

START_TEST(the_ends_of_the_number_space_work)
{
    ranges_add(&s, 0, 1);
    ranges_add(&s, UINT64_MAX - 1, UINT64_MAX);
    ranges_add(&s, 1, 3);
    expect(2, (struct range[]){{0, 3}, {UINT64_MAX - 1, UINT64_MAX}});
    ck_assert(ranges_contains(&s, 0, 3));
    ck_assert(!ranges_contains(&s, 0, UINT64_MAX));
    ck_assert(ranges_intersects(&s, 3, UINT64_MAX));
    ranges_subtract(&s, 0, UINT64_MAX);
    expect(0, NULL);
}
END_TEST

START_TEST(find_gives_the_first_range_that_ends_later)
{
    ranges_add(&s, 10, 20);
    ranges_add(&s, 30, 40);
    ck_assert_uint_eq(ranges_find(&s, 0), 0);
    ck_assert_uint_eq(ranges_find(&s, 19), 0);
    ck_assert_uint_eq(ranges_find(&s, 20), 1);
    ck_assert_uint_eq(ranges_find(&s, 39), 1);
    ck_assert_uint_eq(ranges_find(&s, 40), 2);
    ck_assert_uint_eq(ranges_total(&s), 20);
}
END_TEST

START_TEST(many_ranges_leave_the_struct_and_come_back)
{
    for (uint64_t i = 0; i < 10000; i++)
        ck_assert_int_eq(ranges_add(&s, 10 * i, 10 * i + 5), 0);
    ck_assert_uint_eq(s.n, 10000);
    ck_assert_uint_eq(ranges_total(&s), 50000);
    for (uint64_t i = 0; i < 10000; i++)
        ck_assert(ranges_contains(&s, 10 * i, 10 * i + 5) && !ranges_contains(&s, 10 * i, 10 * i + 6));
    ranges_add(&s, 0, 100000);
    expect(1, (struct range[]){{0, 100000}});
    ranges_free(&s);
    expect(0, NULL);
    ck_assert_int_eq(ranges_add(&s, 1, 2), 0);
}
END_TEST

enum { NUMBERS = 300 };
static bool in[NUMBERS + 1];

/* Compares every range with the flags: sorted, disjoint, not adjacent, complete. */
static void check_model(void)
{
    unsigned n = 0, total = 0;

    for (unsigned at = 0; at < NUMBERS;) {
        unsigned end = at;

        while (end < NUMBERS && in[end])
            end++;
        if (end == at) {
            at++;
            continue;
        }
        must(n < s.n);
        must(s.r[n].start == at);
        must(s.r[n].end == end);
        total += end - at;
        n++;
        at = end;
    }
    must(s.n == n);
    must(ranges_total(&s) == total);
}

static void check_queries(unsigned start, unsigned end)
{
    bool all = true, any = false;

    for (unsigned i = start; i < end; i++) {
        all = all && in[i];
        any = any || in[i];
    }
    must(ranges_contains(&s, start, end) == all);
    must(ranges_intersects(&s, start, end) == any);
}

START_TEST(random_operations_agree_with_flags)
{
    uint64_t seed = (uint64_t)_i + 1;

    memset(in, 0, sizeof(in));
    for (unsigned step = 0; step < 20000; step++) {
        unsigned start = (unsigned)rng_below(&seed, NUMBERS);
        unsigned longest = rng_below(&seed, 8) == 0 ? NUMBERS - start : 6;
        unsigned end = start + 1 + (unsigned)rng_below(&seed, longest);
        bool add = rng_below(&seed, 2);

        end = end < NUMBERS ? end : NUMBERS;
        check_queries(start, end);
        must((add ? ranges_add(&s, start, end) : ranges_subtract(&s, start, end)) == 0);
        memset(in + start, add, end - start);
        check_model();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ranges");
    TCase *t = tcase_create("ranges");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_empty_set_takes_no_memory);
    tcase_add_test(t, adjacent_and_overlapping_ranges_merge);
    tcase_add_test(t, subtraction_trims_splits_and_removes);
    tcase_add_test(t, the_ends_of_the_number_space_work);
    tcase_add_test(t, find_gives_the_first_range_that_ends_later);
    tcase_add_test(t, many_ranges_leave_the_struct_and_come_back);
    tcase_add_loop_test(t, random_operations_agree_with_flags, 0, 4);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
