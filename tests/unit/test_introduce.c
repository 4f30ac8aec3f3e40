/* relay: what a server hears first of its client by the PROXY protocol (src/role/introduce.c). */
#include "relay_harness.h"
#include "wire/proxy_protocol.h"

static struct braid_addr address(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

static struct braid_conn *client(void)
{
    struct braid_conn *c = fake_conn();
    c->remote = address("192.0.2.7:4711");
    c->local = address("198.51.100.1:80");
    return c;
}

/* Its SYN comes, and the server answers. */
static int serve(struct braid_conn *c)
{
    c->ops->incoming(fake_listener->params.ctx, c);
    until(c, c->established_told);
    return server_accept();
}

static size_t hear(struct braid_conn *c, int server, uint8_t *out, size_t room)
{
    ssize_t n = receive(c, server, out, room);
    ck_assert_int_gt(n, 0);
    return (size_t)n;
}

static void expect_text(const struct proxy_header *h, uint8_t type, const char *text)
{
    size_t n;
    const uint8_t *value = proxy_tlv(h, type, &n);
    ck_assert_ptr_nonnull(value);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_mem_eq(value, text, n);
}

static void expect_header(const uint8_t *bytes, size_t n, struct proxy_header *h)
{
    const struct braid_addr from = address("192.0.2.7:4711"), to = address("198.51.100.1:80");
    ck_assert_int_eq(proxy_parse(bytes, n, h), PROXY_COMPLETE);
    ck_assert(h->has_addresses && addr_equal(&h->source, &from) && addr_equal(&h->destination, &to));
}

START_TEST(a_line_comes_before_anybody_speaks_and_once)
{
    static const char line[] = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n";
    uint8_t bytes[200];
    params.proxy_protocol = PROXY_V1;
    struct braid_conn *c = client();
    int server = serve(c);
    size_t n = hear(c, server, bytes, sizeof(bytes));
    ck_assert_uint_eq(n, sizeof(line) - 1);
    ck_assert_mem_eq(bytes, line, n);
    client_sends(c, "hello", 5);
    n = hear(c, server, bytes, sizeof(bytes));
    ck_assert_uint_eq(n, 5);
    ck_assert_mem_eq(bytes, "hello", 5);
    finish(c, server);
}
END_TEST

/* It came with the SYN, or while the server was asked. */
START_TEST(it_comes_before_what_the_client_has_sent_already)
{
    uint8_t bytes[PROXY_WRITE_MAX];
    struct proxy_header h;
    params.proxy_protocol = PROXY_V2;
    struct braid_conn *c = client();
    client_sends(c, "early", 5);
    int server = serve(c);
    size_t n = 0;
    do {
        n += hear(c, server, bytes + n, sizeof(bytes) - n);
    } while (n < 5 || memcmp(bytes + n - 5, "early", 5) != 0);
    expect_header(bytes, n, &h);
    ck_assert_uint_eq(h.len, n - 5);
    finish(c, server);
}
END_TEST

START_TEST(without_the_key_there_is_none)
{
    uint8_t bytes[100];
    struct braid_conn *c = client();
    int server = serve(c);
    client_sends(c, "hello", 5);
    ck_assert_uint_eq(hear(c, server, bytes, sizeof(bytes)), 5);
    finish(c, server);
}
END_TEST

START_TEST(plain_tcp_has_no_subflows)
{
    uint8_t bytes[PROXY_WRITE_MAX];
    struct proxy_header h;
    size_t n;
    params.proxy_protocol = PROXY_V2;
    struct braid_conn *c = client();
    int server = serve(c);
    expect_header(bytes, hear(c, server, bytes, sizeof(bytes)), &h);
    ck_assert(!proxy_tlv(&h, 0xe0, &n) && !proxy_tlv(&h, 0xe1, &n));
    finish(c, server);
}
END_TEST

START_TEST(subflows_are_counted_and_named)
{
    uint8_t bytes[PROXY_WRITE_MAX];
    struct proxy_header h;
    params.proxy_protocol = PROXY_V2;
    struct braid_conn *c = client();
    c->mptcp = true;
    c->flows[0].remote = c->remote;
    c->flows[1].remote = address("[2001:db8::7]:41186");
    c->n_flows = 2;
    int server = serve(c);
    expect_header(bytes, hear(c, server, bytes, sizeof(bytes)), &h);
    expect_text(&h, 0xe0, "2");
    expect_text(&h, 0xe1, "192.0.2.7:4711,[2001:db8::7]:41186");
    finish(c, server);
}
END_TEST

START_TEST(the_first_one_counts_before_its_handshake_is_complete)
{
    uint8_t bytes[PROXY_WRITE_MAX];
    struct proxy_header h;
    params.proxy_protocol = PROXY_V2;
    struct braid_conn *c = client();
    c->mptcp = true;
    int server = serve(c);
    expect_header(bytes, hear(c, server, bytes, sizeof(bytes)), &h);
    expect_text(&h, 0xe0, "1");
    expect_text(&h, 0xe1, "192.0.2.7:4711");
    finish(c, server);
}
END_TEST

/* Whole ones only. */
START_TEST(as_many_addresses_are_named_as_a_header_holds)
{
    static const char longest[] = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535";
    uint8_t bytes[PROXY_WRITE_MAX];
    struct proxy_header h;
    size_t n;
    params.proxy_protocol = PROXY_V2;
    struct braid_conn *c = client();
    c->mptcp = true;
    c->n_flows = 16;
    for (unsigned i = 0; i < 16; i++)
        c->flows[i].remote = address(longest);
    int server = serve(c);
    expect_header(bytes, hear(c, server, bytes, sizeof(bytes)), &h);
    expect_text(&h, 0xe0, "16");
    ck_assert_ptr_nonnull(proxy_tlv(&h, 0xe1, &n));
    ck_assert_uint_eq((n + 1) % sizeof(longest), 0); /* with its comma, or without at the end */
    ck_assert_uint_gt(n + sizeof(longest), PROXY_WRITE_MAX - 60);
    finish(c, server);
}
END_TEST

/* The edge's first target refuses. */
START_TEST(another_target_hears_it_instead)
{
    uint8_t bytes[200];
    int deaf = listening("127.0.0.1:0", 1, &target);
    ck_assert_int_eq(shutdown(deaf, SHUT_RDWR), 0); /* it listens no more, and nobody else has its port */
    struct targets both = {.addr = {target}, .n = 2};
    socklen_t len = sizeof(struct sockaddr_storage);
    struct sockaddr_storage sa;
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &both.addr[1]), 0);
    params.proxy_protocol = PROXY_V1;
    edges_set_target(edges, 0, 0, &both);
    struct braid_conn *c = client();
    int server = serve(c);
    size_t n = hear(c, server, bytes, sizeof(bytes));
    struct proxy_header h;
    expect_header(bytes, n, &h);
    ck_assert_uint_eq(h.len, n);
    close(deaf);
    finish(c, server);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("introduce");
    TCase *t = new_case(s, "introduce");
    tcase_add_test(t, a_line_comes_before_anybody_speaks_and_once);
    tcase_add_test(t, it_comes_before_what_the_client_has_sent_already);
    tcase_add_test(t, without_the_key_there_is_none);
    tcase_add_test(t, plain_tcp_has_no_subflows);
    tcase_add_test(t, subflows_are_counted_and_named);
    tcase_add_test(t, the_first_one_counts_before_its_handshake_is_complete);
    tcase_add_test(t, as_many_addresses_are_named_as_a_header_holds);
    tcase_add_test(t, another_target_hears_it_instead);
    return run_suite(s);
}
