/* A ring of seconds, each a row of points; one job at a time goes round the workers, a second after it came
 * back. Where a worker is slow a second is longer, and what was carried is divided by the time that it took.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <event2/event.h>
#include "admin/meter.h"
#include "admin/per_second.h"
#include "admin/render.h"

struct meter {
    struct snapshot_source *source;
    const struct conf *conf;
    struct event *timer;
    struct timeval period;
    struct snapshot_job *job;
    bool asked;                       /* the job is with a worker ... */
    unsigned generation;              /* ... which was asked for that of this configuration */
    struct snapshot_worker **answers; /* of this round, one for each worker; NULL: not yet */
    struct snapshot_worker *last;     /* the sums of the round before; NULL: none */
    int64_t last_us;                  /* and when that was, CLOCK_MONOTONIC */
    int64_t at_ms;
    unsigned newest, seconds;        /* of the ring */
    unsigned first[METER_KINDS + 1]; /* of each kind within a row; the last is the length of a row */
    struct meter_point *ring;
};

/* ---- one second ------------------------------------------------------------------------------ */

static struct meter_point path_point(const struct braid_path_stats *now,
                                     const struct braid_path_stats *before, int64_t us)
{
    struct meter_point p = {.in = per_second(now->bytes_in, before->bytes_in, us),
                            .out = per_second(now->bytes_out, before->bytes_out, us),
                            .sent = per_second(now->segments_sent, before->segments_sent, us),
                            .again = per_second(now->segments_again, before->segments_again, us)};
    for (unsigned i = 0; i <= BRAID_RTT_BOUNDS; i++)
        p.samples += now->rtt.samples[i] - before->rtt.samples[i];
    if (p.samples > 0)
        p.rtt_us = (now->rtt.sum_us - before->rtt.sum_us) / p.samples;
    return p;
}

static void note(struct meter *m, const struct snapshot_worker *now, int64_t us)
{
    const struct snapshot_worker *before = m->last;
    m->newest = (m->newest + 1) % METER_SECONDS;
    m->seconds += m->seconds < METER_SECONDS;
    struct meter_point *row = m->ring + (size_t)m->newest * m->first[METER_KINDS];
    for (unsigned i = 0; i < now->n_edges; i++) {
        const uint64_t *a = now->edges[i].counters.v, *b = before->edges[i].counters.v;
        *row++ = (struct meter_point){.in = per_second(a[EDGE_TO_SERVER], b[EDGE_TO_SERVER], us),
                                      .out = per_second(a[EDGE_FROM_SERVER], b[EDGE_FROM_SERVER], us)};
    }
    for (unsigned i = 0; i < now->n_cpes; i++) {
        const uint64_t *a = now->cpes[i].counters.v, *b = before->cpes[i].counters.v;
        *row++ = (struct meter_point){.in = per_second(a[CPE_UP], b[CPE_UP], us),
                                      .out = per_second(a[CPE_DOWN], b[CPE_DOWN], us)};
    }
    for (unsigned i = 0; i <= now->n_paths; i++)
        *row++ = path_point(&now->paths[i].stats, &before->paths[i].stats, us);
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * BRAID_SECOND + ts.tv_nsec / 1000;
}

/* All workers have answered. */
static void round_over(struct meter *m)
{
    const struct snapshot_view view = {
        .conf = m->conf, .n_workers = m->source->n_workers, .workers = m->answers};
    struct doc nowhere = {0};
    struct snapshot_worker *sums = render_total(&nowhere, &view);
    int64_t now = clock_us(CLOCK_MONOTONIC);
    if (!sums)
        return;
    if (m->last && now > m->last_us) {
        note(m, sums, now - m->last_us);
        m->at_ms = clock_us(CLOCK_REALTIME) / 1000;
    }
    free(m->last);
    m->last = sums;
    m->last_us = now;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void forget_answers(struct meter *m)
{
    for (unsigned w = 0; w < m->source->n_workers; w++) {
        free(m->answers[w]);
        m->answers[w] = NULL;
    }
}

static void wait_for_next(struct meter *m)
{
    forget_answers(m);
    event_base_update_cache_time(event_get_base(m->timer)); /* the second begins now */
    event_add(m->timer, &m->period);                        /* there is room: it had a timer before */
}

static void ask(struct meter *m, unsigned worker)
{
    struct snapshot_job *job = m->job;
    job->worker = worker;
    job->generation = m->generation = m->conf->generation;
    job->summary = snapshot_worker_new(m->conf);
    if (!job->summary) {
        wait_for_next(m);
        return;
    }
    m->asked = true;
    m->source->ask(m->source, job);
}

static void on_answered(struct snapshot_job *job)
{
    struct meter *m = job->owner;
    if (!m) {
        snapshot_job_free(job);
        return;
    }
    m->asked = false;
    if (job->generation != m->generation || m->generation != m->conf->generation) {
        snapshot_job_clear(job); /* the configuration has changed meanwhile */
        wait_for_next(m);
        return;
    }
    m->answers[job->worker] = job->summary;
    job->summary = NULL;
    if (job->worker + 1 < m->source->n_workers) {
        ask(m, job->worker + 1);
        return;
    }
    round_over(m);
    wait_for_next(m);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask(arg, 0);
}

/* ---- another configuration -------------------------------------------------------------------- */

static void note_places(unsigned first[METER_KINDS + 1], const struct conf *conf)
{
    first[METER_EDGES] = 0;
    first[METER_CPES] = conf->n_edges;
    first[METER_PATHS] = first[METER_CPES] + conf->n_cpes;
    first[METER_KINDS] = first[METER_PATHS] + conf->n_paths + 1;
}

/* Names are where they are for good (conf/names.h). NULL: that of the path which stands for none. */
static const char *name_at(const struct conf *c, const unsigned first[METER_KINDS + 1], unsigned place)
{
    if (place < first[METER_CPES])
        return c->edges[place].name;
    if (place < first[METER_PATHS])
        return c->cpes[place - first[METER_CPES]].name;
    return place + 1 < first[METER_KINDS] ? c->path_names[place - first[METER_PATHS]] : NULL;
}

static enum meter_kind kind_of(const unsigned first[METER_KINDS + 1], unsigned place)
{
    return place < first[METER_CPES] ? METER_EDGES : place < first[METER_PATHS] ? METER_CPES : METER_PATHS;
}

/* What has kept its name keeps its seconds. */
static void copy_column(struct meter *m, struct meter_point *ring, unsigned length, unsigned to,
                        unsigned from)
{
    for (size_t row = 0; row < METER_SECONDS; row++)
        ring[row * length + to] = m->ring[row * m->first[METER_KINDS] + from];
}

int meter_change(struct meter *m, const struct conf *conf)
{
    unsigned first[METER_KINDS + 1];
    note_places(first, conf);
    unsigned length = first[METER_KINDS];
    struct meter_point *ring = calloc((size_t)METER_SECONDS * length, sizeof(*ring));
    for (unsigned i = 0; ring && i < length; i++)
        for (unsigned j = 0; j < m->first[METER_KINDS]; j++)
            if (kind_of(first, i) == kind_of(m->first, j) &&
                name_at(conf, first, i) == name_at(m->conf, m->first, j))
                copy_column(m, ring, length, i, j);
    if (!ring)
        return -1;
    free(m->ring);
    m->ring = ring;
    memcpy(m->first, first, sizeof(first));
    m->conf = conf;
    free(m->last);
    m->last = NULL;
    forget_answers(m);
    return 0;
}

/* ---- the meter ------------------------------------------------------------------------------- */

struct meter *meter_new(struct event_base *base, struct snapshot_source *source, const struct conf *conf,
                        int period_ms)
{
    struct meter *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->source = source;
    m->conf = conf;
    m->period = (struct timeval){.tv_sec = period_ms / 1000, .tv_usec = period_ms % 1000 * 1000};
    note_places(m->first, conf);
    m->ring = calloc((size_t)METER_SECONDS * m->first[METER_KINDS], sizeof(*m->ring));
    m->answers = calloc(source->n_workers, sizeof(*m->answers));
    m->job = calloc(1, sizeof(*m->job));
    m->timer = evtimer_new(base, on_second, m);
    if (!m->ring || !m->answers || !m->job || !m->timer || event_add(m->timer, &m->period) < 0) {
        meter_free(m);
        return NULL;
    }
    *m->job =
        (struct snapshot_job){.what = SNAPSHOT_RATES, .owner = m, .answered = on_answered, .source = source};
    return m;
}

void meter_free(struct meter *m)
{
    if (!m)
        return;
    if (m->asked) {
        m->job->owner = NULL;
        atomic_store(&m->job->cancelled, true);
    } else if (m->job) {
        snapshot_job_free(m->job);
    }
    if (m->answers)
        forget_answers(m);
    if (m->timer)
        event_free(m->timer);
    free(m->last);
    free(m->answers);
    free(m->ring);
    free(m);
}

unsigned meter_count(const struct meter *m, enum meter_kind kind)
{
    return m ? m->first[kind + 1] - m->first[kind] : 0;
}

unsigned meter_seconds(const struct meter *m)
{
    return m ? m->seconds : 0;
}

int64_t meter_at_ms(const struct meter *m)
{
    return m ? m->at_ms : 0;
}

struct meter_point meter_point(const struct meter *m, enum meter_kind kind, unsigned i, unsigned ago)
{
    if (ago >= meter_seconds(m))
        return (struct meter_point){0};
    size_t row = (m->newest + METER_SECONDS - ago) % METER_SECONDS;
    return m->ring[row * m->first[METER_KINDS] + m->first[kind] + i];
}
