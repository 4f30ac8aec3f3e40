/* What all subflows of a core share. Owned by the core. */
#ifndef BRAID_TCP_ENV_H
#define BRAID_TCP_ENV_H

#include <braid/core.h>
#include "base/hash.h"
#include "base/wheel.h"
#include "tcp/books.h"
#include "tcp/mtu_cache.h"
#include "tcp/ways.h"

struct subflow_ops;
struct tap;

struct tcp_env {
    const struct subflow_ops *ops; /* the owner of them all */
    struct wheel wheel;
    struct braid_counters count;
    struct tcp_books books; /* of subflows whose owner keeps none for their path */
    struct braid_host host;
    struct tap *tap;   /* who listens (tap.h); NULL: nobody */
    uint16_t mtu;      /* of the link: our MSS follows from it */
    size_t rcvbuf_max; /* the window scale follows from it */
    braid_time syn_timeout;
    braid_time resumed_at; /* since then this end has been there without a break */
    uint16_t min_mss;
    struct siphash_key clock_key;         /* of the timestamps of what we open */
    struct mtu_known mtus[MTU_KNOWN_MAX]; /* by a hash of the peer's address; a new one takes the place */
    struct way_busy ways[WAYS_BUSY_MAX];
    unsigned challenge_limit;    /* challenge ACKs per second */
    braid_time challenge_window; /* RFC 5961 section 7: start of the current window of the rate limit ... */
    unsigned challenge_sent;     /* ... and challenge ACKs sent in it */
};

#endif
