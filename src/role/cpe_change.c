/* Another configuration of the CPEs of one worker (cpes_change): as for edges (edge_change.c). */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/log.h"
#include "role/askers.h"
#include "role/cpe_state.h"

void cpes_hold(struct cpes *cs, struct hold *hold)
{
    cs->hold = hold;
}

static bool is_same(const struct cpe_params *a, const struct cpe_params *b)
{
    if (strcmp(a->name, b->name) != 0 || a->kind != b->kind || a->tproxy != b->tproxy ||
        a->n_listen != b->n_listen || a->port_first != b->port_first || a->port_last != b->port_last)
        return false;
    for (unsigned i = 0; i < a->n_listen; i++)
        if (!addr_equal(&a->listen[i], &b->listen[i]))
            return false;
    return true;
}

static struct cpe *find_same(const struct cpes *cs, const struct cpe_params *p)
{
    for (unsigned i = 0; i < cs->n; i++)
        if (is_same(cs->all[i]->params, p))
            return cs->all[i];
    return NULL;
}

static void leave(struct cpes *cs, struct cpe *cpe)
{
    cpe_stop(cpe);
    cpe->leaving = true;
    cpe->hold = hold_get(cs->hold);
    list_append(&cs->leaving, &cpe->link);
}

/* ---- the change ------------------------------------------------------------------------------------- */

static bool is_among(struct cpe *const *all, unsigned n, const struct cpe *cpe)
{
    for (unsigned i = 0; i < n; i++)
        if (all[i] == cpe)
            return true;
    return false;
}

static struct cpe *make_new(struct cpes *cs, const struct cpe_params *params)
{
    const struct cpe *before = cpes_find(cs, params->name);
    struct cpe *cpe = cpe_new(cs, params);
    if (cpe && before)
        cpe->drained = before->drained;
    return cpe;
}

/* Those that stay, and new ones. NULL: memory is short. */
static struct cpe **make_all(struct cpes *cs, const struct cpes_change *change)
{
    struct cpe **all = calloc(change->n + 1, sizeof(struct cpe *));
    for (unsigned i = 0; all && i < change->n; i++) {
        all[i] = find_same(cs, &change->params[i]);
        if (!all[i])
            all[i] = make_new(cs, &change->params[i]);
        if (all[i])
            continue;
        while (i-- > 0)
            if (!is_among(cs->all, cs->n, all[i]))
                cpe_free(all[i]);
        free(all);
        return NULL;
    }
    return all;
}

/* What was noted of a peer is not true of another in its place. */
static void take_params(struct cpe *cpe, const struct cpe_params *params)
{
    cpe->params = params;
    memset(cpe->rest_until, 0, sizeof(cpe->rest_until));
    memset(cpe->hasty_until, 0, sizeof(cpe->hasty_until));
    memset(cpe->unasked_until, 0, sizeof(cpe->unasked_until));
    memset(cpe->peers, 0, sizeof(cpe->peers));
}

static int listen_all(struct cpes *cs)
{
    int result = 0;
    for (unsigned i = 0; i < cs->n; i++) {
        if (cpe_listen(cs->all[i]) == 0)
            continue;
        log_error("cpe %s: one worker takes no connections of the LAN: memory or descriptors are short, or "
                  "its listen address has been taken",
                  cs->all[i]->params->name);
        result = -1;
    }
    return result;
}

int cpes_change(struct cpes *cs, const struct cpes_change *change)
{
    bool failed;
    struct askers *askers = cpe_askers(&change->neighbours, &failed);
    struct cpe **all = failed ? NULL : make_all(cs, change);
    if (!all) {
        askers_free(askers);
        return -1;
    }
    for (unsigned i = 0; i < cs->n; i++)
        if (!is_among(all, change->n, cs->all[i]))
            leave(cs, cs->all[i]);
    free(cs->all);
    cs->all = all;
    cs->n = change->n;
    cs->hold = change->hold;
    askers_free(cs->askers);
    cs->askers = askers;
    cs->neighbours = change->neighbours;
    for (unsigned i = 0; i < cs->n; i++)
        take_params(all[i], &change->params[i]);
    cpes_sweep(cs);
    return listen_all(cs);
}

bool cpes_drain(struct cpes *cs, const char *name, bool drained)
{
    struct cpe *cpe = cpes_find(cs, name);
    if (!cpe || cpe->drained == drained)
        return false;
    cpe->drained = drained;
    if (cpe_rest(cpe) < 0)
        log_error("cpe %s: one worker takes no connections of the LAN: its listen address has been taken, or "
                  "memory or descriptors are short",
                  name);
    return true;
}

void cpes_leaving(const struct cpes *cs, unsigned i, uint64_t *open, uint64_t *connecting)
{
    *open = *connecting = 0;
    list_each (at, next, &cs->leaving) {
        const struct cpe *cpe = list_entry(at, struct cpe, link);
        if (strcmp(cpe->params->name, cs->all[i]->params->name) != 0)
            continue;
        *open += cpe->counters.open;
        *connecting += cpe->counters.connecting;
    }
}
