/* Types that cross layers: addresses, time, and opaque handles. */
#ifndef BRAID_TYPES_H
#define BRAID_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time is a count of microseconds of some monotonic clock, passed in by the caller. */
typedef int64_t braid_time;
#define BRAID_MS     ((braid_time)1000)
#define BRAID_SECOND ((braid_time)1000000)
#define BRAID_NEVER  INT64_MAX

/* An IPv6 address in network byte order; IPv4 is held as v4-mapped (::ffff:a.b.c.d), so that addresses of
 * both families compare and hash alike. */
struct braid_ip {
    uint8_t b[16];
};

/* A transport address. port is in host byte order. */
struct braid_addr {
    struct braid_ip ip;
    uint16_t port;
};

/* A way through the net to a peer. local is the address that it begins with if we have chosen that address,
 * and unspecified if the peer has: then all of its ways are one. */
struct braid_way {
    struct braid_ip local, peer;
};

/* A reference-counted byte buffer (src/base/buf.h). */
struct buf;

#endif
