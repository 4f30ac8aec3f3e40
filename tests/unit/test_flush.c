/* The work of a flush (src/mptcp/flush.c), the ends that it carries out (src/mptcp/ending.c), the deadlines
 * that lead to one (src/mptcp/conn_timers.c), and the marks that ask for one (src/mptcp/marks.c). */
#include "lone_conn.h"
#include "mptcp/conn_timers.h"
#include "mptcp/flush.h"
#include "mptcp/marks.h"
#include "mptcp/recvq.h"

static char calls[32]; /* of the user's functions, a letter each */
static unsigned n_calls;
static enum braid_close why;

static void note(char what)
{
    ck_assert_uint_lt(n_calls, sizeof(calls) - 1);
    calls[n_calls++] = what;
    calls[n_calls] = 0;
}

static void established(struct braid_conn *c, void *user)
{
    (void)c, (void)user;
    note('e');
}

static void readable(struct braid_conn *c, void *user)
{
    (void)c, (void)user;
    note('r');
}

static void writable(struct braid_conn *c, void *user)
{
    (void)c, (void)user;
    note('w');
}

static void closed(struct braid_conn *c, void *user, enum braid_close how)
{
    (void)c, (void)user;
    why = how;
    note('c');
}

static const struct braid_conn_ops user_ops = {
    .established = established, .readable = readable, .writable = writable, .closed = closed};

static void begin(void)
{
    lone_begin(NULL);
    lone.c->ops = &user_ops;
    lone.c->send.edge = DATA_FIRST + (1u << 20);
    n_calls = 0;
    calls[0] = 0;
}

static void flush(void)
{
    conn_flush(lone.c, lone.now);
}

/* These calls came since the last look, in this order. */
static void heard(const char *what)
{
    ck_assert_str_eq(calls, what);
    n_calls = 0;
    calls[0] = 0;
}

static void append(uint32_t len)
{
    struct slice in = lone_slice(lone.c->recv.nxt, len, 1500);
    lone.c->recv.nxt += len;
    recvq_append(lone.c, &in);
}

/* All has been said at the data level, in both directions. */
static void say_all(void)
{
    lone.c->recv.fin_received = lone.c->send.shutdown = lone.c->send.fin_sent = lone.c->send.fin_acked = true;
}

START_TEST(a_mark_puts_a_connection_on_the_list_of_the_dirty_once)
{
    begin();
    struct list *dirty = &lone.core->env.dirty;
    list_remove(&lone.c->dirty_node);
    conn_dirty(lone.c);
    conn_dirty(lone.c);
    ck_assert(dirty->next == &lone.c->dirty_node && dirty->prev == &lone.c->dirty_node);
    flush();
    ck_assert(list_empty(dirty));
    lone_end();
}
END_TEST

START_TEST(the_user_hears_of_the_beginning_then_of_bytes_then_of_room)
{
    begin(); /* the subflow has just been established */
    lone.c->send.want_writable = true;
    append(100);
    flush();
    heard("erw");
    flush(); /* and once only: unread bytes cause no further call */
    heard("");
    append(1);
    flush();
    heard("r");
    lone_end();
}
END_TEST

START_TEST(who_waits_for_room_is_called_when_three_quarters_are_in_use_or_less)
{
    static const char bytes[100000];
    begin();
    flush();
    heard("e");
    lone.c->send.sndbuf = 100000;
    lone.c->send.edge = DATA_FIRST; /* all of it stays */
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, 75000), 75000);
    lone.c->send.want_writable = true;
    flush();
    heard("");
    lone.c->send.sndbuf = 100004;
    flush();
    heard("w");
    lone_end();
}
END_TEST

START_TEST(who_could_write_only_a_part_waits_for_room)
{
    static const char bytes[100000];
    begin();
    flush();
    heard("e");
    lone.c->send.sndbuf = 60000;
    lone.c->send.edge = DATA_FIRST; /* all of it stays */
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, sizeof(bytes)), 60000);
    flush();
    heard("");
    lone.c->send.sndbuf = 100000;
    flush();
    heard("w");
    lone_end();
}
END_TEST

/* The part is to be filled first; then the next call has none to give, and that is what is remembered. */
START_TEST(who_reserved_a_part_is_called_after_asking_again)
{
    struct iovec iov[8];
    size_t got = 0;
    begin();
    flush();
    heard("e");
    lone.c->send.sndbuf = 60000;
    lone.c->send.edge = DATA_FIRST; /* all of it stays */
    unsigned n = braid_conn_reserve(lone.c, 100000, iov, 8);
    for (unsigned i = 0; i < n; i++)
        got += iov[i].iov_len;
    ck_assert_uint_eq(got, 60000);
    braid_conn_commit(lone.c, 30000);
    flush();
    heard("");
    n = braid_conn_reserve(lone.c, 30000, iov, 8);
    for (got = 0; n > 0; n--)
        got += iov[n - 1].iov_len;
    ck_assert_uint_eq(got, 30000);
    braid_conn_commit(lone.c, 30000);
    flush();
    heard("");
    ck_assert_uint_eq(braid_conn_reserve(lone.c, 1, iov, 8), 0);
    flush();
    heard("");
    lone.c->send.sndbuf = 100000;
    flush();
    heard("w");
    lone_end();
}
END_TEST

START_TEST(who_was_refused_memory_is_looked_after_every_fifty_milliseconds)
{
    begin();
    flush();
    heard("e");
    lone.c->send.want_writable = lone.c->send.starved = true;
    lone.c->mem.limit = 100;
    flush();
    heard("");
    ck_assert_int_eq(lone.c->deadlines.room, lone.now + 50 * BRAID_MS);
    lone.c->mem.limit = 100000;
    flush();
    heard("w");
    ck_assert_int_eq(lone.c->deadlines.room, BRAID_NEVER);
    lone_end();
}
END_TEST

START_TEST(a_failure_resets_all_subflows_and_is_told_once)
{
    begin();
    lone_flow("10.0.2.2:4000");
    conn_fail(lone.c, BRAID_CLOSE_RESOURCES, true);
    conn_fail(lone.c, BRAID_CLOSE_DONE, false); /* the first reason counts */
    unsigned packets = lone.packets;
    flush();
    heard("c");
    ck_assert_int_eq(why, BRAID_CLOSE_RESOURCES);
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    ck_assert_uint_eq(lone.packets, packets + 2);
    ck_assert_uint_eq(lone_count(COUNT_MP_FASTCLOSE_TX), 2);
    lone_end();
}
END_TEST

START_TEST(an_abort_after_all_is_delivered_waits_for_that)
{
    begin();
    ck_assert_int_eq(braid_conn_write(lone.c, "abc", 3), 3);
    lone.c->closing.abort_due = true;
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_ESTABLISHED);
    lone.c->send.una = lone.c->send.end;
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    ck_assert_int_eq(why, BRAID_CLOSE_ABORTED);
    lone_end();
}
END_TEST

START_TEST(when_all_is_said_the_subflows_get_their_fins_and_a_minute)
{
    begin();
    struct mp_subflow *pending = lone_flow("10.0.2.2:4000");
    tcp_set_state(&pending->tcp, TCP_STATE_SYN_SENT);
    append(10);
    say_all();
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_ESTABLISHED); /* ten bytes are not read */
    lone_read(DATA_FIRST, 10);
    heard("er");
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DRAINING);
    heard("c");
    ck_assert_int_eq(why, BRAID_CLOSE_DONE);
    ck_assert(lone.s->tcp.fin.wanted);
    ck_assert_uint_eq(lone.c->n_subflows, 1); /* a join whose handshake is under way has carried nothing */
    ck_assert_int_eq(lone.c->deadlines.gone, lone.now + 60 * BRAID_SECOND);
    lone.s->closing.dead = true;
    lone.s->closing.why = SUBFLOW_CLOSED_DONE;
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    lone_end();
}
END_TEST

START_TEST(plain_tcp_ends_with_its_only_subflow_for_the_same_reason)
{
    const struct {
        enum subflow_closed subflow;
        enum braid_close connection;
    } ends[] = {{SUBFLOW_CLOSED_DONE, BRAID_CLOSE_DONE},
                {SUBFLOW_CLOSED_RST, BRAID_CLOSE_RESET},
                {SUBFLOW_CLOSED_REFUSED, BRAID_CLOSE_REFUSED},
                {SUBFLOW_CLOSED_TIMEOUT, BRAID_CLOSE_TIMEOUT},
                {SUBFLOW_CLOSED_UNREACHABLE, BRAID_CLOSE_UNREACHABLE},
                {SUBFLOW_CLOSED_LOCAL, BRAID_CLOSE_PROTOCOL}};
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        begin();
        lone.c->mode = MODE_PLAIN;
        lone.s->closing.dead = true;
        lone.s->closing.why = ends[i].subflow;
        flush();
        ck_assert_int_eq(lone.c->phase, CONN_DEAD);
        ck_assert_int_eq(why, ends[i].connection);
        lone_end();
    }
}
END_TEST

START_TEST(what_was_received_is_read_before_an_end_in_order)
{
    begin();
    lone.c->mode = MODE_PLAIN;
    append(10);
    lone.s->closing.dead = true;
    lone.s->closing.why = SUBFLOW_CLOSED_DONE;
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_ESTABLISHED);
    lone_read(DATA_FIRST, 10);
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    lone_end();
    begin();
    lone.c->mode = MODE_PLAIN;
    append(10);
    lone.s->closing.dead = true;
    lone.s->closing.why = SUBFLOW_CLOSED_RST; /* but not before another */
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    lone_end();
}
END_TEST

START_TEST(mptcp_waits_for_a_new_subflow)
{
    begin();
    lone.c->dss.keyed = true;
    flow_reset(lone.s, MPTCP_RST_OUTSTANDING);
    flush();
    ck_assert_uint_eq(lone.c->n_subflows, 0);
    ck_assert_int_eq(lone.c->phase, CONN_ESTABLISHED);
    ck_assert_int_eq(lone.c->deadlines.gone, lone.now + lone.core->env.params.break_before_make);
    lone.now = lone.c->deadlines.gone;
    conn_fire(&lone.c->deadlines.timer, lone.now);
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    ck_assert_int_eq(why, BRAID_CLOSE_TIMEOUT);
    ck_assert_uint_eq(lone_count(COUNT_MP_CONN_TIMEOUT), 1);
    lone_end();
}
END_TEST

START_TEST(mptcp_waits_for_no_subflow_while_the_peer_may_not_have_our_key)
{
    begin();
    lone.c->handshake.passive = lone.c->dss.keyed = false;
    lone.s->closing.dead = true;
    lone.s->closing.why = SUBFLOW_CLOSED_RST;
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_DEAD);
    ck_assert_int_eq(why, BRAID_CLOSE_RESET);
    lone_end();
    begin();
    lone.c->handshake.passive = true; /* this one was opened, and has got it */
    lone.s->closing.dead = true;
    lone.s->closing.why = SUBFLOW_CLOSED_RST;
    flush();
    ck_assert_int_eq(lone.c->phase, CONN_ESTABLISHED);
    lone_end();
}
END_TEST

START_TEST(a_connection_that_the_user_has_released_waits_a_minute_for_its_peers_end)
{
    begin();
    lone.c->ops = NULL;
    flush();
    ck_assert_int_eq(lone.c->deadlines.gone, lone.now + 60 * BRAID_SECOND);
    lone.now += BRAID_SECOND;
    flush(); /* the minute does not begin again */
    ck_assert_int_eq(lone.c->deadlines.gone, lone.now + 59 * BRAID_SECOND);
    lone_end();
}
END_TEST

START_TEST(the_timer_is_armed_for_the_earliest_of_all_deadlines)
{
    begin();
    struct conn_deadlines *d = &lone.c->deadlines;
    braid_time *each[] = {&d->data_rtx, &d->addr, &d->gone, &d->join, &d->room, &d->watch, &d->stall, &d->pm};
    const unsigned n = sizeof(each) / sizeof(each[0]);
    for (unsigned i = 0; i < n; i++)
        *each[i] = BRAID_NEVER;
    conn_rearm(lone.c);
    ck_assert_int_eq(d->timer.at, BRAID_NEVER);
    for (unsigned i = 0; i < n; i++) { /* each earlier than those before */
        *each[i] = lone.now + (n - i) * BRAID_SECOND;
        conn_rearm(lone.c);
        ck_assert_int_eq(d->timer.at, *each[i]);
    }
    list_remove(&lone.c->dirty_node);
    lone.c->pm.changed = false;
    lone.now = d->pm; /* the earliest */
    conn_fire(&d->timer, lone.now);
    ck_assert(!list_empty(&lone.c->dirty_node) && lone.c->pm.changed && !lone.c->closing.fail_due);
    lone.now += n * BRAID_SECOND;
    conn_fire(&d->timer, lone.now);
    ck_assert(lone.c->closing.fail_due);
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_gt(*each[i], lone.now);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flush");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_mark_puts_a_connection_on_the_list_of_the_dirty_once);
    tcase_add_test(t, the_user_hears_of_the_beginning_then_of_bytes_then_of_room);
    tcase_add_test(t, who_waits_for_room_is_called_when_three_quarters_are_in_use_or_less);
    tcase_add_test(t, who_could_write_only_a_part_waits_for_room);
    tcase_add_test(t, who_reserved_a_part_is_called_after_asking_again);
    tcase_add_test(t, who_was_refused_memory_is_looked_after_every_fifty_milliseconds);
    tcase_add_test(t, a_failure_resets_all_subflows_and_is_told_once);
    tcase_add_test(t, an_abort_after_all_is_delivered_waits_for_that);
    tcase_add_test(t, when_all_is_said_the_subflows_get_their_fins_and_a_minute);
    tcase_add_test(t, plain_tcp_ends_with_its_only_subflow_for_the_same_reason);
    tcase_add_test(t, what_was_received_is_read_before_an_end_in_order);
    tcase_add_test(t, mptcp_waits_for_a_new_subflow);
    tcase_add_test(t, mptcp_waits_for_no_subflow_while_the_peer_may_not_have_our_key);
    tcase_add_test(t, a_connection_that_the_user_has_released_waits_a_minute_for_its_peers_end);
    tcase_add_test(t, the_timer_is_armed_for_the_earliest_of_all_deadlines);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
