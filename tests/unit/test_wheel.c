/* The timer wheel: exact examples, and many random operations against a plain array of times. */
#include <check.h>
#include <stdlib.h>

#include "base/wheel.h"
#include "property.h"
#include "suite.h"

#define TICK (1 << WHEEL_TICK_SHIFT)

struct item {
    struct timer timer;
    braid_time fired; /* when last; -1: not since it was armed */
    unsigned count;
};

static struct wheel w;

static struct item *item_of(struct timer *t)
{
    return (struct item *)((char *)t - offsetof(struct item, timer));
}

static void note(struct timer *t, braid_time now)
{
    item_of(t)->fired = now;
    item_of(t)->count++;
}

static void item_init(struct item *i)
{
    timer_init(&i->timer, note);
    i->fired = -1;
    i->count = 0;
}

static void check_bitmaps(void)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            must((w.occupied[level] >> slot & 1) == !list_empty(&w.slots[level][slot]));
    }
}

START_TEST(a_timer_fires_once_not_early_and_within_a_tick)
{
    for (braid_time at = 1; at < 300; at += 7) {
        struct item i;
        braid_time now = 0;

        wheel_init(&w, 0);
        item_init(&i);
        wheel_arm(&w, &i.timer, at);
        while (i.count == 0)
            wheel_run(&w, now++);
        ck_assert_int_ge(i.fired, at);
        ck_assert_int_lt(i.fired, at + TICK);
        ck_assert(i.timer.at == BRAID_NEVER);
        wheel_run(&w, now + 100000);
        ck_assert_uint_eq(i.count, 1);
    }
}
END_TEST

START_TEST(a_past_time_fires_at_the_next_run_even_of_the_same_moment)
{
    struct item i;

    wheel_init(&w, 1000000);
    item_init(&i);
    wheel_run(&w, 1000001);
    wheel_arm(&w, &i.timer, 5);
    ck_assert_int_gt(wheel_next(&w), 1000001);
    ck_assert_int_le(wheel_next(&w), 1000001 + TICK);
    wheel_run(&w, 1000001);
    ck_assert_uint_eq(i.count, 1);
    wheel_arm(&w, &i.timer, -3);
    wheel_run(&w, 1000001);
    ck_assert_uint_eq(i.count, 2);
}
END_TEST

/* A wheel that goes on in the place of another one is armed later than that was. */
START_TEST(when_it_fires_does_not_depend_on_when_it_was_armed)
{
    for (unsigned late = 0; late < 2; late++) {
        struct item i;

        wheel_init(&w, 1000 * TICK);
        item_init(&i);
        if (!late)
            wheel_arm(&w, &i.timer, 1000 * TICK + 5);
        wheel_run(&w, 1000 * TICK + 10);
        if (late)
            wheel_arm(&w, &i.timer, 1000 * TICK + 5);
        ck_assert_int_eq(wheel_next(&w), 1001 * TICK);
        wheel_run(&w, 1001 * TICK - 1);
        ck_assert_uint_eq(i.count, 0);
        wheel_run(&w, 1001 * TICK);
        ck_assert_uint_eq(i.count, 1);
    }
}
END_TEST

START_TEST(next_of_an_empty_wheel_is_never)
{
    struct item i;

    wheel_init(&w, 77);
    item_init(&i);
    ck_assert(wheel_next(&w) == BRAID_NEVER);
    wheel_arm(&w, &i.timer, 100);
    wheel_cancel(&w, &i.timer);
    wheel_cancel(&w, &i.timer);
    ck_assert(wheel_next(&w) == BRAID_NEVER);
    wheel_arm(&w, &i.timer, 100);
    wheel_arm(&w, &i.timer, BRAID_NEVER);
    ck_assert(wheel_next(&w) == BRAID_NEVER);
    ck_assert(i.timer.at == BRAID_NEVER);
}
END_TEST

/* Runs the wheel only when it asks for it, and counts how often that is. */
static unsigned run_until_fired(struct item *i)
{
    unsigned runs = 0;

    for (; i->count == 0; runs++) {
        braid_time next = wheel_next(&w);

        ck_assert_int_lt(next, i->timer.at + TICK);
        wheel_run(&w, next);
        ck_assert(i->count > 0 || wheel_next(&w) > next);
        ck_assert_uint_lt(runs, 10000);
    }
    return runs;
}

START_TEST(following_next_reaches_every_timer_in_few_steps)
{
    for (unsigned bits = 0; bits < 55; bits++) {
        struct item i;

        wheel_init(&w, 12345);
        item_init(&i);
        wheel_arm(&w, &i.timer, 12345 + (1LL << bits));
        /* Beyond 2^48 us it steps from horizon to horizon. */
        ck_assert_uint_le(run_until_fired(&i), WHEEL_LEVELS + (bits >= 48 ? 8u << (bits - 48) : 0));
        ck_assert_int_ge(i.fired, 12345 + (1LL << bits));
    }
}
END_TEST

START_TEST(a_jump_over_everything_fires_everything)
{
    enum { N = 62 };
    struct item items[N];

    wheel_init(&w, 0);
    for (unsigned n = 0; n < N; n++) {
        item_init(&items[n]);
        wheel_arm(&w, &items[n].timer, 1LL << n);
    }
    wheel_run(&w, (1LL << 62) - 1);
    for (unsigned n = 0; n < N; n++)
        ck_assert_uint_eq(items[n].count, 1);
    check_bitmaps();
    ck_assert(wheel_next(&w) == BRAID_NEVER);
}
END_TEST

START_TEST(a_timer_beyond_the_horizon_waits_for_its_time)
{
    const braid_time horizon = 1LL << (WHEEL_LEVELS * WHEEL_BITS + WHEEL_TICK_SHIFT);
    struct item i;

    wheel_init(&w, horizon - 10);
    item_init(&i);
    wheel_arm(&w, &i.timer, 3 * horizon);
    wheel_run(&w, horizon + 5);
    wheel_run(&w, 2 * horizon + 5);
    wheel_run(&w, 3 * horizon - 1);
    ck_assert_uint_eq(i.count, 0);
    wheel_run(&w, 3 * horizon);
    ck_assert_uint_eq(i.count, 1);
}
END_TEST

START_TEST(a_clock_that_goes_back_fires_nothing)
{
    struct item i;

    wheel_init(&w, 1000000);
    item_init(&i);
    wheel_arm(&w, &i.timer, 10);
    wheel_run(&w, 900000);
    ck_assert_uint_eq(i.count, 0);
    wheel_run(&w, 1000000);
    ck_assert_uint_eq(i.count, 1);
}
END_TEST

static struct item other;

static void rearm_now(struct timer *t, braid_time now)
{
    note(t, now);
    wheel_arm(&w, t, now - TICK);
}

START_TEST(rearming_for_what_is_past_fires_in_the_next_run_only)
{
    struct item i;

    wheel_init(&w, 0);
    item_init(&i);
    i.timer.fire = rearm_now;
    wheel_arm(&w, &i.timer, 50);
    for (unsigned run = 1; run < 5; run++) {
        wheel_run(&w, 5000);
        ck_assert_uint_eq(i.count, run);
    }
}
END_TEST

static void cancel_other(struct timer *t, braid_time now)
{
    note(t, now);
    wheel_cancel(&w, &other.timer);
}

START_TEST(a_firing_timer_may_cancel_one_that_is_due_as_well)
{
    struct item i;

    wheel_init(&w, 0);
    item_init(&i);
    item_init(&other);
    i.timer.fire = cancel_other;
    wheel_arm(&w, &i.timer, 50);
    wheel_arm(&w, &other.timer, 50);
    wheel_run(&w, 5000);
    ck_assert_uint_eq(i.count, 1);
    ck_assert_uint_eq(other.count, 0);
    check_bitmaps();
}
END_TEST

static void postpone_other(struct timer *t, braid_time now)
{
    note(t, now);
    wheel_arm(&w, &other.timer, now + 1000);
}

START_TEST(a_firing_timer_may_postpone_one_that_is_due_as_well)
{
    struct item i;

    wheel_init(&w, 0);
    item_init(&i);
    item_init(&other);
    i.timer.fire = postpone_other;
    wheel_arm(&w, &i.timer, 50);
    wheel_arm(&w, &other.timer, 60);
    wheel_run(&w, 5000);
    ck_assert_uint_eq(other.count, 0);
    wheel_run(&w, 6100);
    ck_assert_uint_eq(other.count, 1);
}
END_TEST

static void free_itself(struct timer *t, braid_time now)
{
    (void)now;
    free(item_of(t));
}

START_TEST(a_firing_timer_may_free_itself)
{
    struct item *i = malloc(sizeof(*i));

    wheel_init(&w, 0);
    item_init(i);
    i->timer.fire = free_itself;
    wheel_arm(&w, &i->timer, 50);
    wheel_run(&w, 5000);
    ck_assert(wheel_next(&w) == BRAID_NEVER);
}
END_TEST

enum { MODEL_TIMERS = 200 };
static struct item items[MODEL_TIMERS];
static braid_time wanted[MODEL_TIMERS]; /* BRAID_NEVER: not armed */

/* From when on it fires: by its time alone, whenever it was armed. */
static braid_time due_at(braid_time at)
{
    return at > 0 ? (at + TICK - 1) / TICK * TICK : at;
}

/* What the model says must have happened in a run at `now`: all fired that are due, and no others. */
static void check_run(braid_time now)
{
    braid_time first = BRAID_NEVER;

    for (unsigned n = 0; n < MODEL_TIMERS; n++) {
        if (wanted[n] != BRAID_NEVER && due_at(wanted[n]) <= now) {
            must(items[n].fired == now);
            wanted[n] = BRAID_NEVER;
        }
        must(items[n].timer.at == wanted[n]);
        if (wanted[n] < first)
            first = wanted[n];
    }
    must(wheel_next(&w) > now);
    if (first == BRAID_NEVER)
        must(wheel_next(&w) == BRAID_NEVER);
    else
        must(wheel_next(&w) <= (first > now ? first : now) + TICK);
}

START_TEST(random_operations_agree_with_a_plain_array)
{
    uint64_t seed = (uint64_t)_i + 1;
    braid_time now = (braid_time)(rng_next(&seed) >> (2 + rng_below(&seed, 40)));

    wheel_init(&w, now);
    for (unsigned n = 0; n < MODEL_TIMERS; n++) {
        item_init(&items[n]);
        wanted[n] = BRAID_NEVER;
    }
    for (unsigned step = 0; step < 20000; step++) {
        unsigned n = (unsigned)rng_below(&seed, MODEL_TIMERS);
        uint64_t distance = rng_next(&seed) >> (16 + rng_below(&seed, 48));
        unsigned action = (unsigned)rng_below(&seed, 16);

        if (action < 9) {
            wanted[n] = now + (braid_time)distance - (action == 0 ? 5000 : 0);
            items[n].fired = -1;
            wheel_arm(&w, &items[n].timer, wanted[n]);
        } else if (action < 12) {
            wanted[n] = BRAID_NEVER;
            wheel_cancel(&w, &items[n].timer);
        } else {
            now = action == 15 && wheel_next(&w) != BRAID_NEVER ? wheel_next(&w)
                                                                : now + 1 + (braid_time)(distance >> 12);
            wheel_run(&w, now);
            check_run(now);
        }
        if (step % 64 == 0)
            check_bitmaps();
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wheel");
    TCase *t = tcase_create("wheel");

    tcase_add_test(t, a_timer_fires_once_not_early_and_within_a_tick);
    tcase_add_test(t, a_past_time_fires_at_the_next_run_even_of_the_same_moment);
    tcase_add_test(t, when_it_fires_does_not_depend_on_when_it_was_armed);
    tcase_add_test(t, next_of_an_empty_wheel_is_never);
    tcase_add_test(t, following_next_reaches_every_timer_in_few_steps);
    tcase_add_test(t, a_jump_over_everything_fires_everything);
    tcase_add_test(t, a_timer_beyond_the_horizon_waits_for_its_time);
    tcase_add_test(t, a_clock_that_goes_back_fires_nothing);
    tcase_add_test(t, rearming_for_what_is_past_fires_in_the_next_run_only);
    tcase_add_test(t, a_firing_timer_may_cancel_one_that_is_due_as_well);
    tcase_add_test(t, a_firing_timer_may_postpone_one_that_is_due_as_well);
    tcase_add_test(t, a_firing_timer_may_free_itself);
    tcase_add_loop_test(t, random_operations_agree_with_a_plain_array, 0, 20);
    suite_add_tcase(s, t);
    return run_suite(s);
}
