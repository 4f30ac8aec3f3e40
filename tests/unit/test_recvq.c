/* The queue of slices that the user reads (src/mptcp/recvq.c). */
#include "lone_conn.h"
#include "mptcp/recvq.h"

/* In order, as order.c appends them. */
static void append(uint64_t dsn, uint32_t len, uint32_t cap)
{
    struct slice in = lone_slice(dsn, len, cap);
    lone.c->recv.nxt += len;
    recvq_append(lone.c, &in);
}

START_TEST(small_pieces_are_put_together)
{
    lone_begin(NULL);
    for (uint64_t dsn = 1; dsn <= 4000; dsn++) {
        append(dsn, 1, 1500);
        ck_assert(recvq_keep(lone.c));
    }
    ck_assert_uint_eq(lone.c->recv.q->n, 1);
    ck_assert_uint_lt(lone.c->mem.used, 2 * 8192 + 1000);
    ck_assert_uint_eq(lone_read(1, SIZE_MAX), 4000);
    lone_end();
}
END_TEST

START_TEST(large_pieces_stay_in_the_packets_that_brought_them)
{
    lone_begin(NULL);
    struct slice first = lone_slice(1, 6000, 9000), second = lone_slice(6001, 6000, 9000);
    const uint8_t *where[] = {first.data, second.data};
    recvq_append(lone.c, &first);
    recvq_append(lone.c, &second);
    ck_assert_uint_eq(lone.c->mem.used,
                      mem_cost(sizeof(struct recvq) + 8 * sizeof(struct slice))); /* of the batch so far */
    ck_assert(recvq_keep(lone.c));
    ck_assert_uint_ge(lone.c->mem.used, 2 * 9000);
    struct iovec iov[3];
    ck_assert_uint_eq(braid_conn_peek(lone.c, iov, 3), 2);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_ptr_eq(iov[i].iov_base, where[i]);
    ck_assert_uint_eq(lone_read(1, SIZE_MAX), 12000);
    lone_end();
}
END_TEST

START_TEST(what_somebody_else_looks_into_is_not_written_over)
{
    lone_begin(NULL);
    struct slice packet = lone_slice(1, 600, 1200);
    struct slice first = slice_of(packet.buf, packet.data, 600);
    memset(packet.buf->data + 600, 0xee, 600);
    recvq_append(lone.c, &first);
    ck_assert(recvq_keep(lone.c)); /* fills half of the buffer, which stays where it is */
    append(601, 300, 1500);
    ck_assert(recvq_keep(lone.c));
    for (uint32_t i = 600; i < 1200; i++)
        ck_assert_uint_eq(packet.buf->data[i], 0xee);
    ck_assert_uint_eq(lone_read(1, SIZE_MAX), 900);
    slice_drop(&packet);
    lone_end();
}
END_TEST

START_TEST(pieces_of_any_size_are_read_in_order_in_portions_of_any_size)
{
    lone_begin(NULL);
    uint64_t in = 1, out = 1;
    for (unsigned i = 0; i < 5000; i++) {
        for (uint64_t n = rng_below(&lone.rng, 20); n > 0; n--) {
            uint32_t len = 1 + (uint32_t)rng_below(&lone.rng, rng_below(&lone.rng, 2) ? 40 : 1400);
            append(in, len, 1500);
            in += len;
        }
        if (rng_below(&lone.rng, 2))
            out += lone_read(out, rng_below(&lone.rng, 20000));
        must(recvq_keep(lone.c));
        must(braid_conn_readable(lone.c) == in - out && lone.c->recv.user == out);
        if (in - out > 100000)
            out += lone_read(out, 90000);
    }
    size_t n;
    while ((n = lone_read(out, SIZE_MAX)) > 0)
        out += n;
    ck_assert_uint_eq(out, in);
    ck_assert_uint_eq(lone.c->mem.used, 0);
    lone_end();
}
END_TEST

START_TEST(an_empty_queue_holds_no_memory)
{
    lone_begin(NULL);
    append(1, 100, 1500);
    ck_assert(recvq_keep(lone.c));
    ck_assert_uint_gt(lone.c->mem.used, 0);
    ck_assert_uint_eq(lone_read(1, 99), 99);
    ck_assert_uint_gt(lone.c->mem.used, 0);
    ck_assert_uint_eq(lone_read(100, 1), 1);
    ck_assert_uint_eq(lone.c->mem.used, 0);
    ck_assert_ptr_null(lone.c->recv.q);
    lone_end();
}
END_TEST

START_TEST(only_who_leaves_bytes_unread_is_refused_more_when_memory_is_short)
{
    lone_begin(NULL);
    lone.c->mem.limit = 6000;
    ck_assert(recvq_has_room(lone.c, 100000)); /* nothing is unread */
    append(1, 2000, 2500);
    ck_assert(recvq_has_room(lone.c, 100000)); /* nor has the user had the time */
    ck_assert(recvq_keep(lone.c));
    ck_assert(recvq_has_room(lone.c, 1000));
    ck_assert(!recvq_has_room(lone.c, 6000));
    lone_read(1, 2000);
    ck_assert(recvq_has_room(lone.c, 6000));
    lone_end();
}
END_TEST

START_TEST(what_comes_for_nobody_aborts)
{
    lone_begin(NULL);
    lone.c->recv.discard = true;
    append(1, 100, 1500);
    ck_assert(lone.c->closing.fail_due && lone.c->closing.fastclose);
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_ABORTED);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recvq");
    TCase *t = tcase_create("all");
    tcase_add_test(t, small_pieces_are_put_together);
    tcase_add_test(t, large_pieces_stay_in_the_packets_that_brought_them);
    tcase_add_test(t, what_somebody_else_looks_into_is_not_written_over);
    tcase_add_test(t, pieces_of_any_size_are_read_in_order_in_portions_of_any_size);
    tcase_add_test(t, an_empty_queue_holds_no_memory);
    tcase_add_test(t, only_who_leaves_bytes_unread_is_refused_more_when_memory_is_short);
    tcase_add_test(t, what_comes_for_nobody_aborts);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
