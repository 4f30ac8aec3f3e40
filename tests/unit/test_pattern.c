/* Telling interactive connections from bulk ones by what their server sends. */
#include <check.h>
#include <stdlib.h>
#include "role/pattern.h"
#include "suite.h"

static struct pattern p;

static void setup(void)
{
    p = (struct pattern){0};
}

/* A burst that comes in pieces; only the first finds everything acknowledged. True if one of them changed
 * something. */
static bool burst(size_t bytes, size_t piece)
{
    bool changed = false;
    for (size_t at = 0; at < bytes; at += piece)
        changed |= pattern_note(&p, bytes - at < piece ? bytes - at : piece, at == 0);
    return changed;
}

static void become_interactive(void)
{
    for (int i = 0; i < PATTERN_RUN; i++)
        ck_assert(!burst(100, 100));
    ck_assert(burst(100, 100)); /* only its beginning tells that the one before has ended */
    ck_assert(p.interactive);
}

START_TEST(small_answers_with_pauses_are_interactive)
{
    become_interactive();
    for (int i = 0; i < 1000; i++)
        ck_assert(!burst(PATTERN_SMALL, 1000));
    ck_assert(p.interactive);
}
END_TEST

START_TEST(a_lot_at_once_is_bulk_from_the_first_byte_too_many)
{
    become_interactive();
    ck_assert(!pattern_note(&p, PATTERN_LARGE, true));
    ck_assert(p.interactive);
    ck_assert(pattern_note(&p, 1, false));
    ck_assert(!p.interactive);
    ck_assert(!pattern_note(&p, 1000000, false));
}
END_TEST

START_TEST(a_transfer_that_was_never_interactive_changes_nothing)
{
    ck_assert(!burst(100000000, 16384));
    ck_assert(!p.interactive);
}
END_TEST

START_TEST(a_medium_burst_interrupts_the_run)
{
    for (int i = 0; i < PATTERN_RUN - 1; i++)
        ck_assert(!burst(100, 100));
    ck_assert(!burst(PATTERN_SMALL + 1, 5000));
    become_interactive();
}
END_TEST

START_TEST(medium_bursts_leave_an_interactive_connection_so)
{
    become_interactive();
    for (int i = 0; i < 100; i++)
        ck_assert(!burst(PATTERN_LARGE, 16384));
    ck_assert(p.interactive);
}
END_TEST

START_TEST(small_writes_without_pauses_are_no_small_bursts)
{
    for (int i = 0; i < 100000; i++)
        ck_assert(!pattern_note(&p, 10, false));
    ck_assert(!p.interactive);
}
END_TEST

START_TEST(after_bulk_it_takes_a_whole_run_again)
{
    become_interactive();
    ck_assert(burst(PATTERN_LARGE + 1, 16384));
    ck_assert(!p.interactive);
    become_interactive();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pattern");
    TCase *t = tcase_create("pattern");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, small_answers_with_pauses_are_interactive);
    tcase_add_test(t, a_lot_at_once_is_bulk_from_the_first_byte_too_many);
    tcase_add_test(t, a_transfer_that_was_never_interactive_changes_nothing);
    tcase_add_test(t, a_medium_burst_interrupts_the_run);
    tcase_add_test(t, medium_bursts_leave_an_interactive_connection_so);
    tcase_add_test(t, small_writes_without_pauses_are_no_small_bursts);
    tcase_add_test(t, after_bulk_it_takes_a_whole_run_again);
    suite_add_tcase(s, t);
    return run_suite(s);
}
