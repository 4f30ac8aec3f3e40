/* relay: servers that speak MPTCP themselves are found and left alone, and everybody is reached all the same.
 * The program's own socket() and connect() stand before the C library's: they count, and play a kernel or a
 * network that does not go along with MPTCP. */
#include <sys/syscall.h>
#include "role/bypass.h"
#include "role/learn.h"
#include "relay_harness.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define LONG (600 * BRAID_SECOND)

static unsigned asked;      /* sockets of MPTCP that were wanted */
static int refusal;         /* what the kernel says to that; 0: it has MPTCP */
static bool firewall;       /* a connection with MPTCP is answered with a RST */
static int last_mptcp = -1; /* descriptor of the last socket with it */

int socket(int family, int type, int protocol)
{
    asked += protocol == IPPROTO_MPTCP;
    if (protocol == IPPROTO_MPTCP && refusal) {
        errno = refusal;
        return -1;
    }
    int fd = (int)syscall(SYS_socket, family, type, protocol);
    if (protocol == IPPROTO_MPTCP || fd == last_mptcp)
        last_mptcp = protocol == IPPROTO_MPTCP ? fd : -1;
    return fd;
}

int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    if (firewall && fd == last_mptcp) {
        errno = EINPROGRESS;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, sa, len);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    if (firewall && fd == last_mptcp && level == SOL_SOCKET && name == SO_ERROR) {
        *(int *)value = ECONNRESET;
        return 0;
    }
    return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}

/* ---- the surroundings ------------------------------------------------------------------------- */

static unsigned learned;
static struct braid_addr learned_server;

static void on_learned(void *arg, unsigned i, const struct braid_addr *server, braid_time until)
{
    ck_assert_ptr_eq(arg, &learned);
    ck_assert_uint_eq(i, 0);
    ck_assert_int_gt(until, 0);
    learned++;
    learned_server = *server;
}

static void begin(braid_time bypass, bool client_source)
{
    node_free(node);
    params = (struct edge_params){.name = "test",
                                  .kind = EDGE_TRANSPARENT,
                                  .client_source = client_source,
                                  .bypass = bypass,
                                  REACH_LOOPBACK,
                                  .port_first = 1,
                                  .port_last = 65535,
                                  .connect_timeout = CONNECT_TIMEOUT};
    make_edges();
    edges_on_learned(edges, on_learned, &learned);
}

/* The server listens with MPTCP from now on. False: this kernel has none. */
static bool server_has_mptcp(void)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(&target, &sa);
    close(listener);
    listener = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_MPTCP);
    if (listener < 0) {
        printf("test_relay_bypass: skipped, needs a kernel with MPTCP\n");
        return false;
    }
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    return true;
}

static struct braid_conn *syn(void)
{
    struct braid_conn *c = fake_conn();
    c->local = target;
    ck_assert_int_eq(addr_parse("127.0.0.9:40000", &c->remote), 0);
    c->ops->incoming(fake_listener->params.ctx, c);
    until(c, c->established_told || c->refused);
    return c;
}

/* A connection comes and goes. */
static void visit(void)
{
    struct braid_conn *c = syn();
    ck_assert(c->accepted);
    finish(c, server_accept());
}

static bool wanted(const struct braid_addr *server)
{
    static struct braid_addr client;
    const struct braid_listen_params *p = &fake_listener->params;
    return !p->wants || p->wants(p->ctx, &client, server);
}

/* ---- what is learned -------------------------------------------------------------------------- */

/* As when another process goes on, whose configuration does not want it any more. */
START_TEST(a_server_that_was_asked_when_it_was_wanted_is_no_news)
{
    begin(0, false);
    edge_found(edges_find(edges, "test"), &target, true);
    edge_found(edges_find(edges, "test"), &target, false);
    ck_assert_uint_eq(learned, 0);
    ck_assert(wanted(&target));
}
END_TEST

START_TEST(a_server_with_mptcp_is_left_alone_from_then_on)
{
    if (!server_has_mptcp())
        return;
    begin(LONG, false);
    ck_assert(wanted(&target));
    struct braid_conn *c = syn();
    int server = server_accept();
    ck_assert(upstream_is_mptcp(server));
    ck_assert_uint_eq(learned, 1);
    ck_assert(addr_equal(&learned_server, &target));
    char text[8] = "";
    client_sends(c, "hello", 5); /* the connection itself stays */
    ck_assert_int_eq(receive(c, server, text, sizeof(text)), 5);
    ck_assert_str_eq(text, "hello");
    ck_assert_int_eq(send(server, "you", 3, 0), 3);
    until(c, c->down_len == 3);
    ck_assert(!wanted(&target) && !wanted(&target));
    ck_assert_uint_eq(counted(EDGE_BYPASSED), 2);
    struct braid_addr other = target;
    other.port++;
    ck_assert(wanted(&other));
    struct bypass_entry e;
    ck_assert_uint_eq(edges_bypass_list(edges, 0, &e, 1), 1);
    ck_assert(addr_equal(&e.addr, &target));
    ck_assert_uint_eq(e.passed, 2);
    finish(c, server);
    edges_bypass_clear(edges);
    ck_assert(wanted(&target));
    ck_assert_uint_eq(edges_bypass_count(edges), 0);
}
END_TEST

START_TEST(a_plain_server_is_asked_once)
{
    begin(LONG, false);
    visit();
    ck_assert_uint_eq(asked, 1);
    visit();
    ck_assert_uint_eq(asked, 1);
    ck_assert(wanted(&target));
    ck_assert_uint_eq(learned, 0);
    edges_bypass_clear(edges);
    visit();
    ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(the_time_ends_and_the_server_is_asked_again)
{
    if (!server_has_mptcp())
        return;
    begin(100 * BRAID_MS, false);
    struct braid_conn *c = syn();
    until(c, wanted(&target));
    finish(c, server_accept());
    visit();
    ck_assert_uint_eq(asked, 2);
    ck_assert_uint_eq(learned, 2);
}
END_TEST

START_TEST(what_another_worker_found_counts)
{
    struct timespec now;
    begin(LONG, false);
    clock_gettime(CLOCK_MONOTONIC, &now);
    edges_learn(edges, 0, &target, now.tv_sec * BRAID_SECOND + LONG);
    ck_assert(!wanted(&target));
    ck_assert_uint_eq(learned, 0);
}
END_TEST

START_TEST(nobody_is_asked_if_it_is_off)
{
    if (!server_has_mptcp())
        return;
    begin(0, false);
    visit();
    ck_assert_uint_eq(asked, 0);
    ck_assert(wanted(&target));
    ck_assert_uint_eq(edges_bypass_count(edges), 0);
    edges_bypass_clear(edges);
}
END_TEST

/* ---- what may not go along -------------------------------------------------------------------- */

static const int refusals[] = {EPROTONOSUPPORT, ENOPROTOOPT, EINVAL};

START_TEST(a_kernel_without_mptcp_is_asked_once_for_all)
{
    refusal = refusals[_i];
    begin(LONG, false);
    visit();
    ck_assert_uint_eq(asked, 1);
    close(listener);
    listener = server_listen(AF_INET, 16); /* another destination */
    visit();
    ck_assert_uint_eq(asked, 1);
    ck_assert(wanted(&target));
    ck_assert_uint_eq(counted(EDGE_ACCEPTED), 2);
}
END_TEST

START_TEST(another_failure_does_not_mean_that_there_is_no_mptcp)
{
    refusal = EMFILE;
    begin(LONG, false);
    visit();
    refusal = 0;
    edges_bypass_clear(edges);
    visit();
    ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(a_firewall_that_refuses_mptcp_only_costs_a_round_trip)
{
    firewall = true;
    begin(LONG, false);
    visit();
    ck_assert_uint_eq(counted(EDGE_ACCEPTED), 1);
    ck_assert_uint_eq(counted(EDGE_REFUSED), 0);
    visit();
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(a_server_that_refuses_everything_is_refused_once)
{
    begin(LONG, false);
    close(listener);
    struct braid_conn *c = syn();
    ck_assert(c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_RESET);
    ck_assert_uint_eq(counted(EDGE_REFUSED), 1);
    finish(c, -1);
    listener = server_listen(AF_INET, 1);
}
END_TEST

START_TEST(the_source_is_the_clients_with_and_without_mptcp)
{
    if (upstream_check_source() < 0 || (_i % 2 && !server_has_mptcp())) {
        printf("test_relay_bypass: the client's address: skipped, needs CAP_NET_ADMIN\n");
        return;
    }
    refusal = _i == 2 ? EPROTONOSUPPORT : 0;
    begin(LONG, true);
    struct braid_conn *c = syn();
    ck_assert(c->accepted);
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    struct braid_addr peer;
    char text[ADDR_TEXT];
    int server = server_accept();
    ck_assert_int_eq(getpeername(server, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, &peer), 0);
    ck_assert_str_eq(addr_text(&peer, text), "127.0.0.9:7232");
    ck_assert_uint_eq(learned, _i % 2);
    finish(c, server);
}
END_TEST

/* ---- the end of such a connection -------------------------------------------------------------- */

START_TEST(an_aborting_client_resets_the_server)
{
    char byte;
    if (_i && !server_has_mptcp())
        return;
    begin(LONG, false);
    struct braid_conn *c = syn();
    int server = server_accept();
    fake_close(c, BRAID_CLOSE_RESET);
    until(c, recv(server, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN);
    ck_assert_int_lt(recv(server, &byte, 1, MSG_DONTWAIT | MSG_PEEK), 1);
    finish(c, server);
}
END_TEST

START_TEST(an_aborting_server_resets_the_client)
{
    if (_i && !server_has_mptcp())
        return;
    begin(LONG, false);
    struct braid_conn *c = syn();
    server_reset(server_accept());
    until(c, c->aborted);
    ck_assert_uint_eq(counted(EDGE_SERVER_RESET), 1);
    finish(c, -1);
}
END_TEST

START_TEST(both_ends_may_end_in_order)
{
    char byte;
    if (_i && !server_has_mptcp())
        return;
    begin(LONG, false);
    struct braid_conn *c = syn();
    int server = server_accept();
    c->up_end = true;
    ssize_t n;
    until(c, (n = recv(server, &byte, 1, MSG_DONTWAIT)) >= 0);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
    until(c, c->shut);
    ck_assert(!c->aborted);
    finish(c, server);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("relay_bypass");
    TCase *t = new_case(s, "learning");
    tcase_add_test(t, a_server_that_was_asked_when_it_was_wanted_is_no_news);
    tcase_add_test(t, a_server_with_mptcp_is_left_alone_from_then_on);
    tcase_add_test(t, a_plain_server_is_asked_once);
    tcase_add_test(t, the_time_ends_and_the_server_is_asked_again);
    tcase_add_test(t, what_another_worker_found_counts);
    tcase_add_test(t, nobody_is_asked_if_it_is_off);
    t = new_case(s, "refusals");
    tcase_add_loop_test(t, a_kernel_without_mptcp_is_asked_once_for_all, 0, 3);
    tcase_add_test(t, another_failure_does_not_mean_that_there_is_no_mptcp);
    tcase_add_test(t, a_firewall_that_refuses_mptcp_only_costs_a_round_trip);
    tcase_add_test(t, a_server_that_refuses_everything_is_refused_once);
    tcase_add_loop_test(t, the_source_is_the_clients_with_and_without_mptcp, 0, 3);
    t = new_case(s, "ends");
    tcase_add_loop_test(t, an_aborting_client_resets_the_server, 0, 2);
    tcase_add_loop_test(t, an_aborting_server_resets_the_client, 0, 2);
    tcase_add_loop_test(t, both_ends_may_end_in_order, 0, 2);
    return run_suite(s);
}
