/* A worker's node that goes on in another one (src/role/node_handover.c): its edges and their clients
 * (src/role/edge_freeze.c, src/role/edge_client_freeze.c), splices and sockets (src/relay/splice_freeze.c)
 * and dials under way (src/relay/dial_freeze.c). */
#include <pthread.h>
#include "base/bytes.h"
#include "base/hash.h"
#include "handover_world.h"
#include "log_ear.h"
#include "role/edge_state.h"
#include "role/edge_targets.h"

#define MUCH 200000

/* The server sends the pattern from `from` on, as much as there is room for. */
static size_t server_writes(int fd, uint64_t from, size_t n)
{
    uint8_t bytes[65536];
    size_t len = n < sizeof(bytes) ? n : sizeof(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = pattern(from + i);
    ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
    return sent > 0 ? (size_t)sent : 0;
}

/* Reads what has come, which has to be the pattern. */
static size_t server_reads(int fd, uint64_t from)
{
    uint8_t bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    ssize_t right = 0;
    while (right < n && bytes[right] == pattern(from + (uint64_t)right))
        right++;
    ck_assert_int_ge(right, n);
    return n > 0 ? (size_t)n : 0;
}

static bool has_ended(int fd)
{
    uint8_t byte;
    return recv(fd, &byte, 1, 0) == 0;
}

static int open_connection(void)
{
    pair_connect(&p, false);
    int fd = server_accept();
    until(p.client.established && counted()->open == 1);
    return fd;
}

/* Both ends end in order. */
static void finish(int fd)
{
    braid_conn_shutdown(p.client.conn);
    until(has_ended(fd));
    close(fd);
    until(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_DONE);
    until(counted()->open == 0);
    ck_assert_uint_eq(counted()->v[EDGE_CLOSED], 1);
    ck_assert_uint_eq(counted()->v[EDGE_INCOMING], 1);
}

START_TEST(a_connection_goes_on_with_all_that_is_under_way)
{
    int fd = open_connection();
    uint64_t up = 0, down = 0;
    for (unsigned i = 0; up < MUCH || p.client.received < MUCH; i++) {
        ck_assert_uint_lt(i, PATIENCE);
        side_write(&p.client, MUCH - p.client.sent);
        down += server_writes(fd, down, MUCH - down);
        turn();
        if (i % 3 == 0)
            hand_over();
        up += server_reads(fd, up);
    }
    ck_assert_uint_eq(up, MUCH);
    ck_assert_uint_eq(p.client.received, MUCH);
    ck_assert_uint_eq(p.client.wrong_bytes, 0);
    ck_assert_uint_eq(counted()->v[EDGE_TO_SERVER], MUCH);
    ck_assert_uint_eq(counted()->v[EDGE_FROM_SERVER], MUCH);
    finish(fd);
}
END_TEST

START_TEST(bytes_that_wait_in_the_kernel_are_found)
{
    int fd = open_connection();
    ck_assert_uint_eq(server_writes(fd, 0, 1000), 1000);
    hand_over(); /* nobody has been told of them */
    until(p.client.received == 1000);
    finish(fd);
}
END_TEST

START_TEST(a_server_that_is_full_stays_so_until_it_reads)
{
    int fd = open_connection(), small = 262144;
    uint64_t up = 0;
    struct node_state s = frozen();
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    setsockopt(s.fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    node_state_free(&s);
    while (side_write(&p.client, MUCH) > 0)
        for (unsigned i = 0; i < 200; i++)
            turn();
    hand_over();
    for (unsigned i = 0; i < 50; i++)
        turn();
    ck_assert_uint_lt(counted()->v[EDGE_TO_SERVER], p.client.sent);
    braid_conn_shutdown(p.client.conn);
    until((up += server_reads(fd, up)) == p.client.sent);
    until(has_ended(fd));
    close(fd);
    until(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_DONE);
}
END_TEST

START_TEST(half_closes_stay)
{
    int fd = open_connection();
    uint64_t up = 0;
    shutdown(fd, SHUT_WR);
    until(p.client.eof);
    hand_over();
    side_write(&p.client, 5000);
    until((up += server_reads(fd, up)) == 5000);
    braid_conn_shutdown(p.client.conn);
    until(has_ended(fd));
    hand_over();
    close(fd);
    until(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_DONE);
    until(counted()->open == 0);
}
END_TEST

START_TEST(a_reset_that_came_in_between_is_heard)
{
    int fd = open_connection();
    server_writes(fd, 0, 3000);
    upstream_reset(fd);
    hand_over();
    until(p.client.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_RESET);
    until(counted()->open == 0);
    ck_assert_uint_eq(counted()->v[EDGE_SERVER_RESET], 1);
}
END_TEST

START_TEST(what_the_server_is_sent_first_is_not_held_back)
{
    int fd = open_connection(), nodelay = 0;
    uint64_t up = 0;
    side_write(&p.client, 10);
    until((up += server_reads(fd, up)) == 10);
    hand_over();
    side_write(&p.client, 10);
    until((up += server_reads(fd, up)) == 20);
    struct node_state s = frozen();
    socklen_t len = sizeof(nodelay);
    ck_assert_uint_eq(s.n_fds, 1);
    ck_assert_int_eq(getsockopt(s.fds[0], IPPROTO_TCP, 1 /* TCP_NODELAY */, &nodelay, &len), 0);
    ck_assert_int_eq(nodelay, 1);
    node_state_free(&s);
    finish(fd);
}
END_TEST

/* ---- openings --------------------------------------------------------------------------------------- */

/* The listener takes nobody any more: a connect to it is neither answered nor refused. Returns the sockets
 * that fill it. */
static void fill_listener(int fills[4])
{
    close(listener);
    listener = server_listen(0);
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(&target, &sa);
    for (unsigned i = 0; i < 4; i++) {
        fills[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fills[i], (struct sockaddr *)&sa, len);
    }
    usleep(20000);
    const struct targets t = {.addr = {target}, .n = 1};
    edges_set_target(edges_of(node), 0, 0, &t);
}

START_TEST(a_connect_under_way_goes_on)
{
    int fills[4], fd;
    fill_listener(fills);
    pair_connect(&p, false);
    for (unsigned i = 0; i < 30; i++)
        turn();
    ck_assert_uint_eq(counted()->connecting, 1);
    struct node_state s = frozen();
    ck_assert_uint_eq(s.n_fds, 1);
    node_state_free(&s);
    hand_over();
    ck_assert_uint_eq(counted()->connecting, 1);
    for (unsigned i = 0; i < 4; i++)
        close(fills[i]);
    until((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0 || close(fd) < 0);
    until(counted()->open == 1 || p.client.closed);
    ck_assert(!p.client.closed);
    fd = server_accept();
    until(p.client.established);
    uint64_t up = 0;
    side_write(&p.client, 1000);
    until((up += server_reads(fd, up)) == 1000);
    finish(fd);
}
END_TEST

/* Whoever was answered before the server waits on, and so do his bytes. */
START_TEST(a_client_that_was_answered_early_waits_on)
{
    int fills[4];
    uint64_t up = 0;
    params.patience = 10 * BRAID_MS;
    fill_listener(fills);
    pair_connect(&p, false);
    until(p.client.established);
    side_write(&p.client, 1000);
    for (unsigned i = 0; i < 30; i++)
        turn();
    hand_over();
    for (unsigned i = 0; i < 4; i++)
        close(fills[i]);
    int fd;
    until((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0 || close(fd) < 0);
    until(counted()->open == 1 || p.client.closed);
    fd = server_accept();
    until((up += server_reads(fd, up)) == 1000);
    finish(fd);
}
END_TEST

START_TEST(a_client_that_has_not_been_answered_is_in_time)
{
    int fills[4];
    params.patience = 100 * BRAID_MS;
    fill_listener(fills);
    pair_connect(&p, false);
    for (unsigned i = 0; i < 30; i++)
        turn();
    ck_assert(!p.client.established);
    hand_over();
    for (unsigned i = 0; i < 30; i++)
        turn();
    ck_assert(!p.client.established);
    until(p.client.established);
    ck_assert_uint_eq(counted()->connecting, 1);
    for (unsigned i = 0; i < 4; i++)
        close(fills[i]);
    braid_conn_abort(p.client.conn);
    until(counted()->connecting == 0);
}
END_TEST

/* ---- what is refused -------------------------------------------------------------------------------- */

/* Reads the state into a node of its own, and gives that up. True: it was accepted. */
static bool try_state(const struct node_state *s)
{
    const char *why = NULL;
    struct braid_core *core = make_core(0, 1);
    struct node *n = make_node(core);
    const struct node_thaw_params to = {.nodes = &n, .n = 1};
    struct node_thaw *t = node_thaw_begin(&to);
    bool fine = node_thaw_add(t, s, &why) == 0;
    ck_assert(fine == !why);
    node_thaw_abandon(t);
    node_free(n);
    braid_core_free(core);
    return fine;
}

START_TEST(a_drained_edge_is_drained_in_the_other_process_too)
{
    int fd = open_connection();
    struct side first = p.client;
    braid_conn_set_user(first.conn, &first);
    ck_assert(edges_drain(edges_of(node), "web", true));
    hand_over();
    ck_assert(edges_are_drained(edges_of(node), 0));
    p.client = (struct side){.core = first.core, .pair = first.pair};
    pair_open(&p, "10.0.1.2:4001", false);
    until(p.client.closed);
    ck_assert(!p.client.established && counted()->open == 1);
    ck_assert(edges_drain(edges_of(node), "web", false));
    hand_over();
    ck_assert(!edges_are_drained(edges_of(node), 0));
    close(fd);
}
END_TEST

static void tell_down(void *arg, unsigned edge, const struct braid_addr *addr, bool up)
{
    ck_assert(edge == 0 && addr_equal(addr, &target) && !up);
    ++*(unsigned *)arg;
}

START_TEST(an_edge_knows_its_targets_and_the_times_of_connections)
{
    int fd = open_connection();
    struct edge *e = edges_find(edges_of(node), "web");
    const struct pool_member *m = pool_find(&e->pool, &target);
    ck_assert_ptr_nonnull(m);
    ck_assert(m->counters.connections == 1 && m->conns == 1);
    uint64_t times = 0;
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
        times += counted()->times[EDGE_CONNECT].samples[i];
    ck_assert_uint_eq(times, 1);
    const struct edge_counters before = *counted();
    pool_failed(&e->pool, &target, p.now);
    pool_set_health(&e->pool, &target, false, p.now);
    params.pool.health.kind = HEALTH_CONNECT;
    hand_over();
    e = edges_find(edges_of(node), "web");
    m = pool_find(&e->pool, &target);
    ck_assert(m->counters.connections == 1 && m->counters.failures == 1 && m->conns == 1);
    ck_assert_uint_eq(e->pool.totals[0].failures, 1);
    unsigned told = 0;
    edges_health_before(edges_of(node), tell_down, &told);
    ck_assert(m->down && told == 1);
    ck_assert_mem_eq(counted()->times, before.times, sizeof(before.times));
    finish(fd);
    ck_assert_uint_eq(m->conns, 0);
}
END_TEST

/* One subflow before the upgrade and one behind it. */
START_TEST(what_ended_subflows_have_carried_is_in_the_line)
{
    uint64_t up = 0;
    logged = true;
    hand_over();
    int fd = open_connection();
    side_write(&p.client, 1000);
    until((up += server_reads(fd, up)) == 1000);
    pair_join(&p, "10.0.2.2:4001", false);
    ck_assert_int_eq(braid_conn_reset_subflow(p.client.conn, 1), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    hand_over();
    hand_over();
    log_ear_begin();
    finish(fd);
    says(" in=1000 out=0 subflows=2 paths.-.in=1000 paths.-.out=0\n");
    log_ear_end();
}
END_TEST

START_TEST(whoever_gives_up_leaves_everything_as_it_was)
{
    int fd = open_connection(), fds[MORE];
    uint64_t up = 0;
    struct node_state s = frozen();
    duplicate(&s, fds);
    struct node_state got = {.bytes = s.bytes, .len = s.len, .fds = fds, .n_fds = s.n_fds};
    ck_assert(try_state(&got));
    for (size_t i = 0; i < s.n_fds; i++)
        ck_assert_int_eq(close(fds[i]), 0);
    node_state_free(&s);
    side_write(&p.client, 1000);
    until((up += server_reads(fd, up)) == 1000);
    finish(fd);
}
END_TEST

static void *read_part(void *arg)
{
    node_thaw_part_read(arg);
    return NULL;
}

/* Of two workers, by two threads. */
START_TEST(states_are_read_at_once)
{
    int fd = open_connection();
    ck_assert(edges_drain(edges_of(node), "web", true));
    struct node_state s = frozen();
    struct braid_core *cores[2];
    struct node *nodes[2];
    struct node_thaw_part *parts[2];
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++) {
        cores[i] = make_core(i, 2);
        nodes[i] = make_node(cores[i]);
    }
    const struct node_thaw_params to = {.nodes = nodes, .n = 2};
    struct node_thaw *t = node_thaw_begin(&to);
    for (unsigned i = 0; i < 2; i++) {
        parts[i] = node_thaw_part_new(t, &s, 2);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_part, parts[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        const char *why = NULL;
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_msg(node_thaw_part_end(parts[i], &why) == 0, "%s", why);
        ck_assert_uint_eq(edges_counters(edges_of(nodes[i]), 0)->open, 1);
        ck_assert(edges_are_drained(edges_of(nodes[i]), 0));
    }
    node_thaw_abandon(t);
    for (unsigned i = 0; i < 2; i++) {
        node_free(nodes[i]);
        braid_core_free(cores[i]);
    }
    node_state_free(&s);
    finish(fd);
}
END_TEST

/* Of a process with eight workers, the first of which has a connection, by one with fewer: where it goes, a
 * core comes later. */
START_TEST(connections_may_go_where_another_core_was)
{
    int fd = open_connection();
    struct node_state s[8] = {frozen()};
    struct braid_core *idle = make_core(1, 2);
    struct node *without = make_node(idle);
    const char *why = NULL;
    ck_assert_msg(node_freeze(without, NULL, &s[1], &why) == 0, "%s", why);
    for (unsigned i = 2; i < 8; i++)
        s[i] = s[1];
    for (unsigned n = 1; n < 8; n++) {
        struct braid_core *cores[7];
        struct node *nodes[7];
        struct node_thaw_part *parts[8];
        for (unsigned i = 0; i < n; i++) {
            cores[i] = make_core(i, n);
            nodes[i] = make_node(cores[i]);
        }
        const struct node_thaw_params to = {.nodes = nodes, .n = n};
        struct node_thaw *t = node_thaw_begin(&to);
        for (unsigned i = 0; i < 8; i++) {
            parts[i] = node_thaw_part_new(t, &s[i], 8);
            node_thaw_part_core(parts[i]);
        }
        for (unsigned i = 0; i < 8; i++)
            node_thaw_part_read(parts[i]);
        for (unsigned i = 0; i < 8; i++)
            ck_assert_msg(node_thaw_part_end(parts[i], &why) == 0, "%u: %s", n, why);
        unsigned open = 0;
        for (unsigned i = 0; i < n; i++)
            open += (unsigned)edges_counters(edges_of(nodes[i]), 0)->open;
        ck_assert_uint_eq(open, 1);
        node_thaw_abandon(t);
        for (unsigned i = 0; i < n; i++) {
            node_free(nodes[i]);
            braid_core_free(cores[i]);
        }
    }
    node_free(without);
    braid_core_free(idle);
    node_state_free(&s[0]);
    node_state_free(&s[1]);
    finish(fd);
}
END_TEST

START_TEST(torn_and_changed_state_is_refused)
{
    int fd = open_connection();
    server_writes(fd, 0, 100);
    side_write(&p.client, 100);
    struct node_state s = frozen();
    for (size_t len = 0; len < s.len; len += 1 + len / 64) {
        const struct node_state less = {.bytes = s.bytes, .len = len, .fds = s.fds, .n_fds = s.n_fds};
        ck_assert(!try_state(&less));
    }
    for (size_t i = 0; i < s.len; i++) {
        s.bytes[i] ^= 1;
        ck_assert(!try_state(&s));
        s.bytes[i] ^= 1;
    }
    struct node_state none = s;
    none.n_fds = 0;
    ck_assert(!try_state(&none));
    node_state_free(&s);
    uint64_t up = 0;
    until((up += server_reads(fd, up)) == 100);
    finish(fd);
}
END_TEST

/* Whoever makes the sum right as well may have a node of his own liking, but nobody crashes. */
static void sign(struct node_state *s)
{
    size_t core = get64(s->bytes + s->len - 16);
    put64(s->bytes + s->len - 8, quick_sum(s->bytes + core, s->len - core - 8));
}

START_TEST(forged_state_is_refused_or_harmless)
{
    int fills[4];
    int fd = open_connection();
    fill_listener(fills);
    struct side other = p.client;
    pair_open(&p, "10.0.1.2:4001", false);
    for (unsigned i = 0; i < 30; i++)
        turn();
    struct node_state s = frozen();
    ck_assert_uint_eq(s.n_fds, 2);
    size_t core = get64(s.bytes + s.len - 16);
    ck_assert(try_state(&s));
    for (size_t i = core; i < s.len - 16; i++) {
        for (unsigned bit = 0; bit < 8; bit += 1 + i % 3) {
            s.bytes[i] ^= (uint8_t)(1 << bit);
            sign(&s);
            try_state(&s);
            s.bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
    sign(&s);
    ck_assert(try_state(&s));
    node_state_free(&s);
    for (unsigned i = 0; i < 4; i++)
        close(fills[i]);
    braid_conn_abort(other.conn);
    braid_conn_abort(p.client.conn);
    until(counted()->open + counted()->connecting == 0);
    close(fd);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("node_handover");
    TCase *t = tcase_create("goes_on");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_connection_goes_on_with_all_that_is_under_way);
    tcase_add_test(t, bytes_that_wait_in_the_kernel_are_found);
    tcase_add_test(t, a_server_that_is_full_stays_so_until_it_reads);
    tcase_add_test(t, half_closes_stay);
    tcase_add_test(t, a_reset_that_came_in_between_is_heard);
    tcase_add_test(t, what_the_server_is_sent_first_is_not_held_back);
    tcase_add_test(t, a_connect_under_way_goes_on);
    tcase_add_test(t, a_client_that_was_answered_early_waits_on);
    tcase_add_test(t, a_client_that_has_not_been_answered_is_in_time);
    tcase_add_test(t, a_drained_edge_is_drained_in_the_other_process_too);
    tcase_add_test(t, an_edge_knows_its_targets_and_the_times_of_connections);
    tcase_add_test(t, what_ended_subflows_have_carried_is_in_the_line);
    tcase_add_test(t, whoever_gives_up_leaves_everything_as_it_was);
    tcase_add_test(t, states_are_read_at_once);
    tcase_add_test(t, connections_may_go_where_another_core_was);
    tcase_add_test(t, torn_and_changed_state_is_refused);
    tcase_add_test(t, forged_state_is_refused_or_harmless);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
