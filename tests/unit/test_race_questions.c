/* role/race_questions: far sides that answer for somebody else, and may take long. Two cores, in virtual time
 * (race_field.h). */
#include "race_field.h"

#define ASKED     race_question_after(0)
#define PLAIN_DUE (3 * BRAID_SECOND)

static void converter_lanes(unsigned n)
{
    field_lanes(n);
    field.params.question = "?";
    field.params.question_len = 1;
    for (unsigned i = 0; i < n; i++) {
        field.lanes[i].question_after = ASKED;
        field.lanes[i].plain_after = PLAIN_DUE;
    }
}

START_TEST(a_question_is_due_late_and_in_time)
{
    static const int srtts[] = {0, 1, 40, 100, 125, 300, 1000};
    for (unsigned i = 0; i < sizeof(srtts) / sizeof(srtts[0]); i++) {
        braid_time srtt = srtts[i] * BRAID_MS, after = race_question_after(srtt);
        ck_assert_int_ge(after, srtt / 2);
        ck_assert_int_ge(after, srtt < 84 * BRAID_MS ? HEAD / 2 : 0);
        ck_assert_int_le(after + srtt + srtt / 2, race_head_start(srtt));
    }
}
END_TEST

/* It lives, so nobody else is asked, and the server behind gets one connection. */
START_TEST(a_slow_far_side_is_waited_for_while_its_uplink_lives)
{
    braid_time far = _i ? 2400 * BRAID_MS : 600 * BRAID_MS;
    converter_lanes(3);
    field.uplinks[1].far = far;
    field_race();
    expect_win(1, true, far + TRIP);
    unsigned questions = _i ? 3 : 1;
    ck_assert_uint_eq(field.uplinks[1].plain_syns, questions);
    ck_assert_uint_eq(field.uplinks[1].payloads, questions);
    ck_assert_int_eq(field.uplinks[1].first_plain, field.begun + ASKED);
    ck_assert_uint_eq(field.uplinks[2].syns + field.uplinks[3].syns, 0);
    ck_assert_uint_eq(field.uplinks[1].resets, questions);
    pair_run_for(&field.pair, BRAID_SECOND);
    ck_assert_uint_eq(field_conns(&field.pair.client), 1);
    ck_assert_uint_eq(field_conns(&field.pair.server), 1);
}
END_TEST

START_TEST(one_that_answers_in_time_is_asked_nothing)
{
    converter_lanes(2);
    field.uplinks[1].far = ASKED - TRIP - BRAID_MS;
    field_race();
    expect_win(1, true, ASKED - BRAID_MS);
    ck_assert_uint_eq(field.uplinks[1].syns, 1);
}
END_TEST

/* The uplink lives, and so the others wait, though it was only a SYN that was lost. */
START_TEST(a_lost_syn_costs_no_more_where_the_uplink_lives)
{
    converter_lanes(2);
    field.uplinks[1].lose = 1;
    field_race();
    expect_win(1, true, HEAD + TRIP);
    ck_assert_uint_eq(field.uplinks[1].plain_syns, 1);
    ck_assert_uint_eq(field.uplinks[2].syns, 0);
}
END_TEST

START_TEST(a_silent_uplink_costs_no_more_with_a_question)
{
    converter_lanes(2);
    field.uplinks[1].dead = true;
    field_race();
    expect_win(2, true, HEAD + TRIP);
    ck_assert_uint_eq(field.uplinks[1].syns, 3);
    ck_assert(field.seen[1][RACE_SEEN_SILENT] == 1 && field.seen[2][RACE_SEEN_MPTCP] == 1);
}
END_TEST

/* It is asked again in time for the end of its trust. */
START_TEST(an_uplink_that_dies_in_the_middle_is_left_a_second_later)
{
    converter_lanes(2);
    field.uplinks[1].far = 5 * BRAID_SECOND;
    field_begin();
    field_run_for(HEAD);
    ck_assert(!field.over && field.uplinks[1].plain_syns == 1);
    field.uplinks[1].dead = true;
    field_run_for(RACE_TIMEOUT);
    expect_win(2, true, ASKED + TRIP + RACE_TRUST + TRIP);
    ck_assert_uint_eq(field.uplinks[1].plain_syns, 2);
}
END_TEST

/* It is asked by plain TCP then, and so are the others. */
START_TEST(nobody_is_waited_for_alone_for_ever)
{
    converter_lanes(2);
    field.uplinks[1].far = field.uplinks[2].far = RACE_TIMEOUT;
    field_begin();
    field_run_for(2900 * BRAID_MS);
    field.uplinks[1].plain = SYN_DROPPED;
    field_run_for(RACE_TIMEOUT);
    ck_assert_int_eq(field.uplinks[2].first_syn, field.begun + PLAIN_DUE);
    ck_assert_uint_eq(field.seen[1][RACE_SEEN_SILENT], 0);
}
END_TEST

START_TEST(a_bare_lane_is_asked_without_payload_and_the_last_one_nothing)
{
    converter_lanes(2);
    field.lanes[0].bare = true;
    field.uplinks[1].far = field.uplinks[2].far = BRAID_SECOND;
    field.uplinks[1].no_payload = true;
    field_race();
    expect_win(1, true, BRAID_SECOND + TRIP);
    ck_assert(field.uplinks[1].plain_syns == 1 && field.uplinks[1].payloads == 0);
    field_free();
    field_init();
    converter_lanes(1);
    field.uplinks[1].far = BRAID_SECOND;
    field_race();
    expect_win(1, true, BRAID_SECOND + TRIP);
    ck_assert_uint_eq(field.uplinks[1].plain_syns, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("race_questions");
    TCase *t = tcase_create("race_questions");
    tcase_add_checked_fixture(t, field_init, field_free);
    tcase_add_test(t, a_question_is_due_late_and_in_time);
    tcase_add_loop_test(t, a_slow_far_side_is_waited_for_while_its_uplink_lives, 0, 2);
    tcase_add_test(t, one_that_answers_in_time_is_asked_nothing);
    tcase_add_test(t, a_lost_syn_costs_no_more_where_the_uplink_lives);
    tcase_add_test(t, a_silent_uplink_costs_no_more_with_a_question);
    tcase_add_test(t, an_uplink_that_dies_in_the_middle_is_left_a_second_later);
    tcase_add_test(t, nobody_is_waited_for_alone_for_ever);
    tcase_add_test(t, a_bare_lane_is_asked_without_payload_and_the_last_one_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
