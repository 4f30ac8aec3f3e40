/* When a path is suspect, probed, and trusted again (src/mptcp/silent_paths.c; what is remembered of it is
 * tried in test_silent_paths.c). Two subflows; the first one has data in flight. */
#include "lone_conn.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"

static struct mp_subflow *other;

static void begin(void)
{
    static const char bytes[1000];
    lone_begin(NULL);
    other = lone_flow("10.0.2.2:4000");
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, 1000), 1000);
    struct mp_map *m = conn_map_new(lone.c, DATA_FIRST, 1000);
    lone.c->send.nxt = lone.c->send.end;
    subflow_send(&lone.s->tcp, &m->tcp, lone.now);
}

static void watch(void)
{
    lone.c->deadlines.watch = BRAID_NEVER;
    conn_watch_paths(lone.c, lone.now);
}

/* When the path is silent, with the patience that it has. */
static braid_time silent_at(void)
{
    return subflow_silent_at(&lone.s->tcp, lone.s->silence.patience);
}

static void turn_suspect(void)
{
    lone.now = silent_at() > lone.now ? silent_at() : lone.now;
    watch();
    ck_assert(lone.s->silence.suspect);
}

/* The peer acknowledges something, for the first time or after it was sent again. */
static void acknowledge(bool first)
{
    lone.now += BRAID_MS;
    lone.s->tcp.activity.progress_at = lone.now;
    lone.s->tcp.tries.sent_once = first;
    watch();
}

START_TEST(a_path_is_suspect_when_its_ack_is_late_and_watched_until_then)
{
    begin();
    watch();
    ck_assert(!lone.s->silence.suspect);
    ck_assert_int_eq(lone.c->deadlines.watch, silent_at());
    lone.now = silent_at() - 1;
    watch();
    ck_assert(!lone.s->silence.suspect);
    lone.now++;
    watch();
    ck_assert(lone.s->silence.suspect && !other->silence.suspect);
    ck_assert_uint_eq(lone_count(COUNT_MP_SUSPECTED), 1);
    lone_end();
}
END_TEST

START_TEST(a_retransmission_timeout_needs_no_other_sign)
{
    begin();
    lone.s->tcp.rtt.backoff = 1;
    watch();
    ck_assert(lone.s->silence.suspect);
    lone_end();
}
END_TEST

START_TEST(without_another_that_answers_nobody_is_suspect)
{
    begin();
    turn_suspect();
    other->tcp.rtt.backoff = 1;
    watch();
    ck_assert(!lone.s->silence.suspect);
    lone.now += 10 * BRAID_SECOND;
    watch();
    ck_assert(!lone.s->silence.suspect);
    lone_end();
}
END_TEST

START_TEST(a_suspect_path_is_probed)
{
    begin();
    turn_suspect();
    unsigned packets = lone.packets;
    for (unsigned i = 1; i <= 3; i++) {
        lone.now += 749 * BRAID_MS;
        watch();
        ck_assert_uint_eq(lone.packets, packets + i - 1);
        ck_assert_int_eq(lone.c->deadlines.watch, lone.now + BRAID_MS);
        lone.now += BRAID_MS;
        watch();
        ck_assert_uint_eq(lone.packets, packets + i);
    }
    ck_assert_uint_eq(lone_count(COUNT_MP_PATH_PROBES), 3);
    lone_end();
}
END_TEST

START_TEST(who_answers_a_probe_has_lost_what_was_in_flight)
{
    begin();
    turn_suspect();
    lone.s->tcp.rtt.backoff = 5;
    lone.s->tcp.activity.last_recv = lone.now; /* something from before the probe says nothing */
    lone.now += 750 * BRAID_MS;
    watch();
    lone.now += 4 * BRAID_MS;
    lone.s->tcp.activity.last_recv = lone.now; /* nor does what was under way: the round trip is 10 ms */
    watch();
    ck_assert_uint_eq(lone.s->tcp.rtt.backoff, 5);
    lone.now += BRAID_MS;
    lone.s->tcp.activity.last_recv = lone.now;
    watch();
    ck_assert_uint_eq(lone.s->tcp.rtt.backoff, 0);
    lone_end();
}
END_TEST

START_TEST(who_was_only_late_gets_more_patience_up_to_sixteen_times)
{
    begin();
    for (unsigned i = 1; i <= 6; i++) {
        turn_suspect();
        acknowledge(true);
        ck_assert(!lone.s->silence.suspect);
        ck_assert_uint_eq(lone.s->silence.patience, i < 4 ? i : 4);
    }
    ck_assert_uint_eq(lone_count(COUNT_MP_SUSPECTED_WRONGLY), 6);
    lone_end();
}
END_TEST

START_TEST(a_loss_that_was_repaired_teaches_none)
{
    begin();
    turn_suspect();
    acknowledge(false);
    ck_assert(!lone.s->silence.suspect);
    ck_assert_uint_eq(lone.s->silence.patience, 0);
    lone_end();
}
END_TEST

/* Such an ACK may be one that was lost before, told again: only its window or a probe of the peer's brought
 * it. */
START_TEST(an_ack_that_leaves_the_window_full_is_no_proof_but_the_next_one_is)
{
    begin();
    lone.s->tcp.cc.cwnd = 1000;
    turn_suspect();
    acknowledge(true);
    ck_assert(lone.s->silence.suspect);
    ck_assert_uint_eq(lone_count(COUNT_MP_SUSPECTED_WRONGLY), 0);
    watch(); /* nor is it the next one when it is looked at again */
    ck_assert(lone.s->silence.suspect);
    acknowledge(true);
    ck_assert(!lone.s->silence.suspect);
    ck_assert_uint_eq(lone.s->silence.patience, 1);
    turn_suspect();
    acknowledge(true);
    ck_assert_msg(lone.s->silence.suspect, "what was told in another silence counts");
    lone_end();
}
END_TEST

START_TEST(behind_an_ack_that_is_no_proof_the_next_probe_decides)
{
    begin();
    lone.s->tcp.cc.cwnd = 1000;
    turn_suspect();
    lone.s->tcp.rtt.backoff = 5;
    lone.now += 750 * BRAID_MS;
    watch();
    lone.now += 20 * BRAID_MS;
    lone.s->tcp.activity.last_recv = lone.now + BRAID_MS;
    acknowledge(true);
    ck_assert_uint_eq(lone.s->tcp.rtt.backoff, 5);
    lone.now += 729 * BRAID_MS;
    watch();
    ck_assert_uint_eq(lone_count(COUNT_MP_PATH_PROBES), 2);
    lone.now += 20 * BRAID_MS;
    lone.s->tcp.activity.last_recv = lone.now;
    watch();
    ck_assert_uint_eq(lone.s->tcp.rtt.backoff, 0);
    lone_end();
}
END_TEST

START_TEST(a_retransmission_that_arrives_is_proof_in_a_full_window_too)
{
    begin();
    lone.s->tcp.cc.cwnd = 1000;
    turn_suspect();
    acknowledge(false);
    ck_assert(!lone.s->silence.suspect);
    lone_end();
}
END_TEST

START_TEST(patience_fades_in_ten_seconds_each)
{
    begin();
    for (unsigned i = 0; i < 3; i++) {
        turn_suspect();
        acknowledge(true);
    }
    ck_assert_uint_eq(lone.s->silence.patience, 3);
    for (unsigned i = 1; i <= 4; i++) {
        lone.now += 10 * BRAID_SECOND;
        lone.s->tcp.activity.progress_at = lone.now; /* all is well */
        subflow_resumed(&lone.s->tcp, lone.now);
        watch();
        ck_assert_uint_eq(lone.s->silence.patience, i < 3 ? 3 - i : 0);
    }
    lone_end();
}
END_TEST

START_TEST(a_break_of_ours_is_no_silence_of_the_path)
{
    begin();
    lone.now += 5 * BRAID_SECOND;
    conn_resumed(lone.c, lone.now);
    watch();
    ck_assert(!lone.s->silence.suspect);
    ck_assert_int_gt(lone.c->deadlines.watch, lone.now);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("silent_watch");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_path_is_suspect_when_its_ack_is_late_and_watched_until_then);
    tcase_add_test(t, a_retransmission_timeout_needs_no_other_sign);
    tcase_add_test(t, without_another_that_answers_nobody_is_suspect);
    tcase_add_test(t, a_suspect_path_is_probed);
    tcase_add_test(t, who_answers_a_probe_has_lost_what_was_in_flight);
    tcase_add_test(t, who_was_only_late_gets_more_patience_up_to_sixteen_times);
    tcase_add_test(t, a_loss_that_was_repaired_teaches_none);
    tcase_add_test(t, an_ack_that_leaves_the_window_full_is_no_proof_but_the_next_one_is);
    tcase_add_test(t, behind_an_ack_that_is_no_proof_the_next_probe_decides);
    tcase_add_test(t, a_retransmission_that_arrives_is_proof_in_a_full_window_too);
    tcase_add_test(t, patience_fades_in_ten_seconds_each);
    tcase_add_test(t, a_break_of_ours_is_no_silence_of_the_path);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
