/* Another configuration of the edges of one worker (edges_change). Everything that takes memory is made
 * before anything is touched, but for listeners. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "role/edge_client.h"
#include "role/edge_mode.h"
#include "role/learn.h"

void edges_hold(struct edges *es, struct hold *hold)
{
    es->hold = hold;
}

/* ---- who stays -------------------------------------------------------------------------------------- */

static bool has_addr(const struct edge_params *p, const struct braid_addr *addr)
{
    for (unsigned i = 0; i < p->n_listen; i++)
        if (addr_equal(&p->listen[i], addr))
            return true;
    return false;
}

static bool has_signal(const struct edge_params *p, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < p->n_signal; i++)
        if (ip_equal(&p->signal[i], ip))
            return true;
    return false;
}

/* Whether clients of the one come to the same places as those of the other. Addresses in another order are
 * another edge's: listeners go by their place. */
static bool is_same(const struct edge_params *a, const struct edge_params *b)
{
    if (strcmp(a->name, b->name) != 0 || a->kind != b->kind || a->n_listen != b->n_listen ||
        a->n_signal != b->n_signal || a->port_first != b->port_first || a->port_last != b->port_last)
        return false;
    for (unsigned i = 0; i < a->n_listen; i++)
        if (!has_addr(b, &a->listen[i]) || !addr_equal(&a->listen[i], &b->listen[i]))
            return false;
    for (unsigned i = 0; i < a->n_signal; i++)
        if (!has_signal(b, &a->signal[i]))
            return false;
    return true;
}

static struct edge *find_same(const struct edges *es, const struct edge_params *p)
{
    for (unsigned i = 0; i < es->n; i++)
        if (is_same(es->edges[i]->params, p))
            return es->edges[i];
    return NULL;
}

/* ---- leaving ---------------------------------------------------------------------------------------- */

static void leave(struct edges *es, struct edge *e)
{
    edge_stop(e);
    e->leaving = true;
    e->hold = hold_get(es->hold);
    list_append(&es->leaving, &e->link);
}

/* ---- the change ------------------------------------------------------------------------------------- */

static bool is_among(struct edge *const *all, unsigned n, const struct edge *e)
{
    for (unsigned i = 0; i < n; i++)
        if (all[i] == e)
            return true;
    return false;
}

/* One that has moved to another address is still the one that was drained. */
static struct edge *make_new(struct edges *es, const struct edge_params *params,
                             const struct targets *targets)
{
    const struct edge *before = edges_find(es, params->name);
    struct edge *e = edge_new(es, params, targets);
    if (e && before)
        e->drained = before->drained;
    return e;
}

/* Those that stay, and new ones. NULL: memory is short. */
static struct edge **make_all(struct edges *es, const struct edges_change *change)
{
    struct edge **all = calloc(change->n + 1, sizeof(struct edge *));
    const struct targets *targets = change->targets;
    for (unsigned i = 0; all && i < change->n; i++) {
        all[i] = find_same(es, &change->params[i]);
        if (!all[i])
            all[i] = make_new(es, &change->params[i], targets);
        targets += change->params[i].pool.n;
        if (all[i])
            continue;
        while (i-- > 0)
            if (!is_among(es->edges, es->n, all[i]))
                edge_free(all[i]);
        free(all);
        return NULL;
    }
    return all;
}

/* -1: memory is short, and it does not use every address of its targets. */
static int take_params(struct edge *e, const struct edge_params *params, const struct targets *targets)
{
    e->params = params;
    return pool_change(&e->pool, &params->pool, targets, clock_now());
}

static int take_all(struct edges *es, const struct edges_change *change)
{
    const struct targets *targets = change->targets;
    int result = 0;
    for (unsigned i = 0; i < es->n; i++) {
        if (take_params(es->edges[i], &change->params[i], targets) < 0)
            result = -1;
        targets += change->params[i].pool.n;
    }
    return result;
}

/* In their places, which others may have had a moment ago. */
static int listen_all(struct edges *es)
{
    int result = 0;
    for (unsigned i = 0; i < es->n; i++) {
        struct edge *e = es->edges[i];
        if (edge_prepare(e) == 0 && edge_listen(e) == 0)
            continue;
        log_error("edge %s: one worker does not listen for its connections: memory is short",
                  e->params->name);
        result = -1;
    }
    return result;
}

int edges_change(struct edges *es, const struct edges_change *change)
{
    struct edge **all = make_all(es, change);
    if (!all)
        return -1;
    for (unsigned i = 0; i < es->n; i++)
        if (!is_among(all, change->n, es->edges[i]))
            leave(es, es->edges[i]);
    free(es->edges);
    es->edges = all;
    es->n = change->n;
    es->hold = change->hold;
    es->unproven.limits = *change->limits;
    int taken = take_all(es, change);
    edges_sweep(es);
    int made = edges_bypass_new(es);
    return listen_all(es) < 0 || taken < 0 ? -1 : made;
}

bool edges_drain(struct edges *es, const char *name, bool drained)
{
    struct edge *e = edges_find(es, name);
    if (!e || e->drained == drained)
        return false;
    e->drained = drained;
    if (edge_rest(e) < 0)
        log_error("edge %s: one worker does not listen for its connections: another one is at its address",
                  name);
    return true;
}

void edges_leaving(const struct edges *es, unsigned i, uint64_t *open, uint64_t *connecting)
{
    *open = *connecting = 0;
    list_each (at, next, &es->leaving) {
        const struct edge *e = list_entry(at, struct edge, link);
        if (strcmp(e->params->name, es->edges[i]->params->name) != 0)
            continue;
        *open += e->counters.open;
        *connecting += e->counters.connecting;
    }
}
