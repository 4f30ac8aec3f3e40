/* Two whole cores: what the user says of a connection in numbers (src/mptcp/demand.c). */
#include "mptcp/conn.h"
#include "mptcp/known.h"
#include "two_paths.h"

extern const struct pm_ops pm_on_demand, pm_fullmesh, pm_passive;

static int set(enum braid_option option, int64_t value)
{
    return braid_conn_set_option(p.client.conn, option, value);
}

static int64_t get(enum braid_option option)
{
    int64_t value = -1;
    ck_assert_int_eq(braid_conn_get_option(p.client.conn, option, &value), 0);
    return value;
}

/* The client has a second address, which it may use, and has sent 1,000 bytes over the first. */
static void begin(const struct pm_ops *pm)
{
    open_one_path(sched_algorithms[0]);
    for (unsigned i = 0; i < 2; i++) {
        struct braid_endpoint e = {.addr = pair_addr(i ? "10.0.2.2:0" : "10.0.1.2:0"), .subflow = true};
        ck_assert_int_eq(braid_core_endpoint_add(p.client.core, &e), 0);
    }
    braid_conn_set_pm(p.client.conn, pm);
    pair_run_for(&p, 200 * BRAID_MS);
}

static uint64_t joins(void)
{
    return side_count(&p.client, COUNT_MP_JOIN_SYN_TX);
}

static void has(unsigned n)
{
    pair_run_for(&p, 200 * BRAID_MS);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, n);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, n);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
}

START_TEST(nothing_is_said_and_nothing_is_kept_at_first)
{
    static const enum braid_option all[] = {BRAID_OPT_EXPECTED_BYTES, BRAID_OPT_EXPECTED_TIME,
                                            BRAID_OPT_EXPECTED_RATE, BRAID_OPT_WANTED_SUBFLOWS};
    begin(&pm_passive);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(get(all[i]), 0);
        ck_assert_int_eq(set(all[i], 0), 0);
        ck_assert_int_eq(set(all[i], -1), -1);
    }
    ck_assert_ptr_null(p.client.conn->pm.known->demand);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(set(all[i], i + 1), 0);
        ck_assert_int_eq(get(all[i]), i + 1);
    }
    unsigned most = ((struct mptcp_env *)p.client.core)->params.max_subflows;
    ck_assert_int_eq(set(BRAID_OPT_WANTED_SUBFLOWS, most + 1), -1);
    ck_assert_int_eq(set(BRAID_OPT_WANTED_SUBFLOWS, most), 0);
    pair_free(&p);
}
END_TEST

/* Of amount, duration and rate: much is to come, in a while. */
START_TEST(a_promise_opens_a_subflow_at_once)
{
    begin(&pm_on_demand);
    ck_assert_uint_eq(joins(), 0);
    if (_i == 0) {
        ck_assert_int_eq(set(BRAID_OPT_EXPECTED_BYTES, 1000000), 0);
    } else {
        ck_assert_int_eq(set(BRAID_OPT_EXPECTED_TIME, BRAID_SECOND), 0);
        pair_run_for(&p, 100 * BRAID_MS);
        ck_assert_uint_eq(joins(), 0);
        ck_assert_int_eq(set(BRAID_OPT_EXPECTED_RATE, 10000000), 0);
    }
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(joins(), 1);
    has(2);
    pair_free(&p);
}
END_TEST

START_TEST(who_promises_little_has_one_subflow_unless_it_was_wrong)
{
    begin(&pm_on_demand);
    ck_assert_int_eq(set(BRAID_OPT_EXPECTED_BYTES, 60000), 0);
    pair_transfer(&p, &p.client, 59000, 10 * BRAID_SECOND);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert_uint_eq(joins(), 0);
    pair_transfer(&p, &p.client, 10000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(joins(), 1);
    pair_free(&p);
}
END_TEST

START_TEST(a_stream_that_is_slow_has_one_subflow_however_long)
{
    begin(&pm_on_demand);
    ck_assert_int_eq(set(BRAID_OPT_EXPECTED_RATE, 16000), 0);
    for (unsigned i = 0; i < 50; i++) {
        pair_transfer(&p, &p.client, 3200, BRAID_SECOND);
        pair_run_for(&p, 200 * BRAID_MS);
    }
    ck_assert_uint_eq(joins(), 0);
    silence(0, true); /* and yet it is not alone when its path falls silent */
    pair_transfer(&p, &p.client, 3200, 10 * BRAID_SECOND);
    ck_assert_uint_ge(joins(), 1);
    pair_free(&p);
}
END_TEST

START_TEST(more_subflows_than_there_are_addresses)
{
    begin(_i ? &pm_fullmesh : &pm_passive);
    has(_i ? 2 : 1);
    ck_assert_int_eq(set(BRAID_OPT_WANTED_SUBFLOWS, 5), 0);
    has(5);
    uint64_t opened = joins();
    pair_run_for(&p, 60 * BRAID_SECOND);
    has(5);
    ck_assert_uint_eq(joins(), opened);
    pair_free(&p);
}
END_TEST

/* In order, and the path manager does not bring them back. */
START_TEST(fewer_subflows)
{
    begin(&pm_fullmesh);
    has(2);
    ck_assert_int_eq(set(BRAID_OPT_WANTED_SUBFLOWS, 1), 0);
    has(1);
    ck_assert_uint_eq(side_count(&p.client, COUNT_TCP_OUT_RSTS), 0);
    uint64_t opened = joins();
    pair_run_for(&p, 60 * BRAID_SECOND);
    has(1);
    ck_assert_uint_eq(joins(), opened);
    ck_assert_uint_eq(stats_of(&p.client).subflows[0].id, 0);
    ck_assert_int_eq(set(BRAID_OPT_WANTED_SUBFLOWS, 0), 0);
    has(2);
    pair_free(&p);
}
END_TEST

/* Also what the peer has opened. */
START_TEST(an_end_that_was_opened_closes_what_is_too_much)
{
    begin(&pm_fullmesh);
    has(2);
    ck_assert_int_eq(braid_conn_set_option(p.server.conn, BRAID_OPT_WANTED_SUBFLOWS, 1), 0);
    has(1);
    pair_free(&p);
}
END_TEST

START_TEST(a_subflow_that_is_lost_is_replaced_also_if_one_is_wanted)
{
    begin(&pm_passive);
    ck_assert_int_eq(set(BRAID_OPT_WANTED_SUBFLOWS, 1), 0);
    silence(0, true);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    silence(0, false);
    pair_run_for(&p, 60 * BRAID_SECOND);
    has(1);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("demand");
    TCase *t = tcase_create("two cores");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, nothing_is_said_and_nothing_is_kept_at_first);
    tcase_add_loop_test(t, a_promise_opens_a_subflow_at_once, 0, 2);
    tcase_add_test(t, who_promises_little_has_one_subflow_unless_it_was_wrong);
    tcase_add_test(t, a_stream_that_is_slow_has_one_subflow_however_long);
    tcase_add_loop_test(t, more_subflows_than_there_are_addresses, 0, 2);
    tcase_add_test(t, fewer_subflows);
    tcase_add_test(t, an_end_that_was_opened_closes_what_is_too_much);
    tcase_add_test(t, a_subflow_that_is_lost_is_replaced_also_if_one_is_wanted);
    suite_add_tcase(s, t);
    return run_suite(s);
}
