/* The CPE: TCP connections of devices of a LAN, which know nothing of MPTCP, carried by MPTCP over the
 * uplinks. Each worker has its own instance of every configured one, all of them in one struct cpes, a role
 * of its node (role/node.h). */
#ifndef BRAID_ROLE_CPE_H
#define BRAID_ROLE_CPE_H

#include <braid/core.h>
#include "base/durations.h"
#include "base/targets.h"
#include "role/convert_params.h"
#include "role/policy.h"
#include "role/profile.h"
#include "role/reach.h"
#include "role/uplinks.h"

#define CPE_PEERS_MAX       8
#define CPE_LISTEN_MAX      2 /* one address of each family */
#define CPE_CONNECT_TIMEOUT (10 * BRAID_SECOND)

struct cpes;
struct edge_params;
struct hold;
struct node;

/* Whom a connection of the LAN is carried to. */
enum cpe_kind {
    CPE_TRANSPARENT, /* straight to its destination: a server with MPTCP, or an edge in the path */
    CPE_EXPLICIT,    /* to the peer, whatever its destination */
    CPE_CONVERT      /* to the peer, a converter, which is told the destination (RFC 8803) */
};

/* What devices' packets show of their sockets and is heeded for the connection over the uplinks. */
enum {
    CPE_HEED_BUFFER = 1,  /* the window of the SYN, for the receive buffer */
    CPE_HEED_SEGMENT = 2, /* its MSS */
    CPE_HEED_CLASS = 4,   /* traffic class (TOS) */
    CPE_HEED_ALL = 7
};

struct cpe_peer {
    char *host; /* address literal or name */
    uint16_t port;
};

/* What the configuration says of one CPE. */
struct cpe_params {
    const char *name;
    enum cpe_kind kind;
    bool tproxy; /* connections are handed over to sockets of the kernel's; else they come through the TUN */
    struct braid_addr listen[CPE_LISTEN_MAX]; /* ... where; none without */
    unsigned n_listen;
    struct cpe_peer peers[CPE_PEERS_MAX]; /* in the order in which they are asked; none: transparent */
    unsigned n_peers;
    uint16_t port_first, port_last;            /* of the destinations */
    struct reach_rule except[REACH_RULES_MAX]; /* destinations that are left to the kernel */
    unsigned n_except;
    /* As of edges (role/edge.h), for the connections over the uplinks. */
    const struct profile *profile;
    const struct sched_ops *sched;
    const struct cc_ops *cc;
    const struct pm_ops *pm;
    struct port_profile port_profiles[PORT_PROFILES_MAX];
    unsigned n_port_profiles;
    bool checksum, fate_sharing, version_0, believe_addresses;
    bool no_plain;       /* a connection that would not be MPTCP is refused */
    unsigned heed;       /* CPE_HEED_... */
    size_t least_buffer; /* bytes; who has less does not get MPTCP (RFC 6897 section 4.4.3); 0: nobody */
    /* CONVERT: servers that speak MPTCP themselves are reached without one. */
    bool bypass;
    /* ... what converters are shown: by COOKIE_PSK a code by the secret, else what they give us. */
    enum convert_cookie_kind cookie;
    char psk[CONVERT_PSK_MAX + 1];
    bool early;                 /* the device is answered before the far side has answered ... */
    braid_time first_wait;      /* ... which is asked when the device has spoken, or has not for so long */
    braid_time connect_timeout; /* for the far side's answer; 0: CPE_CONNECT_TIMEOUT */
};

/* X(identifier, name, help) */
#define CPE_COUNTERS(X)                                                                                      \
    X(CPE_INCOMING, "incoming", "connections asked for by the LAN")                                          \
    X(CPE_ACCEPTED, "accepted", "connections whose far side answered")                                       \
    X(CPE_PLAIN, "without_mptcp", "of these, those that are plain TCP over one uplink")                      \
    X(CPE_STRAIGHT, "straight", "of these, those that went without a converter since none could be had")     \
    X(CPE_BYPASSED, "bypassed",                                                                              \
      "of these, those that went without a converter since their server speaks MPTCP itself")                \
    X(CPE_BY_POLICY, "by_policy", "of those asked for, those that a [policy] section is for")                \
    X(CPE_KEPT_OFF, "kept_off",                                                                              \
      "connections without MPTCP since SHIM6, HIP or Mobile IPv6 may move them: plain TCP, or the kernel's") \
    X(CPE_REFUSED, "refused", "connections that the far side refused")                                       \
    X(CPE_UNREACHABLE, "unreachable", "connections whose far side was unreachable or did not answer")        \
    X(CPE_NOT_MPTCP, "not_mptcp", "connections refused since MPTCP could not be had")                        \
    X(CPE_LATE, "late", "connections that a converter refused when the device had been answered")            \
    X(CPE_FAILED, "failed", "connections refused for lack of memory or ports")                               \
    X(CPE_CLOSED, "closed", "connections that ended in order")                                               \
    X(CPE_LAN_RESET, "lan_reset", "connections that the LAN's device aborted")                               \
    X(CPE_WAN_RESET, "wan_reset", "connections that the far side aborted")                                   \
    X(CPE_TIMEOUT, "timeout", "connections given up because one side fell silent")                           \
    X(CPE_FATE, "first_gone", "connections that ended with their first subflow, by fate_sharing")            \
    X(CPE_KILLED, "killed", "connections that were ended by hand")                                           \
    X(CPE_FIRST, "first_bytes", "connections whose first bytes left with the SYN to a converter")            \
    X(CPE_PASSED, "passed", "SYNs left to the kernel")                                                       \
    X(CPE_UP, "bytes_up", "bytes of the LAN that went to the uplinks")                                       \
    X(CPE_DOWN, "bytes_down", "bytes of the uplinks that went to the LAN")

enum cpe_counter {
#define X(id, name, help) id,
    CPE_COUNTERS(X)
#undef X
        CPE_COUNTER_MAX
};

/* What the time of connections is taken of. X(identifier, name, help) */
#define CPE_TIMES(X)                                                                                         \
    X(CPE_CONNECT, "connect", "Time from the question to the far side to its answer.")                       \
    X(CPE_FIRST_BYTE, "first_byte", "Time from a device's SYN to the first byte of the far side.")           \
    X(CPE_LENGTH, "connection", "Time that connections were open that had a far side, from their SYN on.")

enum cpe_time {
#define X(id, name, help) id,
    CPE_TIMES(X)
#undef X
        CPE_TIME_MAX
};

struct cpe_counters {
    uint64_t v[CPE_COUNTER_MAX];
    struct durations times[CPE_TIME_MAX];
    uint64_t connecting; /* now: waiting for the far side to answer */
    uint64_t open;       /* now: both sides connected */
};

/* Name and help text of a counter, or a time; static strings. */
const char *cpe_counter_name(enum cpe_counter c);
const char *cpe_counter_help(enum cpe_counter c);
const char *cpe_time_name(enum cpe_time t);
const char *cpe_time_help(enum cpe_time t);
/* The word for it in the configuration; a static string. */
const char *cpe_kind_name(enum cpe_kind kind);

/* What a CPE shares its machine with. */
struct cpe_neighbours {
    const struct edge_params *edges; /* of this daemon, whose addresses nobody is carried to */
    unsigned n_edges;
    const struct policy *policies; /* for whoever wishes nothing itself, in their order */
    unsigned n_policies;
};

/* The role of n CPEs, which listen on the node's core. params and what neighbours points to must outlive the
 * node. NULL if memory is short or the ports are taken. The functions below are for the thread that drives
 * the node. */
struct cpes *cpes_new(struct node *node, const struct cpe_neighbours *neighbours,
                      const struct cpe_params *params, unsigned n);
/* On what cpes_new was given, as in struct cpes_change. */
void cpes_hold(struct cpes *cs, struct hold *hold);
/* NULL: this node has none. */
struct cpes *cpes_of(const struct node *node);
/* The addresses of a peer of CPE i, for new connections. */
void cpes_set_peer(struct cpes *cs, unsigned i, unsigned peer, const struct targets *targets);
/* Up to max known addresses of this family, of all peers in their order, into out. Returns how many. */
unsigned cpes_peers(const struct cpes *cs, enum uplink_family family, struct braid_addr *out, unsigned max);
/* What has become of the uplinks, for new connections. */
void cpes_set_uplinks(struct cpes *cs, const struct uplinks *uplinks);
/* This one leads elsewhere now (another address, another network): forgets what was given to the old one. */
void cpes_forget(struct cpes *cs, unsigned uplink);

/* What another configuration says of CPEs. */
struct cpes_change {
    const struct cpe_params *params;
    unsigned n;
    struct cpe_neighbours neighbours;
    struct hold *hold; /* as in struct edges_change */
};
/* As edges_change: one of the same name, kind, listening addresses and ports goes on as it is. The addresses
 * of its peers are to be set again (cpes_set_peer). */
int cpes_change(struct cpes *cs, const struct cpes_change *change);
/* As edges_drain. What is not taken any more goes where it would without Braid. */
bool cpes_drain(struct cpes *cs, const char *name, bool drained);
/* Connections now of those with the name of this one that a change has taken away: open, and being opened. */
void cpes_leaving(const struct cpes *cs, unsigned i, uint64_t *open, uint64_t *connecting);

unsigned cpes_count(const struct cpes *cs);
const struct cpe_params *cpes_params(const struct cpes *cs, unsigned i);
const struct cpe_counters *cpes_counters(const struct cpes *cs, unsigned i);
bool cpes_are_drained(const struct cpes *cs, unsigned i);

#endif
