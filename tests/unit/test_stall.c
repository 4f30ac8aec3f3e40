/* Data that stands still (src/mptcp/stall.c). */
#include "lone_conn.h"
#include "mptcp/stall.h"

/* By default data may stand for 1200 s unsent, and for `unread` unread. */
static void begin(void)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    params.unread = 300 * BRAID_SECOND;
    lone_begin(&params);
}

static void wait(braid_time time)
{
    lone.now += time;
    conn_note_stall(lone.c, lone.now);
}

static bool has_failed(void)
{
    conn_stall_timeout(lone.c, lone.now);
    return lone.c->closing.fail_due;
}

static size_t taken; /* by others */

/* Others take what there is but for `room`. */
static void leave(size_t room)
{
    struct mem_account *all = &lone.core->env.mem;
    taken = mem_room(all) - room;
    mem_take(all, taken);
}

static void give_back(void)
{
    mem_give(&lone.core->env.mem, taken);
}

START_TEST(what_does_not_wait_has_no_limit)
{
    begin();
    wait(0);
    ck_assert_int_eq(lone.c->deadlines.stall, BRAID_NEVER);
    wait(5000 * BRAID_SECOND);
    ck_assert(!has_failed());
    lone_end();
}
END_TEST

START_TEST(who_takes_nothing_is_given_up_after_the_limit)
{
    begin();
    lone.c->send.end += 1000;
    wait(0);
    wait(1199 * BRAID_SECOND);
    ck_assert(!has_failed());
    wait(BRAID_SECOND);
    ck_assert(has_failed());
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_TIMEOUT);
    ck_assert_uint_eq(lone_count(COUNT_MP_STALLED), 1);
    lone_end();
}
END_TEST

START_TEST(a_byte_that_moves_begins_the_time_again)
{
    begin();
    lone.c->send.end += 1000;
    wait(0);
    wait(1000 * BRAID_SECOND);
    lone.c->send.una++;
    wait(0);
    wait(1199 * BRAID_SECOND);
    ck_assert(!has_failed());
    lone.c->send.end++; /* that more is written is none */
    wait(BRAID_SECOND);
    ck_assert(has_failed());
    lone_end();
}
END_TEST

START_TEST(what_is_not_read_has_a_limit_of_its_own)
{
    begin();
    lone.c->recv.bytes = 1;
    wait(0);
    wait(299 * BRAID_SECOND);
    ck_assert(!has_failed());
    lone.c->recv.user++;
    wait(BRAID_SECOND);
    ck_assert(!has_failed());
    wait(300 * BRAID_SECOND);
    ck_assert(has_failed());
    ck_assert_uint_eq(lone_count(COUNT_MP_UNREAD), 1);
    lone.c->recv.bytes = 0;
    lone_end();
}
END_TEST

START_TEST(no_limit_is_for_ever)
{
    begin();
    conn_own_sockopt(lone.c)->user_timeout = 0;
    lone.c->send.end += 1000;
    wait(0);
    ck_assert_int_eq(lone.c->deadlines.stall, BRAID_NEVER);
    wait(1000000 * BRAID_SECOND);
    ck_assert(!has_failed());
    lone_end();
}
END_TEST

START_TEST(when_others_need_the_memory_ten_seconds_are_the_limit)
{
    begin();
    lone.c->send.end += 1000;
    wait(0);
    ck_assert_int_eq(lone.c->deadlines.stall, lone.now + 10 * BRAID_SECOND); /* to look at the memory */
    leave((1u << 29) - 1);
    wait(10 * BRAID_SECOND);
    ck_assert(has_failed());
    give_back();
    lone_end();
}
END_TEST

START_TEST(the_fattest_of_those_that_stand_still_goes_first)
{
    struct braid_conn *c[4];
    begin();
    for (unsigned i = 0; i < 4; i++) {
        char from[] = "10.0.1.2:5000";
        from[sizeof(from) - 2] = (char)('0' + i);
        lone_open(from);
        c[i] = lone.c;
        c[i]->send.end += 1000;
        mem_take(&c[i]->mem, 1000 * (i + 1));
        conn_note_stall(c[i], lone.now);
    }
    struct mptcp_env *env = &lone.core->env;
    lone.now += 5 * BRAID_SECOND;
    c[3]->send.una++; /* moves */
    conn_note_stall(c[3], lone.now);
    conn_reclaim(env, lone.now);
    for (unsigned i = 0; i < 4; i++)
        ck_assert(!c[i]->closing.fail_due); /* nobody is short of memory */
    leave(1u << 26);
    conn_reclaim(env, lone.now);
    ck_assert(c[2]->closing.fail_due && !c[0]->closing.fail_due && !c[1]->closing.fail_due);
    ck_assert(!c[3]->closing.fail_due);
    ck_assert_int_eq(c[2]->closing.why, BRAID_CLOSE_RESOURCES);
    conn_reclaim(env, lone.now + 50 * BRAID_MS); /* has just looked */
    ck_assert(!c[1]->closing.fail_due);
    conn_reclaim(env, lone.now + 100 * BRAID_MS);
    ck_assert(c[1]->closing.fail_due && !c[0]->closing.fail_due);
    ck_assert_uint_eq(lone_count(COUNT_MEM_RECLAIMED), 2);
    for (unsigned i = 0; i < 4; i++)
        mem_give(&c[i]->mem, 1000 * (i + 1));
    give_back();
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stall");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_does_not_wait_has_no_limit);
    tcase_add_test(t, who_takes_nothing_is_given_up_after_the_limit);
    tcase_add_test(t, a_byte_that_moves_begins_the_time_again);
    tcase_add_test(t, what_is_not_read_has_a_limit_of_its_own);
    tcase_add_test(t, no_limit_is_for_ever);
    tcase_add_test(t, when_others_need_the_memory_ten_seconds_are_the_limit);
    tcase_add_test(t, the_fattest_of_those_that_stand_still_goes_first);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
