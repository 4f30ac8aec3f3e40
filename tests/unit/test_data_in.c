/* What subflows bring in their order, where the mappings put it (src/mptcp/data_in.c), and what is held back
 * until a checksum is right (src/mptcp/held.c). The stream's bytes come in other places of the subflow. */
#include "lone_conn.h"
#include "mptcp/data_in.h"
#include "mptcp/recvq.h"
#include "wire/checksum.h"

static void begin(void)
{
    lone_begin(NULL);
    lone.c->keys.remote_idsn = 0x123456789abcdefULL;
}

static void add(const struct rx_mapping *m)
{
    ck_assert_int_eq(rxmap_add(&lone.s->rxmap, &lone.s->conn->mem, m, lone.s->tcp.rcv.nxt), RXMAP_OK);
}

/* Offsets [off, off + len) of the subflow are [dsn, ...) of the data. */
static void map(uint64_t off, uint64_t dsn, uint32_t len)
{
    add(&(struct rx_mapping){.off = off, .dsn = dsn, .len = len});
}

/* The same with the checksum of these bytes, wrong by `error`. */
static void map_checksummed(uint64_t off, uint64_t dsn, uint32_t len, uint16_t error)
{
    struct slice bytes = lone_slice(dsn, len, len);
    uint16_t csum = checksum_dss(checksum_add_at(0, bytes.data, len, 0), lone.c->keys.remote_idsn + dsn,
                                 (uint32_t)off, (uint16_t)len);
    lone.c->dss.checksum = true;
    add(&(struct rx_mapping){.off = off,
                             .dsn = dsn,
                             .len = len,
                             .has_csum = true,
                             .csum = (uint16_t)(csum ^ error),
                             .csum_len = (uint16_t)len});
    slice_drop(&bytes);
}

/* Bytes [dsn, dsn + len) of the stream come at off. */
static void bring(uint64_t off, uint64_t dsn, uint32_t len)
{
    flow_data(&lone.s->tcp, off, lone_slice(dsn, len, 3000), lone.now);
    recvq_keep(lone.c);
}

START_TEST(payload_goes_where_its_mappings_say)
{
    begin();
    map(1, 301, 100); /* three mappings in one segment, in another order */
    map(101, 1, 200);
    map(301, 201, 100);
    struct slice all = lone_slice(301, 100, 400);
    for (uint32_t i = 0; i < 300; i++)
        all.buf->data[100 + i] = lone_byte(1 + i);
    all.len = 400;
    flow_data(&lone.s->tcp, 1, all, lone.now);
    ck_assert_uint_eq(lone_read(1, 1000), 400);
    map(401, 401, 100); /* and one in two segments */
    bring(401, 401, 60);
    bring(461, 461, 40);
    ck_assert_uint_eq(lone_read(401, 1000), 100);
    lone_end();
}
END_TEST

START_TEST(what_has_a_checksum_waits_until_all_of_it_is_there)
{
    begin();
    map_checksummed(1, 1, 1000, 0);
    bring(1, 1, 333);
    bring(334, 334, 333);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    ck_assert_uint_gt(lone.c->mem.used, 666);
    bring(667, 667, 334);
    ck_assert_uint_eq(lone_read(1, 2000), 1000);
    map_checksummed(1001, 1001, 500, 0);
    bring(1001, 1001, 200);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    bring(1201, 1201, 300);
    ck_assert_uint_eq(lone_read(1001, 2000), 500);
    lone_end();
}
END_TEST

START_TEST(a_wrong_one_holds_everything_back_until_the_peer_falls_back)
{
    begin();
    map_checksummed(1, 1, 1000, 0x100);
    bring(1, 1, 1000);
    bring(1001, 1001, 500);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    ck_assert(lone.c->fallback.rx_failed);
    ck_assert_uint_eq(lone_count(COUNT_MP_DATA_CSUM_ERR), 1);
    conn_mp_fail(lone.s, DATA_FIRST);
    ck_assert_uint_eq(lone_read(1, 2000), 1500);
    bring(1501, 1501, 100); /* plain TCP from here on */
    ck_assert_uint_eq(lone_read(1501, 2000), 100);
    lone_end();
}
END_TEST

START_TEST(on_one_of_several_subflows_it_is_dropped)
{
    begin();
    lone_flow("10.0.2.2:4000");
    map_checksummed(1, 1, 1000, 0x100);
    bring(1, 1, 1000);
    ck_assert(lone.s->closing.reset_due);
    ck_assert_ptr_null(lone.s->rxmap.held);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    lone_end();
}
END_TEST

START_TEST(holding_back_takes_no_more_memory_than_there_is)
{
    begin();
    map_checksummed(1, 1, 20000, 0);
    if (_i == 0) {
        lone.c->mem.limit = 8000;
        lone.c->recv.rcvbuf = 1000;
    } else {
        lone.c->env->mem.limit = lone.c->env->mem.used + 10000; /* no connection may take what is not there */
    }
    for (unsigned i = 0; i < 10 && !lone.c->closing.fail_due; i++)
        bring(1 + 2000 * i, 1 + 2000 * i, 2000);
    ck_assert(lone.c->closing.fail_due);
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_RESOURCES);
    ck_assert_uint_lt(lone.c->mem.used, 10000 + 4000);
    lone_end();
}
END_TEST

/* They may have taken all memory of the connection. */
START_TEST(bytes_to_be_sent_leave_room_for_a_mapping_as_large_as_the_window)
{
    begin();
    map_checksummed(1, 1, 20000, 0);
    lone.c->mem.limit = lone.c->mem.used;
    lone.c->recv.rcvbuf = 20000;
    for (unsigned i = 0; i < 9; i++)
        bring(1 + 2000 * i, 1 + 2000 * i, 2000);
    ck_assert(!lone.c->closing.fail_due);
    ck_assert_uint_eq(lone.s->rxmap.held->bytes, 18000);
    lone_end();
}
END_TEST

START_TEST(payload_without_a_mapping_is_plain_tcp_where_that_can_be)
{
    begin();
    lone.s->tcp.rcv.nxt = 1;
    bring(1, 1, 100);
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    ck_assert_uint_eq(lone_read(1, 1000), 100);
    bring(101, 101, 100);
    ck_assert_uint_eq(lone_read(101, 1000), 100);
    ck_assert(lone.s->fail_due && lone.c->dss.keep_data_acks); /* the peer may not know */
    lone_end();
}
END_TEST

START_TEST(with_several_subflows_it_resets_its_own)
{
    begin();
    lone_flow("10.0.2.2:4000");
    bring(1, 1, 100);
    ck_assert(lone.s->closing.reset_due && conn_is_mptcp(lone.c));
    ck_assert_int_eq(lone.s->closing.rst_reason, MPTCP_RST_MIDDLEBOX);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    lone_end();
}
END_TEST

/* It may be data that was sent once more, with a new place: nobody can tell. */
START_TEST(where_options_have_passed_both_ways_it_ends_the_connection)
{
    begin();
    lone.c->dss.proven = true;
    bring(1, 1, 100);
    ck_assert(lone.c->closing.fail_due);
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_PROTOCOL);
    lone_end();
}
END_TEST

START_TEST(nothing_is_taken_of_a_subflow_that_is_to_be_reset)
{
    begin();
    map(1, 1, 100);
    lone.s->closing.reset_due = true;
    bring(1, 1, 100);
    ck_assert_uint_eq(braid_conn_readable(lone.c), 0);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_in");
    TCase *t = tcase_create("all");
    tcase_add_test(t, payload_goes_where_its_mappings_say);
    tcase_add_test(t, what_has_a_checksum_waits_until_all_of_it_is_there);
    tcase_add_test(t, a_wrong_one_holds_everything_back_until_the_peer_falls_back);
    tcase_add_test(t, on_one_of_several_subflows_it_is_dropped);
    tcase_add_loop_test(t, holding_back_takes_no_more_memory_than_there_is, 0, 2);
    tcase_add_test(t, bytes_to_be_sent_leave_room_for_a_mapping_as_large_as_the_window);
    tcase_add_test(t, payload_without_a_mapping_is_plain_tcp_where_that_can_be);
    tcase_add_test(t, with_several_subflows_it_resets_its_own);
    tcase_add_test(t, where_options_have_passed_both_ways_it_ends_the_connection);
    tcase_add_test(t, nothing_is_taken_of_a_subflow_that_is_to_be_reset);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
