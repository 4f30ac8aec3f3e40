/* The edge: MPTCP from clients, plain TCP to a server. Each worker has its own instance of every configured
 * edge, all of them in one struct edges, a role of its node (role/node.h). */
#ifndef BRAID_ROLE_EDGE_H
#define BRAID_ROLE_EDGE_H

#include <braid/core.h>
#include "base/targets.h"
#include "role/access.h"
#include "base/durations.h"
#include "role/convert_params.h"
#include "role/pool_params.h"
#include "role/profile.h"
#include "role/reach.h"
#include "wire/proxy_protocol.h"

#define EDGE_SIGNAL_MAX      8
#define EDGE_TEXT            64 /* bytes of edge_listen_text */
#define EDGE_LISTENERS       8  /* addresses that one edge listens at */
#define EDGE_CONNECT_TIMEOUT (10 * BRAID_SECOND)
/* A client's SYN is answered after so long even if the server has not: a second SYN would come a second after
 * the first (RFC 6298 section 2), and clients take a few without an answer for a network that blocks MPTCP.
 */
#define EDGE_PATIENCE (900 * BRAID_MS)
/* A balancer has so long to say whose a connection is. */
#define EDGE_HEADER_PATIENCE (10 * BRAID_SECOND)

struct bypass_entry;
struct hold;
struct edges;
struct node;
struct unproven_limits;

/* Who says to which server a client is connected: the configuration; the client, by connecting to it; or the
 * client, by a message to us (RFC 8803). */
enum edge_kind { EDGE_EXPLICIT, EDGE_TRANSPARENT, EDGE_CONVERT };

/* What the configuration says of one edge. */
struct edge_params {
    const char *name;
    enum edge_kind kind;
    uint16_t port_first, port_last; /* transparent: of the servers */
    bool client_source;             /* transparent: servers are connected from the client's address */
    struct reach_rule reach[REACH_RULES_MAX]; /* which servers, unless the configuration names one */
    unsigned n_reach;
    braid_time bypass; /* transparent: how long a server that speaks MPTCP itself is left alone; 0: off */
    struct braid_addr listen[EDGE_LISTENERS]; /* transparent: none; explicit: one */
    unsigned n_listen;
    struct pool_params pool;                      /* explicit: its targets; else none */
    struct access access;                         /* to clients, by their addresses */
    struct reach_rule balancers[REACH_RULES_MAX]; /* explicit: whose connections begin with a header */
    unsigned n_balancers;
    enum proxy_version proxy_protocol; /* with which servers are told whose a connection is */
    struct convert_params convert;
    struct braid_ip signal[EDGE_SIGNAL_MAX];
    unsigned n_signal;
    /* Of connections to ports that have no profile of their own: the profile, NULL: none is named, and its
     * algorithms or those that are to be used instead. */
    const struct profile *profile;
    const struct sched_ops *sched;
    const struct cc_ops *cc;
    const struct pm_ops *pm; /* NULL: the core's choice */
    struct port_profile port_profiles[PORT_PROFILES_MAX];
    unsigned n_port_profiles;
    bool checksum;
    bool fate_sharing;          /* connections end with their first subflow (RFC 6897 section 4.2.2) */
    bool no_join;               /* no subflows to the address that a client has connected to: flag C */
    bool version_0;             /* clients may speak version 0 of MPTCP (RFC 6824) */
    bool believe_addresses;     /* ... and announce addresses in it, without a proof */
    braid_time connect_timeout; /* for the server's answer; 0: EDGE_CONNECT_TIMEOUT */
    braid_time patience;        /* 0: EDGE_PATIENCE */
    braid_time header_patience; /* 0: EDGE_HEADER_PATIENCE */
};

/* X(identifier, name, help) */
#define EDGE_COUNTERS(X)                                                                                     \
    X(EDGE_INCOMING, "incoming", "connections asked for by clients")                                         \
    X(EDGE_ACCEPTED, "accepted", "connections whose server answered")                                        \
    X(EDGE_REFUSED, "refused", "connections that the server refused")                                        \
    X(EDGE_UNREACHABLE, "unreachable", "connections whose server was unreachable or did not answer in time") \
    X(EDGE_FAILED, "failed", "connections refused for lack of memory or descriptors")                        \
    X(EDGE_CLOSED, "closed", "connections that ended in order")                                              \
    X(EDGE_CLIENT_RESET, "client_reset", "connections that the client aborted")                              \
    X(EDGE_SERVER_RESET, "server_reset", "connections that the server aborted")                              \
    X(EDGE_TIMEOUT, "timeout", "connections given up because the client fell silent")                        \
    X(EDGE_BYPASSED, "bypassed", "SYNs passed on to servers that speak MPTCP themselves")                    \
    X(EDGE_TO_SERVER, "bytes_to_server", "bytes written to servers")                                         \
    X(EDGE_FROM_SERVER, "bytes_from_server", "bytes read from servers")                                      \
    X(EDGE_FORBIDDEN, "forbidden", "connections to servers that the edge must not reach")                    \
    X(EDGE_UNAUTHORIZED, "unauthorized", "clients that may not convert, or whose cookie is not good")        \
    X(EDGE_MALFORMED, "malformed",                                                                           \
      "Convert messages, and headers of the PROXY protocol, that are none or cannot be understood")          \
    X(EDGE_BUSY, "busy", "connections refused since their client has too many that wait for a server")       \
    X(EDGE_OVERDUE, "overdue",                                                                               \
      "clients whose Convert message, or header of the PROXY protocol, did not come in time")                \
    X(EDGE_ERRORS, "errors", "Error TLVs sent to clients")                                                   \
    X(EDGE_ERRORS_LIMITED, "errors_limited",                                                                 \
      "clients reset without an Error TLV, since there were too many")                                       \
    X(EDGE_EARLY, "early",                                                                                   \
      "of the accepted ones, those whose SYN brought data that went to the server at once")                  \
    X(EDGE_FATE, "first_gone", "connections that ended with their first subflow, by fate_sharing")           \
    X(EDGE_DENIED, "denied", "connections reset since the edge does not serve the client's address")         \
    X(EDGE_KILLED, "killed", "connections that were ended by hand")

enum edge_counter {
#define X(id, name, help) id,
    EDGE_COUNTERS(X)
#undef X
        EDGE_COUNTER_MAX
};

/* What the time of connections is taken of. X(identifier, name, help) */
#define EDGE_TIMES(X)                                                                                        \
    X(EDGE_CONNECT, "connect", "Time from the question to the server to its answer.")                        \
    X(EDGE_FIRST_BYTE, "first_byte", "Time from a client's SYN to the first byte of its server.")            \
    X(EDGE_LENGTH, "connection", "Time that connections were open that had a server, from their SYN on.")

enum edge_time {
#define X(id, name, help) id,
    EDGE_TIMES(X)
#undef X
        EDGE_TIME_MAX
};

struct edge_counters {
    uint64_t v[EDGE_COUNTER_MAX];
    struct durations times[EDGE_TIME_MAX];
    uint64_t connecting; /* now: waiting for the server to answer */
    uint64_t open;       /* now: server connected */
};

/* The word for it in the configuration; a static string. */
const char *edge_kind_name(enum edge_kind kind);
/* Name and help text of a counter; static strings. */
const char *edge_counter_name(enum edge_counter c);
const char *edge_counter_help(enum edge_counter c);
const char *edge_time_name(enum edge_time t);
const char *edge_time_help(enum edge_time t);

/* Where clients connect to: "192.0.2.80:443", the first of them if there are several; or "any", "any:443",
 * "any:80-443" if it is transparent. Into text, which is returned. */
const char *edge_listen_text(const struct edge_params *p, char text[EDGE_TEXT]);

/* The role of n edges, which listen on the node's core; targets: the resolved addresses of each target of
 * params[0], then of those of params[1], and so on. params must outlive the node. NULL if memory is short or
 * an address is taken. The functions below are for the thread that drives the node. */
struct edges *edges_new(struct node *node, const struct unproven_limits *limits,
                        const struct edge_params *params, const struct targets *targets, unsigned n);
/* On what edges_new was given, as in struct edges_change. */
void edges_hold(struct edges *es, struct hold *hold);
/* NULL: this node has none. */
struct edges *edges_of(const struct node *node);
/* New connections of edge i go to other addresses of this target. */
void edges_set_target(struct edges *es, unsigned i, unsigned target, const struct targets *addrs);
/* What health checks say of the address of a target of edge i: whether it gets new connections. */
void edges_set_health(struct edges *es, unsigned i, const struct braid_addr *addr, bool up);
/* learned(arg, number, server, until) will be called when the edge with this number has found a server that
 * speaks MPTCP itself and is to be left alone until then; for the other workers' edges_learn. */
void edges_on_learned(struct edges *es,
                      void (*learned)(void *arg, unsigned number, const struct braid_addr *server,
                                      braid_time until),
                      void *arg);
/* Another worker's edge has found such a server. */
void edges_learn(struct edges *es, unsigned number, const struct braid_addr *server, braid_time until);

/* What another configuration says of edges. */
struct edges_change {
    const struct unproven_limits *limits;
    const struct edge_params *params;
    const struct targets *targets; /* as those of edges_new */
    unsigned n;
    /* On all that this points to: who makes the changes holds it until the next one. NULL: it outlives the
     * node. */
    struct hold *hold;
};
/* Edges of the same name, kind and addresses go on as they are, with what is new for new connections; others
 * come, or go: no new connections then, and those that are open go on. 0, or -1: memory is short, which the
 * log tells, and some edges do not listen. */
int edges_change(struct edges *es, const struct edges_change *change);
/* The edge with this name takes no new connections from now on, or, if not drained, takes them again. Those
 * that it has go on, and so do those that wait for their answer. It stays so, whatever a change says of it,
 * as long as it has its name. False: it was so already, or there is none. */
bool edges_drain(struct edges *es, const char *name, bool drained);

/* Connections now of those with the name of this one that a change has taken away: open, and connecting. */
void edges_leaving(const struct edges *es, unsigned i, uint64_t *open, uint64_t *connecting);

unsigned edges_count(const struct edges *es);
const struct edge_params *edges_params(const struct edges *es, unsigned i);
const struct edge_counters *edges_counters(const struct edges *es, unsigned i);
/* By hand (edges_drain). */
bool edges_are_drained(const struct edges *es, unsigned i);

/* The servers that are left alone (role/bypass.h): at most edges_bypass_count of them. */
size_t edges_bypass_count(const struct edges *es);
size_t edges_bypass_list(const struct edges *es, braid_time now, struct bypass_entry *out, size_t max);
/* Forgets them, and which servers do not speak MPTCP. */
void edges_bypass_clear(struct edges *es);

#endif
