/* One instance of the MPTCP stack, sans IO: packets in, packets out, time as an argument, one deadline out.
 * It knows no clock, socket or thread, and shares nothing with other instances but a directory, if it is
 * given one.
 *
 * The way to drive it:
 *   1. braid_core_input() for each packet at hand, braid_core_run() when the deadline has passed, and any of
 * the braid_conn_* calls below;
 *   2. then braid_core_flush(), which calls back (readable, writable, ...), schedules data onto subflows,
 * sends ACKs, and frees what has ended. Batching is up to the caller: one flush per batch of packets;
 *   3. braid_core_deadline() tells when braid_core_run() is wanted next.
 * Callbacks may call every function on connections; none of them sends anything before the flush goes on. */
#ifndef BRAID_CORE_H
#define BRAID_CORE_H

#include <sys/uio.h>
#include <braid/types.h>
#include <braid/cc.h>
#include <braid/option.h>
#include <braid/pm.h>
#include <braid/sched.h>
#include <braid/stats.h>

struct braid_core;
struct braid_conn;
struct braid_listener;
struct braid_input;
struct braid_ledger;
struct braid_ledger_entry;

/* A packet to be sent. Everything it points to is valid during the call only. */
struct braid_packet {
    const uint8_t *header; /* IP and TCP (or a whole ICMP packet) */
    uint32_t header_len;
    const struct iovec *payload;
    unsigned n_payload;
    uint32_t payload_len;
    uint16_t gso_size; /* payload bytes per segment of a super-packet, 0: it is a single segment */
    uint16_t
        csum_start; /* offset of the TCP header: the checksum (at csum_start + 16) holds the pseudo-header sum
                     * as VIRTIO_NET_HDR_F_NEEDS_CSUM wants it; 0: checksums are complete */
    bool v6;
};

/* What a core asks of its surroundings. */
struct braid_host {
    void *ctx;
    /* Sends a packet. It may be dropped: the stack retransmits. */
    void (*output)(void *ctx, const struct braid_packet *packet);
    /* Fills buf with unpredictable bytes. */
    void (*random)(void *ctx, void *buf, size_t len);
    /* A packet that another worker's core should see: worker is its number. The bytes are valid during the
     * call only. `in` goes into that core's braid_core_input. May be NULL if n_workers is 1. */
    void (*hand_over)(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in);
    /* Packets of more than mtu bytes do not arrive this way (mtu 0: they do again), silent: though no router
     * said so. Goes into braid_core_path_mtu of all other cores. May be NULL. */
    void (*path_mtu)(void *ctx, const struct braid_way *way, uint16_t mtu, bool silent);
    /* A segment from src to dst is about to go out again as it came (braid_listen): whoever has taken notes
     * of its first passage should forget them. syn: it asks for a connection. May be NULL. */
    void (*passing)(void *ctx, const struct braid_addr *src, const struct braid_addr *dst, bool syn);
};

/* What is known of an incoming packet besides its bytes. */
struct braid_input {
    bool csum_ok;      /* somebody trustworthy verified the TCP checksum, or it is partial (VIRTIO flags) */
    uint16_t gso_size; /* payload bytes per segment of a super-packet, 0: a single segment */
    uint8_t hops;      /* workers that passed it on already ... */
    uint64_t visited;  /* ... and which, bit w: worker w, of those below 64 */
    /* The core that put it together from fragments notes: bytes of the largest packet that a fragment came in
     * (0: it came whole), and the identification. */
    uint16_t fragment_size;
    uint32_t fragment_id;
};

/* What an operator says of the paths between certain addresses. A subflow belongs to the first rule that its
 * ends match, for its whole life; without one it has cost 0, weight 1 and no quota. */
struct braid_path_rule {
    struct braid_ip local, remote;   /* prefixes of our address and the peer's ... */
    uint8_t local_bits, remote_bits; /* ... of so many of the 128 bits, IPv4 as v4-mapped; 0: any address */
    struct braid_ip also;            /* another prefix of our address that matches as well ... */
    uint8_t also_bits;               /* ... 0: there is none */
    uint32_t cost;                   /* for schedulers: 0 is cheapest */
    uint32_t weight;                 /* for schedulers: 1 or more */
    uint64_t
        quota; /* bytes of payload, both directions together, after which it counts as a backup; 0: none */
};

#define BRAID_PORT_FIRST 32768 /* the default range of local ports: that of Linux */
#define BRAID_PORT_LAST  60999

struct braid_core_params {
    unsigned worker, n_workers;     /* this core's number; tokens are congruent to worker modulo n_workers */
    unsigned instance, n_instances; /* of machines with one address: tokens are of this share; 0, 0: any */
    struct braid_directory *directory; /* of all cores; NULL: unknown flows' packets visit all workers */
    uint16_t mtu;                      /* of the TUN */
    /* Bytes, of all connections. With a sixteenth left, newcomers are refused, and who stands still ends. */
    size_t memory;
    /* Bytes that the buffers of a connection may grow to, as its paths need them; 0: a sixteenth of the
     * memory, or 8 MiB if that is more. What is left of the memory bounds them all the same. */
    size_t rcvbuf_max, sndbuf_max;
    uint32_t max_conns;
    uint32_t half_open;    /* passive connections without their third ACK; SYNs beyond it are answered without
                            * keeping state (struct braid_conn_ops, incoming) */
    unsigned max_subflows; /* per connection, whoever opens them, at most BRAID_STATS_SUBFLOWS */
    unsigned max_add_addr; /* per connection: addresses of the peer that are kept, at most 8 */
    unsigned subflows_per_pair; /* that path manager ndiffports wants between two addresses */
    uint64_t join_after;        /* bytes of a connection's stream from which on path manager on-demand opens
                                 * more subflows */
    unsigned joins_pending;     /* per connection: MP_JOINs of the peer without their third ACK */
    unsigned join_rate;      /* MP_JOINs that are answered, and opened by a path manager, per connection and
                              * second; 0: no limit */
    unsigned join_refusals;  /* RSTs per second and network (/24, /56) to MP_JOINs that cannot be; 0: any */
    unsigned announced_syns; /* subflows opened per second to addresses that peers announced, all connections
                              * together, until the address has answered that one; 0: no limit */
    unsigned challenge_acks; /* per second (RFC 5961 section 7) */
    unsigned icmp_answers;   /* echo replies per second, and as many errors to protocols that we do not
                              * speak; a tenth of them to one source; 0: no limit */
    unsigned out_of_order;   /* pieces of data that a connection holds behind a gap */
    uint16_t port_first, port_last; /* local ports of connections and subflows that we open, where nobody
                                     * says which; 0, or upside down: the default */
    uint16_t min_mss;               /* what a peer's MSS option is raised to, 64 or more */
    braid_time keepalive_idle;      /* before the first probe; 0: no keepalive */
    braid_time time_wait;
    braid_time break_before_make; /* how long a connection without subflows waits for a new one */
    braid_time unread; /* how long received data may wait without the user reading any; 0: for ever */
    braid_time stall;  /* how long a peer that answers may leave the same data unacknowledged; 0: for ever */
    braid_time syn_timeout;              /* how long the third ACK may take */
    const struct braid_path_rule *paths; /* copied by braid_core_new */
    unsigned n_paths;
    /* Where to keep what another core needs to end this one's subflows, should it end without doing so itself
     * (braid/ledger.h); must outlive the core. Subflows beyond its size are not in it. NULL: nowhere. */
    struct braid_ledger *ledger;
};

/* What up to 64 cores share, each with its own thread or not: for each 4-tuple, by a hash of it, which of
 * them may know it, in words that are changed atomically. key: random bytes. Must outlive the cores. NULL if
 * memory is short. */
struct braid_directory *braid_directory_new(const uint8_t key[16]);
/* After the cores that share it. NULL is nothing. */
void braid_directory_free(struct braid_directory *d);

/* Fills in sane defaults for one worker. */
void braid_core_params_default(struct braid_core_params *p);

/* NULL if memory is short. Copies params, what they point to, and host. */
struct braid_core *braid_core_new(const struct braid_core_params *params, const struct braid_host *host,
                                  braid_time now);
/* Other limits from now on, for the connections that there are as well: all that params says but worker,
 * n_workers, directory, mtu, ledger and paths. What is beyond them now stays, and nothing is added to it. */
void braid_core_set_limits(struct braid_core *core, const struct braid_core_params *params);
/* Other path rules, which are copied. was[i]: at which place rule i has been so far; its subflows and its
 * bytes stay with it, whatever else it says now. -1: it is new. Subflows of a rule that is no more go on
 * under it. -1: memory is short, and nothing has changed. */
int braid_core_set_paths(struct braid_core *core, const struct braid_path_rule *rules, unsigned n,
                         const int *was);
/* Ends every connection at once, as braid_conn_abort does, and flushes: each peer has been told when this
 * returns. Those whose both directions have ended already are left as they are: their peers miss nothing. */
void braid_core_abort(struct braid_core *core, braid_time now);
/* Frees everything; sends nothing; calls closed() for no one. */
void braid_core_free(struct braid_core *core);

/* Ends a subflow of a core that is gone, as found in that one's ledger: its peer is asked for a sign of life,
 * at once and again after 1, 3, 7 ... 63 seconds, and whatever comes from it is answered with a RST, that of
 * an MPTCP connection with MP_FASTCLOSE; a SYN takes its place. It is forgotten two minutes after the last of
 * these. -1: this core knows the 4-tuple already, or memory is short. */
int braid_core_orphan(struct braid_core *core, const struct braid_ledger_entry *entry, braid_time now);

/* A buffer to read a packet into: one reference, owned by the caller. NULL if memory is short. */
struct buf *braid_buf_new(size_t cap);
/* Where its cap bytes are: to be written before it goes into a core, and not afterwards. */
uint8_t *braid_buf_data(struct buf *b);
/* Gives one reference back; with the last one b is freed, or goes into its pool. */
void braid_buf_unref(struct buf *b);
/* A stock of buffers of cap bytes, at most `keep` of them idle: a buffer that the last user gave up is given
 * out next. Must outlive its buffers and the core that they went into. NULL if memory is short. */
struct buf_pool;
struct buf_pool *braid_buf_pool_new(size_t cap, unsigned keep);
/* As braid_buf_new, of the pool's size. */
struct buf *braid_buf_pool_get(struct buf_pool *p);
/* Frees the pool and its idle buffers; all others must have been given back. */
void braid_buf_pool_free(struct buf_pool *p);
/* Frees the buffers that nobody has needed since it was last called. Returns their bytes. */
size_t braid_buf_pool_shrink(struct buf_pool *p);

/* Takes an IP packet of len bytes at offset off of b. The core takes references of its own on b if it keeps
 * the payload. */
void braid_core_input(struct braid_core *core, struct buf *b, size_t off, size_t len,
                      const struct braid_input *in, braid_time now);
/* Runs timers that are due. */
void braid_core_run(struct braid_core *core, braid_time now);
/* The caller stood still, as a suspended machine does, and the clock that it gives times of with it
 * (src/io/clock.h): for the core no time has passed. But peers have waited. Everything in flight gets its
 * time once more (once, however often that happens until something is acknowledged), nothing that was sent
 * before is a sample of the round trip, and what peers have sent is acknowledged at once. To be called before
 * the first packet that came meanwhile. */
void braid_core_resumed(struct braid_core *core, braid_time now);
/* What another core found out (struct braid_host, path_mtu). */
void braid_core_path_mtu(struct braid_core *core, const struct braid_way *way, uint16_t mtu, bool silent,
                         braid_time now);
/* When braid_core_run is wanted; BRAID_NEVER: no timer runs. */
braid_time braid_core_deadline(const struct braid_core *core);
/* Does what input, timers and calls have left to do: calls back, sends, frees what has ended. Not from within
 * a callback. What callbacks leave to do is done as well, up to a few rounds of it; then braid_core_dirty is
 * true, and the next flush goes on. */
void braid_core_flush(struct braid_core *core, braid_time now);
/* True if calls on connections or input since the last flush left work for a flush. */
bool braid_core_dirty(const struct braid_core *core);
/* Whether a subflow between these two ends, perhaps in TIME_WAIT, is the core's. */
bool braid_core_knows(const struct braid_core *core, const struct braid_addr *local,
                      const struct braid_addr *remote);
/* Whether one could be opened from just this port: there is none, nor is it in TIME_WAIT. One that we have
 * reset is no hindrance. */
bool braid_core_can_bind(const struct braid_core *core, const struct braid_addr *local,
                         const struct braid_addr *remote);
/* The connection with a subflow between these two ends; NULL: there is none. */
struct braid_conn *braid_core_find(const struct braid_core *core, const struct braid_addr *local,
                                   const struct braid_addr *remote);

/* ---- errors -------------------------------------------------------------------------------------------- */

/* Why braid_listen, braid_connect or braid_conn_join could not do what they were asked to. */
enum braid_error {
    BRAID_ERROR_NONE,
    BRAID_ERROR_MEMORY,  /* memory is short (as of ENOBUFS) */
    BRAID_ERROR_LIMIT,   /* as many connections or subflows as there may be */
    BRAID_ERROR_ADDRESS, /* no pair of addresses and ports between which packets could go: an unspecified one,
                          * one of a group, two families, no port; or no range of ports */
    BRAID_ERROR_TAKEN,   /* somebody listens there (EADDRINUSE); or the 4-tuple has a connection, or had one
                          * until lately (TIME_WAIT) */
    BRAID_ERROR_PORTS,   /* no port of the core's range is free */
    BRAID_ERROR_NOT_YET, /* join: not established, or the peer has not shown yet that it knows our key */
    BRAID_ERROR_PLAIN,   /* join: the connection is plain TCP, or has fallen back to it */
    BRAID_ERROR_CLOSED,  /* join: both directions have ended, or the connection has failed */
    BRAID_ERROR_UNWANTED, /* join: the peer wants no subflows to its first address (flag C) */
};
/* A static string, without a full stop, as for errno. */
const char *braid_error_text(enum braid_error error);
/* Of the last call of braid_listen or braid_connect on this core. */
enum braid_error braid_core_error(const struct braid_core *core);

/* ---- listening and connecting -------------------------------------------------------------------------- */

enum braid_close {
    BRAID_CLOSE_DONE,    /* both directions ended in order and the peer acknowledged everything */
    BRAID_CLOSE_RESET,   /* the peer aborted: MP_FASTCLOSE, or a RST of a plain TCP connection */
    BRAID_CLOSE_TIMEOUT, /* retransmissions, keepalive or the break-before-make timeout gave up */
    BRAID_CLOSE_REFUSED, /* connect: the peer answered with RST; accept: it never completed the handshake */
    BRAID_CLOSE_UNREACHABLE, /* connect: ICMP said so */
    BRAID_CLOSE_PROTOCOL,    /* the peer broke the protocol in a way that allows no fallback */
    BRAID_CLOSE_RESOURCES,   /* memory was short */
    BRAID_CLOSE_ABORTED,     /* braid_conn_abort or braid_conn_refuse */
    BRAID_CLOSE_FATE /* the first subflow is gone, with which it was to end (BRAID_OPT_FATE_SHARING) */
};
/* A static string, without a full stop. */
const char *braid_close_text(enum braid_close why);

/* Callbacks of a connection, all from within braid_core_flush. user is what braid_conn_set_user set. */
struct braid_conn_ops {
    /* A SYN came in. ctx is the listener's. Nothing is answered until braid_conn_accept or braid_conn_refuse,
     * now or later. When too many connections were half open the SYN was answered without keeping state, and
     * this is called with the third ACK: established() follows the accept at once, a refusal resets. */
    void (*incoming)(void *ctx, struct braid_conn *c);
    /* The handshake is complete. */
    void (*established)(struct braid_conn *c, void *user);
    /* There are new bytes to read, or the end of the stream (braid_conn_eof). Called once per flush that
     * brought any; unread bytes do not cause further calls. */
    void (*readable)(struct braid_conn *c, void *user);
    /* There is room for writing again, a quarter of the send buffer, after braid_conn_reserve gave none or
     * braid_conn_write took less than it was given. Who was given a part by braid_conn_reserve asks again
     * when that is filled. */
    void (*writable)(struct braid_conn *c, void *user);
    /* The connection is gone. Last call; c is invalid after it returns. Bytes that have come and were not
     * read can still be read in here (braid_conn_read, braid_conn_peek), whatever the reason: everything that
     * was acknowledged to the peer is there. Not called after braid_conn_release. */
    void (*closed)(struct braid_conn *c, void *user, enum braid_close why);
};

/* Which clients a listener takes. Joins are found by their token and need none. */
enum braid_clients {
    BRAID_CLIENTS_DEFAULT, /* ANY of a listener with an address, MPTCP of a wildcard one */
    BRAID_CLIENTS_ANY,     /* everybody: by MPTCP who offers it, else by plain TCP */
    BRAID_CLIENTS_MPTCP,   /* who offers MPTCP */
    BRAID_CLIENTS_PLAIN    /* everybody, by plain TCP, whatever they offer */
};

struct braid_listen_params {
    /* Port 0: any port. An unspecified address (0.0.0.0 or ::) makes a wildcard listener: every address of
     * this family, that of the server whom the client means, for connections that were routed here although
     * they are not for this machine. More exact listeners come first. */
    struct braid_addr addr;
    uint16_t port_first, port_last; /* of a wildcard listener with port 0; 0, 0: all ports */
    /* Whether a wildcard listener takes a client's connection to a server; asked when its SYN is here, NULL:
     * always. */
    bool (*wants)(void *ctx, const struct braid_addr *client, const struct braid_addr *server);
    enum braid_clients clients;
    /* Whether this client is to be answered by plain TCP whatever it offers, as if clients were
     * BRAID_CLIENTS_PLAIN; asked when its SYN is here. NULL: none is. */
    bool (*wants_plain)(void *ctx, const struct braid_addr *client, const struct braid_addr *server);
    const char *name; /* for statistics; must outlive the core */
    const struct cc_ops *cc;
    const struct sched_ops *sched;
    bool checksum;                 /* require DSS checksums */
    bool no_join;                  /* ask for no more subflows to the address and port that the client has
                                    * connected to, but only to signalled ones (flag C, RFC 8684 section 3.1),
                                    * as behind a load balancer that would take them elsewhere */
    bool version_0;                /* who offers version 0 of MPTCP (RFC 6824) only gets that */
    bool believe_addresses;        /* what nothing proves in it, ADD_ADDR, counts all the same */
    bool fate_sharing;             /* at first, BRAID_OPT_FATE_SHARING */
    uint16_t syn_data;             /* bytes of a SYN's payload that are taken, at most 1460; 0: none. They are
                                    * the first of the stream, to be read from incoming() on (RFC 8684 appendix
                                    * B, RFC 8803 section 3), and need no Fast Open cookie: who takes them has
                                    * other proof of the client's address, or needs none. A SYN that comes again
                                    * may bring more, or have lost its payload: then the client sends it in the
                                    * stream. One that is answered without keeping state has none */
    const struct pm_ops *pm;       /* NULL: signal if there is something to signal, else passive */
    const struct braid_ip *signal; /* endpoints that each connection has besides the core's, for its path
                                    * manager to announce with ADD_ADDR; copied */
    unsigned n_signal;             /* at most 8 */
    const struct braid_conn_ops *ops;
    void *ctx;
};

/* NULL: braid_core_error tells why. Copies params (but not name, cc, sched, ops).
 *
 * Once a core has had a wildcard listener, packets of its family that it has no use for go out again as they
 * came (counted as BraidPassedBack), so that routing can take them to where they were going: a SYN without an
 * MP_CAPABLE that we can answer (unless `clients` takes plain TCP), one that `wants` refuses or that memory
 * is too short for, a join with a token that is not ours, and every other packet of a connection that we do
 * not know. Excepted are addresses of our own, those of exact listeners and of `signal`, which are ours
 * alone: there the answer is a RST. Both last until the core is freed, so that nothing is torn while it
 * drains. */
struct braid_listener *braid_listen(struct braid_core *core, const struct braid_listen_params *params);
/* What connections begin with from now on: of params, wants, wants_plain, name, cc, sched, pm, checksum,
 * no_join, version_0, believe_addresses, fate_sharing and syn_data; the rest is as it was. */
void braid_listener_change(struct braid_listener *l, const struct braid_listen_params *params);
/* No new connections, as if nobody listened there, until braid_listener_resume. Whoever is pending meanwhile
 * can still be accepted. */
void braid_listener_rest(struct braid_listener *l);
/* 0, or -1: somebody else listens there now, and it goes on resting. */
int braid_listener_resume(struct braid_listener *l);
/* No new connections; existing ones go on. Pending ones that were not accepted are refused. */
void braid_unlisten(struct braid_listener *l);

/* Answers the SYN of a connection that incoming() brought; to be called once, then or later. Sends at the
 * next flush. */
void braid_conn_accept(struct braid_conn *c);
/* The same, and up to `most` bytes of what is written before the third ACK leave at once, behind the SYN/ACK
 * (RFC 8684 appendix B.3, figure 19), as far as the initial window goes. For clients whose SYN brought data,
 * and whose address is known to be theirs: anybody else would have them sent to whom he likes. The mapping
 * has no DATA_ACK, since the client's key is not known yet. Not every client expects that: Linux goes on in
 * plain TCP. */
void braid_conn_accept_early(struct braid_conn *c, uint16_t most);
/* The same, by plain TCP whatever the client offers, with the first of these bytes, our stream's first, in
 * the payload of the SYN/ACK, as many as fit. What does not arrive there follows in the stream: if that
 * SYN/ACK is not answered, later ones are bare. For an answer that comes with the end of the connection (RFC
 * 8803 section 4.2.8); a client that speaks MPTCP takes none with its SYN/ACK and stays with MPTCP. If memory
 * is short the connection ends with BRAID_CLOSE_RESOURCES. */
void braid_conn_accept_with(struct braid_conn *c, const void *data, size_t len);
enum braid_refusal { BRAID_REFUSE_RESET, BRAID_REFUSE_UNREACHABLE, BRAID_REFUSE_SILENTLY };
/* Answers that SYN with a RST, with ICMP host unreachable, or not at all. closed() is not called; c is
 * invalid from the next flush on. */
void braid_conn_refuse(struct braid_conn *c, enum braid_refusal how);

struct braid_connect_params {
    struct braid_addr local, remote; /* local port 0: a free one of the core's range */
    const struct cc_ops *cc;
    const struct sched_ops *sched;
    const struct pm_ops *pm; /* NULL: as with listening */
    bool checksum;
    /* The only endpoints of the core that it may use, its own address among them, at most 16; copied. A port:
     * as with braid_conn_allow. 0: all of them, those to come included. */
    const struct braid_addr *only;
    unsigned n_only;
    bool plain, version_0; /* no MPTCP; or version 0 instead of 1, with syn_data in the stream */
    bool no_join, believe_addresses, fate_sharing; /* as with listening, for where we connect from */
    /* As options of the connection (braid/option.h), so that the SYN has them as well; 0: not set. A size
     * beyond its bounds is taken for the nearest within. */
    size_t rcvbuf;
    uint8_t traffic_class;
    uint16_t max_segment; /* payload and options of the largest segment, ours and the peer's */
    /* The first bytes of our stream, at most 1460: they leave with the SYN, as many as fit, without a Fast
     * Open cookie (RFC 8803 section 3). Copied. What the SYN/ACK does not acknowledge follows in the stream
     * (BRAID_OPT_SYN_DATA). Who gets them must be able to bear them twice, since a SYN may be repeated long
     * after. Three SYNs carry them; if these are not answered, one has no payload, and later ones are plain
     * TCP's; without a payload the fourth is. */
    const void *syn_data;
    uint16_t syn_len;
    const struct braid_conn_ops *ops;
    void *user;
};

/* Opens a connection. NULL: braid_core_error tells why. */
struct braid_conn *braid_connect(struct braid_core *core, const struct braid_connect_params *params,
                                 braid_time now);
/* Sends its SYN once more, while that is unanswered, for users who know that the answer should be here. The
 * times of RFC 6298, and what later SYNs are like, stay as they are. */
void braid_conn_ask_again(struct braid_conn *c, braid_time now);
/* Opens another subflow, whatever the path manager does; local port 0: a free one of the core's range. */
enum braid_error braid_conn_join(struct braid_conn *c, const struct braid_addr *local,
                                 const struct braid_addr *remote, bool backup, braid_time now);

/* An address of ours that connections may use besides the one that they began with, as the path manager of
 * each decides. There is one per IP address, and a connection has at most eight. */
struct braid_endpoint {
    struct braid_addr addr; /* port: for subflows, 0: any free one; for announcements, 0: the connection's */
    bool subflow;           /* subflows may be opened from it */
    bool signal;            /* it may be announced to the peer */
    bool backup;            /* subflows opened from it are backups */
};
/* For all connections of the core, present and future, that have room for it; replaces what it said of this
 * IP address before. Say it again when the address works again: then it is tried at once, whatever failed
 * before. -1: eight are there, or memory is short. */
int braid_core_endpoint_add(struct braid_core *core, const struct braid_endpoint *e);
/* The address is no longer ours, or not to be used. Connections tell their peers (REMOVE_ADDR) and close its
 * subflows, those that have no other as soon as they have; the address of the initial subflow can be taken
 * away as well. -1: no connection and no future one knows it. */
int braid_core_endpoint_remove(struct braid_core *core, const struct braid_ip *ip);
/* The same for one connection. -1: eight are there; nothing is known of ip. */
int braid_conn_endpoint_add(struct braid_conn *c, const struct braid_endpoint *e);
int braid_conn_endpoint_remove(struct braid_conn *c, const struct braid_ip *ip);
/* The word of the connection's user on an address of ours, which holds as long as the connection does,
 * whether or not the address is an endpoint at the moment (RFC 6897 section 5.3.3: TCP_MULTIPATH_ADD,
 * _REMOVE). One that is allowed is used like the core's other endpoints, from now on or once it is one. A
 * port, unless it is 0, is the one that subflows which are opened from there by a path manager have, and no
 * other: while it cannot be had, there is none. LIMIT: memory is short, or 16 addresses have been named.
 * TAKEN: others have the port towards each address of the peer that is known. */
enum braid_error braid_conn_allow(struct braid_conn *c, const struct braid_addr *addr);
/* The same: it is not used any more. Its subflows are closed, as by braid_conn_endpoint_remove, and the
 * peer's joins there are refused; the peer is told when they are, since it may end them when it hears of it.
 * -1: as LIMIT. */
int braid_conn_forbid(struct braid_conn *c, const struct braid_ip *ip);
/* Something may have happened to connections on their way to and from this address, such as the loss of a
 * translator's memory, that only a packet of ours brings to light: the peer of each subflow from there is
 * asked for a sign of life, at once. Who does not know it any more resets it, and another can be opened; else
 * one that only receives would wait for ever. */
void braid_core_ask(struct braid_core *core, const struct braid_ip *ip, braid_time now);

/* ---- a connection's stream ----------------------------------------------------------------------------- */

/* What callbacks get; the user's own, NULL until set (or as braid_connect was told). */
void braid_conn_set_user(struct braid_conn *c, void *user);
void *braid_conn_user(const struct braid_conn *c);
/* The connection goes to another owner: what comes is told by these callbacks, with this user. */
void braid_conn_set_ops(struct braid_conn *c, const struct braid_conn_ops *ops, void *user);
/* By which an owner knows its own. NULL: it was released. */
const struct braid_conn_ops *braid_conn_get_ops(const struct braid_conn *c);
/* Counted from 1 in the order of their SYNs, never used again by this core. */
uint64_t braid_conn_id(const struct braid_conn *c);
/* The name of the listener that it came in by, as it was given there; NULL: we have opened it. */
const char *braid_conn_listener(const struct braid_conn *c);
/* When its SYN came or left, in the caller's time. */
braid_time braid_conn_opened_at(const struct braid_conn *c);
/* The ends of the initial subflow, which name the connection even when that subflow is gone. */
void braid_conn_addrs(const struct braid_conn *c, struct braid_addr *local, struct braid_addr *remote);
/* Established as MPTCP, and has not fallen back since. */
bool braid_conn_is_mptcp(const struct braid_conn *c);

/* Reading without a copy: fills up to n iovecs with the next bytes in order and returns how many were filled.
 * They stay valid until braid_conn_consume or the end of the callback. */
unsigned braid_conn_peek(const struct braid_conn *c, struct iovec *iov, unsigned n);
/* The first n bytes were taken. */
void braid_conn_consume(struct braid_conn *c, size_t n);
/* Bytes that can be read now. */
size_t braid_conn_readable(const struct braid_conn *c);
/* Reading with a copy, like recv: takes at most len bytes and returns how many. 0: the end of the stream
 * (braid_conn_eof), or len is 0. BRAID_AGAIN: nothing is here yet; readable() tells when there is. A
 * connection that failed says so by closed(), not here. */
#define BRAID_AGAIN (-1)
ssize_t braid_conn_read(struct braid_conn *c, void *buf, size_t len);
/* True once the peer's DATA_FIN (or FIN) is next: everything before it was consumed. */
bool braid_conn_eof(const struct braid_conn *c);

/* Writing without a copy: provides up to n iovecs of room in the send buffer, at most `want` bytes, and
 * returns how many. If that is more than one super-packet, it is what fills whole ones. 0: the buffer is
 * full, and writable() will be called; or nothing can be written any more (BRAID_SHUT below). Room that was
 * not committed is given back by the next call. */
unsigned braid_conn_reserve(struct braid_conn *c, size_t want, struct iovec *iov, unsigned n);
/* The first n bytes of the reserved room were filled. n may be 0: the room is given back. */
void braid_conn_commit(struct braid_conn *c, size_t n);
/* Copies into the send buffer; returns bytes taken, fewer than len if the buffer is full: writable() tells
 * when there is room. BRAID_SHUT: nothing can be written any more, since the user has shut down (as of
 * EPIPE), or the connection has failed, as closed() is about to tell. */
#define BRAID_SHUT (-2)
ssize_t braid_conn_write(struct braid_conn *c, const void *data, size_t len);
/* The same with all bytes that `from`, of the same core, has to read; those of large packets are not copied.
 */
ssize_t braid_conn_move(struct braid_conn *c, struct braid_conn *from);
/* No more bytes will be written: DATA_FIN (or FIN) follows what was. */
void braid_conn_shutdown(struct braid_conn *c);
/* Ends the connection at once: MP_FASTCLOSE, or RST of a plain TCP connection. closed() is called with
 * BRAID_CLOSE_ABORTED, unless the connection was released. */
void braid_conn_abort(struct braid_conn *c);
/* The same, but once the peer has acknowledged everything that was written (and the end of the data, after a
 * shutdown): for a stream that breaks off behind its last byte. Nothing may be written afterwards, and unread
 * bytes do not hold it up. */
void braid_conn_abort_delivered(struct braid_conn *c);
/* The user is no longer interested: no more callbacks. What was written is still delivered if shutdown was
 * called before; otherwise the connection is aborted. Unread bytes are discarded, later ones cause an abort.
 */
void braid_conn_release(struct braid_conn *c);

/* Closes in order, like close(2); no more callbacks, c is not to be used after the next flush. What was
 * written is delivered, the end of the data follows, and the peer may end its side within a minute. Unread
 * bytes, and those that come later, cause an abort (RFC 9293 section 3.6.1). Without an answer to its SYN a
 * client is refused; a connection that we are opening is given up (RFC 9293 section 3.10.4). */
void braid_conn_close(struct braid_conn *c);

/* The two ends of a subflow, both of one family. */
struct braid_pair {
    struct braid_addr local, remote;
};
/* The ends of the subflows that are established and not being closed, the oldest first, at most max; how many
 * there are: as BRAID_OPT_SUBFLOWS. */
unsigned braid_conn_subflows(const struct braid_conn *c, struct braid_pair *out, unsigned max);

/* Another scheduler or congestion control, at any time from incoming() on; nothing happens if it is the one
 * in use. A scheduler starts with fresh state and decides from the next flush on. Congestion control changes
 * on every subflow, and later ones begin with it: the algorithm's init is called on the windows that the
 * subflow has, which stay as they are, and so does a recovery under way; only taking one back that proves
 * spurious is given up. ops must outlive the connection. */
void braid_conn_set_sched(struct braid_conn *c, const struct sched_ops *ops);
/* The one in use. */
const struct sched_ops *braid_conn_sched(const struct braid_conn *c);
void braid_conn_set_cc(struct braid_conn *c, const struct cc_ops *ops, braid_time now);
/* Another path manager, which finds the subflows and announcements that there are. NULL: as with listening.
 */
void braid_conn_set_pm(struct braid_conn *c, const struct pm_ops *ops);

/* Asks the peer to use (false) or spare (true) the subflow with this id: MP_PRIO. -1: no such subflow. */
int braid_conn_set_backup(struct braid_conn *c, uint32_t subflow_id, bool backup);
/* Resets one subflow, for the reason of BRAID_OPT_RESET_REASON; the connection goes on over others or waits
 * for one. -1: no such subflow. */
int braid_conn_reset_subflow(struct braid_conn *c, uint32_t subflow_id);
/* Announces an address (port 0: the connection's) with ADD_ADDR, whatever the path manager does; again, if it
 * was announced before. It becomes an endpoint of the connection that is to be signalled. -1: too many, or
 * not MPTCP. */
int braid_conn_announce(struct braid_conn *c, const struct braid_addr *addr);
/* braid_conn_endpoint_remove, but -1 if it is not MPTCP. */
int braid_conn_withdraw(struct braid_conn *c, const struct braid_ip *ip);

/* ---- looking inside ------------------------------------------------------------------------------------ */

/* They live as long as the core, and count from its creation on. For its thread alone. */
const struct braid_counters *braid_core_counters(const struct braid_core *core);

struct braid_core_stats {
    uint64_t conns;               /* now */
    uint64_t conns_mptcp;         /* of them, established as MPTCP */
    uint64_t subflows;            /* now, TIME_WAIT excluded */
    uint64_t time_wait;           /* subflows in TIME_WAIT */
    uint64_t conns_total;         /* ever */
    uint64_t bytes_in, bytes_out; /* payload of ended and living connections, data level */
    size_t memory, memory_limit;  /* bytes of buffers and of the structs of connections and subflows */
    uint64_t half_open; /* connections opened by peers that wait for their third ACK, or the user's answer */
};
/* There is a connection whose first subflow has this end here, closing ones included. Looks at every one. */
bool braid_core_has_conns_at(const struct braid_core *core, const struct braid_addr *local);
/* Looks at every connection. */
void braid_core_stats(const struct braid_core *core, struct braid_core_stats *out);
/* The same `memory`, without a look at every connection. */
size_t braid_core_memory(const struct braid_core *core);

/* Bytes of payload, both directions together, that this core's subflows of path rule i (its place in the
 * params) have carried, ended ones included; not what braid_core_path_charge added. */
uint64_t braid_core_path_usage(const struct braid_core *core, unsigned i);
/* What the subflows of path rule i have done, without what braid_core_path_forget and _charge change; -1: of
 * those that no rule matches. */
void braid_core_path_stats(const struct braid_core *core, int i, struct braid_path_stats *out);
/* Counts bytes against the quota of path rule i that were carried elsewhere: by other cores, or before this
 * one was made. */
void braid_core_path_charge(struct braid_core *core, unsigned i, uint64_t bytes);
/* What it has carried, and what was charged, are these from now on. */
void braid_core_path_set(struct braid_core *core, unsigned i, uint64_t used, uint64_t elsewhere);
/* Counts from 0 again: what was carried here and what was charged. */
void braid_core_path_forget(struct braid_core *core, unsigned i);

/* A resumable walk over all connections, in the order of their ids. Between two calls of braid_dump_next
 * packets may be processed and connections come and go. */
struct braid_dump;
struct braid_dump *braid_dump_begin(struct braid_core *core); /* NULL if memory is short */
/* Fills up to max entries of out; 0: the end. */
unsigned braid_dump_next(struct braid_dump *d, struct braid_conn_stats *out, unsigned max);
/* The same, with what sums are made of: it looks at a quarter of the memory that all statistics are in. */
unsigned braid_dump_next_brief(struct braid_dump *d, struct braid_conn_brief *out, unsigned max);
/* Frees d, at any point of the walk; before the core is freed. */
void braid_dump_end(struct braid_dump *d);
/* What a dump tells of one connection. Entries of out->subflows from n_subflows on are left as they are. */
void braid_conn_stats(const struct braid_conn *c, struct braid_conn_stats *out);
/* What else Linux tells of a connection of its own, which is MPTCP; the subflows whose handshake is over, the
 * oldest first. Entries from n_subflows on are left as they are. */
void braid_conn_details(const struct braid_conn *c, struct braid_conn_details *out);
/* How far it is (RFC 9293 section 3.3.2, at the data level): the same as in its statistics, and cheap. */
enum braid_conn_state braid_conn_state(const struct braid_conn *c);
/* Looks at one after the other. NULL: no connection has this id. */
struct braid_conn *braid_conn_by_id(struct braid_core *core, uint64_t id);

/* Checks every invariant it can and asserts; for tests. */
void braid_core_check(const struct braid_core *core);

#endif
