/* The plan of a scenario: what happens to paths, subflows and addresses in the course of it. */
#include <string.h>
#include "world.h"

#define RETRY_EVERY (5 * BRAID_MS)

static struct app *conn_app(struct world *w, const struct action *a, unsigned side)
{
    return &w->apps[side][a->conn % w->s.n_conns];
}

static void set_path(struct world *w, unsigned path, bool down)
{
    sim_trace(w, "path %u goes %s", path, down ? "down" : "up");
    w->dirs[path][SIM_CLIENT].link.model.down = w->dirs[path][SIM_SERVER].link.model.down = down;
}

static void set_direction(struct world *w, const struct action *a)
{
    unsigned to = a->b == 1 ? SIM_SERVER : SIM_CLIENT;

    sim_trace(w, "path %u goes down towards the %s", a->a, to == SIM_SERVER ? "server" : "client");
    w->dirs[a->a][to].link.model.down = true;
}

static bool join(struct world *w, const struct action *a)
{
    struct app *app = conn_app(w, a, SIM_CLIENT);
    struct braid_addr local = {sim_client_now(w, a->a % w->s.n_paths), w->next_port};
    struct braid_addr remote = {sim_server_ip(&w->s, a->b % w->s.n_addrs), SIM_PORT};
    int result;

    if (!app->conn)
        return !app->opened || app_over(app);
    if (!app->established)
        return false;
    if (!braid_conn_is_mptcp(app->conn))
        return true;
    result = braid_conn_join(app->conn, &local, &remote, a->c, w->time.now);
    if (result == 0)
        sim_trace(w, "client %u joins from path %u", app->index, a->a);
    if (result == 0)
        w->next_port++;
    sim_core_touch(app->sc);
    return result == 0;
}

static bool reset(struct world *w, const struct action *a, bool all)
{
    struct app *app = conn_app(w, a, a->a);
    struct braid_conn_stats stats;

    if (!app->conn)
        return app->opened;
    if (!app->established)
        return false;
    braid_conn_stats(app->conn, &stats);
    if (stats.n_subflows == 0 || !stats.mptcp)
        return true;
    for (unsigned i = 0; i < stats.n_subflows; i++)
        if (all || i == a->b % stats.n_subflows) {
            sim_trace(w, "%s %u resets subflow %u", a->a ? "server" : "client", app->index,
                      stats.subflows[i].id);
            if (braid_conn_reset_subflow(app->conn, stats.subflows[i].id) != 0)
                sim_fail(w, "subflow %u is in the statistics and cannot be reset", stats.subflows[i].id);
        }
    sim_core_touch(app->sc);
    return true;
}

static bool set_prio(struct world *w, const struct action *a)
{
    struct app *app = conn_app(w, a, a->a);
    struct braid_conn_stats stats;

    if (!app->conn)
        return app->opened;
    if (!app->established)
        return false;
    braid_conn_stats(app->conn, &stats);
    if (stats.n_subflows == 0 || !stats.mptcp)
        return true;
    sim_trace(w, "%s %u: backup %u", a->a ? "server" : "client", app->index, a->c);
    braid_conn_set_backup(app->conn, stats.subflows[a->b % stats.n_subflows].id, a->c);
    sim_core_touch(app->sc);
    return true;
}

static unsigned count(const void *const *list)
{
    unsigned n = 0;

    while (list[n])
        n++;
    return n;
}

/* Not only on established connections. */
static bool switch_algorithm(struct world *w, const struct action *a)
{
    struct app *app = conn_app(w, a, a->a);
    const struct sched_ops *sched = sched_algorithms[a->b % count((const void *const *)sched_algorithms)];
    const struct cc_ops *cc = cc_algorithms[a->b % count((const void *const *)cc_algorithms)];

    if (!app->conn)
        return app->opened;
    sim_trace(w, "%s %u goes over to %s", a->a ? "server" : "client", app->index,
              a->kind == ACT_CC ? cc->name : sched->name);
    if (a->kind == ACT_CC)
        braid_conn_set_cc(app->conn, cc, w->time.now);
    else
        braid_conn_set_sched(app->conn, sched);
    sim_core_touch(app->sc);
    return true;
}

static bool announce(struct world *w, const struct action *a, bool withdraw)
{
    struct app *app = conn_app(w, a, withdraw ? a->b : SIM_SERVER);
    struct braid_addr addr = {sim_server_ip(&w->s, a->a), 0};

    if (withdraw && a->b == SIM_CLIENT)
        addr.ip = sim_client_now(w, a->a);
    if (!app->conn)
        return app->opened;
    if (!app->established)
        return false;
    sim_trace(w, "%s %u %s address %u", app->side ? "server" : "client", app->index,
              withdraw ? "withdraws" : "announces", a->a);
    if (withdraw)
        braid_conn_withdraw(app->conn, &addr.ip);
    else
        braid_conn_announce(app->conn, &addr);
    sim_core_touch(app->sc);
    return true;
}

/* True if the client's connection has that many established subflows, or is over. */
static bool has_subflows(struct world *w, const struct action *a)
{
    struct app *app = conn_app(w, a, SIM_CLIENT);

    if (a->need_subflows == 0 || (app->opened && !app->conn))
        return true;
    if (!app->established)
        return false;
    return sim_established(app) >= a->need_subflows;
}

static void unlisten(struct world *w)
{
    for (unsigned i = 0; i < w->s.workers[SIM_SERVER]; i++) {
        if (w->listeners[i])
            braid_unlisten(w->listeners[i]);
        w->listeners[i] = NULL;
        sim_core_touch(&w->cores[SIM_SERVER][i]);
    }
}

static void vanish(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_paths; i++)
        set_path(w, i, true);
}

static bool abort_one(struct world *w, const struct action *a, bool release)
{
    struct app *app = conn_app(w, a, a->a);

    if (!app->opened)
        return false;
    if (release)
        app_release(app);
    else
        app_abort(app);
    return true;
}

/* False: it is too early, try again. */
static bool act(struct world *w, const struct action *a)
{
    switch (a->kind) {
    case ACT_PATH_DOWN:
    case ACT_PATH_UP:
        if (a->b)
            set_direction(w, a);
        else
            set_path(w, a->a, a->kind == ACT_PATH_DOWN);
        return true;
    case ACT_PATH_MTU:
        sim_trace(w, "the MTU of path %u is now %u", a->a, a->b);
        w->dirs[a->a][SIM_CLIENT].link.model.p.mtu = w->dirs[a->a][SIM_SERVER].link.model.p.mtu = a->b;
        return true;
    case ACT_ADDRESS:
        sim_client_renew(w, a->a);
        return true;
    case ACT_JOIN:
        return join(w, a);
    case ACT_RESET:
    case ACT_RESET_ALL:
        return reset(w, a, a->kind == ACT_RESET_ALL);
    case ACT_ANNOUNCE:
    case ACT_WITHDRAW:
        return announce(w, a, a->kind == ACT_WITHDRAW);
    case ACT_PRIO:
        return set_prio(w, a);
    case ACT_SCHED:
    case ACT_CC:
        return switch_algorithm(w, a);
    case ACT_ENDPOINT_ADD:
        sim_endpoint_add(w, a->b, a->a);
        return true;
    case ACT_ENDPOINT_REMOVE:
        sim_endpoint_remove(w, a->b, a->a);
        return true;
    case ACT_EXPECT_SUBFLOWS:
        sim_expect_subflows(w, a);
        return true;
    case ACT_EXPECT_USED:
        sim_expect_used(w, a);
        return true;
    case ACT_ABORT:
    case ACT_RELEASE:
        return abort_one(w, a, a->kind == ACT_RELEASE);
    case ACT_VANISH:
        vanish(w);
        return true;
    case ACT_UNLISTEN:
        unlisten(w);
        return true;
    case ACT_RELAY_ABORT:
    case ACT_RELAY_DIE:
        return w->s.chain.middle->act(w, a);
    }
    return true;
}

static void action_event(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    const struct action *a = &w->s.actions[arg];

    if (w->failed)
        return;
    if (!has_subflows(w, a) || !act(w, a))
        vtime_at(&w->time, w->time.now + RETRY_EVERY, action_event, w, arg);
}

void actions_plan(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_actions; i++)
        vtime_at(&w->time, w->s.start + w->s.actions[i].at, action_event, w, i);
}
