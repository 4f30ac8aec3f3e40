/* Two whole cores: whether a connection ends with its first subflow (src/mptcp/fate.c). */
#include "mptcp/conn.h"
#include "mptcp/join_places.h"
#include "two_paths.h"

extern const struct pm_ops pm_fullmesh;

static int share(struct side *s, bool yes)
{
    return braid_conn_set_option(s->conn, BRAID_OPT_FATE_SHARING, yes);
}

static bool shares(const struct side *s)
{
    int64_t value = -1;
    ck_assert_int_eq(braid_conn_get_option(s->conn, BRAID_OPT_FATE_SHARING, &value), 0);
    return value;
}

/* The client ends with its first subflow, and has another. */
static void begin(void)
{
    open_two_paths(sched_algorithms[0]);
    ck_assert(!shares(&p.client));
    ck_assert_int_eq(share(&p.client, true), 0);
    ck_assert(shares(&p.client) && !shares(&p.server));
}

/* Both ends know, and at once. */
static void ended(void)
{
    pair_run_for(&p, 20 * BRAID_MS);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_FATE);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(side_count(&p.client, COUNT_MP_FATE_SHARED), 1);
    ck_assert_uint_ge(side_count(&p.client, COUNT_MP_FASTCLOSE_TX), 1);
    pair_free(&p);
}

static void goes_on(void)
{
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(side_count(&p.client, COUNT_MP_FATE_SHARED), 0);
    pair_free(&p);
}

static void forget_address(const char *text)
{
    struct braid_ip ip = pair_addr(text).ip;
    ck_assert_int_eq(braid_conn_endpoint_remove(p.client.conn, &ip), 0);
}

START_TEST(a_reset_of_the_first_subflow_ends_it_whoever_resets)
{
    struct side *by = _i ? &p.server : &p.client;
    begin();
    ck_assert_int_eq(braid_conn_reset_subflow(by->conn, 0), 0);
    ended();
}
END_TEST

START_TEST(a_reset_of_another_does_not)
{
    begin();
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, 1), 0);
    goes_on();
}
END_TEST

START_TEST(nor_does_one_if_the_policy_is_to_go_on)
{
    begin();
    ck_assert_int_eq(share(&p.client, false), 0);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, 0), 0);
    goes_on();
}
END_TEST

START_TEST(it_ends_when_the_first_address_is_taken_away)
{
    begin();
    forget_address("10.0.1.2:0");
    ended();
}
END_TEST

/* Without alternatives, too: none would help. */
START_TEST(it_does_not_wait_for_another_subflow_then)
{
    open_one_path(sched_algorithms[0]);
    ck_assert_int_eq(share(&p.client, true), 0);
    forget_address("10.0.1.2:0");
    ended();
}
END_TEST

START_TEST(another_address_may_go)
{
    struct braid_endpoint e = {.addr = pair_addr("10.0.2.2:0"), .subflow = true};
    begin();
    ck_assert_int_eq(braid_conn_endpoint_add(p.client.conn, &e), 0);
    forget_address("10.0.2.2:0");
    goes_on();
}
END_TEST

/* The peer gives the first subflow up in order, as when an address of its own goes. */
START_TEST(it_ends_when_the_peer_closes_the_first_subflow)
{
    begin();
    struct braid_ip ip = pair_addr("10.0.9.1:0").ip;
    struct braid_endpoint e = {.addr = pair_addr("10.0.9.2:0"), .subflow = true};
    struct braid_addr local = pair_addr("10.0.2.2:4002"), remote = pair_addr("10.0.9.2:80");
    ck_assert_int_eq(braid_conn_endpoint_add(p.server.conn, &e), 0);
    ck_assert_int_eq(braid_conn_join(p.client.conn, &local, &remote, false, p.now), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_int_eq(braid_conn_endpoint_remove(p.server.conn, &ip), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    ended();
}
END_TEST

START_TEST(silence_is_no_end)
{
    begin();
    silence(0, true);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    ck_assert(stats_of(&p.client).subflows[0].stale);
    silence(0, false);
    pair_run_for(&p, 10 * BRAID_SECOND);
    goes_on();
}
END_TEST

/* After the minutes that TCP takes for it. */
START_TEST(a_first_subflow_that_is_given_up_ends_it)
{
    begin();
    silence(0, true);
    side_write(&p.client, 100000);
    pair_run(&p, p.now + 3600 * BRAID_SECOND, &p.client.closed);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_FATE);
    pair_run_for(&p, 20 * BRAID_MS);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_RESET);
    pair_free(&p);
}
END_TEST

START_TEST(what_is_over_ends_as_ever)
{
    begin();
    ck_assert_int_eq(share(&p.server, true), 0);
    braid_conn_shutdown(p.client.conn);
    pair_run_for(&p, 100 * BRAID_MS);
    pair_transfer(&p, &p.server, 100000, 10 * BRAID_SECOND);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_DONE);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_DONE);
    pair_free(&p);
}
END_TEST

START_TEST(it_cannot_be_asked_for_when_the_first_subflow_is_gone)
{
    open_two_paths(sched_algorithms[0]);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, 0), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_int_eq(share(&p.client, true), -1);
    ck_assert_int_eq(share(&p.client, false), 0);
    ck_assert_int_eq(braid_conn_set_option(p.client.conn, BRAID_OPT_FATE_SHARING, 2), -1);
    goes_on();
}
END_TEST

static uint16_t
    forgotten; /* a port of the client's, whose packets an address translator does not know any more */

static bool lose_forgotten(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    return get16(packet + (to_server ? 20 : 22)) != forgotten;
}

/* What was lost and has been replaced, a path manager gives up; what is stale when its address comes back, is
 * begun anew. */
START_TEST(nobody_ends_the_first_subflow_to_keep_house)
{
    struct braid_endpoint e = {.addr = pair_addr("10.0.1.2:0"), .subflow = true};
    begin();
    forgotten = 4000;
    p.tap = lose_forgotten;
    braid_conn_set_pm(p.client.conn, &pm_fullmesh);
    pair_transfer(&p, &p.client, 1000000, 60 * BRAID_SECOND);
    pair_run_for(&p, 20 * BRAID_SECOND);
    struct braid_conn_stats st = stats_of(&p.client);
    ck_assert(st.subflows[0].id == 0 && st.subflows[0].stale);
    if (_i == 0)
        ck_assert_uint_eq(st.n_subflows, 3); /* one took its place */
    else
        ck_assert_int_eq(braid_conn_endpoint_add(p.client.conn, &e), 0);
    pair_run_for(&p, 5 * BRAID_SECOND);
    forgotten = 0;
    pair_run_for(&p, 60 * BRAID_SECOND);
    st = stats_of(&p.client);
    ck_assert(st.subflows[0].id == 0 && !st.subflows[0].stale);
    goes_on();
}
END_TEST

START_TEST(a_join_takes_the_place_of_another_silent_one)
{
    begin();
    pair_run_for(&p, 5 * BRAID_SECOND);
    p.client.conn->subflows->tcp.activity.last_recv -= 2 * BRAID_SECOND;
    ck_assert_ptr_eq(conn_silent_longest(p.client.conn, p.now, p.now), p.client.conn->subflows->next);
    ck_assert_int_eq(share(&p.client, false), 0);
    ck_assert_ptr_eq(conn_silent_longest(p.client.conn, p.now, p.now), p.client.conn->subflows);
    goes_on();
}
END_TEST

/* Its RST of the second subflow is lost, and nobody sends it again. */
START_TEST(what_a_peer_that_has_gone_leaves_behind_is_found_by_its_other_resets)
{
    open_two_paths(sched_algorithms[0]);
    unsigned second = stats_of(&p.client).subflows[1].id;
    pair_run_for(&p, 2 * BRAID_SECOND);
    silence(1, true);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, second), 0);
    pair_run_for(&p, BRAID_SECOND);
    silence(1, false);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 2);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, stats_of(&p.client).subflows[0].id), 0);
    pair_run_for(&p, 20 * BRAID_MS);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 0);
    pair_free(&p);
}
END_TEST

/* A listener's, and that of braid_connect. */
START_TEST(the_policy_is_that_of_whoever_listens_or_connects)
{
    struct braid_listen_params l = {.addr = pair_addr("10.0.9.1:81"),
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .fate_sharing = true,
                                    .ops = &pair_ops,
                                    .ctx = &p};
    struct braid_connect_params c = {.local = pair_addr("10.0.1.2:4001"),
                                     .remote = pair_addr("10.0.9.1:81"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .fate_sharing = true,
                                     .ops = &pair_ops,
                                     .user = &p.client};
    pair_init(&p, false, NULL, 0);
    ck_assert_ptr_nonnull(braid_listen(p.server.core, &l));
    p.client.conn = braid_connect(p.client.core, &c, p.now);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(shares(&p.client) && shares(&p.server));
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fate");
    TCase *t = tcase_create("two cores");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_reset_of_the_first_subflow_ends_it_whoever_resets, 0, 2);
    tcase_add_test(t, a_reset_of_another_does_not);
    tcase_add_test(t, nor_does_one_if_the_policy_is_to_go_on);
    tcase_add_test(t, it_ends_when_the_first_address_is_taken_away);
    tcase_add_test(t, it_does_not_wait_for_another_subflow_then);
    tcase_add_test(t, another_address_may_go);
    tcase_add_test(t, it_ends_when_the_peer_closes_the_first_subflow);
    tcase_add_test(t, silence_is_no_end);
    tcase_add_test(t, a_first_subflow_that_is_given_up_ends_it);
    tcase_add_test(t, what_is_over_ends_as_ever);
    tcase_add_test(t, it_cannot_be_asked_for_when_the_first_subflow_is_gone);
    tcase_add_loop_test(t, nobody_ends_the_first_subflow_to_keep_house, 0, 2);
    tcase_add_test(t, a_join_takes_the_place_of_another_silent_one);
    tcase_add_test(t, what_a_peer_that_has_gone_leaves_behind_is_found_by_its_other_resets);
    tcase_add_test(t, the_policy_is_that_of_whoever_listens_or_connects);
    suite_add_tcase(s, t);
    return run_suite(s);
}
