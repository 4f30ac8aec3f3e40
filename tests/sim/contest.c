/* Races: see contest.h. */
#include "contest.h"

#include <stdlib.h>
#include "app.h"
#include "base/addr.h"
#include "handover.h"
#include "role/learned.h"
#include "role/race_state.h"
#include "world.h"

/* ---- the client -------------------------------------------------------------------- */

static void expire_event(void *ctx, uint64_t arg);

static void plan(struct app *a)
{
    struct world *w = a->world;

    if (a->contest.race)
        vtime_at(&w->time, race_deadline(a->contest.race), expire_event, a, 0);
}

static void won(void *arg, struct braid_conn *c, unsigned lane)
{
    struct app *a = arg;
    struct braid_addr remote;

    sim_trace(a->world, "client %u: lane %u has won", a->index, lane);
    a->contest = (struct contest){.won = true, .over_at = a->world->time.now};
    a->conn = c;
    a->id = braid_conn_id(c);
    braid_conn_addrs(c, &a->contest.local, &remote);
    app_ops.established(c, a);
}

static void lost(void *arg, enum race_loss why)
{
    struct app *a = arg;

    sim_trace(a->world, "client %u: the race is lost: %s", a->index, race_loss_text(why));
    a->contest = (struct contest){.over_at = a->world->time.now};
    a->closed = true;
    a->closed_at = a->world->time.now;
    a->why = why == RACE_LOST_REFUSED       ? BRAID_CLOSE_REFUSED
             : why == RACE_LOST_UNREACHABLE ? BRAID_CLOSE_UNREACHABLE
             : why == RACE_LOST_TIMEOUT     ? BRAID_CLOSE_TIMEOUT
             : why == RACE_LOST_PLAIN       ? BRAID_CLOSE_PROTOCOL
                                            : BRAID_CLOSE_RESOURCES;
}

static void due(void *arg)
{
    plan(arg);
}

static void seen(void *arg, const struct race_lane *lane, enum race_seen what)
{
    const struct app *a = arg;

    if (a->world->learned)
        learned_see(a->world->learned, lane, what, a->world->time.now);
}

static const struct race_events events = {.won = won, .lost = lost, .seen = seen, .due = due};

/* The observer knows by `racing` whose the SYNs are that leave meanwhile. */
static void step(struct app *a, void (*go)(struct race *r, braid_time now))
{
    struct world *w = a->world;

    w->racing = a;
    go(a->contest.race, w->time.now);
    w->racing = NULL;
    sim_core_touch(a->sc);
    plan(a);
}

/* Planned for a deadline that may have moved since. */
static void expire_event(void *ctx, uint64_t arg)
{
    struct app *a = ctx;

    (void)arg;
    if (a->contest.race && race_deadline(a->contest.race) <= a->world->time.now)
        step(a, race_expire);
}

void contest_open(void *ctx, uint64_t arg)
{
    struct app *a = ctx;
    struct world *w = a->world;
    const struct scenario *s = &w->s;
    struct race_lane lanes[SIM_PATHS];
    struct race_params p = {.core = a->sc->core,
                            .connect = {.cc = s->cc[SIM_CLIENT],
                                        .sched = s->sched[SIM_CLIENT],
                                        .pm = s->pm[SIM_CLIENT],
                                        .checksum = s->checksum[SIM_CLIENT],
                                        .believe_addresses = true,
                                        .ops = &app_ops,
                                        .user = a},
                            .lanes = lanes,
                            .n_lanes = s->n_paths,
                            .fallback = !s->race_no_plain,
                            .timeout = RACE_TIMEOUT,
                            .events = &events,
                            .arg = a};

    (void)arg;
    for (unsigned i = 0; i < s->n_paths; i++)
        lanes[i] = (struct race_lane){.local.ip = sim_client_ip(s, i),
                                      .remote = {sim_server_ip(s, 0), SIM_PORT},
                                      .head_start = race_head_start(s->race_srtt[i]),
                                      .uplink = i,
                                      .version_0 = s->version_0[SIM_CLIENT],
                                      .capable = s->race_learns};
    if (w->learned)
        learned_steer(w->learned, lanes, s->n_paths, w->time.now);
    a->opened = true;
    a->opened_at = w->time.now;
    a->contest.race = race_new(&p);
    if (!a->contest.race)
        abort();
    step(a, race_begin);
}

void contest_moved(struct sim_core *sc, const struct sim_moved *m)
{
    for (unsigned i = 0; i < sc->world->s.n_conns; i++) {
        const struct app *a = &sc->world->apps[SIM_CLIENT][i];
        struct race *r = a->sc == sc ? a->contest.race : NULL;

        if (!r)
            continue;
        r->params.core = sc->core;
        each_candidate(c, n, r) sim_follow(m, &c->conn);
        for (unsigned lane = 0; lane < r->params.n_lanes; lane++)
            sim_follow(m, &r->lanes[lane].question);
    }
}

bool contest_won(const struct app *a, const struct braid_addr *local)
{
    return a->contest.won && addr_equal(&a->contest.local, local);
}

/* ---- the server -------------------------------------------------------------------- */

struct guest {
    struct list node; /* in world.guests */
    struct sim_core *sc;
    struct braid_addr client;
};

static void guest_free(struct guest *g)
{
    list_remove(&g->node);
    free(g);
}

static struct app *server_of(struct guest *g)
{
    struct world *w = g->sc->world;

    for (unsigned i = 0; i < w->s.n_conns; i++)
        if (contest_won(&w->apps[SIM_CLIENT][i], &g->client))
            return &w->apps[SIM_SERVER][i];
    return NULL;
}

static void guest_established(struct braid_conn *c, void *user)
{
    struct guest *g = user;
    struct sim_core *sc = g->sc;
    struct app *a = server_of(g);

    if (!a)
        return; /* it is about to be reset */
    guest_free(g);
    if (a->opened) {
        sim_fail(sc->world, "two connections of the server's are one of the client's");
        return;
    }
    a->sc = sc;
    a->conn = c;
    a->id = braid_conn_id(c);
    a->opened = true;
    a->opened_at = sc->world->time.now;
    braid_conn_set_ops(c, &app_ops, a);
    app_ops.established(c, a);
}

static void guest_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    (void)why;
    guest_free(user);
}

static const struct braid_conn_ops guest_ops = {.established = guest_established, .closed = guest_closed};

void contest_incoming(struct sim_core *sc, struct braid_conn *c)
{
    struct guest *g = calloc(1, sizeof(*g));
    struct braid_addr local;

    if (!g)
        abort();
    g->sc = sc;
    braid_conn_addrs(c, &local, &g->client);
    boxes_unmap(sc->world, &g->client);
    list_append(&sc->world->guests, &g->node);
    braid_conn_set_ops(c, &guest_ops, g);
    braid_conn_accept(c);
}

void contest_init(struct world *w)
{
    const struct siphash_key key = {w->s.seed, 1};

    list_init(&w->guests);
    if (w->s.race_learns)
        w->learned = learned_new(&key, LEARNED_MAX);
}

void contest_free(struct world *w)
{
    learned_free(w->learned);
    for (unsigned i = 0; i < w->s.n_conns; i++)
        race_free(w->apps[SIM_CLIENT][i].contest.race);
    while (!list_empty(&w->guests))
        guest_free(list_entry(w->guests.next, struct guest, node));
}
