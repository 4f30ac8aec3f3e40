/* What can be asked of the targets of one worker's edges. */
#ifndef BRAID_ROLE_EDGE_TARGETS_H
#define BRAID_ROLE_EDGE_TARGETS_H

#include "role/edge.h"
#include "role/pool.h"

enum target_state {
    TARGET_UP,
    TARGET_EJECTED, /* connections to it have failed: it is asked when no other is left */
    TARGET_DOWN,    /* it does not pass its health checks: it is not asked */
    TARGET_GONE     /* no address of any target now; what it has open goes on */
};

/* One address of an edge's target. */
struct target_entry {
    unsigned edge, target; /* their numbers in the configuration; of one that is gone the target is 0 */
    unsigned place;        /* in the order of the edge's addresses */
    struct braid_addr addr;
    enum target_state state;
    braid_time left; /* until it is no longer ejected */
    uint64_t conns;  /* now: asked for or open */
    struct pool_counters counters;
};

/* What a target's addresses add up to; nothing but words of 64 bits. */
struct target_sum {
    uint64_t addresses, up; /* that are known now, and of these, that are up */
    uint64_t conns;         /* now: asked for or open */
    struct pool_counters counters;
};

/* "up"; a static string. */
const char *target_state_name(enum target_state state);
/* Of all edges that are not leaving: at most edges_targets_count of them. */
size_t edges_targets_count(const struct edges *es);
size_t edges_targets_list(const struct edges *es, braid_time now, struct target_entry *out, size_t max);
/* What the process before this one knew of the health of targets: tells of each address that it has asked. */
void edges_health_before(const struct edges *es,
                         void (*tell)(void *arg, unsigned edge, const struct braid_addr *addr, bool up),
                         void *arg);
/* Of edge i. */
struct target_sum edges_target_sum(const struct edges *es, unsigned i, unsigned target, braid_time now);

#endif
