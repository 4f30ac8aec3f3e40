/* A worker: one thread with its own libevent base, TUN queue and core. Its core shares at most a directory
 * with others; what comes from other threads comes through worker_post. */
#ifndef BRAID_IO_WORKER_H
#define BRAID_IO_WORKER_H

#include <braid/core.h>

struct event_base;
struct poller;
struct worker;

struct worker_counters {
    uint64_t wakeups;          /* turns of the event loop */
    uint64_t polled;           /* of them, that found work before they slept (worker_params.poll) */
    uint64_t polled_in_vain;   /* of them, that looked for work and slept all the same */
    uint64_t flushes;          /* of them, with work for the core */
    uint64_t tun_reads;        /* read() calls on the TUN, those that found nothing included */
    uint64_t tun_packets_in;   /* packets read, a super-packet counts once */
    uint64_t tun_bytes_in;     /* IP bytes read */
    uint64_t tun_packets_out;  /* packets written, a super-packet counts once */
    uint64_t tun_bytes_out;    /* IP bytes written */
    uint64_t tun_in_errors;    /* reads that failed or were not a packet */
    uint64_t tun_out_drops;    /* packets that the TUN did not take for lack of room */
    uint64_t tun_out_errors;   /* packets that the TUN refused */
    uint64_t handed_over;      /* packets passed on to other workers */
    uint64_t handed_over_lost; /* of them, lost because memory was short or the other worker had too many
                                  waiting */
    uint64_t taken_over;       /* packets that other workers passed on to this one */
};

struct worker_params {
    unsigned number; /* 0 .. n_workers - 1 */
    unsigned n_workers;
    int tun_fd; /* this worker's queue of the TUN (io/tun_queue.h), owned by the caller; -1: none */
    /* Called in the worker's thread when the queue cannot be read any more; it is left alone from then on,
     * until worker_tun_again. May be NULL. */
    void (*tun_lost)(void *arg);
    void *tun_lost_arg;
    int cpu; /* the thread's only CPU; -1: any */
    /* How long to look for work before sleeping, us, as long as the wait before was no longer; 0: not at all.
     */
    unsigned poll;
    struct braid_core_params core; /* worker and n_workers are filled in */
};

/* A worker that does not run yet. Until worker_start its core and base are the caller's to use. NULL if
 * memory or descriptors are short. */
struct worker *worker_new(const struct worker_params *params);
/* A directory for the cores of several workers (worker_params.core.directory), with a random key; it must
 * outlive them. NULL: memory is short, and they do without. */
struct braid_directory *worker_directory_new(void);
/* Tells a worker where packets for other workers go: peers[i] is worker i. The array is copied. NULL:
 * nowhere. */
void worker_set_peers(struct worker *w, struct worker *const *peers);
/* Of one that goes on with the work of another: its thread's time is that of one which has left out so much
 * (io/clock.h), and its core is told that nobody was there meanwhile. Before worker_start. */
void worker_resume(struct worker *w, braid_time lost);
/* Starts the thread. 0, or -1 with errno. */
int worker_start(struct worker *w);
/* Ends the loop and joins the thread, if it runs. Posts that have not run yet run in worker_free. */
void worker_stop(struct worker *w);
/* Aborts every connection of a worker that does not run, and tells their peers. */
void worker_abort(struct worker *w);
/* Frees a worker that does not run, with its core, which sends nothing more. No worker may have it as a peer
 * any more, since even one that does not run still takes what was posted to it. NULL is allowed. */
void worker_free(struct worker *w);

/* Lets fn(w, arg) run in the worker's thread, in the order of posting; from any thread. If memory is short
 * the process ends: a lost post would leave its sender waiting forever. */
void worker_post(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg);

typedef void worker_take(struct worker *w, const void *what);
/* Lets take(w, copy of the size bytes at what) run in the thread of each of the n workers but this one (NULL:
 * of all), as worker_post does; workers may be NULL that do not exist yet. From any thread. 0, or -1: memory
 * is short, and nobody is told. */
int worker_tell_all(struct worker *const *workers, unsigned n, const struct worker *but, worker_take *take,
                    const void *what, size_t size);

/* From within a post: runs all posts that wait, and what they leave the core to do. True if there was any of
 * it: others may have been sent something by it. In the worker's thread. */
bool worker_settle(struct worker *w);
/* Counts what another worker has counted, whose work this one goes on with. While it does not run. */
void worker_count(struct worker *w, const struct worker_counters *more);

/* The following are for the worker's own thread (or while it does not run). */
/* The queue can be read again. In the worker's thread. */
void worker_tun_again(struct worker *w);
struct braid_core *worker_core(struct worker *w);
struct event_base *worker_base(struct worker *w);
/* Of that base, which the thread sleeps in if it can (io/poller.h). It has no `ready` yet. */
struct poller *worker_poller(struct worker *w);
unsigned worker_number(const struct worker *w);
const struct worker_counters *worker_counters(const struct worker *w);
/* The time that this turn of the loop goes by: the thread's own (io/clock.h). */
braid_time worker_now(struct worker *w);
/* One pointer for what runs on the worker: its struct node (role/node.h). */
void worker_set_user(struct worker *w, void *user);
void *worker_user(const struct worker *w);

#endif
