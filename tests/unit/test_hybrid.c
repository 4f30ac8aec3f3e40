/* CUBIC that tells random loss from congestion. */
#include "cubic_flow.h"

extern const struct cc_ops cc_hybrid, cc_cubic;

#define RTT 40000

/* Beyond the first slow start. */
static void begin(struct flow *f, double segments)
{
    flow_init_with(f, &cc_hybrid, segments, RTT);
    f->cc.ssthresh = f->cc.cwnd;
}

static void set_window(struct flow *f, double segments)
{
    f->cc.cwnd = f->cc.ssthresh = (uint64_t)(segments * MSS);
}

static void expect(const struct flow *f, double segments)
{
    ck_assert_double_eq_tol((double)f->cc.cwnd / MSS, segments, 0.01);
}

/* Two losses without a queue, at smaller windows each. */
static void prove(struct flow *f)
{
    begin(f, 100);
    lose(f);
    expect(f, 70);
    lose(f);
    expect(f, 49);
    lose(f);
}

START_TEST(losses_that_smaller_windows_have_too_put_the_window_back)
{
    struct flow f;
    prove(&f);
    expect(&f, 110);
}
END_TEST

/* From there the test is milder, and one more loss below it proves the next step. */
START_TEST(where_losses_are_random_the_window_goes_on)
{
    struct flow f;
    prove(&f);
    lose(&f);
    expect(&f, 110 * 0.85);
    lose(&f);
    expect(&f, 110 * 1.1);
    lose(&f);
    expect(&f, 121 * 0.85);
}
END_TEST

/* A standing queue: the first more than a sixteenth of the round trip, the second more than a millisecond. */
START_TEST(losses_with_a_queue_are_congestion)
{
    static const int64_t rtt[][2] = {{RTT, RTT + 2600}, {5000, 6100}};
    struct flow f;
    begin(&f, 100);
    f.cc.min_rtt_us = (int32_t)rtt[_i][0];
    f.cc.srtt_us = (int32_t)rtt[_i][1];
    for (double w = 100; w > 10; w *= BETA) {
        expect(&f, w);
        set_window(&f, w); /* without what is lost by rounding */
        lose(&f);
    }
}
END_TEST

/* A policer, or a buffer too small to be seen: each loss comes when the window is back where it was. */
START_TEST(losses_at_the_same_window_are_congestion)
{
    struct flow f;
    begin(&f, 100);
    for (int i = 0; i < 10; i++) {
        set_window(&f, 96 + i % 3);
        lose(&f);
        expect(&f, (96 + i % 3) * BETA);
    }
}
END_TEST

START_TEST(a_proof_lasts_for_two_losses_at_the_frontier)
{
    struct flow f;
    prove(&f);
    lose(&f);
    expect(&f, 93.5);
    set_window(&f, 110);
    lose(&f);
    expect(&f, 77);
    set_window(&f, 110);
    lose(&f);
    expect(&f, 77);
    lose(&f);
    expect(&f, 77 * BETA);
}
END_TEST

START_TEST(a_queue_takes_a_proof_away)
{
    struct flow f;
    prove(&f);
    f.cc.srtt_us = RTT + 10000;
    lose(&f);
    expect(&f, 77);
    f.cc.srtt_us = RTT;
    lose(&f); /* random again: one loss proves it */
    expect(&f, 121);
    f.cc.srtt_us = RTT + 10000;
    lose(&f);
    set_window(&f, 110);
    lose(&f);
    expect(&f, 77);
    f.cc.srtt_us = RTT;
    lose(&f);
    expect(&f, 77 * BETA);
}
END_TEST

START_TEST(a_timeout_takes_all_away)
{
    struct flow f;
    prove(&f);
    loss(&f, true);
    ck_assert_uint_eq(f.cc.ssthresh, 77 * MSS);
    f.cc.ops->on_recovered(&f.cc, 0);
    set_window(&f, 50);
    lose(&f);
    expect(&f, 35);
    lose(&f);
    expect(&f, 35 * BETA);
}
END_TEST

START_TEST(a_window_that_is_not_used_does_not_grow)
{
    struct flow f;
    prove(&f);
    lose(&f);
    struct cc_loss few = {.now = f.now, .in_flight = 20 * MSS};
    f.cc.ops->on_loss(&f.cc, &few);
    ck_assert_uint_le(f.cc.ssthresh, (uint64_t)(110 * 0.85 * BETA * MSS) + 1);
}
END_TEST

START_TEST(what_an_undone_loss_proved_is_void)
{
    struct flow f;
    begin(&f, 100);
    lose(&f);
    lose(&f);
    loss(&f, false);
    f.cc.ops->on_undo(&f.cc, f.now);
    expect(&f, 49);
    lose(&f);
    expect(&f, 49 * BETA);
}
END_TEST

/* It is cut as by a loss, but it is none, and proves nothing. */
START_TEST(a_penalty_is_no_loss)
{
    struct flow f;
    begin(&f, 100);
    lose(&f);
    f.cc.ops->on_penalty(&f.cc, f.now);
    expect(&f, 49);
    f.cc.ops->on_penalty(&f.cc, f.now);
    expect(&f, 49 * BETA);
    lose(&f);
    expect(&f, 49 * BETA * BETA);
    f.cc.ssthresh = 2 * f.cc.cwnd;
    uint64_t before = f.cc.cwnd;
    f.cc.ops->on_penalty(&f.cc, f.now);
    ck_assert_uint_eq(f.cc.cwnd, before / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hybrid");
    TCase *t = tcase_create("hybrid");
    tcase_add_test(t, losses_that_smaller_windows_have_too_put_the_window_back);
    tcase_add_test(t, where_losses_are_random_the_window_goes_on);
    tcase_add_loop_test(t, losses_with_a_queue_are_congestion, 0, 2);
    tcase_add_test(t, losses_at_the_same_window_are_congestion);
    tcase_add_test(t, a_proof_lasts_for_two_losses_at_the_frontier);
    tcase_add_test(t, a_queue_takes_a_proof_away);
    tcase_add_test(t, a_timeout_takes_all_away);
    tcase_add_test(t, a_window_that_is_not_used_does_not_grow);
    tcase_add_test(t, what_an_undone_loss_proved_is_void);
    tcase_add_test(t, a_penalty_is_no_loss);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
