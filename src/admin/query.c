/* Queries: a small state machine around one job, which is either with a worker (asked) or here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/query.h"
#include "admin/render.h"
#include "base/list.h"
#include "conf/profiles.h"
#include "io/log_writer.h"

struct query_set {
    struct event_base *base;
    struct snapshot_source *source;
    struct snapshot_view view; /* workers: NULL */
    struct query_limits limits;
    struct timespec started; /* CLOCK_MONOTONIC */
    struct list queries;
    unsigned n_queries;
};

struct query {
    struct list link;
    struct query_set *set;
    struct query_spec spec;
    const struct query_sink *sink;
    void *ctx;
    struct snapshot_job *job;
    bool asked;          /* the job is with its worker */
    bool held;           /* the client has not taken the last part yet */
    struct event *timer; /* of the answer */
    struct doc part;     /* what the sink gets next */
    struct render_list list;
    struct bypass_entry *bypass; /* of those who have answered */
    size_t n_bypass;
    struct snapshot_worker *summaries[]; /* those who have answered */
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
    }
    return "unknown failure";
}

/* ---- beginning and ending -------------------------------------------------------------------------------
 */

/* Answers of jobs whose query has gone come here, too. */
static void job_discard(struct snapshot_source *source, struct snapshot_job *job)
{
    free(job->summary);
    job->summary = NULL;
    free(job->bypass);
    job->bypass = NULL;
    if (job->dump)
        source->drop(source, job);
    else
        free(job);
}

static void query_free(struct query *q)
{
    if (q->asked) {
        q->job->owner = NULL;
        atomic_store(&q->job->cancelled, true);
    } else if (q->job) {
        job_discard(q->set->source, q->job);
    }
    for (unsigned w = 0; w < q->set->source->n_workers; w++)
        free(q->summaries[w]);
    free(q->bypass);
    if (q->part.buf)
        evbuffer_free(q->part.buf);
    if (q->timer)
        event_free(q->timer);
    list_remove(&q->link);
    q->set->n_queries--;
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

static void take_algorithms(struct query *q);

/* Documents that no worker is asked for come by the timer, too, since they must not come at once. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct query *q = arg;
    if (q->asked)
        query_fail(q, QUERY_TIMEOUT);
    else
        take_algorithms(q);
}

/* ---- asking ---------------------------------------------------------------------------------------------
 */

/* 0, or -1: memory is short. */
static int ask(struct query *q, enum snapshot_what what, unsigned worker)
{
    struct timeval limit = {.tv_sec = q->set->limits.answer_ms / 1000,
                            .tv_usec = q->set->limits.answer_ms % 1000 * 1000};
    struct snapshot_job *job = q->job;
    job->what = what;
    job->worker = worker;
    bool summary = what == SNAPSHOT_SUMMARY || what == SNAPSHOT_FORGET;
    if (summary)
        job->summary = snapshot_worker_new(q->set->view.conf);
    if ((summary && !job->summary) || event_add(q->timer, &limit) < 0)
        return -1;
    q->asked = true;
    q->set->source->ask(q->set->source, job);
    return 0;
}

static void ask_next(struct query *q, enum snapshot_what what, unsigned worker)
{
    if (ask(q, what, worker) < 0)
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
    if (last) {
        q->part.buf = NULL;
        query_free(q);
    }
    sink->part(ctx, part, last);
    if (last)
        evbuffer_free(part);
}

static struct snapshot_view view_now(const struct query *q)
{
    struct snapshot_view v = q->set->view;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    v.uptime_s = now.tv_sec - q->set->started.tv_sec - (now.tv_nsec < q->set->started.tv_nsec);
    v.workers = q->summaries;
    v.log_lost = log_lost();
    return v;
}

static void take_summary(struct query *q)
{
    struct snapshot_job *job = q->job;
    q->summaries[job->worker] = job->summary;
    job->summary = NULL;
    if (job->worker + 1 < q->set->source->n_workers) {
        ask_next(q, job->what, job->worker + 1);
        return;
    }
    struct snapshot_view v = view_now(q);
    if (q->spec.format == QUERY_METRICS)
        render_metrics(&q->part, &v);
    else if (q->spec.command == BRAID_COMMAND_PATHS)
        (q->spec.format == QUERY_JSON ? render_paths_json : render_paths_text)(&q->part, &v, q->spec.clear);
    else if (q->spec.command == BRAID_COMMAND_STATUS)
        (q->spec.format == QUERY_JSON ? render_status_json : render_status_text)(&q->part, &v);
    else
        (q->spec.format == QUERY_JSON ? render_counters_json : render_counters_text)(&q->part, &v);
    deliver(q, true);
}

static void take_one(struct query *q)
{
    struct snapshot_view v = view_now(q);
    if (q->job->n == 0) {
        query_fail(q, QUERY_NOT_FOUND);
        return;
    }
    if (q->spec.format == QUERY_JSON)
        render_conn_json(&q->part, &v, q->job, 0);
    else if (q->spec.command == BRAID_COMMAND_SET)
        render_change_text(&q->part, &v, q->job, 0);
    else
        render_conn_text(&q->part, &v, q->job, 0);
    deliver(q, true);
}

static void take_algorithms(struct query *q)
{
    (q->spec.format == QUERY_JSON ? render_algorithms_json : render_algorithms_text)(&q->part,
                                                                                     q->set->view.conf);
    deliver(q, true);
}

static void take_page(struct query *q)
{
    bool json = q->spec.format == QUERY_JSON;
    struct snapshot_job *job = q->job;
    struct snapshot_view v = view_now(q);
    if (job->n > 0) {
        (json ? render_list_page_json : render_list_page_text)(&q->list, &q->part, &v, job);
        deliver(q, false);
    } else if (job->worker + 1 < q->set->source->n_workers) {
        ask_next(q, SNAPSHOT_PAGE_OF, job->worker + 1);
    } else {
        (json ? render_list_end_json : render_list_end_text)(&q->list, &q->part);
        deliver(q, true);
    }
}

/* 0, or -1: memory is short. */
static int add_bypass(struct query *q)
{
    struct snapshot_job *job = q->job;
    if (job->n_bypass > 0) {
        size_t bytes = (q->n_bypass + job->n_bypass) * sizeof(job->bypass[0]);
        struct bypass_entry *grown = realloc(q->bypass, bytes);
        if (!grown)
            return -1;
        memcpy(grown + q->n_bypass, job->bypass, job->n_bypass * sizeof(job->bypass[0]));
        q->bypass = grown;
        q->n_bypass += job->n_bypass;
    }
    free(job->bypass);
    job->bypass = NULL;
    job->n_bypass = 0;
    return 0;
}

static void take_bypass(struct query *q)
{
    struct snapshot_view v = view_now(q);
    if (add_bypass(q) < 0) {
        query_fail(q, QUERY_MEMORY);
    } else if (q->job->worker + 1 < q->set->source->n_workers) {
        ask_next(q, q->job->what, q->job->worker + 1);
    } else {
        size_t n = render_bypass_merge(q->bypass, q->n_bypass);
        (q->spec.format == QUERY_JSON ? render_bypass_json : render_bypass_text)(&q->part, &v, q->bypass, n,
                                                                                 q->spec.clear);
        deliver(q, true);
    }
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
    if (job->failed)
        query_fail(q, QUERY_MEMORY);
    else if (job->what == SNAPSHOT_SUMMARY || job->what == SNAPSHOT_FORGET)
        take_summary(q);
    else if (job->what == SNAPSHOT_ONE || job->what == SNAPSHOT_CHANGE)
        take_one(q);
    else if (job->what == SNAPSHOT_BYPASS || job->what == SNAPSHOT_CLEAR)
        take_bypass(q);
    else
        take_page(q);
}

void query_more(struct query *q)
{
    if (!q->held)
        return;
    q->held = false;
    ask_next(q, SNAPSHOT_PAGE_OF, q->job->worker);
}

/* ---- the set ----------------------------------------------------------------------------------------------
 */

/* The worker that has the connection. */
static int ask_owner(struct query *q, enum snapshot_what what)
{
    unsigned n = q->set->source->n_workers;
    q->job->id = q->spec.id / n;
    q->job->change = q->spec.change;
    return ask(q, what, (unsigned)(q->spec.id % n));
}

static int first_question(struct query *q)
{
    static const struct timeval at_once;
    switch (q->spec.command) {
    case BRAID_COMMAND_SHOW:
        return ask_owner(q, SNAPSHOT_ONE);
    case BRAID_COMMAND_SET:
        return ask_owner(q, SNAPSHOT_CHANGE);
    case BRAID_COMMAND_ALGORITHMS:
        return event_add(q->timer, &at_once);
    case BRAID_COMMAND_BYPASS:
        return ask(q, q->spec.clear ? SNAPSHOT_CLEAR : SNAPSHOT_BYPASS, 0);
    case BRAID_COMMAND_PATHS:
        return ask(q, q->spec.clear ? SNAPSHOT_FORGET : SNAPSHOT_SUMMARY, 0);
    case BRAID_COMMAND_CONNECTIONS:
        (q->spec.format == QUERY_JSON ? render_list_begin_json : render_list_begin_text)(&q->list, &q->part);
        return ask(q, SNAPSHOT_PAGE_OF, 0);
    case BRAID_COMMAND_STATUS:
    case BRAID_COMMAND_COUNTERS:
    case BRAID_COMMAND_MAX:
        break;
    }
    return ask(q, SNAPSHOT_SUMMARY, 0);
}

int query_resolve(const struct query_set *set, struct query_spec *spec, char error[CONF_ERROR_MAX])
{
    const struct conf *conf = set->view.conf;
    struct snapshot_change *to = &spec->change;
    char list[CONF_LIST_MAX];
    if (spec->command != BRAID_COMMAND_SET)
        return 0;
    if (spec->setting == BRAID_SET_SCHEDULER)
        to->sched = conf_scheduler(spec->name);
    else if (spec->setting == BRAID_SET_CONGESTION)
        to->cc = conf_congestion(spec->name);
    else
        to->profile = conf_profile(conf, spec->name);
    if (to->sched || to->cc || to->profile)
        return 0;
    snprintf(error, CONF_ERROR_MAX, "there is no %s \"%.80s\"; it is one of: %.800s",
             spec->setting == BRAID_SET_SCHEDULER    ? "scheduler"
             : spec->setting == BRAID_SET_CONGESTION ? "congestion control"
                                                     : "profile",
             spec->name,
             spec->setting == BRAID_SET_SCHEDULER    ? conf_scheduler_list(list)
             : spec->setting == BRAID_SET_CONGESTION ? conf_congestion_list(list)
                                                     : conf_profile_list(conf, list));
    return -1;
}

struct query *query_start(struct query_set *set, const struct query_spec *spec, const struct query_sink *sink,
                          void *ctx, enum query_failure *why)
{
    *why = QUERY_BUSY;
    if (set->n_queries >= set->limits.queries)
        return NULL;
    *why = QUERY_MEMORY;
    struct query *q = calloc(1, sizeof(*q) + set->source->n_workers * sizeof(q->summaries[0]));
    if (!q)
        return NULL;
    q->set = set;
    q->spec = *spec;
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
    set->view = (struct snapshot_view){.conf = conf, .n_workers = source->n_workers, .started_s = time(NULL)};
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
