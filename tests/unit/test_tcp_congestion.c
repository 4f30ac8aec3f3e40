/* Between a subflow and its congestion control: the state that an algorithm gets, and what changing it
 * leaves. */
#include "tcp_harness.h"

#define SEG 1448u
#define RTT (100 * BRAID_MS)

struct seen {
    uint64_t magic, begun;
};

static void seen_init(struct cc *cc, braid_time now)
{
    struct seen *s = (struct seen *)cc->priv;

    ck_assert_uint_eq(s->magic, 0);
    *s = (struct seen){42, (uint64_t)now};
}

static const struct cc_ops cc_seen = {
    .name = "seen",
    .priv_size = sizeof(struct seen),
    .saved_size = 2 * sizeof(uint64_t),
    .init = seen_init,
    .on_ack = fixed_on_ack,
    .on_loss = fixed_on_loss,
    .on_undo = fixed_on_undo,
};

static const struct cc_ops cc_stateless = {
    .name = "stateless",
    .pacing_rate = fixed_rate,
    .init = fixed_init,
    .on_loss = fixed_on_loss,
    .on_undo = fixed_on_undo,
};

/* A SYN costs no more than the subflow itself. */
START_TEST(state_is_made_when_the_handshake_is_complete)
{
    struct harness *h = h_new();

    h->cc = &cc_seen;
    h_half_open(h);
    ck_assert_ptr_null(h->sf.cc.priv);
    ck_assert_uint_eq(h->account.used, 0);
    SAY(h, .seq = 1, .ack = 1);
    ck_assert_uint_eq(((struct seen *)h->sf.cc.priv)->magic, 42);
    ck_assert_uint_eq(h->account.used, mem_cost(sizeof(struct seen)));
    h_free(h);
}
END_TEST

START_TEST(what_it_takes_is_charged_to_the_core_if_there_is_one)
{
    struct harness *h = h_new();
    struct mem_account core = {.limit = 1 << 20};

    h->account.parent = &core;
    h->cc = &cc_seen;
    h_passive(h, RTT);
    ck_assert_uint_eq(h->account.used, 0);
    ck_assert_uint_eq(core.used, mem_cost(sizeof(struct seen)));
    h_free(h);
    ck_assert_uint_eq(core.used, 0);
}
END_TEST

START_TEST(another_algorithm_begins_with_a_state_of_its_own_and_the_old_windows)
{
    struct harness *h = h_passive(h_new(), RTT);

    h->sf.cc.cwnd = 7 * SEG;
    h->sf.cc.ssthresh = 5 * SEG;
    memset(h->sf.cc.priv, 0xff, cc_fixed.priv_size);
    subflow_set_cc(&h->sf, &cc_seen, h->now);
    ck_assert_uint_eq(((struct seen *)h->sf.cc.priv)->magic, 42);
    ck_assert_uint_eq(h->sf.cc.cwnd, 7 * SEG);
    ck_assert_uint_eq(h->sf.cc.ssthresh, 5 * SEG);
    ck_assert_uint_eq(h->account.used, mem_cost(sizeof(struct seen)));
    subflow_set_cc(&h->sf, &cc_stateless, h->now);
    ck_assert_ptr_null(h->sf.cc.priv);
    ck_assert_uint_eq(h->account.used, 0);
    h_free(h);
}
END_TEST

/* The handshake only says which one it will be. */
START_TEST(an_algorithm_may_change_before_the_handshake_is_complete)
{
    struct harness *h = h_new();

    h_half_open(h);
    subflow_set_cc(&h->sf, &cc_seen, h->now);
    ck_assert_ptr_null(h->sf.cc.priv);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1);
    ck_assert_uint_eq(((struct seen *)h->sf.cc.priv)->begun, (uint64_t)h->now);
    h_free(h);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which ends the program where malloc would say no */
static const struct cc_ops cc_huge = {
    .name = "huge",
    .priv_size = SIZE_MAX / 4,
    .init = fixed_init,
    .on_ack = fixed_on_ack,
    .on_loss = fixed_on_loss,
    .on_undo = fixed_on_undo,
};

START_TEST(without_memory_for_it_there_is_no_subflow)
{
    struct harness *h = h_new();

    h->cc = &cc_huge;
    h_half_open(h);
    SAY(h, .seq = 1, .ack = 1);
    ck_assert_uint_eq(h->handshakes, 0);
    h_expect(h, TCP_RST | TCP_ACK, 1, 1, 0);
    ck_assert_uint_eq(h->closed, 1);
    ck_assert_int_eq(h->why, SUBFLOW_CLOSED_LOCAL);
    h_free(h);
}
END_TEST

static const struct cc_ops cc_forgetful = {
    .name = "forgetful",
    .priv_size = 2 * sizeof(uint64_t),
    .saved_size = SIZE_MAX / 4,
    .pacing_rate = fixed_rate,
    .init = fixed_init,
    .on_ack = fixed_on_ack,
    .on_loss = fixed_on_loss,
    .on_undo = fixed_on_undo,
};

/* The DSACK says that nothing was lost. */
START_TEST(without_memory_for_the_way_back_a_loss_stays_one)
{
    struct harness *h = h_new();

    h->cc = &cc_forgetful;
    h = h_passive(h, RTT);
    h->sf.cc.cwnd = 8 * SEG;
    h_send_raw(h, 8 * SEG);
    h_run(h, RTT);
    SAY(h, .seq = 1, .ack = 1, .sack = {{1 + SEG, 1 + 4 * SEG}});
    ck_assert(h->sf.cc.in_recovery);
    SAY(h, .seq = 1, .ack = 1 + 8 * SEG);
    SAY(h, .seq = 1, .ack = 1 + 8 * SEG, .sack = {{1, 1 + SEG}});
    ck_assert_uint_eq(h->sf.cc.cwnd, 4 * SEG);
    ck_assert_uint_eq(h->sf.cc.ssthresh, 4 * SEG);
    h_free(h);
}
END_TEST

START_TEST(without_memory_for_another_one_the_old_one_goes_on)
{
    struct harness *h = h_passive(h_new(), RTT);

    subflow_set_cc(&h->sf, &cc_huge, h->now);
    ck_assert_ptr_eq(h->sf.cc.ops, &cc_fixed);
    ck_assert_ptr_nonnull(h->sf.cc.priv);
    h_free(h);
}
END_TEST
#endif

/* RFC 2861. RTO is 300 ms: SRTT 100 ms, RTTVAR 50 ms. */
START_TEST(idleness_halves_the_window_once_in_an_rto_down_to_the_initial_one)
{
    static const struct {
        braid_time idle;
        uint64_t segments;
    } cases[] = {{299 * BRAID_MS, 64}, {300 * BRAID_MS, 32}, {601 * BRAID_MS, 16}, {10 * BRAID_SECOND, 10}};
    for (unsigned i = 0; i < 4; i++) {
        struct harness *h = h_passive(h_new(), RTT);

        ck_assert_int_eq(rtt_rto(&h->sf.rtt), 300 * BRAID_MS);
        h->sf.cc.cwnd = 64 * h->sf.size.mss;
        h->sf.cc.ssthresh = 20 * h->sf.size.mss;
        h->sf.activity.last_send = h->now - cases[i].idle;
        subflow_space(&h->sf, h->now);
        ck_assert_uint_eq(h->sf.cc.cwnd, cases[i].segments * h->sf.size.mss);
        ck_assert_uint_eq(h->sf.cc.ssthresh, (i == 0 ? 20 : 48) * h->sf.size.mss);
        subflow_space(&h->sf, h->now); /* asked again before anything leaves: no further */
        ck_assert_uint_eq(h->sf.cc.cwnd, cases[i].segments * h->sf.size.mss);
        h_free(h);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp_congestion");
    TCase *tc = tcase_create("all");

    tcase_add_test(tc, state_is_made_when_the_handshake_is_complete);
    tcase_add_test(tc, what_it_takes_is_charged_to_the_core_if_there_is_one);
    tcase_add_test(tc, another_algorithm_begins_with_a_state_of_its_own_and_the_old_windows);
    tcase_add_test(tc, an_algorithm_may_change_before_the_handshake_is_complete);
    tcase_add_test(tc, idleness_halves_the_window_once_in_an_rto_down_to_the_initial_one);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tc, without_memory_for_it_there_is_no_subflow);
    tcase_add_test(tc, without_memory_for_another_one_the_old_one_goes_on);
    tcase_add_test(tc, without_memory_for_the_way_back_a_loss_stays_one);
#endif
    suite_add_tcase(s, tc);
    return run_suite(s);
}
