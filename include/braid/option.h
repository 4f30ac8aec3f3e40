/* What the user of a core can set and read of one of its connections at any time. Part of braid/core.h. */
#ifndef BRAID_OPTION_H
#define BRAID_OPTION_H

#include <braid/types.h>

struct braid_conn;

enum braid_mode {
    BRAID_MODE_NOT_YET,    /* MPTCP is wanted, and the peer has not answered yet */
    BRAID_MODE_MPTCP,      /* in use */
    BRAID_MODE_PLAIN,      /* plain TCP from the beginning: one of both ends did not want more */
    BRAID_MODE_FALLEN_BACK /* was MPTCP until somebody in between changed options or payload (section 3.7) */
};

/* Reasons of MP_TCPRST (RFC 8684 section 3.6). RESOURCES, OUTSTANDING and PERFORMANCE are said to be
 * transient. */
enum braid_reset {
    BRAID_RESET_UNSPECIFIED,
    BRAID_RESET_MPTCP,       /* an error of MPTCP's */
    BRAID_RESET_RESOURCES,   /* not enough of them */
    BRAID_RESET_PROHIBITED,  /* by an administrator */
    BRAID_RESET_OUTSTANDING, /* too much of the data is on its way */
    BRAID_RESET_PERFORMANCE, /* the path is too bad */
    BRAID_RESET_MIDDLEBOX    /* somebody on the way interferes */
};

/* Options of one connection. Times are in microseconds. There is no Nagle algorithm to switch off: what was
 * written leaves at the next flush. */
enum braid_option {
    /* Of those down to the traffic class, -1: as it was at first. */
    /* Most bytes that the receive window offers beyond what was read; 4096 up to the core's rcvbuf_max. What
     * was offered already stays so (RFC 9293 section 3.8.6). */
    BRAID_OPT_RCVBUF,
    /* Most bytes written but not acknowledged; 4096 up to the core's sndbuf_max. */
    BRAID_OPT_SNDBUF,
    /* Idle time of a subflow before its first keepalive probe, 0: none. At first the core's keepalive_idle.
     */
    BRAID_OPT_KEEPALIVE,
    /* Time between its probes, 0: as long as the idle time, but 75 s at most; and after how many without an
     * answer, up to 255, the subflow is given up, 0: nine. */
    BRAID_OPT_KEEPALIVE_STEP,
    BRAID_OPT_KEEPALIVE_PROBES,
    /* How long written data may stay unacknowledged before BRAID_CLOSE_TIMEOUT (RFC 9293 section 3.9.1), 0:
     * for ever. Looked at in steps of the value, so it acts after once to twice of it. At first the core's
     * stall. A subflow that gets no answer at all is given up after minutes whatever this says. */
    BRAID_OPT_USER_TIMEOUT,
    /* Traffic class of the packets of all subflows (the TOS byte of IPv4), 0 to 255; the two bits of ECN stay
     * 0. */
    BRAID_OPT_TRAFFIC_CLASS,
    /* What the peer is told in MP_TCPRST (enum braid_reset) when the user aborts the connection or resets a
     * subflow of it; a peer whose path manager heeds it does not come back where the reason will last. */
    BRAID_OPT_RESET_REASON,
    /* 1: the connection ends with its first subflow (RFC 6897 section 4.2.2), as BRAID_CLOSE_FATE, and its
     * peer is told with MP_FASTCLOSE: when that is reset or closed, by either end, when it is given up after
     * timeouts, and when its local address is taken away; not while it is only silent. 0: it does not. At
     * first as the listener or braid_connect was told. Not to be set to 1 once the first subflow is gone. */
    BRAID_OPT_FATE_SHARING,
    /* What is expected of the connection as a whole (REQ9 of RFC 6897), 0 each: nothing is known. Path
     * manager on-demand goes by it: it opens subflows at once where much is to come, and none where that
     * would not pay. Bytes are those of the direction that has more of them; once exactly so many were
     * written, the last of them are repeated on faster paths as if the user had shut down. */
    BRAID_OPT_EXPECTED_BYTES,
    BRAID_OPT_EXPECTED_TIME,
    BRAID_OPT_EXPECTED_RATE, /* bytes per second */
    /* So many subflows, instead of as many as the path manager wants (REQ7), up to the core's max_subflows:
     * who opened the connection opens more, between the same two addresses if there are no others, and either
     * end closes what is too much. 0: as the path manager wants. */
    BRAID_OPT_WANTED_SUBFLOWS,
    /* 1: what waits for a slow path may be repeated on a faster one that has nothing else to do; 0: bytes go
     * twice only when they are lost or their path is silent (REQ12). At first as the scheduler has it. */
    BRAID_OPT_REPEAT,
    /* These can only be read. */
    BRAID_OPT_MPTCP,    /* 1: MPTCP is in use; 0: not yet, or plain TCP, or fallen back ... */
    BRAID_OPT_MODE,     /* ... and which of these (enum braid_mode) */
    BRAID_OPT_CHECKSUM, /* 1: DSS checksums are required by us or, once established, in use */
    BRAID_OPT_MAXSEG,   /* payload bytes of a full segment of the oldest subflow; 0: there is none */
    BRAID_OPT_SUBFLOWS, /* how many are established and not being closed */
    BRAID_OPT_UNREAD,   /* bytes to read, as of ioctl SIOCINQ */
    BRAID_OPT_UNACKED,  /* bytes written but not acknowledged, as of ioctl SIOCOUTQ */
    BRAID_OPT_CONNID,   /* our token (RFC 8684 section 3.2), which no other connection has at the same time;
                         * plain TCP has none: -1 */
    BRAID_OPT_SYN_DATA, /* bytes that our SYN, or a SYN/ACK of braid_conn_accept_with, has brought, as its
                         * answer  says; 0 before that is here */
    /* What the peer's packets on the oldest subflow say; -1: it is gone. */
    BRAID_OPT_PEER_CLASS,  /* traffic class of the last one, without ECN */
    BRAID_OPT_PEER_MAXSEG, /* MSS option of its SYN, or what takes its place */
    BRAID_OPT_PEER_WINDOW, /* window of its SYN, 65536 if windows are scaled: its buffer may have more than a
                            * window can say. Only until the SYN is answered */
    BRAID_OPT_PEER_NODELAY /* 1: it was seen not to use Nagle's algorithm; 0: nothing is known */
};
/* 0, or -1: out of range, or not to be set, or memory is short. */
int braid_conn_set_option(struct braid_conn *c, enum braid_option option, int64_t value);
/* 0 and *value, or -1: no such option, or the connection has none. */
int braid_conn_get_option(const struct braid_conn *c, enum braid_option option, int64_t *value);

#endif
