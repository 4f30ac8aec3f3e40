/* A client's core, a worker's node with one edge, a real server on loopback: joined by the wire of pair.h, in
 * virtual time. The node is written down, and read into another one that takes its place. */
#ifndef BRAID_TESTS_HANDOVER_WORLD_H
#define BRAID_TESTS_HANDOVER_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <braid/events.h>
#include <event2/event.h>
#include "io/clock.h"
#include "io/sockaddr.h"
#include "io/upstream.h"
#include "listening.h"
#include "lost_clock.h"
#include "pair.h"
#include "role/edge.h"
#include "role/edge_freeze.h"
#include "role/farewell.h"
#include "role/node.h"
#include "role/node_handover.h"
#include "role/unproven.h"

#define PATIENCE 20000 /* turns that anything may take */
#define MORE     64    /* descriptors of one state, at most */

static struct pair p;
static struct event_base *base;
static struct node *node;
static struct edge_params params;
static struct braid_addr target;
static int listener;
static bool logged; /* nodes write lines about connections that have ended */

/* The role's clock is the test's. */
braid_time clock_now(void)
{
    return p.now;
}

static inline int server_listen(int backlog)
{
    return listening("127.0.0.1:0", backlog, &target);
}

/* A node with the edge of params, and a core with nothing. */
static inline struct node *make_node(struct braid_core *core)
{
    static const struct unproven_limits limits = {.all = 1000, .per_source = 1000};
    const struct targets targets = {.addr = {target}, .n = 1};
    struct node *n = node_new(core, base);
    ck_assert_ptr_nonnull(n);
    ck_assert_ptr_nonnull(edges_new(n, &limits, &params, &targets, 1));
    if (logged) {
        n->farewells = farewells_new();
        braid_core_on_event(core, farewells_hear, n->farewells);
    }
    return n;
}

static inline struct braid_core *make_core(unsigned worker, unsigned n_workers)
{
    struct braid_core_params c;
    struct braid_host host = {.ctx = &p.server, .output = pair_output, .random = pair_random};
    braid_core_params_default(&c);
    c.worker = worker;
    c.n_workers = n_workers;
    c.time_wait = BRAID_SECOND;
    c.break_before_make = 5 * BRAID_SECOND;
    struct braid_core *core = braid_core_new(&c, &host, p.now);
    ck_assert_ptr_nonnull(core);
    return core;
}

static inline void setup(void)
{
    base = event_base_new();
    lost = 0;
    logged = false;
    listener = server_listen(16);
    pair_init(&p, false, NULL, 0);
    braid_unlisten(p.listener);
    params =
        (struct edge_params){.name = "web",
                             .listen = {pair_addr("10.0.9.1:80")},
                             .n_listen = 1,
                             .pool = {.targets = {{.host = (char *)"server.example", .weight = 1}}, .n = 1},
                             .cc = cc_algorithms[0],
                             .sched = sched_algorithms[0]};
    node = make_node(p.server.core);
}

static inline void teardown(void)
{
    node_free(node);
    pair_free(&p);
    event_base_free(base);
    close(listener);
}

/* A millisecond goes by. */
static inline void turn(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    pair_run_for(&p, BRAID_MS);
}

#define until(condition)                                                                                     \
    do {                                                                                                     \
        for (unsigned turns = 0; !(condition); turns++) {                                                    \
            ck_assert_msg(turns < PATIENCE, "never: %s", #condition);                                        \
            if (turns > 100)                                                                                 \
                usleep(100); /* the kernel's time is not ours */                                             \
            turn();                                                                                          \
        }                                                                                                    \
    } while (0)

static inline const struct edge_counters *counted(void)
{
    return edges_counters(edges_of(node), 0);
}

static inline int server_accept(void)
{
    int fd;
    until((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    return fd;
}

/* What the other process gets. */
static inline void duplicate(const struct node_state *s, int out[MORE])
{
    ck_assert_uint_le(s->n_fds, MORE);
    for (size_t i = 0; i < s->n_fds; i++)
        ck_assert_int_ge(out[i] = dup(s->fds[i]), 0);
}

static inline struct node_state frozen(void)
{
    struct node_state s;
    const char *why = NULL;
    braid_core_flush(p.server.core, p.now);
    ck_assert_msg(node_freeze(node, NULL, &s, &why) == 0, "%s", why);
    return s;
}

/* The old process ends: nobody is told. */
static inline void leave(struct node *n, struct braid_core *core, const struct node_state *s)
{
    edges_forget(edges_of(n));
    for (size_t i = 0; i < s->n_fds; i++)
        close(s->fds[i]);
    node_free(n);
    braid_core_free(core);
}

/* Another node and core, in the place of the old ones. */
static inline void hand_over(void)
{
    int fds[MORE];
    const char *why = NULL;
    struct node_state s = frozen();
    duplicate(&s, fds);
    const struct node_state got = {.bytes = s.bytes, .len = s.len, .fds = fds, .n_fds = s.n_fds};
    struct braid_core *core = make_core(0, 1);
    struct node *n = make_node(core);
    const struct node_thaw_params to = {.nodes = &n, .n = 1};
    struct node_thaw *t = node_thaw_begin(&to);
    ck_assert_msg(node_thaw_add(t, &got, &why) == 0, "%s", why);
    braid_time left_out;
    node_thaw_commit(t, &left_out);
    leave(node, p.server.core, &s);
    node = n;
    p.server.core = core;
    node_state_free(&s);
}

#endif
