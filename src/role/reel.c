/* See reel.h. */
#include "role/reel.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "io/mailbox.h"
#include "role/leave.h"

struct part {
    struct part *next;
    struct blob bytes;
    enum reel_news news;
};

struct reel {
    struct reel_wish wish;
    struct mailbox *main;
    struct mailbox_place place;
    void (*ready)(void *arg); /* NULL: nobody wants to know; the main thread's */
    void *arg;
    uint64_t most; /* connections */
    atomic_ullong claimed;
    struct leave leave;
    pthread_mutex_t lock; /* of what follows */
    bool queued;          /* `place` is in the mailbox */
    bool begun;           /* the head of the file is in front of what is there */
    size_t waiting;       /* bytes of all parts */
    uint64_t over;        /* recordings */
    struct part *first, **last;
    enum reel_news lost; /* a part for which there was no memory; REEL_GOES_ON: none */
};

struct reel *reel_new(const struct reel_wish *wish, struct mailbox *main, void (*ready)(void *arg), void *arg)
{
    struct reel *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->wish = *wish;
    r->most = wish->conn > 0 ? 1 : wish->most > 0 ? wish->most : UINT64_MAX;
    r->main = main;
    r->ready = ready;
    r->arg = arg;
    r->last = &r->first;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void reel_free(struct reel *r)
{
    if (!r)
        return;
    for (struct part *p = r->first, *next; p; p = next) {
        next = p->next;
        blob_free(&p->bytes);
        free(p);
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

const struct reel_wish *reel_wish(const struct reel *r)
{
    return &r->wish;
}

bool reel_claim(struct reel *r)
{
    unsigned long long claimed = atomic_load(&r->claimed);
    do
        if (claimed >= r->most)
            return false;
    while (!atomic_compare_exchange_weak(&r->claimed, &claimed, claimed + 1));
    return true;
}

bool reel_is_claimed(const struct reel *r)
{
    return atomic_load(&r->claimed) >= r->most;
}

size_t reel_waiting(const struct reel *r)
{
    struct reel *locked = (struct reel *)r;
    pthread_mutex_lock(&locked->lock);
    size_t waiting = r->waiting;
    pthread_mutex_unlock(&locked->lock);
    return waiting;
}

/* ---- between the threads ------------------------------------------------------------------------------- */

static void on_posted(void *arg)
{
    struct reel *r = arg;
    pthread_mutex_lock(&r->lock);
    r->queued = false;
    pthread_mutex_unlock(&r->lock);
    if (r->ready)
        r->ready(r->arg);
}

/* Under the lock. bytes are the reel's. */
static void append(struct reel *r, struct blob bytes, enum reel_news news)
{
    struct part *p = bytes.failed ? NULL : malloc(sizeof(*p));
    if (!p) {
        r->lost = REEL_MEMORY;
        blob_free(&bytes);
        return;
    }
    *p = (struct part){.bytes = bytes, .news = news};
    *r->last = p;
    r->last = &p->next;
    r->waiting += bytes.len;
}

/* Under the lock: the file begins when there is something for it. */
static void append_head(struct reel *r)
{
    struct blob head = {.len = 0};
    r->begun = true;
    recording_head(&head);
    append(r, head, REEL_GOES_ON);
}

void reel_put(struct reel *r, struct blob bytes, enum reel_news news)
{
    pthread_mutex_lock(&r->lock);
    bool post = !r->queued;
    r->queued = true;
    if (bytes.len > 0 && !r->begun)
        append_head(r);
    r->over += news == REEL_OVER;
    append(r, bytes, news == REEL_OVER && r->over < r->most ? REEL_GOES_ON : news);
    pthread_mutex_unlock(&r->lock);
    if (post)
        mailbox_put(r->main, &r->place, on_posted, r);
}

bool reel_take(struct reel *r, struct blob *bytes, enum reel_news *news)
{
    pthread_mutex_lock(&r->lock);
    struct part *p = r->first;
    enum reel_news lost = r->lost;
    if (p) {
        r->first = p->next;
        r->last = r->first ? r->last : &r->first;
        r->waiting -= p->bytes.len;
    } else {
        r->lost = REEL_GOES_ON;
    }
    pthread_mutex_unlock(&r->lock);
    *bytes = p ? p->bytes : (struct blob){.len = 0};
    *news = p ? p->news : lost;
    free(p);
    return p || lost != REEL_GOES_ON;
}

/* ---- letting go --------------------------------------------------------------------------------------- */

static void free_it(void *arg)
{
    reel_free(arg);
}

void reel_leave(struct reel *r, struct worker *const *workers, unsigned n,
                void (*forget)(struct worker *worker, void *reel), void (*gone)(void *arg), void *arg)
{
    const struct leave_steps steps = {.forget = forget, .gone = gone, .gone_arg = arg, .free = free_it};
    r->ready = NULL;
    leave_begin(&r->leave, r, &steps, r->main, workers, n);
}
