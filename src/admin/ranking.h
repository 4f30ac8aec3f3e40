/* The first of all connections in some order, of those that match a text: what a page or a screen has room
 * for. A walk over all connections goes by, and only so many are kept. Main thread only. */
#ifndef BRAID_ADMIN_RANKING_H
#define BRAID_ADMIN_RANKING_H

#include <braid/control.h>
#include "admin/census.h"
#include "admin/snapshot.h"

#define RANKING_DEFAULT 20

enum ranking_key {
#define X(id, word) RANKING_##id,
    BRAID_TOP_KEYS(X)
#undef X
        RANKING_KEY_MAX
};

struct ranking_wish {
    unsigned limit; /* 1 to BRAID_TOP_MOST */
    enum ranking_key key;
    /* What its edge, CPE, path, client, service or server must have in its name or address; "": nothing. */
    char find[BRAID_TOP_FIND];
};

struct ranked {
    struct snapshot_conn *conn;
    unsigned worker;
    braid_time now; /* the worker's clock */
    struct census_rate rate;
    uint64_t rank; /* what it is sorted by */
};

struct ranking {
    struct ranking_wish wish;
    const struct conf *conf;
    struct census *census;
    unsigned n;
    uint64_t seen,
        matching; /* connections; what the LAN has with a CPE is the same connection as that over uplinks */
    struct ranked best[]; /* wish.limit places, of which n are taken: the first comes first */
};

/* "rate" and so on. False: it is none of them. */
bool ranking_key(const char *word, enum ranking_key *key);
/* Over the connection's subflows: the longest smoothed round trip, in microseconds; segments sent again. */
uint64_t ranking_worst_rtt(const struct braid_conn_stats *c);
uint64_t ranking_retransmits(const struct braid_conn_stats *c);
/* Nothing yet; conf and census must outlive it, and the caller frees it by ranking_free. NULL: memory is
 * short. */
struct ranking *ranking_new(const struct ranking_wish *wish, const struct conf *conf, struct census *census);
/* NULL is allowed. */
void ranking_free(struct ranking *r);
/* Takes the connections of a page that are worth it out of the job, in whose place is NULL then. */
void ranking_take(struct ranking *r, struct snapshot_job *job, unsigned n_workers);

#endif
