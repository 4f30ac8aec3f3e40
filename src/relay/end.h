/* One end of a splice, whatever it is: a connection of the core (end_conn.h) or a socket of the kernel's
 * (end_socket.h). An end lends its own memory, as a connection does, or has the bytes somewhere else, as a
 * socket has: of two ends one has to lend, for bytes to go from one to the other without a copy, or both have
 * to be of a kind that moves them. */
#ifndef BRAID_RELAY_END_H
#define BRAID_RELAY_END_H

#include <sys/uio.h>
#include <braid/core.h>

struct end;
struct poller;

/* What reading and writing give if it is not a number of bytes. */
#define END_AGAIN  0    /* nothing (more) for now: an event follows */
#define END_EOF    (-1) /* the stream has ended in order */
#define END_FAILED (-2) /* the other side has reset it, or is silent */

enum end_abort {
    END_ABORT_NOW,
    END_ABORT_DELIVERED /* once what was written has arrived, as far as the end can tell */
};

/* What a splice asks of an end. Those that are gone (below) are asked nothing. */
struct end_ops {
    bool tells_gone; /* gone() is called when both directions have ended */

    /* Bytes out, of an end that lends them; else NULL. Up to n iovecs of what is next, valid until consume
     * or the end of the callback; how many. */
    unsigned (*peek)(const struct end *e, struct iovec *iov, unsigned n);
    /* ... and whether the stream ends here. */
    bool (*at_end)(const struct end *e);
    /* Bytes out, of one that does not: into memory of others. Bytes, or END_... */
    ssize_t (*read)(struct end *e, const struct iovec *iov, unsigned n);
    /* The same, and they stay. */
    ssize_t (*look)(struct end *e, void *data, size_t len);
    /* Both: the first n bytes that were seen by peek or look were taken. */
    void (*consume)(struct end *e, size_t n);
    /* Whether it has failed, which reading would tell: for when nobody reads. An end tells its failure once.
     */
    bool (*failed)(struct end *e);

    /* Bytes in, into room that the end lends; else NULL. Up to n iovecs, at most `want` bytes; 0: it is full,
     * and will tell when it is writable. */
    unsigned (*reserve)(struct end *e, size_t want, struct iovec *iov, unsigned n);
    /* Of the room n bytes were filled, perhaps none. */
    void (*commit)(struct end *e, size_t n);
    /* Bytes in, from memory of others. Bytes, fewer than there are if the end is full now; or END_FAILED. */
    ssize_t (*write)(struct end *e, const struct iovec *iov, unsigned n);

    /* Bytes in, taken out of another end with the same operations: all that it has, or as many as there is
     * room for. NULL: ends of this kind cannot do that. */
    size_t (*move)(struct end *e, struct end *from);

    /* No more bytes in. Called once. */
    void (*shutdown)(struct end *e);
    /* Ends both directions before their time. Called once, or twice if first it was to be DELIVERED. */
    void (*abort)(struct end *e, enum end_abort how);
    /* The other end is gone in order. */
    void (*close)(struct end *e);
    /* Aborts at once and tells nothing any more. */
    void (*drop)(struct end *e);
};

/* What an end tells its splice. */
struct end_events {
    void (*ready)(struct end *e, bool readable, bool writable);
    void (*gone)(struct end *e, enum braid_close why);
};

/* Made by end_conn_init or end_socket_init. */
struct end {
    const struct end_ops *ops; /* NULL: there is no such end (yet) */
    const struct end_events *events;
    union {
        struct braid_conn *conn;
        struct poller *poller;
    };
    int fd;
    bool gone : 1; /* nothing is left of it */
    /* What its events have told, of an end that does not lend. */
    bool last : 1;   /* what there is to read now is all that there will be */
    bool broken : 1; /* it may have failed, which failed() or reading would tell */
    bool patchy : 1; /* a read may stop before all that there is was read, or that there will be is told */
    /* Of a socket: */
    bool wrote : 1; /* something */
    bool eager : 1; /* with Nagle's algorithm switched off */

    /* The splice's. As where bytes come from: */
    bool ready : 1;  /* there may be something to read; of an end that does not lend */
    bool eof : 1;    /* the end of the stream was read */
    bool held : 1;   /* nothing is to be taken out of it for now */
    bool failed : 1; /* it takes nothing any more; what it had sent before is still to be read */
    bool rests : 1;  /* it has had its share of this turn of the loop, whatever else is told of it */
    /* As where bytes go to: */
    bool full : 1;    /* it will tell when it is writable */
    bool shut : 1;    /* the end of the stream was passed on */
    bool aborted : 1; /* with END_ABORT_NOW */
    uint8_t side : 1; /* its place in the splice */
    uint8_t want;     /* bytes to read at a time, as a power of two */
};

#endif
