/* Periodic getaddrinfo in a thread of its own. */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/addr.h"
#include "io/log.h"
#include "io/upstream.h"
#include "relay/resolver.h"

struct resolver {
    const struct edge_params *params;
    unsigned n, period;
    void (*changed)(void *arg, unsigned i, const struct braid_addr *target);
    void *arg;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* guarded by lock */
    struct braid_addr current[];
};

static bool has_name(const struct edge_params *p)
{
    struct braid_ip ip;
    return p->target_host && ip_parse(p->target_host, &ip) < 0;
}

/* All addresses of a target; to be freed with freeaddrinfo. What getaddrinfo returns. */
static int look_up(const struct edge_params *p, struct addrinfo **answers)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", p->target_port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int error = getaddrinfo(p->target_host, port, &hints, answers);
    return error == 0 && !*answers ? EAI_NONAME : error;
}

static int look_up_first(const struct edge_params *p, struct braid_addr *target, char error[RESOLVER_ERROR])
{
    target->port = p->target_port;
    if (!p->target_host)
        return 0; /* transparent: each client says it */
    if (ip_parse(p->target_host, &target->ip) == 0)
        return 0;
    struct addrinfo *answers = NULL;
    int why = look_up(p, &answers);
    if (why == 0)
        why = upstream_addr(answers->ai_addr, target) < 0 ? EAI_FAMILY : 0;
    if (answers)
        freeaddrinfo(answers);
    if (why == 0)
        return 0;
    snprintf(error, RESOLVER_ERROR, "edge %s: cannot resolve target \"%s\": %s", p->name, p->target_host,
             gai_strerror(why));
    return -1;
}

int resolver_lookup(const struct edge_params *params, unsigned n, struct braid_addr *targets,
                    char error[RESOLVER_ERROR])
{
    for (unsigned i = 0; i < n; i++) {
        if (look_up_first(&params[i], &targets[i], error) < 0)
            return -1;
    }
    return 0;
}

/* Keeps the address as long as it is among the answers: round-robin answers must not cause a change each
 * time. */
static void refresh(struct resolver *r, unsigned i)
{
    const struct edge_params *p = &r->params[i];
    struct addrinfo *answers = NULL;
    int why = look_up(p, &answers);
    if (why != 0) {
        log_warn("edge %s: cannot resolve target \"%s\" again, keeping its address: %s", p->name,
                 p->target_host, gai_strerror(why));
        return;
    }
    struct braid_addr found, first;
    bool any = false, same = false;
    for (const struct addrinfo *a = answers; a && !same; a = a->ai_next) {
        if (upstream_addr(a->ai_addr, &found) < 0)
            continue;
        same = addr_equal(&found, &r->current[i]);
        if (!any)
            first = found;
        any = true;
    }
    freeaddrinfo(answers);
    if (same || !any)
        return;
    char text[ADDR_TEXT];
    log_info("edge %s: target \"%s\" is %s now", p->name, p->target_host, addr_text(&first, text));
    r->current[i] = first;
    r->changed(r->arg, i, &first);
}

/* True when a period is over, false when it is time to stop. */
static bool wait_period(struct resolver *r)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += r->period;
    pthread_mutex_lock(&r->lock);
    while (!r->stop && pthread_cond_timedwait(&r->wake, &r->lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !r->stop;
    pthread_mutex_unlock(&r->lock);
    return go_on;
}

static void *resolver_main(void *arg)
{
    struct resolver *r = arg;
    pthread_setname_np(pthread_self(), "braid-dns");
    while (wait_period(r)) {
        for (unsigned i = 0; i < r->n; i++) {
            if (has_name(&r->params[i]))
                refresh(r, i);
        }
    }
    return NULL;
}

static int start_thread(struct resolver *r)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&r->thread, NULL, resolver_main, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    r->running = error == 0;
    return error ? -1 : 0;
}

struct resolver *resolver_start(const struct edge_params *params, unsigned n,
                                const struct braid_addr *targets, unsigned period_seconds,
                                void (*changed)(void *arg, unsigned i, const struct braid_addr *target),
                                void *arg)
{
    struct resolver *r = calloc(1, sizeof(*r) + n * sizeof(r->current[0]));
    if (!r)
        return NULL;
    r->params = params;
    r->n = n;
    r->period = period_seconds;
    r->changed = changed;
    r->arg = arg;
    memcpy(r->current, targets, n * sizeof(targets[0]));
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &attr);
    pthread_condattr_destroy(&attr);
    bool names = false;
    for (unsigned i = 0; i < n; i++)
        names |= has_name(&params[i]);
    if (names && start_thread(r) < 0) {
        resolver_stop(r);
        return NULL;
    }
    return r;
}

void resolver_stop(struct resolver *r)
{
    if (!r)
        return;
    if (r->running) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_signal(&r->wake);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
