/* A worker's life, and its thread. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <event2/event.h>
#include <openssl/rand.h>
#include "io/clock.h"
#include "io/log.h"
#include "io/worker_state.h"

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_require_features(config, EV_FEATURE_ET);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct worker *worker_new(const struct worker_params *params)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->params = *params;
    w->params.core.worker = params->number;
    w->params.core.n_workers = params->n_workers;
    w->timer_fd = -1;
    w->base = new_base();
    if (w->base && worker_loop_begin(w) == 0)
        w->mailbox = mailbox_in_poller(w->poller);
    if (w->mailbox) {
        struct braid_host host = worker_host(w);
        w->core = braid_core_new(&w->params.core, &host, clock_now());
    }
    if (!w->core) {
        worker_free(w);
        return NULL;
    }
    return w;
}

struct braid_directory *worker_directory_new(void)
{
    uint8_t key[16];
    return RAND_bytes(key, sizeof(key)) == 1 ? braid_directory_new(key) : NULL;
}

void worker_set_peers(struct worker *w, struct worker *const *peers)
{
    assert(w->params.n_workers <= DAEMON_WORKERS_MAX);
    for (unsigned i = 0; i < w->params.n_workers; i++)
        w->peers[i] = peers ? peers[i] : NULL;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void pin(const struct worker *w)
{
    if (w->params.cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(w->params.cpu, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0)
        log_info("worker %u: not pinned to CPU %d", w->params.number, w->params.cpu);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    char name[16];
    snprintf(name, sizeof(name), "braid-w%u", w->params.number);
    pthread_setname_np(pthread_self(), name);
    pin(w);
    if (w->resumes) {
        clock_resume(w->lost);
        braid_core_resumed(w->core, worker_now(w));
    }
    worker_loop_run(w);
    return NULL;
}

void worker_resume(struct worker *w, braid_time lost)
{
    w->resumes = true;
    w->lost = lost;
}

int worker_start(struct worker *w)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->started = errno == 0;
    return w->started ? 0 : -1;
}

static void do_stop(struct worker *w, void *arg)
{
    (void)arg;
    w->stop = true;
}

void worker_stop(struct worker *w)
{
    if (!w->started)
        return;
    worker_post(w, do_stop, NULL);
    pthread_join(w->thread, NULL);
    w->started = false;
}

void worker_count(struct worker *w, const struct worker_counters *more)
{
    uint64_t *to = (uint64_t *)&w->counters;
    const uint64_t *from = (const uint64_t *)more;
    for (unsigned i = 0; i < sizeof(*more) / sizeof(*from); i++)
        to[i] += from[i];
}

void worker_abort(struct worker *w)
{
    assert(!w->started);
    braid_core_abort(w->core, clock_now());
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    assert(!w->started);
    mailbox_free(w->mailbox);
    worker_loop_end(w);
    if (w->core)
        braid_core_free(w->core);
    braid_buf_pool_free(w->pool);
    if (w->base)
        event_base_free(w->base);
    netlink_close(w->conntrack);
    free(w);
}

struct braid_core *worker_core(struct worker *w)
{
    return w->core;
}

struct event_base *worker_base(struct worker *w)
{
    return w->base;
}

struct poller *worker_poller(struct worker *w)
{
    return w->poller;
}

unsigned worker_number(const struct worker *w)
{
    return w->params.number;
}

const struct worker_counters *worker_counters(const struct worker *w)
{
    return &w->counters;
}

void worker_set_user(struct worker *w, void *user)
{
    w->user = user;
}

void *worker_user(const struct worker *w)
{
    return w->user;
}
