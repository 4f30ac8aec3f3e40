/* Falling back to plain TCP in the middle of a connection (src/mptcp/fallback.c). */
#include "lone_conn.h"
#include "mptcp/fallback.h"
#include "mptcp/order.h"
#include "mptcp/recvq.h"
#include "mptcp/reinject.h"
#include "mptcp/tokens.h"

static void begin(void)
{
    lone_begin(NULL);
    ck_assert(conn_draw_key(lone.c));
    ck_assert(conn_may_fall_back(lone.c));
}

/* Bytes [dsn, dsn + len) have come. */
static void bring(uint64_t dsn, uint32_t len)
{
    struct slice in = lone_slice(dsn, len, 1500);
    recv_deliver(lone.c, lone.s, dsn, &in);
    recvq_keep(lone.c);
}

START_TEST(a_connection_may_fall_back_while_its_first_subflow_is_the_only_one_ever)
{
    begin();
    struct mp_subflow *join = lone_flow("10.0.2.2:4000");
    ck_assert(!conn_may_fall_back(lone.c));
    flow_free(join);
    ck_assert(!conn_may_fall_back(lone.c));
    lone_end();
}
END_TEST

START_TEST(bytes_behind_a_gap_could_not_be_put_in_order)
{
    begin();
    bring(101, 10);
    ck_assert(!conn_may_fall_back(lone.c));
    bring(1, 100);
    ck_assert(conn_may_fall_back(lone.c));
    lone_end();
}
END_TEST

START_TEST(a_first_subflow_that_ends_is_none_to_fall_back_to)
{
    begin();
    lone.s->closing.reset_due = true;
    ck_assert(!conn_may_fall_back(lone.c));
    lone.s->closing.reset_due = false;
    lone.s->closing.dead = true;
    ck_assert(!conn_may_fall_back(lone.c));
    lone_end();
}
END_TEST

START_TEST(what_is_left_of_mptcp_goes)
{
    begin();
    lone.c->send.nxt = lone.c->send.end = DATA_FIRST + 1000;
    conn_reinject(lone.c, DATA_FIRST, 1000);
    lone.c->deadlines.data_rtx = lone.now;
    struct braid_addr from = lone_addr("10.0.2.2:4000"), to = lone_addr("10.0.9.1:80");
    struct mp_subflow *pending = flow_new(lone.c, &from, &to); /* a join whose handshake is under way */
    pending->join = true;
    subflow_open_active(&pending->tcp, lone.c->cc, lone.now);
    conn_fall_back(lone.c, true);
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    ck_assert(pending->closing.reset_due && !lone.s->closing.reset_due);
    ck_assert_ptr_null(conn_by_token(&lone.core->env, lone.c->keys.local_token));
    ck_assert_uint_eq(lone.c->send.reinject.n, 0);
    ck_assert_int_eq(lone.c->deadlines.data_rtx, BRAID_NEVER);
    ck_assert(lone.c->fallback.infinite_due);
    ck_assert_uint_eq(lone.c->send.una,
                      DATA_FIRST + 1000); /* the subflow has acknowledged all that it took */
    ck_assert_uint_eq(lone.c->fallback.linear_from, LINEAR_UNKNOWN);
    lone_end();
}
END_TEST

START_TEST(a_fin_from_before_is_the_end_of_the_data_now)
{
    begin();
    bring(1, 100);
    lone.s->tcp.fin.received = true;
    conn_fall_back(lone.c, true);
    ck_assert(lone.c->recv.fin_received);
    ck_assert_uint_eq(lone.c->recv.nxt, 102);
    lone_end();
}
END_TEST

START_TEST(an_infinite_mapping_says_where_the_plain_stream_begins)
{
    begin();
    bring(1, 100);
    conn_infinite_mapping(lone.s, 151, 101);
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    ck_assert_uint_eq(lone.c->fallback.linear_from, 151);
    ck_assert_uint_eq(lone.c->fallback.delta, (uint64_t)-50);
    lone_end();
}
END_TEST

START_TEST(one_that_leaves_a_gap_resets)
{
    begin();
    bring(1, 100);
    conn_infinite_mapping(lone.s, 151, 102);
    ck_assert(conn_is_mptcp(lone.c) && lone.s->closing.reset_due);
    ck_assert_int_eq(lone.s->closing.rst_reason, MPTCP_RST_MIDDLEBOX);
    lone_end();
}
END_TEST

START_TEST(one_that_begins_before_the_subflow_resets)
{
    begin();
    conn_infinite_mapping(lone.s, (uint64_t)-1, DATA_FIRST);
    ck_assert(conn_is_mptcp(lone.c) && lone.s->closing.reset_due);
    lone_end();
}
END_TEST

START_TEST(a_wrong_checksum_asks_the_peer_to_fall_back)
{
    const struct rx_mapping m = {.off = 11, .dsn = 61, .len = 100};
    begin();
    ck_assert(conn_checksum_failed(lone.s, &m));
    ck_assert(conn_is_mptcp(lone.c) && lone.c->fallback.rx_failed && lone.s->fail_due);
    ck_assert_uint_eq(lone.s->fail_dsn, 61);
    conn_mp_fail(lone.s, DATA_FIRST); /* its answer */
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    ck_assert(!lone.c->fallback.rx_failed && lone.c->dss.keep_data_acks);
    ck_assert_uint_eq(lone.c->fallback.linear_from, 0);
    ck_assert_uint_eq(lone.c->fallback.delta, 50);
    lone_end();
}
END_TEST

START_TEST(one_on_one_of_several_subflows_ends_that)
{
    const struct rx_mapping m = {.off = 11, .dsn = 61, .len = 100};
    begin();
    struct mp_subflow *join = lone_flow("10.0.2.2:4000");
    ck_assert(!conn_checksum_failed(join, &m));
    ck_assert(join->closing.reset_due && join->fail_due && !lone.s->closing.reset_due);
    ck_assert(conn_is_mptcp(lone.c) && !lone.c->fallback.rx_failed);
    lone_end();
}
END_TEST

START_TEST(an_mp_fail_is_answered_where_one_may_fall_back)
{
    begin();
    bring(1, 100);
    conn_mp_fail(lone.s, DATA_FIRST);
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    ck_assert(lone.c->fallback.fail_answered && lone.s->fail_due);
    ck_assert_uint_eq(lone.s->fail_dsn, 101);
    lone_end();
}
END_TEST

START_TEST(and_else_is_a_reason_to_send_again)
{
    begin();
    lone_flow("10.0.2.2:4000");
    lone.c->send.nxt = lone.c->send.end = DATA_FIRST + 1000;
    conn_mp_fail(lone.s, DATA_FIRST + 400);
    ck_assert(conn_is_mptcp(lone.c));
    ck_assert_uint_eq(ranges_total(&lone.c->send.reinject), 600);
    lone_end();
}
END_TEST

START_TEST(a_plain_end_before_the_data_fin_is_no_end)
{
    begin();
    bring(1, 100);
    conn_data_fin(lone.c, 201, false);
    lone.c->mode = MODE_FALLBACK;
    conn_plain_fin(lone.c);
    ck_assert(lone.c->closing.fail_due);
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_PROTOCOL);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fallback");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_connection_may_fall_back_while_its_first_subflow_is_the_only_one_ever);
    tcase_add_test(t, bytes_behind_a_gap_could_not_be_put_in_order);
    tcase_add_test(t, a_first_subflow_that_ends_is_none_to_fall_back_to);
    tcase_add_test(t, what_is_left_of_mptcp_goes);
    tcase_add_test(t, a_fin_from_before_is_the_end_of_the_data_now);
    tcase_add_test(t, an_infinite_mapping_says_where_the_plain_stream_begins);
    tcase_add_test(t, one_that_leaves_a_gap_resets);
    tcase_add_test(t, one_that_begins_before_the_subflow_resets);
    tcase_add_test(t, a_wrong_checksum_asks_the_peer_to_fall_back);
    tcase_add_test(t, one_on_one_of_several_subflows_ends_that);
    tcase_add_test(t, an_mp_fail_is_answered_where_one_may_fall_back);
    tcase_add_test(t, and_else_is_a_reason_to_send_again);
    tcase_add_test(t, a_plain_end_before_the_data_fin_is_no_end);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
