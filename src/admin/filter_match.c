/* See filter_match.h. */
#include <string.h>
#include "admin/filter_match.h"
#include "admin/render.h"
#include "base/addr.h"

static bool is_in(const struct filter_prefix *p, const struct braid_addr *a)
{
    return a->port != 0 && (p->port == 0 || p->port == a->port) && ip_in_prefix(&a->ip, &p->ip, p->bits);
}

static bool has_path(const struct filter *f, const struct braid_conn_stats *c)
{
    for (unsigned i = 0; i < c->n_subflows; i++)
        if (c->subflows[i].path_rule == f->path_rule)
            return true;
    return false;
}

static bool has_uplink(const struct filter *f, const struct braid_conn_stats *c)
{
    for (unsigned i = 0; i < c->n_subflows; i++)
        for (unsigned k = 0; k < 2; k++)
            if (!ip_is_unspecified(&f->inner[k]) && ip_equal(&c->subflows[i].local.ip, &f->inner[k]))
                return true;
    return false;
}

/* In the order of the numbers within a worker, and one worker behind the other: as lists are. */
static bool is_behind(uint64_t after, uint64_t id, const struct filter_place *at)
{
    uint64_t worker = after % at->n_workers;
    return worker == at->worker ? id > after / at->n_workers : at->worker > worker;
}

static bool is_true(const struct filter *f, enum braid_filter key, const struct snapshot_conn *c,
                    const struct filter_place *at)
{
    const struct braid_conn_stats *s = &c->stats;
    const struct render_conn seen = render_conn_of(c);
    switch (key) {
    case BRAID_FILTER_EDGE:
        return strcmp(seen.name, f->edge) == 0;
    case BRAID_FILTER_CLIENT:
        return is_in(&f->client, &seen.client);
    case BRAID_FILTER_SERVER:
        return is_in(&f->server, &c->told.server);
    case BRAID_FILTER_STATE:
        return s->state == f->state;
    case BRAID_FILTER_SUBFLOWS:
        return s->n_subflows >= f->subflows_min && s->n_subflows <= f->subflows_max;
    case BRAID_FILTER_IDLE:
        return at->now - s->active_at >= (braid_time)f->idle_s * BRAID_SECOND;
    case BRAID_FILTER_PATH:
        return has_path(f, s);
    case BRAID_FILTER_UPLINK:
        return has_uplink(f, s);
    case BRAID_FILTER_AFTER:
        return is_behind(f->after, s->id, at);
    case BRAID_FILTER_MAX:
        break;
    }
    return false;
}

bool filter_matches(const struct filter *f, const struct snapshot_conn *c, const struct filter_place *at)
{
    for (unsigned i = 0; i < BRAID_FILTER_MAX; i++)
        if (filter_says(f, i) && !is_true(f, i, c, at))
            return false;
    return true;
}
