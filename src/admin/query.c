/* Queries: a small state machine around one job, which is either with a worker (asked) or here. */
#include <stdlib.h>
#include <time.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/gather.h"
#include "admin/query.h"
#include "admin/ranking.h"
#include "base/list.h"
#include "io/log_writer.h"
#include "io/refusals.h"

#define QUERY_RESTARTS 3 /* since the configuration has changed */

struct query_set {
    struct event_base *base;
    struct snapshot_source *source;
    struct snapshot_view view; /* of nothing yet */
    struct query_limits limits;
    struct timespec started; /* CLOCK_MONOTONIC */
    struct list queries;
    unsigned n_queries;
};

struct query {
    struct list link;
    struct query_set *set;
    struct command_call call;
    const struct conf *conf; /* that is shown, and held */
    bool begun;              /* the sink has got a part */
    unsigned restarts;
    const struct query_sink *sink;
    void *ctx;
    struct snapshot_job *job;
    bool asked;          /* the job is with its worker */
    bool held;           /* the client has not taken the last part yet */
    struct event *timer; /* of the answer */
    struct doc part;     /* what the sink gets next */
    struct gathered gathered;
};

const char *query_failure_text(enum query_failure why)
{
    switch (why) {
    case QUERY_NOT_FOUND:
        return "no connection has this id (it may have ended); \"connections\" lists them";
    case QUERY_TIMEOUT:
        return "a worker did not answer in time; try again";
    case QUERY_MEMORY:
        return "the daemon is short of memory; try again later";
    case QUERY_BUSY:
        return "too many requests are being answered; try again later";
    case QUERY_CHANGED:
        return "the configuration has changed meanwhile; try again";
    }
    return "unknown failure";
}

/* ---- beginning and ending -------------------------------------------------------------------- */

/* Answers of jobs whose query has gone come here, too. */
static void job_discard(struct snapshot_source *source, struct snapshot_job *job)
{
    if (job->dump)
        source->drop(source, job);
    else
        snapshot_job_free(job);
}

static void take_conf(struct query *q, const struct conf *conf)
{
    const struct conf *before = q->conf;
    hold_get(conf->hold);
    q->conf = conf;
    if (before)
        hold_put(before->hold);
}

static void query_free(struct query *q)
{
    if (q->asked) {
        q->job->owner = NULL;
        atomic_store(&q->job->cancelled, true);
    } else if (q->job) {
        job_discard(q->set->source, q->job);
    }
    gather_free(&q->gathered, q->set->source->n_workers);
    if (q->part.buf)
        evbuffer_free(q->part.buf);
    if (q->timer)
        event_free(q->timer);
    list_remove(&q->link);
    q->set->n_queries--;
    hold_put(q->conf->hold);
    free(q);
}

void query_cancel(struct query *q)
{
    query_free(q);
}

static void query_fail(struct query *q, enum query_failure why)
{
    const struct query_sink *sink = q->sink;
    void *ctx = q->ctx;
    query_free(q);
    sink->failed(ctx, why);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* 0, or -1: memory is short. */
static int ask(struct query *q, unsigned worker)
{
    struct timeval limit = {.tv_sec = q->set->limits.answer_ms / 1000,
                            .tv_usec = q->set->limits.answer_ms % 1000 * 1000};
    struct snapshot_job *job = q->job;
    job->worker = worker;
    job->generation = q->conf->generation;
    snapshot_job_clear(job);
    bool summary = snapshot_sums_up(job->what);
    if (summary)
        job->summary = snapshot_worker_new(q->conf);
    if ((summary && !job->summary) || event_add(q->timer, &limit) < 0)
        return -1;
    q->asked = true;
    q->set->source->ask(q->set->source, job);
    return 0;
}

static void ask_next(struct query *q, unsigned worker)
{
    if (ask(q, worker) < 0)
        query_fail(q, QUERY_MEMORY);
}

/* Hands the part to the sink. last: q is gone afterwards. */
static void deliver(struct query *q, bool last)
{
    const struct query_sink *sink = q->sink;
    void *ctx = q->ctx;
    struct evbuffer *part = q->part.buf;
    if (q->part.failed) {
        query_fail(q, QUERY_MEMORY);
        return;
    }
    q->held = !last;
    q->begun = true;
    if (last) {
        q->part.buf = NULL;
        query_free(q);
    }
    sink->part(ctx, part, last);
    if (last)
        evbuffer_free(part);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* last: q is gone afterwards. */
static void render(struct query *q, bool last)
{
    struct snapshot_view v = q->set->view;
    v.conf = q->conf;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    v.uptime_s = now.tv_sec - q->set->started.tv_sec - (now.tv_nsec < q->set->started.tv_nsec);
    v.log_lost = log_lost();
    v.refused = refusals_count();
    v.cleared = q->call.clear;
    v.seconds = q->call.seconds;
    v.section = q->call.section;
    v.changed = q->call.changed;
    gather_show(&q->gathered, q->job, &v);
    q->call.command->render[q->call.format](&q->part, &v);
    snapshot_job_clear(q->job);
    deliver(q, last);
}

/* Whether it goes through connections, each of which is of the configuration that its worker has. */
static bool is_of_connections(const struct snapshot_job *job)
{
    return job->what == SNAPSHOT_PAGE || job->what == SNAPSHOT_KILL || snapshot_is_of_one(job->what);
}

/* Tables that several workers fill in, and what goes by the places of edges, are of one configuration, and it
 * is the one in force. */
static bool is_stale(const struct query *q)
{
    bool is_whole = !is_of_connections(q->job);
    return q->job->generation != q->conf->generation || (is_whole && q->conf != q->set->view.conf);
}

/* The configuration has changed since the worker was asked. Connections are shown as it has them now; the
 * rest begins anew. False: the query is over. */
static bool catch_up(struct query *q)
{
    const struct conf *now = q->set->view.conf;
    bool alone = is_of_connections(q->job), placed = filter_has_places(&q->job->filter);
    if (alone && !placed && q->job->generation == now->generation) {
        take_conf(q, now);
        return true;
    }
    if (alone || q->begun || q->restarts++ == QUERY_RESTARTS) {
        query_fail(q, QUERY_CHANGED);
        return false;
    }
    gather_free(&q->gathered, q->set->source->n_workers);
    q->gathered = (struct gathered){.summaries = NULL};
    take_conf(q, now);
    ask_next(q, 0);
    return false;
}

static void on_answered(struct snapshot_job *job)
{
    struct query *q = job->owner;
    if (!q) {
        job_discard(job->source, job);
        return;
    }
    q->asked = false;
    event_del(q->timer);
    if (is_stale(q) && !catch_up(q))
        return;
    switch (gather_take(&q->gathered, job, q->set->source->n_workers)) {
    case GATHER_ASK:
        ask_next(q, job->worker + 1);
        break;
    case GATHER_MORE:
        ask_next(q, job->worker);
        break;
    case GATHER_PART:
        render(q, false);
        break;
    case GATHER_WHOLE:
        render(q, true);
        break;
    case GATHER_NOT_FOUND:
        query_fail(q, QUERY_NOT_FOUND);
        break;
    case GATHER_SHORT:
        query_fail(q, QUERY_MEMORY);
        break;
    }
}

/* Documents that no worker is asked for come by the timer, too, since they must not come at once. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct query *q = arg;
    if (q->asked) {
        query_fail(q, QUERY_TIMEOUT);
        return;
    }
    take_conf(q, q->set->view.conf); /* it may have changed since */
    render(q, true);
}

void query_more(struct query *q)
{
    if (!q->held)
        return;
    q->held = false;
    ask_next(q, q->job->worker);
}

/* ---- the set --------------------------------------------------------------------------------- */

static int first_question(struct query *q)
{
    static const struct timeval at_once;
    unsigned n = q->set->source->n_workers;
    struct snapshot_job *job = q->job;
    job->what = q->call.clear ? q->call.command->clears : q->call.command->asks;
    if (job->what == SNAPSHOT_NOTHING)
        return event_add(q->timer, &at_once);
    job->filter = q->call.filter;
    job->section = q->call.section;
    if (job->what == SNAPSHOT_KILL && q->call.one)
        job->what = SNAPSHOT_KILL_ONE;
    if (job->what == SNAPSHOT_DRAIN && !job->section)
        job->what = SNAPSHOT_RATES;
    if (!snapshot_is_of_one(job->what))
        return ask(q, 0);
    job->id = q->call.id / n;
    job->change = q->call.change;
    return ask(q, (unsigned)(q->call.id % n)); /* the worker that has the connection */
}

const struct query_actions *query_set_actions(const struct query_set *set)
{
    return set->view.actions;
}

const struct conf *query_set_conf(const struct query_set *set)
{
    return set->view.conf;
}

void query_set_change(struct query_set *set, const struct conf *conf)
{
    set->view.conf = conf;
    set->view.uplinks = set->source->uplinks;
    set->view.meter = set->source->meter;
}

void query_set_act(struct query_set *set, const struct query_actions *actions)
{
    set->view.actions = actions;
}

struct snapshot_source *query_set_source(const struct query_set *set)
{
    return set->source;
}

struct query *query_start(struct query_set *set, const struct command_call *call,
                          const struct query_sink *sink, void *ctx, enum query_failure *why)
{
    *why = QUERY_BUSY;
    if (set->n_queries >= set->limits.queries)
        return NULL;
    *why = QUERY_MEMORY;
    struct query *q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    q->set = set;
    take_conf(q, set->view.conf);
    q->call = *call;
    q->sink = sink;
    q->ctx = ctx;
    list_append(&set->queries, &q->link);
    set->n_queries++;
    q->job = calloc(1, sizeof(*q->job));
    q->part.buf = evbuffer_new();
    q->timer = evtimer_new(set->base, on_timer, q);
    if (!q->job || !q->part.buf || !q->timer) {
        query_free(q);
        return NULL;
    }
    q->gathered.list.limit = call->limit;
    if (call->top.limit > 0) {
        q->gathered.ranking = ranking_new(&call->top, set->view.conf, set->source->census);
        if (!q->gathered.ranking) {
            query_free(q);
            return NULL;
        }
    }
    *q->job = (struct snapshot_job){.owner = q, .answered = on_answered, .source = set->source};
    if (first_question(q) < 0) {
        query_free(q);
        return NULL;
    }
    return q;
}

struct query_set *query_set_new(struct event_base *base, struct snapshot_source *source,
                                const struct conf *conf, const struct query_limits *limits)
{
    struct query_set *set = calloc(1, sizeof(*set));
    if (!set)
        return NULL;
    set->base = base;
    set->source = source;
    set->view = (struct snapshot_view){.conf = conf,
                                       .uplinks = source->uplinks,
                                       .n_workers = source->n_workers,
                                       .started_s = time(NULL),
                                       .meter = source->meter};
    set->limits = *limits;
    clock_gettime(CLOCK_MONOTONIC, &set->started);
    list_init(&set->queries);
    return set;
}

void query_set_free(struct query_set *set)
{
    if (!set)
        return;
    list_each (pos, next, &set->queries)
        query_cancel(list_entry(pos, struct query, link));
    free(set);
}
