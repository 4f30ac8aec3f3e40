/* What the ends of subflows teach about opening the next ones (src/mptcp/retries.c). */
#include "lone_conn.h"
#include "mptcp/known.h"
#include "mptcp/own_addrs.h"
#include "mptcp/retries.h"

static struct pm_pair *pair;      /* from 10.0.2.2 to the peer's initial address ... */
static struct pm_pair *announced; /* ... and to 10.0.9.2, which it has announced */

static void begin(void)
{
    struct braid_endpoint e = {.addr = lone_addr("10.0.2.2:0"), .subflow = true};
    lone_begin(NULL);
    ck_assert_int_eq(conn_endpoint_add(lone.c, &e), 0);
    struct conn_known *m = lone.c->pm.known;
    m->remotes[m->n_remotes++] =
        (struct pm_remote){.addr = lone_addr("10.0.9.2:80"), .id = 5, .usable = true};
    m->pairs = calloc(1, PAIRS_SIZE);
    mem_take(&lone.core->env.mem, mem_cost(PAIRS_SIZE));
    pair = &m->pairs[1][0];
    announced = &m->pairs[1][1];
}

/* A subflow from there that was not established yet. */
static struct mp_subflow *open_between(const char *local, const char *remote)
{
    struct braid_addr from = lone_addr(local), to = lone_addr(remote);
    struct mp_subflow *s = flow_new(lone.c, &from, &to);
    ck_assert_ptr_nonnull(s);
    s->join = true;
    subflow_open_active(&s->tcp, lone.c->cc, lone.now);
    return s;
}

static struct mp_subflow *open_to(const char *remote)
{
    return open_between("10.0.2.2:4000", remote);
}

static void end(struct mp_subflow *s, enum subflow_closed why)
{
    s->closing.dead = true;
    s->closing.why = why;
    conn_pm_ended(s, lone.now);
    flow_free(s);
}

static void time_out(void)
{
    end(open_to("10.0.9.1:80"), SUBFLOW_CLOSED_TIMEOUT);
}

/* With this reason in the peer's MP_TCPRST. */
static void reset(int reason, bool for_good)
{
    struct mp_subflow *s = open_to("10.0.9.1:80");
    s->closing.peer_rst = reason;
    s->closing.peer_rst_for_good = for_good;
    end(s, SUBFLOW_CLOSED_RST);
}

/* How long the pair has to wait. */
static braid_time waits(const struct pm_pair *p)
{
    return p->open_at - lone.now;
}

START_TEST(each_failure_doubles_the_time_up_to_half_a_minute)
{
    begin();
    for (unsigned i = 0; i < 8; i++) {
        time_out();
        ck_assert_int_eq(waits(pair), BRAID_SECOND << (i < 5 ? i : 5));
        ck_assert(!pair->closed);
    }
    lone_end();
}
END_TEST

START_TEST(a_subflow_that_held_for_long_makes_up_for_failures)
{
    begin();
    time_out();
    time_out();
    struct mp_subflow *s = open_to("10.0.9.1:80");
    conn_pm_established(s);
    ck_assert(pair->worked);
    lone.now += 10 * BRAID_SECOND;
    end(s, SUBFLOW_CLOSED_TIMEOUT);
    ck_assert_int_eq(waits(pair), 0); /* one that was up is opened again at once */
    ck_assert_uint_eq(pair->failures, 1);
    s = open_to("10.0.9.1:80");
    conn_pm_established(s);
    end(s, SUBFLOW_CLOSED_TIMEOUT); /* but not when it does not hold */
    ck_assert_int_eq(waits(pair), 2 * BRAID_SECOND);
    lone_end();
}
END_TEST

START_TEST(the_peers_fin_wants_no_more_of_it)
{
    begin();
    struct mp_subflow *s = open_to("10.0.9.1:80");
    conn_pm_established(s);
    end(s, SUBFLOW_CLOSED_DONE);
    ck_assert(pair->closed);
    lone_end();
}
END_TEST

START_TEST(an_end_that_we_wanted_says_nothing)
{
    begin();
    struct mp_subflow *s = open_to("10.0.9.1:80");
    conn_pm_established(s);
    s->closing.retired = true;
    end(s, SUBFLOW_CLOSED_DONE);
    ck_assert(!pair->closed && pair->failures == 0);
    s = open_to("10.0.9.1:80");
    s->closing.bygone = true;
    end(s, SUBFLOW_CLOSED_TIMEOUT);
    ck_assert_uint_eq(pair->failures, 0);
    s = open_to("10.0.9.1:80");
    s->closing.announced_again = true;
    conn_pm_established(s);
    end(s, SUBFLOW_CLOSED_DONE); /* the FIN may be from before the announcement */
    ck_assert(!pair->closed && pair->failures == 0);
    lone_end();
}
END_TEST

START_TEST(a_reason_that_lasts_is_respected_and_a_passing_one_waited_for)
{
    begin();
    reset(MPTCP_RST_OUTSTANDING, false);
    ck_assert(!pair->closed && waits(pair) == 0);
    reset(MPTCP_RST_RESOURCES, false); /* it lacks something: not soon */
    ck_assert(!pair->closed);
    ck_assert_int_eq(waits(pair), 8 * BRAID_SECOND);
    reset(MPTCP_RST_PROHIBITED, true);
    ck_assert(pair->closed);
    lone_end();
}
END_TEST

/* The peer, which has not noticed that the old one does not work, may have no room for a new one. */
START_TEST(a_refusal_of_a_replacement_does_not_last)
{
    begin();
    struct mp_subflow *old = open_between("10.0.2.2:4001", "10.0.9.1:80");
    old->silence.stale = true;
    reset(MPTCP_RST_PROHIBITED, true);
    ck_assert(!pair->closed);
    ck_assert_int_eq(waits(pair), BRAID_SECOND);
    old->silence.stale = false;
    reset(MPTCP_RST_PROHIBITED, true);
    ck_assert(pair->closed);
    end(old, SUBFLOW_CLOSED_LOCAL);
    lone_end();
}
END_TEST

START_TEST(an_announced_address_that_refuses_is_left_alone)
{
    begin();
    end(open_to("10.0.9.2:80"), SUBFLOW_CLOSED_REFUSED);
    ck_assert(announced->closed && !pair->closed && pair->failures == 0);
    lone_end();
}
END_TEST

START_TEST(and_so_is_one_that_does_not_answer_three_times_unless_it_has_worked)
{
    begin();
    for (unsigned i = 1; i <= 3; i++) {
        end(open_to("10.0.9.2:80"), SUBFLOW_CLOSED_TIMEOUT);
        ck_assert(announced->closed == (i == 3));
    }
    *announced = (struct pm_pair){.worked = true};
    for (unsigned i = 1; i <= 9; i++)
        end(open_to("10.0.9.2:80"), SUBFLOW_CLOSED_TIMEOUT);
    ck_assert(!announced->closed);
    lone_end();
}
END_TEST

START_TEST(who_is_alone_tries_everything_and_soon)
{
    begin();
    struct mp_subflow *s = open_to("10.0.9.1:80");
    conn_pm_established(s);
    lone.s->closing.dead = true;
    end(s, SUBFLOW_CLOSED_DONE);
    ck_assert(!pair->closed);
    ck_assert_int_eq(waits(pair), BRAID_SECOND);
    pair->closed = true;
    announced->open_at = lone.now + 30 * BRAID_SECOND;
    announced->failures = 5;
    conn_pm_forgive(lone.c, lone.now);
    ck_assert(!pair->closed && waits(pair) == 0);
    ck_assert_int_eq(waits(announced), BRAID_SECOND); /* what fails all the time is not tried all the time */
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retries");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_failure_doubles_the_time_up_to_half_a_minute);
    tcase_add_test(t, a_subflow_that_held_for_long_makes_up_for_failures);
    tcase_add_test(t, the_peers_fin_wants_no_more_of_it);
    tcase_add_test(t, an_end_that_we_wanted_says_nothing);
    tcase_add_test(t, a_reason_that_lasts_is_respected_and_a_passing_one_waited_for);
    tcase_add_test(t, a_refusal_of_a_replacement_does_not_last);
    tcase_add_test(t, an_announced_address_that_refuses_is_left_alone);
    tcase_add_test(t, and_so_is_one_that_does_not_answer_three_times_unless_it_has_worked);
    tcase_add_test(t, who_is_alone_tries_everything_and_soon);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
