/* The data-level retransmission timeout (src/mptcp/data_timeout.c), and what is to be sent again
 * (src/mptcp/reinject.c). */
#include "lone_conn.h"
#include "mptcp/data_timeout.h"
#include "mptcp/push.h"
#include "mptcp/reinject.h"
#include "mptcp/sendbuf.h"

#define LEN 5000u

/* The subflow has acknowledged LEN bytes, and the connection has not. */
static void begin(void)
{
    static const char bytes[LEN];
    lone_begin(NULL);
    lone.c->send.edge = DATA_FIRST + (1u << 20);
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, LEN), LEN);
    lone.c->send.nxt = lone.c->send.end;
}

/* How long the timer has to go. */
static braid_time to_go(void)
{
    return lone.c->deadlines.data_rtx - lone.now;
}

static void expire(void)
{
    lone.now = lone.c->deadlines.data_rtx;
    conn_data_timeout(lone.c, lone.now);
}

/* A map of the bytes is in flight on s. */
static struct mp_map *carry(struct mp_subflow *s, uint64_t dsn, uint32_t len)
{
    struct mp_map *m = conn_map_new(lone.c, dsn, len);
    ck_assert_ptr_nonnull(m);
    ck_assert(tcp_flight_reserve(&s->tcp));
    list_append(&s->tcp.flight->maps, &m->tcp.node);
    return m;
}

START_TEST(it_runs_while_something_waits_for_a_data_ack)
{
    begin();
    conn_arm_data_timer(lone.c, lone.now);
    ck_assert_int_ne(lone.c->deadlines.data_rtx, BRAID_NEVER);
    conn_data_ack(lone.c, lone.c->send.end, 1000, lone.now);
    ck_assert_int_eq(lone.c->deadlines.data_rtx, BRAID_NEVER);
    lone.c->send.shutdown = lone.c->send.fin_sent = true;
    conn_arm_data_timer(lone.c, lone.now);
    ck_assert_int_ne(lone.c->deadlines.data_rtx, BRAID_NEVER);
    conn_data_ack(lone.c, lone.c->send.end + 1, 1000, lone.now);
    ck_assert_int_eq(lone.c->deadlines.data_rtx, BRAID_NEVER);
    lone_end();
}
END_TEST

/* That the peer has fallen back may show after something was noted to be sent again. */
START_TEST(what_is_noted_waits_while_the_acks_have_no_options)
{
    begin();
    conn_reinject(lone.c, DATA_FIRST, LEN);
    unsigned packets = lone.packets;
    lone.s->bare = true;
    conn_push(lone.c, lone.now);
    ck_assert_uint_eq(lone.packets, packets);
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    lone.s->bare = false;
    conn_push(lone.c, lone.now);
    ck_assert_uint_gt(lone.packets, packets);
    lone_end();
}
END_TEST

START_TEST(it_is_twice_the_longest_timeout_of_a_subflow_that_answers)
{
    begin();
    struct mp_subflow *slow = lone_flow("10.0.2.2:4000");
    for (unsigned i = 0; i < 50; i++)
        rtt_sample(&slow->tcp.rtt, 800 * BRAID_MS, lone.now);
    int64_t rto = rtt_rto(&slow->tcp.rtt);
    ck_assert_int_gt(rto, 800 * BRAID_MS);
    conn_arm_data_timer(lone.c, lone.now);
    ck_assert_int_eq(to_go(), 2 * rto);
    lone.now += BRAID_MS;
    conn_arm_data_timer(lone.c, lone.now); /* runs already */
    ck_assert_int_eq(to_go(), 2 * rto - BRAID_MS);
    lone.c->deadlines.data_rtx = BRAID_NEVER;
    slow->tcp.rtt.backoff = 1;
    conn_arm_data_timer(lone.c, lone.now);
    ck_assert_int_lt(to_go(), 2 * rto);
    ck_assert_int_ge(to_go(), 2 * 200 * BRAID_MS);
    lone_end();
}
END_TEST

/* Who is to fall back, and has not come to it yet, would take for new data what is sent again. */
START_TEST(over_the_only_subflow_the_peer_is_asked_first)
{
    begin();
    conn_arm_data_timer(lone.c, lone.now);
    for (unsigned i = 0; i < 3; i++) {
        unsigned packets = lone.packets;
        expire();
        ck_assert_uint_eq(lone.packets, packets + 1);
        ck_assert_uint_eq(lone.c->send.reinject.n, 0);
    }
    expire();
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    lone_end();
}
END_TEST

START_TEST(what_no_subflow_carries_is_sent_again_with_backoff)
{
    begin();
    lone.c->fallback.barred = true;
    conn_arm_data_timer(lone.c, lone.now);
    braid_time first = to_go();
    expire();
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    ck_assert_int_eq(to_go(), 2 * first);
    expire();
    ck_assert_int_eq(to_go(), 4 * first);
    for (unsigned i = 2; i < 20; i++) {
        expire();
        ck_assert_int_le(to_go(), 60 * BRAID_SECOND);
        ck_assert(!lone.c->closing.fail_due);
    }
    ck_assert_int_eq(to_go(), 60 * BRAID_SECOND);
    expire();
    ck_assert(lone.c->closing.fail_due);
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_TIMEOUT);
    lone_end();
}
END_TEST

START_TEST(a_subflow_that_answers_looks_after_what_it_carries)
{
    begin();
    carry(lone.s, DATA_FIRST, LEN);
    lone.c->send.backoff = 20; /* as often as anything is tried */
    conn_arm_data_timer(lone.c, lone.now);
    for (unsigned i = 0; i < 30; i++)
        expire();
    ck_assert(!lone.c->closing.fail_due);
    ck_assert_uint_eq(lone.c->send.backoff, 20);
    ck_assert_uint_eq(lone.c->send.reinject.n, 0);
    lone.c->send.backoff = 0;
    lone.s->tcp.rtt.backoff = 1;
    for (unsigned i = 0; i < 5; i++)
        expire(); /* it is the only one there ever was */
    ck_assert_uint_eq(lone.c->send.reinject.n, 0);
    lone.c->fallback.barred = true;
    expire();
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    lone_end();
}
END_TEST

START_TEST(a_data_fin_is_repeated_at_once)
{
    begin();
    conn_data_ack(lone.c, lone.c->send.end, 1000, lone.now);
    lone.c->send.shutdown = lone.c->send.fin_sent = true;
    conn_arm_data_timer(lone.c, lone.now);
    braid_time first = to_go();
    ck_assert_int_lt(first, 2 * 200 * BRAID_MS);
    unsigned packets = lone.packets;
    expire();
    ck_assert_uint_eq(lone.packets, packets + 1);
    ck_assert_int_eq(to_go(), 2 * first);
    lone_end();
}
END_TEST

/* It would take what is sent once more for new data. */
START_TEST(nothing_is_sent_again_to_a_peer_that_has_lost_its_options)
{
    begin();
    lone.s->bare = true;
    conn_arm_data_timer(lone.c, lone.now);
    expire();
    ck_assert(!conn_is_mptcp(lone.c));
    ck_assert_uint_eq(lone.c->send.reinject.n, 0);
    ck_assert_uint_eq(lone_count(COUNT_MP_DSS_FALLBACK), 1);
    lone_end();
}
END_TEST

/* Nothing was to be acknowledged by the segment without options, such as an ADD_ADDR that was taken away. */
START_TEST(no_option_is_missed_before_the_subflow_has_an_ack)
{
    begin();
    carry(lone.s, DATA_FIRST, LEN);
    lone.s->tcp.rtt.backoff = 1;
    lone.s->bare = true;
    conn_arm_data_timer(lone.c, lone.now);
    expire();
    ck_assert(conn_is_mptcp(lone.c));
    ck_assert_uint_eq(lone_count(COUNT_MP_DSS_FALLBACK), 0);
    lone_end();
}
END_TEST

START_TEST(only_what_is_sent_and_not_acknowledged_goes_again)
{
    begin();
    lone.c->send.una += 1000;
    lone.c->send.nxt -= 1000;
    conn_reinject(lone.c, 0, 1u << 30);
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    ck_assert_uint_eq(lone.c->send.reinject.r[0].start, DATA_FIRST + 1000);
    ck_assert_uint_eq(lone.c->send.reinject.r[0].end, DATA_FIRST + 4000);
    lone_end();
}
END_TEST

START_TEST(many_runs_are_charged_and_given_back)
{
    begin();
    size_t before = lone.c->mem.used;
    for (uint64_t i = 0; i < 100; i++)
        conn_reinject(lone.c, DATA_FIRST + 20 * i, 10);
    ck_assert_uint_ge(lone.c->mem.used, before + 100 * sizeof(struct range));
    conn_reinject(lone.c, DATA_FIRST, LEN);
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    lone_end(); /* which sees that nothing is left */
}
END_TEST

START_TEST(what_a_subflow_carries_is_found_by_any_of_its_bytes)
{
    begin();
    struct mp_map *a = carry(lone.s, DATA_FIRST, 1000), *b = carry(lone.s, DATA_FIRST + 2000, 1000);
    ck_assert_ptr_eq(flow_carries(lone.s, DATA_FIRST), a);
    ck_assert_ptr_eq(flow_carries(lone.s, DATA_FIRST + 999), a);
    ck_assert_ptr_null(flow_carries(lone.s, DATA_FIRST + 1000));
    ck_assert_ptr_eq(flow_carries(lone.s, DATA_FIRST + 2000), b);
    ck_assert_ptr_null(flow_carries(lone.s, DATA_FIRST + 3000));
    conn_reinject_flow(lone.s);
    ck_assert_uint_eq(lone.c->send.reinject.n, 2);
    ck_assert_uint_eq(ranges_total(&lone.c->send.reinject), 2000);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_timeout");
    TCase *t = tcase_create("all");
    tcase_add_test(t, it_runs_while_something_waits_for_a_data_ack);
    tcase_add_test(t, what_is_noted_waits_while_the_acks_have_no_options);
    tcase_add_test(t, it_is_twice_the_longest_timeout_of_a_subflow_that_answers);
    tcase_add_test(t, over_the_only_subflow_the_peer_is_asked_first);
    tcase_add_test(t, what_no_subflow_carries_is_sent_again_with_backoff);
    tcase_add_test(t, a_subflow_that_answers_looks_after_what_it_carries);
    tcase_add_test(t, a_data_fin_is_repeated_at_once);
    tcase_add_test(t, nothing_is_sent_again_to_a_peer_that_has_lost_its_options);
    tcase_add_test(t, no_option_is_missed_before_the_subflow_has_an_ack);
    tcase_add_test(t, only_what_is_sent_and_not_acknowledged_goes_again);
    tcase_add_test(t, many_runs_are_charged_and_given_back);
    tcase_add_test(t, what_a_subflow_carries_is_found_by_any_of_its_bytes);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
