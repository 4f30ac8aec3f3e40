/* A mutex-protected queue and an eventfd. The eventfd is written only when the queue was empty: one wake per
 * burst. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <event2/event.h>
#include "io/mailbox.h"
#include "io/poller.h"

/* A place that the mailbox has made. */
struct post {
    struct mailbox_place place;
    void (*fn)(void *arg);
    void *arg;
};

struct mailbox {
    pthread_mutex_t lock;
    struct mailbox_place *first, **last; /* guarded by lock */
    struct mailbox_place *batch;         /* taken out, about to run; of the thread that runs them */
    int fd;
    struct event *wake; /* of the base that runs it; NULL: a poller does */
    struct poller *poller;
    struct poller_watch watch; /* in the poller */
};

/* From within a post, what is left of its batch. */
static void run_batch(struct mailbox *mb)
{
    while (mb->batch) {
        struct mailbox_place *p = mb->batch;
        mb->batch = p->next;
        p->fn(p->arg);
    }
}

static void mailbox_run(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    mb->batch = mb->first;
    mb->first = NULL;
    mb->last = &mb->first;
    pthread_mutex_unlock(&mb->lock);
    run_batch(mb);
}

bool mailbox_drain(struct mailbox *mb)
{
    bool any = mb->batch;
    run_batch(mb);
    for (;;) {
        pthread_mutex_lock(&mb->lock);
        bool empty = !mb->first;
        pthread_mutex_unlock(&mb->lock);
        if (empty)
            return any;
        any = true;
        mailbox_run(mb);
    }
}

static void woken(void *arg)
{
    struct mailbox *mb = arg;
    uint64_t count;
    if (read(mb->fd, &count, sizeof(count)) == sizeof(count))
        mailbox_run(mb);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    woken(arg);
}

static struct mailbox *make(void)
{
    struct mailbox *mb = calloc(1, sizeof(*mb));
    if (!mb)
        return NULL;
    mb->last = &mb->first;
    mb->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mb->fd < 0) {
        free(mb);
        return NULL;
    }
    pthread_mutex_init(&mb->lock, NULL);
    return mb;
}

struct mailbox *mailbox_new(struct event_base *base)
{
    struct mailbox *mb = make();
    if (!mb)
        return NULL;
    mb->wake = event_new(base, mb->fd, EV_READ | EV_PERSIST, on_wake, mb);
    if (mb->wake && event_add(mb->wake, NULL) == 0)
        return mb;
    mailbox_free(mb);
    return NULL;
}

struct mailbox *mailbox_in_poller(struct poller *p)
{
    struct mailbox *mb = make();
    if (!mb)
        return NULL;
    mb->watch = (struct poller_watch){.fd = mb->fd, .ready = woken, .arg = mb};
    if (poller_watch(p, &mb->watch, false) == 0) {
        mb->poller = p;
        return mb;
    }
    mailbox_free(mb);
    return NULL;
}

void mailbox_put(struct mailbox *mb, struct mailbox_place *place, void (*fn)(void *arg), void *arg)
{
    *place = (struct mailbox_place){.fn = fn, .arg = arg};
    pthread_mutex_lock(&mb->lock);
    bool was_empty = !mb->first;
    *mb->last = place;
    mb->last = &place->next;
    pthread_mutex_unlock(&mb->lock);
    if (was_empty) {
        uint64_t one = 1;
        ssize_t n = write(mb->fd, &one, sizeof(one));
        (void)n; /* it fails only if the counter is full, and then the loop is awake already */
    }
}

static void run_post(void *arg)
{
    struct post post = *(struct post *)arg;
    free(arg);
    post.fn(post.arg);
}

int mailbox_post(struct mailbox *mb, void (*fn)(void *arg), void *arg)
{
    struct post *p = malloc(sizeof(*p));
    if (!p)
        return -1;
    p->fn = fn;
    p->arg = arg;
    mailbox_put(mb, &p->place, run_post, p);
    return 0;
}

void mailbox_free(struct mailbox *mb)
{
    if (!mb)
        return;
    while (mb->first)
        mailbox_run(mb);
    if (mb->wake)
        event_free(mb->wake);
    if (mb->poller)
        poller_unwatch(mb->poller, &mb->watch);
    close(mb->fd);
    pthread_mutex_destroy(&mb->lock);
    free(mb);
}
