/* Tables of what is known of sockets, by the socket's cookie (SO_COOKIE), which is the same for all
 * descriptors of a socket, in children, too, and which no other socket ever has: so nobody need know of
 * close, dup or fork (cookies.c). */
#ifndef BRAID_SOCKET_COOKIES_H
#define BRAID_SOCKET_COOKIES_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/hash.h"

/* Static, as COOKIES(type of what is known) says; for as long as the process lives. */
struct cookies {
    size_t size; /* bytes of a value */
    atomic_bool any;
    struct htable all; /* no buckets: it is empty */
    size_t most;       /* entries at which those of sockets that are closed are thrown away */
};
#define COOKIES(type)                                                                                        \
    {                                                                                                        \
        .size = sizeof(type)                                                                                 \
    }

/* False: nothing is known of any socket; a single load tells. */
bool cookies_any(const struct cookies *t);
/* Of the socket that fd is. False: nothing is known of it, and *out is as it was. errno stays. */
bool cookies_get(struct cookies *t, int fd, void *out);
/* Replaces it. -1 with errno: it is no socket, or memory is short. */
int cookies_put(struct cookies *t, int fd, const void *value);

#endif
