/* Puts TUN, workers, edges and resolver together, and takes them apart in the order that their threads need.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/machine.h"
#include "io/ledgerfile.h"
#include "io/log.h"
#include "io/mailbox.h"
#include "io/tun.h"
#include "io/tunwatch.h"
#include "io/upstream.h"
#include "io/worker.h"
#include "service/quotas.h"
#include "role/resolver.h"
#include "service/service.h"
#include "service/steering.h"

#define LEDGER_ENTRIES 262144u /* subflows that are remembered across a crash, all workers' */

struct service {
    const struct service_params *params;
    struct mailbox *mailbox; /* of the main loop */
    struct tun tun;
    bool tun_open;
    struct tunwatch *tunwatch;
    struct steering *steering;  /* NULL: routing is the operator's */
    struct braid_ip *addresses; /* that clients send to, each once */
    unsigned n_addresses;
    struct targets *targets; /* one per edge, as they were at the start */
    unsigned n_workers;
    struct worker *workers[DAEMON_WORKERS_MAX];
    struct braid_directory *directory; /* of their cores */
    struct ledgerfile *ledgers;        /* NULL: nothing outlives a crash */
    size_t n_orphans;
    struct resolver *resolver;
    struct quota *quota; /* NULL: there is none, or one worker has it all */
    unsigned undrained;  /* workers that still have connections */
    void (*drained)(void *arg);
    void *drained_arg;
};

/* ---- routes ---------------------------------------------------------------------------------- */

/* Edges may share addresses. */
static void note_address(struct service *s, const struct braid_ip *ip)
{
    if (ip_is_unspecified(ip))
        return;
    for (unsigned i = 0; i < s->n_addresses; i++) {
        if (ip_equal(&s->addresses[i], ip))
            return;
    }
    s->addresses[s->n_addresses++] = *ip;
}

/* Where edges listen, and what they signal. -1: memory is short. */
static int note_addresses(struct service *s)
{
    const struct edge_params *edges = s->params->edges;
    unsigned most = 0;
    for (unsigned i = 0; i < s->params->n_edges; i++)
        most += 1 + edges[i].n_signal;
    s->addresses = calloc(most, sizeof(*s->addresses));
    if (!s->addresses)
        return -1;
    for (unsigned i = 0; i < s->params->n_edges; i++) {
        note_address(s, &edges[i].listen.ip);
        for (unsigned j = 0; j < edges[i].n_signal; j++)
            note_address(s, &edges[i].signal[j]);
    }
    return 0;
}

/* The kernel looks for its own addresses before it looks at any route. */
static void warn_of_own_addresses(const struct service *s)
{
    char text[ADDR_TEXT];
    for (unsigned i = 0; i < s->n_addresses; i++) {
        if (upstream_is_own(&s->addresses[i]))
            log_warn("%s is an address of this machine itself, so that its clients never reach the TUN: "
                     "give edges addresses that no interface has",
                     ip_text(&s->addresses[i], text));
    }
}

static bool has_transparent(const struct service_params *p)
{
    for (unsigned i = 0; i < p->n_edges; i++) {
        if (p->edges[i].transparent)
            return true;
    }
    return false;
}

static int open_tun(struct service *s, char *error)
{
    const struct service_params *p = s->params;
    if (tun_open(&s->tun, p->tun, s->n_workers, error) < 0)
        return -1;
    s->tun_open = true;
    bool v4 = false, v6 = false;
    for (unsigned i = 0; i < p->n_edges; i++) {
        v4 |= p->edges[i].transparent || ip_is_v4(&p->edges[i].listen.ip);
        v6 |= p->edges[i].transparent || !ip_is_v4(&p->edges[i].listen.ip);
    }
    tun_check_forwarding(&s->tun, v4, v6);
    if (!p->tun->routes_auto)
        return 0;
    if (has_transparent(p) && tun_steer(&s->tun, error) < 0)
        return -1;
    for (unsigned i = 0; i < s->n_addresses; i++) {
        if (tun_route(&s->tun, &s->addresses[i], error) < 0)
            return -1;
    }
    return 0;
}

/* ---- what others do to the TUN ----------------------------------------------------------------- */

static void read_again(struct worker *w, void *arg)
{
    (void)arg;
    worker_tun_again(w);
}

static void on_readable(void *arg)
{
    struct service *s = arg;
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_post(s->workers[i], read_again, NULL);
}

static void on_lost(void *arg, const char *why)
{
    struct service *s = arg;
    s->params->failed(s->params->failed_arg, why);
}

/* In the main thread. */
static void take_tun_lost(void *arg)
{
    struct service *s = arg;
    tunwatch_look(s->tunwatch);
}

/* In a worker's thread. If memory is short it looks like a TUN without packets. */
static void on_tun_lost(void *arg)
{
    struct service *s = arg;
    mailbox_post(s->mailbox, take_tun_lost, s);
}

static int watch_tun(struct service *s, struct event_base *base, char *error)
{
    struct tunwatch_params params = {.tun = &s->tun,
                                     .routes = s->addresses,
                                     .n_routes = s->n_addresses,
                                     .steer = has_transparent(s->params),
                                     .readable = on_readable,
                                     .lost = on_lost,
                                     .arg = s};
    if (!s->params->tun->routes_auto)
        params.n_routes = 0, params.steer = false;
    s->tunwatch = tunwatch_new(base, &params);
    if (s->params->tun->routes_auto)
        s->steering = steering_new(base, s->params->edges, s->params->n_edges);
    if (!s->tunwatch)
        snprintf(error, SERVICE_ERROR, "tun: cannot watch it: out of memory or descriptors");
    return s->tunwatch ? 0 : -1;
}

/* Better now than with each connection. */
static int check_sources(const struct service_params *p, char *error)
{
    for (unsigned i = 0; i < p->n_edges; i++) {
        if (p->edges[i].client_source && upstream_check_source() < 0) {
            snprintf(error, SERVICE_ERROR,
                     "edge %s: source = client: no IP_TRANSPARENT: %s; it takes CAP_NET_ADMIN or CAP_NET_RAW",
                     p->edges[i].name, strerror(errno));
            return -1;
        }
    }
    return 0;
}

/* ---- what outlives a crash --------------------------------------------------------------------- */

/* The daemon serves without it, too. */
static void open_ledgers(struct service *s)
{
    char error[LEDGERFILE_ERROR];
    const char *path = s->params->daemon->state;
    if (!path)
        return;
    s->ledgers = ledgerfile_open(path, s->n_workers, LEDGER_ENTRIES / s->n_workers, error);
    if (!s->ledgers)
        log_warn("state: %s; after a crash of this daemon its clients will not be told", error);
}

/* In the main loop: after the line that says ready. */
static void say_orphans(void *arg)
{
    const struct service *s = arg;
    log_warn("state: a daemon before this one left %zu subflows without an end: their peers are told",
             s->n_orphans);
}

/* Before the workers start: whoever sends for such a subflow must not get the answer that it is unknown.
 * Which of the workers has it does not matter: its peer is spoken to from there. */
static void end_orphans(struct service *s)
{
    size_t n = 0;
    if (!s->ledgers)
        return;
    const struct braid_ledger_entry *orphans = ledgerfile_orphans(s->ledgers, &n);
    for (size_t i = 0; i < n; i++) {
        struct worker *w = s->workers[i % s->n_workers];
        s->n_orphans += braid_core_orphan(worker_core(w), &orphans[i], worker_now(w)) == 0;
    }
    if (s->n_orphans > 0)
        mailbox_post(s->mailbox, say_orphans, s);
}

/* ---- what one worker finds out ---------------------------------------------------------------- */

struct finding {
    unsigned edge;
    struct braid_addr server;
    braid_time until;
};

static void take_finding(struct worker *w, const void *what)
{
    const struct finding *f = what;
    struct edges *es = worker_user(w);
    if (es)
        edges_learn(es, f->edge, &f->server, f->until);
}

/* In the thread of the worker that found it, who is told, too. Whoever misses it for lack of memory will find
 * out by himself. */
static void on_learned(void *arg, unsigned i, const struct braid_addr *server, braid_time until)
{
    struct service *s = arg;
    struct finding f = {.edge = i, .server = *server, .until = until};
    worker_tell_all(s->workers, s->n_workers, NULL, take_finding, &f, sizeof(f));
}

/* ---- workers --------------------------------------------------------------------------------- */

/* The i-th CPU that we may use, -1 if there are fewer. */
static int nth_cpu(const cpu_set_t *set, unsigned i)
{
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, set) && i-- == 0)
            return cpu;
    }
    return -1;
}

static unsigned count_cpus(cpu_set_t *set)
{
    CPU_ZERO(set);
    if (sched_getaffinity(0, sizeof(*set), set) < 0)
        return 1;
    return (unsigned)CPU_COUNT(set);
}

/* What a worker may hold where the configuration does not say. */
static size_t memory_share(unsigned n_workers)
{
    size_t least = (size_t)16 << 20, share = machine_memory(MACHINE_CGROUP, MACHINE_PROC) / 4 / n_workers;
    return share > least ? share : least;
}

static int make_worker(struct service *s, unsigned i, int cpu)
{
    const struct service_params *p = s->params;
    struct worker_params params = {.number = i,
                                   .n_workers = s->n_workers,
                                   .tun_fd = s->tun.fds[i],
                                   .tun_lost = on_tun_lost,
                                   .tun_lost_arg = s,
                                   .cpu = cpu};
    params.core = *p->limits;
    if (params.core.memory == 0)
        params.core.memory = memory_share(s->n_workers);
    params.core.mtu = (uint16_t)p->tun->mtu;
    params.core.directory = s->directory;
    params.core.ledger = s->ledgers ? ledgerfile_ledger(s->ledgers, i) : NULL;
    s->workers[i] = worker_new(&params);
    if (!s->workers[i])
        return -1;
    struct edges *es = edges_new(worker_core(s->workers[i]), worker_base(s->workers[i]), p->unproven,
                                 p->edges, s->targets, p->n_edges);
    worker_set_user(s->workers[i], es);
    if (es)
        edges_on_learned(es, on_learned, s);
    return es ? 0 : -1;
}

static int make_workers(struct service *s, const cpu_set_t *cpus, unsigned n_cpus, char *error)
{
    /* Two workers on one CPU would be worse than leaving them to the kernel's scheduler. */
    bool pin = s->n_workers > 1 && s->n_workers <= n_cpus;
    s->directory = s->n_workers > 1 ? worker_directory_new() : NULL;
    open_ledgers(s); /* not earlier: what was left would be lost if we did not get this far */
    for (unsigned i = 0; i < s->n_workers; i++) {
        if (make_worker(s, i, pin ? nth_cpu(cpus, i) : -1) < 0) {
            snprintf(error, SERVICE_ERROR, "worker %u: out of memory or descriptors", i);
            return -1;
        }
    }
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_set_peers(s->workers[i], s->workers);
    return 0;
}

/* Waits for the names' addresses, but not for long: late name servers must not keep the other edges from
 * their clients. */
static int resolve(struct service *s, char *error)
{
    struct resolver_params params = {.edges = s->params->edges,
                                     .n = s->params->n_edges,
                                     .period = RESOLVER_PERIOD,
                                     .retry = RESOLVER_RETRY};
    s->resolver = resolver_new(&params);
    if (!s->resolver) {
        snprintf(error, SERVICE_ERROR, "resolver: cannot start a thread");
        return -1;
    }
    resolver_first(s->resolver, RESOLVER_FIRST, s->targets);
    return 0;
}

struct service *service_new(struct event_base *base, const struct service_params *params,
                            char error[SERVICE_ERROR])
{
    struct service *s = calloc(1, sizeof(*s));
    struct targets *targets = calloc(params->n_edges, sizeof(*targets));
    cpu_set_t cpus;
    unsigned n_cpus = count_cpus(&cpus);
    if (s)
        s->mailbox = mailbox_new(base);
    if (!s || !targets || !s->mailbox) {
        snprintf(error, SERVICE_ERROR, "out of memory or descriptors");
        free(targets);
        free(s);
        return NULL;
    }
    s->params = params;
    s->targets = targets;
    s->n_workers = params->daemon->workers ? params->daemon->workers : n_cpus;
    if (s->n_workers > DAEMON_WORKERS_MAX)
        s->n_workers = DAEMON_WORKERS_MAX;
    if (note_addresses(s) < 0) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        service_free(s);
        return NULL;
    }
    if (!params->tun->routes_auto) /* tun_route refuses them */
        warn_of_own_addresses(s);
    if (check_sources(params, error) < 0 || resolve(s, error) < 0 || open_tun(s, error) < 0 ||
        make_workers(s, &cpus, n_cpus, error) < 0 || watch_tun(s, base, error) < 0) {
        service_free(s);
        return NULL;
    }
    return s;
}

/* ---- the resolver's news --------------------------------------------------------------------- */

struct news {
    unsigned edge;
    struct targets targets;
};

static void take_news(struct worker *w, const void *what)
{
    const struct news *n = what;
    struct edges *es = worker_user(w);
    if (es)
        edges_set_targets(es, n->edge, &n->targets);
}

/* In the resolver's thread. If memory is short the old addresses stay. */
static void on_changed(void *arg, unsigned i, const struct targets *targets)
{
    struct service *s = arg;
    struct news n = {.edge = i, .targets = *targets};
    worker_tell_all(s->workers, s->n_workers, NULL, take_news, &n, sizeof(n));
}

static int share_quotas(struct service *s, char error[SERVICE_ERROR])
{
    const struct braid_core_params *limits = s->params->limits;
    bool any = false;
    for (unsigned i = 0; i < limits->n_paths; i++)
        any |= limits->paths[i].quota > 0;
    if (!any || s->n_workers < 2)
        return 0;
    s->quota = quota_start(s->workers, s->n_workers, limits->n_paths);
    if (!s->quota)
        snprintf(error, SERVICE_ERROR, "out of memory");
    return s->quota ? 0 : -1;
}

int service_start(struct service *s, char error[SERVICE_ERROR])
{
    if (share_quotas(s, error) < 0)
        return -1;
    end_orphans(s);
    for (unsigned i = 0; i < s->n_workers; i++) {
        if (worker_start(s->workers[i]) < 0) {
            snprintf(error, SERVICE_ERROR, "worker %u: cannot start a thread: %s", i, strerror(errno));
            return -1;
        }
    }
    resolver_report(s->resolver, on_changed, s);
    return 0;
}

struct worker *const *service_workers(const struct service *s, unsigned *n)
{
    *n = s->n_workers;
    return s->workers;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* In the main thread. */
static void one_drained(void *arg)
{
    struct service *s = arg;
    if (--s->undrained == 0)
        s->drained(s->drained_arg);
}

/* In a worker's thread. If memory is short the drain ends at its time limit. */
static void on_drained(void *arg)
{
    struct service *s = arg;
    mailbox_post(s->mailbox, one_drained, s);
}

static void drain_worker(struct worker *w, void *arg)
{
    edges_drain(worker_user(w), on_drained, arg);
}

void service_drain(struct service *s, void (*done)(void *arg), void *arg)
{
    s->undrained = s->n_workers;
    s->drained = done;
    s->drained_arg = arg;
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_post(s->workers[i], drain_worker, s);
}

static void ignore(void *arg)
{
    (void)arg;
}

/* News may still wait in the worker's mailbox. */
static void free_edges(struct worker *w)
{
    edges_free(worker_user(w));
    worker_set_user(w, NULL);
}

void service_free(struct service *s)
{
    if (!s)
        return;
    resolver_stop(s->resolver);
    for (unsigned i = 0; i < s->n_workers && s->workers[i]; i++)
        worker_stop(s->workers[i]);
    quota_stop(s->quota);
    for (unsigned i = 0; i < s->n_workers && s->workers[i]; i++)
        free_edges(s->workers[i]);
    for (unsigned i = 0; i < s->n_workers && s->workers[i]; i++)
        worker_abort(s->workers[i]); /* with the routes to clients still in place */
    for (unsigned i = 0; i < s->n_workers && s->workers[i]; i++)
        worker_free(s->workers[i]);
    braid_directory_free(s->directory);
    s->drained = ignore;
    mailbox_free(s->mailbox);
    ledgerfile_close(s->ledgers);
    tunwatch_free(s->tunwatch);
    steering_free(s->steering);
    if (s->tun_open) {
        if (s->params->tun->routes_auto) {
            for (unsigned i = 0; i < s->n_addresses; i++)
                tun_unroute(&s->tun, &s->addresses[i]);
            if (has_transparent(s->params))
                tun_unsteer(&s->tun);
        }
        tun_close(&s->tun);
    }
    free(s->addresses);
    free(s->targets);
    free(s);
}
