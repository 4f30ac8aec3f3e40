/* relay: bytes, their ends and back-pressure, between a scripted core and a real server on loopback. */
#include "property.h"
#include "relay_harness.h"

static uint64_t seed;

static void fill_random(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)rng_next(&seed);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

struct exchange {
    struct braid_conn *c;
    int server;
    uint8_t *up, *down; /* what is to arrive */
    size_t len;
    size_t up_sent, up_got, down_sent;
};

/* One random step at the client's and one at the server's end. */
static void exchange_step(struct exchange *x)
{
    struct braid_conn *c = x->c;
    c->piece = 1 + rng_below(&seed, 5000);
    size_t n = rng_below(&seed, 70000);
    if (n > x->len - x->up_sent)
        n = x->len - x->up_sent;
    client_sends(c, x->up + x->up_sent, n);
    x->up_sent += n;
    c->down_acked += rng_below(&seed, c->down_len - c->down_acked + 1);
    static uint8_t got[50000];
    ssize_t r = recv(x->server, got, 1 + rng_below(&seed, sizeof(got) - 1), 0);
    if (r > 0) {
        ck_assert_uint_le(x->up_got + (size_t)r, x->len);
        must(memcmp(got, x->up + x->up_got, (size_t)r) == 0);
        x->up_got += (size_t)r;
    }
    n = rng_below(&seed, 70000);
    if (n > x->len - x->down_sent)
        n = x->len - x->down_sent;
    r = n ? send(x->server, x->down + x->down_sent, n, MSG_NOSIGNAL) : 0;
    x->down_sent += r > 0 ? (size_t)r : 0;
}

START_TEST(random_pieces_arrive_equal_both_ways)
{
    seed = (uint64_t)_i + 1;
    struct exchange x = {.len = 1500000 + rng_below(&seed, 500000)};
    x.up = malloc(x.len);
    x.down = malloc(x.len);
    fill_random(x.up, x.len);
    fill_random(x.down, x.len);
    x.c = connected(&x.server);
    x.c->sndbuf = 1 + rng_below(&seed, 300000);
    time_t limit = time(NULL) + PATIENCE;
    while (x.up_got < x.len || x.c->down_len < x.len) {
        ck_assert_msg(time(NULL) < limit, "stalled: up %zu of %zu, down %zu", x.up_got, x.len, x.c->down_len);
        exchange_step(&x);
        turn(x.c);
    }
    ck_assert(memcmp(x.c->down, x.down, x.len) == 0);
    ck_assert_uint_eq(counted(EDGE_TO_SERVER), x.len);
    ck_assert_uint_eq(counted(EDGE_FROM_SERVER), x.len);
    finish(x.c, x.server);
    free(x.up);
    free(x.down);
}
END_TEST

/* ---- ends ------------------------------------------------------------------------------------ */

START_TEST(a_clients_end_reaches_the_server_which_may_go_on)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    client_sends(c, "request", 7);
    c->up_end = true;
    fake_flush(c);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 7);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    ck_assert_int_eq(send(server, "reply", 5, 0), 5);
    until(c, c->down_len == 5);
    ck_assert(!c->shut);
    close(server);
    until(c, c->shut);
    ck_assert(!c->aborted);
    finish(c, -1);
    ck_assert_uint_eq(counted(EDGE_CLOSED), 1);
}
END_TEST

START_TEST(a_servers_end_reaches_the_client_which_may_go_on)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    ck_assert_int_eq(send(server, "bye", 3, 0), 3);
    shutdown(server, SHUT_WR); /* comes together with the bytes */
    until(c, c->shut);
    ck_assert_uint_eq(c->down_len, 3);
    client_sends(c, "more", 4);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 4);
    c->up_end = true;
    fake_flush(c);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    ck_assert(!c->aborted);
    finish(c, server);
}
END_TEST

START_TEST(the_clients_end_waits_for_bytes_the_socket_did_not_take)
{
    int server;
    struct braid_conn *c = connected(&server);
    shrink(server);
    c->up_arrived = FAKE_STREAM;
    seed = 5;
    fill_random(c->up, FAKE_STREAM);
    c->up_end = true;
    fake_flush(c);
    settle(c);
    ck_assert_uint_lt(c->up_taken, FAKE_STREAM);
    size_t got = 0;
    uint8_t *data = malloc(FAKE_STREAM);
    while (got < FAKE_STREAM) {
        ssize_t n = receive(c, server, data + got, FAKE_STREAM - got);
        ck_assert_int_gt(n, 0);
        got += (size_t)n;
    }
    ck_assert(memcmp(data, c->up, FAKE_STREAM) == 0);
    ck_assert_int_eq(receive(c, server, data, 1), 0);
    free(data);
    finish(c, server);
}
END_TEST

START_TEST(a_servers_reset_aborts_the_client)
{
    int server;
    struct braid_conn *c = connected(&server);
    server_reset(server);
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(counted(EDGE_SERVER_RESET), 1);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
    finish(c, -1);
}
END_TEST

/* The client takes what comes, a little at a time, until it is aborted. It has to get all of it first. True:
 * it was told that this is the end of the data. */
static bool takes_all_before_the_abort(struct braid_conn *c, size_t all)
{
    settle(c);
    ck_assert(!c->aborted);
    while (c->down_acked < all) {
        ck_assert(!c->closed_told);
        until(c, c->down_len > c->down_acked);
        c->down_acked++;
    }
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(c->down_len, all);
    ck_assert_uint_eq(counted(EDGE_SERVER_RESET), 1);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
    bool shut = c->shut;
    finish(c, -1);
    return shut;
}

START_TEST(what_a_server_sent_before_its_reset_reaches_a_slow_client)
{
    int server;
    struct braid_conn *c = connected(&server);
    c->sndbuf = 1000;
    static uint8_t data[5000];
    fill_random(data, sizeof(data));
    ck_assert_int_eq(send(server, data, sizeof(data), 0), sizeof(data));
    until(c, c->down_len == 1000);
    settle(c);
    server_reset(server);
    bool whole = takes_all_before_the_abort(c, sizeof(data));
    ck_assert(!whole); /* a stream that broke off must not look like a whole one */
}
END_TEST

/* The server has its answer ready before it has read everything. */
static void answers_and_resets(struct braid_conn *c, int server, bool ends)
{
    client_sends(c, "a request that is too long", 26);
    char some[4];
    ck_assert_int_eq(receive(c, server, some, sizeof(some)), 4);
    ck_assert_int_eq(send(server, "413", 3, 0), 3);
    if (ends)
        ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    close(server); /* with bytes unread: Linux sends a RST */
}

START_TEST(an_answer_with_a_reset_behind_it_reaches_the_client)
{
    int server;
    struct braid_conn *c = connected(&server);
    answers_and_resets(c, server, _i & 1);
    if (_i & 2) /* a write meets the RST before a read does, and the socket tells of it only once */
        client_sends(c, "more", 4);
    bool whole = takes_all_before_the_abort(c, 3);
    if (!(_i & 2))
        ck_assert_int_eq(whole, _i & 1);
}
END_TEST

START_TEST(an_answer_with_a_reset_behind_it_waits_for_the_clients_handshake)
{
    struct braid_conn *c = fake_syn();
    c->client_ready = false;
    until(c, c->accepted);
    int server = server_accept();
    ck_assert_int_eq(send(server, "421", 3, 0), 3);
    server_reset(server);
    settle(c);
    ck_assert(!c->aborted);
    c->client_ready = true;
    takes_all_before_the_abort(c, 3);
}
END_TEST

START_TEST(a_reset_after_the_servers_end_is_noticed)
{
    int server;
    struct braid_conn *c = connected(&server);
    ck_assert_int_eq(send(server, "bye", 3, 0), 3);
    close(server);
    until(c, c->shut);
    client_sends(c, "to nobody", 9); /* answered with RST */
    takes_all_before_the_abort(c, 3);
}
END_TEST

START_TEST(a_clients_abort_or_silence_resets_the_server)
{
    static const enum braid_close whys[] = {BRAID_CLOSE_RESET, BRAID_CLOSE_TIMEOUT, BRAID_CLOSE_PROTOCOL};
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    fake_close(c, whys[_i]);
    ssize_t n = receive(c, server, text, sizeof(text));
    int why = errno;
    ck_assert_int_eq(n, -1);
    ck_assert_int_eq(why, ECONNRESET);
    ck_assert_uint_eq(counted(_i == 1 ? EDGE_TIMEOUT : EDGE_CLIENT_RESET), 1);
    finish(c, server);
}
END_TEST

START_TEST(an_ordered_end_does_not_reset_the_server)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    client_sends(c, "x", 1);
    c->up_end = true;
    fake_flush(c);
    shutdown(server, SHUT_WR);
    until(c, c->shut);
    fake_close(c, BRAID_CLOSE_DONE);
    struct braid_addr told;
    ck_assert(!server_of(c, &told)); /* the core still has it, the edge does not */
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 1);
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    finish(c, server);
}
END_TEST

/* ---- back-pressure --------------------------------------------------------------------------- */

START_TEST(a_server_that_reads_nothing_stops_the_client)
{
    int server;
    struct braid_conn *c = connected(&server);
    shrink(server);
    c->up_arrived = FAKE_STREAM;
    fake_flush(c);
    settle(c);
    size_t stopped = c->up_taken;
    ck_assert_uint_lt(stopped, FAKE_STREAM);
    settle(c);
    ck_assert_uint_eq(c->up_taken, stopped);
    static uint8_t data[65536];
    for (size_t got = 0; got < FAKE_STREAM;)
        got += (size_t)receive(c, server, data, sizeof(data));
    ck_assert_uint_eq(c->up_taken, FAKE_STREAM);
    finish(c, server);
}
END_TEST

START_TEST(a_client_that_reads_nothing_stops_the_server)
{
    int server;
    struct braid_conn *c = connected(&server);
    c->sndbuf = 100000;
    static uint8_t data[65536];
    size_t sent = 0;
    ssize_t n;
    for (unsigned idle = 0; idle < 20; turn(c)) {
        n = send(server, data, sizeof(data), MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        if (sent > FAKE_STREAM - sizeof(data))
            break;
    }
    ck_assert_uint_eq(c->down_len, 100000);
    while (c->down_len < sent) {
        size_t before = c->down_len;
        c->down_acked = before;
        until(c, c->down_len > before);
    }
    finish(c, server);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("relay stream");
    TCase *t = new_case(s, "bytes");
    tcase_add_loop_test(t, random_pieces_arrive_equal_both_ways, 0, 10);
    t = new_case(s, "ends");
    tcase_add_test(t, a_clients_end_reaches_the_server_which_may_go_on);
    tcase_add_test(t, a_servers_end_reaches_the_client_which_may_go_on);
    tcase_add_test(t, the_clients_end_waits_for_bytes_the_socket_did_not_take);
    tcase_add_test(t, a_servers_reset_aborts_the_client);
    tcase_add_test(t, what_a_server_sent_before_its_reset_reaches_a_slow_client);
    tcase_add_loop_test(t, an_answer_with_a_reset_behind_it_reaches_the_client, 0, 4);
    tcase_add_test(t, an_answer_with_a_reset_behind_it_waits_for_the_clients_handshake);
    tcase_add_test(t, a_reset_after_the_servers_end_is_noticed);
    tcase_add_loop_test(t, a_clients_abort_or_silence_resets_the_server, 0, 3);
    tcase_add_test(t, an_ordered_end_does_not_reset_the_server);
    t = new_case(s, "back-pressure");
    tcase_add_test(t, a_server_that_reads_nothing_stops_the_client);
    tcase_add_test(t, a_client_that_reads_nothing_stops_the_server);
    return run_suite(s);
}
