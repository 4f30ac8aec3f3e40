/* What an owner wants of a subflow's packets, their traffic class and their size, and what the peer's packets
 * show of what its user wants. */
#include "tcp_harness.h"

static void open_active(struct harness *h)
{
    subflow_open_active(&h->sf, &cc_fixed, h->now);
    h_run(h, 10 * BRAID_MS);
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
}

START_TEST(all_packets_are_of_the_owners_class)
{
    struct harness *h = h_new();

    h->sf.size.traffic_class = 0xb8;
    open_active(h);
    h_send(h, 3000, 3000);
    SAY(h, .seq = 1, .ack = 1, .len = 10);
    subflow_reset(&h->sf, h->now);
    ck_assert_uint_ge(h->n_out, 5); /* SYN, ACK, data, ACK, RST */
    for (unsigned i = 0; i < h->n_out; i++)
        ck_assert_uint_eq(h->out[i].p.traffic_class, 0xb8);
    h_free(h);
}
END_TEST

START_TEST(neither_end_sends_larger_segments_than_the_owner_wants)
{
    struct harness *h = h_new();

    h->sf.size.most = 600;
    open_active(h);
    ck_assert_uint_eq(h->out[0].p.tcp.mss, 600);
    ck_assert_uint_eq(h->sf.size.mss, 600 - TCP_TS_OPTION);
    h_send(h, 3000, 3000);
    ck_assert_uint_eq(h->out[h->n_out - 1].gso_size, 600 - TCP_TS_OPTION);
    h_free(h);
}
END_TEST

START_TEST(a_peer_that_wants_less_gets_less)
{
    struct harness *h = h_new();

    h->sf.size.most = 1459; /* the peer's is 1460 */
    h_passive(h, BRAID_MS);
    ck_assert_uint_eq(h->out[0].p.tcp.mss, 1459);
    ck_assert_uint_eq(h->sf.size.mss, 1459 - TCP_TS_OPTION);
    h_free(h);
    h = h_new();
    h->sf.size.most = 5000;
    h_passive(h, BRAID_MS);
    ck_assert_uint_eq(h->out[0].p.tcp.mss, 1460);
    ck_assert_uint_eq(h->sf.size.mss, 1460 - TCP_TS_OPTION);
    h_free(h);
}
END_TEST

/* ---- Nagle's algorithm ---- */

/* With an owner whose answer is expected to be the acknowledgement, and so none of each segment. */
static struct harness *patient(void)
{
    struct harness *h = h_passive(h_new(), 10 * BRAID_MS);

    h->sf.ack.patient = true;
    return h;
}

START_TEST(two_small_segments_without_an_ack_between_them_show_that_there_is_no_nagle)
{
    struct harness *h = patient();

    SAY(h, .seq = 1, .ack = 1, .len = 100);
    ck_assert(!h->sf.rcv.eager);
    SAY(h, .seq = 101, .ack = 1, .len = 100);
    ck_assert(h->sf.rcv.eager);
    h_free(h);
}
END_TEST

START_TEST(who_waits_for_the_ack_may_use_it)
{
    struct harness *h = patient();

    for (unsigned i = 0; i < 10; i++) {
        SAY(h, .seq = 1 + 100 * i, .ack = 1, .len = 100);
        h_run(h, 50 * BRAID_MS);
    }
    ck_assert(!h->sf.rcv.eager);
    h_free(h);
}
END_TEST

/* Full segments of whatever size, the end of a write that waits for its turn, copies, and the last of all. */
START_TEST(what_nagle_lets_through_shows_nothing)
{
    struct harness *h = patient();

    for (unsigned i = 0; i < 10; i++)
        h_input(h, (struct say){.seq = 1 + 1000 * i, .ack = 1, .len = 1000});
    ck_assert(!h->sf.rcv.eager);
    h_input(h, (struct say){.seq = 10001, .ack = 1, .len = 2500, .seg_size = 1000});
    h_input(h, (struct say){.seq = 12001, .ack = 1, .len = 500}); /* again */
    h_input(h, (struct say){.seq = 12501, .ack = 1, .len = 3000, .seg_size = 1000});
    h_input(h, (struct say){.flags = TCP_FIN, .seq = 15501, .ack = 1, .len = 10});
    ck_assert(!h->sf.rcv.eager);
    h_free(h);
}
END_TEST

START_TEST(the_end_of_a_super_packet_is_a_small_segment)
{
    struct harness *h = patient();

    h_input(h, (struct say){.seq = 1, .ack = 1, .len = 2500, .seg_size = 1000});
    h_input(h, (struct say){.seq = 2501, .ack = 1, .len = 2500, .seg_size = 1000});
    ck_assert(h->sf.rcv.eager);
    h_free(h);
}
END_TEST

/* Its own MSS shows that segments of 88 bytes are full ones. */
START_TEST(a_peer_of_small_segments_is_not_taken_for_one_without_nagle)
{
    struct harness *h = patient();

    h->sf.syn.peer_mss = 100;
    for (unsigned i = 0; i < 10; i++)
        h_input(h, (struct say){.seq = 1 + 88 * i, .ack = 1, .len = 88});
    ck_assert(!h->sf.rcv.eager);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp packets");
    TCase *tc = tcase_create("what the owner wants");

    tcase_add_test(tc, all_packets_are_of_the_owners_class);
    tcase_add_test(tc, neither_end_sends_larger_segments_than_the_owner_wants);
    tcase_add_test(tc, a_peer_that_wants_less_gets_less);
    suite_add_tcase(s, tc);
    tc = tcase_create("Nagle's algorithm");
    tcase_add_test(tc, two_small_segments_without_an_ack_between_them_show_that_there_is_no_nagle);
    tcase_add_test(tc, who_waits_for_the_ack_may_use_it);
    tcase_add_test(tc, what_nagle_lets_through_shows_nothing);
    tcase_add_test(tc, the_end_of_a_super_packet_is_a_small_segment);
    tcase_add_test(tc, a_peer_of_small_segments_is_not_taken_for_one_without_nagle);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
