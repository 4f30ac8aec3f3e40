/* The scheduler weighted: shares, catching up, and paths that come. */
#include "sched_view.h"

extern const struct sched_ops sched_weighted;

static uint64_t carried[SCHED_MAX_PATHS];

/* Writes of `size` bytes until `total` were sent. */
static void send_all(uint64_t total, uint64_t size)
{
    for (uint64_t done = 0; done < total; done += size) {
        int i = pick_and_send(size);
        ck_assert_int_ge(i, 0);
        carried[i] += size;
    }
}

static void setup_weights(unsigned n, const uint32_t *weights)
{
    setup_paths(&sched_weighted, n);
    for (unsigned i = 0; i < n; i++) {
        path[i].weight = weights[i];
        carried[i] = 0;
    }
}

START_TEST(shares_are_proportional_to_the_weights)
{
    static const uint64_t sizes[] = {1, 100, MSS, 44 * MSS};
    uint64_t size = sizes[_i], total = 10000 * size, rounding = 2 * size + 16;
    setup_weights(3, (uint32_t[]){5, 3, 2});
    send_all(total, size);
    ck_assert_uint_le(carried[0] > total / 2 ? carried[0] - total / 2 : total / 2 - carried[0], rounding);
    ck_assert_uint_le(carried[2] > total / 5 ? carried[2] - total / 5 : total / 5 - carried[2], rounding);
}
END_TEST

/* Small writes on one path and large ones on the other: bytes count, not turns. */
START_TEST(bytes_count_and_not_segments)
{
    setup_weights(2, (uint32_t[]){1, 1});
    for (int n = 0; n < 10000; n++) {
        int i = pick();
        uint64_t size = i == 0 ? 100 : 1400;
        sent(i, size);
        carried[i] += size;
    }
    ck_assert_uint_le(carried[0], carried[1] + 1400);
    ck_assert_uint_le(carried[1], carried[0] + 1400);
}
END_TEST

START_TEST(a_full_path_holds_nobody_up_and_catches_up_later)
{
    setup_weights(2, (uint32_t[]){1, 1});
    send_all(2 * 1000, 1000);
    fill(0);
    send_all(500 * 1000, 1000);
    ck_assert_uint_eq(carried[1], 501 * 1000);
    drain(0);
    send_all(500 * 1000, 1000);
    ck_assert_uint_eq(carried[0], 501 * 1000);
    send_all(500 * 1000, 1000);
    ck_assert_uint_eq(carried[0], 751 * 1000);
}
END_TEST

START_TEST(what_a_path_may_catch_up_with_is_bounded)
{
    setup_weights(2, (uint32_t[]){1, 1});
    send_all(2000, 1000);
    fill(0);
    send_all(50000 * 1000, 1000);
    carried[0] = carried[1] = 0;
    drain(0);
    send_all(4 << 20, 1024);
    ck_assert_uint_le(carried[0], (5 << 19) + 4096); /* a mebibyte, and half of the other three */
    ck_assert_uint_ge(carried[0], (5 << 19) - 4096);
}
END_TEST

START_TEST(a_new_path_begins_where_the_others_are)
{
    setup_weights(3, (uint32_t[]){1, 1, 2});
    view.n_paths = 2;
    send_all(10000 * 1000, 1000);
    carried[0] = carried[1] = carried[2] = 0;
    view.n_paths = 3;
    send_all(4000 * 1000, 1000);
    ck_assert_uint_ge(carried[2], 1998 * 1000);
    ck_assert_uint_le(carried[2], 2002 * 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weighted");
    TCase *t = tcase_create("weighted");
    tcase_add_loop_test(t, shares_are_proportional_to_the_weights, 0, 4);
    tcase_add_test(t, bytes_count_and_not_segments);
    tcase_add_test(t, a_full_path_holds_nobody_up_and_catches_up_later);
    tcase_add_test(t, what_a_path_may_catch_up_with_is_bounded);
    tcase_add_test(t, a_new_path_begins_where_the_others_are);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
