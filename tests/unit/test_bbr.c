/* BBR over a path with one bottleneck. */
#include "bbr_path.h"
#include "suite.h"

#define S BRAID_SECOND

static const struct {
    double rate;
    int64_t rtt_us;
} paths[] = {{1.25e6, 10000}, {1.25e6, 200000}, {6.25e6, 20000}, {6.25e6, 100000}, {7.5e6, 40000}};
#define N_PATHS ((int)(sizeof(paths) / sizeof(*paths)))

static double bdp_of(int i)
{
    return paths[i].rate * (double)paths[i].rtt_us / 1e6;
}

static double rate_of(const struct toy *t)
{
    return (double)cc_bbr.pacing_rate(&t->cc);
}

START_TEST(it_finds_the_bandwidth_and_keeps_the_queue_short)
{
    struct toy *t = toy_new(paths[_i].rate, paths[_i].rtt_us, 50 * bdp_of(_i) + 1e6, 0, S);
    toy_run(t, 5 * S);
    toy_measure(t);
    toy_run(t, 15 * S);
    ck_assert_msg(toy_share(t) > 0.93 && toy_share(t) <= 1.001, "share %f", toy_share(t));
    ck_assert_msg(toy_wait(t) < 0.25 * (double)paths[_i].rtt_us + 2000, "%f us in the queue", toy_wait(t));
    ck_assert_uint_eq(t->dropped, 0);
    free(t);
}
END_TEST

/* Rounds until the rate is found: log2(rate / initial rate) and a few, as Startup doubles it. */
START_TEST(startup_doubles_the_rate_each_round)
{
    struct toy *t = toy_new(6.25e6, 100000, 1e7, 0, S);
    toy_run(t, S + 8 * 100000);
    ck_assert_double_ge(rate_of(t), 6.25e6 * 0.95);
    free(t);
}
END_TEST

START_TEST(drain_empties_what_startup_left_in_the_queue)
{
    struct toy *t = toy_new(6.25e6, 100000, 1e7, 0, S);
    toy_run(t, 3 * S);
    ck_assert_double_gt(t->wait_max, 50000); /* Startup did build a queue */
    toy_measure(t);
    toy_run(t, 4 * S);
    ck_assert_double_lt(t->wait_max, 50000);
    free(t);
}
END_TEST

START_TEST(one_percent_of_random_loss_costs_little)
{
    struct toy *t = toy_new(paths[_i].rate, paths[_i].rtt_us, 2 * bdp_of(_i) + 50000, 0.01, S);
    toy_run(t, 5 * S);
    toy_measure(t);
    toy_run(t, 15 * S);
    ck_assert_msg(toy_share(t) > 0.9, "share %f", toy_share(t));
    free(t);
}
END_TEST

START_TEST(a_shallow_buffer_is_used_well)
{
    struct toy *t = toy_new(paths[_i].rate, paths[_i].rtt_us, 0.3 * bdp_of(_i) + 10000, 0, S);
    toy_run(t, 5 * S);
    toy_measure(t);
    toy_run(t, 15 * S);
    ck_assert_msg(toy_share(t) > 0.85, "share %f", toy_share(t));
    free(t);
}
END_TEST

START_TEST(more_bandwidth_is_found_within_a_few_cycles)
{
    struct toy *t = toy_new(2.5e6, 40000, 1e6, 0, S);
    toy_run(t, 5 * S);
    t->rate = 5e6;
    toy_run(t, 8 * S);
    toy_measure(t);
    toy_run(t, 13 * S);
    ck_assert_double_gt(toy_share(t), 0.9);
    free(t);
}
END_TEST

START_TEST(less_bandwidth_is_noticed_when_the_old_maximum_leaves_the_window)
{
    struct toy *t = toy_new(5e6, 40000, 1e7, 0, S);
    toy_run(t, 5 * S);
    t->rate = 2.5e6;
    toy_run(t, 8 * S);
    ck_assert_double_lt(rate_of(t), 2.5e6 * 1.26);
    toy_measure(t);
    toy_run(t, 13 * S);
    ck_assert_double_gt(toy_share(t), 0.9);
    ck_assert_double_lt(toy_wait(t), 12000);
    free(t);
}
END_TEST

/* The path becomes longer: twice the old product is too little, until the old minimum is ten seconds old. */
START_TEST(probe_rtt_finds_out_that_the_path_is_longer)
{
    struct toy *t = toy_new(2.5e6, 20000, 1e6, 0, S);
    toy_run(t, 5 * S);
    t->rtt_us = 80000;
    toy_run(t, 8 * S);
    toy_measure(t);
    toy_run(t, 12 * S);
    ck_assert_double_lt(toy_share(t), 0.85);
    toy_run(t, 18 * S);
    ck_assert_uint_le(t->least_in_flight, 4 * MSS);
    toy_measure(t);
    toy_run(t, 24 * S);
    ck_assert_double_gt(toy_share(t), 0.93);
    free(t);
}
END_TEST

/* Runs into ProbeBW, where all that follows is exact. */
static struct toy *steady(void)
{
    struct toy *t = toy_new(2.5e6, 40000, 1e6, 0, S);
    toy_run(t, 4 * S);
    return t;
}

/* An ACK of bytes, by hand; limited: by the application. */
static void ack(struct toy *t, uint64_t bytes, uint64_t rate, bool limited)
{
    t->now += 40000;
    struct cc_ack a = {.now = t->now,
                       .acked = bytes,
                       .prior_in_flight = t->cc.in_flight,
                       .rtt_us = 40000,
                       .app_limited = limited,
                       .rate = rate,
                       .interval_us = 40000,
                       .prior_delivered = t->cc.delivered};
    t->cc.delivered += bytes;
    cc_bbr.on_ack(&t->cc, &a);
}

START_TEST(slow_samples_of_an_idle_application_do_not_lower_the_rate)
{
    struct toy *t = steady();
    double before = rate_of(t);
    for (int i = 0; i < 50; i++)
        ack(t, 2 * MSS, 50000, true);
    ck_assert_double_gt(rate_of(t), before * 0.7); /* any phase */
    ck_assert_double_gt((double)t->cc.cwnd, 2 * 2.5e6 * 0.04 * 0.9);
    ack(t, 200 * MSS, 5000000, true); /* but a fast one raises it */
    ck_assert_double_gt(rate_of(t), 5e6 * 0.7);
    for (int i = 0; i < 12; i++)
        ack(t, 2 * MSS, 50000, false);
    ck_assert_double_lt(rate_of(t), 50000 * 1.3);
    free(t);
}
END_TEST

START_TEST(recovery_begins_with_packet_conservation_and_ends_with_the_old_window)
{
    struct toy *t = steady();
    uint64_t before = t->cc.cwnd;
    struct cc_loss l = {.now = t->now, .in_flight = t->cc.in_flight};
    cc_bbr.on_loss(&t->cc, &l);
    t->cc.in_recovery = true;
    t->cc.in_flight = 50 * MSS;
    struct cc_ack a = {
        .now = t->now, .acked = 2 * MSS, .lost = 10 * MSS, .rtt_us = 40000, .prior_in_flight = 62 * MSS};
    t->cc.delivered += 2 * MSS;
    cc_bbr.on_ack(&t->cc, &a);
    ck_assert_uint_eq(t->cc.cwnd, 52 * MSS);
    cc_bbr.on_recovered(&t->cc, t->now);
    ck_assert_uint_eq(t->cc.cwnd, before);
    ck_assert_uint_eq(t->cc.ssthresh, CC_SSTHRESH_INFINITE);
    free(t);
}
END_TEST

START_TEST(a_timeout_that_was_spurious_costs_nothing)
{
    struct toy *t = steady();
    uint64_t before = t->cc.cwnd;
    double rate = rate_of(t);
    struct cc_loss l = {.now = t->now, .in_flight = t->cc.in_flight, .timeout = true};
    cc_bbr.on_loss(&t->cc, &l);
    t->cc.in_recovery = true;
    t->cc.cwnd = MSS;
    cc_bbr.on_undo(&t->cc, t->now);
    ck_assert_uint_eq(t->cc.cwnd, before);
    ck_assert_double_eq(rate_of(t), rate);
    free(t);
}
END_TEST

START_TEST(the_window_never_falls_below_four_segments)
{
    struct toy *t = toy_new(20000, 10000, 1e6, 0.2, S);
    toy_run(t, 3 * S);
    for (int i = 0; i < 1000; i++) {
        toy_run(t, t->now + 50000);
        if (!t->cc.in_recovery)
            ck_assert_uint_ge(t->cc.cwnd, 4 * MSS);
    }
    free(t);
}
END_TEST

START_TEST(after_idleness_it_restarts_at_the_bandwidth_and_does_not_stop_to_measure)
{
    struct toy *t = steady();
    toy_run(t, t->now); /* nothing more is sent: what is in flight arrives */
    while (t->head < t->tail) {
        t->now = t->flight[t->head % FLIGHTS].ack_at;
        toy_ack(t);
    }
    t->now += 30 * S;
    cc_bbr.on_idle(&t->cc, t->now, 30 * S);
    ck_assert_double_ge(rate_of(t), 2.5e6 * 0.9);
    ck_assert_double_le(rate_of(t), 2.5e6 * 1.01);
    t->send_at = t->now;
    t->busy_until = 0;
    toy_run(t, t->now + S / 2);
    toy_measure(t);
    toy_run(t, t->now + 2 * S);
    ck_assert_uint_gt(t->least_in_flight, 10 * MSS);
    ck_assert_double_gt(toy_share(t), 0.93);
    free(t);
}
END_TEST

/* How long after Drain the first phase of a higher rate begins. */
static int first_probe(braid_time start)
{
    struct toy *t = toy_new(2.5e6, 40000, 1e6, 0, start);
    double low = 0.8 * 2.5e6, high = 1.15 * 2.5e6;
    while (rate_of(t) < high) /* Startup */
        toy_run(t, t->now + 1000);
    while (rate_of(t) > low) /* Drain */
        toy_run(t, t->now + 1000);
    while (rate_of(t) < low)
        toy_run(t, t->now + 1000);
    braid_time from = t->now;
    while (rate_of(t) < high)
        toy_run(t, t->now + 1000);
    int phases = (int)((t->now - from + 20000) / 40000);
    free(t);
    return phases;
}

START_TEST(flows_do_not_probe_together)
{
    unsigned seen = 0, kinds = 0;
    for (int i = 0; i < 40; i++)
        seen |= 1u << first_probe(S + i * 1237);
    for (unsigned i = 0; i < 32; i++)
        kinds += seen >> i & 1;
    ck_assert_uint_ge(kinds, 5);
}
END_TEST

START_TEST(no_sequence_of_events_breaks_the_window)
{
    uint64_t x = 88172645463325252u + (uint64_t)_i;
    struct toy *t = toy_new(2.5e6, 40000, 1e6, 0, S);
    for (unsigned i = 0; i < 20000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        t->now += x % 5 == 0 ? 0 : (braid_time)(x >> (x % 30 + 34));
        struct cc_loss l = {.now = t->now, .in_flight = t->cc.in_flight, .timeout = x & 1};
        struct cc_ack a = {.now = t->now,
                           .acked = x >> 10 & 3 ? x >> 44 : 0,
                           .lost = x >> 12 & 7 ? 0 : x >> 45,
                           .prior_in_flight = t->cc.in_flight,
                           .rtt_us = x >> 16 & 3 ? (int64_t)(x >> 20 & 0xfffff) : 0,
                           .app_limited = x >> 18 & 1,
                           .rate = x >> 19 & 3 ? x >> 28 : 0,
                           .prior_delivered = t->cc.delivered};
        a.interval_us = a.rate > 0;
        t->cc.delivered += a.acked;
        t->cc.in_flight = x >> 42;
        switch (x >> 4 & 15) {
        case 0:
            cc_bbr.on_loss(&t->cc, &l);
            t->cc.in_recovery = true;
            if (l.timeout)
                t->cc.cwnd = MSS;
            break;
        case 1:
            t->cc.in_recovery = false;
            cc_bbr.on_recovered(&t->cc, t->now);
            break;
        case 2:
            t->cc.in_recovery = false;
            cc_bbr.on_undo(&t->cc, t->now);
            break;
        case 3:
            cc_bbr.on_idle(&t->cc, t->now, 1 + (int64_t)(x >> 40));
            break;
        default:
            cc_bbr.on_ack(&t->cc, &a);
        }
        ck_assert_uint_ge(t->cc.cwnd, MSS);
        ck_assert_uint_le(t->cc.cwnd, UINT64_C(1) << 44);
        ck_assert_uint_gt(cc_bbr.pacing_rate(&t->cc), 0);
        ck_assert_uint_eq(t->cc.ssthresh, CC_SSTHRESH_INFINITE);
    }
    free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bbr");
    TCase *t = tcase_create("bbr");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, it_finds_the_bandwidth_and_keeps_the_queue_short, 0, N_PATHS);
    tcase_add_test(t, startup_doubles_the_rate_each_round);
    tcase_add_test(t, drain_empties_what_startup_left_in_the_queue);
    tcase_add_loop_test(t, one_percent_of_random_loss_costs_little, 0, N_PATHS);
    tcase_add_loop_test(t, a_shallow_buffer_is_used_well, 0, N_PATHS);
    tcase_add_test(t, more_bandwidth_is_found_within_a_few_cycles);
    tcase_add_test(t, less_bandwidth_is_noticed_when_the_old_maximum_leaves_the_window);
    tcase_add_test(t, probe_rtt_finds_out_that_the_path_is_longer);
    tcase_add_test(t, slow_samples_of_an_idle_application_do_not_lower_the_rate);
    tcase_add_test(t, recovery_begins_with_packet_conservation_and_ends_with_the_old_window);
    tcase_add_test(t, a_timeout_that_was_spurious_costs_nothing);
    tcase_add_test(t, the_window_never_falls_below_four_segments);
    tcase_add_test(t, after_idleness_it_restarts_at_the_bandwidth_and_does_not_stop_to_measure);
    tcase_add_test(t, flows_do_not_probe_together);
    tcase_add_loop_test(t, no_sequence_of_events_breaks_the_window, 0, 10);
    suite_add_tcase(s, t);
    return run_suite(s);
}
