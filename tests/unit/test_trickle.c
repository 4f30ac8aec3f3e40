/* Paths by which the peer holds up what it sends (src/mptcp/trickle.c). Two subflows: one is thin, the other
 * has brought a MiB. */
#include "lone_conn.h"
#include "mptcp/order.h"
#include "mptcp/recvq.h"
#include "mptcp/trickle.h"

#define SEGMENT 1000u

static struct mp_subflow *thin, *fat;

static void begin(void)
{
    lone_begin(NULL);
    thin = lone.s;
    fat = lone_flow("10.0.2.2:4000");
    thin->tcp.rcv.nxt += 64u << 10;
    fat->tcp.rcv.nxt += 1u << 20;
    lone.c->recv.edge += 8u << 20;
    ck_assert(!thin->backup.due && !fat->backup.due);
}

/* The segment with these data comes over s. */
static void bring(struct mp_subflow *s, uint64_t dsn)
{
    struct slice in = lone_slice(dsn, SEGMENT, 1500);
    s->tcp.activity.last_recv = lone.now;
    recv_deliver(lone.c, s, dsn, &in);
    recvq_keep(lone.c);
}

/* Something waits behind a gap; then n segments of it come over s, one every `pause`. */
static void fill_slowly(struct mp_subflow *s, unsigned n, braid_time pause)
{
    bring(s == thin ? fat : thin, lone.c->recv.nxt + 500 * SEGMENT);
    for (unsigned i = 0; i < n; i++) {
        lone.now += pause;
        bring(s, lone.c->recv.nxt);
    }
}

/* What the peer is told of s, if it is. */
static bool is_aside(struct mp_subflow *s)
{
    ck_assert_uint_eq(s->backup.due, s->backup.aside);
    ck_assert(!s->backup.ours);
    return s->backup.aside;
}

START_TEST(a_thin_path_that_alone_brings_what_is_missing_is_to_be_spared)
{
    begin();
    fill_slowly(thin, 9, 50 * BRAID_MS); /* 400 ms from the first to the last */
    ck_assert(is_aside(thin));
    ck_assert(thin->tcp.ack.forced);
    ck_assert(!is_aside(fat));
    ck_assert_uint_eq(lone_count(COUNT_MP_ASIDE), 1);
    lone_end();
}
END_TEST

START_TEST(not_before_it_has_lasted_and_not_by_few_segments)
{
    static const struct {
        unsigned n;
        braid_time pause;
    } cases[] = {{8, 50 * BRAID_MS}, {9, 49 * BRAID_MS}, {8, 300 * BRAID_MS}, {100, BRAID_MS}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        fill_slowly(thin, cases[i].n, cases[i].pause);
        ck_assert(!is_aside(thin));
        lone_end();
    }
}
END_TEST

/* Another one goes on: nobody is held up. */
START_TEST(nor_while_others_bring_data_too)
{
    begin();
    bring(fat, lone.c->recv.nxt + 500 * SEGMENT);
    for (unsigned i = 1; i < 100; i++) {
        lone.now += 100 * BRAID_MS;
        bring(i % 6 ? thin : fat, lone.c->recv.nxt + (i % 6 ? 0 : (500 + i) * SEGMENT));
    }
    ck_assert(!is_aside(thin));
    lone_end();
}
END_TEST

START_TEST(a_path_that_carries_a_share_is_not_nor_one_that_has_hardly_begun_nor_the_last)
{
    for (unsigned i = 0; i < 4; i++) {
        begin();
        if (i == 0)
            thin->tcp.rcv.nxt = 1 + (256u << 10);
        else if (i == 1)
            thin->tcp.rcv.nxt = 1 + (31u << 10);
        else if (i == 2)
            fat->backup.peer = true;
        else
            fat->silence.suspect = true;
        fill_slowly(thin, 50, 50 * BRAID_MS);
        ck_assert(!is_aside(thin));
        fat->silence.suspect = false;
        lone_end();
    }
}
END_TEST

/* For ten seconds, then for twenty. */
START_TEST(the_request_is_taken_back_after_a_while_that_doubles)
{
    begin();
    for (unsigned seconds = 10; seconds <= 40; seconds *= 2) {
        fill_slowly(thin, 9, 50 * BRAID_MS);
        ck_assert(is_aside(thin));
        thin->backup.due = false; /* it has left */
        lone.now += (seconds - 1) * BRAID_SECOND;
        conn_watch_trickles(lone.c, lone.now);
        ck_assert(thin->backup.aside && !thin->backup.due);
        lone.now += 2 * BRAID_SECOND;
        conn_watch_trickles(lone.c, lone.now);
        ck_assert(!thin->backup.aside && thin->backup.due);
        thin->backup.due = false;
    }
    ck_assert_uint_eq(lone_count(COUNT_MP_ASIDE), 3);
    lone_end();
}
END_TEST

/* The ACK with the request was lost. */
START_TEST(it_is_repeated_where_the_peer_goes_on)
{
    begin();
    fill_slowly(thin, 9, 50 * BRAID_MS);
    thin->backup.due = false;
    fill_slowly(thin, 9, 50 * BRAID_MS);
    ck_assert(is_aside(thin));
    ck_assert_uint_eq(lone_count(COUNT_MP_ASIDE), 1);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trickle");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_thin_path_that_alone_brings_what_is_missing_is_to_be_spared);
    tcase_add_test(t, not_before_it_has_lasted_and_not_by_few_segments);
    tcase_add_test(t, nor_while_others_bring_data_too);
    tcase_add_test(t, a_path_that_carries_a_share_is_not_nor_one_that_has_hardly_begun_nor_the_last);
    tcase_add_test(t, the_request_is_taken_back_after_a_while_that_doubles);
    tcase_add_test(t, it_is_repeated_where_the_peer_goes_on);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
