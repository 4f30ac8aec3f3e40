/* The inside of a core. Private to src/core. */
#ifndef BRAID_CORE_INSIDE_H
#define BRAID_CORE_INSIDE_H

#include <braid/core.h>
#include "base/rate.h"
#include "core/reassembly.h"
#include "mptcp/conn.h"
#include "tcp/timewait.h"

#define ANSWER_SOURCES 256

/* How many answers of a kind were given in the current second: to each source (by its hash), and in all. */
struct answers {
    struct rate all, source[ANSWER_SOURCES];
};

struct braid_core {
    struct mptcp_env env;       /* first */
    struct htable flows;        /* mp_subflow.hash, by 4-tuple */
    struct htable timewaits;    /* timewait.hash, by 4-tuple */
    struct htable listeners;    /* those with an address, by it */
    struct list wildcards;      /* the others */
    struct list resting;        /* those of both that are not to be found (braid_listener_rest) */
    struct htable own;          /* own_ip, the addresses that listeners had */
    bool passing[2];            /* there has been a wildcard listener: for IPv4 [0], IPv6 [1] */
    struct list timewait_order; /* timewait_entry, oldest first */
    struct answers echo_replies, icmp_errors;
    struct reassembly reassembly;
    enum braid_error error; /* of the last listen or connect */
    uint32_t *here;     /* directory.c: how many 4-tuples it has in each place; NULL: there is no directory */
    bool cookies_noted; /* ... in the directory */
};

#define CORE_SIGNALS (PM_MAX_LOCALS - 1) /* addresses that a listener may signal */

struct braid_listener {
    struct hnode hash;    /* of one with an address */
    struct list wildcard; /* of another, and of one that rests */
    bool any_address, rests;
    struct braid_core *core;
    struct braid_listen_params params;
    struct braid_ip signal[CORE_SIGNALS];
};

/* One connection's part of a flush; it may be gone afterwards (core.c). */
void core_flush_one(struct braid_core *core, struct braid_conn *c, braid_time now);

/* A TIME_WAIT entry and its place among the others. Also remembers subflows of connections that we aborted:
 * our RST with MP_FASTCLOSE is ignored if it was not at exactly the number that the peer expects (RFC 5961),
 * or is lost. */
struct timewait_entry {
    struct timewait tw; /* first */
    struct braid_core *core;
    struct list node;
    bool aborted;
    uint64_t peer_key; /* if aborted, unless plain ... */
    uint8_t reason;    /* ... with this one in MP_TCPRST */
    bool orphan;       /* of a core that is gone (orphans.c): aborted, too ... */
    bool plain;        /* ... and maybe not MPTCP; or the answer is a RST without MP_FASTCLOSE */
    bool on_ack;       /* the peer takes MP_FASTCLOSE from ACKs alone (version 0) */
    unsigned orphan_probes;
    /* With on_ack, until a RST has answered it (aborted.c): */
    uint8_t repeat_left; /* what is still to be said unasked, the RST at the end included; 0: nothing, ... */
    braid_time repeat_after; /* ... when next, from the last time on, ... */
    braid_time until;        /* ... and when the entry is to be forgotten */
};

#endif
