/* relay/splice: any two ends. Each side of a splice is a peer of the test's, which is behind a scripted
 * connection (fake_core.h) or the far end of a socket; the same scenarios are for all four combinations. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include "fake_core.h"
#include "io/poller.h"
#include "io/upstream.h"
#include "property.h"
#include "relay/end_conn.h"
#include "relay/end_socket.h"
#include "relay/splice.h"
#include "suite.h"

#define PATIENCE     5 /* seconds that anything may take */
#define COMBINATIONS 4
#define FD_ROOM      65536

struct peer {
    struct braid_conn *conn; /* NULL: it is behind a socket */
    int fd;
    uint8_t *out; /* what it sends ... */
    size_t len, sent;
    uint8_t *in; /* ... and what it got */
    size_t got;
    bool ended, broken; /* as it sees the stream that comes to it */
};

static struct event_base *base;
static struct splicer *splicer;
static struct poller *poller;
static struct splice_owner owner;
static struct splice splice;
static struct peer peers[2];
static uint64_t moved[2], seed;
static unsigned failed[2], gone[2], over;

/* ---- the owner ------------------------------------------------------------------------------- */

static void on_moved(struct splice *s, unsigned from, size_t n)
{
    ck_assert_ptr_eq(s, &splice);
    moved[from] += n;
}

static void on_failed(struct splice *s, unsigned end)
{
    ck_assert_ptr_eq(s, &splice);
    failed[end]++;
}

static void on_gone(struct splice *s, unsigned end, enum braid_close why)
{
    (void)why;
    ck_assert_ptr_eq(s, &splice);
    gone[end]++;
}

static void on_over(struct splice *s)
{
    over++;
    memset(s, 0xa5, sizeof(*s)); /* whoever looks at it now will notice */
}

static const struct splice_events events = {
    .moved = on_moved, .failed = on_failed, .gone = on_gone, .over = on_over};

static const struct braid_conn_ops conn_ops = {.established = end_conn_established,
                                               .readable = end_conn_readable,
                                               .writable = end_conn_writable,
                                               .closed = end_conn_closed};

/* ---- the peers ------------------------------------------------------------------------------- */

/* Both ends of a TCP connection on loopback, with so large buffers. */
static void socket_pair(int fds[2], int room)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    ck_assert_int_eq(connect(fds[0], (struct sockaddr *)&sa, len), 0);
    fds[1] = accept(listener, NULL, NULL);
    ck_assert_int_ge(fds[1], 0);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
        ck_assert_int_eq(evutil_make_socket_nonblocking(fds[i]), 0);
    }
    close(listener);
}

static void make_peer(unsigned i, bool is_socket)
{
    struct peer *p = &peers[i];
    *p = (struct peer){.fd = -1, .in = malloc(FAKE_STREAM)};
    if (!is_socket) {
        p->conn = fake_conn_of(&conn_ops);
        p->conn->accepted = true;
        end_conn_init(&splice.ends[i], p->conn);
        return;
    }
    int fds[2];
    socket_pair(fds, FD_ROOM);
    p->fd = fds[0];
    ck_assert_int_eq(end_socket_init(&splice.ends[i], poller, fds[1]), 0);
}

/* Combination c: bit i says that peer i is behind a socket. */
static void begin(int c)
{
    seed = (uint64_t)c + 77;
    splice_init(&splice, &owner);
    make_peer(0, c & 1);
    make_peer(1, c & 2);
    splice_start(&splice);
}

static void peer_sends(struct peer *p, const uint8_t *data, size_t len)
{
    p->out = realloc(p->out, p->len + len);
    memcpy(p->out + p->len, data, len);
    p->len += len;
}

static void peer_sends_random(struct peer *p, size_t len)
{
    uint8_t *data = malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)rng_next(&seed);
    peer_sends(p, data, len);
    free(data);
}

/* Of what it has to send, as much as goes. */
static void write_out(struct peer *p, size_t most)
{
    size_t n = p->len - p->sent < most ? p->len - p->sent : most;
    if (n == 0)
        return;
    if (p->conn) {
        memcpy(p->conn->up + p->conn->up_arrived, p->out + p->sent, n);
        p->conn->up_arrived += n;
        p->sent += n;
        return;
    }
    ssize_t sent = send(p->fd, p->out + p->sent, n, MSG_NOSIGNAL);
    p->sent += sent > 0 ? (size_t)sent : 0;
}

static void read_in(struct peer *p, size_t most)
{
    if (p->conn) {
        size_t n = p->conn->down_len - p->conn->down_acked;
        p->conn->down_acked += n < most ? n : most;
        memcpy(p->in, p->conn->down, p->conn->down_acked);
        p->got = p->conn->down_acked;
        p->ended = p->conn->shut && p->got == p->conn->down_len;
        p->broken |= p->conn->aborted;
        return;
    }
    ssize_t n = recv(p->fd, p->in + p->got, most < FAKE_STREAM - p->got ? most : FAKE_STREAM - p->got, 0);
    p->got += n > 0 ? (size_t)n : 0;
    p->ended |= n == 0 && most > 0;
    p->broken |= n < 0 && errno != EAGAIN;
}

static void peer_ends(struct peer *p)
{
    if (p->conn)
        p->conn->up_end = true;
    else
        ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
}

static void peer_resets(struct peer *p)
{
    if (p->conn) {
        fake_close(p->conn, BRAID_CLOSE_RESET);
    } else {
        upstream_reset(p->fd);
        p->fd = -1;
    }
}

/* ---- driving --------------------------------------------------------------------------------- */

static void turn(void)
{
    struct timeval little = {.tv_usec = 2000};
    event_base_loopexit(base, &little);
    event_base_loop(base, EVLOOP_ONCE);
    for (unsigned i = 0; i < 2; i++)
        if (peers[i].conn)
            fake_flush(peers[i].conn);
}

/* Turns the loop, with `step` before each turn, until the condition holds. */
#define until(step, condition)                                                                               \
    do {                                                                                                     \
        time_t limit = time(NULL) + PATIENCE;                                                                \
        while (!(condition)) {                                                                               \
            ck_assert_msg(time(NULL) < limit, "never: %s", #condition);                                      \
            step;                                                                                            \
            turn();                                                                                          \
        }                                                                                                    \
    } while (0)

static void exchange(void)
{
    for (unsigned i = 0; i < 2; i++) {
        if (peers[i].conn)
            peers[i].conn->piece = 1 + rng_below(&seed, 5000);
        write_out(&peers[i], rng_below(&seed, 70000));
        read_in(&peers[i], 1 + rng_below(&seed, 70000));
    }
}

static void exchange_one_way(unsigned from)
{
    write_out(&peers[from], 1000);
    read_in(&peers[!from], FAKE_STREAM);
}

static void sends_to_who_reads_nothing(unsigned from)
{
    if (peers[!from].conn)
        peers[!from].conn->sndbuf = 100000;
    peer_sends_random(&peers[from], 3000000);
    for (unsigned i = 0; i < 40; i++) {
        write_out(&peers[from], 100000);
        turn();
    }
}

static void settle(void)
{
    for (unsigned i = 0; i < 20; i++)
        turn();
}

static void must_have_all(unsigned i)
{
    ck_assert_uint_eq(peers[i].got, peers[!i].len);
    must(memcmp(peers[i].in, peers[!i].out, peers[i].got) == 0);
    ck_assert_uint_eq(moved[!i], peers[!i].len);
}

/* A connection tells its end when the peer has acknowledged everything and both directions have ended. */
static void connections_end(void)
{
    for (unsigned i = 0; i < 2; i++)
        if (peers[i].conn && !peers[i].conn->closed_told)
            fake_close(peers[i].conn, BRAID_CLOSE_DONE);
}

static void setup(void)
{
    base = event_base_new();
    splicer = splicer_new(base);
    poller = end_socket_poller(base);
    ck_assert(splicer && poller);
    owner = (struct splice_owner){.events = &events, .splicer = splicer};
}

static void teardown(void)
{
    for (unsigned i = 0; i < 2; i++) {
        free(peers[i].in);
        free(peers[i].out);
        if (peers[i].fd >= 0)
            close(peers[i].fd);
        if (peers[i].conn)
            fake_conn_free(peers[i].conn);
    }
    splicer_free(splicer);
    poller_free(poller);
    event_base_free(base);
}

/* ---- bytes and their ends -------------------------------------------------------------------- */

START_TEST(random_pieces_arrive_equal_both_ways)
{
    begin(_i);
    for (unsigned i = 0; i < 2; i++) {
        peer_sends_random(&peers[i], 1000000 + rng_below(&seed, 500000));
        if (peers[i].conn)
            peers[i].conn->sndbuf = 1 + rng_below(&seed, 300000);
    }
    until(exchange(), peers[0].got == peers[1].len && peers[1].got == peers[0].len);
    must_have_all(0);
    must_have_all(1);
    ck_assert_uint_eq(over, 0);
    splice_drop(&splice);
}
END_TEST

START_TEST(an_end_is_passed_on_behind_the_last_byte_and_the_other_way_goes_on)
{
    unsigned first = (unsigned)_i / COMBINATIONS, second = !first;
    begin(_i % COMBINATIONS);
    peer_sends_random(&peers[first], 300000);
    until(exchange(), peers[first].sent == peers[first].len);
    peer_ends(&peers[first]);
    until(exchange(), peers[second].ended);
    must_have_all(second);
    ck_assert(!peers[first].ended && over == 0);
    peer_sends_random(&peers[second], 300000);
    until(exchange(), peers[second].sent == peers[second].len);
    settle();
    ck_assert(!peers[first].ended);
    peer_ends(&peers[second]);
    until(exchange(), peers[first].ended);
    must_have_all(first);
    connections_end();
    until(turn(), over == 1);
    ck_assert(!peers[0].broken && !peers[1].broken);
    ck_assert_uint_eq(failed[0] + failed[1], 0);
}
END_TEST

/* As where both ends are being opened, each in its own time. */
START_TEST(nothing_is_written_to_a_connection_whose_handshake_is_not_complete)
{
    unsigned late = (unsigned)_i / 2, first = !late;
    begin(_i % 2 ? (int)(1u << first) : 0);
    peers[late].conn->client_ready = false;
    peer_sends_random(&peers[first], 5000);
    write_out(&peers[first], 5000);
    settle();
    ck_assert_uint_eq(moved[first], 0);
    peers[late].conn->client_ready = true;
    until(exchange(), peers[late].got == peers[first].len);
    must_have_all(late);
    splice_drop(&splice);
}
END_TEST

/* What was written is with the kernel, or under way in the core: the splice must not take it back. */
START_TEST(one_connection_that_has_ended_leaves_the_other_its_time)
{
    begin(0);
    for (unsigned i = 0; i < 2; i++)
        peer_ends(&peers[i]);
    peer_sends_random(&peers[0], 1000);
    write_out(&peers[0], 1000);
    until(turn(), peers[0].conn->shut && peers[1].conn->shut);
    fake_close(peers[0].conn, BRAID_CLOSE_DONE);
    settle();
    ck_assert(!peers[1].conn->aborted && !peers[1].conn->released && over == 0);
    read_in(&peers[1], FAKE_STREAM);
    must_have_all(1);
    fake_close(peers[1].conn, BRAID_CLOSE_DONE);
    ck_assert_uint_eq(over, 1);
    ck_assert(gone[0] == 1 && gone[1] == 1);
}
END_TEST

/* ---- aborts ---------------------------------------------------------------------------------- */

START_TEST(a_reset_is_passed_on_behind_what_came_before_it)
{
    unsigned first = (unsigned)_i / COMBINATIONS, second = !first;
    begin(_i % COMBINATIONS);
    peer_sends_random(&peers[first], 20000);
    until(exchange(), peers[first].sent == peers[first].len && moved[first] == peers[first].len);
    peer_resets(&peers[first]);
    until(read_in(&peers[second], FAKE_STREAM), over == 1 && peers[second].broken);
    ck_assert(!peers[second].ended); /* a stream that broke off must not look like a whole one */
    must_have_all(second);
    ck_assert_uint_eq(failed[first], peers[first].conn == NULL);
    ck_assert_uint_eq(gone[first], peers[first].conn != NULL);
    ck_assert_uint_eq(failed[second], 0);
}
END_TEST

START_TEST(a_reset_of_who_takes_nothing_is_noticed_although_bytes_wait_for_it)
{
    unsigned first = (unsigned)_i / COMBINATIONS, second = !first;
    begin(_i % COMBINATIONS);
    sends_to_who_reads_nothing(first);
    peer_resets(&peers[second]);
    until(read_in(&peers[first], FAKE_STREAM), over == 1 && peers[first].broken);
}
END_TEST

START_TEST(dropping_aborts_both_and_tells_nobody)
{
    begin(_i);
    settle();
    splice_drop(&splice);
    for (unsigned i = 0; i < 2; i++) {
        read_in(&peers[i], FAKE_STREAM);
        ck_assert(peers[i].conn ? peers[i].conn->released : peers[i].broken);
        ck_assert(!peers[i].conn || !peers[i].conn->user);
    }
    ck_assert_uint_eq(over + gone[0] + gone[1] + failed[0] + failed[1], 0);
}
END_TEST

/* ---- back-pressure --------------------------------------------------------------------------- */

START_TEST(who_reads_nothing_stops_who_sends)
{
    unsigned first = (unsigned)_i / COMBINATIONS, second = !first;
    begin(_i % COMBINATIONS);
    sends_to_who_reads_nothing(first);
    settle(); /* what the kernel's buffers hold may take its time to get there, but there is an end to it */
    ck_assert_uint_lt(moved[first], 2000000);
    peer_sends_random(&peers[second], 50000); /* the other way is as free as before */
    until(exchange_one_way(second), peers[first].got == peers[second].len);
    must_have_all(first);
    until(exchange(), peers[second].got == peers[first].len);
    must_have_all(second);
    splice_drop(&splice);
}
END_TEST

START_TEST(who_sends_without_end_does_not_keep_others_waiting)
{
    begin(2 | _i); /* from a socket, to a connection or a socket */
    peer_sends_random(&peers[1], 1000000);
    uint64_t most = 0;
    while (peers[0].got < peers[1].len) {
        uint64_t before = moved[1];
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        most = moved[1] - before > most ? moved[1] - before : most;
        write_out(&peers[1], 1000000);
        read_in(&peers[0], FAKE_STREAM);
        if (peers[0].conn)
            fake_flush(peers[0].conn);
    }
    must_have_all(0);
    ck_assert_uint_le(most, 2 * 128 * 1024);
    splice_drop(&splice);
}
END_TEST

/* ---- many at once ---------------------------------------------------------------------------- */

#define MANY      12
#define MANY_LEN  3000000
#define MANY_ROOM 212992       /* bytes, of which the kernel makes twice as many: some shares */
#define TURN_MOST (700 * 1024) /* bytes: half a megabyte, and what the last one of a turn has more */

struct stream {
    struct splice splice;
    struct braid_conn *conn;
    int fd;
    size_t sent, moved;
};

static struct stream streams[MANY];

static void on_stream_moved(struct splice *s, unsigned from, size_t n)
{
    ck_assert_uint_eq(from, 1);
    list_entry(s, struct stream, splice)->moved += n;
}

static const struct splice_events stream_events = {.moved = on_stream_moved};

static void stream_begin(struct stream *st, struct splice_owner *all)
{
    int fds[2];
    socket_pair(fds, MANY_ROOM);
    splice_init(&st->splice, all);
    *st = (struct stream){.splice = st->splice, .conn = fake_conn_of(&conn_ops), .fd = fds[0]};
    list_init(&st->splice.again);
    st->conn->accepted = true;
    end_conn_init(&st->splice.ends[0], st->conn);
    ck_assert_int_eq(end_socket_init(&st->splice.ends[1], poller, fds[1]), 0);
    splice_start(&st->splice);
}

static void stream_fill(struct stream *st)
{
    static const uint8_t zeros[MANY_LEN];
    ssize_t n = st->sent < MANY_LEN ? send(st->fd, zeros, MANY_LEN - st->sent, MSG_NOSIGNAL) : 0;
    st->sent += n > 0 ? (size_t)n : 0;
}

/* All of the bytes that one turn moves, after which all of them have as much to give again. */
static size_t stream_turn(size_t *behind)
{
    size_t before = 0, after = 0, first = 0, last = MANY_LEN;
    for (unsigned i = 0; i < MANY; i++) {
        before += streams[i].moved;
        stream_fill(&streams[i]);
    }
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    for (unsigned i = 0; i < MANY; i++) {
        size_t n = streams[i].moved;
        after += n;
        first = n > first ? n : first;
        last = n < last ? n : last;
        streams[i].conn->down_acked = streams[i].conn->down_len;
        fake_flush(streams[i].conn);
    }
    *behind = first - last;
    return after - before;
}

/* Each has had a share, and has more to give. */
static bool all_rest(void)
{
    for (unsigned i = 0; i < MANY; i++)
        if (!streams[i].splice.ends[1].rests)
            return false;
    return true;
}

START_TEST(many_who_send_without_end_take_turns)
{
    struct splice_owner all = {.events = &stream_events, .splicer = splicer};
    for (unsigned i = 0; i < MANY; i++)
        stream_begin(&streams[i], &all);
    size_t behind, sum = 0, n;
    for (unsigned i = 0; i < MANY; i++) /* what they begin with is read as it comes */
        stream_turn(&behind);
    must(all_rest());
    const size_t began = behind;
    for (; sum < (size_t)MANY * MANY_LEN / 2; sum += n) {
        n = stream_turn(&behind);
        ck_assert_uint_gt(n, 0);
        ck_assert_uint_le(n, TURN_MOST);
        ck_assert_uint_le(behind, began + TURN_MOST);
    }
    for (unsigned i = 0; i < MANY; i++) {
        splice_drop(&streams[i].splice);
        close(streams[i].fd);
        fake_conn_free(streams[i].conn);
    }
}
END_TEST

static TCase *new_case(Suite *s, const char *name)
{
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 4 * PATIENCE);
    suite_add_tcase(s, t);
    return t;
}

int main(void)
{
    Suite *s = suite_create("splice");
    TCase *t = new_case(s, "bytes");
    tcase_add_loop_test(t, random_pieces_arrive_equal_both_ways, 0, COMBINATIONS);
    tcase_add_loop_test(t, an_end_is_passed_on_behind_the_last_byte_and_the_other_way_goes_on, 0,
                        2 * COMBINATIONS);
    tcase_add_loop_test(t, nothing_is_written_to_a_connection_whose_handshake_is_not_complete, 0, 4);
    tcase_add_test(t, one_connection_that_has_ended_leaves_the_other_its_time);
    t = new_case(s, "aborts");
    tcase_add_loop_test(t, a_reset_is_passed_on_behind_what_came_before_it, 0, 2 * COMBINATIONS);
    tcase_add_loop_test(t, a_reset_of_who_takes_nothing_is_noticed_although_bytes_wait_for_it, 0,
                        2 * COMBINATIONS);
    tcase_add_loop_test(t, dropping_aborts_both_and_tells_nobody, 0, COMBINATIONS);
    t = new_case(s, "back-pressure");
    tcase_add_loop_test(t, who_reads_nothing_stops_who_sends, 0, 2 * COMBINATIONS);
    tcase_add_loop_test(t, who_sends_without_end_does_not_keep_others_waiting, 0, 2);
    tcase_add_test(t, many_who_send_without_end_take_turns);
    return run_suite(s);
}
