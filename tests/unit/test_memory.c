/* What a peer makes a core hold is charged, small pieces are put together, and what is not read ends. */
#include "core/inside.h"
#include "pair.h"

static struct pair p;

static void begin(bool plain)
{
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, plain);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    p.server.reading = false;
}

/* Each byte in a segment of its own. */
static void send_bytes(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        side_write(&p.client, 1);
        pair_run_for(&p, BRAID_MS);
    }
    pair_run_for(&p, BRAID_SECOND);
}

static size_t used(void)
{
    return p.server.core->env.mem.used;
}

START_TEST(single_bytes_cost_little_more_than_they_are)
{
    enum { N = 20000 };

    begin(_i);
    size_t before = used();
    send_bytes(N);
    ck_assert_uint_eq(braid_conn_readable(p.server.conn), N);
    ck_assert_uint_le(used() - before, 3 * N);
    ck_assert_uint_le(p.server.conn->recv.q->n, 16);
    p.server.reading = true;
    side_read(&p.server);
    ck_assert_uint_eq(p.server.wrong_bytes, 0);
    ck_assert_uint_eq(p.server.received, 1000 + N);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(used(), before);
    pair_free(&p);
}
END_TEST

/* Pieces of all sizes, some read in between: every byte comes, in its order. */
START_TEST(pieces_of_all_sizes_stay_in_order)
{
    unsigned sizes[] = {1, 1400, 3, 700, 20, 4096, 1, 1, 2000, 511, 513, 9000, 60};

    begin(_i % 2);
    for (unsigned round = 0; round < 60; round++) {
        side_write(&p.client, sizes[(round * 7 + (unsigned)_i) % 13]);
        pair_run_for(&p, 20 * BRAID_MS);
        if (round % 9 == 8) {
            uint8_t b[777];
            ssize_t n = braid_conn_read(p.server.conn, b, sizeof(b));
            for (ssize_t k = 0; k < n; k++, p.server.received++)
                ck_assert_uint_eq(b[k], pattern(p.server.received));
        }
    }
    p.server.reading = true;
    side_read(&p.server);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_uint_eq(p.server.wrong_bytes, 0);
    ck_assert_uint_eq(p.server.received, p.client.sent);
    pair_free(&p);
}
END_TEST

/* The window was offered when there was memory; what it lets in is dropped when there is none, and comes when
 * there is again. */
START_TEST(unread_data_takes_no_more_than_there_is)
{
    size_t limit = 200000;

    begin(_i);
    p.server.reading = true;
    pair_transfer(&p, &p.client, 100000, 10 * BRAID_SECOND);
    p.server.reading = false;
    p.server.core->env.mem.limit = limit;
    p.server.core->env.params.unread = 0;
    side_write(&p.client, 1 << 20);
    pair_run_for(&p, 4 * BRAID_SECOND);
    ck_assert(!p.server.closed);
    ck_assert_uint_le(used(), limit + 2000);
    ck_assert_uint_gt(side_count(&p.server, COUNT_MEM_DROPPED), 0);
    p.server.core->env.mem.limit = 64 << 20;
    p.server.reading = true;
    side_read(&p.server);
    pair_transfer(&p, &p.client, 1 << 20, 200 * BRAID_SECOND);
    ck_assert_uint_eq(p.server.received, p.client.sent);
    pair_free(&p);
}
END_TEST

/* ---- what stands still ---- */

START_TEST(what_is_not_read_ends_after_the_limit)
{
    begin(_i);
    p.server.core->env.params.unread = 30 * BRAID_SECOND;
    side_write(&p.client, 100);
    pair_run_for(&p, 25 * BRAID_SECOND);
    uint8_t b[10];
    ck_assert_int_eq(braid_conn_read(p.server.conn, b, 10), 10);
    pair_run_for(&p, 25 * BRAID_SECOND);
    ck_assert(!p.server.closed);
    pair_run_for(&p, 20 * BRAID_SECOND);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_TIMEOUT);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_UNREAD), 1);
    pair_free(&p);
}
END_TEST

START_TEST(what_is_not_read_ends_soon_when_memory_is_scarce)
{
    begin(false);
    p.server.core->env.params.unread = 1200 * BRAID_SECOND;
    side_write(&p.client, 100000);
    pair_run_for(&p, 30 * BRAID_SECOND);
    ck_assert(!p.server.closed);
    p.server.core->env.mem.limit = used() * 3 / 2;
    pair_run_for(&p, 15 * BRAID_SECOND);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_TIMEOUT);
    pair_free(&p);
}
END_TEST

/* One more connection of the client's, from another port. */
static struct braid_conn *connect_another(unsigned n)
{
    struct braid_connect_params c = {.local = pair_addr("10.0.1.2:5000"),
                                     .remote = pair_addr("10.0.9.1:80"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .ops = &pair_ops,
                                     .user = &p.client};

    c.local.port = (uint16_t)(c.local.port + n);
    p.client.established = false;
    struct braid_conn *conn = braid_connect(p.client.core, &c, p.now);
    pair_run_for(&p, 100 * BRAID_MS);
    return conn;
}

static const uint8_t zeros[60000];

/* The one that holds most goes first, and a newcomer finds room. */
START_TEST(when_memory_is_short_the_fattest_goes_first)
{
    struct braid_conn *thin, *fat, *c;

    begin(false);
    p.server.reading = true;
    thin = connect_another(1);
    struct braid_conn *thin_server = p.server.conn;
    fat = connect_another(2);
    struct braid_conn *fat_server = p.server.conn;
    p.server.reading = false;
    ck_assert_uint_eq(braid_conn_write(thin, zeros, 20000), 20000);
    ck_assert_uint_eq(braid_conn_write(fat, zeros, 60000), 60000);
    pair_run_for(&p, BRAID_SECOND);
    uint64_t fat_id = braid_conn_id(fat_server), thin_id = braid_conn_id(thin_server);
    p.server.core->env.mem.limit = used() + 1000;
    pair_run_for(&p, BRAID_SECOND);
    connect_another(3);
    ck_assert(!p.client.established);
    pair_run_for(&p, 6 * BRAID_SECOND);
    c = connect_another(4);
    ck_assert(c && p.client.established);
    ck_assert_ptr_null(braid_conn_by_id(p.server.core, fat_id));
    ck_assert_ptr_nonnull(braid_conn_by_id(p.server.core, thin_id));
    ck_assert_uint_eq(side_count(&p.server, COUNT_MEM_RECLAIMED), 1);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("pieces");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, single_bytes_cost_little_more_than_they_are, 0, 2);
    tcase_add_loop_test(t, pieces_of_all_sizes_stay_in_order, 0, 8);
    tcase_add_loop_test(t, unread_data_takes_no_more_than_there_is, 0, 2);
    suite_add_tcase(s, t);
    t = tcase_create("standing still");
    tcase_add_loop_test(t, what_is_not_read_ends_after_the_limit, 0, 2);
    tcase_add_test(t, what_is_not_read_ends_soon_when_memory_is_scarce);
    tcase_add_test(t, when_memory_is_short_the_fattest_goes_first);
    suite_add_tcase(s, t);
    return run_suite(s);
}
