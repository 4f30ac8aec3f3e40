/* An epoll descriptor that the loop's own epoll watches. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "io/poller.h"

#define BATCH 64 /* events per turn of the loop; the rest keeps the descriptor readable */

struct poller {
    int fd;
    struct event event;
    void (*ready)(void *ctx, unsigned state);
    int n, at; /* batch[at, n) is still to be told */
    struct epoll_event batch[BATCH];
};

/* EPOLLHUP by itself is the end of both directions, in order, if the peer's is told as well. */
static unsigned state_of(uint32_t events)
{
    bool ended = events & EPOLLRDHUP, hung_up = events & EPOLLHUP;
    bool failed = (events & EPOLLERR) || (hung_up && !ended);
    unsigned state = failed || hung_up ? POLLER_READABLE | POLLER_WRITABLE : 0;
    state |= events & EPOLLIN ? POLLER_READABLE : 0;
    state |= events & EPOLLOUT ? POLLER_WRITABLE : 0;
    state |= events & EPOLLPRI ? POLLER_URGENT : 0;
    return state | (ended ? POLLER_ENDED : 0) | (failed ? POLLER_FAILED : 0);
}

static void on_events(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct poller *p = arg;
    p->n = epoll_wait((int)fd, p->batch, BATCH, 0);
    for (p->at = 0; p->at < p->n;) {
        struct epoll_event e = p->batch[p->at++];
        if (e.data.ptr)
            p->ready(e.data.ptr, state_of(e.events));
    }
    p->n = 0;
}

struct poller *poller_new(struct event_base *base, void (*ready)(void *ctx, unsigned state))
{
    struct poller *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->ready = ready;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd >= 0 && event_assign(&p->event, base, p->fd, EV_READ | EV_PERSIST, on_events, p) == 0 &&
        event_add(&p->event, NULL) == 0)
        return p;
    if (p->fd >= 0)
        close(p->fd);
    free(p);
    return NULL;
}

void poller_free(struct poller *p)
{
    if (!p)
        return;
    event_del(&p->event);
    close(p->fd);
    free(p);
}

int poller_add(struct poller *p, int fd, void *ctx)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET, .data.ptr = ctx};
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e);
}

void poller_remove(struct poller *p, int fd, const void *ctx)
{
    epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL);
    for (int i = p->at; i < p->n; i++) {
        if (p->batch[i].data.ptr == ctx)
            p->batch[i].data.ptr = NULL;
    }
}
