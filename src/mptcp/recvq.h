/* What a connection has received: order.c puts it in the order of the data, recvq.c keeps what the user has
 * not read, and data_window.c says how much more may come. */
#ifndef BRAID_MPTCP_RECVQ_H
#define BRAID_MPTCP_RECVQ_H

#include "base/buf.h"
#include "base/list.h"

struct braid_conn;

/* What the user has not consumed: a ring of slices in order, one at least. */
struct recvq {
    uint32_t head, n, cap;
    uint32_t kept; /* the first so many slices own their memory (slice_keep) */
    struct slice v[];
};

/* Data that came out of order at the connection level. */
struct data_ooo {
    struct list node;
    uint64_t dsn;
    struct slice s;
};

/* All of it, one piece at least. */
struct data_gaps {
    struct list pieces; /* data_ooo by DSN */
    size_t bytes;
    unsigned n;
};

struct conn_recv {
    uint64_t nxt;          /* the next DSN in order */
    uint64_t edge;         /* right edge ever advertised; never goes back */
    uint64_t user;         /* DSN of the next byte the user will consume */
    uint64_t high;         /* behind the last byte received, in order or not */
    size_t bytes;          /* in q: [user, user + bytes) */
    struct recvq *q;       /* NULL: nothing */
    struct data_gaps *ooo; /* NULL: nothing */
    size_t rcvbuf;         /* current limit of what the window offers */
    uint64_t tune_dsn;     /* window tuning: `user` at the start of the current round trip ... */
    braid_time tune_at;    /* ... and when that ends */
    uint64_t fin_dsn;      /* of the DATA_FIN, valid if fin_known */
    bool fin_known;
    bool fin_received; /* in order: nxt is behind it */
    bool news;         /* bytes or EOF for the user since the last readable() */
    bool ack_all;      /* a DATA_FIN: acknowledge on all subflows */
    bool discard;      /* released: nobody will read what comes */
};

/* The next bytes of the stream. Takes over the slice; the connection may fail for want of memory. */
void recvq_append(struct braid_conn *c, struct slice *s);
/* Makes slices that outlive the packets they came in. False: memory is short. */
bool recvq_keep(struct braid_conn *c);
/* Drops what was not read. */
void recvq_free(struct braid_conn *c);
/* False: the user leaves unread what it was given, and there is no memory for len bytes more. Who reads needs
 * none, however little is left. */
bool recvq_has_room(const struct braid_conn *c, uint32_t len);

#endif
