/* What the configuration says of an explicit edge's targets. */
#ifndef BRAID_ROLE_POOL_PARAMS_H
#define BRAID_ROLE_POOL_PARAMS_H

#include <braid/types.h>

#define POOL_TARGETS_MAX 16
#define POOL_WEIGHT_MAX  256
#define POOL_EJECT       3
#define POOL_EJECT_TIME  (30 * BRAID_SECOND)

/* Which of them a client gets. */
enum balance {
    BALANCE_ORDER, /* the first that answers, in the order of RFC 6724: for the addresses of one server */
    BALANCE_LEAST, /* the one with the fewest connections beside its weight */
    BALANCE_HASH   /* always the same one */
};

/* Whether, and how, targets are asked if they are well. */
enum health_kind {
    HEALTH_NONE,
    HEALTH_CONNECT, /* a connection is all */
    HEALTH_HTTP     /* GET path: a status from 200 to 399 */
};

#define HEALTH_INTERVAL (5 * BRAID_SECOND)
#define HEALTH_RISE     2
#define HEALTH_FALL     3

struct health_rule {
    enum health_kind kind;
    char *path; /* HEALTH_HTTP: begins with "/" */
    braid_time interval;
    unsigned rise, fall; /* checks in a row that make one that is down up, and the other way round */
};

struct target_params {
    char *host; /* address literal or name */
    uint16_t port;
    uint16_t weight; /* of each of its addresses beside the others'; 0: no new connections */
    bool backup;     /* for when there is no other */
};

struct pool_params {
    struct target_params targets[POOL_TARGETS_MAX]; /* in the order of the file */
    unsigned n;                                     /* 0: the edge has none */
    enum balance balance;
    unsigned eject; /* so many failures to connect in a row, and an address is left alone for ...; 0: never */
    braid_time eject_time;
    braid_time
        slow_start; /* in which the weight of one that has come (back) grows to what it is; 0: at once */
    struct health_rule health;
};

#endif
