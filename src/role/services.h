/* What programs of this machine have said of the connections that they accept (RFC 6897 section 5.3): per
 * listening socket, as long as it listens. An edge whose server that is heeds it. */
#ifndef BRAID_ROLE_SERVICES_H
#define BRAID_ROLE_SERVICES_H

#include "app/message.h"

#define SERVICES_MAX  1024            /* sockets at the same time, ... */
#define SERVICES_USER 128             /* ... and of one user; who comes later is refused */
#define SERVICES_SURE (50 * BRAID_MS) /* for so long nobody asks again whether one still listens */

struct profile;

/* A plain value. */
struct service_wish {
    bool plain;              /* clients are answered by plain TCP */
    struct app_addrs add;    /* of the edges' addresses, those that are announced to clients; none: as ever */
    struct app_addrs remove; /* those at which no client may join */
    const struct profile *profile; /* of the configuration; NULL: none */
};

/* What a program tells. */
struct service_news {
    struct braid_addr at; /* where it listens; unspecified: at any address of this machine */
    bool v6_only;         /* unspecified, of IPv6: not at those of IPv4 */
    uint64_t cookie;      /* of the socket (SO_COOKIE) */
    uint32_t user;
    struct service_wish wish;
};

struct services;

/* NULL: memory or descriptors are short. */
struct services *services_new(void);
/* NULL is allowed. */
void services_free(struct services *ss);
/* Replaces what was said of the socket. 0, or an errno: ENOBUFS: the user has too many, or memory is short;
 * EINVAL: it does not listen; EOPNOTSUPP: the kernel cannot tell. */
uint32_t services_add(struct services *ss, const struct service_news *news, braid_time now);
/* What was said of the socket that takes clients of this server; NULL: nothing. Valid until the next call. ss
 * may be NULL. is_local(arg, ip): whether this machine has the address. */
const struct service_wish *services_find(struct services *ss, const struct braid_addr *server,
                                         bool (*is_local)(void *arg, const struct braid_ip *ip), void *arg,
                                         braid_time now);

#endif
