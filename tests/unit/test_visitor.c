/* Clients of the admin surface: deadlines that no byte moves, who makes way, and the farewell. */
#include <check.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/visitor.h"
#include "admin_client.h"
#include "suite.h"

#define MOST 3

static struct event_base *base;
static struct crowd crowd;
static int far[MOST + 1];

static void nothing(struct visitor *v)
{
    (void)v;
}

static struct visitor_ops ops = {.size = sizeof(struct visitor), .readable = nothing, .answered = nothing};

static int open_one(unsigned i, int seconds)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    far[i] = pair[1];
    ops.asking_s = seconds;
    return crowd_admit(&crowd, pair[0]);
}

/* The one that came last. */
static struct visitor *newest(void)
{
    return list_entry(crowd.asking.prev, struct visitor, link);
}

static void begin_to_answer(int seconds)
{
    ops.answering_s = seconds;
    visitor_answering(newest());
}

/* Its socket is closed. */
static bool gone(unsigned i)
{
    char byte;
    client_spin(base, -1); /* closing is left to the loop */
    return recv(far[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void setup(void)
{
    base = event_base_new();
    crowd_init(&crowd, base, &ops, MOST, 100, -1);
}

static void teardown(void)
{
    crowd_disperse(&crowd);
    ck_assert_uint_eq(crowd.n, 0);
    event_base_free(base);
}

START_TEST(no_byte_moves_the_deadline)
{
    ck_assert_int_eq(open_one(0, 1), 0);
    int64_t begun = client_now_ms();
    while (!gone(0)) {
        ck_assert_int_lt(client_now_ms(), begun + 20000);
        evbuffer_drain(visitor_input(newest()), 1);
        client_send(far[0], "x");
        client_spin(base, -1);
    }
    ck_assert_int_gt(client_now_ms(), begun + 900);
}
END_TEST

START_TEST(an_answer_that_is_not_read_has_a_deadline_too)
{
    static char much[1 << 20];
    ck_assert_int_eq(open_one(0, 100), 0);
    evbuffer_add(visitor_output(newest()), much, sizeof(much));
    begin_to_answer(1);
    client_until(base, crowd.n == 0);
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_who_asks_longest)
{
    ck_assert_int_eq(open_one(0, 100), 0);
    begin_to_answer(100);
    for (unsigned i = 1; i < MOST; i++)
        ck_assert_int_eq(open_one(i, 100), 0);
    ck_assert_int_eq(open_one(MOST, 100), 0);
    ck_assert(!gone(0) && gone(1) && !gone(2) && !gone(3));
    ck_assert_uint_eq(crowd.n, MOST);
}
END_TEST

START_TEST(nobody_makes_way_who_is_being_answered)
{
    for (unsigned i = 0; i < MOST; i++) {
        ck_assert_int_eq(open_one(i, 100), 0);
        begin_to_answer(100);
    }
    ck_assert_int_eq(open_one(MOST, 100), -1);
    char byte;
    ck_assert_int_eq(recv(far[MOST], &byte, 1, 0), 0);
    ck_assert(!gone(0) && !gone(1) && !gone(2));
}
END_TEST

START_TEST(a_farewell_ends_our_direction_and_then_the_rest)
{
    char byte;
    ck_assert_int_eq(open_one(0, 100), 0);
    visitor_farewell(newest());
    ck_assert_int_eq(recv(far[0], &byte, 1, 0), 0);
    client_send(far[0], "more"); /* thrown away, not refused */
    client_spin(base, -1);
    ck_assert_uint_eq(crowd.n, 1);
    close(far[0]);
    client_until(base, crowd.n == 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("visitor");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, no_byte_moves_the_deadline);
    tcase_add_test(t, an_answer_that_is_not_read_has_a_deadline_too);
    tcase_add_test(t, a_newcomer_takes_the_place_of_who_asks_longest);
    tcase_add_test(t, nobody_makes_way_who_is_being_answered);
    tcase_add_test(t, a_farewell_ends_our_direction_and_then_the_rest);
    Suite *s = suite_create("visitor");
    suite_add_tcase(s, t);
    return run_suite(s);
}
