/* What programs of this machine wish of connections that they are about to ask for (RFC 6897 section 5.3):
 * told before the SYN, found when it is here. Each worker has all of them, since nobody knows where the SYN
 * will come; those that it does not come to forget them after a while. */
#ifndef BRAID_ROLE_WISHES_H
#define BRAID_ROLE_WISHES_H

#include <braid/types.h>
#include "role/demands.h"
#include "role/socket_options.h"
#include "role/uplinks.h"

#define WISHES_MAX  4096                /* at the same time, ... */
#define WISHES_USER 256                 /* ... and of one user; the oldest makes way */
#define WISHES_LIFE (30 * BRAID_SECOND) /* between the program's word and its SYN ... */
#define WISHES_LATE (2 * BRAID_SECOND)  /* ... and between a word that comes behind it and the look at it */

struct profile;

/* A plain value. */
struct wish {
    bool aware;         /* the program knows MPTCP, and has said something of it or of addresses */
    bool plain;         /* no MPTCP */
    bool named;         /* it has named addresses that may be used */
    uint32_t policies;  /* a bit for each that names the program (policy.h) */
    unsigned endpoints; /* of uplinks that may be used: UPLINK_ENDPOINT of each, or UPLINK_ENDPOINTS: any */
    uint16_t port[UPLINKS_MAX][UPLINK_FAMILIES]; /* of subflows from there; 0: any */
    const struct profile *profile;               /* of the configuration; NULL: none */
    struct socket_options socket;                /* what it has set on it */
    struct demands demands;
};

struct wishes;

/* NULL: memory is short. */
struct wishes *wishes_new(void);
/* NULL is allowed. */
void wishes_free(struct wishes *ws);
/* Whether any waits. ws may be NULL. */
bool wishes_wait(const struct wishes *ws);

/* What a program tells. */
struct wish_news {
    struct braid_addr client; /* from where it will connect; unspecified: from any address of this machine */
    struct braid_addr meant;  /* and to where */
    uint32_t user;
    bool late; /* the SYN has left already */
    struct wish wish;
};
/* One for the same connection is replaced, unless it is another user's: two sockets may be bound to one port
 * (SO_REUSEADDR), and who came first has it. If memory is short it is lost. */
void wishes_add(struct wishes *ws, const struct wish_news *news, braid_time now);
/* The SYN is here: gives the wish and forgets it. own: the client's address is one that this machine's
 * routing gives its connections. False: there is none. ws may be NULL. */
bool wishes_take(struct wishes *ws, const struct braid_addr *client, const struct braid_addr *meant, bool own,
                 struct wish *out, braid_time now);

#endif
