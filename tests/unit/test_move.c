/* Bytes that go from one connection of a core to another (src/mptcp/move.c). */
#include "lone_conn.h"
#include "mptcp/recvq.h"
#include "mptcp/sendbuf.h"

static struct braid_conn *from, *to;
static uint64_t came; /* DSN behind what has come */

static void begin(const struct braid_core_params *params)
{
    lone_begin(params);
    from = lone.c;
    lone_open("10.0.1.2:4001");
    to = lone.c;
    to->send.sndbuf = 1u << 20;
    came = 1;
}

#define HEADERS 40 /* bytes of a packet in front of its payload */

/* In order, as order.c appends it; where the bytes are. */
static const uint8_t *append(uint32_t len, uint32_t cap)
{
    struct slice in = lone_slice(came - HEADERS, len + HEADERS, cap + HEADERS);
    slice_advance(&in, HEADERS);
    const uint8_t *where = in.data;
    came += len;
    from->recv.nxt += len;
    recvq_append(from, &in);
    return where;
}

/* What `to` has to send: all of the stream so far but the last `but` bytes. */
static void is_written(size_t but)
{
    struct iovec iov[64];
    unsigned n = conn_send_peek(to, SIZE_MAX, iov, 64);
    uint64_t at = 1;
    for (unsigned i = 0; i < n; i++)
        for (size_t j = 0; j < iov[i].iov_len; j++, at++)
            must(((const uint8_t *)iov[i].iov_base)[j] == lone_byte(at));
    ck_assert_uint_eq(at + but, came);
    braid_core_check(lone.core);
}

static const uint8_t *chunk(unsigned i)
{
    struct iovec iov[64];
    ck_assert_uint_gt(conn_send_peek(to, SIZE_MAX, iov, 64), i);
    return iov[i].iov_base;
}

START_TEST(a_large_packet_goes_as_it_came_and_is_charged_to_the_sender)
{
    begin(NULL);
    const uint8_t *first = append(9000, 12000), *second = append(12000, 12000);
    if (_i) /* it had to wait, and is charged to the receiver */
        ck_assert(recvq_keep(from));
    size_t before = to->mem.used;
    ck_assert_int_eq(braid_conn_move(to, from), 21000);
    ck_assert_ptr_eq(chunk(0), first);
    ck_assert_ptr_eq(chunk(1), second);
    is_written(0);
    ck_assert_uint_eq(from->mem.used, 0);
    ck_assert_uint_ge(to->mem.used, before + 24000);
    ck_assert_uint_eq(braid_conn_readable(from), 0);
    ck_assert_uint_eq(from->recv.user, came);
    lone_end();
}
END_TEST

START_TEST(small_packets_are_copied_behind_each_other)
{
    begin(NULL);
    for (unsigned i = 0; i < 30; i++)
        append(1000, 1200);
    append(5000, 65536); /* large, but nothing beside what it would hold */
    ck_assert_int_eq(braid_conn_move(to, from), 35000);
    is_written(0);
    ck_assert_uint_lt(to->mem.used, 2 * 35000);
    struct iovec iov[64];
    ck_assert_uint_lt(conn_send_peek(to, SIZE_MAX, iov, 64), 12);
    lone_end();
}
END_TEST

START_TEST(what_others_look_into_is_copied)
{
    begin(NULL);
    struct slice packet = lone_slice(1, 8000, 8000);
    struct slice half = slice_of(packet.buf, packet.data, 5000);
    came += 5000;
    from->recv.nxt += 5000;
    recvq_append(from, &half);
    ck_assert_int_eq(braid_conn_move(to, from), 5000);
    ck_assert_ptr_ne(chunk(0), packet.data);
    ck_assert_ptr_null(packet.buf->account);
    is_written(0);
    slice_drop(&packet);
    lone_end();
}
END_TEST

/* The right edge of the send buffer is the same, however the bytes come. */
START_TEST(no_more_is_taken_than_there_is_room_for)
{
    begin(NULL);
    to->send.sndbuf = 50000;
    for (unsigned i = 0; i < 8; i++)
        append(9000, 9000);
    ck_assert_int_eq(braid_conn_move(to, from), 50000);
    is_written(8 * 9000 - 50000);
    ck_assert(to->send.want_writable);
    ck_assert_int_eq(braid_conn_move(to, from), 0);
    ck_assert_uint_eq(braid_conn_readable(from), 22000);
    lone_end();
}
END_TEST

START_TEST(written_bytes_and_moved_ones_follow_each_other)
{
    begin(NULL);
    uint8_t bytes[6000];
    size_t moved = 0, written = 0;
    for (unsigned i = 0; i < 40; i++) {
        uint32_t len = 1 + (uint32_t)rng_below(&lone.rng, i % 2 ? 6000 : 20000);
        if (i % 3 == 0 && len <= sizeof(bytes)) {
            for (uint32_t j = 0; j < len; j++)
                bytes[j] = lone_byte(came + j);
            ck_assert_int_eq(braid_conn_write(to, bytes, len), (ssize_t)len);
            came += len;
            written += len;
        } else {
            append(len, len + (uint32_t)rng_below(&lone.rng, 2 * len));
            ck_assert_int_eq(braid_conn_move(to, from), (ssize_t)len);
            moved += len;
        }
        is_written(0);
    }
    ck_assert_uint_gt(moved, 0);
    ck_assert_uint_gt(written, 0);
    lone_end();
}
END_TEST

START_TEST(who_has_shut_down_takes_nothing)
{
    begin(NULL);
    append(9000, 9000);
    braid_conn_shutdown(to);
    ck_assert_int_eq(braid_conn_move(to, from), BRAID_SHUT);
    ck_assert_uint_eq(braid_conn_readable(from), 9000);
    lone_end();
}
END_TEST

START_TEST(the_receiver_may_go_while_the_sender_still_has_its_packets)
{
    begin(NULL);
    append(9000, 9000);
    ck_assert(recvq_keep(from));
    ck_assert_int_eq(braid_conn_move(to, from), 9000);
    conn_free(from);
    is_written(0);
    lone_end();
}
END_TEST

START_TEST(when_memory_is_short_what_fits_goes_in_small_chunks)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    begin(&params);
    append(60000, 60000);
    size_t room = mem_room(&lone.core->env.mem) - 30000;
    mem_take(&lone.core->env.mem, room); /* others have it */
    ssize_t n = braid_conn_move(to, from);
    ck_assert_int_gt(n, 0);
    ck_assert_int_lt(n, 60000);
    is_written(60000 - (size_t)n);
    mem_give(&lone.core->env.mem, room);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("move");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_large_packet_goes_as_it_came_and_is_charged_to_the_sender, 0, 2);
    tcase_add_test(t, small_packets_are_copied_behind_each_other);
    tcase_add_test(t, what_others_look_into_is_copied);
    tcase_add_test(t, no_more_is_taken_than_there_is_room_for);
    tcase_add_test(t, written_bytes_and_moved_ones_follow_each_other);
    tcase_add_test(t, who_has_shut_down_takes_nothing);
    tcase_add_test(t, the_receiver_may_go_while_the_sender_still_has_its_packets);
    tcase_add_test(t, when_memory_is_short_what_fits_goes_in_small_chunks);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
