/* See pause.h. A worker that comes late, after a pause that was given up, finds it over; so whoever leaves
 * last frees it. */
#include "service/pause.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct pause {
    pthread_mutex_t lock;
    pthread_cond_t here, go; /* for the main thread; for the workers */
    unsigned n;              /* workers */
    unsigned parked, done;   /* of them: that stand still; that have run fn in this turn */
    unsigned turn;           /* how often they were told to run something */
    bool over;
    unsigned users;
    void (*fn)(struct worker *w, void *arg);
    void *arg;
};

/* With the lock. */
static void leave(struct pause *p)
{
    bool last = --p->users == 0;
    pthread_mutex_unlock(&p->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->here);
    pthread_cond_destroy(&p->go);
    free(p);
}

/* In the worker's thread. */
static void park(struct worker *w, void *arg)
{
    struct pause *p = arg;
    unsigned turn = 0;
    pthread_mutex_lock(&p->lock);
    p->parked++;
    pthread_cond_signal(&p->here);
    while (!p->over) {
        if (p->turn == turn) {
            pthread_cond_wait(&p->go, &p->lock);
            continue;
        }
        turn = p->turn;
        pthread_mutex_unlock(&p->lock);
        p->fn(w, p->arg);
        pthread_mutex_lock(&p->lock);
        p->done++;
        pthread_cond_signal(&p->here);
    }
    leave(p);
}

static struct timespec after(unsigned ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void init(struct pause *p, unsigned n)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->here, &monotonic);
    pthread_cond_init(&p->go, NULL);
    pthread_condattr_destroy(&monotonic);
    p->n = n;
    p->users = n + 1;
}

struct pause *pause_begin(const struct workers *ws, unsigned ms)
{
    struct pause *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    init(p, ws->n);
    workers_tell(ws, park, p);
    const struct timespec limit = after(ms);
    pthread_mutex_lock(&p->lock);
    int late = 0;
    while (p->parked < p->n && late == 0)
        late = pthread_cond_timedwait(&p->here, &p->lock, &limit);
    bool all = p->parked == p->n;
    pthread_mutex_unlock(&p->lock);
    if (all)
        return p;
    pause_end(p);
    return NULL;
}

void pause_each(struct pause *p, void (*fn)(struct worker *w, void *arg), void *arg)
{
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->arg = arg;
    p->done = 0;
    p->turn++;
    pthread_cond_broadcast(&p->go);
    while (p->done < p->n)
        pthread_cond_wait(&p->here, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void pause_end(struct pause *p)
{
    pthread_mutex_lock(&p->lock);
    p->over = true;
    pthread_cond_broadcast(&p->go);
    leave(p);
}
