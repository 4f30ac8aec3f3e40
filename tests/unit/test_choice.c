/* Which bytes go onto which subflow: the order in which they are offered (src/mptcp/push.c), the choice of a
 * path (src/mptcp/choice.c), and every byte over every path (src/mptcp/copies.c). The scheduler picks what
 * the test says. Round trips are 10 ms; paths are 0, 1 and 2 in the order of their opening. */
#include "lone_conn.h"
#include "mptcp/choice.h"
#include "mptcp/push.h"
#include "mptcp/reinject.h"
#include "mptcp/sched_state.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"

static struct mp_subflow *flow[3];
static int wanted; /* path of new bytes; -1: none now */
static struct sched_view seen;
static struct sched_path seen_paths[SCHED_MAX_PATHS];

static int pick(struct sched *unused, const struct sched_view *v)
{
    (void)unused;
    seen = *v;
    memcpy(seen_paths, v->paths, v->n_paths * sizeof(*v->paths));
    seen.paths = seen_paths;
    return wanted >= 0 && v->paths[wanted].space > 0 ? wanted : -1;
}

static const struct sched_ops ops = {.name = "test", .about = "as the test says", .pick = pick};

static void begin(void)
{
    lone_begin(NULL);
    flow[0] = lone.s;
    flow[1] = lone_flow("10.0.2.2:4000");
    flow[2] = lone_flow("10.0.3.2:4000");
    ck_assert(conn_sched_use(lone.c, &ops));
    lone.c->send.edge = DATA_FIRST + (1u << 20);
    wanted = -1;
}

static void write_bytes(size_t n)
{
    static const char bytes[100000];
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, n), (ssize_t)n);
}

static void push(void)
{
    conn_push(lone.c, lone.now);
}

/* n bytes, from send.nxt on, go over a path. */
static void send_over(int i, size_t n)
{
    wanted = i;
    write_bytes(n);
    push();
    wanted = -1;
    ck_assert_uint_eq(lone.c->send.nxt, lone.c->send.end);
}

/* Bytes in flight on a path, copies included. */
static uint64_t carried(unsigned i)
{
    uint64_t n = 0;
    list_each (k, tmp, &flow[i]->tcp.flight->maps)
        n += mp_map_of(k)->tcp.len;
    return n;
}

START_TEST(new_bytes_go_where_the_scheduler_says)
{
    begin();
    send_over(1, 3000);
    ck_assert(carried(0) == 0 && carried(1) == 3000 && carried(2) == 0);
    write_bytes(100); /* and nowhere if it says so */
    push();
    ck_assert_uint_eq(lone.c->send.nxt, lone.c->send.end - 100);
    lone_end();
}
END_TEST

START_TEST(the_scheduler_sees_what_waits_and_what_the_window_admits)
{
    begin();
    write_bytes(5000);
    lone.c->send.edge = DATA_FIRST + 3000;
    push();
    ck_assert_uint_eq(seen.n_paths, 3);
    ck_assert(seen.unsent == 5000 && seen.data_window == 3000 && seen.send_window == 3000 && seen.tried == 0);
    lone_end();
}
END_TEST

START_TEST(nothing_goes_beyond_the_peers_window)
{
    begin();
    lone.c->send.edge = DATA_FIRST + 2500;
    wanted = 0;
    write_bytes(5000);
    push();
    ck_assert_uint_eq(lone.c->send.nxt, DATA_FIRST + 2500);
    ck_assert_uint_eq(carried(0), 2500);
    lone_end();
}
END_TEST

/* Short of a whole segment by what was written before: every later window of slow start would be short of it,
 * too. */
START_TEST(the_initial_window_leaves_whole)
{
    begin();
    uint64_t window = flow[0]->tcp.cc.cwnd;
    send_over(0, 4);
    wanted = 0;
    write_bytes(100000);
    push();
    ck_assert_uint_eq(carried(0), window);
    lone_end();
}
END_TEST

/* A peer that keeps the rest out of order needs more memory for it than bytes. */
START_TEST(with_several_paths_a_third_of_a_large_window_stays_free)
{
    begin();
    lone.c->send.edge = DATA_FIRST + 105000;
    write_bytes(100000);
    push();
    ck_assert(seen.unsent == 100000 && seen.data_window == 70000 && seen.send_window == 70000);
    lone.c->send.edge = DATA_FIRST + 90000; /* 64 KB are always used */
    ck_assert_uint_eq(conn_send_edge(lone.c), DATA_FIRST + 65536);
    lone.c->send.edge = DATA_FIRST + 60000;
    ck_assert_uint_eq(conn_send_edge(lone.c), DATA_FIRST + 60000);
    lone_end();
}
END_TEST

START_TEST(a_single_path_may_use_all_of_the_window)
{
    lone_begin(NULL);
    lone.c->send.edge = DATA_FIRST + 105000;
    ck_assert_uint_eq(conn_send_edge(lone.c), DATA_FIRST + 105000);
    lone_end();
}
END_TEST

START_TEST(a_window_that_is_full_while_more_waits_counts_once)
{
    begin();
    lone.c->send.edge = DATA_FIRST + 1000;
    wanted = 0;
    write_bytes(1000);
    push();
    ck_assert(!lone.c->send.blocked); /* full, and nothing waits */
    write_bytes(1000);
    push();
    push();
    ck_assert(lone.c->send.blocked && lone.c->send.blocks == 1);
    lone.c->send.edge += 500;
    push();
    ck_assert(lone.c->send.blocked && lone.c->send.blocks == 2); /* full again */
    lone_end();
}
END_TEST

START_TEST(a_closed_window_with_nothing_in_flight_is_probed)
{
    begin();
    lone.c->send.edge = DATA_FIRST;
    write_bytes(1000);
    push();
    ck_assert(flow[0]->tcp.cwnd.blocked && flow[1]->tcp.cwnd.blocked);
    lone.c->send.edge += 1000;
    wanted = 0;
    push();
    ck_assert(!flow[0]->tcp.cwnd.blocked && !flow[1]->tcp.cwnd.blocked);
    lone_end();
}
END_TEST

START_TEST(what_is_given_up_goes_before_new_bytes_and_over_another_path)
{
    begin();
    send_over(0, 2000);
    conn_reinject(lone.c, DATA_FIRST, 2000);
    write_bytes(500);
    push(); /* the scheduler has no wish for new bytes */
    ck_assert_uint_eq(lone.c->send.reinject.n, 0);
    ck_assert_uint_eq(carried(0), 2000);
    ck_assert_uint_eq(carried(1) + carried(2), 2000);
    ck_assert_uint_eq(lone_count(COUNT_MP_REINJECT_BYTES), 2000);
    lone_end();
}
END_TEST

START_TEST(what_all_paths_carry_waits)
{
    begin();
    send_over(0, 1000);
    for (unsigned i = 0; i < 3; i++) {
        conn_reinject(lone.c, DATA_FIRST, 1000);
        push();
    }
    ck_assert(carried(0) == 1000 && carried(1) == 1000 && carried(2) == 1000);
    ck_assert_uint_eq(lone.c->send.reinject.n, 1);
    lone_end();
}
END_TEST

START_TEST(lost_bytes_take_the_fastest_path_and_spare_backups)
{
    begin();
    flow[1]->tcp.rtt.srtt_us = 5 * BRAID_MS;
    flow[1]->backup.peer = true;
    flow[2]->tcp.rtt.srtt_us = 50 * BRAID_MS;
    send_over(0, 1000);
    conn_reinject(lone.c, DATA_FIRST, 1000);
    push();
    ck_assert(carried(1) == 0 &&
              carried(2) == 1000); /* the slow one is the only regular one that has not had it */
    flow[1]->backup.peer = false;
    send_over(0, 1000);
    conn_reinject(lone.c, DATA_FIRST + 1000, 1000);
    push();
    ck_assert(carried(1) == 1000 && carried(2) == 1000);
    flow[1]->tcp.rtt.srtt_us = 80 * BRAID_MS;
    send_over(0, 1000);
    conn_reinject(lone.c, DATA_FIRST + 2000, 1000);
    push();
    ck_assert(carried(1) == 1000 && carried(2) == 2000);
    lone_end();
}
END_TEST

START_TEST(the_scheduler_is_asked_first_for_lost_bytes_too)
{
    begin();
    flow[1]->tcp.rtt.srtt_us = 5 * BRAID_MS;
    send_over(0, 1000);
    conn_reinject(lone.c, DATA_FIRST, 1000);
    wanted = 2;
    push();
    ck_assert(carried(1) == 0 && carried(2) == 1000);
    lone_end();
}
END_TEST

START_TEST(suspect_paths_and_those_that_end_get_nothing)
{
    begin();
    send_over(0, 1000);
    flow[0]->tcp.rtt.backoff = 1;
    conn_watch_paths(lone.c, lone.now);
    ck_assert(flow[0]->silence.suspect);
    flow[1]->closing.reset_due = true;
    write_bytes(1000);
    wanted = 0;
    push();
    ck_assert_uint_eq(seen.n_paths, 2);
    ck_assert(!seen.paths[0].usable && seen.paths[0].space == 0);
    ck_assert(carried(0) == 1000 && carried(1) == 0);
    lone_end();
}
END_TEST

START_TEST(the_end_of_the_data_rides_on_its_last_bytes)
{
    begin();
    wanted = 1;
    write_bytes(3000);
    braid_conn_shutdown(lone.c);
    push();
    ck_assert(lone.c->send.fin_sent);
    ck_assert(mp_map_of(flow[1]->tcp.flight->maps.prev)->fin);
    lone_end();
}
END_TEST

START_TEST(after_falling_back_the_first_map_is_infinite)
{
    begin();
    lone.c->fallback.infinite_due = true;
    send_over(0, 1000);
    send_over(0, 1000);
    ck_assert(mp_map_of(flow[0]->tcp.flight->maps.next)->infinite);
    ck_assert(!mp_map_of(flow[0]->tcp.flight->maps.prev)->infinite);
    lone_end();
}
END_TEST

START_TEST(with_a_scheduler_that_duplicates_every_path_gets_every_byte)
{
    static const struct sched_ops *duplicating;
    for (const struct sched_ops *const *s = sched_algorithms; *s; s++)
        if ((*s)->duplicate)
            duplicating = *s;
    ck_assert_ptr_nonnull(duplicating);
    begin();
    ck_assert(conn_sched_use(lone.c, duplicating));
    write_bytes(3000);
    push();
    ck_assert(carried(0) == 3000 && carried(1) == 3000 && carried(2) == 3000);
    ck_assert_uint_eq(lone_count(COUNT_MP_COPIED_BYTES), 6000);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("choice");
    TCase *t = tcase_create("all");
    tcase_add_test(t, new_bytes_go_where_the_scheduler_says);
    tcase_add_test(t, the_scheduler_sees_what_waits_and_what_the_window_admits);
    tcase_add_test(t, nothing_goes_beyond_the_peers_window);
    tcase_add_test(t, the_initial_window_leaves_whole);
    tcase_add_test(t, with_several_paths_a_third_of_a_large_window_stays_free);
    tcase_add_test(t, a_single_path_may_use_all_of_the_window);
    tcase_add_test(t, a_window_that_is_full_while_more_waits_counts_once);
    tcase_add_test(t, a_closed_window_with_nothing_in_flight_is_probed);
    tcase_add_test(t, what_is_given_up_goes_before_new_bytes_and_over_another_path);
    tcase_add_test(t, what_all_paths_carry_waits);
    tcase_add_test(t, lost_bytes_take_the_fastest_path_and_spare_backups);
    tcase_add_test(t, the_scheduler_is_asked_first_for_lost_bytes_too);
    tcase_add_test(t, suspect_paths_and_those_that_end_get_nothing);
    tcase_add_test(t, the_end_of_the_data_rides_on_its_last_bytes);
    tcase_add_test(t, after_falling_back_the_first_map_is_infinite);
    tcase_add_test(t, with_a_scheduler_that_duplicates_every_path_gets_every_byte);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
