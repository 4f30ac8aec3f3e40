/* What a subflow keeps of what came out of order, or twice, goes when it is over and reported. */
#include "tcp_harness.h"

#define RTT (100 * BRAID_MS)
#define CC  mem_cost(cc_fixed.priv_size) /* the state of cc_fixed, which is there throughout */

START_TEST(a_hole_that_is_filled_leaves_nothing)
{
    struct harness *h = h_passive(h_new(), RTT);

    SAY(h, .seq = 101, .ack = 1, .len = 100);
    ck_assert_uint_eq(h->sf.ooo->n, 1);
    ck_assert_uint_gt(h->account.used, CC);
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    ck_assert_uint_eq(h->n_in, 200);
    ck_assert_uint_eq(h->account.used, CC);
    h_free(h);
}
END_TEST

/* The blocks of a hole that remains stay with it. */
START_TEST(a_hole_that_remains_is_still_reported)
{
    struct harness *h = h_passive(h_new(), RTT);

    SAY(h, .seq = 101, .ack = 1, .len = 100);
    SAY(h, .seq = 301, .ack = 1, .len = 100);
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h->taken = h->n_out - 1;
    const struct wire_tcp *t = h_expect_ack(h, 1, 201);
    ck_assert_uint_eq(t->n_sack, 1);
    h_expect_sack(h, t, 0, 301, 401);
    h_free(h);
}
END_TEST

START_TEST(what_came_twice_is_reported_once_and_leaves_nothing)
{
    struct harness *h = h_passive(h_new(), RTT);

    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h->taken = h->n_out;
    h_input(h, (struct say){.seq = 1, .ack = 1, .len = 100});
    ck_assert_uint_gt(h->account.used, CC);
    subflow_flush(&h->sf, h->now);
    const struct wire_tcp *t = h_expect_ack(h, 1, 101);
    ck_assert_uint_eq(t->n_sack, 1);
    h_expect_sack(h, t, 0, 1, 101);
    ck_assert_uint_eq(h->account.used, CC);
    SAY(h, .seq = 101, .ack = 1, .len = 100);
    ck_assert_uint_eq(h_expect_ack(h, 1, 201)->n_sack, 0);
    h_free(h);
}
END_TEST

/* Nobody will hear of it. */
START_TEST(an_end_before_the_report_leaves_nothing)
{
    struct harness *h = h_passive(h_new(), RTT);

    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h_input(h, (struct say){.seq = 1, .ack = 1, .len = 100});
    h_input(h, (struct say){.seq = 201, .ack = 1, .len = 100});
    subflow_reset(&h->sf, h->now);
    h_free(h); /* asserts that the account is empty */
}
END_TEST

/* Nor is there anything to keep for them. */
START_TEST(a_peer_without_sack_gets_no_blocks)
{
    struct harness *h = h_new();

    h->sack = false;
    h_passive(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .len = 100);
    h->taken = h->n_out;
    h_input(h, (struct say){.seq = 1, .ack = 1, .len = 100});
    ck_assert_uint_eq(h->account.used, CC);
    subflow_flush(&h->sf, h->now);
    ck_assert_uint_eq(h_expect_ack(h, 1, 101)->n_sack, 0);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("disorder");
    TCase *t = tcase_create("memory");

    tcase_add_test(t, a_hole_that_is_filled_leaves_nothing);
    tcase_add_test(t, a_hole_that_remains_is_still_reported);
    tcase_add_test(t, what_came_twice_is_reported_once_and_leaves_nothing);
    tcase_add_test(t, an_end_before_the_report_leaves_nothing);
    tcase_add_test(t, a_peer_without_sack_gets_no_blocks);
    suite_add_tcase(s, t);
    return run_suite(s);
}
