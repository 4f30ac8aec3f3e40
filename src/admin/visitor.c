/* Sockets of clients, their deadlines, and who makes way when there are too many. */
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include "admin/visitor.h"

#define FAREWELL 2 /* seconds */

static void on_readable(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct visitor *v = arg;
    v->crowd->ops->readable(v);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct visitor *v = arg;
    v->crowd->ops->written(v);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    struct visitor *v = arg;
    v->crowd->ops->gone(v);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct visitor *v = arg;
    v->crowd->ops->gone(v);
}

void crowd_init(struct crowd *c, struct event_base *base, const struct visitor_ops *ops, unsigned most,
                size_t line_max)
{
    *c = (struct crowd){.base = base, .ops = ops, .most = most, .line_max = line_max};
    list_init(&c->asking);
    list_init(&c->answered);
}

void crowd_disperse(struct crowd *c)
{
    struct list *const all[] = {&c->asking, &c->answered};
    for (unsigned i = 0; i < 2; i++)
        while (!list_empty(all[i]))
            c->ops->gone(list_entry(all[i]->next, struct visitor, link));
}

/* False: nobody does, since all are being answered. */
static bool make_way(struct crowd *c)
{
    if (c->n < c->most)
        return true;
    if (list_empty(&c->asking))
        return false;
    c->ops->gone(list_entry(c->asking.next, struct visitor, link));
    return true;
}

static void set_deadline(struct visitor *v, int seconds, struct list *list)
{
    struct timeval limit = {.tv_sec = seconds};
    list_remove(&v->link);
    list_append(list, &v->link);
    event_add(v->deadline, &limit);
}

int visitor_open(struct crowd *c, struct visitor *v, int fd, int seconds)
{
    list_init(&v->link);
    v->crowd = c;
    v->bev = make_way(c) ? bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    v->deadline = v->bev ? evtimer_new(c->base, on_deadline, v) : NULL;
    if (!v->deadline) {
        if (v->bev)
            bufferevent_free(v->bev);
        else
            close(fd);
        return -1;
    }
    c->n++;
    bufferevent_setwatermark(v->bev, EV_READ, 0, c->line_max);
    bufferevent_setcb(v->bev, on_readable, on_written, on_event, v);
    bufferevent_enable(v->bev, EV_WRITE);
    visitor_asking(v, seconds);
    return 0;
}

void visitor_close(struct visitor *v)
{
    event_free(v->deadline);
    bufferevent_free(v->bev);
    list_remove(&v->link);
    v->crowd->n--;
}

void visitor_answering(struct visitor *v, int seconds)
{
    bufferevent_disable(v->bev, EV_READ);
    set_deadline(v, seconds, &v->crowd->answered);
}

void visitor_asking(struct visitor *v, int seconds)
{
    bufferevent_enable(v->bev, EV_READ);
    set_deadline(v, seconds, &v->crowd->asking);
}

static void throw_away(struct bufferevent *bev, void *arg)
{
    (void)arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    evbuffer_drain(in, evbuffer_get_length(in));
}

void visitor_farewell(struct visitor *v)
{
    shutdown(bufferevent_getfd(v->bev), SHUT_WR);
    throw_away(v->bev, NULL);
    bufferevent_setcb(v->bev, throw_away, NULL, on_event, v);
    visitor_asking(v, FAREWELL);
}

struct evbuffer *visitor_input(const struct visitor *v)
{
    return bufferevent_get_input(v->bev);
}

struct evbuffer *visitor_output(const struct visitor *v)
{
    return bufferevent_get_output(v->bev);
}
