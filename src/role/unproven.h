/* Clients that have a server although nobody knows whether they exist: their SYN is here, their third ACK is
 * not. Whoever forges addresses would fill the server with connections, so only a few may be such, of all
 * and of each network: a network of a client's provider is a /24, or a /56 of IPv6. A converter counts those
 * of single clients in the same way, whose server has not answered. */
#ifndef BRAID_ROLE_UNPROVEN_H
#define BRAID_ROLE_UNPROVEN_H

#include <braid/types.h>
#include "base/hash.h"

struct unproven_limits {
    unsigned all;        /* clients at a time */
    unsigned per_source; /* of them, those of one network */
    bool single;         /* a network is a single address, or a /64 of IPv6 */
};

/* One per worker. */
struct unproven {
    struct htable clients; /* unproven_client, by network */
    struct siphash_key key;
    struct unproven_limits limits;
};

/* Embedded in whatever stands for the client. */
struct unproven_client {
    struct hnode node;
    struct braid_ip network;
    bool entered;
};

/* key: unpredictable, as peers choose the addresses. -1: memory is short. */
int unproven_init(struct unproven *u, const struct unproven_limits *limits, const struct siphash_key *key);
void unproven_free(struct unproven *u);
/* False: there are too many, and it is not entered. c is zeroed or has left. */
bool unproven_enter(struct unproven *u, struct unproven_client *c, const struct braid_ip *ip);
/* It has proven itself, or is gone. Nothing happens if it had not entered. */
void unproven_leave(struct unproven *u, struct unproven_client *c);

#endif
