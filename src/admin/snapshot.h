/* What is asked of workers, and what they answer. A job travels between the main thread and one worker;
 * whoever has it owns it, so nothing in it is locked. */
#ifndef BRAID_ADMIN_SNAPSHOT_H
#define BRAID_ADMIN_SNAPSHOT_H

#include <stdatomic.h>
#include <braid/core.h>
#include "admin/filter.h"
#include "conf/conf.h"
#include "io/worker.h"
#include "role/demands.h"
#include "role/bypass.h"
#include "role/cpe.h"
#include "role/edge.h"
#include "role/edge_targets.h"
#include "role/learned.h"
#include "role/node.h"
#include "role/reel.h"
#include "role/watch.h"

#define SNAPSHOT_CONNS 32 /* connections that a worker copies in one turn of its loop, at most */

/* One worker's share of an edge. */
struct snapshot_edge {
    struct edge_counters counters;
    uint64_t conns, conns_mptcp, subflows; /* now */
    uint64_t memory;                       /* bytes of buffers */
    uint64_t drained;                      /* 1: takes no new connections, by hand; else 0 */
};

/* One worker's share of a CPE. */
struct snapshot_cpe {
    struct cpe_counters counters;
    uint64_t conns;                 /* of the LAN, now */
    uint64_t conns_mptcp, subflows; /* over the uplinks, now */
    uint64_t memory;                /* bytes of buffers, of both sides */
    uint64_t drained;               /* as of an edge */
};

/* One worker's share of a path of the configuration. */
struct snapshot_path {
    uint64_t bytes; /* carried, of both directions, since they were counted anew */
    struct braid_path_stats stats;
};

struct snapshot_worker {
    struct braid_core_stats core;
    unsigned strips; /* bit i: uplink i takes option 30 away (learned_strips) */
    struct braid_counters counters;
    struct worker_counters io;
    unsigned n_edges, n_cpes, n_paths; /* as many as the configuration has */
    struct snapshot_cpe *cpes;         /* behind the edges, in the same piece of memory ... */
    /* ... and these behind them; one more than there are in the configuration, for the subflows of none */
    struct snapshot_path *paths;
    struct target_sum *targets; /* behind these: of all edges, in the order of the configuration */
    unsigned n_targets;
    struct snapshot_edge edges[];
};

/* Made of zeros; the caller frees it. NULL: memory is short. */
struct snapshot_worker *snapshot_worker_new(const struct conf *conf);

/* A connection as its worker copied it. Most have far fewer subflows than there may be
 * (BRAID_STATS_SUBFLOWS), so its memory ends behind the last of those that it has. */
struct snapshot_conn {
    struct relayed told;           /* zeros: no role has it any more */
    struct braid_conn_stats stats; /* last; names in it live as long as the configuration */
};

/* Copies stats; the rest is zero. NULL: memory is short. */
struct snapshot_conn *snapshot_conn_new(const struct braid_conn_stats *stats);

/* What is to be changed of a connection; NULL: not this. */
struct snapshot_change {
    const struct sched_ops *sched;
    const struct cc_ops *cc;
    const struct profile *profile;
    struct demands demands;
};

enum snapshot_what {
    SNAPSHOT_NOTHING, /* no worker is asked */
    SNAPSHOT_SUMMARY, /* fills in summary */
    SNAPSHOT_RATES, /* of it what rates follow from: counters of edges, CPEs and paths; looks at no connection
                     */
    SNAPSHOT_DRAIN, /* has the edges and CPEs named section take no new connections, and then as RATES */
    SNAPSHOT_UNDRAIN,  /* ... or take them again */
    SNAPSHOT_FORGET,   /* as SUMMARY, and counts the bytes of paths anew */
    SNAPSHOT_PAGE,     /* fills in the next n conns; n is 0 at the end, and only then dump is closed */
    SNAPSHOT_ONE,      /* fills in the connection with the core's number id, if there is one: n is 1 or 0 */
    SNAPSHOT_CHANGE,   /* the same, after the change */
    SNAPSHOT_KILL,     /* ends all that the filter fits, and counts them */
    SNAPSHOT_KILL_ONE, /* ends the one with the core's number id, if there is one */
    SNAPSHOT_BYPASS,   /* fills in rows, of struct bypass_entry */
    SNAPSHOT_CLEAR,    /* the same, and forgets all servers */
    SNAPSHOT_TARGETS,  /* fills in rows, of struct target_entry; none if the configuration is another one */
    SNAPSHOT_LEARNED,  /* fills in rows, of struct learned_entry */
    SNAPSHOT_UNLEARN   /* the same, and forgets all of it */
};

/* Whether it is about the one connection with a number. */
static inline bool snapshot_is_of_one(enum snapshot_what what)
{
    return what == SNAPSHOT_ONE || what == SNAPSHOT_CHANGE || what == SNAPSHOT_KILL_ONE;
}

/* Whether it fills in a summary, of the configuration that is meant. */
static inline bool snapshot_sums_up(enum snapshot_what what)
{
    return what == SNAPSHOT_SUMMARY || what == SNAPSHOT_RATES || what == SNAPSHOT_FORGET ||
           what == SNAPSHOT_DRAIN || what == SNAPSHOT_UNDRAIN;
}

struct snapshot_source;

struct snapshot_job {
    enum snapshot_what what;
    unsigned worker;
    /* Of the configuration that is meant; the worker sets it to that of its own. With another one it fills in
     * no summary. */
    unsigned generation;
    uint64_t id;
    struct snapshot_change change;
    const char *section;            /* the name of an edge or CPE, which stays as long as the process */
    struct filter filter;           /* of PAGE and KILL; its paths are of this generation */
    struct snapshot_source *source; /* that is asked */
    void *owner;                    /* whose answered() is called; not for the worker */
    void (*answered)(struct snapshot_job *job);
    atomic_bool cancelled;   /* set by the main thread at any time: the answer is not wanted any more */
    struct braid_dump *dump; /* the worker's walk under way; not for the main thread */
    bool failed;             /* the worker's memory was short */
    braid_time now;          /* the worker's clock */
    struct snapshot_worker *summary; /* made and freed by the main thread */
    void *rows;                      /* made by the worker, freed by the main thread; NULL: none */
    size_t n_rows;
    uint64_t killed;
    unsigned n;
    struct snapshot_conn *conns[SNAPSHOT_CONNS]; /* made by the worker, freed by the main thread */
};

/* Frees what the worker has filled in. */
void snapshot_job_clear(struct snapshot_job *job);
/* And the job itself, which has no dump. */
void snapshot_job_free(struct snapshot_job *job);

struct snapshot_recording {
    uint64_t id;      /* of a connection, for the outside, if edge is NULL */
    const char *edge; /* its name, for as long as the process lives: its connections from the next one on */
    uint64_t most;    /* so many of them; 0: any number */
    bool keys;
    size_t bytes; /* of payload of each packet */
};

/* Where answers come from: the workers (live.h), or a test. */
struct snapshot_source {
    unsigned n_workers;
    const struct uplinks *uplinks; /* as they are at any time, for the main thread; NULL: there are none */
    const struct meter *meter;     /* likewise */
    struct census *census;         /* of the main thread */
    /* Has job->worker answer; job->answered(job) is called on the main thread, later (never from within ask),
     * and exactly once. */
    void (*ask)(struct snapshot_source *s, struct snapshot_job *job);
    /* Takes over a job that is not being asked, but has a dump: ends the dump and frees the job. */
    void (*drop)(struct snapshot_source *s, struct snapshot_job *job);
    /* A queue of the events of all connections, or of the one with this number for the outside (NULL: all),
     * and ready(arg) as watch_new has it. NULL: memory is short. */
    struct watch *(*watch)(struct snapshot_source *s, const uint64_t *id, void (*ready)(void *arg),
                           void *arg);
    /* It is not wanted any more. */
    void (*unwatch)(struct snapshot_source *s, struct watch *w);
    /* What is to be recorded of a connection, and ready(arg) as reel_new has it. NULL: memory is short. */
    struct reel *(*record)(struct snapshot_source *s, const struct snapshot_recording *what,
                           void (*ready)(void *arg), void *arg);
    void (*unrecord)(struct snapshot_source *s, struct reel *r);
};

struct meter;
struct ranking;
struct render_list;

/* What came of an upgrade. */
struct query_upgraded {
    const char *error; /* one line: the daemon goes on as it was; NULL: another process does */
    int pid;           /* of that process */
    const char *version;
    int64_t pause_us; /* for how long nobody worked */
};
/* The answer, once. Behind a success the process ends when this has returned. */
typedef void query_upgraded_fn(void *arg, const struct query_upgraded *what);

/* What the daemon can be told to do. NULL: it cannot. */
struct query_actions {
    /* Reads the configuration anew, and tells report what is wrong, or what is to be known of what has
     * changed. 0, or -1: nothing has changed. */
    int (*reload)(void *arg, const struct conf_report *report);
    /* Lets its program as it is now in the file system take over; told, with told_arg, hears of it, perhaps
     * at once. */
    void (*upgrade)(void *arg, query_upgraded_fn *told, void *told_arg);
    void *arg;
};

/* Everything that a document can show; what the workers were not asked for is NULL or 0. */
struct snapshot_view {
    const struct conf *conf;
    const struct query_actions *actions;   /* NULL: there are none */
    const struct query_upgraded *upgraded; /* of an upgrade alone */
    const struct uplinks *uplinks;         /* NULL: there are none */
    unsigned n_workers;
    int64_t uptime_s;
    int64_t started_s;         /* UNIX time */
    uint64_t log_lost;         /* lines */
    uint64_t refused;          /* system calls (io/refusals.h) */
    bool cleared;              /* what is shown has just been forgotten */
    bool changed;              /* of the configuration, only what differs from defaults */
    uint64_t killed;           /* connections that were just ended */
    const char *section;       /* the name of an edge or CPE that is meant; NULL: all */
    const struct meter *meter; /* NULL: nobody measures */
    unsigned seconds;          /* of it that are shown; 0: all */
    struct snapshot_worker *const *workers;
    int64_t now_us;   /* UNIX time, of events */
    const void *rows; /* of a table, sorted, each thing once; or events (struct watch_event) */
    size_t n_rows;
    const struct snapshot_job *job; /* that has conns */
    const struct ranking *ranking;  /* the best of all, of a document that has these */
    struct render_list *list;       /* how far the list has come, of a document that is one */
};

/* A connection's number for the outside, unique over all workers. */
static inline uint64_t snapshot_conn_id(uint64_t core_id, unsigned worker, unsigned n_workers)
{
    return core_id * n_workers + worker;
}

#endif
