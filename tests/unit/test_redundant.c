/* Scheduler redundant: every byte over every path, and no path that others wait for. */
#include "two_paths.h"

extern const struct sched_ops sched_minrtt, sched_redundant;

static uint64_t carried(unsigned path)
{
    return stats_of(&p.server).subflows[path].bytes_out;
}

START_TEST(every_byte_goes_over_both_paths)
{
    open_two_paths(&sched_redundant);
    uint64_t before[2] = {carried(0), carried(1)};
    for (unsigned i = 0; i < 20; i++) {
        side_write(&p.server, 5000);
        pair_run_for(&p, 50 * BRAID_MS);
    }
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(carried(0) - before[0], 100000);
    ck_assert_uint_eq(carried(1) - before[1], 100000);
    ck_assert_uint_ge(side_count(&p.server, COUNT_MP_COPIED_BYTES), 100000);
    pair_free(&p);
}
END_TEST

START_TEST(a_loss_on_one_path_delays_nothing)
{
    open_two_paths(&sched_redundant);
    for (unsigned i = 0; i < 20; i++) {
        lose_payload[i % 2] = 1;
        side_write(&p.server, 1000);
        pair_run_for(&p, PAIR_DELAY + BRAID_MS);
        ck_assert_uint_eq(lose_payload[i % 2], 0);
        ck_assert_uint_eq(p.client.received, p.server.sent);
        pair_run_for(&p, 500 * BRAID_MS);
    }
    pair_free(&p);
}
END_TEST

/* Lost on both: repeated when its ACK is late, not after a tail loss probe. */
START_TEST(a_loss_on_both_paths_is_repaired_without_a_probe)
{
    open_two_paths(&sched_redundant);
    lose_payload[0] = lose_payload[1] = 1;
    side_write(&p.server, 1000);
    pair_run_for(&p, 130 * BRAID_MS);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_LOSS_PROBES), 0);
    pair_free(&p);
}
END_TEST

/* A copy over the same subflow is no help, and a peer that has fallen back would take it for new bytes. */
START_TEST(the_only_path_carries_no_byte_twice)
{
    open_one_path(&sched_redundant);
    pair_transfer(&p, &p.server, 100000, BRAID_SECOND);
    uint64_t before = carried(0);
    hold_acks(0, true);
    side_write(&p.server, 1000);
    pair_run_for(&p, 150 * BRAID_MS);
    ck_assert_uint_eq(carried(0) - before, 1000);
    hold_acks(0, false);
    pair_free(&p);
}
END_TEST

/* What the silent path has not acknowledged keeps its memory, and no more. */
START_TEST(a_dead_path_neither_stops_the_other_nor_fills_memory)
{
    open_two_paths(&sched_redundant);
    side_write(&p.server, 200000);
    pair_run_for(&p, 3 * BRAID_MS);
    silence(1, true);
    braid_time begin = p.now;
    pair_transfer(&p, &p.server, 10000000, 60 * BRAID_SECOND);
    ck_assert_int_lt(p.now - begin, 5 * BRAID_SECOND);
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
    pair_run_for(&p, 50 * BRAID_MS);
    ck_assert_uint_lt(stats_of(&p.server).memory, 1 << 20);
    silence(1, false);
    pair_run_for(&p, 3 * BRAID_SECOND);
    ck_assert(!stats_of(&p.server).subflows[1].stale);
    ck_assert_uint_lt(stats_of(&p.server).memory, 4096); /* no payload */
    pair_free(&p);
}
END_TEST

/* A path that lost its turn skips what the peer has. */
START_TEST(a_path_that_lags_skips_what_was_acknowledged)
{
    open_two_paths(&sched_redundant);
    side_write(&p.server, 200000);
    pair_run_for(&p, 3 * BRAID_MS);
    silence(1, true);
    pair_transfer(&p, &p.server, 5000000, 60 * BRAID_SECOND);
    silence(1, false);
    pair_run_for(&p, 2 * BRAID_SECOND);
    uint64_t before = carried(1);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    ck_assert_uint_le(carried(1) - before, 100000);
    ck_assert_uint_gt(carried(1) - before, 10000);
    pair_free(&p);
}
END_TEST

START_TEST(changing_the_scheduler_in_the_middle_loses_nothing)
{
    open_two_paths(&sched_minrtt);
    for (unsigned i = 0; i < 20; i++) {
        side_write(&p.server, 100000);
        pair_run_for(&p, 7 * BRAID_MS);
        braid_conn_set_sched(p.server.conn, i % 2 ? &sched_minrtt : &sched_redundant);
    }
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_uint_eq(p.client.received, p.server.sent);
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("redundant");
    TCase *t = tcase_create("two paths");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_byte_goes_over_both_paths);
    tcase_add_test(t, a_loss_on_one_path_delays_nothing);
    tcase_add_test(t, a_loss_on_both_paths_is_repaired_without_a_probe);
    tcase_add_test(t, the_only_path_carries_no_byte_twice);
    tcase_add_test(t, a_dead_path_neither_stops_the_other_nor_fills_memory);
    tcase_add_test(t, a_path_that_lags_skips_what_was_acknowledged);
    tcase_add_test(t, changing_the_scheduler_in_the_middle_loses_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
