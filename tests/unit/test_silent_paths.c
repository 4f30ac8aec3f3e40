/* What is remembered of a path's silence (src/mptcp/silent_paths.c), and for how long. */
#include "lone_conn.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"

static size_t before; /* bytes that the connection held when nothing was in doubt */

/* Something is in flight on the first of two subflows, and timed out. */
static void begin(void)
{
    static const char bytes[1000];
    lone_begin(NULL);
    lone_flow("10.0.2.2:4000");
    lone.c->send.edge = DATA_FIRST + (1u << 20);
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, sizeof(bytes)), sizeof(bytes));
    struct mp_map *m = conn_map_new(lone.c, DATA_FIRST, sizeof(bytes));
    ck_assert_ptr_nonnull(m);
    ck_assert(tcp_flight_reserve(&lone.s->tcp));
    list_append(&lone.s->tcp.flight->maps, &m->tcp.node);
    before = lone.c->mem.used;
    lone.s->tcp.rtt.backoff = 1;
    conn_watch_paths(lone.c, lone.now);
    ck_assert(lone.s->silence.suspect);
    ck_assert_ptr_nonnull(lone.s->doubt);
    ck_assert_uint_eq(lone.c->mem.used, before + mem_cost(sizeof(struct flow_doubt)));
}

/* The peer acknowledges something new; only_late: that had been sent once. */
static void answer(bool only_late)
{
    lone.now += BRAID_MS;
    lone.s->tcp.rtt.backoff = 0;
    lone.s->tcp.activity.progress_at = lone.now;
    lone.s->tcp.tries.sent_once = only_late;
    conn_watch_paths(lone.c, lone.now);
    ck_assert(!lone.s->silence.suspect);
}

START_TEST(nothing_is_left_of_a_silence_that_was_one)
{
    begin();
    answer(false);
    ck_assert_ptr_null(lone.s->doubt);
    ck_assert_uint_eq(lone.c->mem.used, before);
    lone_end();
}
END_TEST

START_TEST(patience_is_remembered_until_it_has_worn_off)
{
    begin();
    answer(true);
    ck_assert_uint_eq(lone.s->silence.patience, 1);
    ck_assert_ptr_nonnull(lone.s->doubt);
    lone.now += 9 * BRAID_SECOND;
    answer(false);
    ck_assert_uint_eq(lone.s->silence.patience, 1);
    lone.now += BRAID_SECOND;
    answer(false);
    ck_assert_uint_eq(lone.s->silence.patience, 0);
    ck_assert_ptr_null(lone.s->doubt);
    ck_assert_uint_eq(lone.c->mem.used, before);
    lone_end();
}
END_TEST

START_TEST(the_last_subflow_is_never_suspect)
{
    begin();
    lone.c->subflows->next->closing.dead = true;
    conn_watch_paths(lone.c, lone.now);
    ck_assert(!lone.s->silence.suspect);
    ck_assert_uint_eq(lone.c->mem.used, before);
    lone_end();
}
END_TEST

START_TEST(a_subflow_that_ends_in_doubt_leaves_nothing)
{
    begin();
    lone_end(); /* checks it */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("silent paths");
    TCase *t = tcase_create("silent paths");
    tcase_add_test(t, nothing_is_left_of_a_silence_that_was_one);
    tcase_add_test(t, patience_is_remembered_until_it_has_worn_off);
    tcase_add_test(t, the_last_subflow_is_never_suspect);
    tcase_add_test(t, a_subflow_that_ends_in_doubt_leaves_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
