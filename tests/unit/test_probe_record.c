/* What the answers to the probes of an uplink tell, in role/probe_record. */
#include <check.h>
#include "role/probe_record.h"
#include "suite.h"

static struct probe_record r;

static void setup(void)
{
    r = (struct probe_record){0};
}

static void lose(unsigned n)
{
    while (n-- > 0)
        probe_lost(&r);
}

START_TEST(nothing_is_known_at_first)
{
    ck_assert(!probe_is_silent(&r));
    ck_assert_uint_eq(probe_loss(&r), 0);
    ck_assert_int_eq(probe_patience(&r), PROBE_PATIENCE);
}
END_TEST

START_TEST(the_round_trip_is_smoothed)
{
    probe_answered(&r, 80 * BRAID_MS);
    ck_assert_int_eq(r.srtt, 80 * BRAID_MS);
    probe_answered(&r, 160 * BRAID_MS);
    ck_assert_int_eq(r.srtt, 90 * BRAID_MS);
    probe_answered(&r, 10 * BRAID_MS);
    ck_assert_int_eq(r.srtt, 80 * BRAID_MS);
}
END_TEST

START_TEST(an_answer_at_once_is_a_known_round_trip)
{
    probe_answered(&r, 0);
    ck_assert_int_gt(r.srtt, 0);
}
END_TEST

START_TEST(silence_is_several_lost_in_a_row)
{
    lose(PROBE_SILENCE - 1);
    ck_assert(!probe_is_silent(&r));
    probe_answered(&r, 1);
    lose(PROBE_SILENCE - 1);
    ck_assert(!probe_is_silent(&r));
    lose(1);
    ck_assert(probe_is_silent(&r));
    probe_answered(&r, 1);
    ck_assert(!probe_is_silent(&r));
}
END_TEST

START_TEST(after_silence_the_round_trip_begins_anew)
{
    probe_answered(&r, 10 * BRAID_MS);
    lose(PROBE_SILENCE);
    probe_answered(&r, 500 * BRAID_MS);
    ck_assert_int_eq(r.srtt, 500 * BRAID_MS);
}
END_TEST

START_TEST(a_suspect_is_asked_more_often_but_not_for_ever)
{
    ck_assert_int_eq(probe_pause(&r), PROBE_INTERVAL);
    lose(1);
    ck_assert_int_eq(probe_pause(&r), 0); /* it has been waited for already */
    lose(PROBE_SILENCE - 1);
    ck_assert_int_eq(probe_pause(&r), PROBE_SUSPECT);
    lose(PROBE_HURRIES);
    ck_assert_int_eq(probe_pause(&r), PROBE_INTERVAL);
}
END_TEST

START_TEST(a_long_way_is_given_more_time)
{
    probe_answered(&r, 800 * BRAID_MS);
    ck_assert_int_eq(probe_patience(&r), 1600 * BRAID_MS);
}
END_TEST

START_TEST(losses_are_those_of_the_last_probes)
{
    lose(1);
    ck_assert_uint_eq(probe_loss(&r), 100);
    for (unsigned i = 0; i < 3; i++)
        probe_answered(&r, 1);
    ck_assert_uint_eq(probe_loss(&r), 25);
    for (unsigned i = 0; i < PROBE_HISTORY; i++)
        probe_answered(&r, 1);
    ck_assert_uint_eq(probe_loss(&r), 0);
    lose(PROBE_HISTORY / 2);
    ck_assert_uint_eq(probe_loss(&r), 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("probe_record");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, nothing_is_known_at_first);
    tcase_add_test(t, the_round_trip_is_smoothed);
    tcase_add_test(t, an_answer_at_once_is_a_known_round_trip);
    tcase_add_test(t, silence_is_several_lost_in_a_row);
    tcase_add_test(t, after_silence_the_round_trip_begins_anew);
    tcase_add_test(t, a_suspect_is_asked_more_often_but_not_for_ever);
    tcase_add_test(t, a_long_way_is_given_more_time);
    tcase_add_test(t, losses_are_those_of_the_last_probes);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
