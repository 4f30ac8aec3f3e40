/* Received mappings: merging, conflicts, trimming. */
#include <check.h>
#include <stdlib.h>

#include "mptcp/rxmap.h"
#include "suite.h"

static struct rxmap m;
static struct mem_account account = {.limit = SIZE_MAX};

static enum rxmap_status add(uint64_t off, uint64_t dsn, uint32_t len, uint64_t rcv_nxt)
{
    struct rx_mapping n = {.off = off, .dsn = dsn, .len = len};
    return rxmap_add(&m, &account, &n, rcv_nxt);
}

static enum rxmap_status add_csum(uint64_t off, uint64_t dsn, uint32_t len, uint16_t csum)
{
    struct rx_mapping n = {.off = off, .dsn = dsn, .len = len, .has_csum = true, .csum = csum};
    return rxmap_add(&m, &account, &n, 1);
}

static void clear(void)
{
    rxmap_free(&m);
}

START_TEST(contiguous_mappings_become_one)
{
    ck_assert_int_eq(add(1, 1001, 100, 1), RXMAP_OK);
    ck_assert_int_eq(add(101, 1101, 100, 1), RXMAP_OK);
    ck_assert_uint_eq(m.known->n, 1);
    struct rx_mapping *r = rxmap_find(&m, 150);
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->len, 200);
    ck_assert_int_eq(add(201, 5000, 100, 1), RXMAP_OK);
    ck_assert_uint_eq(m.known->n, 2);
}
END_TEST

START_TEST(what_is_used_up_takes_no_memory)
{
    ck_assert_int_eq(add(1, 1001, 100, 1), RXMAP_OK);
    ck_assert_int_eq(add(301, 2001, 100, 1), RXMAP_OK);
    rxmap_trim(&m, 400);
    ck_assert_ptr_nonnull(rxmap_find(&m, 400));
    ck_assert_uint_gt(account.used, 0);
    rxmap_trim(&m, 401);
    ck_assert_ptr_null(m.known);
    ck_assert_uint_eq(account.used, 0);
    ck_assert_int_eq(add(301, 2001, 200, 401), RXMAP_OK);
    ck_assert_ptr_nonnull(rxmap_find(&m, 401));
    clear();
    ck_assert_uint_eq(account.used, 0);
}
END_TEST

START_TEST(a_repeated_mapping_is_a_duplicate)
{
    ck_assert_int_eq(add(1, 1001, 100, 1), RXMAP_OK);
    ck_assert_int_eq(add(1, 1001, 100, 1), RXMAP_DUPLICATE);
    ck_assert_int_eq(add(51, 1051, 20, 1), RXMAP_DUPLICATE);
    ck_assert_uint_eq(m.known->n, 1);
}
END_TEST

START_TEST(the_first_mapping_wins_over_a_contradiction)
{
    ck_assert_int_eq(add(1, 1001, 100, 1), RXMAP_OK);
    ck_assert_int_eq(add(51, 2000, 10, 1), RXMAP_CONFLICT);
    struct rx_mapping *r = rxmap_find(&m, 55);
    ck_assert_uint_eq(r->dsn - r->off, 1000);
    ck_assert_uint_eq(m.known->n, 1);
}
END_TEST

START_TEST(gaps_are_filled_in_any_order)
{
    ck_assert_int_eq(add(201, 1201, 100, 1), RXMAP_OK);
    ck_assert_int_eq(add(1, 1001, 50, 1), RXMAP_OK);
    ck_assert_ptr_null(rxmap_find(&m, 60));
    ck_assert_int_eq(add(1, 1001, 400, 1), RXMAP_OK); /* covers both and the gaps */
    for (uint64_t off = 60; off < 401; off += 10) {
        struct rx_mapping *r = rxmap_find(&m, off);
        ck_assert_ptr_nonnull(r);
        ck_assert_uint_eq(r->dsn - r->off, 1000);
    }
    ck_assert_ptr_null(rxmap_find(&m, 401));
}
END_TEST

START_TEST(what_was_received_is_not_mapped_again)
{
    ck_assert_int_eq(add(1, 1001, 100, 101), RXMAP_DUPLICATE);
    ck_assert_int_eq(add(1, 1001, 150, 101), RXMAP_OK);
    ck_assert_uint_eq(m.known->v[m.known->head].off, 101);
    ck_assert_uint_eq(m.known->v[m.known->head].dsn, 1101);
}
END_TEST

START_TEST(checksummed_mappings_stay_whole)
{
    ck_assert_int_eq(add_csum(1, 1001, 100, 7), RXMAP_OK);
    ck_assert_int_eq(add_csum(101, 1101, 100, 8), RXMAP_OK);
    ck_assert_uint_eq(m.known->n, 2);
    ck_assert_int_eq(add_csum(1, 1001, 100, 7), RXMAP_DUPLICATE);
    ck_assert_int_eq(add_csum(1, 1001, 100, 9), RXMAP_CONFLICT);
    ck_assert_int_eq(add_csum(51, 1051, 100, 7), RXMAP_CONFLICT);
}
END_TEST

START_TEST(used_up_mappings_are_dropped_and_their_room_reused)
{
    for (uint64_t i = 0; i < 100000; i++) { /* dsn jumps: no merging */
        ck_assert_int_eq(add(1 + i * 10, i * 100, 10, 1 + i * 10), RXMAP_OK);
        ck_assert_ptr_nonnull(rxmap_find(&m, 1 + i * 10));
    }
    ck_assert_uint_le(m.known->cap, 8);
}
END_TEST

START_TEST(too_many_mappings_are_refused)
{
    enum rxmap_status st = RXMAP_OK;
    for (uint64_t i = 0; i <= RXMAP_MAX && st == RXMAP_OK; i++)
        st = add(1 + i * 20, i * 100, 10, 1);
    ck_assert_int_eq(st, RXMAP_FULL);
    ck_assert_uint_eq(m.known->n, RXMAP_MAX);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("received mappings");
    TCase *t = tcase_create("rxmap");
    tcase_add_checked_fixture(t, NULL, clear);
    tcase_add_test(t, contiguous_mappings_become_one);
    tcase_add_test(t, what_is_used_up_takes_no_memory);
    tcase_add_test(t, a_repeated_mapping_is_a_duplicate);
    tcase_add_test(t, the_first_mapping_wins_over_a_contradiction);
    tcase_add_test(t, gaps_are_filled_in_any_order);
    tcase_add_test(t, what_was_received_is_not_mapped_again);
    tcase_add_test(t, checksummed_mappings_stay_whole);
    tcase_add_test(t, used_up_mappings_are_dropped_and_their_room_reused);
    tcase_add_test(t, too_many_mappings_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
