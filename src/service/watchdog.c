/* See watchdog.h. WATCHDOG_PID is not looked at: who takes a message from us is the manager's to judge
 * (NotifyAccess), and a daemon that took the place of another has a pid of its own. */
#include "service/watchdog.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <event2/event.h>
#include "io/log.h"
#include "io/mailbox.h"
#include "io/notify.h"
#include "io/worker.h"
#include "service/workers.h"

#define PER_LIMIT 4              /* questions within the time after which we count as hung */
#define LEAST_US  100000         /* between two of them */
#define MOST_US   86400000000ULL /* of that time; more is as good as none */

/* One worker's answer. */
struct beat {
    struct mailbox_place place;
    struct watchdog *dog;
    struct worker *worker;
    bool missing, complained;
};

struct watchdog {
    struct mailbox *main;
    struct event *tick;
    unsigned n, missing; /* workers; of them, that have not answered yet */
    unsigned ticks;      /* since they were asked */
    struct beat beats[];
};

/* Microseconds; 0: nobody asks for it. */
static unsigned long long limit_us(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    char *end;
    errno = 0;
    unsigned long long us = text ? strtoull(text, &end, 10) : 0;
    return !text || *end || errno || us > MOST_US ? 0 : us;
}

static void on_answer(void *arg)
{
    struct beat *b = arg;
    b->missing = false;
    b->dog->missing--;
    if (b->complained)
        log_warn("worker %u answers again", worker_number(b->worker));
    b->complained = false;
}

/* In the worker's thread. */
static void on_question(struct worker *w, void *arg)
{
    (void)w;
    struct beat *b = arg;
    mailbox_put(b->dog->main, &b->place, on_answer, b);
}

static void ask_all(struct watchdog *d)
{
    d->ticks = 0;
    d->missing = d->n;
    for (unsigned i = 0; i < d->n; i++) {
        d->beats[i].missing = true;
        worker_post(d->beats[i].worker, on_question, &d->beats[i]);
    }
}

static void complain(struct watchdog *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        struct beat *b = &d->beats[i];
        if (!b->missing || b->complained)
            continue;
        b->complained = true;
        log_error("worker %u does not answer: the watchdog will end braidd if that lasts",
                  worker_number(b->worker));
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct watchdog *d = arg;
    if (d->missing == 0) {
        notify_send("WATCHDOG=1");
        ask_all(d);
    } else if (++d->ticks >= PER_LIMIT / 2) {
        complain(d);
    }
}

static int begin(struct watchdog *d, struct event_base *base, unsigned long long us)
{
    us = us / PER_LIMIT < LEAST_US ? LEAST_US : us / PER_LIMIT;
    struct timeval period = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};
    d->tick = event_new(base, -1, EV_PERSIST, on_tick, d);
    if (!d->tick || event_add(d->tick, &period) < 0)
        return -1;
    ask_all(d);
    return 0;
}

struct watchdog *watchdog_new(struct event_base *base, struct mailbox *main, const struct workers *workers,
                              int *failed)
{
    unsigned long long us = limit_us();
    *failed = 0;
    if (us == 0)
        return NULL;
    struct watchdog *d = calloc(1, sizeof(*d) + workers->n * sizeof(d->beats[0]));
    if (d) {
        d->main = main;
        d->n = workers->n;
        for (unsigned i = 0; i < d->n; i++)
            d->beats[i] = (struct beat){.dog = d, .worker = workers->all[i]};
    }
    if (d && begin(d, base, us) == 0)
        return d;
    watchdog_stop(d);
    watchdog_free(d);
    *failed = -1;
    return NULL;
}

void watchdog_stop(struct watchdog *d)
{
    if (!d || !d->tick)
        return;
    event_free(d->tick);
    d->tick = NULL;
}

void watchdog_free(struct watchdog *d)
{
    free(d);
}
