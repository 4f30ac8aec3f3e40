/* What changes or is shared of a path in the lab's model: schedules, policers, joins, wires of two paths. */
#include "model_bench.h"
#include "suite.h"

START_TEST(a_schedule_changes_rate_and_delay)
{
    struct link_params p = {.rate = 1500000,
                            .delay = 10000,
                            .schedule = {{1 * BRAID_SECOND, LINK_RATE, 150000},
                                         {1 * BRAID_SECOND, LINK_DELAY, 30000},
                                         {2 * BRAID_SECOND, LINK_RATE, 1500000}},
                            .n_changes = 3,
                            .repeat = 4 * BRAID_SECOND};

    start(&p);
    for (unsigned second = 0; second < 8; second++) {
        send_len(LEN); /* 1 ms on the wire, or 10 */
        pass(SECOND);
        ck_assert_uint_eq(b.n, second + 1);
        ck_assert_int_eq(b.got[second].at - b.now + SECOND,
                         (second % 4 == 1 ? 10 : 1) * MS + (second == 0 ? 10 : 30) * MS);
    }
    finish();
}
END_TEST

START_TEST(what_passes_in_the_long_run_counts_the_schedule_and_the_policer)
{
    struct link_params p = {.rate = 1000000,
                            .schedule = {{1 * BRAID_SECOND, LINK_RATE, 500000},
                                         {2 * BRAID_SECOND, LINK_DELAY, 500000},
                                         {3 * BRAID_SECOND, LINK_DOWN, 0},
                                         {4 * BRAID_SECOND, LINK_UP, 0}},
                            .n_changes = 4,
                            .repeat = 5 * BRAID_SECOND};

    /* What is changed stays so in the next round. */
    ck_assert_uint_eq(link_mean_rate(&p), 400000);
    ck_assert_uint_eq(link_rate(&p), 1000000);
    p.repeat = 0;
    ck_assert_uint_eq(link_mean_rate(&p), 1000000);
    p.policer_rate = 300000;
    ck_assert_uint_eq(link_mean_rate(&p), 300000);
    p.rate = 200000;
    ck_assert_uint_eq(link_mean_rate(&p), 200000);
    p.rate = 0;
    ck_assert_uint_eq(link_mean_rate(&p), 300000);
}
END_TEST

START_TEST(a_policer_lets_a_burst_pass_and_then_its_rate)
{
    struct link_params p = {.policer_rate = 1500000, .policer_burst = 10 * LEN};

    start(&p);
    for (unsigned i = 0; i < 30; i++)
        send_len(LEN);
    pass(0);
    ck_assert_uint_eq(b.n, 10);
    ck_assert_uint_eq(b.m.count.drops[MODEL_POLICED], 20);
    for (unsigned i = 0; i < 1000; i++) { /* twice the rate */
        pass(MS / 2);
        send_len(LEN);
    }
    pass(MS);
    ck_assert_uint_eq(b.n, 10 + 500);
    /* An empty bucket fills up in as long as its burst takes, and holds no more than that. */
    pass(SECOND);
    for (unsigned i = 0; i < 30; i++)
        send_len(LEN);
    pass(0);
    ck_assert_uint_eq(b.n, 10 + 500 + 10);
    finish();
}
END_TEST

START_TEST(only_joins_are_lost_by_the_loss_of_joins)
{
    struct link_params p = {.join_loss = 0.4};
    unsigned joins = 0;

    start(&p);
    for (unsigned i = 0; i < 20000; i++) {
        struct item *item = calloc(1, sizeof(*item));

        item->packet.len = LEN;
        item->packet.join = i % 2 == 0;
        joins += item->packet.join;
        b.flying++;
        model_send(&b.m, &item->packet, b.now);
        pass(MS);
    }
    ck_assert_uint_eq(b.n + b.drops, 20000);
    ck_assert_double_eq_tol(b.m.count.drops[MODEL_LOSS], 0.4 * joins, 2.6 * sqrt(joins * 0.4 * 0.6));
    finish();
}
END_TEST

/* The other path of two that share a wire. */
static struct model guest;
static unsigned guest_got;
static int64_t guest_last;

static void guest_deliver(void *ctx, struct model_packet *p)
{
    (void)ctx;
    guest_got++;
    guest_last = p->due;
    free(p);
}

static void guest_drop(void *ctx, struct model_packet *p)
{
    (void)ctx;
    free(p);
}

static void share(const struct link_params *p)
{
    guest_got = 0;
    model_init(&guest, p, rng_make(8, 3), b.now);
    guest.deliver = guest_deliver;
    guest.drop = guest_drop;
    model_share(&guest, &b.m);
}

static void guest_send(void)
{
    struct item *i = calloc(1, sizeof(*i));

    i->packet.len = LEN;
    model_send(&guest, &i->packet, b.now);
}

START_TEST(paths_that_share_a_wire_take_turns_on_it_and_keep_their_delays)
{
    struct link_params p = {.rate = 1500000, .delay = 10000, .queue = 20 * LEN}, q = {.delay = 50000};

    start(&p);
    share(&q);
    for (unsigned i = 0; i < 20; i++) {
        send_len(LEN);
        guest_send();
    }
    /* Twenty wait, with the one on the wire: ten of each. */
    ck_assert_uint_eq(b.m.count.drops[MODEL_FULL], 10);
    ck_assert_uint_eq(guest.count.drops[MODEL_FULL], 10);
    ck_assert_uint_eq(model_waiting(&guest, b.now), 20 * LEN);
    for (int64_t end = b.now + SECOND; b.now < end; b.now += MS) {
        model_run(&guest, b.now);
        model_run(&b.m, b.now);
    }
    ck_assert_uint_eq(b.n, 10);
    ck_assert_uint_eq(guest_got, 10);
    ck_assert_int_eq(b.got[9].at, 5 * SECOND + (19 + 10) * MS);
    ck_assert_int_eq(guest_last, 5 * SECOND + (20 + 50) * MS);
    model_clear(&guest);
    finish();
}
END_TEST

START_TEST(the_guest_of_a_wire_alone_keeps_time)
{
    struct link_params p = {.rate = 1500000, .schedule = {{BRAID_MS, LINK_RATE, 150000}}, .n_changes = 1},
                       q = {.delay = 0};

    start(&p);
    share(&q);
    for (unsigned i = 0; i < 3; i++)
        guest_send();
    while (model_next(&guest) != MODEL_NEVER) { /* nobody runs the host */
        b.now = model_next(&guest);
        model_run(&guest, b.now);
    }
    ck_assert_uint_eq(guest_got, 3);
    ck_assert_int_eq(guest_last, 5 * SECOND + (1 + 10 + 10) * MS);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_wire");
    TCase *c = tcase_create("model_wire");

    tcase_add_test(c, a_schedule_changes_rate_and_delay);
    tcase_add_test(c, what_passes_in_the_long_run_counts_the_schedule_and_the_policer);
    tcase_add_test(c, a_policer_lets_a_burst_pass_and_then_its_rate);
    tcase_add_test(c, only_joins_are_lost_by_the_loss_of_joins);
    tcase_add_test(c, paths_that_share_a_wire_take_turns_on_it_and_keep_their_delays);
    tcase_add_test(c, the_guest_of_a_wire_alone_keeps_time);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
