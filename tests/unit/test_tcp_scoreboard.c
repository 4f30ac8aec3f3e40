/* The scoreboard under SACK blocks that no receiver would send, or only one that gives up what it has: runs
 * stay whole segments, SACKed ones one piece, and the order of lost ones is kept without long searches. */
#include "tcp/sent.h"
#include "tcp_harness.h"

#define SEG   1448u
#define RTT   (100 * BRAID_MS)
#define AT(n) (1 + (uint64_t)(n)*SEG) /* offset of segment n, from 0 */
#define SEGS(a, b)                                                                                           \
    {                                                                                                        \
        AT(a), AT(b)                                                                                         \
    } /* segments a to b - 1 */

/* `maps` super-packets of n segments each, acknowledgements of which arrive from now on. */
static struct harness *in_flight(unsigned maps, uint32_t n)
{
    struct harness *h = h_passive(h_new(), RTT);

    h->sf.cc.cwnd = (uint64_t)maps * n * SEG;
    for (unsigned i = 0; i < maps; i++)
        h_send_raw(h, n * SEG);
    h->taken = h->n_out;
    h_run(h, RTT);
    h_nothing(h);
    return h;
}

START_TEST(parts_of_segments_are_not_sacked)
{
    struct harness *h = in_flight(1, 10);

    SAY(h, .seq = 1, .ack = 1, .sack = {{AT(5) + 10, AT(5) + 11}});
    SAY(h, .seq = 1, .ack = 1, .sack = {{AT(7) - 1, AT(8) - 1}});
    ck_assert_uint_eq(h->sf.flight->board.n_sent, 1);
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 0);
    SAY(h, .seq = 1, .ack = 1, .sack = {{AT(7) - 1, AT(9) + 1}});
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 2 * SEG);
    ck_assert_uint_eq(h->sf.flight->board.n_sent, 3);
    h_free(h);
}
END_TEST

/* A middlebox may have split segments: a cumulative ACK inside of one does not move the others' borders. */
START_TEST(borders_stay_where_they_were_after_an_ack_inside_of_a_segment)
{
    struct harness *h = in_flight(1, 10);

    SAY(h, .seq = 1, .ack = AT(1) + 100);
    SAY(h, .seq = 1, .ack = AT(1) + 100, .sack = {SEGS(3, 4)});
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, SEG);
    SAY(h, .seq = 1, .ack = AT(1) + 100, .sack = {SEGS(6, 8)});
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 3 * SEG);
    h_free(h);
}
END_TEST

START_TEST(what_is_sacked_is_one_piece_over_many_maps)
{
    struct harness *h = in_flight(8, 1);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 3)});
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(4, 8)});
    ck_assert_uint_eq(h->sf.flight->board.n_sent, 4);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(1, 8)});
    ck_assert_uint_eq(h->sf.flight->board.n_sent, 2);
    SAY(h, .seq = 1, .ack = AT(5) + 1);
    SAY(h, .seq = 1, .ack = AT(8));
    ck_assert_uint_eq(h->maps_acked, 8);
    h_free(h);
}
END_TEST

/* It is cut into the maps again: each run is retransmitted with the payload of its own. */
START_TEST(a_peer_that_drops_pieces_of_many_maps_gets_them_again)
{
    struct harness *h = in_flight(6, 2);

    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(0, 3)});
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(3, 11)});
    ck_assert_uint_eq(h->sf.flight->board.n_sent, 2);
    h_run(h, 310 * BRAID_MS);
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, 0);
    h_expect(h, TCP_ACK, 1, 1, SEG);
    for (unsigned i = 1; i < 12; i++) {
        SAY(h, .seq = 1, .ack = AT(i));
        h->taken = h->n_out; /* its payload is compared when it is taken */
    }
    SAY(h, .seq = 1, .ack = AT(12));
    ck_assert_uint_eq(h->maps_acked, 6);
    h_free(h);
}
END_TEST

/* Far from the news, the front and the end nobody looks; the cumulative ACK settles it. */
START_TEST(a_search_ends)
{
    enum { N = 2000 };
    struct harness *h = in_flight(N / 40, 40);

    h->careless = true;
    for (unsigned i = 1; i < N; i += 2) {
        SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(i, i + 1)});
        h->taken = h->n_out;
    }
    uint64_t before = h->sf.flight->board.sacked_bytes;
    ck_assert_uint_eq(before, N / 2 * SEG);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(N / 2, N / 2 + 1)});
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, before);
    SAY(h, .seq = 1, .ack = 1, .sack = {SEGS(N - 20, N - 19)});
    ck_assert_uint_eq(h->sf.flight->board.sacked_bytes, before + SEG);
    h->taken = h->n_out;
    SAY(h, .seq = 1, .ack = AT(N));
    ck_assert_uint_eq(h->maps_acked, N / 40);
    h_free(h);
}
END_TEST

/* A state that was taken over may have its times from nowhere. */
START_TEST(what_leaves_behind_a_time_to_come_keeps_the_order)
{
    struct harness *h = in_flight(1, 4);

    sent_of_link(h->sf.flight->board.by_time.prev)->at = h->now + 60 * BRAID_SECOND;
    h->sf.cc.cwnd += 4 * SEG;
    h_send_raw(h, 4 * SEG);
    sent_check(&h->sf);
    h_run(h, 100 * BRAID_SECOND); /* and is sent again */
    sent_check(&h->sf);
    h_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("TCP scoreboard");
    TCase *t = tcase_create("runs");

    tcase_add_test(t, parts_of_segments_are_not_sacked);
    tcase_add_test(t, borders_stay_where_they_were_after_an_ack_inside_of_a_segment);
    tcase_add_test(t, what_is_sacked_is_one_piece_over_many_maps);
    tcase_add_test(t, a_peer_that_drops_pieces_of_many_maps_gets_them_again);
    tcase_add_test(t, a_search_ends);
    tcase_add_test(t, what_leaves_behind_a_time_to_come_keeps_the_order);
    suite_add_tcase(s, t);
    return run_suite(s);
}
