/* See watch.h. One ring under a lock, which is held for the copy of one event. */
#include "role/watch.h"
#include <pthread.h>
#include <stdlib.h>
#include "io/mailbox.h"
#include "role/leave.h"

#define RESERVED 2 /* places for the last one, and for how many were lost before it */

struct watch {
    struct mailbox *main;
    struct mailbox_place place;
    void (*ready)(void *arg); /* NULL: nobody wants to know; the main thread's */
    void *arg;
    struct leave leave;
    pthread_mutex_t lock; /* of what follows */
    bool queued;          /* `place` is in the mailbox */
    bool told;            /* the main thread knows that there is something, or is about to */
    uint64_t lost;        /* behind the last event in the ring */
    unsigned room, first, n;
    struct watch_event ring[];
};

struct watch *watch_new(unsigned room, struct mailbox *main, void (*ready)(void *arg), void *arg)
{
    struct watch *w = calloc(1, sizeof(*w) + (room + RESERVED) * sizeof(w->ring[0]));
    if (!w)
        return NULL;
    w->main = main;
    w->ready = ready;
    w->arg = arg;
    w->room = room;
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* ---- under the lock ------------------------------------------------------------------------------------ */

static void append(struct watch *w, const struct watch_event *e)
{
    w->ring[(w->first + w->n) % (w->room + RESERVED)] = *e;
    w->n++;
}

static void put(struct watch *w, const struct watch_event *e, bool last)
{
    unsigned most = last ? w->room + RESERVED : w->room;
    if (w->lost > 0 && w->n + RESERVED <= most) {
        append(w, &(struct watch_event){.lost = w->lost});
        w->lost = 0;
    }
    if (w->lost > 0 || w->n >= most)
        w->lost++;
    else
        append(w, e);
}

static bool take(struct watch *w, struct watch_event *out)
{
    if (w->n > 0) {
        *out = w->ring[w->first];
        w->first = (w->first + 1) % (w->room + RESERVED);
        w->n--;
        return true;
    }
    *out = (struct watch_event){.lost = w->lost};
    w->lost = 0;
    return out->lost > 0;
}

/* ---- between the threads ------------------------------------------------------------------------------- */

static void on_posted(void *arg)
{
    struct watch *w = arg;
    pthread_mutex_lock(&w->lock);
    w->queued = false;
    pthread_mutex_unlock(&w->lock);
    if (w->ready)
        w->ready(w->arg);
}

void watch_tell(struct watch *w, const struct watch_event *e, bool last)
{
    pthread_mutex_lock(&w->lock);
    /* who has taken all before the post arrived is woken by that one */
    bool post = !w->told && !w->queued;
    put(w, e, last);
    w->told = true;
    w->queued |= post;
    pthread_mutex_unlock(&w->lock);
    if (post)
        mailbox_put(w->main, &w->place, on_posted, w);
}

bool watch_take(struct watch *w, struct watch_event *out)
{
    pthread_mutex_lock(&w->lock);
    bool any = take(w, out);
    w->told = any;
    pthread_mutex_unlock(&w->lock);
    return any;
}

/* ---- letting go --------------------------------------------------------------------------------------- */

static void free_it(void *arg)
{
    watch_free(arg);
}

void watch_leave(struct watch *w, struct worker *const *workers, unsigned n,
                 void (*forget)(struct worker *worker, void *watch), void (*gone)(void *arg), void *arg)
{
    const struct leave_steps steps = {.forget = forget, .gone = gone, .gone_arg = arg, .free = free_it};
    w->ready = NULL;
    leave_begin(&w->leave, w, &steps, w->main, workers, n);
}
