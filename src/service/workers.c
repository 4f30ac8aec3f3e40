/* See workers.h. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io/machine.h"
#include "service/workers.h"

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

size_t workers_memory(const struct braid_core_params *limits, unsigned n)
{
    return limits->memory > 0 ? limits->memory : memory_share(n);
}

unsigned workers_wanted(const struct daemon_params *params)
{
    cpu_set_t cpus;
    unsigned n = params->workers ? params->workers : count_cpus(&cpus);
    return n < DAEMON_WORKERS_MAX ? n : DAEMON_WORKERS_MAX;
}

static struct worker *make_worker(const struct workers *ws, const struct workers_params *p, unsigned i,
                                  int cpu)
{
    struct worker_params params = {.number = i,
                                   .n_workers = ws->n,
                                   .tun_fd = p->queues[i],
                                   .tun_lost = p->tun_lost,
                                   .tun_lost_arg = p->tun_lost_arg,
                                   .cpu = cpu,
                                   .poll = p->poll,
                                   .core = *p->limits};
    params.core.memory = workers_memory(p->limits, ws->n);
    params.core.mtu = p->mtu;
    params.core.directory = ws->directory;
    params.core.ledger = p->ledgers ? ledgerfile_ledger(p->ledgers, i) : NULL;
    return worker_new(&params);
}

static int make_all(struct workers *ws, const struct workers_params *params, char *error)
{
    cpu_set_t cpus;
    unsigned n_cpus = count_cpus(&cpus);
    /* Two workers on one CPU would be worse than leaving them to the kernel's scheduler. */
    bool pin = ws->n > 1 && ws->n <= n_cpus;
    for (unsigned i = 0; i < ws->n; i++) {
        ws->all[i] = make_worker(ws, params, i, pin ? nth_cpu(&cpus, i) : -1);
        if (!ws->all[i]) {
            snprintf(error, SERVICE_ERROR, "worker %u: out of memory or descriptors", i);
            return -1;
        }
    }
    for (unsigned i = 0; i < ws->n; i++)
        worker_set_peers(ws->all[i], ws->all);
    return 0;
}

struct workers *workers_make(unsigned n, const struct workers_params *params, char error[SERVICE_ERROR])
{
    struct workers *ws = calloc(1, sizeof(*ws));
    if (!ws) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return NULL;
    }
    ws->n = n;
    ws->directory = n > 1 ? worker_directory_new() : NULL;
    if (make_all(ws, params, error) < 0) {
        workers_free(ws);
        return NULL;
    }
    return ws;
}

int workers_start(struct workers *ws, char error[SERVICE_ERROR])
{
    for (unsigned i = 0; i < ws->n; i++) {
        if (worker_start(ws->all[i]) < 0) {
            snprintf(error, SERVICE_ERROR, "worker %u: cannot start a thread: %s", i, strerror(errno));
            return -1;
        }
    }
    return 0;
}

void workers_tell(const struct workers *ws, void (*fn)(struct worker *w, void *arg), void *arg)
{
    for (unsigned i = 0; i < ws->n; i++)
        worker_post(ws->all[i], fn, arg);
}

void workers_stop(struct workers *ws)
{
    for (unsigned i = 0; ws && i < ws->n && ws->all[i]; i++)
        worker_stop(ws->all[i]);
}

void workers_free(struct workers *ws)
{
    if (!ws)
        return;
    for (unsigned i = 0; i < ws->n && ws->all[i]; i++) {
        worker_abort(ws->all[i]);
        worker_set_peers(ws->all[i], NULL);
    }
    for (unsigned i = 0; i < ws->n && ws->all[i]; i++)
        worker_free(ws->all[i]);
    braid_directory_free(ws->directory);
    free(ws);
}
