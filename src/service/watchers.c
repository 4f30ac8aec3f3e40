/* See watchers.h. Events wait in the watch (role/watch.h) until the channel takes them. */
#include "service/watchers.h"
#include <errno.h>
#include <stdlib.h>
#include <event2/event.h>
#include "app/channel.h"
#include "base/list.h"
#include "io/closer.h"
#include "io/descriptors.h"
#include "role/watches.h"

#define WATCHERS  1024 /* at the same time, ... */
#define USER_PART 4    /* ... of which one user has at most this fraction */
#define ROOM      64   /* events that wait for one of them */

struct watchers {
    struct event_base *base;
    const struct app_scene *scene;
    struct closer *closer; /* who watches may have sent descriptors, which nobody reads */
    struct list all;
    unsigned n, most;
};

struct watcher {
    struct list link;
    struct watchers *owner;
    uint32_t user, number;
    int channel; /* -1: not yet */
    struct watch *watch;
    struct event *readable, *writable;
    bool waits; /* next has not left yet */
    struct watch_event next;
};

/* ---- what is said ------------------------------------------------------------------------------------- */

static uint32_t errno_of(enum braid_close why)
{
    switch (why) {
    case BRAID_CLOSE_DONE:
        return 0;
    case BRAID_CLOSE_RESET:
        return ECONNRESET;
    case BRAID_CLOSE_TIMEOUT:
        return ETIMEDOUT;
    case BRAID_CLOSE_REFUSED:
        return ECONNREFUSED;
    case BRAID_CLOSE_UNREACHABLE:
        return EHOSTUNREACH;
    case BRAID_CLOSE_PROTOCOL:
        return EPROTO;
    case BRAID_CLOSE_RESOURCES:
        return ENOBUFS;
    case BRAID_CLOSE_FATE:
    case BRAID_CLOSE_ABORTED:
        return ECONNABORTED;
    }
    return EPROTO;
}

static enum app_event_kind kind_of(enum braid_event_kind kind)
{
    static const enum app_event_kind kinds[BRAID_EVENT_KINDS] = {
        [BRAID_EVENT_ESTABLISHED] = APP_EVENT_ESTABLISHED,
        [BRAID_EVENT_SUBFLOW_UP] = APP_EVENT_SUBFLOW_UP,
        [BRAID_EVENT_SUBFLOW_DOWN] = APP_EVENT_SUBFLOW_DOWN,
        [BRAID_EVENT_FAILED] = APP_EVENT_FAILED,
        [BRAID_EVENT_PRIORITY] = APP_EVENT_PRIORITY,
        [BRAID_EVENT_ANNOUNCED] = APP_EVENT_ANNOUNCED,
        [BRAID_EVENT_WITHDRAWN] = APP_EVENT_WITHDRAWN,
        [BRAID_EVENT_FALLBACK] = APP_EVENT_FALLBACK,
        [BRAID_EVENT_CLOSED] = APP_EVENT_CLOSED,
    };
    return kinds[kind];
}

static uint8_t flags_of(const struct braid_event *e)
{
    return (uint8_t)((e->mptcp ? APP_EVENT_MPTCP : 0) | (e->backup ? APP_EVENT_BACKUP : 0) |
                     (e->by_peer ? APP_EVENT_BY_PEER : 0) | (e->present ? APP_EVENT_PRESENT : 0));
}

static struct app_message said(const struct watch_event *w)
{
    const struct braid_event *e = &w->event;
    struct app_message m = {.kind = APP_EVENT, .event.reset = APP_NO_RESET};
    if (w->lost > 0) {
        m.event.subflow = w->lost > UINT32_MAX ? UINT32_MAX : (uint32_t)w->lost;
        return m;
    }
    m.event = (struct app_event){.kind = kind_of(e->kind),
                                 .flags = flags_of(e),
                                 .reset = e->reset < 0 ? APP_NO_RESET : (uint8_t)e->reset,
                                 .address_id = e->address_id,
                                 .subflow = e->subflow,
                                 .error = errno_of(e->why)};
    m.pairs[0] = (struct braid_pair){.local = e->local, .remote = e->remote};
    m.n_pairs = 1;
    return m;
}

/* What becomes of paths meanwhile is the operator's. */
static bool is_for_programs(const struct watch_event *w)
{
    return w->lost > 0 || (w->event.kind != BRAID_EVENT_SILENT && w->event.kind != BRAID_EVENT_HEARD);
}

/* ---- saying it ---------------------------------------------------------------------------------------- */

/* True: it has left. False: the channel is full, and is waited for; or w is gone. */
static bool send_next(struct watcher *w)
{
    struct app_message m = said(&w->next);
    m.number = w->number;
    switch (channel_send(w->channel, &m, -1)) {
    case CHANNEL_DONE:
        w->waits = false;
        if (m.event.kind != APP_EVENT_CLOSED)
            return true;
        break;
    case CHANNEL_AGAIN:
        if (event_add(w->writable, NULL) == 0)
            return false;
        break;
    case CHANNEL_OVER:
        break;
    }
    watcher_free(w); /* nothing follows, or nobody is there */
    return false;
}

/* As much as the queue holds: what comes meanwhile has its turn when others have had theirs. */
static void go_on(struct watcher *w)
{
    for (unsigned i = 0; i < ROOM; i++) {
        w->waits = w->waits || watch_take(w->watch, &w->next);
        if (!w->waits)
            return;
        if (!is_for_programs(&w->next))
            w->waits = false;
        else if (!send_next(w))
            return;
    }
    event_active(w->writable, EV_WRITE, 0);
}

/* Before it is connected they wait. */
static void on_ready(void *arg)
{
    struct watcher *w = arg;
    if (w->channel >= 0 && !w->waits)
        go_on(w);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    go_on(arg);
}

/* It has hung up; there is nothing for it to say. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    watcher_free(arg);
}

/* ---- life --------------------------------------------------------------------------------------------- */

struct watchers *watchers_new(struct event_base *base, const struct app_scene *scene, struct closer *closer)
{
    struct watchers *ws = calloc(1, sizeof(*ws));
    if (!ws)
        return NULL;
    *ws = (struct watchers){
        .base = base, .scene = scene, .closer = closer, .most = descriptors_share(WATCHERS)};
    list_init(&ws->all);
    return ws;
}

void watchers_free(struct watchers *ws)
{
    if (!ws)
        return;
    list_each (at, next, &ws->all)
        watcher_free(list_entry(at, struct watcher, link));
    free(ws);
}

/* A channel stays as long as its program likes, so it must not be one of those that are kept for others. */
static bool has_place(const struct watchers *ws, uint32_t user, int channel)
{
    unsigned n = 0;
    list_each (at, next, &ws->all)
        n += list_entry(at, struct watcher, link)->user == user;
    return ws->n < ws->most && n < ws->most / USER_PART && descriptors_leave_reserve(channel);
}

uint32_t watcher_new(struct watchers *ws, uint32_t user, int channel, struct watcher **out)
{
    if (!has_place(ws, user, channel))
        return EMFILE;
    struct watcher *w = calloc(1, sizeof(*w));
    if (!w)
        return ENOBUFS;
    *w = (struct watcher){.owner = ws, .user = user, .channel = -1};
    w->watch = watch_new(ROOM, ws->scene->main, on_ready, w);
    if (!w->watch) {
        free(w);
        return ENOBUFS;
    }
    list_append(&ws->all, &w->link);
    ws->n++;
    *out = w;
    return 0;
}

struct watch *watcher_watch(const struct watcher *w)
{
    return w ? w->watch : NULL;
}

void watcher_begin(struct watcher *w, int channel, uint32_t number)
{
    w->channel = channel;
    w->number = number;
    w->readable = event_new(w->owner->base, channel, EV_READ, on_readable, w);
    w->writable = event_new(w->owner->base, channel, EV_WRITE, on_writable, w);
    if (w->readable && w->writable && event_add(w->readable, NULL) == 0)
        go_on(w);
    else
        watcher_free(w);
}

void watcher_free(struct watcher *w)
{
    if (!w)
        return;
    const struct workers *workers = w->owner->scene->workers;
    if (w->readable)
        event_free(w->readable);
    if (w->writable)
        event_free(w->writable);
    if (w->channel >= 0)
        closer_put(w->owner->closer, w->channel);
    watches_leave(w->watch, workers->all, workers->n, NULL, NULL);
    list_remove(&w->link);
    w->owner->n--;
    free(w);
}
