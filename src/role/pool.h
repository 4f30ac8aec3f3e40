/* The targets of an explicit edge, on one worker: whom a client gets, and what becomes of those that fail.
 *
 * Every address of every target is a member by itself. Each worker counts its own connections: since it keeps
 * them even among the members, to within one, all workers together are even to within their number, which no
 * word that all of them write would have to prove. Ties go round, so that the odd ones spread.
 *
 * No clock, no sockets: time is an argument, and whoever connects tells how it went. */
#ifndef BRAID_ROLE_POOL_H
#define BRAID_ROLE_POOL_H

#include "base/targets.h"
#include "role/pool_params.h"

#define POOL_PREFERENCE (60 * BRAID_SECOND) /* for an address that answered when others did not */

struct pool_counters {
    uint64_t connections; /* that were made to it */
    uint64_t failures;    /* attempts that came to nothing */
    uint64_t ejections;
};

struct pool_member {
    struct braid_addr addr;
    uint8_t target;           /* the number of the one whose address it is */
    bool listed;              /* it is one; else its place waits for the last of its connections */
    bool down;                /* health checks have failed: it is not asked */
    bool doubted;             /* it was ejected, and has not answered since */
    bool checked;             /* the process before this one has had its health checked */
    unsigned conns;           /* that are asked for or open */
    unsigned row;             /* failures since it answered last */
    braid_time ejected_until; /* 0: never */
    braid_time since;         /* when it came, or is back; 0: from the beginning */
    struct pool_counters counters;
};

struct pool {
    const struct pool_params *params;
    struct targets known[POOL_TARGETS_MAX]; /* the addresses of each target */
    struct pool_member *members;            /* places; ... */
    unsigned n_members;
    uint16_t order[POOL_TARGETS_MAX * TARGETS_MAX]; /* ... those that are listed, in the order of the file */
    unsigned n;
    unsigned turn; /* who comes first among those that are alike */
    struct braid_addr preferred;
    braid_time preferred_until;
    struct pool_counters totals[POOL_TARGETS_MAX]; /* of each target, whatever its addresses were */
};

/* params must outlive it, or the next pool_change; targets: the addresses of each. -1: memory is short. */
int pool_init(struct pool *p, const struct pool_params *params, const struct targets *targets);
void pool_free(struct pool *p);
/* Other params, while those from before are still there: members whose address stays keep what they have
 * counted, and their connections. -1: memory is short, and some are missing. */
int pool_change(struct pool *p, const struct pool_params *params, const struct targets *targets,
                braid_time now);
/* Other addresses of one target. -1: as above. */
int pool_set_target(struct pool *p, unsigned target, const struct targets *addrs, braid_time now);

/* Whom to ask for this client, the first one first, and then those to be asked if that fails. None: no
 * address is known. */
struct targets pool_choose(struct pool *p, const struct braid_ip *client, braid_time now);

/* A place: of a member that is asked, or connected to; 0: of none. It holds until pool_leave. */
uint16_t pool_enter(struct pool *p, const struct braid_addr *addr);
void pool_leave(struct pool *p, uint16_t place);
/* NULL: the place is none, or nobody is there. */
struct pool_member *pool_at(const struct pool *p, uint16_t place);
/* NULL: no member has this address. */
struct pool_member *pool_find(const struct pool *p, const struct braid_addr *addr);

/* It has answered; `first` was asked first. True: it had been ejected. */
bool pool_answered(struct pool *p, const struct braid_addr *first, const struct braid_addr *addr,
                   braid_time now);
/* It was asked, and cannot be connected to. True: therefore it is ejected, until params->eject_time from
 * now: it is asked when no other is left. */
bool pool_failed(struct pool *p, const struct braid_addr *addr, braid_time now);
/* What health checks say of the address, if it is a member's. */
void pool_set_health(struct pool *p, const struct braid_addr *addr, bool up, braid_time now);
/* Whether there is a member that is down. */
bool pool_is_down(const struct pool *p);
static inline bool pool_is_ejected(const struct pool_member *m, braid_time now)
{
    return now < m->ejected_until;
}

#endif
