/* CUBIC against the numbers of RFC 8312. */
#include "cubic_flow.h"

static double k_of(double w_max, double cwnd)
{
    return cbrt((w_max - cwnd) / C);
}

/* Eq. 1 and 2, in segments, after a first loss at w_max. */
static double w_cubic(double w_max, double t)
{
    return C * pow(t - k_of(w_max, w_max * BETA), 3) + w_max;
}

START_TEST(a_loss_reduces_to_seven_tenths)
{
    struct flow f;
    flow_init(&f, 100, 100000);
    loss(&f, false);
    ck_assert_uint_eq(f.cc.ssthresh, 70 * MSS);
}
END_TEST

START_TEST(ssthresh_is_never_below_two_segments)
{
    struct flow f;
    flow_init(&f, 1, 100000);
    loss(&f, false);
    ck_assert_uint_eq(f.cc.ssthresh, 2 * MSS);
}
END_TEST

START_TEST(window_follows_the_cubic_through_concave_and_convex_region)
{
    static const double w_max[] = {1000, 10000, 100000};
    struct flow f;
    for (unsigned i = 0; i < 3; i++) {
        flow_init(&f, w_max[i], 100000);
        lose(&f);
        double k = k_of(w_max[i], w_max[i] * BETA);
        for (double t = 0.1 * k; t < 1.6 * k; t += 0.1 * k) {
            run_until(&f, (braid_time)(t * 1e6));
            /* cwnd is steered to the target of one RTT later, and gets there within that RTT. */
            double now = (double)f.now / 1e6;
            ck_assert_double_ge(segments(&f), w_cubic(w_max[i], now) - 1);
            ck_assert_double_le(segments(&f), w_cubic(w_max[i], now + 0.1) + 1);
        }
    }
}
END_TEST

/* Eq. 2: K for W_max = 1000 is cbrt(1000 * 0.3 / 0.4) = 9.0856 s. */
START_TEST(w_max_is_regained_after_k)
{
    struct flow f;
    flow_init(&f, 1000, 20000);
    lose(&f);
    run_until(&f, (braid_time)(9.0856 * 0.9 * 1e6));
    ck_assert_double_lt(segments(&f), 999.8);
    run_until(&f, (braid_time)(9.0856 * 1e6));
    ck_assert_double_eq_tol(segments(&f), 1000, 0.1);
    run_until(&f, (braid_time)(9.0856 * 1.1 * 1e6));
    ck_assert_double_gt(segments(&f), 1000.2);
}
END_TEST

/* Eq. 4, where Standard TCP is faster: a short RTT. */
START_TEST(tcp_friendly_region_follows_w_est)
{
    struct flow f;
    flow_init(&f, 100, 1000);
    lose(&f);
    for (int ms = 20; ms <= 1000; ms += 20) {
        run_until(&f, ms * BRAID_MS);
        double w_est = 100 * BETA + 3 * (1 - BETA) / (1 + BETA) * (double)f.now / 1000;
        ck_assert_double_ge(w_est, w_cubic(100, (double)f.now / 1e6));
        ck_assert_double_eq_tol(segments(&f), w_est, 0.5 + 0.005 * w_est);
    }
}
END_TEST

/* One period of the sawtooth between two losses at w_max. Returns the segments sent in it, and their mean
 * window. All periods being alike, fast convergence plays no part, as the RFC's model wants it. */
static double sawtooth(double w_max, int64_t rtt_us, double *mean)
{
    struct flow f;
    double sent = 0;
    flow_init(&f, w_max, rtt_us);
    lose(&f);
    while (segments(&f) < w_max) {
        uint64_t step = f.cc.cwnd / 40 > MSS / 10 ? f.cc.cwnd / 40 : MSS / 10;
        deliver(&f, step);
        sent += (double)step / MSS;
    }
    *mean = sent * (double)rtt_us / f.at;
    return sent;
}

/* The mean window when one in 1/p segments is lost: looks for the w_max to which that belongs. */
static double mean_window(double p, int64_t rtt_us)
{
    double low = 3, high = 1e6, mean = 0;
    while (high / low > 1.001) {
        double w_max = sqrt(low * high);
        if (sawtooth(w_max, rtt_us, &mean) < 1 / p)
            low = w_max;
        else
            high = w_max;
    }
    return mean;
}

/* RFC 8312 section 5.1, tables 1 and 2, columns C=0.4. The table takes the larger of two formulas; where a
 * period has part of both regions, the true mean is up to 6 % above either. */
static const struct {
    double p;
    int64_t rtt_us;
    double mean;
} table[] = {
    {1e-2, 100000, 12},   {1e-3, 100000, 38},    {1e-4, 100000, 187},    {1e-5, 100000, 1054},
    {1e-6, 100000, 5926}, {1e-7, 100000, 33325}, {1e-8, 100000, 187400}, {1e-2, 10000, 12},
    {1e-3, 10000, 38},    {1e-4, 10000, 120},    {1e-5, 10000, 379},     {1e-6, 10000, 1200},
    {1e-7, 10000, 5926},  {1e-8, 10000, 33325},
};
#define TABLE_LEN ((int)(sizeof(table) / sizeof(*table)))

START_TEST(mean_window_is_that_of_tables_1_and_2)
{
    double mean = mean_window(table[_i].p, table[_i].rtt_us);
    ck_assert_msg(fabs(mean / table[_i].mean - 1) < 0.07, "p %g, RTT %d us: %.1f, %.1f expected", table[_i].p,
                  (int)table[_i].rtt_us, mean, table[_i].mean);
}
END_TEST

/* RFC 8312 section 5.2, table 3: the loss rate at which CUBIC has a certain window, RTT 0.1 s. */
START_TEST(loss_rates_of_table_3_give_its_windows)
{
    static const double row[][2] = {{2.9e-4, 83.3}, {1.4e-5, 833.3}, {6.3e-7, 8333.3}, {2.9e-8, 83333.3}};
    double mean = mean_window(row[_i][0], 100000);
    ck_assert_msg(fabs(mean / row[_i][1] - 1) < 0.07, "p %g: %.1f, %.1f expected", row[_i][0], mean,
                  row[_i][1]);
}
END_TEST

/* Section 4.6: a loss below the last W_max puts the plateau at (1 + beta) / 2 of the window. */
START_TEST(fast_convergence_lowers_the_plateau)
{
    struct flow f;
    flow_init(&f, 1000, 100000);
    lose(&f);
    f.cc.cwnd = 800 * MSS;
    lose(&f);
    braid_time start = f.now;
    double k = k_of(800 * 0.85, 800 * BETA);
    run_until(&f, start + (braid_time)(k * 1e6));
    ck_assert_double_eq_tol(segments(&f), 800 * 0.85, 1);
    /* And a loss above it does not. */
    f.cc.cwnd = 900 * MSS;
    lose(&f);
    start = f.now;
    run_until(&f, start + (braid_time)(k_of(900, 900 * BETA) * 1e6));
    ck_assert_double_eq_tol(segments(&f), 900, 1);
}
END_TEST

/* Section 4.7. */
START_TEST(after_a_timeout_it_slow_starts_and_then_begins_on_the_plateau)
{
    struct flow f;
    flow_init(&f, 1000, 100000);
    loss(&f, true);
    ck_assert_uint_eq(f.cc.ssthresh, 700 * MSS);
    f.cc.cwnd = MSS;
    deliver(&f, MSS);
    ck_assert_uint_eq(f.cc.cwnd, 2 * MSS);
    while (f.cc.cwnd < f.cc.ssthresh)
        deliver(&f, MSS);
    ck_assert_uint_eq(f.cc.cwnd, 700 * MSS);
    braid_time start = f.now;
    run_until(&f, start + 2 * BRAID_SECOND);
    double t = (double)(f.now - start) / 1e6, w_est = 3 * (1 - BETA) / (1 + BETA) * t / 0.1;
    ck_assert_double_gt(w_est, C * pow(t, 3));
    ck_assert_double_eq_tol(segments(&f), 700 + w_est, 1.5);
    run_until(&f, start + 10 * BRAID_SECOND);
    t = (double)(f.now - start) / 1e6;
    ck_assert_double_ge(segments(&f), 700 + C * pow(t - 0.2, 3));
    ck_assert_double_le(segments(&f), 700 + C * pow(t + 0.1, 3));
}
END_TEST

START_TEST(repeated_timeouts_of_the_same_data_keep_ssthresh)
{
    struct flow f;
    flow_init(&f, 1000, 100000);
    loss(&f, true);
    f.cc.cwnd = MSS;
    loss(&f, true);
    loss(&f, true);
    ck_assert_uint_eq(f.cc.ssthresh, 700 * MSS);
}
END_TEST

START_TEST(a_timeout_within_recovery_reduces_a_second_time)
{
    struct flow f;
    flow_init(&f, 1000, 100000);
    loss(&f, false);
    f.cc.cwnd = 5 * MSS; /* PRR after a burst of losses */
    loss(&f, true);
    ck_assert_uint_ge(f.cc.ssthresh, 490 * MSS - 1);
    ck_assert_uint_le(f.cc.ssthresh, 490 * MSS);
    cc_cubic.on_undo(&f.cc, f.now);
    ck_assert_uint_eq(f.cc.cwnd, 1000 * MSS);
    ck_assert_uint_eq(f.cc.ssthresh, CC_SSTHRESH_INFINITE);
}
END_TEST

START_TEST(undo_puts_window_and_curve_back)
{
    struct flow f, twin;
    flow_init(&f, 1000, 50000);
    lose(&f);
    run_until(&f, 15 * BRAID_SECOND); /* beyond K, on the convex side */
    twin = f;
    twin.cc.priv = twin.priv;
    twin.cc.saved = twin.saved;
    twin.cc.group_next = &twin.cc;
    loss(&f, false);
    f.cc.cwnd = f.cc.ssthresh;
    if (_i == 1) {
        loss(&f, true);
        f.cc.cwnd = MSS;
    }
    cc_cubic.on_recovered(&f.cc, f.now);
    ck_assert_uint_lt(f.cc.cwnd, twin.cc.cwnd);
    cc_cubic.on_undo(&f.cc, f.now);
    ck_assert_uint_eq(f.cc.ssthresh, twin.cc.ssthresh);
    for (int s = 16; s < 25; s++) {
        run_until(&f, s * BRAID_SECOND);
        run_until(&twin, s * BRAID_SECOND);
        ck_assert_uint_eq(f.cc.cwnd, twin.cc.cwnd);
    }
}
END_TEST

START_TEST(undo_without_a_loss_does_nothing)
{
    struct flow f;
    flow_init(&f, 1000, 50000);
    cc_cubic.on_undo(&f.cc, 0);
    ck_assert_uint_eq(f.cc.cwnd, 1000 * MSS);
    lose(&f);
    cc_cubic.on_undo(&f.cc, 0);
    f.cc.cwnd = 500 * MSS;
    cc_cubic.on_undo(&f.cc, 0);
    ck_assert_uint_eq(f.cc.cwnd, 500 * MSS);
}
END_TEST

/* RFC 8312 section 5.8. The flow is idle, or sends less than its window, for a minute; its twin never was. */
START_TEST(time_not_limited_by_the_window_does_not_count)
{
    struct flow f, twin;
    flow_init(&f, 1000, 50000);
    lose(&f);
    run_until(&f, 5 * BRAID_SECOND);
    twin = f;
    twin.cc.priv = twin.priv;
    twin.cc.saved = twin.saved;
    twin.cc.group_next = &twin.cc;
    if (_i == 1)
        for (int i = 0; i < 1200; i++) {
            f.now += 50 * BRAID_MS;
            ack(&f, MSS, false, true);
        }
    else
        f.now += 60 * BRAID_SECOND;
    f.at = (double)f.now;
    ck_assert_uint_eq(f.cc.cwnd, twin.cc.cwnd);
    for (int s = 1; s < 10; s++) {
        run_until(&f, 65 * BRAID_SECOND + s * BRAID_SECOND);
        run_until(&twin, 5 * BRAID_SECOND + s * BRAID_SECOND);
        ck_assert_double_eq_tol(segments(&f), segments(&twin), 3);
    }
}
END_TEST

/* The window was cut to the initial one after idling: slow start to ssthresh, and the same curve from its
 * start. */
START_TEST(after_a_restart_the_curve_begins_anew)
{
    struct flow f;
    flow_init(&f, 1000, 100000);
    lose(&f);
    run_until(&f, 8 * BRAID_SECOND);
    f.cc.cwnd = 10 * MSS;
    while (f.cc.cwnd < 700 * MSS)
        deliver(&f, MSS);
    ck_assert_double_eq_tol(segments(&f), 700, 1);
    braid_time start = f.now;
    for (int s = 1; s < 12; s++) {
        run_until(&f, start + s * BRAID_SECOND);
        double t = (double)(f.now - start) / 1e6;
        ck_assert_double_ge(segments(&f), w_cubic(1000, t) - 1);
        ck_assert_double_le(segments(&f), w_cubic(1000, t + 0.1) + 1);
    }
}
END_TEST

START_TEST(a_window_that_is_not_used_does_not_grow)
{
    struct flow f;
    flow_init(&f, 10, 50000);
    for (int i = 0; i < 100; i++)
        ack(&f, 5 * MSS, false, true);
    ck_assert_uint_eq(f.cc.cwnd, 10 * MSS);
    lose(&f);
    for (int i = 0; i < 100; i++) {
        f.now += 50 * BRAID_MS;
        ack(&f, 5 * MSS, false, true);
    }
    ck_assert_uint_eq(f.cc.cwnd, 7 * MSS);
}
END_TEST

START_TEST(congestion_avoidance_never_grows_by_more_than_half_of_what_is_acked)
{
    struct flow f;
    flow_init(&f, 100000, 50000);
    lose(&f);
    run_until(&f, 30 * BRAID_SECOND);
    f.cc.cwnd = f.cc.ssthresh = 10 * MSS; /* cut after idling, far below the curve */
    for (int i = 0; i < 1000; i++) {
        uint64_t before = f.cc.cwnd;
        deliver(&f, MSS);
        ck_assert_uint_le(f.cc.cwnd - before, MSS / 2 + 1);
        ck_assert_uint_ge(f.cc.cwnd, before);
    }
}
END_TEST

/* Whatever comes, the window stays sane, and the flow is alive afterwards (a NaN would stop it for good). */
START_TEST(no_sequence_of_events_breaks_the_window)
{
    uint64_t x = 88172645463325252u + (uint64_t)_i;
    struct flow f;
    flow_init(&f, 10, 0);
    for (unsigned i = 0; i < 20000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        f.now += x % 5 == 0 ? 0 : (braid_time)(x >> (x % 50 + 14));
        f.cc.srtt_us = x >> 8 & 7 ? (int64_t)(x >> 16 & 0xfffff) : (int64_t)60000000;
        f.cc.mss = 1 + (uint32_t)(x >> 20 & 0xffff);
        uint64_t before = f.cc.cwnd;
        switch (x >> 40 & 15) {
        case 0:
            loss(&f, false);
            break;
        case 1:
            loss(&f, true);
            f.cc.cwnd = f.cc.mss;
            break;
        case 2:
            cc_cubic.on_undo(&f.cc, f.now);
            break;
        case 3:
            cc_cubic.on_recovered(&f.cc, f.now);
            break;
        case 4:
            ack(&f, UINT64_MAX, true, true);
            break;
        default:
            ack(&f, x >> 44, x & 1, x & 2);
            ck_assert_uint_ge(f.cc.cwnd, before);
        }
        ck_assert_uint_ge(f.cc.cwnd, 1);
        ck_assert_uint_le(f.cc.cwnd, UINT64_C(1) << 40);
        ck_assert_uint_ge(f.cc.ssthresh, 2);
    }
    f.cc.mss = MSS;
    f.cc.srtt_us = 20000;
    f.cc.cwnd = 10 * MSS;
    lose(&f);
    f.at = (double)f.now;
    run_until(&f, f.now + 60 * BRAID_SECOND);
    ck_assert_uint_gt(f.cc.cwnd, 100 * MSS);
}
END_TEST

static TCase *rfc8312(void)
{
    TCase *t = tcase_create("rfc8312");
    tcase_add_test(t, a_loss_reduces_to_seven_tenths);
    tcase_add_test(t, ssthresh_is_never_below_two_segments);
    tcase_add_test(t, window_follows_the_cubic_through_concave_and_convex_region);
    tcase_add_test(t, w_max_is_regained_after_k);
    tcase_add_test(t, tcp_friendly_region_follows_w_est);
    tcase_add_loop_test(t, mean_window_is_that_of_tables_1_and_2, 0, TABLE_LEN);
    tcase_add_loop_test(t, loss_rates_of_table_3_give_its_windows, 0, 4);
    tcase_add_test(t, fast_convergence_lowers_the_plateau);
    tcase_add_test(t, after_a_timeout_it_slow_starts_and_then_begins_on_the_plateau);
    tcase_add_test(t, repeated_timeouts_of_the_same_data_keep_ssthresh);
    tcase_add_test(t, a_timeout_within_recovery_reduces_a_second_time);
    tcase_add_loop_test(t, undo_puts_window_and_curve_back, 0, 2);
    tcase_add_test(t, undo_without_a_loss_does_nothing);
    tcase_add_loop_test(t, time_not_limited_by_the_window_does_not_count, 0, 2);
    tcase_add_test(t, after_a_restart_the_curve_begins_anew);
    tcase_add_test(t, a_window_that_is_not_used_does_not_grow);
    tcase_add_test(t, congestion_avoidance_never_grows_by_more_than_half_of_what_is_acked);
    tcase_add_loop_test(t, no_sequence_of_events_breaks_the_window, 0, 20);
    return t;
}

int main(void)
{
    Suite *s = suite_create("cubic");
    suite_add_tcase(s, rfc8312());
    return run_suite(s);
}
