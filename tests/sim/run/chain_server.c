/* The server at the end of a chain, which knows nothing of MPTCP. A race over the uplinks may have it
 * connected several times for one connection of the device's; all of these are guests until it is known which
 * one the CPE has taken, and that one becomes the application's. The others end without a byte; so does what
 * a copy of the SYN makes that reaches the exit when the application's connection was reset. */
#include "chain.h"

#include <stdlib.h>
#include "../handover.h"
#include "base/addr.h"

#define NAME "server" /* of its listener */

struct guest {
    struct list node; /* in chain.guests */
    struct sim_core *sc;
    uint64_t id;
    struct braid_conn *conn;
    struct braid_addr from;
    bool established;
};

static void guest_free(struct guest *g)
{
    list_remove(&g->node);
    free(g);
}

/* The port of the device whose connection it is; 0: not known, or nobody's. */
static uint16_t port_of(struct world *w, const struct guest *g)
{
    struct braid_addr from = g->from, device;
    struct braid_ip ip = sim_device_ip(&w->s);

    if (ip_equal(&from.ip, &ip)) /* the CPE has passed it back */
        return from.port;
    if (!chain_exit_from(w, &g->from, &from)) /* or it comes straight from an uplink */
        boxes_unmap(w, &from);
    return chain_cpe_carries(w, &from, &device) ? device.port : 0;
}

static struct app *owner_of(const struct guest *g)
{
    struct world *w = g->sc->world;
    uint16_t port = g->established ? port_of(w, g) : 0;

    for (unsigned i = 0; i < w->s.n_conns && port != 0; i++)
        if (w->apps[SIM_CLIENT][i].port == port)
            return &w->apps[SIM_SERVER][i];
    return NULL;
}

static void adopt(struct app *a, struct guest *g)
{
    struct braid_conn *c = g->conn;

    a->sc = g->sc;
    guest_free(g);
    a->conn = c;
    a->id = braid_conn_id(c);
    a->opened = true;
    a->opened_at = a->world->time.now;
    braid_conn_set_ops(c, &app_ops, a);
    app_ops.established(c, a);
    if (a->conn)
        app_ops.readable(c, a);
    sim_core_touch(a->sc);
}

/* The application has its connection. A copy of the SYN makes another one at an exit that has no memory of
 * the first, since it was reset, or with the exit's; it is nobody's, so that nothing may come over it. */
static void turn_away(const struct app *a, const struct guest *g)
{
    bool reset = a->aborted || (a->closed && a->why != BRAID_CLOSE_DONE);

    if (!reset && !a->world->chain->died)
        sim_fail(a->world, "two connections of the server's are one of the device's");
    if (braid_conn_readable(g->conn) > 0)
        sim_fail(a->world, "bytes of the device's came over a second connection of the server's");
}

static void settle(struct guest *g)
{
    struct app *a = owner_of(g);

    if (a && a->opened)
        turn_away(a, g);
    else if (a)
        adopt(a, g);
}

void chain_server_settle(struct world *w)
{
    list_each (n, tmp, &w->chain->guests)
        settle(list_entry(n, struct guest, node));
}

static void on_established(struct braid_conn *c, void *user)
{
    struct guest *g = user;

    (void)c;
    g->established = true;
    settle(g);
}

static void on_readable(struct braid_conn *c, void *user)
{
    (void)c;
    settle(user);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    (void)why;
    guest_free(user);
}

static const struct braid_conn_ops guest_ops = {
    .established = on_established, .readable = on_readable, .closed = on_closed};

static void accept_event(void *ctx, uint64_t arg)
{
    struct world *w = ctx;

    if (!w->chain)
        return;
    list_each (n, tmp, &w->chain->guests) {
        struct guest *g = list_entry(n, struct guest, node);

        if (g->id != arg)
            continue;
        braid_conn_accept(g->conn);
        sim_core_touch(g->sc);
    }
}

void chain_server_incoming(struct sim_core *sc, struct braid_conn *c)
{
    struct world *w = sc->world;
    struct guest *g;
    struct braid_addr local;

    if (w->s.chain.server_refuses) {
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    g = calloc(1, sizeof(*g));
    if (!g)
        abort();
    g->sc = sc;
    g->id = ++w->chain->guests_ever;
    g->conn = c;
    braid_conn_addrs(c, &local, &g->from);
    list_append(&w->chain->guests, &g->node);
    braid_conn_set_ops(c, &guest_ops, g);
    if (w->s.app[SIM_SERVER].accept_delay > 0)
        vtime_at(&w->time, w->time.now + w->s.app[SIM_SERVER].accept_delay, accept_event, w, g->id);
    else
        braid_conn_accept(c);
}

static bool listens(struct world *w)
{
    struct braid_listen_params p = {.addr = {sim_legacy_ip(&w->s), SIM_PORT},
                                    .name = NAME,
                                    .clients = BRAID_CLIENTS_PLAIN,
                                    .cc = w->s.cc[SIM_SERVER],
                                    .sched = w->s.sched[SIM_SERVER],
                                    .ops = &app_ops,
                                    .ctx = &w->outer[SIM_SERVER]};

    return braid_listen(w->outer[SIM_SERVER].core, &p);
}

bool chain_server_begin(struct world *w)
{
    list_init(&w->chain->guests);
    return listens(w);
}

const char *chain_server_listens(struct world *w)
{
    if (!listens(w))
        sim_fail(w, "braid_listen failed");
    return NAME;
}

void chain_server_moved(struct world *w, const struct sim_moved *m)
{
    list_each (n, tmp, &w->chain->guests)
        sim_follow(m, &list_entry(n, struct guest, node)->conn);
}

void chain_server_end(struct world *w)
{
    while (!list_empty(&w->chain->guests))
        guest_free(list_entry(w->chain->guests.next, struct guest, node));
}
