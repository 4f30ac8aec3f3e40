/* Queues of events between workers and the main thread (src/role/watch.c), and whose events go where
 * (src/role/watches.c): one core, one loop. */
#include <stdio.h>
#include <event2/event.h>
#include "io/mailbox.h"
#include "lone_conn.h"
#include "mptcp/news.h"
#include "role/uplinks.h"
#include "role/watches.h"

#define ROOM 4

static struct event_base *base;
static struct mailbox *mb;
static struct watch *watch;
static unsigned ready;

static void on_ready(void *arg)
{
    ck_assert_ptr_eq(arg, &ready);
    ready++;
}

static struct watch *new_watch(unsigned room)
{
    struct watch *w = watch_new(room, mb, on_ready, &ready);
    ck_assert_ptr_nonnull(w);
    return w;
}

static void setup(void)
{
    base = event_base_new();
    mb = mailbox_new(base);
    watch = new_watch(ROOM);
    ready = 0;
}

static void teardown(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    watch_free(watch);
    mailbox_free(mb);
    event_base_free(base);
}

/* Events from..to - 1, told by their subflow's number. */
static void tell(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        watch_tell(watch, &(struct watch_event){.event.subflow = i}, false);
    event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Numbers of events, "-n": that so many were lost. */
static void expect(const char *expected)
{
    char text[256] = "";
    struct watch_event e;
    for (size_t n = 0; watch_take(watch, &e); n = strlen(text)) {
        const char *between = n > 0 ? " " : "";
        if (e.lost > 0)
            snprintf(text + n, sizeof(text) - n, "%s-%u", between, (unsigned)e.lost);
        else
            snprintf(text + n, sizeof(text) - n, "%s%u", between, e.event.subflow);
    }
    ck_assert_str_eq(text, expected);
}

START_TEST(events_come_in_their_order_and_wake_once)
{
    expect("");
    tell(0, 2);
    tell(2, 4);
    ck_assert_uint_eq(ready, 1);
    expect("0 1 2 3");
    tell(4, 5);
    ck_assert_uint_eq(ready, 2);
    expect("4");
}
END_TEST

/* The main thread may look before it is woken. */
START_TEST(what_is_taken_early_is_not_posted_twice)
{
    for (uint32_t i = 0; i < 3; i++) {
        watch_tell(watch, &(struct watch_event){.event.subflow = i}, false);
        struct watch_event e;
        ck_assert(watch_take(watch, &e) && e.event.subflow == i && !watch_take(watch, &e));
    }
    watch_tell(watch, &(struct watch_event){.event.subflow = 3}, false);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_uint_eq(ready, 1);
    expect("3");
}
END_TEST

START_TEST(what_finds_no_room_is_counted_in_its_place)
{
    struct watch_event e;
    tell(0, 7);
    ck_assert(watch_take(watch, &e) && e.event.subflow == 0);
    tell(7, 8); /* a place is free, and how many were lost before it takes that */
    ck_assert(watch_take(watch, &e) && e.event.subflow == 1);
    tell(8, 10);
    expect("2 3 -4 8 -1");
    tell(10, 11);
    expect("10");
    ck_assert_uint_eq(ready, 2);
}
END_TEST

START_TEST(the_last_is_never_lost)
{
    tell(0, 9);
    watch_tell(watch, &(struct watch_event){.event.subflow = 99}, true);
    expect("0 1 2 3 -5 99");
    tell(0, 4);
    watch_tell(watch, &(struct watch_event){.event.subflow = 99}, true);
    expect("0 1 2 3 99");
}
END_TEST

/* ---- whose events ------------------------------------------------------------------------------------- */

static struct watches *ws;

static void world(void)
{
    setup();
    lone_begin(NULL);
    ws = watches_new(lone.core, 3);
    ck_assert_ptr_nonnull(ws);
}

static void world_over(void)
{
    watches_free(ws);
    lone_end();
    teardown();
}

/* "connection:kind" of each. */
static void expect_of(struct watch *w, const char *expected)
{
    char text[512] = "";
    struct watch_event e;
    for (size_t n = 0; watch_take(w, &e); n = strlen(text)) {
        ck_assert(e.lost == 0 && e.worker == 3);
        snprintf(text + n, sizeof(text) - n, "%s%u:%s%s", n > 0 ? " " : "", (unsigned)e.conn,
                 braid_event_text(e.event.kind), e.event.present ? "!" : "");
    }
    ck_assert_str_eq(text, expected);
}

START_TEST(one_hears_of_its_connection_and_another_of_all)
{
    struct watch *all = new_watch(16);
    struct braid_conn *first = lone.c;
    ck_assert_int_eq(watches_add(ws, watch, first, NULL), 0);
    ck_assert_int_eq(watches_add(ws, all, NULL, NULL), 0);
    expect_of(watch, "1:established! 1:subflow-up!");
    lone_open("10.0.1.2:4001");
    news_fallback(lone.c);
    news_fallback(first);
    expect_of(watch, "1:fallback");
    expect_of(all, "2:established 2:subflow-up 2:fallback 1:fallback");
    conn_free(first);
    conn_free(lone.c);
    expect_of(watch, "1:subflow-down 1:closed");
    expect_of(all, "1:subflow-down 1:closed 2:subflow-down 2:closed");
    watches_forget(ws, all);
    ck_assert_ptr_null(lone.core->env.news.fn); /* nobody is left */
    event_base_loop(base, EVLOOP_NONBLOCK);
    watch_free(all);
}
END_TEST

START_TEST(who_is_forgotten_hears_nothing_more)
{
    ck_assert_int_eq(watches_add(ws, watch, lone.c, NULL), 0);
    expect_of(watch, "1:established! 1:subflow-up!");
    watches_forget(ws, watch);
    news_fallback(lone.c);
    expect_of(watch, "");
    ck_assert_ptr_null(lone.core->env.news.fn);
}
END_TEST

/* A connection that never was established ends for who watches it, and is no news for who watches all. */
START_TEST(what_never_was_is_no_news)
{
    struct watch *all = new_watch(16);
    struct braid_conn *c = conn_new(&lone.core->env, cc_algorithms[0], sched_algorithms[0], lone.now);
    ck_assert_int_eq(watches_add(ws, watch, c, NULL), 0);
    ck_assert_int_eq(watches_add(ws, all, NULL, NULL), 0);
    conn_free(c);
    expect_of(watch, "2:closed");
    expect_of(all, "");
    watches_forget(ws, all);
    event_base_loop(base, EVLOOP_NONBLOCK);
    watch_free(all);
}
END_TEST

/* The uplink has another address, or none, when its subflow goes. */
START_TEST(a_subflow_keeps_the_outer_address_that_it_came_with)
{
    struct uplinks us = {.n = 2};
    struct watch_event e;
    const struct braid_ip outer = lone_addr("192.0.2.1:1").ip, other = lone_addr("192.0.2.2:1").ip;
    us.all[0].inner[UPLINK_V4] = lone_addr("10.0.1.2:1").ip;
    us.all[1].inner[UPLINK_V4] = lone_addr("10.0.2.2:1").ip;
    us.all[0].ways[UPLINK_V4].outer = us.all[1].ways[UPLINK_V4].outer = outer;
    ck_assert_int_eq(watches_add(ws, watch, lone.c, &us), 0);
    ck_assert(watch_take(watch, &e) && ip_equal(&e.event.local.ip, &outer));
    ck_assert(watch_take(watch, &e) && e.event.kind == BRAID_EVENT_SUBFLOW_UP);
    ck_assert(ip_equal(&e.event.local.ip, &outer) && e.event.local.port == 4000);
    us.all[0].ways[UPLINK_V4].outer = us.all[1].ways[UPLINK_V4].outer = other;
    lone_flow("10.0.2.2:4001");
    news_joined(lone.s->next);
    ck_assert(watch_take(watch, &e) && ip_equal(&e.event.local.ip, &other));
    news_priority(lone.s, true);
    ck_assert(watch_take(watch, &e) && ip_equal(&e.event.local.ip, &outer));
    news_gone(lone.s);
    ck_assert(watch_take(watch, &e) && ip_equal(&e.event.local.ip, &outer));
    news_gone(lone.s->next);
    ck_assert(watch_take(watch, &e) && ip_equal(&e.event.local.ip, &other) && e.event.subflow == 1);
    watches_forget(ws, watch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *t = tcase_create("queue");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, events_come_in_their_order_and_wake_once);
    tcase_add_test(t, what_is_taken_early_is_not_posted_twice);
    tcase_add_test(t, what_finds_no_room_is_counted_in_its_place);
    tcase_add_test(t, the_last_is_never_lost);
    suite_add_tcase(suite, t);
    t = tcase_create("connections");
    tcase_add_checked_fixture(t, world, world_over);
    tcase_add_test(t, one_hears_of_its_connection_and_another_of_all);
    tcase_add_test(t, who_is_forgotten_hears_nothing_more);
    tcase_add_test(t, what_never_was_is_no_news);
    tcase_add_test(t, a_subflow_keeps_the_outer_address_that_it_came_with);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
