/* Which FINs of the peer's on subflows are answered with ours, and when (src/mptcp/fins.c); and what is known
 * of how subflows stand (src/mptcp/flow_state.c, src/mptcp/alone.c). */
#include "lone_conn.h"
#include "mptcp/alone.h"
#include "mptcp/fins.h"
#include "mptcp/flow_state.h"

static struct mp_subflow *other;

static void begin(void)
{
    lone_begin(NULL);
    other = lone_flow("10.0.2.2:4000");
}

static void fin_on(struct mp_subflow *s)
{
    s->tcp.fin.received = true;
    tcp_set_state(&s->tcp, TCP_STATE_CLOSE_WAIT);
    conn_answer_fins(lone.c, lone.now);
}

START_TEST(a_subflow_that_is_given_up_among_others_is_closed)
{
    begin();
    fin_on(other);
    ck_assert(other->tcp.fin.wanted && !lone.s->tcp.fin.wanted);
    ck_assert_int_eq(lone.c->deadlines.gone, BRAID_NEVER);
    lone_end();
}
END_TEST

START_TEST(the_last_one_that_the_peer_may_send_over_is_not_and_the_peer_has_a_time_to_come_back)
{
    begin();
    fin_on(other);
    fin_on(lone.s);
    ck_assert(!lone.s->tcp.fin.wanted);
    ck_assert(conn_alone(lone.c));
    ck_assert_int_eq(lone.c->deadlines.gone, lone.now + lone.core->env.params.break_before_make);
    lone_end();
}
END_TEST

START_TEST(others_that_do_not_answer_do_not_count)
{
    begin();
    lone.s->tcp.rtt.backoff = 1;
    fin_on(other);
    ck_assert(!other->tcp.fin.wanted);
    lone.s->tcp.rtt.backoff = 0;
    conn_answer_fins(lone.c, lone.now);
    ck_assert(other->tcp.fin.wanted);
    lone_end();
}
END_TEST

/* As Apple's stack does: it closes its half of the subflows with its DATA_FIN, and reads on. */
START_TEST(behind_a_data_fin_our_data_still_goes)
{
    begin();
    lone.c->recv.fin_known = lone.c->recv.fin_received = true;
    fin_on(other);
    fin_on(lone.s);
    ck_assert(!other->tcp.fin.wanted && !lone.s->tcp.fin.wanted);
    ck_assert(flow_usable(other) && flow_usable(lone.s));
    lone.c->send.fin_acked = true;
    conn_answer_fins(lone.c, lone.now);
    ck_assert(other->tcp.fin.wanted && lone.s->tcp.fin.wanted);
    ck_assert_int_eq(lone.c->deadlines.gone, BRAID_NEVER);
    lone_end();
}
END_TEST

START_TEST(a_subflow_is_usable_when_it_is_confirmed_and_not_ending)
{
    begin();
    ck_assert(flow_usable(other) && flow_answers(other));
    other->confirmed = false;
    ck_assert(!flow_usable(other));
    other->confirmed = true;
    other->closing.reset_due = true;
    ck_assert(!flow_usable(other));
    other->closing.reset_due = false;
    tcp_set_state(&other->tcp, TCP_STATE_SYN_SENT);
    ck_assert(!flow_usable(other));
    lone_end();
}
END_TEST

START_TEST(a_suspect_one_is_usable_and_does_not_answer)
{
    begin();
    other->silence.suspect = true;
    ck_assert(flow_usable(other) && !flow_answers(other));
    lone_end();
}
END_TEST

START_TEST(a_join_of_the_peers_is_unproven_until_its_third_ack)
{
    begin();
    tcp_set_state(&other->tcp, TCP_STATE_SYN_RECEIVED);
    ck_assert(!flow_is_unproven(other)); /* we have opened it */
    other->tcp.syn.passive = true;
    ck_assert(flow_is_unproven(other));
    tcp_set_state(&other->tcp, TCP_STATE_ESTABLISHED);
    ck_assert(!flow_is_unproven(other));
    lone_end();
}
END_TEST

START_TEST(a_connection_is_alone_without_a_subflow_that_completed_its_handshake)
{
    begin();
    ck_assert(!conn_alone(lone.c));
    lone.s->closing.dead = true;
    ck_assert(!conn_alone(lone.c));
    tcp_set_state(&other->tcp, TCP_STATE_SYN_SENT);
    ck_assert(conn_alone(lone.c));
    lone_end();
}
END_TEST

START_TEST(nobody_is_waited_for_when_all_has_been_said)
{
    begin();
    lone.c->recv.fin_received = lone.c->send.fin_acked = true;
    conn_await_revival(lone.c, lone.now);
    ck_assert_int_eq(lone.c->deadlines.gone, BRAID_NEVER);
    lone.c->send.fin_acked = false;
    conn_await_revival(lone.c, lone.now);
    braid_time first = lone.c->deadlines.gone;
    ck_assert_int_ne(first, BRAID_NEVER);
    conn_await_revival(lone.c, lone.now + BRAID_SECOND); /* the time does not begin again */
    ck_assert_int_eq(lone.c->deadlines.gone, first);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fins");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_subflow_that_is_given_up_among_others_is_closed);
    tcase_add_test(t, the_last_one_that_the_peer_may_send_over_is_not_and_the_peer_has_a_time_to_come_back);
    tcase_add_test(t, others_that_do_not_answer_do_not_count);
    tcase_add_test(t, behind_a_data_fin_our_data_still_goes);
    tcase_add_test(t, a_subflow_is_usable_when_it_is_confirmed_and_not_ending);
    tcase_add_test(t, a_suspect_one_is_usable_and_does_not_answer);
    tcase_add_test(t, a_join_of_the_peers_is_unproven_until_its_third_ack);
    tcase_add_test(t, a_connection_is_alone_without_a_subflow_that_completed_its_handshake);
    tcase_add_test(t, nobody_is_waited_for_when_all_has_been_said);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
