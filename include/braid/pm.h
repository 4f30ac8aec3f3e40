/* The interface of a path manager: which subflows a connection has, and which of our addresses the peer hears
 * of. src/mptcp calls it; a path manager is a const table of functions in one file of src/pm, and includes
 * nothing but include/braid.
 *
 * It sees a picture of the connection and answers with a plan. It is asked again whenever the picture has
 * changed, so it needs no memory of what it asked for: it compares what there is with what there should be.
 * Of time, and of how much is carried, it hears when its plan says so.
 *
 * src/mptcp owns the mechanism (RFC 8684 sections 3.2, 3.4 and 3.6). It answers the peer's joins; closes the
 * subflows of an address that has gone and withdraws it; repeats announcements until they are echoed; and
 * counts the failures of each pair of addresses, so that one that does not work is tried less and less. */
#ifndef BRAID_PM_H
#define BRAID_PM_H

#include <braid/types.h>

#define PM_PRIV_WORDS   4
#define PM_MAX_LOCALS   9 /* the initial subflow's address, and eight more */
#define PM_MAX_REMOTES  9 /* the same of the peer */
#define PM_MAX_SUBFLOWS 16
#define PM_MAX_ACTIONS  (PM_MAX_SUBFLOWS + PM_MAX_LOCALS)

/* One of our addresses. locals[0] is that of the initial subflow; the others are endpoints of the user's. */
struct pm_local {
    struct braid_addr addr; /* port 0: any free one for subflows; the connection's for announcements */
    uint8_t id;             /* address ID (RFC 8684 section 3.4); 0: the initial subflow's */
    bool usable;            /* false: the user has taken it away */
    bool subflow;           /* subflows may be opened from it */
    bool signal;            /* it may be announced to the peer */
    bool backup;            /* subflows opened from it are backups */
    bool announced;         /* ADD_ADDR was asked for since it became usable */
};

/* One of the peer's addresses. remotes[0] is that of the initial subflow, the others came with ADD_ADDR. */
struct pm_remote {
    struct braid_addr addr; /* the port is never 0 */
    uint8_t id;             /* as the peer counts */
    bool usable;            /* false: withdrawn, or the peer wants no subflows to it (flag C, section 3.1) */
};

/* What became of subflows from a local to a remote address. */
struct pm_pair {
    braid_time open_at; /* none is to be opened before: 1 s after a failure, twice that after the next ... */
    uint16_t failures;  /* since one of them last held for a while */
    bool worked;        /* one was established */
    bool closed; /* the peer wants none here, or a first try at an announced address failed (sections 3.4.1,
                  * 3.6): none is to be opened until either address comes anew */
};

/* A subflow, whoever opened it. */
struct pm_subflow {
    uint32_t id;          /* stable and never reused within the connection */
    uint8_t local;        /* index in locals; PM_MAX_LOCALS: an address that is not in there */
    uint8_t remote;       /* index in remotes; PM_MAX_REMOTES: an address that is not in there */
    bool ours;            /* opened by this end */
    bool established;     /* the handshake is over; false: it is under way */
    bool closing;         /* it ends by itself */
    bool stale;           /* established, but what it carries is not acknowledged: in RTO backoff */
    bool wished;          /* the user wants it whatever the path manager does: it has opened it itself, or the
                           * connection is to end with it */
    bool lost;            /* stale for several timeouts: not a loss, but a path that does not work */
    bool backup;          /* either side asked to spare it */
    braid_time opened_at; /* when its first segment was due; valid if it is not established */
};

/* What the user expects of the connection as a whole (REQ9 of RFC 6897). 0 each: it has not said. */
struct pm_expected {
    uint64_t bytes;  /* of the direction that has more of them */
    braid_time time; /* how long it lasts */
    uint64_t rate;   /* bytes per second at which there will be some, of the direction that has more */
};

struct pm_view {
    braid_time now;
    bool opener;   /* this end opened the connection */
    bool may_open; /* the peer has shown that it knows our key; PM_OPEN before is of no effect */
    bool alone;    /* no subflow is established: the connection ends soon unless one comes */
    const struct pm_local *locals;
    unsigned n_locals;
    const struct pm_remote *remotes;
    unsigned n_remotes;
    const struct pm_pair (*pairs)[PM_MAX_REMOTES]; /* pairs[local][remote] */
    const struct pm_subflow *subflows;
    unsigned n_subflows;
    unsigned max_subflows; /* of both ends together, those under way included */
    unsigned per_pair;     /* how many the user wants between the same two addresses, if it is up to it */
    int64_t rtt_us;        /* smoothed, of the oldest established subflow; 0: unknown */
    /* How much there is to do: bytes of the stream, received or written by the user, whichever are more ...
     */
    uint64_t bytes;
    /* ... and for how long some have waited, without a pause, that the peer would take and no subflow has
     * room for. 0 unless it asked to hear of that (wake_waited). */
    braid_time waited;
    uint64_t join_after; /* bytes from which on the user takes more subflows to be worth it */
    struct pm_expected expected;
    unsigned wanted; /* subflows that the user wants, neither more nor fewer (REQ7); 0: as the path manager
                      * does */
};

enum pm_do {
    PM_OPEN,    /* a subflow from locals[local] to remotes[remote], a backup if local says so */
    PM_CLOSE,   /* subflow: in order if it is established, else it is given up, which counts as a failure */
    PM_ANNOUNCE /* locals[local]: ADD_ADDR, repeated until the peer echoes it; once more if it was announced
                 */
};
struct pm_action {
    enum pm_do what;
    uint8_t local, remote;
    uint32_t subflow; /* its id */
};

/* The answer, empty at first. */
struct pm_plan {
    struct pm_action actions[PM_MAX_ACTIONS];
    unsigned n;
    braid_time wake_at; /* when to ask again although nothing changed; BRAID_NEVER at first */
    /* Or when the view's `bytes` has come to so much, or its `waited` to so long; 0, as at first: never. */
    uint64_t wake_bytes;
    braid_time wake_waited;
};

struct pm_ops;

/* A connection's path manager. */
struct pm {
    const struct pm_ops *ops;
    uint64_t priv[PM_PRIV_WORDS]; /* zeroed at first */
};

struct pm_ops {
    const char *name;
    const char *about; /* one line for an operator */
    bool opens;        /* opens subflows: where an address comes back, old ones may make way for new ones */
    /* Fills in the plan. Called in a flush in which the view changed, from when the connection is established
     * and the peer has our key. What the plan asks for is carried out before the next call as far as it can
     * be: a subflow that could not be opened (limit reached, memory short) is not in the next view. NULL: the
     * path manager never does anything. */
    void (*update)(struct pm *pm, const struct pm_view *v, struct pm_plan *plan);
};

/* Completes a path manager's plan where the user wants a certain number of subflows, v->wanted: opens what is
 * missing, if this end opened the connection or the path manager opens any, and closes what is too much
 * (src/pm/number.c). The path manager has been shown a view that lets it open no more than that
 * (pm_number_limit). */
void pm_keep_number(const struct pm *pm, const struct pm_view *v, struct pm_plan *plan);
/* v->max_subflows, or so many that v->wanted of them count: those that end, and those that are lost, do not.
 */
unsigned pm_number_limit(const struct pm_view *v);

/* All path managers of this build, NULL-terminated (src/plugins.c). */
extern const struct pm_ops *const pm_algorithms[];
/* What connections get whose user names none: those that have nothing to signal, and those that have. */
extern const struct pm_ops *const pm_default, *const pm_default_signalling;

#endif
