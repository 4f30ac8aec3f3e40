/* The shared links, the bulk senders and their readers. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "fairness.h"

#define BEGIN      (1000 * BRAID_SECOND)
#define FIRST_PORT 10000
#define WRITE_MAX  (256 * 1024)
#define JOIN_AGAIN (1 * BRAID_MS)
/* Phase effects: with a regular network and few flows, whose packets the queue drops is no chance (Floyd and
 * Jacobson 1992). Cards gather packets, timers are late, and connections begin at different times. */
#define POLL         50 /* us */
#define SLACK        100
#define BEGIN_WITHIN BRAID_SECOND

struct sender {
    struct net *net;
    const struct fair_conn *plan;
    struct braid_conn *conn, *peer; /* the client's and the server's end */
    unsigned index;
    uint16_t port; /* of the first subflow; the next one's follow */
    unsigned joined;
};

/* A link as the context of its deliveries. */
struct shared {
    struct net *net;
    struct link link;
};

struct net {
    struct world w; /* first: a world in hooks is a net */
    const struct fair_world *plan;
    struct shared links[FAIR_LINKS];
    struct sender senders[FAIR_CONNS];
    uint64_t carried[FAIR_CONNS][FAIR_FLOWS]; /* since measuring began */
    void (*arrive[SIM_PATHS])(void *ctx, struct frame *f);
};

/* ---- the shared links -------------------------------------------------------------- */

/* Which path, by the client's address as the simulator gives it out. */
static unsigned path_of(const struct frame *f)
{
    struct braid_ip src, dst;

    frame_addrs(f, &src, &dst);
    return src.b[14];
}

static void count_flow(struct net *n, const struct frame *f)
{
    struct frame_view v = frame_look(f);
    unsigned port = (unsigned)(f->data[v.l4] << 8 | f->data[v.l4 + 1]) - FIRST_PORT;

    if (port / FAIR_FLOWS < n->plan->n_conns)
        n->carried[port / FAIR_FLOWS][port % FAIR_FLOWS] += f->len;
}

/* Behind the queue the path goes on as the simulator has it. */
static void leave_link(void *ctx, struct frame *f)
{
    struct shared *s = ctx;
    unsigned path = path_of(f);

    count_flow(s->net, f);
    s->net->arrive[path](&s->net->w.dirs[path][SIM_SERVER], f);
}

static void enter_link(void *ctx, struct frame *f)
{
    struct sim_dir *d = ctx;
    struct net *n = (struct net *)d->world;

    link_send(&n->links[n->plan->link_of[d->path]].link, f);
}

static void share_links(struct net *n)
{
    for (unsigned i = 0; i < n->plan->n_links; i++) {
        struct shared *s = &n->links[i];

        s->net = n;
        link_init(&s->link, &n->plan->links[i], &n->w.time, rng_make(n->plan->seed, 50 + i));
        s->link.ctx = s;
        s->link.deliver = leave_link;
    }
    for (unsigned i = 0; i < n->plan->n_paths; i++) {
        n->arrive[i] = n->w.dirs[i][SIM_SERVER].link.deliver;
        n->w.dirs[i][SIM_SERVER].link.deliver = enter_link;
    }
}

/* ---- senders and readers ----------------------------------------------------------- */

static void pump(struct sender *s)
{
    struct iovec iov[8];
    unsigned n;

    while (s->conn && (n = braid_conn_reserve(s->conn, WRITE_MAX, iov, 8)) > 0) {
        size_t room = 0;

        for (unsigned i = 0; i < n; i++) {
            memset(iov[i].iov_base, 0, iov[i].iov_len);
            room += iov[i].iov_len;
        }
        braid_conn_commit(s->conn, room);
    }
}

static void join(void *ctx, uint64_t arg)
{
    struct sender *s = ctx;
    struct world *w = &s->net->w;

    (void)arg;
    while (s->conn && s->joined < s->plan->n_paths) {
        struct braid_addr local = {sim_client_ip(&w->s, s->plan->paths[s->joined]),
                                   (uint16_t)(s->port + s->joined)};
        struct braid_addr remote = {sim_server_ip(&w->s, 0), SIM_PORT};

        if (braid_conn_join(s->conn, &local, &remote, false, w->time.now) != 0) {
            vtime_at(&w->time, w->time.now + JOIN_AGAIN, join, s, 0);
            return;
        }
        s->joined++;
        sim_core_touch(&w->cores[SIM_CLIENT][0]);
    }
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct net *n = ctx;
    struct braid_addr local, remote;

    braid_conn_addrs(c, &local, &remote);
    struct sender *s = &n->senders[(remote.port - FIRST_PORT) / FAIR_FLOWS];
    s->peer = c;
    braid_conn_set_user(c, s);
    braid_conn_accept(c);
}

static void on_established(struct braid_conn *c, void *user)
{
    struct sender *s = user;

    if (c != s->conn)
        return;
    if (braid_conn_is_mptcp(c) != (s->plan->n_paths > 1))
        sim_fail(&s->net->w, "connection %u is%s MPTCP", s->index, braid_conn_is_mptcp(c) ? "" : " not");
    pump(s);
    join(s, 0);
}

static void on_readable(struct braid_conn *c, void *user)
{
    (void)user;
    braid_conn_consume(c, braid_conn_readable(c));
}

static void on_writable(struct braid_conn *c, void *user)
{
    (void)c;
    pump(user);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct sender *s = user;

    *(c == s->conn ? &s->conn : &s->peer) = NULL;
    sim_fail(&s->net->w, "connection %u ended: %s", s->index, braid_close_text(why));
}

static const struct braid_conn_ops ops = {on_incoming, on_established, on_readable, on_writable, on_closed};

static void open_sender(void *ctx, uint64_t arg)
{
    struct sender *s = ctx;
    struct world *w = &s->net->w;
    struct braid_connect_params p = {
        .local = {sim_client_ip(&w->s, s->plan->paths[0]), s->port},
        .remote = {sim_server_ip(&w->s, 0), SIM_PORT},
        .cc = s->plan->cc,
        .sched = sched_algorithms[0],
        .plain = s->plan->n_paths == 1,
        .ops = &ops,
        .user = s,
    };

    (void)arg;
    s->joined = 1;
    s->conn = braid_connect(w->cores[SIM_CLIENT][0].core, &p, w->time.now);
    if (!s->conn)
        sim_fail(w, "braid_connect failed");
    sim_core_touch(&w->cores[SIM_CLIENT][0]);
}

/* ---- life -------------------------------------------------------------------------- */

static void fill_scenario(struct scenario *s, const struct fair_world *f)
{
    scenario_plain(s, f->seed, f->n_paths, BEGIN, POLL, SLACK);
    for (unsigned i = 0; i < f->n_paths; i++)
        s->up[i] = s->down[i] = (struct link_params){.delay = f->delay[i], .mtu = 1500};
}

static void listen_and_open(struct net *n)
{
    struct braid_listen_params p = {.addr = {sim_server_ip(&n->w.s, 0), SIM_PORT},
                                    .name = "fairness",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &ops,
                                    .ctx = n};
    struct rng rng = rng_make(n->plan->seed, 1);

    if (!braid_listen(n->w.cores[SIM_SERVER][0].core, &p))
        sim_fail(&n->w, "braid_listen failed");
    for (unsigned i = 0; i < n->plan->n_conns; i++) {
        struct sender *s = &n->senders[i];

        *s = (struct sender){.net = n, .plan = &n->plan->conns[i], .index = i};
        s->port = (uint16_t)(FIRST_PORT + i * FAIR_FLOWS);
        vtime_at(&n->w.time, BEGIN + rng_range(&rng, 0, BEGIN_WITHIN), open_sender, s, 0);
    }
}

static void begin(struct net *n, const struct fair_world *f)
{
    struct world *w = &n->w;

    n->plan = f;
    w->unchecked = true;
    fill_scenario(&w->s, f);
    w->rng = rng_make(f->seed, 2);
    vtime_init(&w->time, BEGIN);
    net_init(w);
    share_links(n);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        if (!sim_core_init(&w->cores[side][0], w, side, 0))
            abort();
    listen_and_open(n);
}

static void run_until(struct net *n, braid_time end)
{
    while (!n->w.failed && vtime_next(&n->w.time) <= end)
        vtime_step(&n->w.time);
}

static void begin_measuring(struct net *n)
{
    memset(n->carried, 0, sizeof(n->carried));
    for (unsigned i = 0; i < n->plan->n_links; i++)
        n->links[i].link.model.count = (struct model_count){0};
}

static void take_result(const struct net *n, struct fair_result *out)
{
    double seconds = (double)n->plan->span / BRAID_SECOND;

    for (unsigned i = 0; i < n->plan->n_conns; i++)
        for (unsigned j = 0; j < FAIR_FLOWS; j++)
            out->flow[i][j] = (double)n->carried[i][j] / seconds;
    for (unsigned i = 0; i < n->plan->n_links; i++) {
        const struct model *m = &n->links[i].link.model;

        out->used[i] = (double)m->count.bytes / seconds / (double)m->p.rate;
        out->waited[i] = (double)m->count.waited / 1e9 / (double)(m->count.delivered + 1);
    }
}

static void end(struct net *n)
{
    sim_handed_free(&n->w);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        sim_core_free(&n->w.cores[side][0]);
    net_free(&n->w);
    for (unsigned i = 0; i < n->plan->n_links; i++)
        link_free(&n->links[i].link);
    vtime_free(&n->w.time);
}

void fair_run(const struct fair_world *f, struct fair_result *out)
{
    struct net *n = calloc(1, sizeof(*n));

    if (!n)
        abort();
    memset(out, 0, sizeof(*out));
    begin(n, f);
    run_until(n, BEGIN + f->warm_up);
    begin_measuring(n);
    run_until(n, BEGIN + f->warm_up + f->span);
    take_result(n, out);
    if (n->w.failed)
        snprintf(out->failure, sizeof(out->failure), "%s", n->w.failure);
    end(n);
    free(n);
}
