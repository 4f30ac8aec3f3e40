/* What the tests of the relay share: a loopback server, an edge on a scripted core (fake_core.h), and the
 * loop. */
#ifndef BRAID_TESTS_RELAY_HARNESS_H
#define BRAID_TESTS_RELAY_HARNESS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/addr.h"
#include "fake_core.h"
#include "io/sockaddr.h"
#include "io/upstream.h"
#include "listening.h"
#include "role/edge.h"
#include "role/node.h"
#include "role/unproven.h"
#include "suite.h"

#define PATIENCE        5 /* seconds that anything may take */
#define CONNECT_TIMEOUT (200 * BRAID_MS)

/* A transparent edge may connect to this machine, where the server is. */
#define REACH_LOOPBACK                                                                                       \
    .reach = {{.prefix = {{[10] = 0xff, 0xff, 127, 0, 0, 1}}, .bits = 128, .allow = true},                   \
              {.prefix = {{[15] = 1}}, .bits = 128, .allow = true}},                                         \
    .n_reach = 2

static struct event_base *base;
static struct node *node;
static struct edges *edges;
static struct edge_params params;
static struct unproven_limits limits;
static struct braid_addr target;
static int listener;

/* ---- the server ------------------------------------------------------------------------------ */

static inline int server_listen(int family, int backlog)
{
    return listening(family == AF_INET ? "127.0.0.1:0" : "[::1]:0", backlog, &target);
}

static inline int server_accept(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Far less room than FAKE_STREAM. */
static inline void shrink(int fd)
{
    int small = 65536;
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
}

static inline void server_reset(int fd)
{
    upstream_reset(fd);
}

/* ---- driving --------------------------------------------------------------------------------- */

static inline void turn(struct braid_conn *c)
{
    struct timeval little = {.tv_usec = 2000};
    event_base_loopexit(base, &little);
    event_base_loop(base, EVLOOP_ONCE);
    fake_flush(c);
}

/* Turns the loop until the condition holds. */
#define until(c, condition)                                                                                  \
    do {                                                                                                     \
        time_t limit = time(NULL) + PATIENCE;                                                                \
        while (!(condition)) {                                                                               \
            ck_assert_msg(time(NULL) < limit, "never: %s", #condition);                                      \
            turn(c);                                                                                         \
        }                                                                                                    \
    } while (0)

/* Lets everything happen that is going to. */
static inline void settle(struct braid_conn *c)
{
    for (unsigned i = 0; i < 10; i++)
        turn(c);
}

static inline uint64_t counted(enum edge_counter which)
{
    return edges_counters(edges, 0)->v[which];
}

/* The server that the edge tells of. False: the connection is none of its own, or has none. */
static inline bool server_of(const struct braid_conn *c, struct braid_addr *out)
{
    struct relayed told;
    node_tell(node, c, &told);
    *out = told.server;
    return told.server.port != 0;
}

/* The edge of params, to the target. */
static inline void make_edges(void)
{
    struct targets targets = {.addr = {target}, .n = 1};
    node = node_new(NULL, base);
    ck_assert_ptr_nonnull(node);
    edges = edges_new(node, &limits, &params, &targets, 1);
    ck_assert_ptr_nonnull(edges);
}

/* The target is another one now. */
static inline void retarget(void)
{
    struct targets targets = {.addr = {target}, .n = 1};
    edges_set_target(edges, 0, 0, &targets);
}

static inline void new_edges(void)
{
    params =
        (struct edge_params){.name = "test",
                             .pool = {.targets = {{.host = (char *)"server.example", .weight = 1}}, .n = 1},
                             .connect_timeout = CONNECT_TIMEOUT};
    limits = (struct unproven_limits){.all = 1000, .per_source = 1000};
    make_edges();
}

static inline void setup(void)
{
    base = event_base_new();
    listener = server_listen(AF_INET, 16);
    new_edges();
}

static inline void teardown(void)
{
    node_free(node);
    event_base_free(base);
    close(listener);
}

/* A connection with both ends up; *server is the server's socket. */
static inline struct braid_conn *connected(int *server)
{
    struct braid_conn *c = fake_syn();
    until(c, c->established_told);
    *server = server_accept();
    return c;
}

static inline void client_sends(struct braid_conn *c, const void *data, size_t len)
{
    memcpy(c->up + c->up_arrived, data, len);
    c->up_arrived += len;
    fake_flush(c);
}

static inline void finish(struct braid_conn *c, int server)
{
    if (!c->closed_told && !c->refused)
        fake_close(c, BRAID_CLOSE_DONE);
    if (server >= 0)
        close(server);
    ck_assert_uint_eq(edges_counters(edges, 0)->open, 0);
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 0);
    fake_conn_free(c);
}

static inline ssize_t receive(struct braid_conn *c, int server, void *data, size_t len)
{
    ssize_t n;
    until(c, (n = recv(server, data, len, 0)) >= 0 || errno != EAGAIN);
    return n;
}

static inline TCase *new_case(Suite *s, const char *name)
{
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 4 * PATIENCE);
    suite_add_tcase(s, t);
    return t;
}

#endif
