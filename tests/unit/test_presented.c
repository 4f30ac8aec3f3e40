/* relay: a balancer in front says whose a connection is (src/role/presented.c, opening.c). */
#include "relay_harness.h"
#include "wire/proxy_protocol.h"

#define HEADER "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"

static struct braid_addr address(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

static struct reach_rule prefix(const char *ip, uint8_t bits)
{
    struct reach_rule r = {.bits = bits, .allow = true};
    ck_assert_int_eq(ip_parse(ip, &r.prefix), 0);
    return r;
}

/* 10.0.0.0/8 is balancers'. */
static struct braid_conn *syn_from(const char *peer)
{
    struct braid_conn *c = fake_conn();
    params.balancers[0] = prefix("10.0.0.0", 104);
    params.n_balancers = 1;
    c->remote = address(peer);
    c->local = address("203.0.113.1:8080");
    c->ops->incoming(fake_listener->params.ctx, c);
    return c;
}

static struct braid_conn *balancer(void)
{
    struct braid_conn *c = syn_from("10.0.0.5:40000");
    ck_assert_msg(c->accepted, "the header comes behind the handshake");
    until(c, c->established_told);
    return c;
}

static bool nobody_was_asked(struct braid_conn *c)
{
    settle(c);
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK) < 0;
}

static int asked(struct braid_conn *c)
{
    int server;
    until(c, (server = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    return server;
}

static void expect_client(const struct braid_conn *c, const char *client)
{
    const struct braid_addr a = address(client);
    struct relayed told;
    ck_assert(node_tell(node, c, &told));
    ck_assert(addr_equal(&told.client, &a));
}

static void expect_dismissed(struct braid_conn *c, enum edge_counter why)
{
    until(c, c->closed_told);
    ck_assert(c->aborted);
    ck_assert_uint_eq(counted(why), 1);
    ck_assert(nobody_was_asked(c));
    finish(c, -1);
}

START_TEST(the_server_is_asked_when_the_header_is_here)
{
    char bytes[100];
    struct braid_conn *c = balancer();
    ck_assert(nobody_was_asked(c));
    expect_client(c, "10.0.0.5:40000");
    client_sends(c, HEADER "hello", strlen(HEADER) + 5);
    int server = asked(c);
    expect_client(c, "192.0.2.7:4711");
    ck_assert_int_eq(receive(c, server, bytes, sizeof(bytes)), 5);
    ck_assert_mem_eq(bytes, "hello", 5);
    finish(c, server);
}
END_TEST

START_TEST(a_header_may_come_byte_by_byte)
{
    struct braid_conn *c = balancer();
    for (size_t i = 0; i < strlen(HEADER); i++) {
        ck_assert(!c->aborted && c->up_taken == 0);
        client_sends(c, &HEADER[i], 1);
    }
    int server = asked(c);
    expect_client(c, "192.0.2.7:4711");
    finish(c, server);
}
END_TEST

START_TEST(it_is_handed_on_to_the_server)
{
    char bytes[200];
    params.proxy_protocol = PROXY_V1;
    struct braid_conn *c = balancer();
    client_sends(c, HEADER, strlen(HEADER));
    int server = asked(c);
    ssize_t n = receive(c, server, bytes, sizeof(bytes));
    ck_assert_int_eq(n, strlen(HEADER));
    ck_assert_mem_eq(bytes, HEADER, strlen(HEADER));
    finish(c, server);
}
END_TEST

START_TEST(others_need_none)
{
    struct braid_conn *c = syn_from("11.0.0.5:40000");
    until(c, c->established_told);
    int server = asked(c);
    finish(c, server);
}
END_TEST

START_TEST(a_header_of_nobody_is_about_the_balancer)
{
    struct braid_conn *c = balancer();
    client_sends(c, "PROXY UNKNOWN\r\n", 15);
    int server = asked(c);
    expect_client(c, "10.0.0.5:40000");
    finish(c, server);
}
END_TEST

START_TEST(what_is_no_header_ends_the_connection)
{
    struct braid_conn *c = balancer();
    client_sends(c, "GET / HTTP/1.1\r\n", 16);
    expect_dismissed(c, EDGE_MALFORMED);
}
END_TEST

START_TEST(a_header_that_does_not_come_ends_it_too)
{
    params.header_patience = 50 * BRAID_MS;
    struct braid_conn *c = balancer();
    client_sends(c, HEADER, 10);
    c->up_end = true;
    expect_dismissed(c, EDGE_OVERDUE);
}
END_TEST

START_TEST(a_balancer_that_only_looks_is_let_go)
{
    struct braid_conn *c = balancer();
    c->up_end = true;
    until(c, c->closed_told);
    ck_assert_uint_eq(counted(EDGE_MALFORMED) + counted(EDGE_OVERDUE), 0);
    ck_assert(nobody_was_asked(c));
    finish(c, -1);
}
END_TEST

/* As if the clients came by themselves; the balancer itself need not be allowed. */
START_TEST(the_clients_address_decides_whether_it_is_served)
{
    params.access.allow[0] = prefix("192.0.2.0", 120);
    params.access.n_allow = 1;
    struct braid_conn *c = balancer();
    client_sends(c, HEADER, strlen(HEADER));
    finish(c, asked(c));
    c = balancer();
    client_sends(c, "PROXY TCP4 192.0.3.7 198.51.100.1 4711 80\r\n", strlen(HEADER));
    expect_dismissed(c, EDGE_DENIED);
}
END_TEST

START_TEST(a_header_whose_server_is_not_there_ends_the_connection)
{
    struct targets none = {.n = 0};
    struct braid_conn *c = balancer();
    edges_set_target(edges, 0, 0, &none);
    client_sends(c, HEADER, strlen(HEADER));
    until(c, c->closed_told);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    finish(c, -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("presented");
    TCase *t = new_case(s, "presented");
    tcase_add_test(t, the_server_is_asked_when_the_header_is_here);
    tcase_add_test(t, a_header_may_come_byte_by_byte);
    tcase_add_test(t, it_is_handed_on_to_the_server);
    tcase_add_test(t, others_need_none);
    tcase_add_test(t, a_header_of_nobody_is_about_the_balancer);
    tcase_add_test(t, what_is_no_header_ends_the_connection);
    tcase_add_test(t, a_header_that_does_not_come_ends_it_too);
    tcase_add_test(t, a_balancer_that_only_looks_is_let_go);
    tcase_add_test(t, the_clients_address_decides_whether_it_is_served);
    tcase_add_test(t, a_header_whose_server_is_not_there_ends_the_connection);
    return run_suite(s);
}
