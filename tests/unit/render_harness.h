/* For tests of documents: a snapshot of two workers, and what was written of it. */
#ifndef BRAID_TESTS_RENDER_HARNESS_H
#define BRAID_TESTS_RENDER_HARNESS_H

#include <check.h>
#include <event2/buffer.h>
#include "admin/render.h"
#include "admin_fake.h"
#include "suite.h"

static struct conf conf;
static struct doc doc;
static struct snapshot_view view;
static struct snapshot_worker *workers[2];
static struct snapshot_job *job;

/* The second worker's page has the first n connections. */
static inline void begin_view(unsigned n)
{
    fake_conf(&conf);
    doc = (struct doc){.buf = evbuffer_new()};
    for (unsigned w = 0; w < 2; w++) {
        workers[w] = snapshot_worker_new(&conf);
        fake_summary(workers[w], w);
    }
    view = (struct snapshot_view){.conf = &conf, .n_workers = 2, .workers = workers};
    job = calloc(1, sizeof(*job));
    job->worker = 1;
    view.job = job;
    for (unsigned i = 0; i < n; i++)
        fake_add_conn(job, i, 2);
}

/* Forgets what was written. */
static inline void again(void)
{
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
}

static inline void teardown(void)
{
    conf_free(&conf);
    evbuffer_free(doc.buf);
    free(workers[0]);
    free(workers[1]);
    snapshot_job_free(job);
}

static inline const char *written(void)
{
    evbuffer_add(doc.buf, "", 1);
    return (const char *)evbuffer_pullup(doc.buf, -1);
}

static inline void contains(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in:\n%s", part, text);
}

#endif
