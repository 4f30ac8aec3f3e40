/* Waiting for the answer to data in our SYN (src/mptcp/first_answer.c): for whom, when and how often the peer
 * is asked. What it is sent is the subject of tests/packets/syn-data-active-silent*.pkt. */
#include "lone_conn.h"
#include "mptcp/first_answer.h"

/* A connection of ours whose SYN's data was taken. */
static void begin(braid_time srtt)
{
    lone_begin(NULL);
    lone.c->syn_data.out = 24;
    lone.s->echo_mp_capable = true;
    lone.s->tcp.rtt.srtt_us = (int32_t)srtt;
}

/* Packets that the deadline sends. */
static unsigned ask(void)
{
    unsigned packets = lone.packets;
    lone.now = lone.c->deadlines.addr;
    lone.c->deadlines.addr = BRAID_NEVER;
    first_answer_timeout(lone.c, lone.now);
    return lone.packets - packets;
}

START_TEST(it_is_asked_six_times_each_after_twice_the_time)
{
    braid_time srtt[] = {20 * BRAID_MS, BRAID_MS, 0}, first[] = {40 * BRAID_MS, 10 * BRAID_MS, BRAID_SECOND};
    for (unsigned i = 0; i < 3; i++) {
        begin(srtt[i]);
        first_answer_await(lone.c, lone.now);
        for (unsigned k = 0; k < 6; k++) {
            ck_assert_int_eq(lone.c->deadlines.addr, lone.now + (first[i] << k));
            ck_assert_uint_eq(ask(), 2); /* the keys and the DATA_ACK */
            ck_assert(lone.s->echo_mp_capable);
        }
        ck_assert_int_eq(lone.c->deadlines.addr, BRAID_NEVER);
        lone_end();
    }
}
END_TEST

START_TEST(who_has_the_keys_is_not_told_them_again)
{
    begin(20 * BRAID_MS);
    first_answer_await(lone.c, lone.now);
    lone.s->echo_mp_capable = false;
    ck_assert_uint_eq(ask(), 1);
    ck_assert(!lone.s->echo_mp_capable);
    lone_end();
}
END_TEST

START_TEST(what_has_come_or_cannot_come_is_not_waited_for)
{
    for (unsigned i = 0; i < 7; i++) {
        begin(20 * BRAID_MS);
        first_answer_await(lone.c, lone.now);
        ck_assert_int_ne(lone.c->deadlines.addr, BRAID_NEVER);
        lone.c->recv.nxt += i == 0;
        lone.c->recv.fin_received = i == 1;
        lone.c->syn_data.out = i == 2 ? 0 : 24; /* the data follows in the stream, and so does a DATA_ACK */
        lone.c->mode = i == 3 ? MODE_FALLBACK : MODE_MPTCP;
        lone.s->tcp.syn.passive = i == 4;
        lone.s->closing.reset_due = i == 5;
        lone.c->phase = i == 6 ? CONN_DRAINING : CONN_ESTABLISHED;
        ck_assert_uint_eq(ask(), 0);
        ck_assert_int_eq(lone.c->deadlines.addr, BRAID_NEVER);
        lone_end();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("first_answer");
    TCase *t = tcase_create("all");
    tcase_add_test(t, it_is_asked_six_times_each_after_twice_the_time);
    tcase_add_test(t, who_has_the_keys_is_not_told_them_again);
    tcase_add_test(t, what_has_come_or_cannot_come_is_not_waited_for);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
