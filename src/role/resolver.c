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
#include "io/clock.h"
#include "io/log.h"
#include "role/flaw.h"
#include "role/resolver.h"
#include "relay/targets.h"

/* The target of one edge. */
struct name {
    char edge[64], host[256], port[8]; /* host "": there is nothing to look up */
    struct targets targets, told;
    bool looked_up;           /* at least once */
    braid_time due, backoff;  /* the next lookup, and what was waited before it if there is no address */
    struct braid_addr flawed; /* the last address that could not be used, so that it is said once */
};

/* The thread may be in a lookup for long after the rest has gone, so it has copies of everything, and whoever
 * is last frees. */
struct resolver {
    struct edge_params *edges; /* of the copies only names and addresses count */
    unsigned n;
    braid_time period, retry;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;  /* a name was looked up, or it is time to report or to stop */
    unsigned users;
    bool stop;
    void (*changed)(void *arg, unsigned i, const struct targets *targets); /* NULL: not yet */
    void *arg;
    struct name names[];
};

/* ---- one lookup ------------------------------------------------------------------------------ */

/* What getaddrinfo returns. */
static int look_up(const struct name *n, struct targets *found)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *answers = NULL;
    int why = getaddrinfo(n->host, n->port, &hints, &answers);
    *found = targets_of(why == 0 ? answers : NULL);
    if (why == 0 && answers)
        freeaddrinfo(answers);
    return why == 0 && found->n == 0 ? EAI_NONAME : why;
}

/* Without those that would lead back here. */
static void sift(struct resolver *r, struct name *n, struct targets *found)
{
    char flaw[FLAW_TEXT], text[ADDR_TEXT];
    struct braid_addr addr, last = n->flawed;
    n->flawed = (struct braid_addr){.port = 0};
    while (flaw_sift(found, r->edges, r->n, &addr, flaw)) {
        if (!addr_equal(&addr, &last))
            log_warn(
                "edge %s: target \"%s\" resolves to %s, which %s: not used; give the server's own address",
                n->edge, n->host, ip_text(&addr.ip, text), flaw);
        n->flawed = addr;
    }
}

static void say_failure(const struct name *n, const char *why)
{
    if (n->targets.n > 0)
        log_warn("edge %s: cannot resolve target \"%s\" again, keeping its address: %s", n->edge, n->host,
                 why);
    else
        log_warn("edge %s: cannot resolve target \"%s\": %s; its clients are refused; trying again in %lld s",
                 n->edge, n->host, why, (long long)((n->backoff + BRAID_SECOND - 1) / BRAID_SECOND));
}

static void say_change(const struct name *n)
{
    char text[ADDR_TEXT];
    log_info("edge %s: target \"%s\" is %s%s now", n->edge, n->host, addr_text(&n->targets.addr[0], text),
             n->targets.n > 1 ? ", ..." : "");
}

/* Names that are asked for in turns answer in turns: as long as the first address is among the answers it
 * stays the first, and the same addresses in another order are no news. */
static void take_answers(struct name *n, struct targets *found)
{
    if (targets_equal(found, &n->targets))
        return;
    if (n->targets.n > 0)
        targets_prefer(found, &n->targets.addr[0]);
    bool first = !n->looked_up;
    n->targets = *found;
    if (!first)
        say_change(n);
}

static void back_off(struct resolver *r, struct name *n)
{
    n->backoff = n->backoff ? 2 * n->backoff : r->retry;
    if (n->backoff > r->period)
        n->backoff = r->period;
}

/* Addresses that were good once are kept if there are no better ones. */
static void take_result(struct resolver *r, struct name *n, int why, struct targets *found)
{
    sift(r, n, found);
    if (found->n > 0)
        take_answers(n, found);
    else if (n->targets.n == 0)
        back_off(r, n);
    if (why != 0)
        say_failure(n, gai_strerror(why));
    n->due = clock_now() + (n->targets.n > 0 ? r->period : n->backoff);
    n->looked_up = true;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* With the lock. */
static void report(struct resolver *r)
{
    for (unsigned i = 0; i < r->n && r->changed; i++) {
        struct name *n = &r->names[i];
        if (targets_equal(&n->targets, &n->told))
            continue;
        n->told = n->targets;
        r->changed(r->arg, i, &n->told);
    }
}

/* The name to look up first; NULL: there is none. */
static struct name *next_due(struct resolver *r)
{
    struct name *first = NULL;
    for (unsigned i = 0; i < r->n; i++) {
        struct name *n = &r->names[i];
        if (n->host[0] && (!first || n->due < first->due))
            first = n;
    }
    return first;
}

/* With the lock; until then, or until it is woken. */
static int wait_until(struct resolver *r, braid_time until)
{
    struct timespec ts = {.tv_sec = until / BRAID_SECOND, .tv_nsec = until % BRAID_SECOND * 1000};
    return pthread_cond_timedwait(&r->wake, &r->lock, &ts);
}

/* With the lock, which it leaves. */
static void leave(struct resolver *r)
{
    bool last = --r->users == 0;
    pthread_mutex_unlock(&r->lock);
    if (!last)
        return;
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r->edges);
    free(r);
}

static void *resolver_main(void *arg)
{
    struct resolver *r = arg;
    pthread_setname_np(pthread_self(), "braid-dns");
    pthread_mutex_lock(&r->lock);
    while (!r->stop) {
        report(r);
        struct name *n = next_due(r);
        if (n->due > clock_now()) {
            wait_until(r, n->due);
            continue;
        }
        struct targets found;
        pthread_mutex_unlock(&r->lock);
        int why = look_up(n, &found);
        pthread_mutex_lock(&r->lock);
        if (!r->stop)
            take_result(r, n, why, &found);
        pthread_cond_broadcast(&r->wake);
    }
    leave(r);
    return NULL;
}

static int start_thread(struct resolver *r)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r->users++;
    int error = pthread_create(&thread, NULL, resolver_main, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        r->users--;
        return -1;
    }
    pthread_detach(thread);
    return 0;
}

/* ---- for the others -------------------------------------------------------------------------- */

/* True if there is something to look up. */
static bool name_init(struct name *n, const struct edge_params *e)
{
    struct braid_addr literal = {.port = e->target_port};
    snprintf(n->edge, sizeof(n->edge), "%s", e->name);
    if (!e->target_host)
        return false; /* transparent: each client says it */
    snprintf(n->port, sizeof(n->port), "%u", e->target_port);
    if (ip_parse(e->target_host, &literal.ip) == 0) {
        n->targets = (struct targets){.addr = {literal}, .n = 1};
        return false;
    }
    snprintf(n->host, sizeof(n->host), "%s", e->target_host);
    return true;
}

static int init_sync(struct resolver *r)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return -1;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int error = pthread_cond_init(&r->wake, &attr);
    pthread_condattr_destroy(&attr);
    return error || pthread_mutex_init(&r->lock, NULL) != 0 ? -1 : 0;
}

struct resolver *resolver_new(const struct resolver_params *params)
{
    struct resolver *r = calloc(1, sizeof(*r) + params->n * sizeof(r->names[0]));
    struct edge_params *edges = calloc(params->n, sizeof(*edges));
    if (!r || !edges || init_sync(r) < 0) {
        free(r);
        free(edges);
        return NULL;
    }
    memcpy(edges, params->edges, params->n * sizeof(*edges));
    r->edges = edges;
    r->n = params->n;
    r->period = params->period;
    r->retry = params->retry;
    r->users = 1;
    bool names = false;
    for (unsigned i = 0; i < r->n; i++) {
        names |= name_init(&r->names[i], &edges[i]);
        edges[i].name = r->names[i].edge;
    }
    if (names && start_thread(r) < 0) {
        resolver_stop(r);
        return NULL;
    }
    return r;
}

static bool all_looked_up(const struct resolver *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        if (r->names[i].host[0] && !r->names[i].looked_up)
            return false;
    }
    return true;
}

void resolver_first(struct resolver *r, braid_time patience, struct targets *targets)
{
    braid_time until = clock_now() + patience;
    pthread_mutex_lock(&r->lock);
    while (!all_looked_up(r) && wait_until(r, until) != ETIMEDOUT)
        ;
    for (unsigned i = 0; i < r->n; i++)
        targets[i] = r->names[i].told = r->names[i].targets;
    pthread_mutex_unlock(&r->lock);
}

void resolver_report(struct resolver *r,
                     void (*changed)(void *arg, unsigned i, const struct targets *targets), void *arg)
{
    pthread_mutex_lock(&r->lock);
    r->changed = changed;
    r->arg = arg;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

void resolver_stop(struct resolver *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->wake);
    leave(r);
}
