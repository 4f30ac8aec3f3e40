/* io/mailbox: posts from other threads run once, in order, in the loop's thread, and cost one wake per burst.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <event2/event.h>
#include "io/mailbox.h"
#include "suite.h"

#define THREADS 4
#define POSTS   5000

static struct event_base *base;
static struct mailbox *mb;
static pthread_t loop_thread;
static unsigned next_expected[THREADS];
static unsigned ran;

struct sender {
    pthread_t thread;
    unsigned number;
};

static void setup(void)
{
    base = event_base_new();
    mb = mailbox_new(base);
    ck_assert_ptr_nonnull(mb);
    loop_thread = pthread_self();
    ran = 0;
}

static void teardown(void)
{
    mailbox_free(mb);
    event_base_free(base);
}

static void on_post(void *arg)
{
    unsigned long value = (unsigned long)arg;
    unsigned sender = (unsigned)(value % THREADS), number = (unsigned)(value / THREADS);
    ck_assert(pthread_equal(pthread_self(), loop_thread));
    ck_assert_uint_eq(number, next_expected[sender]);
    next_expected[sender]++;
    if (++ran == THREADS * POSTS)
        event_base_loopbreak(base);
}

static void *send_posts(void *arg)
{
    const struct sender *s = arg;
    for (unsigned long i = 0; i < POSTS; i++)
        ck_assert_int_eq(mailbox_post(mb, on_post, (void *)(i * THREADS + s->number)), 0);
    return NULL;
}

START_TEST(posts_of_each_thread_run_once_and_in_order)
{
    struct sender senders[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        senders[i].number = i;
        next_expected[i] = 0;
        ck_assert_int_eq(pthread_create(&senders[i].thread, NULL, send_posts, &senders[i]), 0);
    }
    event_base_dispatch(base);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        ck_assert_uint_eq(next_expected[i], POSTS);
    }
}
END_TEST

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

START_TEST(a_burst_runs_in_one_turn_of_the_loop)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(mailbox_post(mb, count, &n), 0);
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    ck_assert_uint_eq(n, 100);
}
END_TEST

static void post_again(void *arg)
{
    ++*(unsigned *)arg;
    mailbox_post(mb, count, arg);
}

START_TEST(a_post_may_post)
{
    unsigned n = 0;
    mailbox_post(mb, post_again, &n);
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    ck_assert_uint_eq(n, 1); /* the loop gets its turn in between */
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(freeing_runs_what_waits)
{
    unsigned n = 0;
    struct mailbox *other = mailbox_new(base);
    mailbox_post(other, count, &n);
    mailbox_post(other, count, &n);
    mailbox_free(other);
    ck_assert_uint_eq(n, 2);
}
END_TEST

struct runner {
    struct mailbox_place place;
    unsigned runs;
};

static void run_again(void *arg)
{
    struct runner *r = arg;
    if (++r->runs < 3)
        mailbox_put(mb, &r->place, run_again, r);
}

START_TEST(a_place_of_the_callers_can_be_used_again_where_it_runs)
{
    struct runner r = {.runs = 0};
    unsigned n = 0;
    mailbox_put(mb, &r.place, run_again, &r);
    mailbox_post(mb, count, &n);
    for (unsigned i = 0; i < 4; i++)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    ck_assert_uint_eq(r.runs, 3);
    ck_assert_uint_eq(n, 1);
}
END_TEST

/* Posts again, a few times. */
static void post_more(void *arg)
{
    unsigned *left = arg;
    ran++;
    if ((*left)-- > 0)
        mailbox_post(mb, post_more, left);
}

static void drain_within(void *arg)
{
    unsigned *seen = arg, left = 2;
    ck_assert_int_eq(mailbox_post(mb, post_more, &left), 0);
    ck_assert(mailbox_drain(mb));
    ck_assert(!mailbox_drain(mb));
    *seen = ran;
}

START_TEST(within_a_post_the_rest_of_its_burst_can_be_run)
{
    unsigned seen = 0;
    ck_assert_int_eq(mailbox_post(mb, drain_within, &seen), 0);
    ck_assert_int_eq(mailbox_post(mb, count, &ran), 0);
    event_base_loop(base, EVLOOP_ONCE);
    ck_assert_uint_eq(seen, 4);
    ck_assert_uint_eq(ran, 4);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_uint_eq(ran, 4);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("mailbox");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, posts_of_each_thread_run_once_and_in_order);
    tcase_add_test(t, a_burst_runs_in_one_turn_of_the_loop);
    tcase_add_test(t, a_post_may_post);
    tcase_add_test(t, freeing_runs_what_waits);
    tcase_add_test(t, a_place_of_the_callers_can_be_used_again_where_it_runs);
    tcase_add_test(t, within_a_post_the_rest_of_its_burst_can_be_run);
    Suite *s = suite_create("mailbox");
    suite_add_tcase(s, t);
    return run_suite(s);
}
