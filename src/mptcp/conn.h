/* An MPTCP connection (RFC 8684): its keys, data sequence space and subflows. Also carries plain TCP, as one
 * subflow without MPTCP options, so that a user of the core never sees the difference. Private to src/mptcp
 * and src/core. */
#ifndef BRAID_MPTCP_CONN_H
#define BRAID_MPTCP_CONN_H

#include <braid/core.h>
#include "base/hash.h"
#include "base/rate.h"
#include "mptcp/conn_timers.h"
#include "mptcp/dss.h"
#include "mptcp/ending.h"
#include "mptcp/fallback.h"
#include "mptcp/flow.h"
#include "mptcp/handshake.h"
#include "mptcp/join_refusals.h"
#include "mptcp/joins.h"
#include "mptcp/news.h"
#include "mptcp/path_manager.h"
#include "mptcp/ports.h"
#include "mptcp/quiet_paths.h"
#include "mptcp/recvq.h"
#include "mptcp/rules.h"
#include "mptcp/rxmap.h"
#include "mptcp/sendbuf.h"
#include "mptcp/silent_paths.h"
#include "mptcp/stall.h"
#include "mptcp/syn_data.h"
#include "mptcp/tokens.h"
#include "mptcp/versions.h"

struct mp_subflow;
struct mptcp_env;

/* What is known of a 4-tuple with a port of ours. */
enum flow_port {
    FLOW_PORT_NEW,    /* nothing */
    FLOW_PORT_BYGONE, /* an earlier subflow had it, and the peer takes a new SYN all the same */
    FLOW_PORT_TAKEN
};

/* What connections ask of the core that holds them. */
struct mptcp_env_ops {
    /* Enters the subflow's 4-tuple into the demultiplexer. -1: another subflow, or what is left of a core
     * that has gone, has the 4-tuple. */
    int (*flow_add)(struct mptcp_env *env, struct mp_subflow *s);
    /* Whether a port that nobody asked for by its number may be taken for this 4-tuple. */
    enum flow_port (*flow_port)(struct mptcp_env *env, const struct braid_addr *local,
                                const struct braid_addr *remote, braid_time now);
    /* Whether one with just this port can be: nobody has the 4-tuple, and it is not in TIME_WAIT, unless we
     * have reset what had it. */
    bool (*flow_free)(struct mptcp_env *env, const struct braid_addr *local, const struct braid_addr *remote);
    void (*flow_remove)(struct mptcp_env *env, struct mp_subflow *s);
    /* The subflow is in TIME_WAIT and about to be freed: remember what its 4-tuple needs. Called after
     * flow_remove. */
    void (*time_wait)(struct mptcp_env *env, struct mp_subflow *s);
    /* The subflow was reset with MP_FASTCLOSE, or without if the connection's version has that on ACKs alone,
     * or (on_ack) such an ACK is about to be: whatever still comes for it gets the same answer, and the ACK
     * is repeated until a RST answers it. */
    void (*aborted)(struct mptcp_env *env, struct mp_subflow *s, bool on_ack, braid_time now);
    /* Asks the user about a passive connection: incoming() of its listener. */
    void (*incoming)(struct mptcp_env *env, struct braid_conn *c);
    /* Answers the SYN of a connection in CONN_PENDING with a refusal. */
    void (*refuse)(struct mptcp_env *env, const struct mp_subflow *s, enum braid_refusal how);
};

/* Options of the user's (src/core/sockopt.c). */
struct conn_sockopt {
    size_t rcvbuf_max, sndbuf_max;
    struct tcp_keepalive keepalive;
    braid_time user_timeout;
    uint16_t most;         /* struct tcp_size */
    uint8_t traffic_class; /* the same */
};

/* What all connections of a core share. The first member of struct braid_core, so that the core finds
 * itself when it is called by `ops` (src/core/demux.c). */
struct mptcp_env {
    struct tcp_env tcp;
    struct braid_core_params params;
    struct conn_sockopt sockopt; /* the core's parameters */
    struct rules rules;
    /* The budget of the core (params.memory). The accounts of connections are its children: what is charged
     * to one of them counts here, too; their structs, and what is made of addresses, are charged here alone.
     */
    struct mem_account mem;
    /* Of the tables in which peers choose their places by 4-tuples: without it they could choose one place.
     */
    struct siphash_key hash_key;
    struct siphash_key cookie_key; /* of SYN cookies and the MPTCP keys that go with them */
    braid_time cookie_sent;        /* when the last one left; 0: none ever */
    struct join_refusals join_refusals;
    struct rate announced; /* subflows that we open to addresses that peers announced */
    braid_time reclaim_at; /* when to look again who may be ended for its memory */
    struct htable tokens;  /* of MPTCP connections, by token */
    struct list conns;     /* conn_link, in the order of their ids */
    struct list dirty;     /* connections with work for the next flush */
    const struct mptcp_env_ops *ops;
    struct news_hook news;
    struct port_walk ports; /* of connections that we open */
    uint64_t next_id;
    uint64_t n_conns, n_subflows, conns_total;
    uint64_t n_half_open;                               /* passive connections without their third ACK */
    struct braid_endpoint endpoints[PM_MAX_LOCALS - 1]; /* of connections to come */
    unsigned n_endpoints;
    uint64_t bytes_in_past, bytes_out_past; /* of connections that have ended */
};

/* Behind anything that can be sent, and yet near enough for seq64_before to take it for later. */
#define NO_DATA_WINDOW ((uint64_t)1 << 62) /* plain TCP: the subflow's own window is the limit */
/* Bytes that the buffers begin with (or less, if the parameters say so). They grow with what the paths need:
 * data_window.c, sendbuf.c. */
#define CONN_MIN_RCVBUF (256u << 10)
#define CONN_MIN_SNDBUF (256u << 10)
/* What a user may bound them to. */
#define CONN_LEAST_BUFFER 4096
/* ... and what it may set a time to: ten years. More would be as good as never, and sums of it too large. */
#define CONN_LONGEST (3650 * 86400 * BRAID_SECOND)
/* Of a traffic class what is ours to say: the other two bits are ECN's (RFC 3168), which is not spoken. */
#define CONN_CLASS(traffic_class) ((uint8_t)((traffic_class) & ~3u))

/* One that was answered with a SYN cookie is never CONN_PENDING: its user is asked after the handshake
 * (handshake.stateless). */
enum conn_phase {
    CONN_PENDING,     /* SYN received, the user has not answered */
    CONN_HANDSHAKE,   /* SYN/ACK or SYN sent */
    CONN_ESTABLISHED, /* until both directions have ended */
    CONN_DRAINING,    /* nothing more for the user; subflows are being closed */
    CONN_DEAD         /* to be freed by the flush */
};

enum conn_mode {
    MODE_MPTCP,
    MODE_PLAIN,   /* never was MPTCP */
    MODE_FALLBACK /* was; now the only subflow's sequence space is the data sequence space */
};

/* The initial data sequence number, 0 here, stands for the SYN (struct conn_keys). */
#define DATA_FIRST ((uint64_t)1) /* DSN of the first byte, in both directions */

/* An entry of env->conns: a connection, or the marker of a walk over them (src/core/dump.c). */
struct conn_link {
    struct list node;
    struct braid_conn *conn; /* NULL: a marker */
};

/* The addresses of the first subflow. */
struct conn_addresses {
    struct braid_addr local, remote;
};

struct braid_conn {
    struct mptcp_env *env;
    struct conn_link link;
    struct list dirty_node; /* env->dirty */
    uint64_t id;
    /* NULL after release, and once closed() was called: the user hears nothing any more. The table is the
     * user's, of the listener or of braid_connect. */
    const struct braid_conn_ops *ops;
    void *user;
    const char *edge;
    const struct cc_ops *cc;
    struct sched sched;
    const struct conn_sockopt *sockopt; /* env->sockopt until one is set, then its own */
    struct mem_account mem;
    braid_time opened_at;
    struct mp_subflow *subflows; /* the first; mp_subflow.next */
    unsigned n_subflows;         /* in the list, dead ones included */
    uint32_t next_subflow_id;
    enum conn_phase phase : 8;
    enum conn_mode mode : 8;

    /* Those of four-byte words first, side by side. */
    struct conn_dss dss;
    struct conn_closing closing;
    struct conn_addresses addresses;
    struct conn_handshake handshake;
    struct conn_syn_data syn_data;
    struct conn_keys keys;
    struct conn_fallback fallback;
    struct conn_join join;
    struct conn_send send;
    struct conn_recv recv;
    struct conn_pm pm;
    struct conn_stall stall;
    struct conn_deadlines deadlines;
};

/* One subflow of a connection. */
struct mp_subflow {
    struct subflow tcp; /* first */
    struct braid_conn *conn;
    struct mp_subflow *next; /* of the connection; NULL: the last */
    struct hnode hash;       /* the core's demultiplexer */
    bool hashed : 1;
    bool join : 1;            /* not the first one */
    bool confirmed : 1;       /* active join: the fourth ACK came; others: established */
    bool was_up : 1;          /* the handshake was completed once */
    bool bare : 1;            /* the peer's last segment had no MPTCP option, though MPTCP is in force */
    bool echo_mp_capable : 1; /* active: the third ACK's MP_CAPABLE is still to be repeated */
    bool wished : 1;          /* the connection's user has opened it (braid_conn_join) */
    bool fail_due : 1;        /* MP_FAIL (RFC 8684 section 3.7): with the next ACK, or the RST */
    struct flow_backup backup;
    struct flow_silence silence;
    uint32_t id;
    /* The core's: number of its entry in the ledger, by which the next daemon can reset it after a crash,
     * plus 1; 0: none. */
    uint32_t ledger;
    struct flow_ids ids;
    struct flow_quiet quiet;
    struct flow_doubt *doubt; /* NULL: it is not suspect, and silence.patience is 0 */
    struct {
        uint32_t in, out; /* bytes that rule_account has counted, their low halves */
    } accounted;
    struct rxmap rxmap;
    uint64_t fail_dsn; /* of MP_FAIL: first byte not to be trusted, as an offset of the peer's data */
    struct flow_sched sched;
    struct flow_signal signal;
    struct flow_closing closing;
};

/* A mapping that we sent: the payload, and where it lies in the data sequence space. From subflow_send on it
 * belongs to its subflow, until flow_map_done frees it. Its slices hold references on the buffers of chunks:
 * so its bytes can be retransmitted there when their chunk has been DATA_ACKed and freed long ago (RFC 8684
 * section 3.3.6). */
struct mp_map {
    struct tcp_map tcp; /* first */
    uint64_t dsn;
    uint64_t sum; /* over the payload, for the DSS checksum; computed if checksums are in use */
    braid_time sent_at;
    uint32_t rescued; /* leading bytes that were put on another subflow as well (rescue.c) */
    bool infinite;
    bool fin; /* the DATA_FIN follows its last byte */
    struct slice slices[];
};

/* The mapping whose node in subflow.maps is n. */
static inline struct mp_map *mp_map_of(struct list *n)
{
    return (struct mp_map *)list_entry(n, struct tcp_map, node);
}
static inline struct mp_subflow *mp_subflow_of(struct subflow *sf)
{
    return (struct mp_subflow *)sf;
}
static inline bool conn_is_mptcp(const struct braid_conn *c)
{
    return c->mode == MODE_MPTCP;
}
/* Whether what it ends by is MP_FASTCLOSE: only MPTCP has the peer's key, which proves it. */
static inline bool conn_says_fastclose(const struct braid_conn *c)
{
    return c->closing.fastclose && conn_is_mptcp(c) && c->fallback.was_mptcp;
}
/* What differs in the version that it speaks, or has asked for. */
static inline const struct mptcp_version *conn_version(const struct braid_conn *c)
{
    return &mptcp_versions[c->keys.version];
}
/* Each end is known to have the other's key, without which nobody joins or announces (RFC 8684 section 3.1).
 * Who was opened got both with the third ACK; one that opened knows that its own has arrived when a DSS
 * comes. */
static inline bool conn_keys_shared(const struct braid_conn *c)
{
    return conn_is_mptcp(c) && (c->handshake.passive || c->dss.keyed);
}
/* Bytes of the stream that have come in order (the DATA_FIN has a number, too, and is no byte) ... */
static inline uint64_t conn_bytes_received(const struct braid_conn *c)
{
    return c->recv.nxt + syn_data_outside(&c->syn_data) - DATA_FIRST - (c->recv.fin_received ? 1 : 0);
}
/* ... that the user has read ... */
static inline uint64_t conn_bytes_read(const struct braid_conn *c)
{
    return c->recv.user + syn_data_outside(&c->syn_data) - DATA_FIRST;
}
/* ... and that the peer has. */
static inline uint64_t conn_bytes_delivered(const struct braid_conn *c)
{
    return c->send.una + c->syn_data.out - DATA_FIRST;
}
/* Brings a deadline forward to `limit`, if it is later. */
static inline void no_later(braid_time *at, braid_time limit)
{
    if (*at > limit)
        *at = limit;
}
/* The last of the memory is for what is there already: with a sixteenth left SYNs and joins are
 * refused and path managers open nothing, and those that stand still are ended (conn_reclaim). */
static inline bool env_short_of_memory(const struct mptcp_env *env)
{
    return mem_room(&env->mem) <= env->mem.limit / 16;
}
#define conn_count(c, name) ((c)->env->tcp.count.v[COUNT_##name]++)

/* ---- birth and death ---- */

/* A new connection without subflows, in env->conns; NULL if memory is short. */
struct braid_conn *conn_new(struct mptcp_env *env, const struct cc_ops *cc, const struct sched_ops *sched,
                            braid_time now);
/* What a connection may hold in bytes: twice the buffers, since they are charged at what they take from the
 * heap, and mappings of slow subflows hold bytes that are DATA_ACKed. */
static inline size_t conn_memory_limit(const struct mptcp_env *env)
{
    return 2 * (env->params.rcvbuf_max + env->params.sndbuf_max);
}

/* Options of its own, to be changed. NULL: memory is short. */
struct conn_sockopt *conn_own_sockopt(struct braid_conn *c);
/* Frees a connection and its subflows. Sends nothing, and does not call the user. */
void conn_free(struct braid_conn *c);

/* ---- walks ---- */

/* Walks over the subflows of c in the order of their ids, dead ones included; the body may free s, and none
 * of those behind it. */
#define each_flow(s, c)                                                                                      \
    for (struct mp_subflow *s = (c)->subflows, *s##_next; s && (s##_next = s->next, true); s = s##_next)

/* The first connection from this place of the list on, past the markers of walks; NULL: there is none. */
static inline struct braid_conn *conn_from(const struct mptcp_env *env, const struct list *at)
{
    struct braid_conn *c = NULL;
    for (; !c && at != &env->conns; at = at->next)
        c = list_entry(at, struct conn_link, node)->conn;
    return c;
}

/* Walks over all connections in the order of their ids; the body may free c, and none of those behind it. */
#define each_conn(c, env)                                                                                    \
    for (struct braid_conn *c = conn_from(env, (env)->conns.next), *c##_next;                                \
         c && (c##_next = conn_from(env, c->link.node.next), true); c = c##_next)

#endif
