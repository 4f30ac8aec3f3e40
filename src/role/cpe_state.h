/* The CPEs of one worker, as the files that make them up see them. */
#ifndef BRAID_ROLE_CPE_STATE_H
#define BRAID_ROLE_CPE_STATE_H

#include "base/hash.h"
#include "base/hold.h"
#include "base/list.h"
#include "base/wheel.h"
#include "relay/splice.h"
#include "role/complaint.h"
#include "role/cpe.h"
#include "role/node.h"
#include "role/uplinks.h"

struct askers;
struct cpe_cookies;
struct cpe_listener;
struct netlink;

#define CPE_TRUSTED 32 /* ways to converters */

/* A way on which data of a SYN has lately arrived (cpe_first.h). */
struct cpe_trusted {
    struct braid_ip local;
    struct braid_addr remote;
    braid_time until; /* 0: none */
};

/* One CPE on one worker. */
struct cpe {
    struct splice_owner splices; /* of what it carries; their group is the cpes */
    struct cpes *owner;
    const struct cpe_params *params;
    struct targets peers[CPE_PEERS_MAX];
    braid_time rest_until[CPE_PEERS_MAX];    /* a peer that wants to be left alone for a while */
    braid_time hasty_until[CPE_PEERS_MAX];   /* a converter that has said no after its SYN/ACK had said yes */
    braid_time unasked_until[CPE_PEERS_MAX]; /* a converter that does not like to be asked for options */
    struct braid_listener *listeners[UPLINK_FAMILIES]; /* NULL once it has stopped, or with sockets ... */
    struct cpe_listener *sockets[CPE_LISTEN_MAX];      /* ... for TPROXY (cpe_sockets.h) */
    bool drained;               /* by hand: its listeners rest, and there are no sockets */
    struct list opening;        /* connections that wait for the far side's answer */
    struct list open;           /* those that both sides have */
    struct complaint complaint; /* that the far side does not come */
    struct cpe_counters counters;
    struct cpe_trusted trusted[CPE_TRUSTED];
    uint8_t servers_first[65536 / 8]; /* a bit for each port whose servers speak first */
    /* Of one that a change has taken away: it lives until its connections are gone. */
    bool leaving;
    struct list link;  /* in cpes->leaving */
    struct hold *hold; /* on its params */
};

struct cpes {
    struct role role;
    struct cpe_neighbours neighbours;
    struct netlink *netlink; /* io/rtnetlink.h; NULL: not possible, or not needed yet */
    struct askers *askers;   /* NULL: no policy depends on who asks */
    struct uplinks uplinks;
    struct cpe_cookies *cookies; /* of converters */
    struct htable by_ends;       /* connections that came by way of a socket (carried.c) ... */
    struct siphash_key key;      /* ... and what their devices do not know */
    struct wheel timers;         /* of connections that are being opened */
    struct hold *hold;           /* as of edges (edge_state.h) */
    struct cpe **all;            /* n, in the order of the configuration */
    unsigned n;
    struct list leaving;
};

/* cpe.c, for cpe_change.c; as for edges (edge_state.h). */
struct cpe *cpe_new(struct cpes *cs, const struct cpe_params *params);
void cpe_free(struct cpe *cpe);
int cpe_listen(struct cpe *cpe);
int cpe_rest(struct cpe *cpe);
void cpe_stop(struct cpe *cpe);
static inline bool cpe_is_empty(const struct cpe *cpe)
{
    return list_empty(&cpe->opening) && list_empty(&cpe->open);
}
/* Who asks for connections, as far as policies want to know. NULL and *failed: memory or descriptors are
 * short; else nobody need know. */
struct askers *cpe_askers(const struct cpe_neighbours *neighbours, bool *failed);
struct cpe *cpes_find(const struct cpes *cs, const char *name);
void cpes_sweep(struct cpes *cs);

#endif
