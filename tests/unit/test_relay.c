/* relay: opening and ending, between a scripted core and a real server on loopback. */
#include "role/complaint.h"
#include "relay_harness.h"

static braid_time monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * BRAID_SECOND + ts.tv_nsec / 1000;
}

/* ---- opening --------------------------------------------------------------------------------- */

START_TEST(the_client_is_answered_once_the_server_has_answered)
{
    struct braid_conn *c = fake_syn();
    until(c, c->accepted);
    int server = server_accept();
    struct braid_addr told;
    ck_assert(server_of(c, &told));
    ck_assert(addr_equal(&told, &target));
    ck_assert_uint_eq(counted(EDGE_ACCEPTED), 1);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 1);
    finish(c, server);
}
END_TEST

START_TEST(an_ipv6_server_is_reached)
{
    close(listener);
    listener = server_listen(AF_INET6, 16);
    retarget();
    int server;
    struct braid_conn *c = connected(&server);
    finish(c, server);
}
END_TEST

START_TEST(a_refusing_server_becomes_a_reset)
{
    close(listener);
    struct braid_conn *c = fake_syn();
    until(c, c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_RESET);
    ck_assert(!c->accepted);
    ck_assert_uint_eq(counted(EDGE_REFUSED), 1);
    finish(c, -1);
    listener = server_listen(AF_INET, 1);
}
END_TEST

START_TEST(an_unreachable_server_becomes_unreachable)
{
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        printf("test_relay: an unreachable server: skipped, needs a network namespace\n");
        return;
    }
    struct braid_conn *c = fake_syn(); /* there is not even a loopback device in use */
    until(c, c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_UNREACHABLE);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    finish(c, -1);
}
END_TEST

START_TEST(a_silent_server_becomes_unreachable_after_the_timeout)
{
    close(listener);
    listener = server_listen(AF_INET, 0); /* a full backlog drops SYNs */
    retarget();
    int fillers[8];
    bool done;
    for (unsigned i = 0; i < 8; i++)
        fillers[i] = upstream_connect(&target, NULL, &done);
    braid_time begin = monotonic();
    struct braid_conn *first = fake_syn(), *second = fake_syn();
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 2);
    until(first, first->refused);
    braid_time took = monotonic() - begin;
    until(second, second->refused);
    ck_assert_int_eq(first->refusal, BRAID_REFUSE_UNREACHABLE);
    ck_assert_int_ge(took, CONNECT_TIMEOUT - 2 * BRAID_MS);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 2);
    finish(first, -1);
    finish(second, -1);
    for (unsigned i = 0; i < 8; i++)
        close(fillers[i]);
}
END_TEST

START_TEST(a_client_that_gives_up_first_frees_the_server)
{
    struct braid_conn *c = fake_syn();
    fake_close(c, BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 1);
    finish(c, -1);
}
END_TEST

START_TEST(a_client_that_goes_before_it_was_announced_is_nobodys)
{
    struct braid_conn *c = fake_conn();
    fake_close(c, BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
    finish(c, -1);
}
END_TEST

START_TEST(a_greeting_is_read_only_for_an_established_client)
{
    struct braid_conn *c = fake_syn();
    c->client_ready = false;
    until(c, c->accepted);
    int server = server_accept();
    ck_assert_int_eq(send(server, "220 hello", 9, 0), 9);
    settle(c);
    ck_assert_uint_eq(c->down_len, 0);
    c->client_ready = true;
    until(c, c->down_len == 9);
    ck_assert_mem_eq(c->down, "220 hello", 9);
    finish(c, server);
}
END_TEST

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

/* ---- the client is answered first -------------------------------------------------------------- */

/* A server that answers no SYN: it has no room for connections. The sockets fill it. */
#define FILLERS 8

static void server_falls_silent(int fillers[FILLERS])
{
    bool done;
    close(listener);
    listener = server_listen(AF_INET, 0);
    retarget();
    for (unsigned i = 0; i < FILLERS; i++)
        fillers[i] = upstream_connect(&target, NULL, &done);
}

static void server_has_time(int fillers[FILLERS])
{
    for (unsigned i = 0; i < FILLERS; i++)
        close(fillers[i]);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
        close(fd);
}

/* A client of a silent server, answered because it has waited for long. */
static struct braid_conn *answered_early(int fillers[FILLERS], braid_time connect_timeout)
{
    params.patience = 50 * BRAID_MS;
    params.connect_timeout = connect_timeout;
    server_falls_silent(fillers);
    braid_time begin = monotonic();
    struct braid_conn *c = fake_syn();
    until(c, c->accepted);
    ck_assert_int_ge(monotonic() - begin, params.patience - 2 * BRAID_MS);
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 1);
    return c;
}

/* What the client says meanwhile, and that it has ended, waits for the server. */
START_TEST(a_slow_server_does_not_keep_its_client_waiting)
{
    char text[16];
    int fillers[FILLERS];
    struct braid_conn *c = answered_early(fillers, 20 * BRAID_SECOND);
    until(c, c->established_told);
    client_sends(c, "early", 5);
    c->up_end = _i;
    fake_flush(c);
    ck_assert_uint_eq(c->up_taken, 0);
    server_has_time(fillers);
    until(c, edges_counters(edges, 0)->connecting == 0); /* the kernel's SYN is due again after a second */
    int server = server_accept();
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 5);
    if (_i)
        ck_assert_int_eq(receive(c, server, text, sizeof(text)), 0);
    ck_assert_int_eq(send(server, "reply", 5, 0), 5);
    until(c, c->down_len == 5);
    finish(c, server);
}
END_TEST

START_TEST(a_client_that_was_answered_first_is_reset_if_the_server_never_comes)
{
    int fillers[FILLERS];
    struct braid_conn *c = answered_early(fillers, CONNECT_TIMEOUT);
    c->client_ready = _i;
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
    finish(c, -1);
    server_has_time(fillers);
}
END_TEST

START_TEST(a_client_that_aborts_before_the_server_came_leaves_nothing)
{
    int fillers[FILLERS];
    struct braid_conn *c = answered_early(fillers, 20 * BRAID_SECOND);
    until(c, c->established_told);
    client_sends(c, "early", 5);
    fake_close(c, BRAID_CLOSE_RESET);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 1);
    finish(c, -1);
    bool drained = false;
    node_drain(node, set_flag, &drained);
    ck_assert(drained);
    server_has_time(fillers);
}
END_TEST

/* ---- clients that may not exist ---------------------------------------------------------------- */

static struct braid_conn *silent_syn(const char *client)
{
    struct braid_conn *c = fake_conn();
    c->client_ready = false;
    ck_assert_int_eq(addr_parse(client, &c->remote), 0);
    c->ops->incoming(fake_listener->params.ctx, c);
    return c;
}

/* One client more than may have a server before they completed their handshakes. */
static struct braid_conn *one_too_many(struct braid_conn *others[2], bool of_one_network)
{
    node_free(node);
    limits = of_one_network ? (struct unproven_limits){.all = 1000, .per_source = 2}
                            : (struct unproven_limits){.all = 2, .per_source = 1000};
    make_edges();
    for (unsigned i = 0; i < 2; i++) {
        others[i] = silent_syn(i ? "192.0.2.1:1000" : "192.0.2.2:1000");
        until(others[i], others[i]->accepted);
        close(server_accept());
    }
    struct braid_conn *c = silent_syn(of_one_network ? "192.0.2.3:1000" : "198.51.100.1:1000");
    ck_assert(c->accepted);
    settle(c);
    ck_assert_int_eq(accept(listener, NULL, NULL), -1); /* nobody asked the server */
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 1);
    return c;
}

static void others_give_up(struct braid_conn *others[2])
{
    for (unsigned i = 0; i < 2; i++) {
        fake_close(others[i], BRAID_CLOSE_REFUSED);
        fake_conn_free(others[i]);
    }
}

START_TEST(beyond_the_limit_the_server_is_asked_once_the_client_has_proven_itself)
{
    char text[16];
    struct braid_conn *others[2], *c = one_too_many(others, _i);
    memcpy(c->up, "early", 5);
    c->up_arrived = 5;
    c->client_ready = true;
    until(c, edges_counters(edges, 0)->connecting == 0);
    int server = server_accept();
    until(c, recv(server, text, sizeof(text), 0) == 5);
    ck_assert_int_eq(send(server, "reply", 5, 0), 5);
    until(c, c->down_len == 5);
    others_give_up(others);
    finish(c, server);
    struct braid_conn *next = silent_syn("192.0.2.4:1000"); /* there is room: the server comes first again */
    ck_assert(!next->accepted);
    until(next, next->accepted);
    ck_assert_int_ge(server = server_accept(), 0);
    finish(next, server);
}
END_TEST

START_TEST(another_network_has_room_of_its_own)
{
    struct braid_conn *others[2], *c = one_too_many(others, true);
    struct braid_conn *far = silent_syn("198.51.100.1:1000");
    ck_assert(!far->accepted);
    until(far, far->accepted);
    close(server_accept());
    others_give_up(others);
    fake_close(c, BRAID_CLOSE_REFUSED);
    fake_conn_free(c);
    finish(far, -1);
}
END_TEST

START_TEST(clients_that_proved_themselves_make_room)
{
    struct braid_conn *others[2], *c = one_too_many(others, false);
    others[0]->client_ready = true;
    until(others[0], others[0]->established_told);
    struct braid_conn *next = silent_syn("203.0.113.1:1000");
    ck_assert(!next->accepted);
    until(next, next->accepted);
    close(server_accept());
    others_give_up(others);
    fake_close(c, BRAID_CLOSE_REFUSED);
    fake_conn_free(c);
    finish(next, -1);
}
END_TEST

START_TEST(beyond_the_limit_a_server_that_refuses_resets_the_client)
{
    struct braid_conn *others[2], *c = one_too_many(others, false);
    close(listener);
    c->client_ready = true;
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(counted(EDGE_REFUSED), 1);
    listener = server_listen(AF_INET, 1);
    others_give_up(others);
    finish(c, -1);
}
END_TEST

/* ---- servers with several addresses, or none ----------------------------------------------------- */

START_TEST(a_server_without_a_known_address_is_unreachable)
{
    struct targets none = {.n = 0};
    edges_set_target(edges, 0, 0, &none);
    struct braid_conn *c = fake_syn();
    ck_assert(c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_UNREACHABLE);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    finish(c, -1);
    retarget();
    c = fake_syn();
    until(c, c->accepted);
    finish(c, server_accept());
}
END_TEST

START_TEST(the_address_that_answered_is_asked_first_next_time)
{
    struct targets two = {.addr = {target, target}, .n = 2};
    close(listener); /* the first address refuses */
    listener = server_listen(AF_INET, 16);
    two.addr[1] = target;
    edges_set_target(edges, 0, 0, &two);
    struct braid_addr told;
    for (unsigned i = 0; i < 2; i++) {
        struct braid_conn *c = fake_syn();
        ck_assert(server_of(c, &told)); /* that is being asked */
        until(c, c->accepted);
        ck_assert(i == 0 || addr_equal(&told, &target));
        ck_assert(server_of(c, &told));
        ck_assert(addr_equal(&told, &target));
        finish(c, server_accept());
    }
    ck_assert_uint_eq(counted(EDGE_REFUSED), 0);
}
END_TEST

/* ---- what is said of it --------------------------------------------------------------------------- */

START_TEST(a_failure_is_said_once_in_a_while_with_a_count)
{
    struct complaint c = {0};
    unsigned unsaid = 99;
    ck_assert(complaint_due(&c, 1000, &unsaid));
    ck_assert_uint_eq(unsaid, 0);
    for (unsigned i = 0; i < 5; i++)
        ck_assert(!complaint_due(&c, 1000 + i * COMPLAINT_PERIOD / 5, &unsaid));
    ck_assert(complaint_due(&c, 1000 + COMPLAINT_PERIOD, &unsaid));
    ck_assert_uint_eq(unsaid, 5);
    ck_assert(!complaint_due(&c, 1001 + COMPLAINT_PERIOD, &unsaid));
    ck_assert(complaint_due(&c, 5000 + 3 * COMPLAINT_PERIOD, &unsaid));
    ck_assert_uint_eq(unsaid, 1);
}
END_TEST

/* ---- draining and ending --------------------------------------------------------------------- */

START_TEST(draining_ends_with_the_last_connection)
{
    bool drained = false;
    int server;
    struct braid_conn *c = connected(&server);
    node_drain(node, set_flag, &drained);
    ck_assert_ptr_null(fake_listener);
    settle(c);
    ck_assert(!drained);
    fake_close(c, BRAID_CLOSE_DONE);
    ck_assert(drained);
    finish(c, server);
}
END_TEST

START_TEST(draining_without_connections_ends_at_once)
{
    bool drained = false;
    node_drain(node, set_flag, &drained);
    ck_assert(drained);
}
END_TEST

START_TEST(freeing_resets_servers_and_releases_clients)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    node_free(node);
    ck_assert(c->released);
    ck_assert_int_eq(recv(server, text, sizeof(text), 0), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(server);
    fake_conn_free(c);
    new_edges();
}
END_TEST

/* ---- transparent ----------------------------------------------------------------------------- */

static void transparent_edges(bool client_source)
{
    node_free(node);
    params = (struct edge_params){.name = "test",
                                  .kind = EDGE_TRANSPARENT,
                                  .client_source = client_source,
                                  .port_first = 80,
                                  .port_last = 90,
                                  REACH_LOOPBACK,
                                  .connect_timeout = CONNECT_TIMEOUT};
    make_edges();
}

static struct braid_conn *syn_to_target(const char *client)
{
    struct braid_conn *c = fake_conn();
    c->local = target;
    ck_assert_int_eq(addr_parse(client, &c->remote), 0);
    c->ops->incoming(fake_listener->params.ctx, c);
    until(c, c->accepted || c->refused);
    return c;
}

START_TEST(a_transparent_edge_connects_to_the_server_that_the_client_meant)
{
    transparent_edges(false);
    ck_assert_uint_eq(fake_listeners, 2);
    ck_assert_uint_eq(fake_listener->params.addr.port, 0);
    ck_assert_uint_eq(fake_listener->params.port_first, 80);
    ck_assert_uint_eq(fake_listener->params.port_last, 90);
    struct braid_conn *c = syn_to_target("192.0.2.5:40000");
    ck_assert(c->accepted);
    int server = server_accept();
    struct braid_addr told;
    ck_assert(server_of(c, &told));
    ck_assert(addr_equal(&told, &target));
    finish(c, server);
    bool drained = false;
    node_drain(node, set_flag, &drained);
    ck_assert(drained && fake_listeners == 0);
}
END_TEST

/* Nobody has named the loopback address, and the server's own machine asks. */
START_TEST(a_server_that_the_edge_must_not_reach_is_unreachable)
{
    transparent_edges(false);
    params.n_reach = 0;
    struct braid_conn *c = syn_to_target("192.0.2.9:40000");
    ck_assert(c->refused && c->refusal == BRAID_REFUSE_UNREACHABLE);
    ck_assert_uint_eq(edges_counters(edges, 0)->v[EDGE_FORBIDDEN], 1);
    finish(c, -1);
}
END_TEST

/* One of several. */
static void finish_one(struct braid_conn *c, int server)
{
    fake_close(c, BRAID_CLOSE_DONE);
    close(server);
    fake_conn_free(c);
}

static struct braid_addr peer_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct braid_addr a;
    ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &a), 0);
    return a;
}

static void expect_peer(int fd, const char *expected)
{
    char text[ADDR_TEXT];
    struct braid_addr a = peer_of(fd);
    ck_assert_str_eq(addr_text(&a, text), expected);
}

/* The port is from the lower half, and free. */
START_TEST(the_server_sees_the_clients_address)
{
    if (upstream_check_source() < 0) {
        printf("test_relay: the client's address: skipped, needs CAP_NET_ADMIN\n");
        return;
    }
    transparent_edges(true);
    struct braid_conn *c = syn_to_target("127.0.0.9:40000"), *d = syn_to_target("127.0.0.9:40003");
    int first = server_accept(), second = server_accept();
    expect_peer(first, "127.0.0.9:7232");
    expect_peer(second, "127.0.0.9:7235");
    struct braid_conn *again = syn_to_target("127.0.0.9:40000");
    int third = server_accept();
    struct braid_addr a = peer_of(first), b = peer_of(third);
    ck_assert(ip_equal(&a.ip, &b.ip) && a.port != b.port && b.port < 32768);
    finish_one(c, first);
    finish_one(d, second);
    finish(again, third);
}
END_TEST

START_TEST(the_server_sees_the_clients_ipv6_address)
{
    if (upstream_check_source() < 0)
        return;
    transparent_edges(true);
    close(listener);
    listener = server_listen(AF_INET6, 16);
    struct braid_conn *c = syn_to_target("[::1]:40000");
    ck_assert(c->accepted);
    int server = server_accept();
    expect_peer(server, "[::1]:7232");
    finish(c, server);
}
END_TEST

/* The same client has a connection of the core's from the port that would be the first choice. */
START_TEST(a_port_that_the_client_uses_itself_is_not_taken)
{
    static const char *const clients[] = {"127.0.0.9:40000", "127.0.0.9:7232",  "127.0.0.9:1024",
                                          "127.0.0.9:32768", "127.0.0.9:65535", "127.0.0.9:1"};
    if (upstream_check_source() < 0)
        return;
    transparent_edges(true);
    ck_assert_int_eq(addr_parse("127.0.0.9:7232", &fake_known), 0);
    for (unsigned i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        struct braid_addr client;
        ck_assert_int_eq(addr_parse(clients[i], &client), 0);
        struct braid_conn *c = syn_to_target(clients[i]);
        int server = server_accept();
        struct braid_addr seen = peer_of(server);
        ck_assert(ip_equal(&seen.ip, &client.ip) && seen.port >= 1024 && seen.port < 32768);
        ck_assert(seen.port != client.port && !addr_equal(&seen, &fake_known));
        finish_one(c, server);
    }
    memset(&fake_known, 0, sizeof(fake_known));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("relay");
    TCase *t = new_case(s, "opening");
    tcase_add_test(t, the_client_is_answered_once_the_server_has_answered);
    tcase_add_test(t, an_ipv6_server_is_reached);
    tcase_add_test(t, a_refusing_server_becomes_a_reset);
    tcase_add_test(t, a_silent_server_becomes_unreachable_after_the_timeout);
    tcase_add_test(t, a_client_that_gives_up_first_frees_the_server);
    tcase_add_loop_test(t, a_slow_server_does_not_keep_its_client_waiting, 0, 2);
    tcase_add_loop_test(t, a_client_that_was_answered_first_is_reset_if_the_server_never_comes, 0, 2);
    tcase_add_test(t, a_client_that_aborts_before_the_server_came_leaves_nothing);
    tcase_add_loop_test(t, beyond_the_limit_the_server_is_asked_once_the_client_has_proven_itself, 0, 2);
    tcase_add_test(t, another_network_has_room_of_its_own);
    tcase_add_test(t, clients_that_proved_themselves_make_room);
    tcase_add_test(t, beyond_the_limit_a_server_that_refuses_resets_the_client);
    tcase_add_test(t, a_server_without_a_known_address_is_unreachable);
    tcase_add_test(t, the_address_that_answered_is_asked_first_next_time);
    tcase_add_test(t, a_failure_is_said_once_in_a_while_with_a_count);
    tcase_add_test(t, a_client_that_goes_before_it_was_announced_is_nobodys);
    tcase_add_test(t, a_greeting_is_read_only_for_an_established_client);
    t = new_case(s, "ending");
    tcase_add_test(t, draining_ends_with_the_last_connection);
    tcase_add_test(t, draining_without_connections_ends_at_once);
    tcase_add_test(t, freeing_resets_servers_and_releases_clients);
    t = new_case(s, "transparent");
    tcase_add_test(t, a_transparent_edge_connects_to_the_server_that_the_client_meant);
    tcase_add_test(t, a_server_that_the_edge_must_not_reach_is_unreachable);
    tcase_add_test(t, the_server_sees_the_clients_address);
    tcase_add_test(t, the_server_sees_the_clients_ipv6_address);
    tcase_add_test(t, a_port_that_the_client_uses_itself_is_not_taken);
    t = new_case(s, "in another namespace"); /* last: without CK_FORK, nothing else works any more */
    tcase_add_test(t, an_unreachable_server_becomes_unreachable);
    return run_suite(s);
}
