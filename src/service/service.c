/* Puts the data path together, and takes it apart in the order that its threads need. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/mailbox.h"
#include "service/apps.h"
#include "service/ledgers.h"
#include "service/quota_keeper.h"
#include "service/quotas.h"
#include "service/roles.h"
#include "service/routes.h"
#include "service/service.h"
#include "service/uplink_keeper.h"
#include "service/watchdog.h"
#include "service/workers.h"

struct service {
    struct service_params own;           /* in force; what all others have of it ... */
    const struct service_params *params; /* ... is this, which is it */
    struct event_base *base;             /* the main loop's ... */
    struct mailbox *mailbox;             /* ... and its mailbox */
    struct roles *roles;
    struct routes *routes;
    struct ledgerfile *ledgers; /* NULL: nothing outlives a crash */
    struct workers *workers;
    struct uplink_keeper *uplinks; /* NULL: there are none */
    struct apps *apps;             /* NULL: programs cannot ask */
    struct watchdog *watchdog;     /* NULL: nobody asks for it */
    struct quota *quota;           /* NULL: there is none, or one worker has it all */
    struct quota_keeper *keeper;   /* NULL: quotas do not outlive the daemon */
};

static int make_workers(struct service *s, unsigned n, char *error)
{
    const struct service_params *p = s->params;
    s->ledgers = ledgers_open(p->daemon->state, n);
    struct workers_params params = {.limits = p->limits,
                                    .mtu = (uint16_t)p->tun->mtu,
                                    .queues = routes_queues(s->routes),
                                    .poll = p->daemon->poll,
                                    .ledgers = s->ledgers,
                                    .tun_lost = routes_lost,
                                    .tun_lost_arg = s->routes};
    s->workers = workers_make(n, &params, error);
    return s->workers ? 0 : -1;
}

/* They ask about connections of CPEs. */
static int listen_to_programs(struct service *s, char error[SERVICE_ERROR])
{
    const struct app_scene scene = {
        .params = s->params, .workers = s->workers, .uplinks = service_uplinks(s), .main = s->mailbox};
    if (!s->params->daemon->app_socket)
        return 0;
    s->apps = apps_open(s->base, &scene, error);
    return s->apps ? 0 : -1;
}

/* The ledgers come late: what an earlier daemon has left would be lost if we did not get that far. */
static int make(struct service *s, struct event_base *base, char *error)
{
    unsigned n = workers_wanted(s->params->daemon);
    s->roles = roles_new(base, s->params, error);
    if (!s->roles)
        return -1;
    s->routes = routes_open(s->params, n, error);
    if (!s->routes || make_workers(s, n, error) < 0 || roles_make(s->roles, s->workers, error) < 0)
        return -1;
    if (s->params->n_uplinks > 0) {
        s->uplinks = uplink_keeper_new(base, s->params, routes_tun(s->routes), s->workers, s->mailbox, error);
        if (!s->uplinks)
            return -1;
    }
    if (routes_watch(s->routes, s->workers, base, s->mailbox, error) < 0)
        return -1;
    return listen_to_programs(s, error);
}

struct service *service_new(struct event_base *base, const struct service_params *params,
                            char error[SERVICE_ERROR])
{
    struct service *s = calloc(1, sizeof(*s));
    if (s)
        s->mailbox = mailbox_new(base);
    if (!s || !s->mailbox) {
        snprintf(error, SERVICE_ERROR, "out of memory or descriptors");
        free(s);
        return NULL;
    }
    s->own = *params;
    s->params = &s->own;
    s->base = base;
    if (make(s, base, error) < 0) {
        service_free(s);
        return NULL;
    }
    return s;
}

static int share_quotas(struct service *s, char error[SERVICE_ERROR])
{
    const struct braid_core_params *limits = s->params->limits;
    bool any = false;
    for (unsigned i = 0; i < limits->n_paths; i++)
        any |= limits->paths[i].quota > 0;
    if (!any || s->workers->n < 2)
        return 0;
    s->quota = quota_start(s->workers->all, s->workers->n, limits->n_paths, s->params->generation);
    if (!s->quota)
        snprintf(error, SERVICE_ERROR, "out of memory");
    return s->quota ? 0 : -1;
}

int service_start(struct service *s, char error[SERVICE_ERROR])
{
    s->keeper = quota_keeper_new(s->base, s->workers, s->params);
    if (share_quotas(s, error) < 0)
        return -1;
    ledgers_end_orphans(s->ledgers, s->workers, s->mailbox);
    if (workers_start(s->workers, error) < 0)
        return -1;
    int failed;
    s->watchdog = watchdog_new(s->base, s->mailbox, s->workers, &failed);
    if (failed) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return -1;
    }
    roles_start(s->roles);
    return 0;
}

int service_take_over(struct service *s, const struct taking *t, char error[SERVICE_ERROR])
{
    if (take_over(t, s->params, s->workers, error) < 0)
        return -1;
    roles_take_over(s->roles);
    if (s->uplinks)
        uplink_keeper_settle(s->uplinks);
    ledgers_settle(s->ledgers);
    return 0;
}

struct upgrade *service_upgrade(struct service *s, const struct upgrade_params *params,
                                char error[SERVICE_ERROR])
{
    struct upgrade_params all = *params;
    all.base = s->base;
    all.workers = s->workers;
    return upgrade_begin(&all, error);
}

struct worker *const *service_workers(const struct service *s, unsigned *n)
{
    *n = s->workers->n;
    return s->workers->all;
}

const struct uplinks *service_uplinks(const struct service *s)
{
    return s->uplinks ? uplink_keeper_view(s->uplinks) : NULL;
}

/* ---- another configuration ------------------------------------------------------------------------- */

#define PAUSE_MS 5000 /* that a worker may take to come to rest */

/* Where each path rule of `now` was so far; -1: nowhere. Names are compared by where they are. */
static void find_paths(const struct service_params *before, const struct service_params *now, int *was)
{
    for (unsigned i = 0; i < now->limits->n_paths; i++) {
        was[i] = -1;
        for (unsigned j = 0; j < before->limits->n_paths; j++)
            if (before->path_names[j] == now->path_names[i])
                was[i] = (int)j;
    }
}

struct core_change {
    const struct service_params *now;
    size_t memory;
    const int *was;
    atomic_bool short_of_memory;
};

/* What other workers have carried is told again once the pause is over. */
static void change_core(struct worker *w, void *arg)
{
    struct core_change *change = arg;
    struct braid_core_params limits = *change->now->limits;
    struct braid_core *core = worker_core(w);
    limits.memory = change->memory;
    braid_core_set_limits(core, &limits);
    if (braid_core_set_paths(core, limits.paths, limits.n_paths, change->was) < 0)
        atomic_store(&change->short_of_memory, true);
}

static int change_cores(struct service *s, struct pause *pause, const struct service_params *now)
{
    int was[now->limits->n_paths + 1];
    find_paths(s->params, now, was);
    struct core_change change = {
        .now = now, .memory = workers_memory(now->limits, s->workers->n), .was = was};
    pause_each(pause, change_core, &change);
    return atomic_load(&change.short_of_memory) ? -1 : 0;
}

/* The first uplinks come, or what is said of them changes. */
static int change_uplinks(struct service *s, char *error)
{
    if (s->uplinks) {
        uplink_keeper_change(s->uplinks);
        return 0;
    }
    if (s->params->n_uplinks == 0)
        return 0;
    s->uplinks = uplink_keeper_new(s->base, s->params, routes_tun(s->routes), s->workers, s->mailbox, error);
    if (s->uplinks && s->apps)
        apps_set_uplinks(s->apps, uplink_keeper_view(s->uplinks));
    return s->uplinks ? 0 : -1;
}

/* With the workers at rest. */
static int change_all(struct service *s, struct pause *pause, const struct service_params *now, char *error)
{
    quota_stop(s->quota);
    s->quota = NULL;
    int result = change_cores(s, pause, now) | roles_change(s->roles, pause, now);
    s->own = *now;
    quota_keeper_change(s->keeper);
    if (share_quotas(s, error) < 0)
        result = -1;
    bool first = !s->uplinks && s->params->n_uplinks > 0;
    if (first && change_uplinks(s, error) < 0) /* its probes begin with the workers at rest */
        result = -1;
    pause_end(pause);
    if (!first && change_uplinks(s, error) < 0)
        result = -1;
    roles_start(s->roles);
    return result;
}

int service_change(struct service *s, const struct service_params *now, char error[SERVICE_ERROR])
{
    if (roles_prepare(s->roles, now, error) < 0)
        return -1;
    struct pause *pause = routes_add(s->routes, now, error) < 0 ? NULL : pause_begin(s->workers, PAUSE_MS);
    if (!pause) {
        if (error[0] == '\0')
            snprintf(error, SERVICE_ERROR, "a worker does not come to rest, or memory is short");
        roles_discard(s->roles);
        return -1;
    }
    snprintf(error, SERVICE_ERROR, "out of memory");
    return change_all(s, pause, now, error) < 0 ? 1 : 0;
}

void service_forget(struct service *s, const struct service_params *const *all, unsigned n)
{
    routes_keep(s->routes, all, n);
}

void service_drain(struct service *s, void (*done)(void *arg), void *arg)
{
    roles_drain(s->roles, s->mailbox, done, arg);
}

void service_free(struct service *s)
{
    if (!s)
        return;
    roles_stop(s->roles);
    watchdog_stop(s->watchdog);
    apps_close(s->apps); /* what it has under way comes to its end in the mailbox */
    uplink_keeper_stop(s->uplinks);
    workers_stop(s->workers);
    quota_stop(s->quota);
    quota_keeper_free(s->keeper);
    roles_leave(s->roles);
    workers_free(s->workers); /* with the routes to clients still in place */
    mailbox_free(s->mailbox);
    watchdog_free(s->watchdog);
    roles_free(s->roles);
    ledgerfile_close(s->ledgers);
    uplink_keeper_free(s->uplinks);
    routes_close(s->routes);
    free(s);
}
