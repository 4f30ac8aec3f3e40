/* What is in flight and repeated on another subflow although nobody knows that it was lost
 * (src/mptcp/rescue.c). The first subflow is slow, the second fast; the scheduler picks what the test says.
 */
#include "lone_conn.h"
#include "mptcp/push.h"
#include "mptcp/sched_state.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"

#define SLOW (200 * BRAID_MS)
#define FAST (10 * BRAID_MS)

static struct mp_subflow *slow, *fast;
static int wanted; /* path of new bytes; -1: none now */

static int pick(struct sched *unused, const struct sched_view *v)
{
    (void)unused;
    return wanted >= 0 && v->paths[wanted].space > 0 ? wanted : -1;
}

static const struct sched_ops careful = {.name = "careful", .about = "repeats nothing", .pick = pick};
static const struct sched_ops bold = {
    .name = "bold", .about = "repeats what waits", .pick = pick, .opportunistic = true};

static const struct sched_ops hasty = {
    .name = "hasty", .about = "repeats what is late", .pick = pick, .impatient = true};

static void begin(const struct sched_ops *sched)
{
    lone_begin(NULL);
    slow = lone.s;
    fast = lone_flow("10.0.2.2:4000");
    slow->tcp.rtt.srtt_us = SLOW;
    fast->tcp.rtt.srtt_us = FAST;
    slow->tcp.rtt.rttvar_us = fast->tcp.rtt.rttvar_us = 0;
    ck_assert(conn_sched_use(lone.c, sched));
    lone.c->send.edge = DATA_FIRST + (1u << 20);
    wanted = -1;
}

static void write_bytes(size_t n)
{
    static const char bytes[10000];
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, n), (ssize_t)n);
}

static void push(void)
{
    conn_push(lone.c, lone.now);
}

/* n bytes leave over the slow subflow. */
static void send_slowly(size_t n)
{
    wanted = 0;
    write_bytes(n);
    push();
    wanted = -1;
    ck_assert_uint_eq(lone.c->send.nxt, lone.c->send.end);
}

/* Bytes in flight on a subflow, copies included. */
static uint64_t carried(const struct mp_subflow *s)
{
    uint64_t n = 0;
    list_each (k, tmp, &s->tcp.flight->maps)
        n += mp_map_of(k)->tcp.len;
    return n;
}

static void turn_silent(void)
{
    slow->tcp.rtt.backoff = 1; /* a timeout needs no other sign */
    conn_watch_paths(lone.c, lone.now);
    ck_assert(slow->silence.suspect);
}

START_TEST(what_a_silent_path_carries_is_repeated_once)
{
    begin(&careful);
    send_slowly(3000);
    turn_silent();
    push();
    push();
    ck_assert(carried(slow) == 3000 && carried(fast) == 3000);
    ck_assert_uint_gt(lone_count(COUNT_MP_REINJECT_SILENT), 0);
    lone_end();
}
END_TEST

START_TEST(but_not_what_was_acknowledged_already)
{
    begin(&careful);
    send_slowly(3000);
    conn_data_ack(lone.c, DATA_FIRST + 1500, 1u << 20, lone.now);
    turn_silent();
    push();
    ck_assert_uint_eq(carried(fast), 1500);
    lone_end();
}
END_TEST

/* The window is full, more waits, and the slow subflow has the first byte. */
static void block(const struct sched_ops *sched)
{
    begin(sched);
    send_slowly(3000);
    lone.c->send.edge = lone.c->send.nxt;
    write_bytes(1000);
    push();
}

START_TEST(what_holds_up_a_full_window_goes_over_a_faster_path_which_slows_its_carrier_down)
{
    block(&bold);
    ck_assert_uint_gt(carried(fast), 2000); /* whole segments */
    ck_assert_uint_eq(lone_count(COUNT_MP_PENALTIES), 1);
    lone_flow("10.0.3.2:4000")->tcp.rtt.srtt_us = FAST;
    push();
    ck_assert_uint_eq(lone_count(COUNT_MP_PENALTIES), 1); /* once in a round trip */
    ck_assert_uint_le(carried(fast), 3000);
    lone_end();
}
END_TEST

/* What became free of it is not worth telling the user yet. */
START_TEST(a_send_buffer_that_is_nearly_full_is_as_good_as_full)
{
    begin(&bold);
    lone.c->send.sndbuf = 4000;
    send_slowly(3000);
    push();
    ck_assert_uint_eq(carried(fast), 0); /* the user has nothing more to say */
    lone.c->send.want_writable = true;
    push();
    ck_assert_uint_gt(carried(fast), 2000);
    lone_end();
}
END_TEST

START_TEST(what_has_no_room_there_at_first_follows)
{
    begin(&bold);
    send_slowly(3000);
    uint64_t cwnd = fast->tcp.cc.cwnd;
    fast->tcp.cc.cwnd = fast->tcp.size.mss;
    lone.c->send.edge = lone.c->send.nxt;
    write_bytes(1000);
    push();
    ck_assert_uint_eq(carried(fast), fast->tcp.size.mss);
    fast->tcp.cc.cwnd = cwnd;
    push(); /* though the first byte is on both now */
    ck_assert_uint_eq(carried(fast), 3000);
    push();
    ck_assert_uint_eq(carried(fast), 3000);
    lone_end();
}
END_TEST

START_TEST(nothing_is_if_the_scheduler_does_not_want_that)
{
    block(&careful);
    ck_assert_uint_eq(carried(fast), 0);
    ck_assert_uint_eq(lone_count(COUNT_MP_PENALTIES), 0);
    lone_end();
}
END_TEST

START_TEST(nor_if_the_ack_would_come_sooner_anyway)
{
    begin(&bold);
    send_slowly(3000);
    lone.now += SLOW - FAST / 2; /* it is due in half of the fast round trip */
    lone.c->send.edge = lone.c->send.nxt;
    write_bytes(1000);
    push();
    ck_assert_uint_eq(carried(fast), 0);
    lone_end();
}
END_TEST

/* Two segments, of which the smoothed round trip says that the second one comes now; but the first one has
 * not come either. */
static void wait_for_the_oldest(void)
{
    begin(&bold);
    send_slowly(1400);
    lone.now += SLOW / 2;
    send_slowly(1400);
    lone.now += SLOW - FAST / 2;
    slow->tcp.activity.progress_at = lone.now; /* not silent */
    lone.c->send.edge = lone.c->send.nxt;
    write_bytes(1000);
}

START_TEST(the_oldest_in_flight_tells_how_long_a_path_takes)
{
    wait_for_the_oldest();
    push();
    ck_assert_uint_eq(carried(fast), 2800);
    ck_assert(!slow->silence.suspect);
    lone_end();
}
END_TEST

START_TEST(but_not_if_it_was_lost)
{
    wait_for_the_oldest();
    slow->tcp.cc.in_recovery = true;
    push();
    ck_assert_uint_eq(carried(fast), 1400);
    lone_end();
}
END_TEST

START_TEST(the_last_bytes_are_repeated_where_they_arrive_sooner)
{
    begin(&bold);
    wanted = 0;
    write_bytes(3000);
    braid_conn_shutdown(lone.c);
    push();
    ck_assert(carried(slow) == 3000 && carried(fast) == 3000);
    ck_assert_uint_gt(lone_count(COUNT_MP_REINJECT_TAIL), 0);
    lone_end();
}
END_TEST

START_TEST(a_pause_in_writing_is_an_end_when_the_fast_path_was_idle_for_a_round_trip)
{
    begin(&bold);
    lone.c->deadlines.watch = BRAID_NEVER;
    send_slowly(3000);
    ck_assert_uint_eq(carried(fast), 0);
    ck_assert_int_le(lone.c->deadlines.watch, lone.now + FAST);
    lone.now += FAST;
    push();
    ck_assert_uint_eq(carried(fast), 3000);
    lone_end();
}
END_TEST

/* Three messages, of which no ACK comes, 20 ms from each other; the clock stands where the fourth would
 * leave.
 */
static void send_messages(void)
{
    begin(&hasty);
    for (unsigned i = 0; i < 3; i++) {
        send_slowly(1000);
        lone.now += 20 * BRAID_MS;
    }
    lone.c->deadlines.watch = BRAID_NEVER;
    push();
    ck_assert_uint_eq(carried(fast), 0);
}

/* Late is each a round trip and a grace after it left, and the time for which its ACK may be delayed. */
START_TEST(what_is_late_is_repeated_for_who_is_impatient)
{
    send_messages();
    braid_time first = lone.now - 60 * BRAID_MS + SLOW + (10 + 45) * BRAID_MS;
    ck_assert_int_eq(lone.c->deadlines.watch, first);
    for (unsigned i = 0; i < 3; i++) {
        lone.now = first + i * 20 * BRAID_MS;
        slow->tcp.activity.progress_at = fast->tcp.activity.progress_at = lone.now; /* not silent */
        push();
        push();
        ck_assert_uint_eq(carried(fast), 1000 * (i + 1));
    }
    lone_end();
}
END_TEST

START_TEST(where_one_is_known_to_be_lost_no_ack_is_delayed_but_the_last)
{
    send_messages();
    slow->tcp.cc.in_recovery = true;
    lone.now += SLOW + (10 - 60) * BRAID_MS;
    push();
    ck_assert_uint_eq(carried(fast), 1000);
    lone.now += 40 * BRAID_MS;
    slow->tcp.activity.progress_at = fast->tcp.activity.progress_at = lone.now; /* not silent */
    push();
    ck_assert_uint_eq(carried(fast), 2000);
    lone_end();
}
END_TEST

START_TEST(but_not_while_much_waits_or_if_the_user_wants_no_repetitions)
{
    begin(&hasty);
    send_slowly(3000);
    lone.now += 2 * SLOW;
    slow->tcp.activity.progress_at = lone.now; /* not silent */
    write_bytes(6001);
    push();
    ck_assert_uint_eq(carried(fast), 0);
    lone.c->send.nxt += 1; /* a byte less */
    push();
    ck_assert_uint_eq(carried(fast), 3000);
    lone_end();

    begin(&hasty);
    lone.c->send.repeat_said = true;
    send_slowly(3000);
    lone.now += 2 * SLOW;
    slow->tcp.activity.progress_at = lone.now;
    push();
    ck_assert_uint_eq(carried(fast), 0);
    lone_end();
}
END_TEST

/* Over a path that is as fast as the other one, only an ACK that does not come makes a difference. */
START_TEST(nobody_is_woken_for_a_tail_that_gains_nothing)
{
    begin(&bold);
    slow->tcp.rtt.srtt_us = FAST;
    lone.c->deadlines.watch = BRAID_NEVER;
    send_slowly(100);
    braid_time late = lone.c->deadlines.watch;
    ck_assert_int_gt(late, lone.now + 2 * FAST);
    lone.now += FAST;
    push();
    ck_assert_uint_eq(carried(fast), 0);
    lone.now = late;
    push();
    ck_assert_uint_eq(carried(fast), 100);
    lone_end();
}
END_TEST

/* The user has said how much there is: then it need not shut down (src/mptcp/demand.c). */
START_TEST(the_last_bytes_are_those_that_the_user_has_promised)
{
    begin(&bold);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_EXPECTED_BYTES, 3000), 0);
    send_slowly(2999);
    ck_assert_uint_eq(carried(fast), 0);
    send_slowly(1);
    ck_assert_uint_gt(carried(fast), 0);
    uint64_t before = carried(fast);
    send_slowly(2000); /* more than that: who knows how much it will be? */
    ck_assert_uint_eq(carried(fast), before);
    lone_end();
}
END_TEST

/* As the user says, if it does. */
START_TEST(whether_anything_is_repeated_is_the_schedulers_or_the_users_to_say)
{
    int64_t repeats;
    begin(&bold);
    ck_assert(braid_conn_get_option(lone.c, BRAID_OPT_REPEAT, &repeats) == 0 && repeats == 1);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_REPEAT, 2), -1);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_REPEAT, 0), 0);
    ck_assert(braid_conn_get_option(lone.c, BRAID_OPT_REPEAT, &repeats) == 0 && repeats == 0);
    send_slowly(3000);
    braid_conn_shutdown(lone.c);
    push();
    ck_assert_uint_eq(carried(fast), 0);
    ck_assert_int_eq(braid_conn_set_option(lone.c, BRAID_OPT_REPEAT, 1), 0);
    push();
    ck_assert_uint_eq(carried(fast), 3000);
    lone_end();
}
END_TEST

START_TEST(only_the_part_of_the_tail_that_gains_by_it_is)
{
    begin(&bold);
    fast->tcp.rtt.srtt_us = SLOW / 2;
    fast->tcp.cc.cwnd = 2000; /* two of the three maps would take as long there */
    for (unsigned i = 0; i < 3; i++)
        send_slowly(1000);
    braid_conn_shutdown(lone.c);
    push();
    ck_assert_uint_eq(carried(fast), 1000);
    lone_end();
}
END_TEST

START_TEST(a_copy_that_is_late_is_repeated)
{
    static const struct sched_ops all_over = {
        .name = "all", .about = "every byte over every path", .pick = pick, .duplicate = true};
    begin(&all_over);
    lone.c->deadlines.watch = BRAID_NEVER;
    send_slowly(1000);
    uint64_t before = carried(slow) + carried(fast);
    braid_time late = lone.c->deadlines.watch;
    ck_assert_int_gt(late, lone.now + SLOW);
    lone.now = late - 1;
    push();
    ck_assert_uint_eq(carried(slow) + carried(fast), before);
    lone.now = late;
    push();
    ck_assert_uint_eq(carried(slow) + carried(fast), before + 1000);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rescue");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_a_silent_path_carries_is_repeated_once);
    tcase_add_test(t, but_not_what_was_acknowledged_already);
    tcase_add_test(t, what_holds_up_a_full_window_goes_over_a_faster_path_which_slows_its_carrier_down);
    tcase_add_test(t, a_send_buffer_that_is_nearly_full_is_as_good_as_full);
    tcase_add_test(t, what_has_no_room_there_at_first_follows);
    tcase_add_test(t, nothing_is_if_the_scheduler_does_not_want_that);
    tcase_add_test(t, nor_if_the_ack_would_come_sooner_anyway);
    tcase_add_test(t, the_oldest_in_flight_tells_how_long_a_path_takes);
    tcase_add_test(t, but_not_if_it_was_lost);
    tcase_add_test(t, the_last_bytes_are_repeated_where_they_arrive_sooner);
    tcase_add_test(t, a_pause_in_writing_is_an_end_when_the_fast_path_was_idle_for_a_round_trip);
    tcase_add_test(t, the_last_bytes_are_those_that_the_user_has_promised);
    tcase_add_test(t, whether_anything_is_repeated_is_the_schedulers_or_the_users_to_say);
    tcase_add_test(t, what_is_late_is_repeated_for_who_is_impatient);
    tcase_add_test(t, where_one_is_known_to_be_lost_no_ack_is_delayed_but_the_last);
    tcase_add_test(t, but_not_while_much_waits_or_if_the_user_wants_no_repetitions);
    tcase_add_test(t, nobody_is_woken_for_a_tail_that_gains_nothing);
    tcase_add_test(t, only_the_part_of_the_tail_that_gains_by_it_is);
    tcase_add_test(t, a_copy_that_is_late_is_repeated);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
