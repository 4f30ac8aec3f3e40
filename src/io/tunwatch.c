/* Messages of rtnetlink are only hints: each burst of them leads to one look at everything. Who takes away
 * again and again what we put back gets it back later and later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "base/addr.h"
#include "io/log.h"
#include "io/rtnetlink.h"
#include "io/tunwatch.h"

#define SETTLE_MS       10    /* from the first message of a burst to the look */
#define PAUSE_MS        1000  /* between two repairs, doubled by each that follows within two pauses ... */
#define PAUSE_MAX_MS    30000 /* ... up to this */
#define UNEXPLAINED_MAX 8     /* reports of a device that cannot be read although nothing is wrong with it */

struct tunwatch {
    struct tunwatch_params params;
    struct netlink *nl;
    struct event *news, *look, *calm;
    unsigned pause_ms;          /* before the next repair; 0: there was none lately */
    unsigned unexplained;       /* in a row */
    bool reported;              /* tunwatch_look was called since the last look */
    enum tun_route_state *said; /* of each route, what was last logged; TUN_ROUTE_THERE: nothing */
};

static void arm(struct event *timer, unsigned ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    event_add(timer, &tv);
}

/* Not at once, and not again while one is due. */
static void look_soon(struct tunwatch *w)
{
    if (!event_pending(w->look, EV_TIMEOUT, NULL))
        arm(w->look, w->pause_ms ? w->pause_ms : SETTLE_MS);
}

/* Something was put back: the next time takes longer, unless there is peace until then. */
static void repaired(struct tunwatch *w)
{
    w->pause_ms = w->pause_ms ? 2 * w->pause_ms : PAUSE_MS;
    if (w->pause_ms > PAUSE_MAX_MS)
        w->pause_ms = PAUSE_MAX_MS;
    arm(w->calm, 2 * w->pause_ms);
}

static void on_calm(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct tunwatch *w = arg;
    w->pause_ms = 0;
}

/* Says what is wrong with a route, once until it changes. */
static void say_route(struct tunwatch *w, unsigned i, enum tun_route_state state, int why)
{
    char text[ADDR_TEXT];
    const char *name = w->params.tun->name;
    if (w->said[i] == state)
        return;
    w->said[i] = state;
    ip_text(&w->params.routes[i], text);
    if (state == TUN_ROUTE_TAKEN)
        log_error("tun: another route for %s has taken the place of that to %s: its clients are not served; "
                  "remove it",
                  text, name);
    else if (state == TUN_ROUTE_LOCAL)
        log_error(
            "tun: %s has become an address of this machine, which now answers for it: its clients are not "
            "served; remove it from its interface",
            text);
    else if (state == TUN_ROUTE_FAILED)
        log_error("tun: cannot route %s to %s again: %s: its clients are not served", text, name,
                  strerror(why));
}

/* How many were put back. */
static unsigned restore_routes(struct tunwatch *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->params.n_routes; i++) {
        enum tun_route_state state = tun_route_restore(w->params.tun, &w->params.routes[i]);
        int why = errno;
        if (state == TUN_ROUTE_PUT_BACK) {
            n++;
            state = TUN_ROUTE_THERE;
        }
        if (state != TUN_ROUTE_FAILED || why != ENODEV) /* gone again: there will be another look */
            say_route(w, i, state, why);
    }
    if (w->params.steer && tun_steer_restore(w->params.tun))
        n++;
    return n;
}

static void say_repaired(const struct tunwatch *w, enum tun_state was, unsigned routes)
{
    const char *name = w->params.tun->name;
    switch (was) {
    case TUN_UP:
        log_warn("tun: %u route%s to %s had been removed: put back", routes, routes == 1 ? "" : "s", name);
        break;
    case TUN_DOWN:
        log_warn("tun: %s had been set down: brought up again, %u routes put back", name, routes);
        break;
    case TUN_GONE:
        log_warn("tun: %s had been deleted: made anew, %u routes put back", name, routes);
        break;
    }
}

/* True if nothing explains the reports of workers that cannot read. */
static bool is_unexplained(struct tunwatch *w, enum tun_state was)
{
    if (!w->reported || was != TUN_UP)
        w->unexplained = 0;
    else
        w->unexplained++;
    return w->unexplained > UNEXPLAINED_MAX;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct tunwatch *w = arg;
    char error[TUN_ERROR];
    enum tun_state was;
    if (tun_restore(w->params.tun, &was, error) < 0) {
        w->params.lost(w->params.arg, error);
        return;
    }
    if (is_unexplained(w, was)) {
        snprintf(error, sizeof(error), "tun: cannot read from %s any more", w->params.tun->name);
        w->params.lost(w->params.arg, error);
        return;
    }
    unsigned routes = restore_routes(w);
    if (was != TUN_UP || routes > 0) {
        say_repaired(w, was, routes);
        repaired(w);
    }
    if (was == TUN_GONE || w->reported)
        w->params.readable(w->params.arg);
    w->reported = false;
}

static void on_news(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct tunwatch *w = arg;
    netlink_drain(w->nl);
    look_soon(w);
}

struct tunwatch *tunwatch_new(struct event_base *base, const struct tunwatch_params *params)
{
    struct tunwatch *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->params = *params;
    w->nl = rtnetlink_watch();
    w->said = calloc(params->n_routes + 1, sizeof(*w->said));
    if (w->nl)
        w->news = event_new(base, netlink_descriptor(w->nl), EV_READ | EV_PERSIST, on_news, w);
    w->look = evtimer_new(base, on_look, w);
    w->calm = evtimer_new(base, on_calm, w);
    if (!w->said || !w->news || !w->look || !w->calm || event_add(w->news, NULL) < 0) {
        tunwatch_free(w);
        return NULL;
    }
    look_soon(w); /* what changed before we listened */
    return w;
}

int tunwatch_routes(struct tunwatch *w, const struct braid_ip *routes, unsigned n, bool steer)
{
    enum tun_route_state *said = calloc(n + 1, sizeof(*said));
    if (!said)
        return -1;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < w->params.n_routes; j++)
            if (ip_equal(&routes[i], &w->params.routes[j]))
                said[i] = w->said[j];
    free(w->said);
    w->said = said;
    w->params.routes = routes;
    w->params.n_routes = n;
    w->params.steer = steer;
    return 0;
}

void tunwatch_look(struct tunwatch *w)
{
    w->reported = true;
    look_soon(w);
}

void tunwatch_free(struct tunwatch *w)
{
    if (!w)
        return;
    struct event *events[] = {w->news, w->look, w->calm};
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i])
            event_free(events[i]);
    }
    netlink_close(w->nl);
    free(w->said);
    free(w);
}
