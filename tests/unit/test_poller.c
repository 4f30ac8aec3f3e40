/* io/poller: many descriptors behind one event of the loop. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>
#include <event2/event.h>
#include "io/poller.h"
#include "suite.h"

#define PAIRS 100 /* more than come at once */

static struct event_base *base;
static struct poller *poller;

static struct watched {
    int ends[2];
    unsigned readable, writable, state;
    struct watched *removes; /* when it is readable */
} watched[PAIRS];

static void on_ready(void *ctx, unsigned state)
{
    struct watched *w = ctx;
    bool readable = state & POLLER_READABLE;
    w->readable += readable;
    w->writable += (state & POLLER_WRITABLE) != 0;
    w->state = state;
    if (readable && w->removes)
        poller_remove(poller, w->removes->ends[0], w->removes);
}

static void setup(void)
{
    base = event_base_new();
    poller = poller_new(base, on_ready);
    ck_assert_ptr_nonnull(poller);
    for (unsigned i = 0; i < PAIRS; i++) {
        ck_assert_int_eq(evutil_socketpair(AF_UNIX, SOCK_STREAM, 0, watched[i].ends), 0);
        ck_assert_int_eq(poller_add(poller, watched[i].ends[0], &watched[i]), 0);
    }
}

static void teardown(void)
{
    poller_free(poller);
    event_base_free(base);
}

static void turn(void)
{
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* A watch counts itself, and reads nothing. */
static void on_watch(void *arg)
{
    ++*(unsigned *)arg;
}

static void write_to_all(void)
{
    for (unsigned i = 0; i < PAIRS; i++)
        ck_assert_int_eq(write(watched[i].ends[1], "x", 1), 1);
}

START_TEST(each_is_told_what_it_is_ready_for_once)
{
    for (unsigned i = 0; i < 10; i++)
        turn();
    for (unsigned i = 0; i < PAIRS; i++)
        ck_assert(watched[i].writable == 1 && watched[i].readable == 0);
    write_to_all();
    for (unsigned i = 0; i < 10; i++)
        turn();
    for (unsigned i = 0; i < PAIRS; i++)
        ck_assert_uint_eq(watched[i].readable, 1);
    ck_assert_int_eq(write(watched[7].ends[1], "x", 1), 1);
    turn();
    ck_assert_uint_eq(watched[7].readable, 2);
    ck_assert_uint_eq(watched[8].readable, 1);
}
END_TEST

START_TEST(a_descriptor_that_has_failed_is_both)
{
    turn();
    turn();
    close(watched[3].ends[1]);
    turn();
    ck_assert(watched[3].readable == 1 && watched[3].writable == 2);
}
END_TEST

START_TEST(an_end_in_order_is_told_as_such)
{
    turn();
    turn();
    ck_assert_int_eq(shutdown(watched[3].ends[1], SHUT_WR), 0);
    turn();
    ck_assert_uint_eq(watched[3].state & (POLLER_READABLE | POLLER_ENDED | POLLER_FAILED),
                      POLLER_READABLE | POLLER_ENDED);
}
END_TEST

/* Both have happened when the first of them removes the other. */
START_TEST(who_was_removed_hears_nothing_of_what_has_happened)
{
    turn();
    turn();
    for (unsigned i = 0; i < PAIRS; i++)
        watched[i].removes = &watched[i ^ 1];
    write_to_all();
    for (unsigned i = 0; i < 10; i++)
        turn();
    for (unsigned i = 0; i < PAIRS; i += 2)
        ck_assert_uint_eq(watched[i].readable + watched[i + 1].readable, 1);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_watched_is_told_at_once)
{
    int fd = dup(watched[0].ends[1]);
    close(fd);
    ck_assert_int_eq(poller_add(poller, fd, &watched[0]), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

#define LATER 300 /* more than are added in one turn */

static struct watched later[LATER];

/* One that was removed before its turn hears nothing, and one that cannot be added is told so. */
START_TEST(those_that_are_added_later_are_told_as_others_are)
{
    for (unsigned i = 0; i < LATER; i++) {
        ck_assert_int_eq(evutil_socketpair(AF_UNIX, SOCK_STREAM, 0, later[i].ends), 0);
        ck_assert_int_eq(poller_add_later(poller, later[i].ends[0], &later[i]), 0);
        ck_assert_int_eq(write(later[i].ends[1], "x", 1), 1);
    }
    poller_remove(poller, later[7].ends[0], &later[7]);
    close(later[LATER - 1].ends[0]);
    for (unsigned i = 0; i < 20; i++)
        turn();
    for (unsigned i = 0; i < LATER; i++)
        ck_assert_uint_eq(later[i].readable, i != 7);
    ck_assert(later[LATER - 1].state & POLLER_FAILED && !(later[0].state & POLLER_FAILED));
    ck_assert_int_eq(write(later[8].ends[1], "x", 1), 1);
    turn();
    ck_assert_uint_eq(later[8].readable, 2);
}
END_TEST

/* While there are some, nobody sleeps. */
START_TEST(a_turn_does_not_sleep_before_all_are_added)
{
    for (unsigned i = 0; i < 20; i++)
        turn();
    for (unsigned i = 0; i < LATER; i++) {
        ck_assert_int_eq(evutil_socketpair(AF_UNIX, SOCK_STREAM, 0, later[i].ends), 0);
        ck_assert_int_eq(poller_add_later(poller, later[i].ends[0], &later[i]), 0);
    }
    while (later[LATER - 1].writable == 0)
        poller_turn(poller, true);
}
END_TEST

START_TEST(a_watch_is_told_as_long_as_it_is_readable_or_once)
{
    unsigned level = 0, edge = 0;
    const struct poller_watch watches[] = {{watched[0].ends[1], on_watch, &level},
                                           {watched[1].ends[1], on_watch, &edge}};
    ck_assert_int_eq(poller_watch(poller, &watches[0], false), 0);
    ck_assert_int_eq(poller_watch(poller, &watches[1], true), 0);
    turn();
    turn();
    ck_assert(level == 0 && edge == 0);
    ck_assert_int_eq(write(watched[0].ends[0], "x", 1), 1);
    ck_assert_int_eq(write(watched[1].ends[0], "x", 1), 1);
    turn();
    turn();
    ck_assert(level == 2 && edge == 1);
    poller_unwatch(poller, &watches[0]);
    poller_unwatch(poller, &watches[1]);
    turn();
    ck_assert_uint_eq(level, 2);
}
END_TEST

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ++*(unsigned *)arg;
}

/* With and without something else to wait for in the base. */
START_TEST(a_turn_of_the_poller_is_one_of_its_base)
{
    static const struct timeval soon = {.tv_usec = 1000}, late = {.tv_sec = 60};
    unsigned fired = 0, lasts = 0;
    poller_turn(poller, false);
    poller_turn(poller, true);
    for (unsigned i = 0; i < PAIRS; i++)
        ck_assert_uint_eq(watched[i].writable, 1);
    struct event *timer = evtimer_new(base, on_timeout, &fired),
                 *other = evtimer_new(base, on_timeout, &lasts);
    evtimer_add(timer, &soon);
    evtimer_add(other, &late);
    poller_turn(poller, true); /* nothing else wakes it */
    ck_assert_uint_eq(fired, 1);
    ck_assert_int_eq(write(watched[7].ends[1], "x", 1), 1);
    poller_turn(poller, true);
    ck_assert_uint_eq(watched[7].readable, 1);
    event_free(other);
    ck_assert_int_eq(write(watched[8].ends[1], "x", 1), 1);
    poller_turn(poller, true);
    ck_assert_uint_eq(watched[8].readable, 1);
    event_free(timer);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poller");
    TCase *t = tcase_create("poller");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, each_is_told_what_it_is_ready_for_once);
    tcase_add_test(t, a_descriptor_that_has_failed_is_both);
    tcase_add_test(t, an_end_in_order_is_told_as_such);
    tcase_add_test(t, who_was_removed_hears_nothing_of_what_has_happened);
    tcase_add_test(t, a_descriptor_that_cannot_be_watched_is_told_at_once);
    tcase_add_test(t, those_that_are_added_later_are_told_as_others_are);
    tcase_add_test(t, a_turn_does_not_sleep_before_all_are_added);
    tcase_add_test(t, a_watch_is_told_as_long_as_it_is_readable_or_once);
    tcase_add_test(t, a_turn_of_the_poller_is_one_of_its_base);
    suite_add_tcase(s, t);
    return run_suite(s);
}
