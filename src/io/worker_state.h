/* Internal to src/io: a worker from within, for the files that make one: worker.c (its life), worker_loop.c
 * (its thread), worker_host.c (what its core asks for) and worker_post.c (what other threads send it). */
#ifndef BRAID_IO_WORKER_STATE_H
#define BRAID_IO_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "io/mailbox.h"
#include "io/netlink.h"
#include "io/params.h"
#include "io/poller.h"
#include "io/worker.h"

#define WORKER_RANDOM 512 /* bytes fetched from the generator at a time */

struct worker {
    struct worker_params params;
    struct braid_core *core;
    struct event_base *base;
    struct mailbox *mailbox;
    struct poller *poller; /* of base: what the thread sleeps in */
    struct poller_watch tun_watch, timer_watch;
    bool reads_tun;        /* tun_watch is in the poller */
    unsigned tun_failures; /* reads in a row that failed */
    uint64_t tun_next;     /* the turn behind the last one with packets, as counted by wakeups */
    int timer_fd;
    braid_time armed;      /* when timer_fd fires; BRAID_NEVER: it does not */
    braid_time now;        /* io/clock.h; 0: not asked for yet in this turn */
    bool brisk;            /* the last wait for work was shorter than params.poll */
    braid_time lost;       /* clock_lost() as the core knows it ... */
    bool resumes;          /* ... and the thread begins with */
    struct buf_pool *pool; /* of buffers to read packets into */
    braid_time tidy_at;    /* when to look for memory to give back */
    size_t held;           /* bytes: the most that the core held since the last look ... */
    size_t freed;          /* ... and what was freed since malloc gave back */
    uint8_t random[WORKER_RANDOM];
    unsigned random_left;
    struct netlink *conntrack; /* io/conntrack.h; NULL: not possible, or not needed yet */
    struct worker_counters counters;
    struct worker *peers[DAEMON_WORKERS_MAX];
    atomic_uint handovers; /* packets that wait for this worker */
    void *user;
    pthread_t thread;
    bool started;
    bool stop;
};

/* ---- worker_loop.c ----- */

/* Waits for packets and deadlines in the worker's base. 0, or -1: memory is short. */
int worker_loop_begin(struct worker *w);
void worker_loop_end(struct worker *w);
/* The thread, until w->stop. */
void worker_loop_run(struct worker *w);

/* ---- worker_host.c ----- */

/* What w->core calls. */
struct braid_host worker_host(struct worker *w);

#endif
