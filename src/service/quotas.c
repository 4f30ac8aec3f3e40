/* Each worker has a timer in its own loop and notes what it told last; what it tells is the growth since. */
#include <stdlib.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "io/worker.h"
#include "role/node.h"
#include "service/quotas.h"

/* Growth by rule. */
struct tale {
    unsigned generation; /* of the configuration whose rules they are */
    unsigned n;
    uint64_t bytes[];
};

/* One worker's part, used by its thread alone. */
struct teller {
    struct quota *quota;
    struct worker *worker;
    struct event timer;
    uint64_t *told; /* by rule */
    struct tale *tale;
};

struct quota {
    struct worker *const *workers;
    unsigned n_workers, n_paths;
    struct teller tellers[];
};

static size_t tale_size(const struct quota *q)
{
    return sizeof(struct tale) + q->n_paths * sizeof(uint64_t);
}

static void take_tale(struct worker *w, const void *what)
{
    const struct tale *t = what;
    const struct node *node = worker_user(w);
    if (node && node->generation != t->generation)
        return; /* when the rules changed everybody was told all */
    for (unsigned i = 0; i < t->n; i++)
        braid_core_path_charge(worker_core(w), i, t->bytes[i]);
}

/* Whoever is not told for lack of memory would never hear of these bytes again; so nothing is noted as told
 * then. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct teller *t = arg;
    struct quota *q = t->quota;
    uint64_t usage[q->n_paths], *growth = t->tale->bytes;
    bool grown = false;
    for (unsigned i = 0; i < q->n_paths; i++) {
        usage[i] = braid_core_path_usage(worker_core(t->worker), i);
        /* Less than before: it was counted anew meanwhile. */
        growth[i] = usage[i] >= t->told[i] ? usage[i] - t->told[i] : usage[i];
        grown |= growth[i] > 0 || usage[i] != t->told[i];
    }
    if (!grown || worker_tell_all(q->workers, q->n_workers, t->worker, take_tale, t->tale, tale_size(q)) < 0)
        return;
    for (unsigned i = 0; i < q->n_paths; i++)
        t->told[i] = usage[i];
}

static int teller_start(struct teller *t, struct quota *q, struct worker *w, unsigned generation)
{
    static const struct timeval period = {.tv_sec = QUOTA_PERIOD_MS / 1000,
                                          .tv_usec = QUOTA_PERIOD_MS % 1000 * 1000};
    t->quota = q;
    t->worker = w;
    t->told = calloc(q->n_paths, sizeof(t->told[0]));
    t->tale = calloc(1, tale_size(q));
    if (t->tale)
        *t->tale = (struct tale){.generation = generation, .n = q->n_paths};
    for (unsigned i = 0; t->told && i < q->n_paths; i++)
        t->told[i] = braid_core_path_usage(worker_core(w), i);
    if (!t->told || !t->tale || event_assign(&t->timer, worker_base(w), -1, EV_PERSIST, on_timer, t) < 0)
        return -1;
    return event_add(&t->timer, &period);
}

/* What the others have carried so far. */
static void charge_all(struct worker *const *workers, unsigned n_workers, unsigned n_paths)
{
    for (unsigned i = 0; i < n_paths; i++) {
        uint64_t all = 0;
        for (unsigned w = 0; w < n_workers; w++)
            all += braid_core_path_usage(worker_core(workers[w]), i);
        for (unsigned w = 0; w < n_workers; w++) {
            uint64_t own = braid_core_path_usage(worker_core(workers[w]), i);
            braid_core_path_set(worker_core(workers[w]), i, own, all - own);
        }
    }
}

struct quota *quota_start(struct worker *const *workers, unsigned n_workers, unsigned n_paths,
                          unsigned generation)
{
    struct quota *q = calloc(1, sizeof(*q) + n_workers * sizeof(q->tellers[0]));
    if (!q)
        return NULL;
    q->workers = workers;
    q->n_workers = n_workers;
    q->n_paths = n_paths;
    charge_all(workers, n_workers, n_paths);
    for (unsigned i = 0; i < n_workers; i++) {
        if (teller_start(&q->tellers[i], q, workers[i], generation) < 0) {
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
        free(q->tellers[i].tale);
    }
    free(q);
}
