/* The error callback of a listener, and the timer that lets it go on. libevent gives that callback the
 * argument of the accept callback, which differs from one to the other; so guards are found by their
 * listener. Main thread only. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "admin/guard.h"
#include "base/list.h"
#include "io/log.h"

#define GUARD_PAUSE 1 /* seconds */

struct guard {
    struct list link;
    struct evconnlistener *listener;
    struct event *timer;
};

static struct list guards = {&guards, &guards};

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(((struct guard *)arg)->listener);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    (void)arg;
    static const struct timeval pause = {.tv_sec = GUARD_PAUSE};
    log_warn("the admin surface cannot accept a connection (%s); it tries again every second",
             strerror(errno));
    list_each (pos, next, &guards) {
        struct guard *g = list_entry(pos, struct guard, link);
        if (g->listener == listener && event_add(g->timer, &pause) == 0)
            evconnlistener_disable(listener);
    }
}

struct guard *guard_new(struct event_base *base, struct evconnlistener *listener)
{
    struct guard *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    g->listener = listener;
    g->timer = evtimer_new(base, on_pause_over, g);
    if (!g->timer) {
        free(g);
        return NULL;
    }
    list_append(&guards, &g->link);
    evconnlistener_set_error_cb(listener, on_accept_error);
    return g;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    evconnlistener_set_error_cb(g->listener, NULL);
    event_free(g->timer);
    list_remove(&g->link);
    free(g);
}
