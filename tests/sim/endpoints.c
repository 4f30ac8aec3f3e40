/* Addresses that come and go at run time, and what a plan expects of the path managers. */
#include <string.h>
#include "families.h"
#include "world.h"

static struct braid_ip endpoint_ip(const struct world *w, unsigned side, unsigned n)
{
    return side == SIM_CLIENT ? sim_client_now(w, n) : sim_server_ip(&w->s, n);
}

/* Who chooses among the uplinks hears of it. */
static void note_uplink(struct world *w, unsigned path, bool usable)
{
    w->usable[path] = usable;
    if (w->chain)
        w->s.chain.middle->renewed(w);
}

void sim_endpoint_add(struct world *w, unsigned side, unsigned n)
{
    struct braid_endpoint e = {.addr = {endpoint_ip(w, side, n), w->s.signal[side] ? w->s.signal_port : 0},
                               .subflow = true,
                               .signal = w->s.signal[side],
                               .backup = side == SIM_CLIENT && n > 0 && w->s.backup_endpoints};

    sim_trace(w, "%s has address %u", side ? "server" : "client", n);
    for (unsigned i = 0; i < w->s.workers[side]; i++) {
        if (braid_core_endpoint_add(w->cores[side][i].core, &e) != 0)
            sim_fail(w, "braid_core_endpoint_add failed");
        sim_core_touch(&w->cores[side][i]);
    }
    if (side == SIM_CLIENT)
        note_uplink(w, n, true);
}

void sim_endpoint_remove(struct world *w, unsigned side, unsigned n)
{
    struct braid_ip ip = endpoint_ip(w, side, n);

    sim_trace(w, "%s no longer has address %u", side ? "server" : "client", n);
    for (unsigned i = 0; i < w->s.workers[side]; i++) {
        braid_core_endpoint_remove(w->cores[side][i].core, &ip);
        sim_core_touch(&w->cores[side][i]);
    }
    if (side == SIM_CLIENT)
        note_uplink(w, n, false);
}

void sim_client_renew(struct world *w, unsigned path)
{
    sim_endpoint_remove(w, SIM_CLIENT, path);
    w->renewed[path]++;
    sim_endpoint_add(w, SIM_CLIENT, path);
}

unsigned sim_established(const struct app *app)
{
    struct braid_conn_stats stats;
    unsigned n = 0;

    braid_conn_stats(app->conn, &stats);
    for (unsigned i = 0; i < stats.n_subflows; i++)
        n += strcmp(stats.subflows[i].state, "ESTABLISHED") == 0;
    return n;
}

/* There is still much to be carried, one way or the other, by both ends as MPTCP. */
static bool transfer_goes_on(const struct world *w, const struct action *a)
{
    const struct app *client = &w->apps[SIM_CLIENT][a->conn], *server = &w->apps[SIM_SERVER][a->conn];

    if (!client->conn || !server->conn || !braid_conn_is_mptcp(client->conn))
        return false;
    return client->read + MB < server->p.total || server->read + MB < client->p.total;
}

void sim_expect_subflows(struct world *w, const struct action *a)
{
    if (transfer_goes_on(w, a) && sim_established(&w->apps[SIM_CLIENT][a->conn]) < a->a)
        sim_fail(w, "client %u has %u subflows instead of %u", a->conn,
                 sim_established(&w->apps[SIM_CLIENT][a->conn]), a->a);
}

void sim_expect_used(struct world *w, const struct action *a)
{
    const struct sim_dir *d = w->dirs[a->a];
    braid_time since = w->time.now - a->b * BRAID_MS;

    if (transfer_goes_on(w, a) && d[SIM_CLIENT].payload_at < since && d[SIM_SERVER].payload_at < since)
        sim_fail(w, "path %u carried nothing for %u ms", a->a, a->b);
}
