/* Subflows that are to end, and the time that they have for it (src/mptcp/retire.c). */
#include "lone_conn.h"
#include "mptcp/retire.h"
#include "mptcp/sendbuf.h"

static struct mp_subflow *s; /* the one in question */

static void begin(void)
{
    lone_begin(NULL);
    s = lone_flow("10.0.2.2:4000");
}

static void wait(braid_time time)
{
    lone.now += time;
    lone.c->deadlines.addr = BRAID_NEVER;
    conn_retire_timeout(lone.c, lone.now);
}

START_TEST(a_subflow_that_we_close_has_five_seconds)
{
    begin();
    flow_retire(s, lone.now);
    ck_assert(s->tcp.fin.wanted && !s->closing.reset_due);
    ck_assert_int_eq(lone.c->deadlines.addr, lone.now + 5 * BRAID_SECOND);
    wait(4 * BRAID_SECOND);
    ck_assert(!s->closing.reset_due);
    ck_assert_int_eq(lone.c->deadlines.addr, lone.now + BRAID_SECOND);
    wait(BRAID_SECOND);
    ck_assert(s->closing.reset_due && !lone.s->closing.reset_due);
    lone_end();
}
END_TEST

START_TEST(closing_it_again_gives_it_no_more_time)
{
    begin();
    flow_retire(s, lone.now);
    braid_time by = s->closing.close_by;
    flow_retire(s, lone.now + BRAID_SECOND);
    ck_assert_int_eq(s->closing.close_by, by);
    ck_assert_uint_eq(lone_count(COUNT_MP_RM_SUBFLOW), 1);
    lone_end();
}
END_TEST

START_TEST(what_it_carries_goes_over_others_too)
{
    static const char bytes[500];
    begin();
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, 500), 500);
    struct mp_map *m = conn_map_new(lone.c, DATA_FIRST, 500);
    lone.c->send.nxt = lone.c->send.end;
    ck_assert(tcp_flight_reserve(&s->tcp));
    list_append(&s->tcp.flight->maps, &m->tcp.node);
    flow_retire(s, lone.now);
    ck_assert_uint_eq(ranges_total(&lone.c->send.reinject), 500);
    lone_end();
}
END_TEST

START_TEST(one_whose_handshake_is_under_way_is_reset)
{
    begin();
    tcp_set_state(&s->tcp, TCP_STATE_SYN_SENT);
    flow_retire(s, lone.now);
    ck_assert(s->closing.reset_due && !s->closing.retired);
    lone_end();
}
END_TEST

START_TEST(one_whose_address_was_withdrawn_is_asked_and_has_a_second_to_answer)
{
    begin();
    unsigned packets = lone.packets;
    flow_ask_alive(s, lone.now);
    ck_assert_uint_eq(lone.packets, packets + 1);
    ck_assert_int_eq(lone.c->deadlines.addr, lone.now + BRAID_SECOND);
    wait(BRAID_SECOND - 1);
    ck_assert(!s->closing.reset_due);
    wait(1);
    ck_assert(s->closing.reset_due);
    ck_assert_uint_eq(lone_count(COUNT_MP_RM_SUBFLOW), 1);
    lone_end();
}
END_TEST

START_TEST(one_that_answers_stays)
{
    begin();
    flow_ask_alive(s, lone.now);
    s->closing.answer_by = 0; /* as any segment does */
    wait(10 * BRAID_SECOND);
    ck_assert(!s->closing.reset_due);
    ck_assert_int_eq(lone.c->deadlines.addr, BRAID_NEVER);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retire");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_subflow_that_we_close_has_five_seconds);
    tcase_add_test(t, closing_it_again_gives_it_no_more_time);
    tcase_add_test(t, what_it_carries_goes_over_others_too);
    tcase_add_test(t, one_whose_handshake_is_under_way_is_reset);
    tcase_add_test(t, one_whose_address_was_withdrawn_is_asked_and_has_a_second_to_answer);
    tcase_add_test(t, one_that_answers_stays);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
