/* relay: opening and ending, between a scripted core and a real server on loopback. */
#include "relay_harness.h"

/* ---- opening --------------------------------------------------------------------------------- */

START_TEST(the_client_is_answered_once_the_server_has_answered)
{
    struct braid_conn *c = fake_syn();
    until(c, c->accepted);
    int server = server_accept();
    struct braid_addr told;
    ck_assert_int_eq(edges_server(edges, c, &told), 0);
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
    edges_set_target(edges, 0, &target);
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
    edges_set_target(edges, 0, &target);
    int fillers[8];
    bool done;
    for (unsigned i = 0; i < 8; i++)
        fillers[i] = upstream_connect(&target, NULL, &done);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    struct braid_conn *first = fake_syn(), *second = fake_syn();
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 2);
    until(first, first->refused);
    clock_gettime(CLOCK_MONOTONIC, &end);
    until(second, second->refused);
    ck_assert_int_eq(first->refusal, BRAID_REFUSE_UNREACHABLE);
    int64_t took = (end.tv_sec - begin.tv_sec) * BRAID_SECOND + (end.tv_nsec - begin.tv_nsec) / 1000;
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

/* One client more than may have a server before they completed their handshakes. */
static struct braid_conn *one_too_many(struct braid_conn *others[2])
{
    params.unproven_max = 2;
    for (unsigned i = 0; i < 2; i++) {
        others[i] = fake_syn();
        others[i]->client_ready = false;
        until(others[i], others[i]->accepted);
        close(server_accept());
    }
    struct braid_conn *c = fake_syn();
    c->client_ready = false;
    ck_assert(c->accepted);
    settle(c);
    ck_assert_int_eq(accept(listener, NULL, NULL), -1); /* nobody asked the server */
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 1);
    return c;
}

START_TEST(in_a_flood_the_server_is_asked_once_the_client_has_proved_itself)
{
    char text[16];
    struct braid_conn *others[2], *c = one_too_many(others);
    memcpy(c->up, "early", 5);
    c->up_arrived = 5;
    c->client_ready = true;
    until(c, edges_counters(edges, 0)->connecting == 0);
    int server = server_accept();
    until(c, recv(server, text, sizeof(text), 0) == 5);
    ck_assert_int_eq(send(server, "reply", 5, 0), 5);
    until(c, c->down_len == 5);
    fake_close(others[0], BRAID_CLOSE_REFUSED);
    fake_close(others[1], BRAID_CLOSE_REFUSED);
    finish(c, server);
    struct braid_conn *next = fake_syn(); /* the flood is over: the server comes first again */
    until(next, next->accepted);
    ck_assert_int_ge(server = server_accept(), 0);
    finish(next, server);
    fake_conn_free(others[0]);
    fake_conn_free(others[1]);
}
END_TEST

START_TEST(in_a_flood_a_server_that_refuses_aborts_the_client)
{
    struct braid_conn *others[2], *c = one_too_many(others);
    close(listener);
    c->client_ready = true;
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(counted(EDGE_REFUSED), 1);
    listener = server_listen(AF_INET, 1);
    fake_close(others[0], BRAID_CLOSE_REFUSED);
    fake_close(others[1], BRAID_CLOSE_REFUSED);
    finish(c, -1);
    fake_conn_free(others[0]);
    fake_conn_free(others[1]);
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

/* ---- draining and ending --------------------------------------------------------------------- */

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

START_TEST(draining_ends_with_the_last_connection)
{
    bool drained = false;
    int server;
    struct braid_conn *c = connected(&server);
    edges_drain(edges, set_flag, &drained);
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
    edges_drain(edges, set_flag, &drained);
    ck_assert(drained);
}
END_TEST

START_TEST(freeing_resets_servers_and_releases_clients)
{
    char text[16];
    int server;
    struct braid_conn *c = connected(&server);
    edges_free(edges);
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
    static struct braid_addr none;
    edges_free(edges);
    params = (struct edge_params){.name = "test",
                                  .transparent = true,
                                  .client_source = client_source,
                                  .port_first = 80,
                                  .port_last = 90,
                                  .connect_timeout = CONNECT_TIMEOUT};
    edges = edges_new(NULL, base, &params, &none, 1);
    ck_assert_ptr_nonnull(edges);
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
    ck_assert_int_eq(edges_server(edges, c, &told), 0);
    ck_assert(addr_equal(&told, &target));
    finish(c, server);
    bool drained = false;
    edges_drain(edges, set_flag, &drained);
    ck_assert(drained && fake_listeners == 0);
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
    ck_assert_int_eq(upstream_addr((struct sockaddr *)&sa, &a), 0);
    return a;
}

static void expect_peer(int fd, const char *expected)
{
    char text[ADDR_TEXT];
    struct braid_addr a = peer_of(fd);
    ck_assert_str_eq(addr_text(&a, text), expected);
}

/* The port is the one beside the client's, or any if that is taken. */
START_TEST(the_server_sees_the_clients_address)
{
    if (upstream_check_source() < 0) {
        printf("test_relay: the client's address: skipped, needs CAP_NET_ADMIN\n");
        return;
    }
    transparent_edges(true);
    struct braid_conn *c = syn_to_target("127.0.0.9:40000"), *d = syn_to_target("127.0.0.9:40003");
    int first = server_accept(), second = server_accept();
    expect_peer(first, "127.0.0.9:40001");
    expect_peer(second, "127.0.0.9:40002");
    struct braid_conn *again = syn_to_target("127.0.0.9:40000");
    int third = server_accept();
    struct braid_addr a = peer_of(first), b = peer_of(third);
    ck_assert(ip_equal(&a.ip, &b.ip) && a.port != b.port);
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
    expect_peer(server, "[::1]:40001");
    finish(c, server);
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
    tcase_add_test(t, in_a_flood_the_server_is_asked_once_the_client_has_proved_itself);
    tcase_add_test(t, in_a_flood_a_server_that_refuses_aborts_the_client);
    tcase_add_test(t, a_client_that_goes_before_it_was_announced_is_nobodys);
    tcase_add_test(t, a_greeting_is_read_only_for_an_established_client);
    t = new_case(s, "ending");
    tcase_add_test(t, draining_ends_with_the_last_connection);
    tcase_add_test(t, draining_without_connections_ends_at_once);
    tcase_add_test(t, freeing_resets_servers_and_releases_clients);
    t = new_case(s, "transparent");
    tcase_add_test(t, a_transparent_edge_connects_to_the_server_that_the_client_meant);
    tcase_add_test(t, the_server_sees_the_clients_address);
    tcase_add_test(t, the_server_sees_the_clients_ipv6_address);
    t = new_case(s, "in another namespace"); /* last: without CK_FORK, nothing else works any more */
    tcase_add_test(t, an_unreachable_server_becomes_unreachable);
    return run_suite(s);
}
