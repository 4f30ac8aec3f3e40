/* What a connection has received: order.c puts it in the order of the data, recvq.c keeps what the user has
 * not read, and data_window.c says how much more may come. */
#ifndef BRAID_MPTCP_RECVQ_H
#define BRAID_MPTCP_RECVQ_H

#include "base/buf.h"
#include "base/list.h"
#include "mptcp/trickle.h"

struct braid_conn;

/* What the user has not consumed: a ring of slices in order, one at least. */
struct recvq {
    uint32_t head, n, cap;
    /* The first so many slices own their memory (slice_keep); those behind are new and point into packets. */
    uint32_t kept;
    struct slice v[];
};

/* Data that came out of order at the connection level: kept, and charged to the connection (slice_keep); it
 * owns the reference of its slice. No two pieces overlap. */
struct data_ooo {
    struct list node;
    uint64_t dsn;
    struct slice s;
    /* Of pieces without a gap between them, the first knows the last and the last the first; alone it is
     * both. What the others have here says nothing. */
    struct data_ooo *other;
};

#define OOO_HINTS 8

/* All of it, one piece at least: `bytes` of payload in `n` pieces, which params.out_of_order bounds. */
struct data_gaps {
    struct list pieces; /* data_ooo by DSN */
    size_t bytes;
    unsigned n;
    struct data_trickle trickle;
    /* the last piece that came over a subflow, by its id modulo OOO_HINTS, where the search for the next
     * begins; NULL: there is none */
    struct data_ooo *hints[OOO_HINTS];
};

/* Numbers are offsets of the data (conn_keys): the first byte is 1. It owns both queues. */
struct conn_recv {
    /* the next DSN in order, which DATA_ACKs say */
    uint64_t nxt;
    /* right edge ever advertised; never goes back (RFC 8684 section 3.3.4); what is beyond is not taken */
    uint64_t edge;
    uint64_t user; /* DSN of the next byte the user will consume */
    /* behind the last byte received, in order or not: how much of the window the peer has used */
    uint64_t high;
    size_t bytes;          /* in q: [user, user + bytes) */
    struct recvq *q;       /* NULL: nothing */
    struct data_gaps *ooo; /* NULL: nothing */
    /* current limit of what the window offers, in bytes; grows while the user keeps up (data_window.c) */
    size_t rcvbuf;
    uint64_t tune_dsn;  /* window tuning: `user` at the start of the current round trip ... */
    braid_time tune_at; /* ... and when that ends */
    uint64_t fin_dsn;   /* of the DATA_FIN, valid if fin_known */
    bool fin_known;
    bool fin_received; /* in order: nxt is behind it */
    bool news;         /* bytes or EOF for the user since the last readable() */
    bool ack_fin;      /* a DATA_FIN: acknowledge it ... */
    bool ack_all;      /* ... on all subflows, since it came again */
    /* released: nobody will read what comes, so that its coming is a reason to abort */
    bool discard;
};

/* The next bytes of the stream. Takes over the slice; the connection may fail for want of memory. */
void recvq_append(struct braid_conn *c, struct slice *s);
/* A ring for so many slices, a power of two, where there is none: for who restores it (recv_freeze.c). False:
 * memory is short. */
bool recvq_reserve(struct braid_conn *c, uint32_t cap);
/* The oldest slice; NULL: there is none. */
const struct slice *recvq_first(const struct braid_conn *c);
/* The user is through with it, and has taken over its reference. */
void recvq_take_first(struct braid_conn *c);
/* Makes slices that outlive the packets they came in. False: memory is short. */
bool recvq_keep(struct braid_conn *c);
/* Drops what was not read. */
void recvq_free(struct braid_conn *c);
/* False: the user leaves unread what it was given, and there is no memory for len bytes more. Who reads needs
 * none, however little is left. */
bool recvq_has_room(const struct braid_conn *c, uint32_t len);

#endif
