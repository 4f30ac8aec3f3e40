/* What a program has set on its socket that does not show in packets (RFC 6897 section 4.4), as its kernel
 * tells, and what is made of it (socket_options.c). */
#ifndef BRAID_ROLE_SOCKET_OPTIONS_H
#define BRAID_ROLE_SOCKET_OPTIONS_H

#include <stddef.h>
#include <braid/cc.h>

struct braid_conn;
struct profile_use;

/* A plain value. Zeroed: nothing was told. */
struct socket_options {
    bool told;
    bool nodelay;              /* TCP_NODELAY */
    braid_time keepalive_idle; /* SO_KEEPALIVE with TCP_KEEPIDLE; 0: it is off ... */
    braid_time keepalive_step; /* ... and TCP_KEEPINTVL ... */
    unsigned keepalive_probes; /* ... and TCP_KEEPCNT */
    braid_time user_timeout;   /* TCP_USER_TIMEOUT; 0: none */
    size_t sndbuf, rcvbuf;     /* SO_SNDBUF, SO_RCVBUF, in bytes; 0: left to the kernel */
    const struct cc_ops *cc;   /* TCP_CONGESTION; NULL: left to the system */
};

/* To the connection that carries what goes through the socket, and so to all of its subflows. use: its
 * profile. Nothing if nothing was told. What is set no more is as if it had never been. */
void socket_options_apply(const struct socket_options *o, struct braid_conn *c, struct profile_use *use,
                          braid_time now);

#endif
