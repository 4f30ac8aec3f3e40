/* The application interface to MPTCP: RFC 6897 (draft-ietf-mptcp-api) for TCP sockets of the kernel whose
 * connections braidd carries. libbraid-socket.so, preloaded by braidrun(1) or linked with, has setsockopt and
 * getsockopt know these options, and connect heed them; libbraid-socket.a has the functions below alone.
 *
 * Nothing else changes: the socket stays the kernel's. Where no braidd answers, or it does not know the
 * connection, the options fail with ENOPROTOOPT, and the program works on plain TCP. braid_socket(3) has the
 * whole story. */
#ifndef BRAID_SOCKET_H
#define BRAID_SOCKET_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options at level IPPROTO_TCP.
 *
 * ENABLE (int): before connect: 0: MPTCP is not to be used, the connection is plain TCP; above: it is, where
 *   it can be had. Afterwards, read: 0: plain TCP; 1: MPTCP.
 * ADD, REMOVE (list of addresses: struct sockaddr_in and struct sockaddr_in6, one behind the other): the
 *   local addresses that subflows may be opened from, before connect and later on, by the port that ADD has
 *   with them, 0: any. Once one was added before connect, only those that were are used. EADDRNOTAVAIL: it is
 *   no address of an uplink, or the port is none that an uplink can carry; EADDRINUSE, from connect or later
 *   on: the port is taken.
 *   Of a connection that a server behind an edge has accepted: addresses of edges, which are announced.
 * ENABLE, ADD, REMOVE, PROFILE of a socket that listens: the same for each connection that it accepts from
 *   then on.
 * SUBFLOWS (array of struct tcp_multipath_subflow, read only): the ends of the subflows that are established.
 *   As many as fit are given; *len is their size.
 * CONNID (uint32_t, read only): what tells the connection from all others of this machine: its token.
 * STATISTICS (array of struct tcp_multipath_statistics, read only): what each subflow that there is has
 *   carried; as with SUBFLOWS.
 * PROFILE (string): the profile of the daemon's configuration, before connect or later on (REQ8). Read: its
 *   name, with its NUL; empty: none.
 * OPEN (struct tcp_multipath_subflow, write only): a subflow from this local address, port 0: any, to that
 *   address of the peer, AF_UNSPEC: the first one (REQ7). EACCES: it is not the peer's, as far as known.
 * CLOSE (uint32_t, write only): ends the subflow of this number, as STATISTICS tells it. Path managers may
 *   open others, but none between the same two addresses until one of them is added anew. ENOENT: there is
 *   none.
 * SPARE, USE (uint32_t, write only): the peer is asked to send over the subflow of this number only if there
 *   is no other, or again as over others, and so do we (REQ11).
 *
 * The following are said before connect, and later on; each beats what the daemon's policies and profiles
 * say. Numbers are uint64_t, or int where that will do.
 * FATE_SHARING (0 or 1): the connection ends with its first subflow (REQ13). ENOENT: that is gone already.
 * EXPECT_BYTES, EXPECT_DURATION (milliseconds), EXPECT_RATE (bytes per second): what the connection is going
 *   to carry, in the direction that has more, for how long, and at which rate, 0 each: not known (REQ9). Path
 *   manager on-demand opens subflows at once for much, and none for little; and when exactly so many bytes
 *   were written, they are taken for the last ones.
 * REDUNDANCY (0: none, 1: some, 2: all): bytes go over one path, another only when they are lost; or what a
 *   slow path holds up and the last bytes over a second one as well; or all bytes over all paths (REQ12).
 * NUMBER (int): of subflows, instead of as many as the path manager wants; 0: those (REQ7).
 * PATH_MANAGER (string): by its name (REQ10). EINVAL: there is none of this name. */
#define TCP_MULTIPATH_ENABLE          10002
#define TCP_MULTIPATH_ADD             10003
#define TCP_MULTIPATH_REMOVE          10004
#define TCP_MULTIPATH_SUBFLOWS        10005
#define TCP_MULTIPATH_CONNID          10006
#define TCP_MULTIPATH_STATISTICS      10010
#define TCP_MULTIPATH_PROFILE         10011
#define TCP_MULTIPATH_OPEN            10012
#define TCP_MULTIPATH_CLOSE           10013
#define TCP_MULTIPATH_SPARE           10014
#define TCP_MULTIPATH_USE             10015
#define TCP_MULTIPATH_FATE_SHARING    10025
#define TCP_MULTIPATH_EXPECT_BYTES    10026
#define TCP_MULTIPATH_EXPECT_DURATION 10027
#define TCP_MULTIPATH_EXPECT_RATE     10028
#define TCP_MULTIPATH_REDUNDANCY      10029
#define TCP_MULTIPATH_NUMBER          10030
#define TCP_MULTIPATH_PATH_MANAGER    10031

#define TCP_MULTIPATH_ADDRESSES_MAX 8  /* in one call, and before connect in all */
#define TCP_MULTIPATH_SUBFLOWS_MAX  16 /* that a connection can have */

/* An address of either family, as its sa.sa_family says. */
union tcp_multipath_address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};
struct tcp_multipath_subflow {
    union tcp_multipath_address local, remote; /* both of one family */
};

struct tcp_multipath_statistics {
    union tcp_multipath_address local, remote;
    uint32_t subflow;         /* its number within the connection, 0: the first; never used again */
    uint32_t flags;           /* TCP_MULTIPATH_IS_... */
    uint32_t rtt_us;          /* smoothed, ... */
    uint32_t min_rtt_us;      /* ... and the shortest; microseconds, 0: not known yet */
    uint32_t retransmissions; /* segments */
    uint32_t reserved;
    uint64_t bytes_sent, bytes_received; /* of payload, retransmissions not counted */
};
#define TCP_MULTIPATH_IS_ESTABLISHED 1
#define TCP_MULTIPATH_IS_BACKUP      2 /* one of both ends wants it spared */
#define TCP_MULTIPATH_IS_STALE       4 /* what it carries is not acknowledged at the moment */

/* setsockopt and getsockopt, which know the options above as well, and getsockopt those that Linux has at
 * level SOL_MPTCP, for each connection that is MPTCP. 0; or -1 with errno: besides those of the
 * calls ENOPROTOOPT as above, ENOTCONN, EISCONN (ENABLE comes too late), EALREADY (it is being connected),
 * EOPNOTSUPP (not for plain TCP, or for a socket that listens), ENOBUFS. They may take two seconds, while the
 * daemon is stopped, but not longer. From any thread. */
int braid_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int braid_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
/* connect, after the daemon has been told what was set. Binds the socket to a port if it is not bound. */
int braid_socket_connect(int fd, const struct sockaddr *address, socklen_t len);
/* listen, and then the daemon is told what was set. */
int braid_socket_listen(int fd, int backlog);

/* How braid_connect_name goes about it. Zeroed: the usual. */
struct braid_name_options {
    int family;     /* AF_INET, AF_INET6; 0: both */
    int flags;      /* of the socket: SOCK_CLOEXEC, SOCK_NONBLOCK */
    int timeout_ms; /* for connecting, looking up the name not counted; 0: 30 s */
    /* Called for each socket that is tried, before it is connected: for options, those above as well. -1 with
     * errno: this one is not to be used. NULL: nothing is to be done. */
    int (*prepare)(int fd, void *arg);
    void *arg;
};
/* A TCP socket, connected to a host by its name (REQ5): at any of its addresses, of both families in turn,
 * the next one 250 ms after the one before or when that has failed (RFC 8305); the first that answers is it,
 * and nothing is sent to the others any more. They are not taken for one host (RFC 6897 section 6.4):
 * subflows go to this address, and to those that the peer itself announces. options NULL: the usual. The
 * socket is the caller's. -1 with errno: those of connect for an address; ENOENT: the name has none; EAGAIN:
 * the name servers do not answer now; EINVAL: there is no such service; EMFILE, ENOMEM ... Waits, also for
 * the name; from any thread. */
int braid_connect_name(const char *host, const char *service, const struct braid_name_options *options);

/* ---- events (REQ14) ---- */

enum braid_socket_event_kind {
    BRAID_SOCKET_LOST,         /* so many events, `lost`, were not read in time */
    BRAID_SOCKET_ESTABLISHED,  /* the connection is; the first, unless it was not */
    BRAID_SOCKET_SUBFLOW_UP,   /* a subflow may carry data */
    BRAID_SOCKET_SUBFLOW_DOWN, /* one that was up is gone */
    BRAID_SOCKET_FAILED,       /* one that was to be opened has come to nothing */
    BRAID_SOCKET_PRIORITY,     /* one of both ends wants a subflow spared, or not any more */
    BRAID_SOCKET_ANNOUNCED,    /* the peer has another address ... */
    BRAID_SOCKET_WITHDRAWN,    /* ... or one less */
    BRAID_SOCKET_FALLBACK,     /* it goes on as plain TCP */
    BRAID_SOCKET_CLOSED        /* the connection and its subflows have ended; the last */
};
/* Flags. */
#define BRAID_SOCKET_MPTCP   1 /* ESTABLISHED: by MPTCP */
#define BRAID_SOCKET_BACKUP  2 /* SUBFLOW_UP, PRIORITY: it is spared */
#define BRAID_SOCKET_BY_PEER 4 /* SUBFLOW_UP: the peer has opened it; PRIORITY: it is the peer's wish */
#define BRAID_SOCKET_PRESENT 8 /* nothing has happened: it was so when the descriptor was made */

struct braid_socket_event {
    uint32_t kind;    /* enum braid_socket_event_kind; of a newer daemon, perhaps another one */
    uint32_t flags;   /* BRAID_SOCKET_... */
    uint32_t subflow; /* SUBFLOW_..., FAILED, PRIORITY: its number, as TCP_MULTIPATH_STATISTICS tells it */
    uint32_t lost;    /* LOST */
    int32_t error;    /* SUBFLOW_DOWN, FAILED, CLOSED: as of errno, 0: in order; ECONNABORTED: by this end */
    int32_t reset;    /* SUBFLOW_DOWN, FAILED: the reason in MP_TCPRST (RFC 8684 section 3.6); -1: none */
    uint32_t address_id; /* ANNOUNCED, WITHDRAWN: the peer's number of the address, which is `remote` */
    uint32_t reserved;
    union tcp_multipath_address local, remote; /* the ends of the subflow, or of the first one */
};

/* A new descriptor, closed on exec and to be closed by the caller, that poll and epoll find readable when
 * something happens to the connection of the socket fd, which is established. It begins with what there is.
 * -1 with errno: ENOPROTOOPT, ENOTCONN, ENOBUFS as above; EMFILE: as many as a user may have. */
int braid_socket_events(int fd);
/* The next event from such a descriptor: 1, and it is in *event. 0: the end, after CLOSED; without it the
 * daemon has ended. -1 with errno: EAGAIN: none for now (O_NONBLOCK); EINTR. */
int braid_socket_event_read(int events, struct braid_socket_event *event);
/* "subflow-up"; a static string, also for kinds that are not known. */
const char *braid_socket_event_text(uint32_t kind);

#ifdef __cplusplus
}
#endif

#endif
