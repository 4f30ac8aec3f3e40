/* What other threads send a worker: it runs in the worker's loop. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "io/log.h"
#include "io/log_writer.h"
#include "io/worker_state.h"

struct job {
    struct mailbox_place place;
    struct worker *w;
    void (*fn)(struct worker *w, void *arg);
    void *arg;
};

static void run_job(void *arg)
{
    struct job job = *(struct job *)arg;
    free(arg);
    job.fn(job.w, job.arg);
}

void worker_post(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
    struct job *job = malloc(sizeof(*job));
    if (job) {
        *job = (struct job){.w = w, .fn = fn, .arg = arg};
        mailbox_put(w->mailbox, &job->place, run_job, job);
        return;
    }
    log_error("out of memory");
    log_flush();
    abort();
}

/* One for all who are told; the last of them frees it. */
struct message {
    worker_take *take;
    const void *what; /* behind the deliveries */
    atomic_uint left;
    struct delivery {
        struct mailbox_place place;
        struct message *message;
        struct worker *to;
    } deliveries[];
};

static void run_delivery(void *arg)
{
    struct delivery *d = arg;
    struct message *m = d->message;
    m->take(d->to, m->what);
    if (atomic_fetch_sub(&m->left, 1) == 1)
        free(m);
}

int worker_tell_all(struct worker *const *workers, unsigned n, const struct worker *but, worker_take *take,
                    const void *what, size_t size)
{
    struct message *m = malloc(sizeof(*m) + n * sizeof(m->deliveries[0]) + size);
    unsigned told = 0;
    if (!m)
        return -1;
    *m = (struct message){.take = take, .what = &m->deliveries[n]};
    memcpy(&m->deliveries[n], what, size);
    for (unsigned i = 0; i < n; i++)
        if (workers[i] && workers[i] != but)
            m->deliveries[told++] = (struct delivery){.message = m, .to = workers[i]};
    atomic_init(&m->left, told);
    for (unsigned i = 0; i < told; i++) /* the last one may free m */
        mailbox_put(m->deliveries[i].to->mailbox, &m->deliveries[i].place, run_delivery, &m->deliveries[i]);
    if (told == 0)
        free(m);
    return 0;
}
