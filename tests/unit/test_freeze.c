/* State written down and read back: items, groups, tables of members, timers, buffers and slices. */
#include <braid/field.h>
#include "base/buf_table.h"
#include "base/freeze.h"
#include "base/thaw.h"
#include "suite.h"

#include <string.h>

struct sample {
    uint8_t a;
    int32_t b;
    uint64_t c;
    bool d;
    double e;
    braid_time f, g;
    uint16_t h[3];
};
static const struct braid_field sample_fields[] = {BRAID_NUMBER(1, struct sample, a, 200),
                                                   BRAID_ANY(2, struct sample, b),
                                                   BRAID_ANY(3, struct sample, c),
                                                   BRAID_BOOL(4, struct sample, d),
                                                   BRAID_REAL(5, struct sample, e, 2),
                                                   BRAID_DUE(6, struct sample, f),
                                                   BRAID_PAST(7, struct sample, g),
                                                   BRAID_NUMBERS(8, struct sample, h, 2, 500),
                                                   {0}};

static struct thawing all;

/* What f has, as one group. */
static struct thaw_item item_of(const struct freezer *f)
{
    all = (struct thawing){.flaw = THAW_FINE};
    return (struct thaw_item){.data = f->data, .len = f->len, .all = &all};
}

static enum thaw_flaw read_sample(const struct freezer *f, struct sample *out)
{
    struct thaw_item i = item_of(f);
    thaw_struct(&i, sample_fields, out);
    return all.flaw;
}

START_TEST(members_come_back)
{
    const struct sample s = {200, -5, UINT64_MAX, true, 0.25, BRAID_NEVER, INT64_MIN, {1, 0, 500}};
    struct sample out = {0};
    struct freezer f = {0};
    freeze_fields(&f, sample_fields, &s);
    ck_assert_int_eq(read_sample(&f, &out), THAW_FINE);
    ck_assert_uint_eq(out.a, 200);
    ck_assert_int_eq(out.b, -5);
    ck_assert_uint_eq(out.c, UINT64_MAX);
    ck_assert(out.d && out.e == 0.25 && out.f == BRAID_NEVER && out.g == INT64_MIN);
    ck_assert(out.h[0] == 1 && out.h[1] == 0 && out.h[2] == 500);
    free(f.data);
}
END_TEST

START_TEST(what_is_not_there_stays_as_it_was)
{
    struct sample out = {.a = 7, .c = 9};
    struct freezer f = {0};
    freeze_number(&f, 3, 0);
    ck_assert_int_eq(read_sample(&f, &out), THAW_FINE);
    ck_assert_uint_eq(out.a, 7);
    ck_assert_uint_eq(out.c, 0);
    free(f.data);
}
END_TEST

/* Too large for a number, a bool, a real, a time; an array that is too short. */
START_TEST(what_cannot_be_is_refused)
{
    static const struct {
        unsigned tag;
        uint64_t value;
    } wrong[] = {{1, 201},
                 {1, 256},
                 {4, 2},
                 {5, 0x7ff0000000000000}, /* infinite, NaN, -1 and 2.5 */
                 {5, 0x7ff8000000000000},
                 {5, 0xbff0000000000000},
                 {5, 0x4004000000000000},
                 {6, (uint64_t)INT64_MIN},
                 {7, INT64_MAX},
                 {8, 1}};
    struct sample out = {0};
    struct freezer f = {0};
    freeze_number(&f, wrong[_i].tag, wrong[_i].value);
    ck_assert_int_eq(read_sample(&f, &out), THAW_WRONG);
    free(f.data);
}
END_TEST

START_TEST(the_unknown_is_left_out_or_refused_as_marked)
{
    struct sample out = {0};
    struct freezer f = {0};
    freeze_number(&f, 77 + FREEZE_OPTIONAL, 1);
    freeze_number(&f, 1, 3);
    ck_assert_int_eq(read_sample(&f, &out), THAW_FINE);
    ck_assert_uint_eq(out.a, 3);
    freeze_number(&f, 77, 1);
    ck_assert_int_eq(read_sample(&f, &out), THAW_UNKNOWN);
    free(f.data);
}
END_TEST

START_TEST(a_torn_group_is_refused_wherever_it_ends)
{
    struct freezer f = {0};
    size_t g = freeze_begin(&f, 1);
    freeze_number(&f, 2, 300);
    freeze_bytes(&f, 3, "hello", 5);
    freeze_end(&f, g);
    for (size_t len = 1; len < f.len; len++) {
        struct thaw_item whole = item_of(&f), i;
        struct thawer t = {whole.data, whole.data + len, &all};
        ck_assert(!thaw_next(&t, &i));
        ck_assert_int_eq(all.flaw, THAW_TORN);
    }
    free(f.data);
}
END_TEST

static unsigned fired[4], n_fired;
static struct timer timers[4];

static void fire(struct timer *t, braid_time now)
{
    (void)now;
    fired[n_fired++] = (unsigned)(t - timers);
}

START_TEST(timers_fire_in_the_order_that_they_had)
{
    static const unsigned order[4] = {2, 0, 3, 1};
    struct wheel old, new;
    struct timer_order places;
    struct freezer f = {.order = &places};
    wheel_init(&old, 0);
    for (unsigned i = 0; i < 4; i++)
        timer_init(&timers[i], fire);
    for (unsigned i = 0; i < 4; i++)
        wheel_arm(&old, &timers[order[i]], BRAID_SECOND);
    ck_assert_int_eq(timer_order_of(&places, &old), 0);
    for (unsigned i = 0; i < 4; i++)
        freeze_timer(&f, i + 1, &timers[i]);
    timer_order_free(&places);
    wheel_init(&new, 0);
    struct thaw_item whole = item_of(&f), i;
    struct thawer t = thaw_inside(&whole);
    for (unsigned n = 0; thaw_next(&t, &i); n++) {
        timer_init(&timers[n], fire);
        thaw_timer(&i, &new, &timers[n]);
    }
    timer_later_arm(&all.timers);
    n_fired = 0;
    wheel_run(&new, 2 * BRAID_SECOND);
    ck_assert_uint_eq(n_fired, 4);
    for (unsigned n = 0; n < 4; n++)
        ck_assert_uint_eq(fired[n], order[n]);
    free(f.data);
}
END_TEST

START_TEST(slices_of_one_buffer_share_it_again)
{
    struct mem_account account = {.limit = SIZE_MAX};
    struct buf *b = buf_new(1000, &account);
    const struct slice first = {b, b->data + 10, 20}, second = {b, b->data + 25, 30};
    struct buf_table old = {.n = 0}, new = {.n = 0};
    struct freezer f = {.bufs = &old};
    for (unsigned i = 0; i < 1000; i++)
        b->data[i] = (uint8_t)i;
    freeze_slice(&f, 1, &first);
    freeze_slice(&f, 2, &second);
    freeze_bufs(&f, 3);
    buf_table_free(&old);
    buf_unref(b);
    struct thaw_item whole = item_of(&f), i[3];
    struct thawer t = thaw_inside(&whole);
    all.bufs = &new;
    ck_assert(thaw_next(&t, &i[0]) && thaw_next(&t, &i[1]) && thaw_next(&t, &i[2]));
    thaw_bufs(&i[2], &account, 2000);
    struct slice x = thaw_slice(&i[0]), y = thaw_slice(&i[1]);
    thaw_bufs_done(&new);
    ck_assert_ptr_eq(x.buf, y.buf);
    ck_assert_uint_eq(x.buf->refs, 2);
    ck_assert_uint_eq(x.buf->cap, 1000);
    ck_assert_uint_eq(account.used, buf_cost(1000));
    ck_assert(x.len == 20 && x.data[0] == 10 && x.data[19] == 29 && y.len == 30 && y.data[0] == 25);
    slice_drop(&x);
    slice_drop(&y);
    ck_assert_uint_eq(account.used, 0);
    free(f.data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("freeze");
    TCase *t = tcase_create("freeze");
    tcase_add_test(t, members_come_back);
    tcase_add_test(t, what_is_not_there_stays_as_it_was);
    tcase_add_loop_test(t, what_cannot_be_is_refused, 0, 10);
    tcase_add_test(t, the_unknown_is_left_out_or_refused_as_marked);
    tcase_add_test(t, a_torn_group_is_refused_wherever_it_ends);
    tcase_add_test(t, timers_fire_in_the_order_that_they_had);
    tcase_add_test(t, slices_of_one_buffer_share_it_again);
    suite_add_tcase(s, t);
    return run_suite(s);
}
