/* relay: what the program that listens behind an edge has said of its clients (src/role/edge_services.c), and
 * which of them it asks about. */
#include "relay_harness.h"
#include "io/sockaddr.h"
#include "role/edge_client.h"
#include "role/services.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

static const struct sched_ops one_path = {.name = "one"};
static const struct cc_ops gentle = {.name = "gentle"};
static struct profile interactive = {.name = "interactive", .sched = &one_path, .cc = &gentle};

static void edge_of(enum edge_kind kind)
{
    node_free(node);
    params = (struct edge_params){
        .name = "test", .kind = kind, .port_first = 1, .port_last = 65535, REACH_LOOPBACK};
    if (kind == EDGE_EXPLICIT)
        params.pool =
            (struct pool_params){.targets = {{.host = (char *)"server.example", .weight = 1}}, .n = 1};
    make_edges();
    node->services = services_new();
    ck_assert_ptr_nonnull(node->services);
}

/* The server says this of its socket. */
static void say(const struct service_wish *wish)
{
    struct service_news n = {.at = target, .user = 1000, .wish = *wish};
    socklen_t len = sizeof(n.cookie);
    ck_assert_int_eq(getsockopt(listener, SOL_SOCKET, SO_COOKIE, &n.cookie, &len), 0);
    ck_assert_uint_eq(services_add(node->services, &n, 0), 0);
}

/* Of a client that offers MPTCP: whether it gets it; -1: its SYN is passed on. */
static int gets_mptcp(void)
{
    struct braid_addr client;
    const struct braid_listen_params *p = &fake_listener->params;
    ck_assert_int_eq(addr_parse("127.0.0.9:40000", &client), 0);
    if (p->wants && !p->wants(p->ctx, &client, &target))
        return -1;
    return !(p->wants_plain && p->wants_plain(p->ctx, &client, &target));
}

START_TEST(clients_of_a_server_without_mptcp_have_none)
{
    const struct service_wish plain = {.plain = true}, any = {.plain = false};
    edge_of(_i ? EDGE_TRANSPARENT : EDGE_EXPLICIT);
    ck_assert_int_eq(gets_mptcp(), 1);
    say(&plain);
    ck_assert_int_eq(gets_mptcp(), _i ? -1 : 0); /* the server answers what is passed on by itself */
    say(&any);
    ck_assert_int_eq(gets_mptcp(), 1);
}
END_TEST

START_TEST(the_profile_of_a_server_is_its_clients)
{
    const struct service_wish wish = {.profile = &interactive};
    struct relayed told;
    edge_of(EDGE_EXPLICIT);
    say(&wish);
    struct braid_conn *c = fake_conn();
    c->ops->incoming(fake_listener->params.ctx, c);
    ck_assert(node_tell(node, c, &told) && told.profile == &interactive);
    ck_assert(c->sched == &one_path && c->cc == &gentle);
    until(c, c->established_told);
    finish(c, server_accept());
}
END_TEST

/* The handshake with the server is the kernel's, and the loop has not come round since. */
START_TEST(a_server_may_ask_in_the_moment_in_which_it_accepts)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct braid_addr ours;
    struct braid_conn *c = fake_conn();
    c->ops->incoming(fake_listener->params.ctx, c);
    int server = server_accept();
    ck_assert_int_eq(getpeername(server, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &ours), 0);
    ck_assert_ptr_null(client_with_socket(edges, &target, &target));
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 1);
    struct client *cl = client_with_socket(edges, &ours, &target);
    ck_assert(cl && client_conn(cl) == c);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 1);
    until(c, c->established_told);
    finish(c, server);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edge_services");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, clients_of_a_server_without_mptcp_have_none, 0, 2);
    tcase_add_test(t, the_profile_of_a_server_is_its_clients);
    tcase_add_test(t, a_server_may_ask_in_the_moment_in_which_it_accepts);
    suite_add_tcase(s, t);
    return run_suite(s);
}
