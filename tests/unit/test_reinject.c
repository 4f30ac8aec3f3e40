/* What one subflow does for another: silent paths, lost tails. The paths' round trip is 10 ms. */
#include "two_paths.h"

extern const struct sched_ops sched_minrtt, sched_roundrobin;

/* Both paths have something to carry while path 1, or both, fall silent. */
static void fill_silent(bool both)
{
    unsigned before[2] = {payloads[0], payloads[1]};
    silence(0, both);
    silence(1, true);
    side_write(&p.server, 200000);
    pair_run_for(&p, 3 * BRAID_MS);
    ck_assert(payloads[0] > before[0] && payloads[1] > before[1]);
}

START_TEST(what_a_silent_path_carries_is_repeated_before_its_timeout)
{
    open_two_paths(_i ? &sched_roundrobin : &sched_minrtt);
    fill_silent(false);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_TIMEOUTS), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_SUSPECTED), 1);
    ck_assert_uint_gt(side_count(&p.server, COUNT_MP_REINJECT_SILENT), 0);
    ck_assert_uint_ge(side_count(&p.server, COUNT_MP_REINJECT_BYTES), stats_of(&p.server).subflows[1].mss);
    ck_assert(stats_of(&p.server).subflows[1].stale && !stats_of(&p.server).subflows[0].stale);
    pair_free(&p);
}
END_TEST

START_TEST(a_suspect_path_gets_nothing_new)
{
    open_two_paths(&sched_minrtt);
    fill_silent(false);
    pair_run_for(&p, 100 * BRAID_MS);
    uint64_t before = stats_of(&p.server).subflows[1].bytes_out;
    pair_transfer(&p, &p.server, 1000000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(stats_of(&p.server).subflows[1].bytes_out, before);
    pair_free(&p);
}
END_TEST

/* RFC 8684 section 3.3.6: data reinjected elsewhere is retransmitted on its own subflow as well. By then the
 * timeout has been backed off to seconds. */
START_TEST(a_path_that_works_again_delivers_what_it_owes_and_carries_new_data_soon)
{
    open_two_paths(&sched_minrtt);
    fill_silent(false);
    pair_run_for(&p, 4500 * BRAID_MS);
    struct braid_conn_stats st = stats_of(&p.server);
    ck_assert_uint_gt(st.subflows[1].in_flight, 0);
    ck_assert_int_gt(st.subflows[1].rto_us, 3 * BRAID_SECOND);
    ck_assert_uint_gt(side_count(&p.server, COUNT_MP_PATH_PROBES), 3);
    silence(1, false);
    pair_run_for(&p, 1000 * BRAID_MS);
    ck_assert(!stats_of(&p.server).subflows[1].stale);
    ck_assert_uint_gt(stats_of(&p.server).subflows[1].retransmits, st.subflows[1].retransmits);
    ck_assert_uint_eq(stats_of(&p.server).subflows[1].in_flight, 0);
    pair_transfer(&p, &p.server, 1000000, 10 * BRAID_SECOND);
    ck_assert_uint_gt(stats_of(&p.server).subflows[1].bytes_out, st.subflows[1].bytes_out);
    pair_free(&p);
}
END_TEST

/* The server has something to send all the time. Until something comes to one of the counters. */
static braid_time until_more(const unsigned *counter)
{
    unsigned before = *counter;
    for (braid_time end = p.now + 2 * BRAID_SECOND; *counter == before && p.now < end;) {
        side_write(&p.server, 5000);
        pair_run_for(&p, BRAID_MS);
    }
    ck_assert_uint_gt(*counter, before);
    return p.now;
}

/* However long it was silent, and whatever its timer was backed off to: what tells is the answer to a probe,
 * or that the peer asks. */
START_TEST(a_path_that_works_again_carries_data_within_a_round_trip_of_its_first_answer)
{
    static const braid_time SILENT[] = {2 * BRAID_SECOND, 9 * BRAID_SECOND, 40 * BRAID_SECOND};
    open_two_paths(&sched_minrtt);
    fill_silent(false);
    pair_run_for(&p, SILENT[_i]);
    ck_assert(stats_of(&p.server).subflows[1].stale);
    silence(1, false);
    braid_time answered = until_more(&answers[1]);
    ck_assert_int_le(until_more(&payloads[1]) - answered, 2 * PAIR_DELAY + BRAID_MS);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    pair_free(&p);
}
END_TEST

START_TEST(the_only_path_is_never_suspect)
{
    open_two_paths(&sched_minrtt);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, stats_of(&p.server).subflows[0].id), 0);
    silence(1, true);
    side_write(&p.server, 200000);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_SUSPECTED), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_PATH_PROBES), 0);
    silence(1, false);
    pair_run_for(&p, 20 * BRAID_SECOND);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    pair_free(&p);
}
END_TEST

/* Both at once are taken for an outage of the host, not of a path: one goes on alone. */
START_TEST(of_two_silent_paths_one_remains_in_use)
{
    open_two_paths(&sched_minrtt);
    fill_silent(true);
    pair_run_for(&p, 150 * BRAID_MS);
    struct braid_conn_stats st = stats_of(&p.server);
    ck_assert(st.subflows[0].stale != st.subflows[1].stale);
    silence(0, false);
    silence(1, false);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
    pair_free(&p);
}
END_TEST

/* Only the acknowledgements are late: the path gets more patience, and the same delay is none next time. */
START_TEST(late_acknowledgements_teach_patience)
{
    open_two_paths(&sched_minrtt);
    for (unsigned i = 0; i < 2; i++) {
        side_write(&p.server, 500000);
        pair_run_for(&p, 13 * BRAID_MS); /* into the second window, which is paced: of several ACKs some are
                                            for what left once */
        hold_acks(1, true);
        pair_run_for(&p, 62 * BRAID_MS);
        hold_acks(1, false);
        pair_run_for(&p, 500 * BRAID_MS);
        ck_assert_uint_eq(side_count(&p.server, COUNT_MP_SUSPECTED), 1);
        ck_assert_uint_eq(side_count(&p.server, COUNT_MP_SUSPECTED_WRONGLY), 1);
    }
    ck_assert_uint_eq(p.client.received, p.server.sent);
    pair_free(&p);
}
END_TEST

/* One segment, lost: the tail loss probe of its own subflow comes after two round trips and the longest delay
 * of an ACK. */
START_TEST(a_lost_tail_is_repeated_on_the_idle_path)
{
    open_two_paths(&sched_minrtt);
    lose_payload[0] = lose_payload[1] = 1;
    unsigned before = payloads[0] + payloads[1];
    side_write(&p.server, 1000);
    pair_run_for(&p, BRAID_MS);
    ck_assert_uint_eq(payloads[0] + payloads[1], before + 1);
    lose_payload[0] = lose_payload[1] = 0;
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_LOSS_PROBES), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_REINJECT_TAIL), 1);
    pair_free(&p);
}
END_TEST

START_TEST(a_tail_that_arrives_is_sent_once)
{
    open_two_paths(&sched_minrtt);
    uint64_t before = side_count(&p.server, COUNT_MP_REINJECT_BYTES);
    for (unsigned i = 0; i < 20; i++) {
        side_write(&p.server, 1000 * (i + 1));
        pair_run_for(&p, 200 * BRAID_MS);
    }
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_REINJECT_BYTES), before);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reinjection");
    TCase *t = tcase_create("two paths");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, what_a_silent_path_carries_is_repeated_before_its_timeout, 0, 2);
    tcase_add_test(t, a_suspect_path_gets_nothing_new);
    tcase_add_test(t, a_path_that_works_again_delivers_what_it_owes_and_carries_new_data_soon);
    tcase_add_loop_test(t, a_path_that_works_again_carries_data_within_a_round_trip_of_its_first_answer, 0,
                        3);
    tcase_add_test(t, the_only_path_is_never_suspect);
    tcase_add_test(t, of_two_silent_paths_one_remains_in_use);
    tcase_add_test(t, late_acknowledgements_teach_patience);
    tcase_add_test(t, a_lost_tail_is_repeated_on_the_idle_path);
    tcase_add_test(t, a_tail_that_arrives_is_sent_once);
    suite_add_tcase(s, t);
    return run_suite(s);
}
