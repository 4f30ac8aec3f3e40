/* Another scheduler (src/mptcp/sched_state.c) or congestion control on a living connection. */
#include "mptcp/conn.h"
#include "pair.h"

static struct pair p;

static void setup(void)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
}

static void teardown(void)
{
    pair_free(&p);
}

static const struct cc_ops *cc_named(const char *name)
{
    for (unsigned i = 0; cc_algorithms[i]; i++)
        if (strcmp(cc_algorithms[i]->name, name) == 0)
            return cc_algorithms[i];
    ck_abort_msg("there is no %s", name);
}

static void join_second_path(void)
{
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
}

static void init_to_a_segment(struct cc *cc, braid_time now)
{
    cc->cwnd = cc->mss;
    cc->ssthresh = 2 * cc->mss;
    cc_named("lia")->init(cc, now);
}

START_TEST(congestion_control_changes_on_every_subflow_and_keeps_the_windows)
{
    join_second_path();
    pair_transfer(&p, &p.client, 300000, 5 * BRAID_SECOND);
    struct braid_conn_stats before = stats_of(&p.client);
    struct cc_ops modest = *cc_named("lia");
    modest.init = init_to_a_segment;
    braid_conn_set_cc(p.client.conn, &modest, p.now);
    struct braid_conn_stats after = stats_of(&p.client);
    ck_assert_str_eq(after.congestion, "lia");
    ck_assert_uint_eq(after.n_subflows, 2);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_str_eq(before.subflows[i].congestion, "cubic");
        ck_assert_str_eq(after.subflows[i].congestion, "lia");
        ck_assert_uint_eq(after.subflows[i].cwnd, before.subflows[i].cwnd);
        ck_assert_uint_eq(after.subflows[i].ssthresh, before.subflows[i].ssthresh);
    }
    ck_assert_uint_gt(before.subflows[0].cwnd, 20000); /* more than init would give */
    ck_assert_str_eq(stats_of(&p.server).congestion, "cubic");
    pair_transfer(&p, &p.client, 300000, 5 * BRAID_SECOND);
    braid_conn_set_cc(p.client.conn, cc_named("cubic"), p.now);
}
END_TEST

START_TEST(subflows_that_come_later_have_the_new_congestion_control)
{
    braid_conn_set_cc(p.client.conn, cc_named("lia"), p.now);
    join_second_path();
    struct braid_conn_stats s = stats_of(&p.client);
    ck_assert_uint_eq(s.n_subflows, 2);
    ck_assert_str_eq(s.subflows[1].congestion, "lia");
}
END_TEST

START_TEST(algorithms_set_before_the_answer_are_there_from_the_beginning)
{
    pair_free(&p);
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    braid_conn_set_cc(p.client.conn, cc_named("lia"), p.now);
    braid_conn_set_sched(p.client.conn, sched_algorithms[1]);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_stats s = stats_of(&p.client);
    ck_assert_str_eq(s.subflows[0].congestion, "lia");
    ck_assert_str_eq(s.scheduler, sched_algorithms[1]->name);
    ck_assert_uint_gt(s.subflows[0].cwnd, 0);
    pair_transfer(&p, &p.client, 300000, 5 * BRAID_SECOND);
}
END_TEST

static unsigned to_lose;

static bool some_are_lost(struct pair *all, bool to_server, uint8_t *packet, size_t len)
{
    (void)all;
    (void)packet;
    return !to_server || len < 500 || to_lose == 0 || to_lose-- % 2 == 0;
}

/* Runs until the client has something to repair: its window is at ssthresh or below, which is finite now. */
static void run_into_recovery(void)
{
    to_lose = 3;
    p.tap = some_are_lost;
    side_write(&p.client, 400000);
    for (int i = 0; i < 1000 && stats_of(&p.client).subflows[0].ssthresh == CC_SSTHRESH_INFINITE; i++)
        pair_run_for(&p, BRAID_MS);
    ck_assert_uint_ne(stats_of(&p.client).subflows[0].ssthresh, CC_SSTHRESH_INFINITE);
    ck_assert_uint_gt(stats_of(&p.client).send_queued, 0);
}

START_TEST(congestion_control_changes_in_the_middle_of_a_recovery)
{
    run_into_recovery();
    for (unsigned i = 0; cc_algorithms[i]; i++) {
        uint64_t ssthresh = stats_of(&p.client).subflows[0].ssthresh;
        braid_conn_set_cc(p.client.conn, cc_algorithms[i], p.now);
        if (cc_algorithms[i]->model_based)
            ck_assert_uint_eq(stats_of(&p.client).subflows[0].ssthresh, CC_SSTHRESH_INFINITE);
        else if (ssthresh == CC_SSTHRESH_INFINITE) /* after one with a model, which needs none */
            ck_assert_uint_lt(stats_of(&p.client).subflows[0].ssthresh, 1 << 20);
        else
            ck_assert_uint_eq(stats_of(&p.client).subflows[0].ssthresh, ssthresh);
        pair_run_for(&p, 2 * BRAID_MS);
    }
    braid_conn_set_cc(p.client.conn, cc_algorithms[0], p.now); /* the last may have had a model */
    pair_transfer(&p, &p.client, 500000, 20 * BRAID_SECOND);
    ck_assert_uint_gt(stats_of(&p.client).subflows[0].retransmits, 0);
}
END_TEST

START_TEST(every_scheduler_takes_over_in_mid_transfer)
{
    join_second_path();
    for (unsigned i = 0; sched_algorithms[i]; i++) {
        side_write(&p.client, 200000);
        braid_conn_set_sched(p.client.conn, sched_algorithms[i]);
        ck_assert_str_eq(stats_of(&p.client).scheduler, sched_algorithms[i]->name);
        pair_transfer(&p, &p.client, 200000, 20 * BRAID_SECOND);
    }
}
END_TEST

static unsigned inits;

static void count_init(struct sched *s)
{
    inits++;
    ck_assert_uint_eq(s->priv[0], 0);
    s->priv[0] = 7;
}

START_TEST(a_scheduler_begins_afresh_but_not_if_it_is_there_already)
{
    struct sched_ops counting = *sched_algorithms[0];
    counting.init = count_init;
    counting.priv_size = sizeof(uint64_t);
    braid_conn_set_sched(p.client.conn, &counting);
    braid_conn_set_sched(p.client.conn, &counting);
    ck_assert_uint_eq(inits, 1);
    braid_conn_set_sched(p.client.conn, sched_algorithms[1]);
    braid_conn_set_sched(p.client.conn, &counting);
    ck_assert_uint_eq(inits, 2);
#ifndef __SANITIZE_ADDRESS__ /* which ends the program where malloc would say no */
    struct sched_ops greedy = counting;
    greedy.priv_size = SIZE_MAX / 4; /* there is no such memory: the one that is there goes on */
    braid_conn_set_sched(p.client.conn, &greedy);
    ck_assert_ptr_eq(p.client.conn->sched.ops, &counting);
    ck_assert_uint_eq(p.client.conn->sched.priv[0], 7);
#endif
    braid_conn_set_sched(p.client.conn, sched_algorithms[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("switch");
    TCase *t = tcase_create("switch");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, congestion_control_changes_on_every_subflow_and_keeps_the_windows);
    tcase_add_test(t, subflows_that_come_later_have_the_new_congestion_control);
    tcase_add_test(t, algorithms_set_before_the_answer_are_there_from_the_beginning);
    tcase_add_test(t, congestion_control_changes_in_the_middle_of_a_recovery);
    tcase_add_test(t, every_scheduler_takes_over_in_mid_transfer);
    tcase_add_test(t, a_scheduler_begins_afresh_but_not_if_it_is_there_already);
    suite_add_tcase(s, t);
    return run_suite(s);
}
