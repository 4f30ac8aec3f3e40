/* role/race: who wins, when, and what becomes of the others. Two cores, in virtual time (race_field.h). */
#include "race_field.h"

static void expect_loss(enum race_loss why, braid_time took)
{
    ck_assert_uint_eq(field.n_lost, 1);
    ck_assert_str_eq(race_loss_text(field.why), race_loss_text(why));
    ck_assert_int_eq(field_took(), took);
    pair_run_for(&field.pair, BRAID_SECOND);
    ck_assert_uint_eq(field_conns(&field.pair.client), 0);
}

START_TEST(where_the_best_uplink_answers_nobody_else_is_asked)
{
    field_lanes(3);
    field_race();
    expect_win(1, true, TRIP);
    ck_assert(field.uplinks[1].syns == 1 && field.uplinks[1].plain_syns == 0);
    ck_assert_uint_eq(field.uplinks[2].syns + field.uplinks[3].syns, 0);
    ck_assert(field.seen[1][RACE_SEEN_MPTCP] == 1 && field_seen_all() == 1);
}
END_TEST

START_TEST(a_dead_uplink_costs_its_head_start)
{
    field_lanes(2);
    field.uplinks[1].dead = true;
    field_race();
    expect_win(2, true, HEAD + TRIP);
    ck_assert_int_eq(field.uplinks[1].first_plain, field.begun + HEAD);
    ck_assert(field.seen[1][RACE_SEEN_SILENT] == 1 && field.seen[2][RACE_SEEN_MPTCP] == 1);
    ck_assert_uint_eq(field_seen_all(), 2);
}
END_TEST

START_TEST(each_lane_has_the_head_start_of_its_uplink)
{
    ck_assert_int_eq(race_head_start(0), HEAD);
    ck_assert_int_eq(race_head_start(100 * BRAID_MS), HEAD);
    ck_assert_int_eq(race_head_start(300 * BRAID_MS), 600 * BRAID_MS);
    field_lanes(3);
    field.lanes[0].head_start = race_head_start(300 * BRAID_MS);
    field.uplinks[1].dead = field.uplinks[2].dead = true;
    field_race();
    expect_win(3, true, 600 * BRAID_MS + HEAD + TRIP);
    ck_assert_int_eq(field.uplinks[2].first_syn, field.begun + 600 * BRAID_MS);
}
END_TEST

START_TEST(the_winner_is_its_users_and_carries_data)
{
    field_lanes(2);
    field.uplinks[1].dead = true;
    field_race();
    ck_assert(!field.pair.client.established);
    field.pair.tap = NULL;
    pair_run_for(&field.pair, BRAID_SECOND);
    ck_assert_ptr_eq(braid_conn_get_ops(field.pair.client.conn), &pair_ops);
    pair_transfer(&field.pair, &field.pair.client, 100000, BRAID_SECOND);
    pair_transfer(&field.pair, &field.pair.server, 100000, BRAID_SECOND);
    braid_conn_abort(field.pair.server.conn);
    pair_run_for(&field.pair, BRAID_SECOND);
    ck_assert(field.pair.client.closed && field.pair.client.why == BRAID_CLOSE_RESET);
}
END_TEST

/* Both SYN/ACKs are there before the flush. */
START_TEST(of_two_that_answer_at_once_one_wins_and_the_other_is_reset)
{
    field_lanes(2);
    field.uplinks[1].delay = HEAD / 2 + PAIR_DELAY;
    field_race();
    ck_assert_int_eq(field_took(), HEAD + TRIP);
    ck_assert_uint_eq(field.n_won, 1);
    unsigned loser = 3 - field.lanes[field.lane].uplink;
    pair_run_for(&field.pair, 2 * BRAID_SECOND);
    ck_assert_uint_ge(field.uplinks[loser].resets, 1);
    ck_assert_uint_eq(field.uplinks[loser].acks, 0); /* the server never took it for established */
    ck_assert_uint_eq(field_conns(&field.pair.client), 1);
    ck_assert_uint_eq(field_conns(&field.pair.server), 1);
}
END_TEST

/* Also where the core passes back what it does not know. */
START_TEST(who_answers_too_late_is_reset)
{
    struct braid_listen_params any = {.addr = {.ip = ip_from_v4((uint8_t[4]){0})},
                                      .clients = BRAID_CLIENTS_PLAIN,
                                      .name = "lan",
                                      .cc = cc_algorithms[0],
                                      .sched = sched_algorithms[0],
                                      .ops = &pair_ops,
                                      .ctx = &field.pair};
    ck_assert_ptr_nonnull(braid_listen(field.pair.client.core, &any));
    field_lanes(2);
    field.uplinks[1].delay = HEAD;
    field_race();
    expect_win(2, true, HEAD + TRIP);
    pair_run_for(&field.pair, 2 * BRAID_SECOND);
    ck_assert_uint_eq(field.uplinks[1].syns, 3); /* one of them again */
    ck_assert_uint_eq(field.uplinks[1].resets, 3);
    ck_assert_uint_eq(field_conns(&field.pair.client), 1);
    ck_assert_uint_eq(field_conns(&field.pair.server), 1);
    ck_assert_uint_eq(side_count(&field.pair.client, COUNT_PASSED_BACK), 0);
}
END_TEST

/* It is neither plain TCP's, nor the next uplink's, since the same SYN leaves once more before theirs. */
START_TEST(a_lost_syn_costs_its_head_start_and_nothing_else)
{
    field_lanes(2);
    field.uplinks[1].lose = 1;
    field_race();
    expect_win(1, true, HEAD + TRIP);
    ck_assert(field.seen[1][RACE_SEEN_MPTCP] == 1 && field_seen_all() == 1);
}
END_TEST

/* The times of RFC 6298 are the same as if that had not been. */
START_TEST(where_both_are_lost_the_next_one_comes_a_second_after_the_first)
{
    field_lanes(1);
    field.params.fallback = false;
    field.uplinks[1].lose = 2;
    field_race();
    expect_win(1, true, BRAID_SECOND + TRIP);
    ck_assert_uint_eq(field.uplinks[1].syns, 3);
}
END_TEST

/* Two SYNs would have one 4-tuple. The one there is becomes plain itself, a second after three with the
 * option; and where it is refused the plain one has the port. */
START_TEST(where_the_port_is_given_one_syn_is_under_way)
{
    field_lanes(1);
    field.lanes[0].local.port = 50000;
    field.uplinks[1].mptcp = _i ? SYN_RESET : SYN_DROPPED;
    field.uplinks[1].delay = _i ? 200 * BRAID_MS : 0; /* the RST comes when a plain SYN would be due */
    field_race();
    ck_assert_uint_eq(field.n_won, 1);
    struct braid_addr local, remote;
    braid_conn_addrs(field.pair.client.conn, &local, &remote);
    ck_assert(local.port == 50000 && !braid_conn_is_mptcp(field.pair.client.conn));
    ck_assert_int_eq(field.over_at - field.begun > 2 * BRAID_SECOND, !_i);
}
END_TEST

START_TEST(a_dropped_option_is_joined_by_a_plain_syn)
{
    field_lanes(1);
    field.uplinks[1].mptcp = SYN_DROPPED;
    field_race();
    expect_win(1, false, HEAD + TRIP);
    ck_assert(field.seen[1][RACE_SEEN_DROPPED] == 1 && field_seen_all() == 1);
}
END_TEST

/* Not before, though the next lane has had its turn; and what it shows of the way still counts. */
START_TEST(the_plain_syn_may_have_to_wait_for_longer_than_the_next_lane)
{
    field_lanes(2);
    field.lanes[0].plain_after = 3 * BRAID_SECOND;
    field.uplinks[1].mptcp = SYN_DROPPED;
    field.uplinks[2].dead = true;
    field_race();
    expect_win(1, false, 3 * BRAID_SECOND + TRIP);
    ck_assert_int_eq(field.uplinks[1].first_plain, field.begun + 3 * BRAID_SECOND);
    ck_assert_int_eq(field.uplinks[2].first_syn, field.begun + HEAD);
    ck_assert(field.seen[1][RACE_SEEN_DROPPED] == 1);
}
END_TEST

START_TEST(a_faster_uplink_with_mptcp_beats_the_plain_syn)
{
    field_lanes(2);
    field.uplinks[1].mptcp = SYN_DROPPED;
    field.uplinks[1].delay = 4 * PAIR_DELAY;
    field_race();
    expect_win(2, true, HEAD + TRIP);
}
END_TEST

START_TEST(a_stripped_option_makes_plain_tcp_without_delay)
{
    field_lanes(2);
    field.uplinks[1].mptcp = SYN_STRIPPED;
    field_race();
    expect_win(1, false, TRIP);
    ck_assert(field.seen[1][RACE_SEEN_STRIPPED] == 1 && field_seen_all() == 1);
}
END_TEST

START_TEST(where_plain_tcp_is_not_wanted_the_next_uplink_is_asked_at_once)
{
    field_lanes(2);
    field.params.fallback = false;
    field.uplinks[1].mptcp = SYN_STRIPPED;
    field_race();
    expect_win(2, true, 2 * TRIP);
    ck_assert_uint_eq(field.uplinks[1].plain_syns, 0);
    ck_assert(field.seen[1][RACE_SEEN_STRIPPED] == 1 && field.seen[2][RACE_SEEN_MPTCP] == 1);
    pair_run_for(&field.pair, BRAID_SECOND);
    ck_assert_uint_eq(field_conns(&field.pair.server), 1);
}
END_TEST

START_TEST(where_plain_tcp_is_all_there_is_and_not_wanted_that_is_said)
{
    field_lanes(2);
    field.params.fallback = false;
    field.uplinks[1].mptcp = field.uplinks[2].mptcp = SYN_STRIPPED;
    field_race();
    expect_loss(RACE_LOST_PLAIN, 2 * TRIP);
    ck_assert_uint_eq(field_conns(&field.pair.server), 0);
}
END_TEST

START_TEST(a_lane_that_drops_the_option_is_asked_plainly_only)
{
    field_lanes(1);
    field.lanes[0].plain = true;
    field_race();
    expect_win(1, false, TRIP);
    ck_assert(field.uplinks[1].syns == 1 && field_seen_all() == 0);
}
END_TEST

START_TEST(where_plain_tcp_is_not_wanted_a_plain_lane_is_asked_for_mptcp)
{
    field_lanes(1);
    field.lanes[0].plain = true;
    field.params.fallback = false;
    field_race();
    expect_win(1, true, TRIP);
    ck_assert_uint_eq(field.uplinks[1].plain_syns, 0);
}
END_TEST

START_TEST(a_refusal_is_confirmed_by_a_plain_syn_and_ends_the_race)
{
    field_lanes(3);
    field.pair.refuse = true;
    field_race();
    expect_loss(RACE_LOST_REFUSED, 2 * TRIP);
    ck_assert(field.uplinks[1].syns == 2 && field.uplinks[1].plain_syns == 1);
    ck_assert_uint_eq(field.uplinks[2].syns + field.uplinks[3].syns, 0);
}
END_TEST

START_TEST(a_slow_refusal_is_not_asked_for_elsewhere)
{
    field_lanes(2);
    field.uplinks[1].delay = 100 * BRAID_MS;
    field.pair.refuse = true;
    field_race();
    expect_loss(RACE_LOST_REFUSED, 400 * BRAID_MS);
    ck_assert_uint_eq(field.uplinks[2].syns, 0);
}
END_TEST

START_TEST(a_reset_that_means_the_option_makes_plain_tcp)
{
    field_lanes(2);
    field.uplinks[1].mptcp = SYN_RESET;
    field_race();
    expect_win(1, false, 2 * TRIP);
    ck_assert(field.seen[1][RACE_SEEN_REJECTED] == 1 && field_seen_all() == 1);
}
END_TEST

START_TEST(without_fallback_every_uplink_is_asked_before_it_is_refused)
{
    field_lanes(2);
    field.params.fallback = false;
    field.uplinks[1].mptcp = SYN_RESET;
    field_race();
    expect_win(2, true, 2 * TRIP);
    field_free();
    field_init();
    field_lanes(2);
    field.params.fallback = false;
    field.pair.refuse = true;
    field_race();
    expect_loss(RACE_LOST_REFUSED, 2 * TRIP);
}
END_TEST

/* The plain SYN is refused while one with MP_CAPABLE is under way over another uplink. */
START_TEST(who_was_asked_before_a_refusal_may_still_win)
{
    field_lanes(3);
    field.uplinks[1].mptcp = SYN_DROPPED;
    field.uplinks[1].plain = SYN_RESET;
    field.uplinks[2].delay = HEAD / 2 - PAIR_DELAY;
    field_race();
    expect_win(2, true, 2 * HEAD - TRIP);
    ck_assert(field.seen[1][RACE_SEEN_SILENT] == 1 && field.seen[2][RACE_SEEN_MPTCP] == 1);
    ck_assert_uint_eq(field.uplinks[3].syns, 0);
}
END_TEST

START_TEST(a_refusal_holds_when_the_others_have_had_their_head_start)
{
    field_lanes(3);
    field.uplinks[1].mptcp = SYN_DROPPED;
    field.uplinks[1].plain = SYN_RESET;
    field.uplinks[2].dead = true;
    field_race();
    expect_loss(RACE_LOST_REFUSED, 2 * HEAD);
    ck_assert(field.uplinks[2].syns == 1 && field.uplinks[3].syns == 0);
}
END_TEST

START_TEST(one_address_that_refuses_says_nothing_of_the_next)
{
    field_lane(1, "10.0.9.2:80"); /* nobody listens there */
    field_lane(2, "10.0.9.2:80");
    field_lane(1, "10.0.9.1:80");
    field_race();
    expect_win(1, true, 3 * TRIP);
    ck_assert_uint_eq(field.lane, 2);
    ck_assert_uint_eq(field.uplinks[2].syns, 0);
    ck_assert_uint_eq(field.seen[1][RACE_SEEN_SILENT], 1);
}
END_TEST

START_TEST(what_is_unreachable_pulls_the_next_forward)
{
    field_lanes(2);
    field.pair.refuse = true;
    field.pair.how = BRAID_REFUSE_UNREACHABLE;
    field_race();
    ck_assert_int_eq(field.uplinks[2].first_syn, field.begun + TRIP);
    ck_assert_int_eq(field.uplinks[1].first_plain, field.begun + TRIP);
    expect_loss(RACE_LOST_UNREACHABLE, 3 * TRIP);
}
END_TEST

START_TEST(of_several_reasons_the_one_that_tells_most_is_told)
{
    field_lane(1, "10.0.9.2:80"); /* refuses */
    field_lane(1, "10.0.9.1:80");
    field.pair.refuse = true;
    field.pair.how = BRAID_REFUSE_UNREACHABLE;
    field_race();
    expect_loss(RACE_LOST_REFUSED, 4 * TRIP);
    field_free();
    field_init();
    field_lane(1, "10.0.9.1:80"); /* unreachable */
    field_lane(2, "10.0.9.2:80"); /* silent */
    field.pair.refuse = true;
    field.pair.how = BRAID_REFUSE_UNREACHABLE;
    field.uplinks[2].dead = true;
    field_race();
    expect_loss(RACE_LOST_UNREACHABLE, RACE_TIMEOUT);
}
END_TEST

START_TEST(silence_ends_with_the_time_for_all)
{
    field_lanes(2);
    field.uplinks[1].dead = field.uplinks[2].dead = true;
    field.params.timeout = 4 * BRAID_SECOND;
    field_race();
    expect_loss(RACE_LOST_TIMEOUT, 4 * BRAID_SECOND);
    ck_assert_uint_eq(field_seen_all(), 0);
}
END_TEST

START_TEST(a_core_without_places_is_told_at_once)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    params.max_conns = 0;
    braid_core_free(field.pair.client.core);
    pair_new_core(&field.pair, &field.pair.client, &params);
    field.params.core = field.pair.client.core;
    field_lanes(3);
    field_begin();
    ck_assert(field.over);
    expect_loss(RACE_LOST_RESOURCES, 0);
}
END_TEST

START_TEST(where_there_is_a_place_for_one_the_one_goes_on)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    params.max_conns = 1;
    braid_core_free(field.pair.client.core);
    pair_new_core(&field.pair, &field.pair.client, &params);
    field.params.core = field.pair.client.core;
    field_lanes(3);
    field.uplinks[1].delay = HEAD;
    field_race();
    expect_win(1, true, 2 * HEAD);
    ck_assert_uint_eq(field.uplinks[1].syns, 2);
    ck_assert(field.seen[1][RACE_SEEN_MPTCP] == 1 && field_seen_all() == 1);
}
END_TEST

/* ---- the first bytes of the stream ---- */

#define TAKES_SYN_DATA "10.0.9.1:81"

static uint8_t opening[RACE_OPENING];

/* Two lanes, to a server that takes payload of SYNs or not. */
static void field_opening(const char *server)
{
    struct braid_listen_params takes = {.addr = pair_addr(TAKES_SYN_DATA),
                                        .name = "takes",
                                        .cc = cc_algorithms[0],
                                        .sched = sched_algorithms[0],
                                        .syn_data = RACE_OPENING,
                                        .ops = &pair_ops,
                                        .ctx = &field.pair};
    ck_assert_ptr_nonnull(braid_listen(field.pair.server.core, &takes));
    for (unsigned i = 0; i < sizeof(opening); i++)
        opening[i] = pattern(i);
    field_lane(1, server);
    field_lane(2, server);
    field.params.opening = opening;
    field.params.opening_len = sizeof(opening);
}

/* The server gets the opening once, and what follows behind it. */
static void expect_opening(void)
{
    field.pair.client.sent = sizeof(opening);
    pair_transfer(&field.pair, &field.pair.client, 5000, BRAID_SECOND);
    ck_assert_uint_eq(field.pair.server.received, sizeof(opening) + 5000);
}

START_TEST(the_opening_comes_with_the_syn_where_that_is_taken)
{
    field_opening(TAKES_SYN_DATA);
    field_race();
    expect_win(1, true, TRIP);
    ck_assert_uint_eq(field.uplinks[1].payloads, 1);
    ck_assert(field.seen[1][RACE_SEEN_PAYLOAD] == 1 && field.seen[1][RACE_SEEN_MPTCP] == 1);
    ck_assert_uint_eq(field_seen_all(), 2);
    expect_opening();
}
END_TEST

START_TEST(the_opening_comes_in_the_stream_where_it_is_not)
{
    field_opening("10.0.9.1:80");
    field_race();
    expect_win(1, true, TRIP);
    ck_assert(field.seen[1][RACE_SEEN_PAYLOAD_EATEN] == 1 && field_seen_all() == 2);
    expect_opening();
}
END_TEST

static unsigned openings;

/* The place in the pattern that a lane begins with tells one from the other. */
static size_t opening_for(void *arg, const struct race_lane *lane, uint8_t out[RACE_OPENING])
{
    ck_assert_ptr_eq(arg, &field);
    openings++;
    size_t len = 100 * lane->uplink;
    memcpy(out, opening, len);
    return len;
}

/* Over the first uplink in its SYN; over the second, which is bare, when it has won. */
START_TEST(each_lane_may_have_an_opening_of_its_own)
{
    for (unsigned i = 1; i <= 2; i++) {
        field_opening(TAKES_SYN_DATA);
        field.params.opening_for = opening_for;
        field.lanes[1].bare = true;
        field.uplinks[1].dead = i == 2;
        openings = 0;
        field_race();
        expect_win(i, true, i == 2 ? HEAD + TRIP : TRIP);
        ck_assert_uint_eq(openings, i);
        field.pair.client.sent = 100 * i;
        pair_transfer(&field.pair, &field.pair.client, 5000, BRAID_SECOND);
        ck_assert_uint_eq(field.pair.server.received, 100 * i + 5000);
        field_free();
        field_init();
    }
}
END_TEST

START_TEST(a_bare_lane_has_no_payload_in_its_syn)
{
    field_opening(TAKES_SYN_DATA);
    field.lanes[0].bare = true;
    field_race();
    expect_win(1, true, TRIP);
    ck_assert_uint_eq(field.uplinks[1].payloads, 0);
    ck_assert(field.seen[1][RACE_SEEN_MPTCP] == 1 && field_seen_all() == 1);
    expect_opening();
}
END_TEST

/* It may be the option, too: the next one shows, without payload. */
START_TEST(where_a_syn_with_both_is_lost_the_payload_is_suspected_first)
{
    field_opening(TAKES_SYN_DATA);
    field.uplinks[1].no_payload = true;
    field.uplinks[2].dead = true;
    field_race();
    expect_win(1, false, HEAD + TRIP);
    ck_assert_uint_eq(field.uplinks[1].payloads, 2);
    ck_assert(field.seen[1][RACE_SEEN_PAYLOAD_EATEN] == 1 && field_seen_all() == 1);
    expect_opening();
}
END_TEST

START_TEST(a_loser_that_has_brought_the_opening_leaves_nothing_of_it)
{
    field_opening(TAKES_SYN_DATA);
    field.params.fallback = false;
    field.uplinks[1].delay = HEAD;
    field_race();
    expect_win(2, true, HEAD + TRIP);
    ck_assert_uint_eq(field.uplinks[1].payloads, 2);
    expect_opening();
    pair_run_for(&field.pair, 2 * BRAID_SECOND);
    ck_assert_uint_eq(field_conns(&field.pair.server), 1);
}
END_TEST

START_TEST(a_race_that_is_given_up_tells_nobody)
{
    field_lanes(3);
    field.uplinks[1].dead = true;
    field.uplinks[2].delay = HEAD;
    field_begin();
    field_run_for(2 * HEAD);
    ck_assert_uint_eq(field_conns(&field.pair.client), 5);
    race_free(field.race);
    field.race = NULL;
    pair_run_for(&field.pair, 2 * BRAID_SECOND);
    ck_assert(!field.over && field_seen_all() == 0);
    ck_assert_uint_eq(field_conns(&field.pair.client), 0);
    ck_assert_uint_eq(field_conns(&field.pair.server), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("race");
    TCase *t = tcase_create("race");
    tcase_add_checked_fixture(t, field_init, field_free);
    tcase_add_test(t, where_the_best_uplink_answers_nobody_else_is_asked);
    tcase_add_test(t, a_dead_uplink_costs_its_head_start);
    tcase_add_test(t, each_lane_has_the_head_start_of_its_uplink);
    tcase_add_test(t, the_winner_is_its_users_and_carries_data);
    tcase_add_test(t, of_two_that_answer_at_once_one_wins_and_the_other_is_reset);
    tcase_add_test(t, who_answers_too_late_is_reset);
    tcase_add_test(t, a_lost_syn_costs_its_head_start_and_nothing_else);
    tcase_add_test(t, where_both_are_lost_the_next_one_comes_a_second_after_the_first);
    tcase_add_loop_test(t, where_the_port_is_given_one_syn_is_under_way, 0, 2);
    tcase_add_test(t, a_dropped_option_is_joined_by_a_plain_syn);
    tcase_add_test(t, the_plain_syn_may_have_to_wait_for_longer_than_the_next_lane);
    tcase_add_test(t, a_faster_uplink_with_mptcp_beats_the_plain_syn);
    tcase_add_test(t, a_stripped_option_makes_plain_tcp_without_delay);
    tcase_add_test(t, where_plain_tcp_is_not_wanted_the_next_uplink_is_asked_at_once);
    tcase_add_test(t, where_plain_tcp_is_all_there_is_and_not_wanted_that_is_said);
    tcase_add_test(t, a_lane_that_drops_the_option_is_asked_plainly_only);
    tcase_add_test(t, where_plain_tcp_is_not_wanted_a_plain_lane_is_asked_for_mptcp);
    tcase_add_test(t, a_refusal_is_confirmed_by_a_plain_syn_and_ends_the_race);
    tcase_add_test(t, a_slow_refusal_is_not_asked_for_elsewhere);
    tcase_add_test(t, a_reset_that_means_the_option_makes_plain_tcp);
    tcase_add_test(t, without_fallback_every_uplink_is_asked_before_it_is_refused);
    tcase_add_test(t, who_was_asked_before_a_refusal_may_still_win);
    tcase_add_test(t, a_refusal_holds_when_the_others_have_had_their_head_start);
    tcase_add_test(t, one_address_that_refuses_says_nothing_of_the_next);
    tcase_add_test(t, what_is_unreachable_pulls_the_next_forward);
    tcase_add_test(t, of_several_reasons_the_one_that_tells_most_is_told);
    tcase_add_test(t, silence_ends_with_the_time_for_all);
    tcase_add_test(t, a_core_without_places_is_told_at_once);
    tcase_add_test(t, where_there_is_a_place_for_one_the_one_goes_on);
    tcase_add_test(t, the_opening_comes_with_the_syn_where_that_is_taken);
    tcase_add_test(t, the_opening_comes_in_the_stream_where_it_is_not);
    tcase_add_test(t, each_lane_may_have_an_opening_of_its_own);
    tcase_add_test(t, a_bare_lane_has_no_payload_in_its_syn);
    tcase_add_test(t, where_a_syn_with_both_is_lost_the_payload_is_suspected_first);
    tcase_add_test(t, a_loser_that_has_brought_the_opening_leaves_nothing_of_it);
    tcase_add_test(t, a_race_that_is_given_up_tells_nobody);
    suite_add_tcase(s, t);
    return run_suite(s);
}
