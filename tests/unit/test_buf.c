/* Buffers: references, accounts, slices. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "suite.h"

static struct mem_account core, conn, other;

static void setup(void)
{
    core = (struct mem_account){NULL, 0, 100000};
    conn = (struct mem_account){&core, 0, 10000};
    other = (struct mem_account){&core, 0, SIZE_MAX};
}

START_TEST(a_buffer_is_charged_to_the_whole_chain_until_its_last_reference_goes)
{
    struct buf *b = buf_new(4000, &conn);

    ck_assert_uint_eq(b->cap, 4000);
    ck_assert_uint_ge(conn.used, 4000);
    ck_assert_uint_eq(core.used, conn.used);
    memset(b->data, 0xaa, b->cap);
    ck_assert_ptr_eq(buf_ref(b), b);
    buf_unref(b);
    ck_assert_uint_ge(conn.used, 4000);
    buf_unref(b);
    ck_assert_uint_eq(conn.used, 0);
    ck_assert_uint_eq(core.used, 0);
    buf_unref(NULL);
}
END_TEST

START_TEST(a_charge_moves_between_accounts)
{
    struct buf *b = buf_new(500, NULL);
    size_t cost;

    ck_assert_uint_eq(core.used, 0);
    buf_charge(b, &conn);
    cost = conn.used;
    ck_assert_uint_ge(cost, 500);
    buf_charge(b, &other);
    ck_assert_uint_eq(conn.used, 0);
    ck_assert_uint_eq(other.used, cost);
    ck_assert_uint_eq(core.used, cost);
    buf_charge(b, NULL);
    ck_assert_uint_eq(other.used + core.used, 0);
    buf_unref(b);
    ck_assert_uint_eq(core.used, 0);
}
END_TEST

START_TEST(room_is_that_of_the_tightest_account)
{
    ck_assert_uint_eq(mem_room(NULL), SIZE_MAX);
    ck_assert_uint_eq(mem_room(&conn), 10000);
    ck_assert_uint_eq(mem_room(&other), 100000);
    core.used = 95000;
    ck_assert_uint_eq(mem_room(&conn), 5000);
    conn.used = 20000;
    ck_assert_uint_eq(mem_room(&conn), 0);
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
    ck_assert_ptr_null(buf_new(SIZE_MAX, &conn));
    ck_assert_ptr_null(buf_new((size_t)UINT32_MAX + 1, &conn));
    ck_assert_uint_eq(conn.used, 0);
}
END_TEST

START_TEST(a_slice_keeps_its_buffer_alive)
{
    struct buf *b = buf_new(10, &conn);
    struct slice s;

    memcpy(b->data, "0123456789", 10);
    s = slice_of(b, b->data + 2, 6);
    buf_unref(b);
    ck_assert_uint_gt(conn.used, 0);
    slice_advance(&s, 2);
    ck_assert_uint_eq(s.len, 4);
    ck_assert_int_eq(memcmp(s.data, "4567", 4), 0);
    slice_advance(&s, 4);
    ck_assert_uint_eq(s.len, 0);
    slice_drop(&s);
    ck_assert_ptr_null(s.buf);
    ck_assert_uint_eq(conn.used, 0);
    slice_drop(&s);
}
END_TEST

START_TEST(a_slice_of_static_bytes_needs_no_buffer)
{
    static const uint8_t bytes[3] = "abc";
    struct slice s = slice_of(NULL, bytes, 3);

    slice_advance(&s, 1);
    ck_assert_int_eq(s.data[0], 'b');
    slice_drop(&s);
    ck_assert_uint_eq(s.len, 0);
}
END_TEST

START_TEST(a_pool_gives_out_the_buffer_given_up_last_and_keeps_only_some)
{
    struct mem_account account = {.limit = SIZE_MAX};
    struct buf_pool pool;
    ck_assert_int_eq(buf_pool_init(&pool, 1000, 2), 0);
    struct buf *a = buf_pool_get(&pool), *b = buf_pool_get(&pool), *c = buf_pool_get(&pool);
    buf_charge(b, &account);
    buf_ref(b);
    buf_unref(a);
    buf_unref(b);
    ck_assert_uint_eq(pool.n, 1);
    buf_unref(b);
    ck_assert_uint_eq(account.used, 0);
    buf_unref(c);
    ck_assert_uint_eq(pool.n, 2);
    ck_assert_ptr_eq(buf_pool_get(&pool), b);
    buf_unref(b);
    buf_pool_free(&pool);
}
END_TEST

START_TEST(a_pool_gives_back_what_nobody_needs)
{
    enum { N = 10 };
    struct buf_pool pool;
    struct buf *b[N];
    ck_assert_int_eq(buf_pool_init(&pool, 1000, N), 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < N; i++)
            b[i] = buf_pool_get(&pool);
        for (unsigned i = 0; i < N; i++)
            buf_unref(b[i]);
    }
    ck_assert_uint_eq(buf_pool_shrink(&pool), 0);
    ck_assert_uint_eq(pool.n, N);
    for (unsigned i = 0; i < 3; i++)
        b[i] = buf_pool_get(&pool);
    struct buf *warm = b[0];
    for (unsigned i = 3; i-- > 0;)
        buf_unref(b[i]);
    ck_assert_uint_eq(buf_pool_shrink(&pool), (N - 3) * buf_cost(1000));
    ck_assert_uint_eq(pool.n, 3);
    ck_assert_ptr_eq(buf_pool_get(&pool), warm);
    buf_unref(warm);
    ck_assert_uint_eq(buf_pool_shrink(&pool), 2 * buf_cost(1000));
    ck_assert_uint_eq(buf_pool_shrink(&pool), buf_cost(1000));
    ck_assert_uint_eq(buf_pool_shrink(&pool), 0);
    buf_pool_free(&pool);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("buf");
    TCase *t = tcase_create("buf");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_buffer_is_charged_to_the_whole_chain_until_its_last_reference_goes);
    tcase_add_test(t, a_pool_gives_back_what_nobody_needs);
    tcase_add_test(t, a_pool_gives_out_the_buffer_given_up_last_and_keeps_only_some);
    tcase_add_test(t, a_charge_moves_between_accounts);
    tcase_add_test(t, room_is_that_of_the_tightest_account);
    tcase_add_test(t, absurd_sizes_are_refused);
    tcase_add_test(t, a_slice_keeps_its_buffer_alive);
    tcase_add_test(t, a_slice_of_static_bytes_needs_no_buffer);
    suite_add_tcase(s, t);
    return run_suite(s);
}
