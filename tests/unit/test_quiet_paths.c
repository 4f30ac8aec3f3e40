/* A side that only receives, and one of its two paths gone quiet (src/mptcp/quiet_paths.c). The client
 * receives. */
#include "two_paths.h"

#include "mptcp/conn.h"

static uint64_t probes(void)
{
    return side_count(&p.client, COUNT_MP_PATH_PROBES);
}

static struct mp_subflow *flow(unsigned path)
{
    struct mp_subflow *found = NULL;
    each_flow (s, p.client.conn) {
        if (s->tcp.local.ip.b[14] == path + 1)
            found = s;
    }
    ck_assert_ptr_nonnull(found);
    return found;
}

/* The server sends a little every 10 ms, so that something comes over the path that is left. */
static void trickle(braid_time time)
{
    for (braid_time end = p.now + time; p.now < end;) {
        side_write(&p.server, 2000);
        pair_run_for(&p, 10 * BRAID_MS);
    }
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
}

/* The server uses one path only from now on, since its user says so. */
static void spare(unsigned path, bool on)
{
    struct braid_conn_stats st = stats_of(&p.client);
    for (unsigned i = 0; i < st.n_subflows; i++)
        if (st.subflows[i].local.ip.b[14] == path + 1)
            braid_conn_set_backup(p.client.conn, st.subflows[i].id, on);
    pair_run_for(&p, 20 * BRAID_MS);
}

static void begin(void)
{
    open_two_paths(sched_algorithms[1]); /* roundrobin: both are active */
    ck_assert_uint_eq(probes(), 0);
}

/* Twice the least RTO is 400 ms. */
START_TEST(a_path_that_goes_quiet_while_the_other_goes_on_is_asked_and_found_suspect)
{
    begin();
    silence(0, true);
    trickle(350 * BRAID_MS);
    ck_assert_uint_eq(probes(), 0);
    trickle(200 * BRAID_MS);
    ck_assert_uint_eq(probes(), 1);
    ck_assert(!flow(0)->silence.suspect);
    trickle(250 * BRAID_MS);
    ck_assert(flow(0)->silence.suspect && !flow(1)->silence.suspect);
    trickle(3 * BRAID_SECOND);
    ck_assert_uint_ge(probes(), 4);
    ck_assert_uint_le(probes(), 6);
    pair_free(&p);
}
END_TEST

START_TEST(one_that_answers_again_is_trusted_again)
{
    begin();
    silence(0, true);
    trickle(3 * BRAID_SECOND);
    ck_assert(flow(0)->silence.suspect);
    silence(0, false);
    trickle(BRAID_SECOND);
    ck_assert(!flow(0)->silence.suspect);
    ck_assert_int_eq(flow(0)->quiet.asked, 0);
    ck_assert_ptr_null(flow(0)->doubt);
    unsigned before = payloads[0];
    trickle(BRAID_SECOND);
    ck_assert_uint_gt(payloads[0], before);
    pair_free(&p);
}
END_TEST

/* The last path that answers is used, whatever was thought of the others. */
START_TEST(without_the_other_it_is_not_suspect_any_more)
{
    begin();
    silence(0, true);
    trickle(3 * BRAID_SECOND);
    ck_assert(flow(0)->silence.suspect);
    if (_i) { /* it ends; or it is silent as well, which shows as soon as something is sent */
        ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, flow(1)->id), 0);
    } else {
        silence(1, true);
        side_write(&p.client, 1000);
    }
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(!flow(0)->silence.suspect);
    silence(0, false);
    pair_run_for(&p, 3 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 100000, 20 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* An honest path that its sender has no use for: one question, one answer. */
START_TEST(an_idle_path_is_asked_once)
{
    begin();
    spare(0, true);
    trickle(10 * BRAID_SECOND);
    ck_assert_uint_eq(probes(), 1);
    ck_assert(!flow(0)->silence.suspect);
    /* and not again before it was active again */
    spare(0, false);
    spare(1, true);
    trickle(20 * BRAID_MS);
    spare(0, true);
    spare(1, false);
    trickle(5 * BRAID_SECOND);
    ck_assert_uint_le(probes(), 2); /* the other one, once */
    ck_assert_uint_eq(flow(0)->quiet.asked, 0);
    pair_free(&p);
}
END_TEST

START_TEST(where_nothing_comes_nobody_is_asked)
{
    begin();
    pair_run_for(&p, 3600 * BRAID_SECOND);
    ck_assert_uint_eq(probes(), 0);
    spare(0, true); /* nor where the other only begins */
    trickle(300 * BRAID_MS);
    ck_assert_uint_eq(probes(), 0);
    trickle(10 * BRAID_MS);
    /* nor if all are silent: the peer may have nothing to send */
    side_write(&p.server, 100000);
    silence(0, true);
    silence(1, true);
    pair_run_for(&p, 30 * BRAID_SECOND);
    ck_assert_uint_eq(probes(), 0);
    pair_free(&p);
}
END_TEST

/* Whoever sends hears by its ACKs. */
START_TEST(a_path_that_acknowledges_is_not_quiet)
{
    begin();
    spare(0, true);
    for (unsigned i = 0; i < 200; i++) {
        /* over path 0 alone */
        braid_conn_set_sched(p.client.conn, sched_algorithms[0]);
        flow(1)->backup.peer = true;
        flow(0)->backup.ours = flow(0)->backup.peer = false;
        side_write(&p.client, 500);
        trickle(10 * BRAID_MS);
    }
    ck_assert_uint_eq(probes(), 0);
    pair_free(&p);
}
END_TEST

START_TEST(one_that_never_answers_is_given_up_after_a_hundred_seconds)
{
    begin();
    silence(0, true);
    trickle(90 * BRAID_SECOND);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, 2);
    trickle(15 * BRAID_SECOND);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, 1);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* What passed while this end stood still says nothing of the path. */
START_TEST(a_break_of_ours_is_no_silence)
{
    begin();
    spare(0, true);
    trickle(300 * BRAID_MS);
    braid_core_resumed(p.client.core, p.now);
    trickle(300 * BRAID_MS);
    ck_assert_uint_eq(probes(), 0);
    trickle(300 * BRAID_MS);
    ck_assert_uint_eq(probes(), 1);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("quiet paths");
    TCase *t = tcase_create("quiet paths");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_path_that_goes_quiet_while_the_other_goes_on_is_asked_and_found_suspect);
    tcase_add_test(t, one_that_answers_again_is_trusted_again);
    tcase_add_loop_test(t, without_the_other_it_is_not_suspect_any_more, 0, 2);
    tcase_add_test(t, an_idle_path_is_asked_once);
    tcase_add_test(t, where_nothing_comes_nobody_is_asked);
    tcase_add_test(t, a_path_that_acknowledges_is_not_quiet);
    tcase_add_test(t, one_that_never_answers_is_given_up_after_a_hundred_seconds);
    tcase_add_test(t, a_break_of_ours_is_no_silence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
