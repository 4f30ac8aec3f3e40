/* Path rules: which subflows they match, and the count of bytes against their quotas. */
#include "mptcp/rules.h"
#include "pair.h"

static struct braid_ip ip(const char *text)
{
    struct braid_ip parsed;
    ck_assert_int_eq(ip_parse(text, &parsed), 0);
    return parsed;
}

static struct braid_path_rule rule(const char *local, uint8_t local_bits, const char *remote,
                                   uint8_t remote_bits)
{
    return (struct braid_path_rule){.local = ip(local),
                                    .local_bits = local_bits,
                                    .remote = ip(remote),
                                    .remote_bits = remote_bits,
                                    .weight = 1};
}

/* The place of the rule that matches, -1: none. */
static int found(struct rules *p, const char *local, const char *remote)
{
    struct braid_ip l = ip(local), r = ip(remote);
    return rules_place(rules_find(p, &l, &r));
}

START_TEST(the_first_rule_that_both_ends_match_wins)
{
    const struct braid_path_rule rules[] = {
        rule("10.1.0.0", 112, "192.0.2.7", 128),
        rule("10.1.0.0", 112, "192.0.2.0", 120),
        rule("::", 0, "2001:db8:4000::", 34),
        rule("10.1.2.3", 128, "::", 0),
        rule("::", 0, "0.0.0.0", 96),
    };
    struct rules p;
    ck_assert_int_eq(rules_init(&p, rules, 5), 0);
    ck_assert_int_eq(found(&p, "10.1.2.3", "192.0.2.7"), 0);
    ck_assert_int_eq(found(&p, "10.1.255.255", "192.0.2.8"), 1);
    ck_assert_int_eq(found(&p, "10.1.2.3", "192.0.3.7"), 3);
    ck_assert_int_eq(found(&p, "10.1.2.2", "192.0.3.7"), 4);
    ck_assert_int_eq(found(&p, "10.2.0.0", "192.0.2.7"), 4);
    ck_assert_int_eq(found(&p, "2001:db8::1", "2001:db8:7fff::1"), 2);
    ck_assert_int_eq(found(&p, "2001:db8::1", "2001:db8:8000::1"), -1);
    rules_free(&p);
}
END_TEST

START_TEST(a_rule_may_have_a_second_prefix_of_our_address)
{
    struct braid_path_rule both = rule("10.200.0.1", 128, "::", 0);
    both.also = ip("fd00:200::1");
    both.also_bits = 128;
    struct rules p;
    ck_assert_int_eq(rules_init(&p, &both, 1), 0);
    ck_assert_int_eq(found(&p, "10.200.0.1", "192.0.2.7"), 0);
    ck_assert_int_eq(found(&p, "fd00:200::1", "2001:db8::1"), 0);
    ck_assert_int_eq(found(&p, "10.200.0.2", "192.0.2.7"), -1);
    ck_assert_int_eq(found(&p, "fd00:200::2", "2001:db8::1"), -1);
    rules_free(&p);
}
END_TEST

START_TEST(without_rules_nothing_matches)
{
    struct rules p;
    ck_assert_int_eq(rules_init(&p, NULL, 0), 0);
    ck_assert_int_eq(found(&p, "10.1.2.3", "192.0.2.7"), -1);
    rules_free(&p);
}
END_TEST

/* ---- in a core ---- */

static struct pair p;

static void open_connection(void)
{
    p.client.established = p.server.established = false;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
    p.client.sent = p.client.received = p.server.sent = p.server.received = 0;
}

static void join_second_path(void)
{
    pair_join(&p, "10.0.2.2:4001", false);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 2);
}

/* The server knows both client networks; the first has a quota. */
static void open_with_rules(uint64_t quota)
{
    struct braid_path_rule rules[] = {rule("::", 0, "10.0.1.0", 120), rule("::", 0, "10.0.2.0", 120)};
    rules[0].quota = quota;
    rules[0].cost = 3;
    rules[1].weight = 7;
    pair_init_rules(&p, false, NULL, 0, rules, 2);
    open_connection();
}

static struct braid_path_stats books(const struct side *side, int i)
{
    struct braid_path_stats st;
    braid_core_path_stats(side->core, i, &st);
    return st;
}

START_TEST(a_subflow_tells_which_rule_it_matched)
{
    open_with_rules(0);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    join_second_path();
    struct braid_conn_stats st = stats_of(&p.server);
    ck_assert_int_eq(st.subflows[0].path_rule, 0);
    ck_assert_uint_eq(st.subflows[0].cost, 3);
    ck_assert_uint_eq(st.subflows[0].weight, 1);
    ck_assert_int_eq(st.subflows[1].path_rule, 1);
    ck_assert_uint_eq(st.subflows[1].cost, 0);
    ck_assert_uint_eq(st.subflows[1].weight, 7);
    braid_conn_stats(p.client.conn, &st);
    ck_assert_int_eq(st.subflows[0].path_rule, -1);
    ck_assert_uint_eq(st.subflows[0].weight, 1);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(books(&p.server, i).subflows, 1);
    ck_assert_uint_eq(books(&p.server, -1).subflows, 0);
    ck_assert_uint_eq(books(&p.client, -1).subflows, 2);
    struct braid_conn_brief brief[2];
    struct braid_dump *d = braid_dump_begin(p.server.core);
    ck_assert_uint_eq(braid_dump_next_brief(d, brief, 2), 1);
    ck_assert_str_eq(brief[0].listener, stats_of(&p.server).listener);
    ck_assert(brief[0].mptcp && brief[0].n_subflows == 2);
    ck_assert_uint_eq(brief[0].memory, stats_of(&p.server).memory);
    ck_assert_uint_eq(braid_dump_next_brief(d, brief, 2), 0);
    braid_dump_end(d);
    const struct braid_addr here = stats_of(&p.server).local, there = stats_of(&p.server).remote;
    ck_assert(braid_core_has_conns_at(p.server.core, &here));
    ck_assert(!braid_core_has_conns_at(p.server.core, &there));
    braid_core_abort(p.server.core, p.now);
    ck_assert(!braid_core_has_conns_at(p.server.core, &here));
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(books(&p.server, i).subflows, 0);
    pair_free(&p);
}
END_TEST

START_TEST(usage_is_the_payload_of_both_directions_over_all_connections)
{
    open_with_rules(0);
    pair_transfer(&p, &p.client, 5000, BRAID_SECOND);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 5000);
    pair_transfer(&p, &p.server, 70000, 10 * BRAID_SECOND);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 75000);
    braid_conn_abort(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.closed);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 75000);
    open_connection();
    pair_transfer(&p, &p.client, 300, BRAID_SECOND);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 75300);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 1), 0);
    pair_free(&p);
}
END_TEST

START_TEST(the_books_of_a_path_tell_what_became_of_its_segments)
{
    open_with_rules(0);
    pair_transfer(&p, &p.client, 5000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 70000, 10 * BRAID_SECOND);
    const struct braid_path_stats st = books(&p.server, 0);
    ck_assert_uint_eq(st.bytes_in, 5000);
    ck_assert_uint_eq(st.bytes_out, 70000);
    ck_assert_uint_ge(st.segments_sent, 70000 / 1460);
    ck_assert_uint_eq(st.segments_again, 0);
    uint64_t samples = 0; /* a round trip takes twice 5 ms, and a delayed ACK a little more */
    for (unsigned i = 0; i <= BRAID_RTT_BOUNDS; i++) {
        samples += st.rtt.samples[i];
        ck_assert(st.rtt.samples[i] == 0 || (i >= 3 && braid_rtt_bounds[i] <= 100 * BRAID_MS));
    }
    ck_assert_uint_gt(samples, 0);
    ck_assert_uint_ge(st.rtt.sum_us, samples * 2 * PAIR_DELAY);
    braid_core_path_forget(p.server.core, 0);
    ck_assert_uint_eq(books(&p.server, 0).bytes_out, 70000);
    ck_assert_uint_eq(books(&p.server, 1).bytes_in + books(&p.server, -1).bytes_in, 0);
    ck_assert_uint_eq(books(&p.client, -1).bytes_in, 70000);
    pair_free(&p);
}
END_TEST

static bool lose_one(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    (void)pair;
    (void)packet;
    static bool lost;
    bool now = !to_server && len > 1000 && !lost;
    lost |= now;
    return !now;
}

START_TEST(what_was_sent_again_is_in_the_books_of_its_path)
{
    open_with_rules(0);
    p.tap = lose_one;
    pair_transfer(&p, &p.server, 70000, 10 * BRAID_SECOND);
    ck_assert_uint_ge(books(&p.server, 0).segments_again, 1);
    ck_assert_uint_eq(books(&p.server, 0).segments_again,
                      braid_core_counters(p.server.core)->v[COUNT_TCP_RETRANS_SEGS]);
    ck_assert_uint_eq(books(&p.server, 0).bytes_out, 70000);
    pair_free(&p);
}
END_TEST

/* Both paths have the same delay, so minrtt would go on with the first one. */
START_TEST(a_path_over_its_quota_is_a_backup)
{
    open_with_rules(100000);
    pair_transfer(&p, &p.server, 99999, 10 * BRAID_SECOND);
    join_second_path();
    ck_assert(!stats_of(&p.server).subflows[0].over_quota);
    pair_transfer(&p, &p.server, 1, BRAID_SECOND);
    struct braid_conn_stats before = stats_of(&p.server);
    uint64_t used = braid_core_path_usage(p.server.core, 0);
    ck_assert(before.subflows[0].over_quota || used == 99999);
    pair_transfer(&p, &p.server, 1000000, 30 * BRAID_SECOND);
    ck_assert(stats_of(&p.server).subflows[0].over_quota);
    uint64_t beyond = braid_core_path_usage(p.server.core, 0) - 100000;
    ck_assert_uint_lt(beyond, 70000); /* what was decided before it was counted */
    pair_transfer(&p, &p.server, 1000000, 30 * BRAID_SECOND);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 100000 + beyond);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, stats_of(&p.server).subflows[1].id), 0);
    pair_transfer(&p, &p.server, 100000, 30 * BRAID_SECOND);
    ck_assert_uint_ge(braid_core_path_usage(p.server.core, 0), 200000 + beyond);
    pair_free(&p);
}
END_TEST

START_TEST(bytes_carried_elsewhere_count_against_the_quota_but_are_not_this_cores_usage)
{
    open_with_rules(100000);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    braid_core_path_charge(p.server.core, 0, 98999);
    ck_assert(!stats_of(&p.server).subflows[0].over_quota);
    braid_core_path_charge(p.server.core, 0, 1);
    ck_assert(stats_of(&p.server).subflows[0].over_quota);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 1000);
    pair_free(&p);
}
END_TEST

START_TEST(other_rules_take_over_books_and_subflows)
{
    open_with_rules(100000);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    const struct braid_path_rule now[] = {rule("::", 0, "2001:db8::", 32), rule("::", 0, "::", 0)};
    const int was[] = {-1, 0};
    ck_assert_int_eq(braid_core_set_paths(p.server.core, now, 2, was), 0);
    ck_assert_int_eq(stats_of(&p.server).subflows[0].path_rule, 1);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 0), 0);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 1), 1000);
    struct braid_path_stats stats;
    braid_core_path_stats(p.server.core, 1, &stats);
    ck_assert_uint_eq(stats.subflows, 1);
    pair_transfer(&p, &p.server, 500, 2 * BRAID_SECOND);
    ck_assert_uint_eq(braid_core_path_usage(p.server.core, 1), 1500);
    pair_free(&p);
}
END_TEST

START_TEST(a_rule_that_is_gone_lives_as_long_as_its_subflows)
{
    open_with_rules(100000);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    ck_assert_int_eq(braid_core_set_paths(p.server.core, NULL, 0, NULL), 0);
    ck_assert_int_eq(stats_of(&p.server).subflows[0].path_rule, -1);
    pair_transfer(&p, &p.server, 1000, 2 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

START_TEST(other_limits_hold_at_once)
{
    open_with_rules(100000);
    struct braid_core_params other;
    struct braid_core_stats stats;
    braid_core_params_default(&other);
    other.memory = 32 << 20;
    other.rcvbuf_max = other.sndbuf_max = 3 << 20;
    braid_core_set_limits(p.server.core, &other);
    braid_core_stats(p.server.core, &stats);
    ck_assert_uint_eq(stats.memory_limit, 32 << 20);
    pair_transfer(&p, &p.server, 5 << 20, 60 * BRAID_SECOND);
    braid_core_check(p.server.core);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("paths");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_first_rule_that_both_ends_match_wins);
    tcase_add_test(t, a_rule_may_have_a_second_prefix_of_our_address);
    tcase_add_test(t, without_rules_nothing_matches);
    tcase_add_test(t, the_books_of_a_path_tell_what_became_of_its_segments);
    tcase_add_test(t, what_was_sent_again_is_in_the_books_of_its_path);
    tcase_add_test(t, a_subflow_tells_which_rule_it_matched);
    tcase_add_test(t, usage_is_the_payload_of_both_directions_over_all_connections);
    tcase_add_test(t, a_path_over_its_quota_is_a_backup);
    tcase_add_test(t, bytes_carried_elsewhere_count_against_the_quota_but_are_not_this_cores_usage);
    tcase_add_test(t, other_rules_take_over_books_and_subflows);
    tcase_add_test(t, a_rule_that_is_gone_lives_as_long_as_its_subflows);
    tcase_add_test(t, other_limits_hold_at_once);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
