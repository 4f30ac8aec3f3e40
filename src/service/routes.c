/* See routes.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/log.h"
#include "io/mailbox.h"
#include "io/tun.h"
#include "io/tunwatch.h"
#include "io/upstream.h"
#include "role/edge_mode.h"
#include "service/routes.h"
#include "service/steering.h"

/* That clients send to, each once. */
struct addresses {
    struct braid_ip *all;
    unsigned n;
};

struct routes {
    const struct service_params *params;
    struct tun tun;
    bool tun_open;
    bool steered; /* it is the default route of TUN_TABLE */
    struct addresses addresses;
    struct event_base *base;
    const struct workers *workers;
    struct mailbox *main;
    struct tunwatch *tunwatch;
    struct steering *steering; /* NULL: routing is the operator's */
};

static bool is_among(const struct braid_ip *all, unsigned n, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < n; i++)
        if (ip_equal(&all[i], ip))
            return true;
    return false;
}

/* Edges may share addresses. */
static void note_address(struct addresses *a, const struct braid_ip *ip)
{
    if (!ip_is_unspecified(ip) && !is_among(a->all, a->n, ip))
        a->all[a->n++] = *ip;
}

/* Where edges listen, and what they signal, behind what is there. -1: memory is short. */
static int note_addresses(struct addresses *a, const struct service_params *p)
{
    unsigned most = a->n;
    for (unsigned i = 0; i < p->n_edges; i++)
        most += EDGE_LISTENERS + p->edges[i].n_signal;
    struct braid_ip *grown = realloc(a->all, (most + 1) * sizeof(*grown)); /* + 1: there may be no edges */
    if (!grown)
        return -1;
    a->all = grown;
    for (unsigned i = 0; i < p->n_edges; i++) {
        const struct edge_params *e = &p->edges[i];
        struct braid_addr own[EDGE_LISTENERS];
        for (unsigned j = edge_mode(e)->addresses(e, own); j-- > 0;)
            note_address(a, &own[j].ip);
        for (unsigned j = 0; j < e->n_signal; j++)
            note_address(a, &e->signal[j]);
    }
    return 0;
}

/* The kernel looks for its own addresses before it looks at any route. */
static void warn_of_own_addresses(const struct routes *r)
{
    char text[ADDR_TEXT];
    for (unsigned i = 0; i < r->addresses.n; i++) {
        if (upstream_is_own(&r->addresses.all[i]))
            log_warn("%s is an address of this machine itself, so that its clients never reach the TUN: "
                     "give edges addresses that no interface has",
                     ip_text(&r->addresses.all[i], text));
    }
}

static bool is_steered_to(const struct service_params *p)
{
    if (p->n_cpes > 0)
        return true;
    for (unsigned i = 0; i < p->n_edges; i++) {
        if (edge_mode(&p->edges[i])->steered)
            return true;
    }
    return false;
}

static int open_tun(struct routes *r, unsigned n, char *error)
{
    const struct service_params *p = r->params;
    if (tun_open(&r->tun, p->tun, n, error) < 0)
        return -1;
    r->tun_open = true;
    bool v4 = p->n_cpes > 0, v6 = v4;
    for (unsigned i = 0; i < p->n_edges; i++) {
        struct braid_addr own[EDGE_LISTENERS];
        for (unsigned j = edge_mode(&p->edges[i])->addresses(&p->edges[i], own); j-- > 0;) {
            v4 |= ip_is_v4(&own[j].ip);
            v6 |= !ip_is_v4(&own[j].ip);
        }
    }
    tun_check_forwarding(&r->tun, v4, v6);
    if (!p->tun->routes_auto)
        return 0;
    if (is_steered_to(p) && tun_steer(&r->tun, error) < 0)
        return -1;
    r->steered = is_steered_to(p);
    for (unsigned i = 0; i < r->addresses.n; i++) {
        if (tun_route(&r->tun, &r->addresses.all[i], error) < 0)
            return -1;
    }
    return 0;
}

struct routes *routes_open(const struct service_params *params, unsigned n, char error[SERVICE_ERROR])
{
    struct routes *r = calloc(1, sizeof(*r));
    if (r)
        r->params = params;
    if (!r || note_addresses(&r->addresses, params) < 0) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        routes_close(r);
        return NULL;
    }
    if (!params->tun->routes_auto) /* tun_route refuses them */
        warn_of_own_addresses(r);
    if (open_tun(r, n, error) < 0) {
        routes_close(r);
        return NULL;
    }
    return r;
}

const int *routes_queues(const struct routes *r)
{
    return r->tun.fds;
}

const struct tun *routes_tun(const struct routes *r)
{
    return &r->tun;
}

/* ---- what others do to the TUN ----------------------------------------------------------------- */

static void read_again(struct worker *w, void *arg)
{
    (void)arg;
    worker_tun_again(w);
}

static void on_readable(void *arg)
{
    struct routes *r = arg;
    workers_tell(r->workers, read_again, NULL);
}

static void on_lost(void *arg, const char *why)
{
    struct routes *r = arg;
    r->params->failed(r->params->failed_arg, why);
}

/* In the main thread. */
static void take_tun_lost(void *arg)
{
    struct routes *r = arg;
    tunwatch_look(r->tunwatch);
}

/* If memory is short it looks like a TUN without packets. */
void routes_lost(void *arg)
{
    struct routes *r = arg;
    mailbox_post(r->main, take_tun_lost, r);
}

int routes_watch(struct routes *r, const struct workers *workers, struct event_base *base,
                 struct mailbox *main, char error[SERVICE_ERROR])
{
    r->workers = workers;
    r->main = main;
    r->base = base;
    struct tunwatch_params params = {.tun = &r->tun,
                                     .routes = r->addresses.all,
                                     .n_routes = r->addresses.n,
                                     .steer = r->steered,
                                     .readable = on_readable,
                                     .lost = on_lost,
                                     .arg = r};
    if (!r->params->tun->routes_auto)
        params.n_routes = 0, params.steer = false;
    r->tunwatch = tunwatch_new(base, &params);
    if (r->params->tun->routes_auto)
        r->steering = steering_new(base, r->params);
    if (!r->tunwatch)
        snprintf(error, SERVICE_ERROR, "tun: cannot watch it: out of memory or descriptors");
    return r->tunwatch ? 0 : -1;
}

/* ---- changes ------------------------------------------------------------------------------------- */

/* Routes to those that are not among the old ones. What was done is undone if one cannot be. */
static int route_new(struct routes *r, const struct addresses *now, char *error)
{
    for (unsigned i = r->addresses.n; i < now->n; i++) {
        if (tun_route(&r->tun, &now->all[i], error) == 0)
            continue;
        while (i-- > r->addresses.n)
            tun_unroute(&r->tun, &now->all[i]);
        return -1;
    }
    return 0;
}

/* From now on these are the addresses, whose memory it takes. */
static void take_addresses(struct routes *r, const struct addresses *now, bool steered)
{
    struct braid_ip *old = r->addresses.all;
    r->steered = steered;
    if (r->params->tun->routes_auto && tunwatch_routes(r->tunwatch, now->all, now->n, steered) < 0) {
        log_error("tun: out of memory: what others do to new routes is not watched");
        old = NULL; /* it is still watched */
    }
    r->addresses = *now;
    free(old);
}

int routes_add(struct routes *r, const struct service_params *params, char error[SERVICE_ERROR])
{
    struct addresses now = {.all = malloc((r->addresses.n + 1) * sizeof(*now.all)), .n = r->addresses.n};
    if (now.all)
        memcpy(now.all, r->addresses.all, now.n * sizeof(*now.all));
    if (!now.all || note_addresses(&now, params) < 0) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        free(now.all);
        return -1;
    }
    bool automatic = params->tun->routes_auto, steered = r->steered || is_steered_to(params);
    if (automatic &&
        ((steered && !r->steered && tun_steer(&r->tun, error) < 0) || route_new(r, &now, error) < 0)) {
        free(now.all);
        return -1;
    }
    take_addresses(r, &now, steered);
    return 0;
}

void routes_keep(struct routes *r, const struct service_params *const *all, unsigned n)
{
    struct addresses kept = {.n = 0};
    bool steered = false;
    for (unsigned i = 0; i < n; i++) {
        steered |= is_steered_to(all[i]);
        if (note_addresses(&kept, all[i]) < 0) {
            free(kept.all);
            return; /* routes too many do no harm */
        }
    }
    if (r->params->tun->routes_auto) {
        for (unsigned i = 0; i < r->addresses.n; i++)
            if (!is_among(kept.all, kept.n, &r->addresses.all[i]))
                tun_unroute(&r->tun, &r->addresses.all[i]);
        if (r->steered && !steered)
            tun_unsteer(&r->tun);
    }
    take_addresses(r, &kept, steered);
    steering_free(r->steering);
    r->steering = r->params->tun->routes_auto ? steering_new(r->base, r->params) : NULL;
}

void routes_close(struct routes *r)
{
    if (!r)
        return;
    tunwatch_free(r->tunwatch);
    steering_free(r->steering);
    if (r->tun_open) {
        if (r->params->tun->routes_auto) {
            for (unsigned i = 0; i < r->addresses.n; i++)
                tun_unroute(&r->tun, &r->addresses.all[i]);
            if (r->steered)
                tun_unsteer(&r->tun);
        }
        tun_close(&r->tun);
    }
    free(r->addresses.all);
    free(r);
}
