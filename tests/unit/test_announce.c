/* Signals about our addresses: what goes out when, and how often (src/mptcp/announce.c). */
#include "lone_conn.h"
#include "mptcp/announce.h"
#include "mptcp/known.h"
#include "mptcp/own_addrs.h"

/* The peer has our key, and there is one more address to announce, at index 1. */
static void begin(void)
{
    struct braid_endpoint e = {.addr = lone_addr("10.0.2.2:0"), .signal = true};
    lone_begin(NULL);
    lone.c->dss.keyed = true;
    ck_assert_int_eq(conn_endpoint_add(lone.c, &e), 0);
}

static void flush(void)
{
    conn_announce_flush(lone.c, lone.now);
}

/* The announcements' deadline passes. */
static void expire(void)
{
    ck_assert_int_ne(lone.c->deadlines.addr, BRAID_NEVER);
    lone.now = lone.c->deadlines.addr;
    lone.c->deadlines.addr = BRAID_NEVER;
    conn_announce_timeout(lone.c, lone.now);
    flush();
}

static uint64_t sent(void)
{
    return lone_count(COUNT_MP_ADD_ADDR_TX);
}

START_TEST(an_announcement_is_repeated_until_it_is_echoed)
{
    begin();
    conn_announce(lone.c, 1);
    flush();
    ck_assert_uint_eq(sent(), 1);
    flush();
    ck_assert_uint_eq(sent(), 1);
    ck_assert_int_eq(lone.c->deadlines.addr, lone.now + 500 * BRAID_MS);
    expire();
    ck_assert_uint_eq(sent(), 2);
    struct mptcp_add_addr echo = {.id = lone.c->pm.known->locals[1].id, .addr = lone_addr("10.0.3.2:0")};
    conn_announce_echoed(lone.c, &echo); /* with another address it is none */
    expire();
    ck_assert_uint_eq(sent(), 3);
    echo.addr = lone_addr("10.0.2.2:0");
    conn_announce_echoed(lone.c, &echo);
    expire();
    ck_assert_uint_eq(sent(), 3);
    lone_end();
}
END_TEST

START_TEST(four_times_are_enough)
{
    begin();
    conn_announce(lone.c, 1);
    flush();
    for (unsigned i = 1; i < 4; i++)
        expire();
    ck_assert_uint_eq(sent(), 4);
    expire();
    ck_assert_uint_eq(sent(), 4);
    ck_assert_int_eq(lone.c->deadlines.addr, BRAID_NEVER);
    conn_announce(lone.c, 1); /* anew */
    flush();
    ck_assert_uint_eq(sent(), 5);
    lone_end();
}
END_TEST

START_TEST(nothing_is_announced_before_the_peer_has_shown_that_it_has_our_key)
{
    begin();
    lone.c->dss.keyed = false;
    conn_announce(lone.c, 1);
    flush();
    ck_assert_uint_eq(sent(), 0);
    lone.c->dss.keyed = true;
    flush();
    ck_assert_uint_eq(sent(), 1);
    lone_end();
}
END_TEST

START_TEST(withdrawals_go_three_times_and_all_in_one_segment)
{
    begin();
    conn_withdraw(lone.c, 7);
    conn_withdraw(lone.c, 8);
    conn_withdraw(lone.c, 7); /* is one */
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 2);
    unsigned packets = lone.packets;
    flush();
    ck_assert_uint_eq(lone.packets, packets + 1);
    ck_assert_uint_eq(conn_withdrawals_due(lone.c), 0);
    expire();
    conn_withdraw_not(lone.c, 8); /* in use again */
    expire();
    ck_assert_uint_eq(lone_count(COUNT_MP_RM_ADDR_TX), 3);
    ck_assert_uint_eq(lone.c->pm.known->n_withdrawals, 0);
    lone_end();
}
END_TEST

START_TEST(of_too_many_withdrawals_the_oldest_is_given_up)
{
    begin();
    for (uint8_t id = 1; id <= PM_MAX_LOCALS + 1; id++)
        conn_withdraw(lone.c, id);
    ck_assert_uint_eq(lone.c->pm.known->n_withdrawals, PM_MAX_LOCALS);
    ck_assert_uint_eq(lone.c->pm.known->withdrawals[0].id, 2);
    lone_end();
}
END_TEST

/* RFC 8684 section 3.4.1: more than two pure ACKs in a row would look like duplicates. */
START_TEST(of_three_signals_the_third_waits_or_goes_over_another_subflow)
{
    begin();
    struct conn_known *m = conn_know(lone.c);
    m->n_echoes = 3;
    unsigned packets = lone.packets;
    flush();
    ck_assert_uint_eq(lone.packets, packets + 2);
    ck_assert_int_eq(lone.c->deadlines.addr, lone.now + 200 * BRAID_MS);
    lone.now += 200 * BRAID_MS;
    flush();
    ck_assert_uint_eq(lone.packets, packets + 3);
    lone.now += 200 * BRAID_MS;
    lone_flow("10.0.2.2:4000");
    m->n_echoes = 3;
    packets = lone.packets;
    flush();
    ck_assert_uint_eq(lone.packets, packets + 3);
    lone_end();
}
END_TEST

START_TEST(a_priority_goes_over_the_subflow_that_it_is_about)
{
    begin();
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    ck_assert_int_eq(braid_conn_set_backup(lone.c, s->id, true), 0);
    ck_assert(s->backup.ours && s->backup.due && !lone.s->backup.due);
    ck_assert_int_eq(braid_conn_set_backup(lone.c, 99, true), -1);
    s->closing.dead = true;
    ck_assert_int_eq(braid_conn_set_backup(lone.c, s->id, false), -1);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("announce");
    TCase *t = tcase_create("all");
    tcase_add_test(t, an_announcement_is_repeated_until_it_is_echoed);
    tcase_add_test(t, four_times_are_enough);
    tcase_add_test(t, nothing_is_announced_before_the_peer_has_shown_that_it_has_our_key);
    tcase_add_test(t, withdrawals_go_three_times_and_all_in_one_segment);
    tcase_add_test(t, of_too_many_withdrawals_the_oldest_is_given_up);
    tcase_add_test(t, of_three_signals_the_third_waits_or_goes_over_another_subflow);
    tcase_add_test(t, a_priority_goes_over_the_subflow_that_it_is_about);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
