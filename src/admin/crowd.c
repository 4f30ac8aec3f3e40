/* Letting visitors in, and who makes way when there are too many. A listener whose accept fails for lack of
 * descriptors or memory would spin: it pauses for a second. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "admin/crowd.h"
#include "admin/visitor.h"
#include "io/log.h"

#define PAUSE 1 /* seconds */

static void dismiss_first(struct list *l)
{
    visitor_free(list_entry(l->next, struct visitor, link));
}

/* False: nobody does, since all are being answered. */
static bool make_way(struct crowd *c)
{
    if (c->tls && c->n_shaking >= CROWD_HANDSHAKES)
        dismiss_first(&c->shaking);
    if (c->n < c->most)
        return true;
    struct list *who = list_empty(&c->shaking) ? &c->asking : &c->shaking;
    if (list_empty(who))
        return false;
    dismiss_first(who);
    return true;
}

int crowd_admit(struct crowd *c, int fd)
{
    if (make_way(c))
        return visitor_new(c, fd) ? 0 : -1;
    close(fd);
    return -1;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
                      void *arg)
{
    (void)listener;
    (void)sa;
    (void)len;
    crowd_admit(arg, fd);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    static const struct timeval pause = {.tv_sec = PAUSE};
    struct crowd *c = arg;
    log_warn("the admin surface cannot accept a connection (%s); it tries again every second",
             strerror(errno));
    if (event_add(c->pause, &pause) == 0)
        evconnlistener_disable(listener);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(((struct crowd *)arg)->listener);
}

void crowd_init(struct crowd *c, struct event_base *base, const struct visitor_ops *ops, unsigned most,
                size_t line_max, int fd)
{
    *c = (struct crowd){.base = base, .ops = ops, .most = most, .line_max = line_max, .fd = fd};
    list_init(&c->shaking);
    list_init(&c->asking);
    list_init(&c->answered);
}

int crowd_let_in(struct crowd *c, struct query_set *queries)
{
    c->queries = queries;
    c->pause = evtimer_new(c->base, on_pause_over, c);
    if (!c->pause)
        return -1;
    c->listener =
        evconnlistener_new(c->base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, c->fd);
    if (!c->listener)
        return -1;
    c->fd = -1;
    evconnlistener_set_error_cb(c->listener, on_accept_error);
    return 0;
}

void crowd_clear(struct crowd *c)
{
    while (!list_empty(&c->shaking))
        dismiss_first(&c->shaking);
    while (!list_empty(&c->asking))
        dismiss_first(&c->asking);
}

void crowd_disperse(struct crowd *c)
{
    crowd_clear(c);
    while (!list_empty(&c->answered))
        dismiss_first(&c->answered);
    if (c->listener)
        evconnlistener_free(c->listener);
    if (c->pause)
        event_free(c->pause);
    if (c->fd >= 0)
        close(c->fd);
}
