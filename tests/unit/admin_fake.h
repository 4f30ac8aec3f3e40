/* For tests of src/admin: a configuration, and workers that exist only as numbers. Answers are given by the
 * event loop like those of real workers, or held back until the test lets them go. */
#ifndef TESTS_ADMIN_FAKE_H
#define TESTS_ADMIN_FAKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "admin/filter_match.h"
#include "admin/snapshot.h"
#include "base/addr.h"
#include "base/list.h"

#define FAKE_WORKERS_MAX 4

struct fake {
    struct snapshot_source source; /* first */
    struct event_base *base;
    unsigned conns[FAKE_WORKERS_MAX]; /* that each worker has */
    unsigned subflows;                /* of each connection */
    bool hold;                        /* asked jobs are kept in held[] */
    bool fail;                        /* memory is short */
    struct snapshot_job *held[64];
    unsigned n_held;
    const char *drained; /* one of the edges; NULL: none */
    unsigned rounds;     /* of the meter; each has more in the counters */
    unsigned asked, dropped, open_dumps, cleared, forgotten, unlearned, killed;
    struct snapshot_change changed; /* the last one */
    uint64_t changed_id;
    unsigned changed_worker;
    struct event *events[64];
    unsigned n_events;
};

/* What a job's dump points to. */
struct fake_dump {
    unsigned next;
};

static const char fake_ini[] =
    "[edge web]\nlisten = 10.99.9.1:8080\ntarget = 10.99.3.2:80\nsignal = 10.99.9.2\n"
    "[edge six]\nlisten = [2001:db8::1]:443\ntarget = [2001:db8::2]:443\n"
    "scheduler = roundrobin\ncongestion = lia\nchecksum = on\n"
    "[edge any]\nmode = transparent\nprofile = auto\nprofiles = 22:interactive, 5000-5100:mine\n"
    "[profile mine]\n[path lte]\nremote = 2001:db8::/32\ncost = 5\nquota = 1KB\n[path dsl]\nlocal = "
    "10.99.9.2\n";
#define FAKE_EDGES 3

static inline void fake_conf(struct conf *c)
{
    char err[CONF_ERROR_MAX];
    if (conf_parse("fake.ini", fake_ini, strlen(fake_ini), c, err, sizeof(err)) < 0) {
        fprintf(stderr, "%s\n", err);
        abort();
    }
    /* without the paths and endpoints that come with a section */
    c->uplinks[0].name = "dsl";
    c->uplinks[1].name = "lte";
    c->n_uplinks = 2;
}

static inline struct braid_addr fake_addr(const char *text)
{
    struct braid_addr a;
    if (addr_parse(text, &a) < 0)
        abort();
    return a;
}

/* Connection number n of a worker; every figure is different. */
static inline void fake_conn(struct braid_conn_stats *c, unsigned n, unsigned subflows)
{
    *c = (struct braid_conn_stats){
        .id = n + 1,
        .listener = n % 2 ? "six" : "web",
        .mptcp = n % 3 != 2,
        .fell_back = n % 5 == 2,
        .checksum = n % 2,
        .state = BRAID_CONN_ESTABLISHED,
        .scheduler = "minrtt",
        .congestion = "cubic",
        .path_manager = "signal",
        .remote = fake_addr("192.0.2.7:40000"),
        .local = fake_addr("10.99.9.1:8080"),
        .token = 0x00c0ffee,
        .version = 1,
        .bytes_in = 1000 + n,
        .bytes_out = 5000000000 + n,
        .recv_queued = 11,
        .send_queued = 12,
        .out_of_order = 13,
        .memory = 14,
        .opened_at = 2 * BRAID_SECOND,
        .active_at = 60 * BRAID_SECOND,
        .n_subflows = subflows,
    };
    for (unsigned i = 0; i < subflows; i++)
        c->subflows[i] = (struct braid_subflow_stats){
            .id = i,
            .local = fake_addr("10.99.9.1:8080"),
            .remote = fake_addr("[2001:db8::7]:40001"),
            .state = "ESTABLISHED",
            .congestion = "cubic",
            .backup = i == 1,
            .path_rule = i == 1 ? 0 : -1,
            .cost = i == 1 ? 5 : 0,
            .weight = 1,
            .over_quota = i == 1,
            .srtt_us = 21000,
            .rttvar_us = 22,
            .min_rtt_us = 23,
            .rto_us = 200000,
            .cwnd = 14600,
            .ssthresh = i ? 29200 : CC_SSTHRESH_INFINITE,
            .in_flight = 1460,
            .bytes_in = 31 + n,
            .bytes_out = 32 + n,
            .retransmits = 33,
            .pacing_rate = 34,
            .mss = 1460,
        };
}

static inline void fake_summary(struct snapshot_worker *s, unsigned worker)
{
    s->core = (struct braid_core_stats){3, 2, 5, 1, 100, 1000, 2000, 4096, 1 << 20, 0};
    for (unsigned i = 0; i < COUNT_MAX; i++)
        s->counters.v[i] = (worker + 1) * (i + 1);
    s->io = (struct worker_counters){1, 14, 15, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    s->strips = worker; /* the second one has found out */
    s->paths[0] = (struct snapshot_path){
        .bytes = 600,
        .stats = {
            2 + worker, 400, 200, 90, 10, {.samples = {[3] = 5, [BRAID_RTT_BOUNDS] = 1}, .sum_us = 7000}}};
    s->paths[2].stats.bytes_out = 77; /* of those that match none */
    for (unsigned e = 0; e < FAKE_EDGES - 1; e++) {
        s->edges[e] =
            (struct snapshot_edge){.conns = 2 - e, .conns_mptcp = 1, .subflows = 3 - e, .memory = 2048};
        s->edges[e].counters.open = 2 - e;
        for (unsigned i = 0; i < EDGE_COUNTER_MAX; i++)
            s->edges[e].counters.v[i] = 10 * e + i;
    }
}

/* In each round of the meter 100 bytes to a server and 300 from it, and of a path 10 segments, of which 2
 * again. */
static inline void fake_round(struct fake *f, struct snapshot_worker *s, unsigned worker)
{
    struct braid_path_stats *lte = &s->paths[0].stats;
    uint64_t n = f->rounds += worker == 0;
    s->edges[0].counters.v[EDGE_TO_SERVER] += 100 * n;
    s->edges[0].counters.v[EDGE_FROM_SERVER] += 300 * n;
    lte->bytes_in += 7000 * n;
    lte->segments_sent += 8 * n;
    lte->segments_again += 2 * n;
    lte->rtt.samples[2] += n;
    lte->rtt.sum_us += 4000 * n;
}

/* And adds it to the job, if the filter means it; every other one has a server. */
static inline void fake_add_conn(struct snapshot_job *job, unsigned n, unsigned subflows)
{
    const struct filter_place at = {job->worker, job->source ? job->source->n_workers : 1, job->now};
    struct braid_conn_stats stats;
    fake_conn(&stats, n, subflows);
    struct snapshot_conn *c = snapshot_conn_new(&stats);
    if (!c)
        abort();
    c->told.server = stats.id % 2 ? fake_addr("10.99.3.2:80") : (struct braid_addr){.port = 0};
    if (filter_matches(&job->filter, c, &at))
        job->conns[job->n++] = c;
    else
        free(c);
}

/* All at once. */
static inline void fake_kill(struct fake *f, struct snapshot_job *job)
{
    for (unsigned i = 0; i < f->conns[job->worker]; i++) {
        fake_add_conn(job, i, f->subflows);
        job->killed += job->n;
        while (job->n > 0)
            free(job->conns[--job->n]);
    }
    f->killed += job->killed;
}

static inline void fake_page(struct fake *f, struct snapshot_job *job)
{
    struct fake_dump *d = (struct fake_dump *)job->dump;
    if (!d) {
        d = calloc(1, sizeof(*d));
        job->dump = (struct braid_dump *)d;
        f->open_dumps++;
    }
    while (job->n < SNAPSHOT_CONNS && d->next < f->conns[job->worker])
        fake_add_conn(job, d->next++, f->subflows);
    if (job->n == 0) {
        free(d);
        job->dump = NULL;
        f->open_dumps--;
    }
}

/* Both workers know the first server; each has another one of its own. */
static inline void fake_bypass(struct fake *f, struct snapshot_job *job)
{
    char own[ADDR_TEXT];
    snprintf(own, sizeof(own), "[2001:db8::%u]:443", job->worker + 1);
    struct bypass_entry *e = calloc(2, sizeof(*e));
    if (!e)
        abort();
    e[0] = (struct bypass_entry){1, fake_addr(own), 5 * BRAID_SECOND, 7};
    e[1] = (struct bypass_entry){0, fake_addr("10.99.3.2:80"), (10 + job->worker) * BRAID_SECOND - 1,
                                 100 + job->worker};
    job->rows = e;
    job->n_rows = 2;
    f->cleared += job->what == SNAPSHOT_CLEAR;
}

/* All workers know the first thing, the last of them longest; each has another one of its own. */
static inline void fake_learned(struct fake *f, struct snapshot_job *job)
{
    char own[ADDR_TEXT];
    snprintf(own, sizeof(own), "[2001:db8:%u::]:0", job->worker + 1);
    struct learned_entry *e = calloc(2, sizeof(*e));
    if (!e)
        abort();
    e[0] = (struct learned_entry){LEARNED_SILENT,  1,           fake_addr("10.99.3.2:80"),
                                  1 + job->worker, job->worker, (5 + job->worker) * BRAID_SECOND};
    e[1] = (struct learned_entry){LEARNED_DROPPED, 0, fake_addr(own), 3, true, 240 * BRAID_SECOND};
    job->rows = e;
    job->n_rows = 2;
    f->unlearned += job->what == SNAPSHOT_UNLEARN;
}

/* The edges are web, six and any. */
static inline void fake_drain(struct fake *f, struct snapshot_job *job)
{
    if (job->what == SNAPSHOT_DRAIN)
        f->drained = job->section;
    else if (job->what == SNAPSHOT_UNDRAIN)
        f->drained = NULL;
    if (f->drained)
        job->summary->edges[f->drained[0] == 'w' ? 0 : f->drained[0] == 's' ? 1 : 2].drained = 1;
}

static inline void fake_fill(struct fake *f, struct snapshot_job *job)
{
    job->now = 65 * BRAID_SECOND;
    job->failed = f->fail;
    f->forgotten += job->what == SNAPSHOT_FORGET;
    if (snapshot_sums_up(job->what)) {
        fake_summary(job->summary, job->worker);
        fake_drain(f, job);
    }
    if (job->what == SNAPSHOT_RATES)
        fake_round(f, job->summary, job->worker);
    else if (job->what == SNAPSHOT_BYPASS || job->what == SNAPSHOT_CLEAR)
        fake_bypass(f, job);
    else if (job->what == SNAPSHOT_LEARNED || job->what == SNAPSHOT_UNLEARN)
        fake_learned(f, job);
    else if (job->what == SNAPSHOT_PAGE)
        fake_page(f, job);
    else if (job->what == SNAPSHOT_KILL)
        fake_kill(f, job);
    else if (job->what == SNAPSHOT_KILL_ONE)
        f->killed += job->killed = job->id >= 1 && job->id <= f->conns[job->worker];
    else if (job->id >= 1 && job->id <= f->conns[job->worker])
        fake_add_conn(job, (unsigned)job->id - 1, f->subflows);
    if (job->what == SNAPSHOT_CHANGE && job->n > 0) {
        f->changed = job->change;
        f->changed_id = job->id;
        f->changed_worker = job->worker;
        job->conns[0]->told.profile = job->conns[0]->told.now = job->change.profile;
        job->conns[0]->stats.scheduler = job->change.sched ? job->change.sched->name : "minrtt";
    }
}

static inline void fake_answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct snapshot_job *job = arg;
    struct fake *f = (struct fake *)job->source;
    if (!atomic_load(&job->cancelled)) {
        fake_fill(f, job);
    } else if (job->dump) {
        free(job->dump);
        job->dump = NULL;
        f->open_dumps--;
    }
    job->answered(job);
}

static inline void fake_ask(struct snapshot_source *s, struct snapshot_job *job)
{
    struct fake *f = (struct fake *)s;
    static const struct timeval now;
    f->asked++;
    if (f->hold)
        f->held[f->n_held++] = job;
    else if (event_base_once(f->base, -1, EV_TIMEOUT, fake_answer, job, &now) < 0)
        abort();
}

/* Answers what was held back. */
static inline void fake_release(struct fake *f)
{
    unsigned n = f->n_held;
    f->n_held = 0;
    for (unsigned i = 0; i < n; i++)
        fake_answer(-1, 0, f->held[i]);
}

static inline void fake_drop(struct snapshot_source *s, struct snapshot_job *job)
{
    struct fake *f = (struct fake *)s;
    f->dropped++;
    f->open_dumps--;
    free(job->dump);
    snapshot_job_free(job);
}

static inline void fake_init(struct fake *f, struct event_base *base, unsigned workers)
{
    *f = (struct fake){.source = {.n_workers = workers, .ask = fake_ask, .drop = fake_drop}, .base = base};
    f->subflows = 2;
}

#endif
