/* See closer.h. A thread closes one after the other. A signal ends the lingering of a socket; what even that
 * does not end keeps its thread, and another one goes on. */
#include "io/closer.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/list.h"
#include "io/log.h"

#define FULL        128   /* descriptors */
#define HANDS       8     /* threads, one of which is not stuck */
#define TICK_US     10000 /* a close under way is looked at so often; at the second look it is disturbed ... */
#define LEFT_AFTER  100   /* ... and at that one left behind */
#define HAND_SIGNAL SIGURG

struct item {
    struct list link;
    int fd;
};

struct hand {
    struct closer *closer;
    pthread_t thread; /* detached */
    bool runs, busy;
    unsigned looks; /* at the close that it is busy with */
};

struct closer {
    struct event *tick; /* of the base's thread */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct list waiting;
    unsigned n_waiting, n_busy;
    unsigned users; /* threads, and the base's */
    bool ending;
    struct hand hands[HANDS];
};

/* With the lock, which is let go. The last one frees it: a thread that is stuck may stay for longer. */
static void leave(struct closer *c)
{
    bool last = --c->users == 0;
    pthread_mutex_unlock(&c->lock);
    if (!last)
        return;
    list_each (at, next, &c->waiting)
        free(list_entry(at, struct item, link));
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- the threads -------------------------------------------------------------------------------------- */

static struct item *take(struct closer *c)
{
    while (list_empty(&c->waiting) && !c->ending)
        pthread_cond_wait(&c->more, &c->lock);
    if (c->ending)
        return NULL;
    struct item *it = list_entry(c->waiting.next, struct item, link);
    list_remove(&it->link);
    c->n_waiting--;
    return it;
}

/* Whether another one does the work. */
static bool is_left_behind(const struct hand *h)
{
    return h->looks >= LEFT_AFTER;
}

static void *hand_main(void *arg)
{
    struct hand *h = arg;
    struct closer *c = h->closer;
    struct item *it;
    pthread_setname_np(pthread_self(), "braid-close");
    pthread_mutex_lock(&c->lock);
    while (!is_left_behind(h) && (it = take(c))) {
        h->busy = true;
        c->n_busy++;
        pthread_mutex_unlock(&c->lock);
        close(it->fd);
        free(it);
        pthread_mutex_lock(&c->lock);
        c->n_busy--;
        h->busy = false;
        if (!is_left_behind(h))
            h->looks = 0;
    }
    h->runs = false;
    leave(c);
    return NULL;
}

/* With the lock. False: none is to be had now. */
static bool start_hand(struct closer *c)
{
    sigset_t most, before;
    struct hand *h = c->hands;
    while (h < c->hands + HANDS && h->runs)
        h++;
    if (h == c->hands + HANDS)
        return false;
    *h = (struct hand){.closer = c, .runs = true};
    sigfillset(&most); /* all others are the main thread's */
    sigdelset(&most, HAND_SIGNAL);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    h->runs = pthread_create(&h->thread, NULL, hand_main, h) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (h->runs)
        pthread_detach(h->thread);
    c->users += h->runs;
    return h->runs;
}

/* ---- the thread of the base --------------------------------------------------------------------------- */

static void look_at(struct closer *c, struct hand *h)
{
    if (++h->looks > 1)
        pthread_kill(h->thread, HAND_SIGNAL);
    if (h->looks == LEFT_AFTER && start_hand(c))
        log_warn(
            "a descriptor that a program has handed over cannot be closed: a thread is left to wait for it");
    else if (h->looks == LEFT_AFTER)
        h->looks--; /* it is the last one */
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval tick = {.tv_usec = TICK_US};
    struct closer *c = arg;
    (void)fd;
    (void)what;
    pthread_mutex_lock(&c->lock);
    for (struct hand *h = c->hands; h < c->hands + HANDS; h++)
        if (h->runs && h->busy && !is_left_behind(h))
            look_at(c, h);
    bool more = c->n_waiting > 0 || c->n_busy > 0;
    pthread_mutex_unlock(&c->lock);
    if (more)
        event_add(c->tick, &tick);
}

void closer_put(struct closer *c, int fd)
{
    static const struct timeval tick = {.tv_usec = TICK_US};
    struct item *it = malloc(sizeof(*it));
    if (!it) {
        close(fd); /* better late than never */
        return;
    }
    it->fd = fd;
    pthread_mutex_lock(&c->lock);
    list_append(&c->waiting, &it->link);
    c->n_waiting++;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    if (!event_pending(c->tick, EV_TIMEOUT, NULL))
        event_add(c->tick, &tick);
}

bool closer_is_full(struct closer *c)
{
    pthread_mutex_lock(&c->lock);
    bool full = c->n_waiting >= FULL;
    pthread_mutex_unlock(&c->lock);
    return full;
}

/* ---- life --------------------------------------------------------------------------------------------- */

/* That there is one is enough. */
static void on_signal(int number)
{
    (void)number;
}

struct closer *closer_new(struct event_base *base)
{
    const struct sigaction disturb = {.sa_handler = on_signal}; /* without SA_RESTART */
    struct closer *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    list_init(&c->waiting);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->more, NULL);
    c->users = 1;
    c->tick = evtimer_new(base, on_tick, c);
    sigaction(HAND_SIGNAL, &disturb, NULL);
    pthread_mutex_lock(&c->lock);
    bool runs = c->tick && start_hand(c);
    pthread_mutex_unlock(&c->lock);
    if (runs)
        return c;
    closer_free(c);
    return NULL;
}

void closer_free(struct closer *c)
{
    if (!c)
        return;
    if (c->tick)
        event_free(c->tick);
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_broadcast(&c->more);
    leave(c);
}
