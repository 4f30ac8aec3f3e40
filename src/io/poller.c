/* An epoll descriptor that the loop's own epoll watches. Whoever may can sleep in it alone: an epoll within
 * another costs a wait more for each event, and wakes its thread a microsecond later. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "io/poller.h"

#define BATCH 64             /* events per turn of the loop; the rest keeps the descriptor readable */
#define ADDED 256            /* descriptors per turn of those that are to be added: a millisecond at most */
#define WATCH ((uintptr_t)1) /* in the pointer of an event: it is that of a struct poller_watch */

/* One that is still to be added; ctx NULL: it was removed. */
struct waiting {
    int fd;
    void *ctx;
};

struct poller {
    int fd;
    struct event_base *base;
    struct event event;
    void (*ready)(void *ctx, unsigned state);
    int n, at; /* batch[at, n) is still to be told */
    struct epoll_event batch[BATCH];
    struct waiting *waiting; /* waiting[next, n_waiting); NULL: none */
    size_t next, n_waiting, cap_waiting;
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

static void *tagged(const struct poller_watch *w)
{
    return (void *)((uintptr_t)w | WATCH);
}

static void tell(const struct poller *p, const struct epoll_event *e)
{
    uintptr_t whose = (uintptr_t)e->data.ptr;
    if (whose & WATCH) {
        const struct poller_watch *w = (const struct poller_watch *)(whose & ~WATCH);
        w->ready(w->arg);
    } else if (whose) {
        p->ready(e->data.ptr, state_of(e->events));
    }
}

/* The event of an epoll descriptor that is not ready for anything has the loop come here again. */
static void add_some(struct poller *p)
{
    size_t end = p->n_waiting - p->next > ADDED ? p->next + ADDED : p->n_waiting;
    while (p->next < end) {
        struct waiting w = p->waiting[p->next++];
        if (w.ctx && poller_add(p, w.fd, w.ctx) < 0)
            p->ready(w.ctx, POLLER_READABLE | POLLER_WRITABLE | POLLER_FAILED);
    }
    if (p->next < p->n_waiting) {
        event_active(&p->event, EV_READ, 0);
        return;
    }
    free(p->waiting);
    p->waiting = NULL;
    p->next = p->n_waiting = p->cap_waiting = 0;
}

static void run(struct poller *p, int timeout)
{
    if (p->waiting)
        add_some(p);
    p->n = epoll_wait(p->fd, p->batch, BATCH, timeout);
    for (p->at = 0; p->at < p->n;) {
        struct epoll_event e = p->batch[p->at++];
        tell(p, &e);
    }
    p->n = 0;
}

static void on_events(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    run(arg, 0);
}

/* The poller's own event is the only one of its base: nothing else can happen there. */
static bool is_alone(const struct poller *p)
{
    return event_base_get_num_events(p->base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE) == 1;
}

void poller_turn(struct poller *p, bool sleeps)
{
    if (is_alone(p))
        run(p, sleeps ? -1 : 0);
    else
        event_base_loop(p->base, EVLOOP_ONCE | (sleeps ? 0 : EVLOOP_NONBLOCK));
}

struct poller *poller_new(struct event_base *base, void (*ready)(void *ctx, unsigned state))
{
    struct poller *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->base = base;
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
    free(p->waiting);
    free(p);
}

void poller_on_ready(struct poller *p, void (*ready)(void *ctx, unsigned state))
{
    p->ready = ready;
}

int poller_add(struct poller *p, int fd, void *ctx)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET, .data.ptr = ctx};
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e);
}

int poller_add_later(struct poller *p, int fd, void *ctx)
{
    if (p->n_waiting == p->cap_waiting) {
        size_t cap = p->cap_waiting ? 2 * p->cap_waiting : 64;
        struct waiting *v = realloc(p->waiting, cap * sizeof(*v));
        if (!v)
            return -1;
        p->waiting = v;
        p->cap_waiting = cap;
    }
    p->waiting[p->n_waiting++] = (struct waiting){fd, ctx};
    if (p->n_waiting == 1)
        event_active(&p->event, EV_READ, 0);
    return 0;
}

int poller_watch(struct poller *p, const struct poller_watch *w, bool edge)
{
    struct epoll_event e = {.events = EPOLLIN | (edge ? EPOLLET : 0), .data.ptr = tagged(w)};
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, w->fd, &e);
}

void poller_unwatch(struct poller *p, const struct poller_watch *w)
{
    poller_remove(p, w->fd, tagged(w));
}

void poller_remove(struct poller *p, int fd, const void *ctx)
{
    epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL);
    for (size_t i = p->next; i < p->n_waiting; i++) {
        if (p->waiting[i].ctx == ctx)
            p->waiting[i].ctx = NULL;
    }
    for (int i = p->at; i < p->n; i++) {
        if (p->batch[i].data.ptr == ctx)
            p->batch[i].data.ptr = NULL;
    }
}
