/* Reno: RFC 5681. And the list of all algorithms. */
#include "cc_flows.h"

#include <string.h>

extern const struct cc_ops cc_reno;
#define CC (&cc_reno)

/* Section 3.1, equation (3) summed up over a window: one segment per round trip, however it is acknowledged.
 */
START_TEST(one_segment_per_round_trip)
{
    for (unsigned w = 2; w < 3000; w += 13) {
        setup_flows(CC, 1);
        set_flow(0, w, 1000 * w);
        ck_assert_double_eq_tol((double)ack_window(0), MSS, 1.01);
        set_flow(0, w, 1000 * w);
        uint64_t grown = 0;
        for (unsigned i = 0; i < w; i++)
            grown += (uint64_t)ack(0, MSS, true);
        ck_assert_double_eq_tol((double)grown, MSS - MSS / (2.0 * w), 0.01 * MSS + MSS / (2.0 * w));
    }
}
END_TEST

/* An ACK that covers more than the window, because that was reduced meanwhile, is worth one segment. */
START_TEST(a_large_ack_is_worth_one_segment)
{
    setup_flows(CC, 1);
    set_flow(0, 10, 100000);
    ck_assert_double_eq_tol((double)ack(0, 1000 * MSS, true), MSS, 1.01);
}
END_TEST

/* The window of the square root law: w = sqrt(3 / 2p). */
START_TEST(takes_what_the_square_root_law_says)
{
    for (double period = 1e3; period < 1e6; period *= 10)
        ck_assert_double_eq_tol(mean_total(CC, 1, period) / sqrt(1.5 * period), 1, 0.03);
}
END_TEST

START_TEST(siblings_do_not_matter)
{
    setup_flows(CC, 3);
    set_flow(1, 5000, 1000);
    set_flow(2, 3, 900000);
    ck_assert_double_eq_tol((double)ack_window(0), MSS, 1.01);
}
END_TEST

START_TEST(each_algorithm_has_a_name_of_its_own_and_the_functions_that_are_always_called)
{
    for (unsigned i = 0; cc_algorithms[i]; i++) {
        const struct cc_ops *o = cc_algorithms[i];

        ck_assert(o->name && o->about && o->init && o->on_ack && o->on_loss && o->on_undo);
        ck_assert(o->about[0] && !strchr(o->about, '\n') && o->about[strlen(o->about) - 1] != '.');
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(o->name, cc_algorithms[j]->name);
    }
}
END_TEST

START_TEST(the_list_has_all_algorithms)
{
    static const char *const names[] = {"cubic", "bbr", "reno", "lia", "olia", "balia", "wvegas"};
    unsigned found = 0;

    for (unsigned i = 0; cc_algorithms[i]; i++)
        found += strcmp(cc_algorithms[i]->name, names[_i]) == 0;
    ck_assert_uint_eq(found, 1);
}
END_TEST

CC_TESTS

int main(void)
{
    Suite *s = suite_create("reno");
    TCase *t = tcase_create("rfc5681");

    tcase_add_test(t, one_segment_per_round_trip);
    tcase_add_test(t, a_large_ack_is_worth_one_segment);
    tcase_add_test(t, takes_what_the_square_root_law_says);
    tcase_add_test(t, siblings_do_not_matter);
    tcase_add_test(t, each_algorithm_has_a_name_of_its_own_and_the_functions_that_are_always_called);
    tcase_add_loop_test(t, the_list_has_all_algorithms, 0, 7);
    add_cc_tests(t);
    tcase_set_timeout(t, SECONDS_OF_REAL_TIME);
    suite_add_tcase(s, t);
    return run_suite(s);
}
