/* Path managers on-demand and backup over whole cores, and what they go by (pm_load.c): how much a connection
 * carries, and for how long its data has waited for room. */
#include "two_paths.h"

#include "mptcp/conn.h"
#include "mptcp/pm_load.h"
#include "mptcp/sendbuf.h"

extern const struct pm_ops pm_on_demand, pm_backup;

#define LITTLE 60000 /* less than join_after, either way */
#define MUCH   70000

static void add_endpoint(const char *ip)
{
    struct braid_endpoint e = {.subflow = true};
    ck_assert_int_eq(ip_parse(ip, &e.addr.ip), 0);
    ck_assert_int_eq(braid_core_endpoint_add(p.client.core, &e), 0);
}

/* The client has a second address, which it may use, and has sent 1,000 bytes over the first. */
static void begin(const struct pm_ops *pm)
{
    open_one_path(sched_algorithms[0]);
    add_endpoint("10.0.1.2");
    add_endpoint("10.0.2.2");
    braid_conn_set_pm(p.client.conn, pm);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, 1);
}

static uint64_t joins(void)
{
    return side_count(&p.client, COUNT_MP_JOIN_SYN_TX);
}

static struct side *side(int i)
{
    return i ? &p.server : &p.client;
}

START_TEST(a_little_data_opens_no_join)
{
    begin(&pm_on_demand);
    pair_transfer(&p, side(_i), LITTLE, 10 * BRAID_SECOND);
    pair_transfer(&p, side(!_i), LITTLE / 2, 10 * BRAID_SECOND);
    pair_run_for(&p, 60 * BRAID_SECOND);
    ck_assert_uint_eq(joins(), 0);
    pair_free(&p);
}
END_TEST

START_TEST(much_data_in_either_direction_opens_one)
{
    begin(&pm_on_demand);
    pair_transfer(&p, side(_i), MUCH, 10 * BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(joins(), 1);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, 2);
    pair_transfer(&p, side(!_i), MUCH, 10 * BRAID_SECOND);
    ck_assert_uint_eq(joins(), 1);
    pair_free(&p);
}
END_TEST

/* What the user has written counts, sent or not: a join is on its way before the first round trip is over. */
START_TEST(a_bunch_of_data_that_was_written_opens_one_at_once)
{
    begin(&pm_on_demand);
    ck_assert_uint_eq(side_write(&p.client, MUCH), MUCH);
    pair_run_for(&p, PAIR_DELAY);
    ck_assert_uint_eq(joins(), 1);
    pair_free(&p);
}
END_TEST

START_TEST(how_much_is_much_is_the_users_to_say)
{
    begin(&pm_on_demand);
    ((struct mptcp_env *)p.client.core)->params.join_after = 5000;
    braid_conn_set_pm(p.client.conn, &pm_backup);
    braid_conn_set_pm(p.client.conn, &pm_on_demand);
    pair_transfer(&p, &p.server, 3000, BRAID_SECOND);
    ck_assert_uint_eq(joins(), 0);
    pair_transfer(&p, &p.server, 3000, BRAID_SECOND);
    ck_assert_uint_eq(joins(), 1);
    pair_free(&p);
}
END_TEST

static void hold_window(struct cc *cc, const struct cc_ack *ack)
{
    (void)ack;
    cc->cwnd = 2 * cc->mss;
}

/* A window that never grows: a slow path. */
START_TEST(a_subflow_that_stays_full_opens_one)
{
    struct cc_ops slow = *cc_algorithms[0];
    slow.on_ack = hold_window;
    begin(&pm_on_demand);
    braid_conn_set_cc(p.client.conn, &slow, p.now);
    pair_transfer(&p, &p.client, 3000, BRAID_SECOND); /* from now on the window is small */
    ck_assert_uint_eq(joins(), 0);
    pair_transfer(&p, &p.client, 6000, BRAID_SECOND); /* three windows: the last waits for two round trips */
    ck_assert_uint_eq(joins(), 0);
    pair_transfer(&p, &p.client, 20000, BRAID_SECOND);
    ck_assert_uint_eq(joins(), 1);
    pair_free(&p);
}
END_TEST

/* The timer of a subflow that carries little is what tells: 60 ms after the last answer it has not run out
 * yet.
 */
START_TEST(silence_opens_one_and_the_data_arrives_over_it)
{
    begin(_i ? &pm_backup : &pm_on_demand);
    silence(0, true);
    ck_assert_uint_eq(side_write(&p.client, 2000), 2000);
    pair_run_for(&p, 60 * BRAID_MS);
    ck_assert_uint_eq(joins(), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(joins(), 1);
    ck_assert_uint_eq(p.server.received, 3000);
    pair_free(&p);
}
END_TEST

START_TEST(backup_opens_none_however_much_there_is)
{
    begin(&pm_backup);
    pair_transfer(&p, side(_i), 1000000, 20 * BRAID_SECOND);
    ck_assert_uint_eq(joins(), 0);
    pair_free(&p);
}
END_TEST

START_TEST(an_address_that_goes_opens_the_other)
{
    struct braid_ip first;
    begin(_i ? &pm_backup : &pm_on_demand);
    ck_assert_int_eq(ip_parse("10.0.1.2", &first), 0);
    ck_assert_int_eq(braid_core_endpoint_remove(p.client.core, &first), 0);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(joins(), 1);
    struct braid_conn_stats st = stats_of(&p.client);
    ck_assert_uint_eq(st.n_subflows, 1);
    struct braid_addr second = pair_addr("10.0.2.2:1");
    ck_assert(ip_equal(&st.subflows[0].local.ip, &second.ip));
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* ---- the notes ---- */

static struct braid_conn *conn_with_data(void)
{
    begin(&pm_backup); /* which asks for nothing */
    struct braid_conn *c = p.client.conn;
    ck_assert_uint_eq(side_write(&p.client, 1000), 1000);
    return c;
}

START_TEST(only_what_the_peer_would_take_waits)
{
    struct braid_conn *c = conn_with_data();
    uint64_t edge = c->send.edge;
    conn_load_expect(c, 0, 30 * BRAID_MS);
    c->send.edge = c->send.nxt; /* a closed window */
    conn_load_note(c, p.now);
    ck_assert_int_eq(conn_load_waited(c, p.now + BRAID_SECOND), 0);
    c->send.edge = edge;
    conn_load_note(c, p.now);
    conn_load_note(c, p.now + 10); /* goes on */
    ck_assert_int_eq(conn_load_waited(c, p.now + 25), 25);
    ck_assert(c->deadlines.pm == p.now + 30 * BRAID_MS);
    pair_run_for(&p, BRAID_SECOND); /* it leaves */
    conn_load_expect(c, 0, 30 * BRAID_MS);
    conn_load_note(c, p.now);
    ck_assert_int_eq(conn_load_waited(c, p.now), 0);
    pair_free(&p);
}
END_TEST

START_TEST(who_did_not_ask_is_told_nothing)
{
    struct braid_conn *c = conn_with_data();
    conn_load_note(c, p.now);
    ck_assert_int_eq(conn_load_waited(c, p.now + BRAID_SECOND), 0);
    ck_assert(!conn_load_reached(c) && c->deadlines.pm == BRAID_NEVER);
    conn_load_expect(c, conn_volume(c) + 1, 0);
    ck_assert(!conn_load_reached(c));
    conn_load_expect(c, conn_volume(c), 0);
    ck_assert(conn_load_reached(c));
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("subflows on demand");
    TCase *t = tcase_create("cores");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_little_data_opens_no_join, 0, 2);
    tcase_add_loop_test(t, much_data_in_either_direction_opens_one, 0, 2);
    tcase_add_test(t, a_bunch_of_data_that_was_written_opens_one_at_once);
    tcase_add_test(t, how_much_is_much_is_the_users_to_say);
    tcase_add_test(t, a_subflow_that_stays_full_opens_one);
    tcase_add_loop_test(t, silence_opens_one_and_the_data_arrives_over_it, 0, 2);
    tcase_add_loop_test(t, backup_opens_none_however_much_there_is, 0, 2);
    tcase_add_loop_test(t, an_address_that_goes_opens_the_other, 0, 2);
    suite_add_tcase(s, t);
    t = tcase_create("notes");
    tcase_add_test(t, only_what_the_peer_would_take_waits);
    tcase_add_test(t, who_did_not_ask_is_told_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
