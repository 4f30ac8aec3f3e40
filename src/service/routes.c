/* See routes.h. */
#include <stdio.h>
#include <stdlib.h>
#include "base/addr.h"
#include "io/log.h"
#include "io/mailbox.h"
#include "io/tun.h"
#include "io/tunwatch.h"
#include "io/upstream.h"
#include "role/edge_mode.h"
#include "service/routes.h"
#include "service/steering.h"

struct routes {
    const struct service_params *params;
    struct tun tun;
    bool tun_open;
    struct braid_ip *addresses; /* that clients send to, each once */
    unsigned n_addresses;
    const struct workers *workers;
    struct mailbox *main;
    struct tunwatch *tunwatch;
    struct steering *steering; /* NULL: routing is the operator's */
};

/* Edges may share addresses. */
static void note_address(struct routes *r, const struct braid_ip *ip)
{
    if (ip_is_unspecified(ip))
        return;
    for (unsigned i = 0; i < r->n_addresses; i++) {
        if (ip_equal(&r->addresses[i], ip))
            return;
    }
    r->addresses[r->n_addresses++] = *ip;
}

/* Where edges listen, and what they signal. -1: memory is short. */
static int note_addresses(struct routes *r)
{
    const struct edge_params *edges = r->params->edges;
    unsigned most = 0;
    for (unsigned i = 0; i < r->params->n_edges; i++)
        most += EDGE_LISTENERS + edges[i].n_signal;
    r->addresses = calloc(most + 1, sizeof(*r->addresses)); /* + 1: there may be no edges */
    if (!r->addresses)
        return -1;
    for (unsigned i = 0; i < r->params->n_edges; i++) {
        struct braid_addr own[EDGE_LISTENERS];
        for (unsigned j = edge_mode(&edges[i])->addresses(&edges[i], own); j-- > 0;)
            note_address(r, &own[j].ip);
        for (unsigned j = 0; j < edges[i].n_signal; j++)
            note_address(r, &edges[i].signal[j]);
    }
    return 0;
}

/* The kernel looks for its own addresses before it looks at any route. */
static void warn_of_own_addresses(const struct routes *r)
{
    char text[ADDR_TEXT];
    for (unsigned i = 0; i < r->n_addresses; i++) {
        if (upstream_is_own(&r->addresses[i]))
            log_warn("%s is an address of this machine itself, so that its clients never reach the TUN: "
                     "give edges addresses that no interface has",
                     ip_text(&r->addresses[i], text));
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
    for (unsigned i = 0; i < r->n_addresses; i++) {
        if (tun_route(&r->tun, &r->addresses[i], error) < 0)
            return -1;
    }
    return 0;
}

struct routes *routes_open(const struct service_params *params, unsigned n, char error[SERVICE_ERROR])
{
    struct routes *r = calloc(1, sizeof(*r));
    if (r)
        r->params = params;
    if (!r || note_addresses(r) < 0) {
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
    struct tunwatch_params params = {.tun = &r->tun,
                                     .routes = r->addresses,
                                     .n_routes = r->n_addresses,
                                     .steer = is_steered_to(r->params),
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

void routes_close(struct routes *r)
{
    if (!r)
        return;
    tunwatch_free(r->tunwatch);
    steering_free(r->steering);
    if (r->tun_open) {
        if (r->params->tun->routes_auto) {
            for (unsigned i = 0; i < r->n_addresses; i++)
                tun_unroute(&r->tun, &r->addresses[i]);
            if (is_steered_to(r->params))
                tun_unsteer(&r->tun);
        }
        tun_close(&r->tun);
    }
    free(r->addresses);
    free(r);
}
