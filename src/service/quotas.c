/* Each worker has a timer in its own loop and notes what it told last; what it tells is the growth since. */
#include <stdlib.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "io/worker.h"
#include "service/quotas.h"

/* One worker's part, used by its thread alone. */
struct teller {
    struct quota *quota;
    struct worker *worker;
    struct event timer;
    uint64_t *told; /* by rule */
};

struct quota {
    struct worker *const *workers;
    unsigned n_workers, n_paths;
    struct teller tellers[];
};

/* Growth by rule, for one worker. */
struct tale {
    unsigned n;
    uint64_t bytes[];
};

static void take_tale(struct worker *w, void *arg)
{
    struct tale *t = arg;
    for (unsigned i = 0; i < t->n; i++)
        braid_core_path_charge(worker_core(w), i, t->bytes[i]);
    free(t);
}

/* Whoever misses it for lack of memory would never hear of these bytes again; so nothing is noted as told
 * before everybody has it. */
static bool tell_all(struct quota *q, const struct worker *from, const uint64_t *growth)
{
    struct tale *tales[q->n_workers];
    bool enough = true;
    size_t bytes = q->n_paths * sizeof(growth[0]);
    for (unsigned w = 0; w < q->n_workers; w++) {
        tales[w] = malloc(sizeof(*tales[w]) + bytes);
        enough = enough && tales[w];
    }
    for (unsigned w = 0; w < q->n_workers; w++) {
        if (!enough || q->workers[w] == from) {
            free(tales[w]);
            continue;
        }
        tales[w]->n = q->n_paths;
        for (unsigned i = 0; i < q->n_paths; i++)
            tales[w]->bytes[i] = growth[i];
        worker_post(q->workers[w], take_tale, tales[w]);
    }
    return enough;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct teller *t = arg;
    struct quota *q = t->quota;
    uint64_t usage[q->n_paths], growth[q->n_paths];
    bool grown = false;
    for (unsigned i = 0; i < q->n_paths; i++) {
        usage[i] = braid_core_path_usage(worker_core(t->worker), i);
        /* Less than before: it was counted anew meanwhile. */
        growth[i] = usage[i] >= t->told[i] ? usage[i] - t->told[i] : usage[i];
        grown |= growth[i] > 0 || usage[i] != t->told[i];
    }
    if (!grown || !tell_all(q, t->worker, growth))
        return;
    for (unsigned i = 0; i < q->n_paths; i++)
        t->told[i] = usage[i];
}

static int teller_start(struct teller *t, struct quota *q, struct worker *w)
{
    static const struct timeval period = {.tv_sec = QUOTA_PERIOD_MS / 1000,
                                          .tv_usec = QUOTA_PERIOD_MS % 1000 * 1000};
    t->quota = q;
    t->worker = w;
    t->told = calloc(q->n_paths, sizeof(t->told[0]));
    if (!t->told || event_assign(&t->timer, worker_base(w), -1, EV_PERSIST, on_timer, t) < 0)
        return -1;
    return event_add(&t->timer, &period);
}

struct quota *quota_start(struct worker *const *workers, unsigned n_workers, unsigned n_paths)
{
    struct quota *q = calloc(1, sizeof(*q) + n_workers * sizeof(q->tellers[0]));
    if (!q)
        return NULL;
    q->workers = workers;
    q->n_workers = n_workers;
    q->n_paths = n_paths;
    for (unsigned i = 0; i < n_workers; i++) {
        if (teller_start(&q->tellers[i], q, workers[i]) < 0) {
            quota_stop(q);
            return NULL;
        }
    }
    return q;
}

void quota_stop(struct quota *q)
{
    if (!q)
        return;
    for (unsigned i = 0; i < q->n_workers; i++) {
        if (event_initialized(&q->tellers[i].timer))
            event_del(&q->tellers[i].timer);
        free(q->tellers[i].told);
    }
    free(q);
}
