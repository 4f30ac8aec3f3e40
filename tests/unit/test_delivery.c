/* Delivery rate samples: the estimator by itself, and what src/tcp makes of it for an algorithm that has a
 * model of the path. */
#include "tcp_harness.h"
#include "tcp/delivery.h"

#define MS BRAID_MS

/* ---- the estimator ---- */

/* A run of 1000 bytes that ends at `end`. */
struct run {
    struct delivery_mark mark;
    braid_time at;
    uint64_t end;
};

static struct delivery d;
static struct delivery_pace pace;
static uint64_t sent, in_flight;

static void reset(void)
{
    d = (struct delivery){0};
    pace = (struct delivery_pace){0};
    sent = in_flight = 0;
}

static struct run send_run(braid_time now)
{
    struct run r = {.at = now, .end = sent += 1000};
    delivery_on_sent(&d, &pace, &r.mark, in_flight == 0, now);
    in_flight += 1000;
    return r;
}

static struct delivery_result ack_runs(const struct run *r, unsigned n, int64_t min_rtt, braid_time now)
{
    struct delivery_sample s = {.sent_at = DELIVERY_NOTHING};
    for (unsigned i = 0; i < n; i++) {
        delivery_on_arrival(&d, &pace, &s, &r[i].mark, r[i].at, r[i].end, 1000, now);
        in_flight -= 1000;
    }
    return delivery_finish(&d, &s, min_rtt, now);
}

START_TEST(a_run_measures_what_was_delivered_since_it_left)
{
    struct run r[3];
    reset();
    r[0] = send_run(0);
    r[1] = send_run(10 * MS);
    struct delivery_result first = ack_runs(&r[0], 1, 1, 100 * MS);
    ck_assert_uint_eq(first.delivered, 1000);
    ck_assert_int_eq(first.interval_us, 100 * MS);
    r[2] = send_run(100 * MS);
    ack_runs(&r[1], 1, 1, 110 * MS);
    struct delivery_result last = ack_runs(&r[2], 1, 1, 200 * MS);
    ck_assert_uint_eq(last.prior_delivered, 1000);
    ck_assert_uint_eq(last.delivered, 2000);
    ck_assert_int_eq(last.interval_us, 100 * MS);
    ck_assert(!last.app_limited);
}
END_TEST

/* ACKs that were held up and arrive together do not make the path look faster than the data was sent. */
START_TEST(the_time_it_took_to_send_bounds_the_rate)
{
    struct run r[11];
    reset();
    for (int i = 0; i < 11; i++)
        r[i] = send_run(i * 10 * MS);
    ack_runs(r, 1, 1, 110 * MS);
    struct run late = send_run(110 * MS);
    ack_runs(r + 1, 10, 1, 111 * MS);
    struct delivery_result x = ack_runs(&late, 1, 1, 112 * MS);
    ck_assert_uint_eq(x.delivered, 11000);
    ck_assert_int_eq(x.interval_us, 110 * MS);
}
END_TEST

START_TEST(the_most_recently_sent_run_of_an_ack_counts)
{
    struct run r[3];
    reset();
    r[0] = send_run(0);
    ack_runs(&r[0], 1, 1, 50 * MS);
    r[0] = send_run(50 * MS);
    r[1] = send_run(60 * MS);
    r[2] = send_run(60 * MS);
    struct run reordered[3] = {r[2], r[0], r[1]};
    struct delivery_result x = ack_runs(reordered, 3, 1, 110 * MS);
    ck_assert_uint_eq(x.prior_delivered, 1000);
    ck_assert_uint_eq(x.delivered, 3000);
    ck_assert_int_eq(pace.first_sent, 60 * MS);
}
END_TEST

START_TEST(time_without_anything_in_flight_does_not_count)
{
    struct run r;
    reset();
    r = send_run(0);
    ack_runs(&r, 1, 1, 20 * MS);
    r = send_run(BRAID_SECOND);
    ck_assert_int_eq(ack_runs(&r, 1, 1, BRAID_SECOND + 20 * MS).interval_us, 20 * MS);
}
END_TEST

START_TEST(an_ack_faster_than_the_path_is_no_sample)
{
    struct run r;
    reset();
    r = send_run(0);
    ck_assert_int_eq(ack_runs(&r, 1, 20 * MS, 19 * MS).interval_us, 0);
    ck_assert_int_eq(
        delivery_finish(&d, &(struct delivery_sample){.sent_at = DELIVERY_NOTHING}, 1, 20 * MS).interval_us,
        0);
}
END_TEST

START_TEST(what_is_sent_in_a_bubble_is_app_limited_until_the_bubble_is_delivered)
{
    struct run r[4];
    reset();
    r[0] = send_run(0);
    delivery_app_limited(&d, in_flight);
    r[1] = send_run(10 * MS);
    ck_assert(!ack_runs(&r[0], 1, 1, 100 * MS).app_limited);
    r[2] = send_run(100 * MS);
    ck_assert(ack_runs(&r[1], 1, 1, 110 * MS).app_limited);
    r[3] = send_run(110 * MS);
    ck_assert(ack_runs(&r[2], 1, 1, 200 * MS).app_limited);
    ck_assert(!ack_runs(&r[3], 1, 1, 210 * MS).app_limited);
}
END_TEST

/* ---- through src/tcp ---- */

static struct cc_ack seen[64];
static unsigned n_seen;
static bool model_in_recovery;

static void model_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    if (n_seen < 64)
        seen[n_seen++] = *ack;
    model_in_recovery |= cc->in_recovery;
}

static void model_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    (void)cc;
    (void)loss;
}

static void model_recovered(struct cc *cc, braid_time now)
{
    (void)now;
    cc->priv[5]++;
}

static const struct cc_ops cc_model = {.name = "model",
                                       .priv_size = 6 * sizeof(uint64_t),
                                       .model_based = true,
                                       .pacing_rate = fixed_rate,
                                       .init = fixed_init,
                                       .on_ack = model_on_ack,
                                       .on_loss = model_on_loss,
                                       .on_undo = model_recovered,
                                       .on_recovered = model_recovered};

static struct harness *begin(void)
{
    struct harness *h = h_new();
    h->cc = &cc_model;
    n_seen = 0;
    model_in_recovery = false;
    return h_passive(h, 20 * MS);
}

static void end(struct harness *h)
{
    h->taken = h->n_out;
    h_free(h);
}

START_TEST(an_algorithm_is_told_the_rate_in_bytes_per_second)
{
    struct harness *h = begin();
    uint32_t mss = h->sf.size.mss;
    ck_assert_uint_eq(h_send(h, 6ull * mss, 2 * mss), 6ull * mss);
    h_run(h, 20 * MS);
    SAY(h, .seq = 1, .ack = 1 + 2 * mss);
    h_send(h, 2 * mss, 2 * mss);
    h_run(h, 10 * MS);
    SAY(h, .seq = 1, .ack = 1 + 6 * mss);
    h_run(h, 10 * MS);
    SAY(h, .seq = 1, .ack = 1 + 8 * mss);
    ck_assert_uint_eq(n_seen, 3);
    ck_assert_int_eq(seen[0].interval_us, 20 * MS);
    ck_assert_uint_eq(seen[0].rate, 2ull * mss * 50);
    ck_assert_uint_eq(seen[2].prior_delivered, 2ull * mss);
    ck_assert_int_eq(seen[2].interval_us, 20 * MS);
    ck_assert_uint_eq(seen[2].rate, 6ull * mss * 50);
    ck_assert_uint_eq(seen[2].acked, 2ull * mss);
    end(h);
}
END_TEST

START_TEST(a_flush_with_room_left_marks_the_flow_app_limited)
{
    struct harness *h = begin();
    uint32_t mss = h->sf.size.mss;
    h_send(h, 7ull * mss, mss); /* then it waits for ACKs */
    h_run(h, 20 * MS);
    h_input(h, (struct say){.seq = 1, .ack = 1 + 4 * mss});
    h_send(h, mss, mss);
    subflow_flush(&h->sf, h->now);
    h_send(h, mss, mss);
    h_run(h, 20 * MS);
    SAY(h, .seq = 1, .ack = 1 + 8 * mss);
    ck_assert(!seen[1].app_limited);
    SAY(h, .seq = 1, .ack = 1 + 9 * mss);
    ck_assert(seen[2].app_limited);
    end(h);
}
END_TEST

START_TEST(a_flow_that_fills_its_window_is_not_app_limited)
{
    struct harness *h = begin();
    uint32_t mss = h->sf.size.mss;
    for (uint64_t acked = 0; n_seen < 20;) {
        acked += h_send(h, 100ull * mss, mss);
        subflow_flush(&h->sf, h->now);
        h_run(h, 20 * MS);
        h_input(h, (struct say){.seq = 1, .ack = 1 + acked});
    }
    for (unsigned i = 1; i < n_seen; i++) /* before the first there was nothing to send */
        ck_assert(!seen[i].app_limited);
    end(h);
}
END_TEST

/* The third segment is lost. cwnd, not PRR, says what may leave; all ACKs are told, and what is lost. */
START_TEST(with_a_model_cwnd_governs_recovery)
{
    struct harness *h = begin();
    uint32_t mss = h->sf.size.mss;
    ck_assert_uint_eq(h_send(h, 7ull * mss, mss), 7ull * mss);
    h_run(h, 20 * MS);
    SAY(h, .seq = 1, .ack = 1 + 2 * mss);
    SAY(h, .seq = 1, .ack = 1 + 2 * mss, .sack = {{1 + 3 * mss, 1 + 7 * mss}});
    ck_assert(h->sf.cc.in_recovery && model_in_recovery);
    ck_assert_uint_eq(seen[n_seen - 1].lost, mss);
    ck_assert_uint_eq(h->sf.cc.cwnd, 10ull * mss);
    ck_assert_uint_eq(h_send(h, 100ull * mss, mss), 9ull * mss); /* beside the retransmission */
    h_run(h, 20 * MS);
    SAY(h, .seq = 1, .ack = 1 + 16 * mss);
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, 10ull * mss);
    ck_assert_uint_eq(h->sf.cc.priv[5], 1);
    end(h);
}
END_TEST

START_TEST(after_a_timeout_the_model_rebuilds_the_window_itself)
{
    struct harness *h = begin();
    uint32_t mss = h->sf.size.mss;
    h_send(h, 5ull * mss, mss);
    h_run(h, 2 * BRAID_SECOND);
    ck_assert_uint_ge(h->timeouts, 1);
    uint32_t now = h->sf.size.mss; /* packets became smaller (test_tcp_mtu.c) */
    ck_assert_uint_eq(h->sf.cc.cwnd, now);
    unsigned before = n_seen;
    SAY(h, .seq = 1, .ack = 1 + 2 * mss);
    ck_assert_uint_gt(n_seen, before);
    ck_assert_uint_eq(h->sf.cc.cwnd, now);
    SAY(h, .seq = 1, .ack = 1 + 5 * mss);
    ck_assert_uint_ge(h->sf.cc.priv[5], 1);
    end(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("delivery");
    TCase *t = tcase_create("delivery");
    tcase_add_test(t, a_run_measures_what_was_delivered_since_it_left);
    tcase_add_test(t, the_time_it_took_to_send_bounds_the_rate);
    tcase_add_test(t, the_most_recently_sent_run_of_an_ack_counts);
    tcase_add_test(t, time_without_anything_in_flight_does_not_count);
    tcase_add_test(t, an_ack_faster_than_the_path_is_no_sample);
    tcase_add_test(t, what_is_sent_in_a_bubble_is_app_limited_until_the_bubble_is_delivered);
    tcase_add_test(t, an_algorithm_is_told_the_rate_in_bytes_per_second);
    tcase_add_test(t, a_flush_with_room_left_marks_the_flow_app_limited);
    tcase_add_test(t, a_flow_that_fills_its_window_is_not_app_limited);
    tcase_add_test(t, with_a_model_cwnd_governs_recovery);
    tcase_add_test(t, after_a_timeout_the_model_rebuilds_the_window_itself);
    suite_add_tcase(s, t);
    return run_suite(s);
}
