/* What a program that embeds the stack relies on: errors instead of aborts, and reasons for them. */
#include "pair.h"

static struct pair p;

static void setup(void)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
}

static void teardown(void)
{
    pair_free(&p);
}

/* ---- writing that cannot be ---- */

static void must_be_shut(struct braid_conn *c)
{
    struct iovec iov[2];
    ck_assert_int_eq(braid_conn_write(c, "x", 1), BRAID_SHUT);
    ck_assert_int_eq(braid_conn_write(c, "", 0), BRAID_SHUT);
    ck_assert_uint_eq(braid_conn_reserve(c, 1, iov, 2), 0);
}

START_TEST(writing_after_the_shutdown_is_an_error_and_changes_nothing)
{
    ck_assert_int_eq(braid_conn_write(p.client.conn, "", 0), 0);
    side_write(&p.client, 1000);
    braid_conn_shutdown(p.client.conn);
    must_be_shut(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    must_be_shut(p.client.conn);
    ck_assert(p.server.eof && p.server.received == 1000 && p.server.wrong_bytes == 0);
    side_write(&p.server, 1000); /* the other direction lives */
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.received == 1000 && p.client.closed && p.client.why == BRAID_CLOSE_DONE);
}
END_TEST

START_TEST(writing_after_an_abort_is_an_error)
{
    braid_conn_abort(p.client.conn);
    must_be_shut(p.client.conn);
    braid_conn_abort_delivered(p.server.conn);
    must_be_shut(p.server.conn);
}
END_TEST

START_TEST(room_that_was_not_committed_is_given_back)
{
    struct iovec iov[2];
    ck_assert_uint_gt(braid_conn_reserve(p.client.conn, 1000, iov, 2), 0);
    ck_assert_uint_gt(braid_conn_reserve(p.client.conn, 1000, iov, 2), 0);
    memcpy(iov[0].iov_base, (const uint8_t[]){pattern(0), pattern(1)}, 2);
    braid_conn_commit(p.client.conn, 2);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.received == 2 && p.server.wrong_bytes == 0);
}
END_TEST

START_TEST(reading_nothing_takes_nothing)
{
    uint8_t byte;
    ck_assert_int_eq(braid_conn_read(p.client.conn, &byte, 0), 0);
    p.client.reading = false;
    side_write(&p.server, 1);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_conn_read(p.client.conn, &byte, 0), 0);
    ck_assert_int_eq(braid_conn_read(p.client.conn, &byte, 1), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("embed");
    TCase *t = tcase_create("embed");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, writing_after_the_shutdown_is_an_error_and_changes_nothing);
    tcase_add_test(t, writing_after_an_abort_is_an_error);
    tcase_add_test(t, room_that_was_not_committed_is_given_back);
    tcase_add_test(t, reading_nothing_takes_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
