/* From what subflows bring to the order of the connection (src/mptcp/order.c). */
#include "lone_conn.h"
#include "mptcp/order.h"
#include "mptcp/recvq.h"

/* Bytes [dsn, dsn + len) come over s. */
static void bring(struct mp_subflow *s, uint64_t dsn, uint32_t len)
{
    struct slice in = lone_slice(dsn, len, 1500);
    recv_deliver(lone.c, s, dsn, &in);
    recvq_keep(lone.c);
}

/* Reads all that is there, from `*at` on. */
static void read_all(uint64_t *at)
{
    size_t n;
    while ((n = lone_read(*at, SIZE_MAX)) > 0)
        *at += n;
}

START_TEST(pieces_in_any_order_over_any_subflow_make_the_stream)
{
    lone_begin(NULL);
    struct mp_subflow *flows[] = {lone.s, lone_flow("10.0.2.2:4000"), lone_flow("10.0.3.2:4000")};
    const uint64_t end = DATA_FIRST + 60000;
    uint64_t at = DATA_FIRST;
    for (unsigned i = 0; lone.c->recv.nxt != end; i++) {
        uint32_t len = 1 + (uint32_t)rng_below(&lone.rng, 1400);
        uint64_t dsn = DATA_FIRST + rng_below(&lone.rng, 60000);
        if (dsn + len > end)
            len = (uint32_t)(end - dsn);
        bring(flows[rng_below(&lone.rng, 3)], dsn, len);
        if (i % 7 == 0)
            read_all(&at);
        must(i < 100000);
    }
    read_all(&at);
    ck_assert_uint_eq(at, end);
    ck_assert_ptr_null(lone.c->recv.ooo);
    ck_assert_uint_eq(lone.c->mem.used, 0);
    lone_end();
}
END_TEST

START_TEST(the_first_copy_of_a_byte_wins)
{
    lone_begin(NULL);
    bring(lone.s, 11, 10);
    struct slice other = lone_slice(500, 20, 1500); /* other bytes for 6 to 25 */
    recv_deliver(lone.c, lone.s, 6, &other);
    ck_assert_uint_eq(lone.c->recv.ooo->bytes, 20);
    bring(lone.s, 1, 5);
    ck_assert_uint_eq(lone.c->recv.nxt, 26);
    ck_assert_uint_eq(lone_read(1, 5), 5);
    ck_assert_uint_eq(lone_read(500, 5), 5);
    ck_assert_uint_eq(lone_read(11, 10), 10);
    ck_assert_uint_eq(lone_read(515, 5), 5);
    lone_end();
}
END_TEST

START_TEST(what_is_there_already_is_counted_and_dropped)
{
    lone_begin(NULL);
    bring(lone.s, 1, 100);
    bring(lone.s, 1, 100);
    bring(lone.s, 50, 20);
    ck_assert_uint_eq(lone_count(COUNT_MP_DUPLICATE_DATA), 2);
    bring(lone.s, 51, 100);
    ck_assert_uint_eq(lone_read(1, 1000), 150);
    lone_end();
}
END_TEST

START_TEST(nothing_is_taken_beyond_what_the_largest_buffer_reaches)
{
    lone_begin(NULL);
    conn_own_sockopt(lone.c)->rcvbuf_max = 100;
    lone.c->recv.edge = 101;
    bring(lone.s, 101, 10);
    ck_assert_ptr_null(lone.c->recv.ooo);
    bring(lone.s, 51, 100);
    ck_assert_uint_eq(lone.c->recv.ooo->bytes, 50);
    bring(lone.s, 1, 50);
    ck_assert_uint_eq(lone_read(1, 1000), 100);
    ck_assert_uint_eq(lone.c->recv.nxt, 101);
    lone_end();
}
END_TEST

/* Linux with Fast Open sends beyond the window, and hears of what is dropped only by its timer. */
START_TEST(what_was_not_offered_is_taken_where_the_buffer_may_grow_so_far)
{
    lone_begin(NULL);
    conn_own_sockopt(lone.c)->rcvbuf_max = 300;
    lone.c->recv.edge = 101;
    bring(lone.s, 151, 50);
    ck_assert_uint_eq(lone.c->recv.ooo->bytes, 50);
    ck_assert_uint_eq(lone.c->recv.edge, 201); /* is offered from now on */
    bring(lone.s, 251, 100);
    ck_assert_uint_eq(lone.c->recv.ooo->bytes, 100);
    ck_assert_uint_eq(lone.c->recv.edge, 301);
    bring(lone.s, 1, 150);
    ck_assert_uint_eq(lone_read(1, 1000), 200);
    bring(lone.s, 301, 200); /* what was read makes room */
    ck_assert_uint_eq(lone.c->recv.edge, 501);
    lone_end();
}
END_TEST

START_TEST(more_pieces_than_allowed_are_refused_and_may_come_again)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    params.out_of_order = 4;
    lone_begin(&params);
    for (uint64_t i = 1; i <= 6; i++)
        bring(lone.s, 1 + 20 * i, 10);
    ck_assert_uint_eq(lone.c->recv.ooo->n, 4);
    ck_assert_uint_eq(lone_count(COUNT_MEM_REFUSED), 2);
    bring(lone.s, 1, 90);
    ck_assert_uint_eq(lone.c->recv.nxt, 91);
    bring(lone.s, 91, 40);
    ck_assert_uint_eq(lone_read(1, 1000), 90 + 40);
    lone_end();
}
END_TEST

START_TEST(a_search_for_a_place_has_an_end)
{
    lone_begin(NULL);
    struct mp_subflow *other = lone_flow("10.0.2.2:4000");
    for (uint64_t i = 1; i <= 2000; i++)
        bring(lone.s, 20 * i, 10);
    ck_assert_uint_eq(lone.c->recv.ooo->n, 2000);
    bring(other, 20 * 1000 + 10, 5); /* in the middle, and nothing has come over this subflow before */
    ck_assert_uint_eq(lone.c->recv.ooo->n, 2000);
    ck_assert_uint_eq(lone_count(COUNT_MEM_REFUSED), 1);
    bring(other, 20 * 1900 + 10, 5); /* near an end; and from there on the subflow goes on */
    bring(other, 20 * 1500 + 10, 5);
    bring(other, 20 * 1000 + 10, 5);
    ck_assert_uint_eq(lone.c->recv.ooo->n, 2003);
    lone_end();
}
END_TEST

/* As when what a slow path holds up is repeated over another one, far from all that came last. */
START_TEST(pieces_without_a_gap_between_are_passed_in_one_step)
{
    lone_begin(NULL);
    struct mp_subflow *other = lone_flow("10.0.2.2:4000");
    for (uint64_t i = 0; i < 3000; i++)
        if (i % 1000 != 0)
            bring(lone.s, 1 + 10 * i, 10);
    bring(other, 1 + 10 * 1000, 10);    /* nothing has come over this subflow before */
    bring(other, 1 + 10 * 2500 + 3, 3); /* is there */
    bring(other, 1 + 10 * 2000, 10);
    bring(other, 1 + 10 * 990 + 5, 40); /* as well */
    ck_assert_uint_eq(lone_count(COUNT_MEM_REFUSED), 0);
    ck_assert_uint_eq(lone.c->recv.ooo->n, 2999);
    bring(other, 1, 10);
    ck_assert_uint_eq(lone.c->recv.nxt, 1 + 30000);
    uint64_t at = 1;
    read_all(&at);
    lone_end();
}
END_TEST

START_TEST(the_data_fin_is_in_order_behind_the_last_byte)
{
    lone_begin(NULL);
    conn_data_fin(lone.c, 101, false);
    ck_assert(lone.c->recv.fin_known && !lone.c->recv.fin_received);
    bring(lone.s, 51, 100); /* what is behind it is nothing */
    bring(lone.s, 1, 50);
    ck_assert(lone.c->recv.fin_received);
    ck_assert_uint_eq(lone.c->recv.nxt, 102);
    ck_assert(!braid_conn_eof(lone.c));
    ck_assert_uint_eq(lone_read(1, 1000), 100);
    ck_assert(braid_conn_eof(lone.c));
    lone_end();
}
END_TEST

START_TEST(a_data_fin_is_acknowledged_once_and_if_it_comes_again_on_all_subflows)
{
    lone_begin(NULL);
    conn_data_fin(lone.c, 1, false);
    ck_assert(lone.c->recv.fin_received && lone.c->recv.ack_fin && !lone.c->recv.ack_all);
    conn_data_fin(lone.c, 1, false); /* over another subflow */
    ck_assert(!lone.c->recv.ack_all);
    conn_data_fin(lone.c, 1, true);
    ck_assert(lone.c->recv.ack_all);
    ck_assert_uint_eq(lone.c->recv.nxt, 2);
    lone_end();
}
END_TEST

START_TEST(absurd_data_fins_are_ignored)
{
    lone_begin(NULL);
    bring(lone.s, 1, 100);
    conn_data_fin(lone.c, 50, false); /* before what is there */
    conn_data_fin(lone.c, lone.c->recv.edge + lone.c->recv.rcvbuf + 1, false);
    conn_data_fin(lone.c, 50 - ((uint64_t)1 << 63), false);
    ck_assert(!lone.c->recv.fin_known);
    conn_data_fin(lone.c, 201, false);
    conn_data_fin(lone.c, 151, false); /* the first one counts */
    ck_assert_uint_eq(lone.c->recv.fin_dsn, 201);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order");
    TCase *t = tcase_create("all");
    tcase_add_test(t, pieces_in_any_order_over_any_subflow_make_the_stream);
    tcase_add_test(t, the_first_copy_of_a_byte_wins);
    tcase_add_test(t, what_is_there_already_is_counted_and_dropped);
    tcase_add_test(t, nothing_is_taken_beyond_what_the_largest_buffer_reaches);
    tcase_add_test(t, what_was_not_offered_is_taken_where_the_buffer_may_grow_so_far);
    tcase_add_test(t, more_pieces_than_allowed_are_refused_and_may_come_again);
    tcase_add_test(t, a_search_for_a_place_has_an_end);
    tcase_add_test(t, pieces_without_a_gap_between_are_passed_in_one_step);
    tcase_add_test(t, the_data_fin_is_in_order_behind_the_last_byte);
    tcase_add_test(t, a_data_fin_is_acknowledged_once_and_if_it_comes_again_on_all_subflows);
    tcase_add_test(t, absurd_data_fins_are_ignored);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
