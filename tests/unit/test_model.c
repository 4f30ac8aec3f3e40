/* The lab's model of one direction of a path, in virtual time. Times in nanoseconds. */
#include "model_bench.h"
#include "suite.h"

START_TEST(the_rate_holds_even_if_nobody_looks_for_a_while)
{
    struct link_params p = {.rate = 12500000, .delay = 10000};

    start(&p);
    for (unsigned i = 0; i < 100; i++)
        send_len(LEN);
    b.now += SECOND;
    model_run(&b.m, b.now);
    ck_assert_uint_eq(b.n, 100);
    /* 120 us each at 100 Mbit/s. */
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(b.got[i].at, 5 * SECOND + 10 * MS + (i + 1) * 120000);
    finish();
}
END_TEST

START_TEST(a_rate_can_change_while_packets_wait)
{
    struct link_params p = {.rate = 12500000};

    start(&p);
    for (unsigned i = 0; i < 100; i++)
        send_len(LEN);
    pass(50 * 120000);
    b.m.p.rate /= 10;
    pass(SECOND);
    ck_assert_uint_eq(b.n, 100);
    /* The 51st has begun at the old rate. */
    ck_assert_int_eq(b.got[99].at, 5 * SECOND + 51 * 120000 + 49 * 1200000);
    finish();
}
END_TEST

START_TEST(a_shorter_delay_does_not_turn_the_order_around)
{
    struct link_params p = {.rate = 12500000, .delay = 100000};

    start(&p);
    send_len(LEN);
    b.m.p.delay = 1000;
    send_len(LEN);
    pass(SECOND);
    ck_assert_uint_eq(b.n, 2);
    ck_assert(b.got[0].number == 0 && b.got[1].number == 1 && b.got[1].at == b.got[0].at);
    finish();
}
END_TEST

START_TEST(the_queue_counts_bytes_with_the_one_on_the_wire)
{
    struct link_params p = {.rate = 12500000, .queue = 10 * LEN};

    start(&p);
    for (unsigned i = 0; i < 20; i++)
        send_len(LEN);
    ck_assert_uint_eq(b.drops, 10);
    ck_assert_uint_eq(b.m.count.drops[MODEL_FULL], 10);
    ck_assert_uint_eq(model_waiting(&b.m, b.now), 10 * LEN);
    pass(120000);
    ck_assert_uint_eq(model_waiting(&b.m, b.now), 9 * LEN);
    send_len(LEN);
    send_len(1);
    ck_assert_uint_eq(b.drops, 11);
    finish();
}
END_TEST

START_TEST(jitter_varies_the_delay_evenly_and_keeps_the_order)
{
    struct link_params p = {.rate = 125000000, .delay = 20000, .jitter = 4000};
    double sum = 0, low = 1e18, high = 0;

    start(&p);
    for (unsigned i = 0; i < 50000; i++) {
        send_len(LEN);
        pass(MS);
    }
    pass(SECOND);
    ck_assert_uint_eq(b.n, 50000);
    for (unsigned i = 0; i < b.n; i++) {
        double delay = (double)(b.got[i].at - 5 * SECOND - (int64_t)i * MS);

        ck_assert_uint_eq(b.got[i].number, i);
        sum += delay;
        low = fmin(low, delay);
        high = fmax(high, delay);
    }
    /* The mean of 5,000 points evenly within 4 ms has a standard error of 0.03 ms. */
    ck_assert_double_eq_tol(sum / b.n, 20.012 * MS, 0.1 * MS);
    ck_assert_double_ge(low, 16.012 * MS);
    ck_assert_double_lt(low, 16.2 * MS);
    ck_assert_double_le(high, 24.012 * MS);
    ck_assert_double_gt(high, 23.8 * MS);
    finish();
}
END_TEST

/* Sends many packets; returns how many runs of losses there were. */
static unsigned loss_runs(const struct link_params *p, unsigned packets)
{
    unsigned runs = 0, next = 0;

    start(p);
    for (unsigned i = 0; i < packets; i++) {
        send_len(100);
        pass(MS);
    }
    for (unsigned i = 0; i < b.n; i++) {
        runs += b.got[i].number != next;
        next = b.got[i].number + 1;
    }
    finish();
    return runs;
}

START_TEST(random_loss_is_within_its_confidence_interval)
{
    struct link_params p = {.loss = 0.02};

    loss_runs(&p, 100000);
    /* 2,000 expected; standard deviation 44, and 2.6 of them. */
    ck_assert_uint_eq(b.drops, b.m.count.drops[MODEL_LOSS]);
    ck_assert_uint_gt(b.drops, 2000 - 115);
    ck_assert_uint_lt(b.drops, 2000 + 115);
}
END_TEST

START_TEST(gilbert_losses_have_the_length_of_the_bad_state)
{
    struct link_params p = {.burst_begin = 0.01, .burst_end = 0.2, .burst_loss = 1};
    unsigned runs = loss_runs(&p, 150000);
    double length = (double)b.drops / runs;

    /* Of the time, 0.01 / 0.21 is bad; the runs' length is geometric with a mean of 5 packets. */
    ck_assert_double_eq_tol(b.drops / 150000.0, 0.01 / 0.21, 0.004);
    ck_assert_double_eq_tol(length, 5, 2.6 * sqrt(20.0 / runs));
}
END_TEST

START_TEST(a_pause_ends_a_burst)
{
    struct link_params p = {.burst_begin = 1, .burst_end = 1e-9, .burst_loss = 1};

    start(&p);
    send_len(100);
    ck_assert(b.m.bad);
    b.m.p.burst_begin = 0;
    pass(50 * MS);
    send_len(100);
    ck_assert_uint_eq(b.drops, 2);
    pass(101 * MS);
    send_len(100);
    ck_assert_uint_eq(b.drops, 2);
    finish();
}
END_TEST

START_TEST(late_and_doubled_packets_have_their_shares)
{
    struct link_params p = {.rate = 125000000, .reorder = 0.05, .reorder_by = 5000, .duplicate = 0.03};
    unsigned late = 0, last = 0;

    start(&p);
    for (unsigned i = 0; i < 50000; i++) {
        send_len(LEN);
        pass(MS / 10);
    }
    pass(SECOND);
    for (unsigned i = 0; i < b.n; i++) {
        late += b.got[i].number < last;
        last = b.got[i].number;
    }
    ck_assert_uint_eq(b.n, 50000 + b.doubled);
    ck_assert_uint_eq(b.m.count.doubled, b.doubled);
    ck_assert_double_eq_tol(b.doubled, 1500, 2.6 * 38.1);
    ck_assert_double_eq_tol((double)b.m.count.late, 2500, 2.6 * 48.7);
    /* Who is late by less than the gap between packets overtakes nobody; a copy may be overtaken, too. */
    ck_assert_double_gt(late, 0.9 * 2500);
    ck_assert_double_lt(late, 2500 + 1500);
    finish();
}
END_TEST

START_TEST(down_loses_what_enters_and_what_arrives)
{
    struct link_params p = {.delay = 10000};

    start(&p);
    send_len(LEN);
    pass(5 * MS);
    b.m.down = true;
    send_len(LEN);
    pass(6 * MS);
    ck_assert_uint_eq(b.m.count.drops[MODEL_DOWN], 2);
    b.m.down = false;
    send_len(LEN);
    pass(20 * MS);
    ck_assert_uint_eq(b.n, 1);
    finish();
}
END_TEST

START_TEST(a_schedule_is_followed_and_repeated)
{
    struct link_params p = {.schedule = {{2 * BRAID_SECOND, LINK_DOWN, 0}, {3 * BRAID_SECOND, LINK_UP, 0}},
                            .n_changes = 2,
                            .repeat = 5 * BRAID_SECOND};

    start(&p);
    pass(MS / 2);
    for (unsigned ms = 0; ms < 20000; ms++) {
        unsigned before = b.n;
        bool down = ms % 5000 >= 2000 && ms % 5000 < 3000;

        send_len(LEN);
        ck_assert_uint_eq(b.n - before, down ? 0 : 1);
        pass(MS);
    }
    finish();
}
END_TEST

START_TEST(a_trace_is_followed_to_the_millisecond_and_begins_again)
{
    uint32_t ms[] = {0, 5, 5, 7, 10};
    struct link_trace trace = {5, ms};
    struct link_params p = {.trace = &trace};
    static const int64_t expected[] = {0, 5, 5, 7, 10, 10, 15, 15, 17, 20, 20};

    start(&p);
    for (unsigned i = 0; i < 11; i++)
        send_len(LINK_OPPORTUNITY);
    pass(SECOND);
    ck_assert_uint_eq(b.n, 11);
    for (unsigned i = 0; i < 11; i++)
        ck_assert_int_eq(b.got[i].at, 5 * SECOND + expected[i] * MS);
    finish();
}
END_TEST

START_TEST(an_opportunity_is_shared_by_those_who_wait_and_lost_by_those_who_come_later)
{
    uint32_t ms[] = {5, 10};
    struct link_trace trace = {2, ms};
    struct link_params p = {.trace = &trace};

    start(&p);
    send_len(500); /* 5 ms */
    send_len(600); /* 5 ms */
    send_len(900); /* 400 of it at 5 ms, the rest at 10 ms */
    pass(12 * MS);
    send_len(100); /* 15 ms, after 1,000 bytes of 10 ms are gone */
    pass(5 * MS + 60 * SECOND);
    send_len(1500); /* laps later */
    pass(SECOND);
    ck_assert_uint_eq(b.n, 5);
    ck_assert_int_eq(b.got[0].at, 5 * SECOND + 5 * MS);
    ck_assert_int_eq(b.got[1].at, 5 * SECOND + 5 * MS);
    ck_assert_int_eq(b.got[2].at, 5 * SECOND + 10 * MS);
    ck_assert_int_eq(b.got[3].at, 5 * SECOND + 15 * MS);
    ck_assert_int_eq(b.got[4].at, 65 * SECOND + 20 * MS);
    finish();
}
END_TEST

START_TEST(a_trace_has_its_mean_rate)
{
    char error[256];
    struct link_trace *trace = link_trace_load("tests/lab/scenarios/traces/lte.down", error, sizeof(error));
    struct link_params p = {.trace = trace};
    uint64_t mean = link_mean_rate(&p);

    ck_assert_msg(trace != NULL, "%s", error);
    start(&p);
    /* Always a packet waits, for two rounds of the trace. */
    while (b.now < 65 * SECOND) {
        while (b.flying < 100)
            send_len(1000);
        pass(MS);
    }
    ck_assert_double_eq_tol((double)b.n * 1000 / 60, (double)mean, (double)mean / 1000);
    finish();
    link_trace_free(trace);
}
END_TEST

/* A sender that halves its window when it loses something, at 20 Mbit/s and 20 ms. Returns the mean wait in
 * milliseconds. */
static double standing_queue(bool codel, double *share)
{
    struct link_params p = {.rate = 2500000, .delay = 20000, .queue = 1000000, .codel = codel};
    uint64_t waited, bytes;
    unsigned n;

    start(&p);
    for (unsigned phase = 0; phase < 2; phase++) {
        waited = b.m.count.waited;
        bytes = b.m.count.bytes;
        n = b.sent;
        for (unsigned ms = 0; ms < 30000; ms++) {
            while (b.flying < (unsigned)b.window)
                send_len(LEN);
            pass(MS);
        }
    }
    *share = (double)(b.m.count.bytes - bytes) / 30 / 2500000;
    finish();
    return (double)(b.m.count.waited - waited) / (b.sent - n) / MS;
}

START_TEST(codel_keeps_the_queue_near_its_target_and_the_wire_busy)
{
    double share, wait = standing_queue(true, &share);

    ck_assert_double_gt(wait, 1);
    ck_assert_double_lt(wait, 10);
    ck_assert_double_gt(share, 0.9);
    ck_assert_uint_gt(b.m.count.drops[MODEL_CODEL], 0);
    ck_assert_uint_eq(b.m.count.drops[MODEL_FULL], 0);
    ck_assert_double_gt(standing_queue(false, &share), 100);
    ck_assert_double_gt(share, 0.99);
}
END_TEST

/* RFC 8289 section 5.3: interval / sqrt(count) between drops. */
START_TEST(codel_drops_ever_faster_while_the_queue_stands)
{
    struct codel c = {.count = 0};
    int64_t drops[5];
    unsigned n = 0;

    for (int64_t now = MS; n < 5; now += MS / 100)
        if (codel_drops(&c, now, 50 * MS, 100000, 5 * MS, 100 * MS))
            drops[n++] = now;
    ck_assert_int_eq(drops[0], 101 * MS);
    for (unsigned i = 1; i < 5; i++)
        ck_assert_double_eq_tol((double)(drops[i] - drops[i - 1]), 100 * MS / sqrt(i), MS / 50.0);
    ck_assert(!codel_drops(&c, SECOND, 4 * MS, 100000, 5 * MS, 100 * MS));
    ck_assert(!codel_drops(&c, SECOND + 1, 50 * MS, 100000, 5 * MS, 100 * MS));
    ck_assert(!codel_drops(&c, 2 * SECOND, 50 * MS, LEN, 5 * MS, 100 * MS)); /* not with one packet left */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *c = tcase_create("model");

    tcase_set_timeout(c, 60); /* of real time: on a busy machine */
    tcase_add_test(c, the_rate_holds_even_if_nobody_looks_for_a_while);
    tcase_add_test(c, a_rate_can_change_while_packets_wait);
    tcase_add_test(c, a_shorter_delay_does_not_turn_the_order_around);
    tcase_add_test(c, the_queue_counts_bytes_with_the_one_on_the_wire);
    tcase_add_test(c, jitter_varies_the_delay_evenly_and_keeps_the_order);
    tcase_add_test(c, random_loss_is_within_its_confidence_interval);
    tcase_add_test(c, gilbert_losses_have_the_length_of_the_bad_state);
    tcase_add_test(c, a_pause_ends_a_burst);
    tcase_add_test(c, late_and_doubled_packets_have_their_shares);
    tcase_add_test(c, down_loses_what_enters_and_what_arrives);
    tcase_add_test(c, a_schedule_is_followed_and_repeated);
    tcase_add_test(c, a_trace_is_followed_to_the_millisecond_and_begins_again);
    tcase_add_test(c, an_opportunity_is_shared_by_those_who_wait_and_lost_by_those_who_come_later);
    tcase_add_test(c, a_trace_has_its_mean_rate);
    tcase_add_test(c, codel_keeps_the_queue_near_its_target_and_the_wire_busy);
    tcase_add_test(c, codel_drops_ever_faster_while_the_queue_stands);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
