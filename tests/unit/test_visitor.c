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
static struct visitor visitors[MOST + 1];
static int far[MOST + 1];
static unsigned gone[MOST + 1]; /* times */

static void nothing(struct visitor *v)
{
    (void)v;
}

static void on_gone(struct visitor *v)
{
    gone[v - visitors]++;
    visitor_close(v);
}

static const struct visitor_ops ops = {.readable = nothing, .written = nothing, .gone = on_gone};

static int open_one(unsigned i, int seconds)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    far[i] = pair[1];
    return visitor_open(&crowd, &visitors[i], pair[0], seconds);
}

static void setup(void)
{
    base = event_base_new();
    crowd_init(&crowd, base, &ops, MOST, 100);
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
    while (!gone[0]) {
        ck_assert_int_lt(client_now_ms(), begun + 20000);
        evbuffer_drain(visitor_input(&visitors[0]), 1);
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
    visitor_answering(&visitors[0], 1);
    evbuffer_add(visitor_output(&visitors[0]), much, sizeof(much));
    client_until(base, gone[0] == 1);
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_who_asks_longest)
{
    for (unsigned i = 0; i < MOST; i++)
        ck_assert_int_eq(open_one(i, 100), 0);
    visitor_answering(&visitors[0], 100);
    ck_assert_int_eq(open_one(MOST, 100), 0);
    ck_assert(!gone[0] && gone[1] == 1 && !gone[2] && !gone[3]);
    ck_assert_uint_eq(crowd.n, MOST);
}
END_TEST

START_TEST(nobody_makes_way_who_is_being_answered)
{
    for (unsigned i = 0; i < MOST; i++) {
        ck_assert_int_eq(open_one(i, 100), 0);
        visitor_answering(&visitors[i], 100);
    }
    ck_assert_int_eq(open_one(MOST, 100), -1);
    char byte;
    ck_assert_int_eq(recv(far[MOST], &byte, 1, 0), 0);
    ck_assert_uint_eq(gone[0] + gone[1] + gone[2], 0);
}
END_TEST

START_TEST(a_farewell_ends_our_direction_and_then_the_rest)
{
    char byte;
    ck_assert_int_eq(open_one(0, 100), 0);
    visitor_farewell(&visitors[0]);
    ck_assert_int_eq(recv(far[0], &byte, 1, 0), 0);
    client_send(far[0], "more"); /* thrown away, not refused */
    client_spin(base, -1);
    ck_assert_uint_eq(gone[0], 0);
    close(far[0]);
    client_until(base, gone[0] == 1);
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
