/* See follow.h. */
#include "admin/follow.h"
#include <stdlib.h>
#include <time.h>
#include <event2/buffer.h>

#define PART    32          /* events rendered at once */
#define PENDING (64 * 1024) /* bytes that may wait for him */

struct follow {
    struct follow_params params;
    struct command_call call;
    struct watch *watch;
    bool over;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_last(const struct follow *f, const struct watch_event *e)
{
    return f->call.one && e->lost == 0 && e->event.kind == BRAID_EVENT_CLOSED;
}

static void show(const struct follow *f, const struct watch_event *events, unsigned n)
{
    struct doc d = {.buf = f->params.out};
    const struct snapshot_view v = {
        .n_workers = f->params.source->n_workers, .now_us = now_us(), .rows = events, .n_rows = n};
    f->call.command->render[f->call.format](&d, &v);
}

/* The next events, into out. *missing: there is no such connection. */
static unsigned take(struct follow *f, struct watch_event out[PART], bool *missing)
{
    unsigned n = 0;
    while (n < PART && !f->over && watch_take(f->watch, &out[n])) {
        *missing = out[n].missing;
        f->over = *missing || is_last(f, &out[n]);
        n += !*missing;
    }
    return n;
}

/* Without an end of the queue ready comes no more: but then there is output, and follow_more follows. */
void follow_more(struct follow *f)
{
    struct watch_event events[PART];
    bool missing = false;
    unsigned n = 1;
    while (n > 0 && !f->over && evbuffer_get_length(f->params.out) < PENDING) {
        n = take(f, events, &missing);
        show(f, events, n);
    }
    if (f->over && f->params.over) {
        void (*over)(void *, bool) = f->params.over;
        f->params.over = NULL;
        over(f->params.arg, missing);
    }
}

static void on_ready(void *arg)
{
    follow_more(arg);
}

struct follow *follow_new(const struct follow_params *params)
{
    struct follow *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->params = *params;
    f->call = *params->call;
    f->watch = params->source->watch(params->source, f->call.one ? &f->call.id : NULL, on_ready, f);
    if (!f->watch) {
        free(f);
        return NULL;
    }
    return f;
}

void follow_free(struct follow *f)
{
    if (!f)
        return;
    f->params.source->unwatch(f->params.source, f->watch);
    free(f);
}
