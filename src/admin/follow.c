/* See follow.h. */
#include "admin/follow.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <event2/buffer.h>
#include <event2/event.h>

#define PART          32          /* events rendered at once */
#define PENDING       (64 * 1024) /* bytes that may wait for him */
#define UPLINKS_EVERY 250         /* milliseconds */

struct follow {
    struct follow_params params;
    struct command_call call;
    struct watch *watch;
    struct event *timer;                            /* to look at uplinks; NULL: nobody wants to know */
    const char *ways[UPLINKS_MAX][UPLINK_FAMILIES]; /* what they were; NULL: not known */
    bool over;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_last(const struct follow *f, const struct watch_event *e)
{
    return f->call.one && e->lost == 0 && e->event.kind == BRAID_EVENT_CLOSED;
}

static void show(const struct follow *f, const struct watch_event *events, unsigned n)
{
    struct doc d = {.buf = f->params.out};
    const struct snapshot_view v = {
        .n_workers = f->params.source->n_workers, .now_us = now_us(), .rows = events, .n_rows = n};
    f->call.command->render[f->call.format](&d, &v);
}

/* Targets are watched, and are no events of connections. */
static bool is_wanted(const struct follow *f, const struct watch_event *e)
{
    if (f->call.command == &commands[BRAID_COMMAND_WATCH])
        return watched_has(&f->call.watched, e);
    return e->target == WATCH_NO_TARGET;
}

/* The next events, into out. *missing: there is no such connection. */
static unsigned take(struct follow *f, struct watch_event out[PART], bool *missing)
{
    unsigned n = 0;
    while (n < PART && !f->over && watch_take(f->watch, &out[n])) {
        *missing = out[n].missing;
        f->over = *missing || is_last(f, &out[n]);
        n += !*missing && is_wanted(f, &out[n]);
    }
    return n;
}

/* Without an end of the queue ready comes no more: but then there is output, and follow_more follows. */
void follow_more(struct follow *f)
{
    struct watch_event events[PART];
    bool missing = false;
    unsigned n = 1;
    while (n > 0 && !f->over && evbuffer_get_length(f->params.out) < PENDING) {
        n = take(f, events, &missing);
        show(f, events, n);
    }
    if (f->over && f->params.over) {
        void (*over)(void *, bool) = f->params.over;
        f->params.over = NULL;
        over(f->params.arg, missing);
    }
}

/* ---- uplinks ------------------------------------------------------------------------------------------- */

static void look_at_way(struct follow *f, unsigned i, unsigned family)
{
    static const char *const families[] = {[UPLINK_V4] = "ipv4", [UPLINK_V6] = "ipv6"};
    struct doc d = {.buf = f->params.out};
    const struct uplink *u = &f->params.source->uplinks->all[i];
    const char **before = &f->ways[i][family], *now = u->gone ? NULL : render_uplink_state(u, family);
    const struct render_uplink_event e = {
        .name = u->name, .family = families[family], .now = now, .before = *before};
    if (now && *before && strcmp(now, *before) != 0)
        render_uplink_event(&d, now_us(), &e, f->call.format == COMMAND_JSON);
    *before = now;
}

/* A configuration may have changed them: what is not known is no news. */
static void look_at_uplinks(struct follow *f)
{
    const struct uplinks *us = f->params.source->uplinks;
    for (unsigned i = 0; us && i < us->n && i < UPLINKS_MAX; i++)
        for (unsigned family = 0; family < UPLINK_FAMILIES; family++)
            look_at_way(f, i, family);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct follow *f = arg;
    if (!f->over && evbuffer_get_length(f->params.out) < PENDING)
        look_at_uplinks(f);
}

/* False: memory is short. */
static bool begin_to_look(struct follow *f)
{
    const struct timeval period = {.tv_usec = UPLINKS_EVERY * 1000};
    if (f->call.command != &commands[BRAID_COMMAND_WATCH] || !watched_has_uplinks(&f->call.watched))
        return true;
    f->timer = event_new(f->params.base, -1, EV_PERSIST, on_timer, f);
    look_at_uplinks(f);
    return f->timer && event_add(f->timer, &period) == 0;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void on_ready(void *arg)
{
    follow_more(arg);
}

struct follow *follow_new(const struct follow_params *params)
{
    struct follow *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->params = *params;
    f->call = *params->call;
    f->watch = params->source->watch(params->source, f->call.one ? &f->call.id : NULL, on_ready, f);
    if (!f->watch || !begin_to_look(f)) {
        follow_free(f);
        return NULL;
    }
    return f;
}

void follow_free(struct follow *f)
{
    if (!f)
        return;
    if (f->timer)
        event_free(f->timer);
    if (f->watch)
        f->params.source->unwatch(f->params.source, f->watch);
    free(f);
}
