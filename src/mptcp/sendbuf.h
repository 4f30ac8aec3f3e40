/* What a connection has to send: bytes of the user's, by data sequence number, until they are DATA_ACKed (RFC
 * 8684 section 3.3). sendbuf.c keeps them; push.c, copies.c and rescue.c send them. */
#ifndef BRAID_MPTCP_SENDBUF_H
#define BRAID_MPTCP_SENDBUF_H

#include "base/buf.h"
#include "base/list.h"
#include "base/ranges.h"

struct braid_conn;
struct iovec;
struct subflow;
struct tcp_map;
struct mp_map;

/* Bytes to send, in chunks: [una, end). */
struct send_chunk {
    struct list node;
    /* a reference; mappings that refer to these bytes hold their own */
    struct buf *buf;
    uint64_t dsn; /* of the first byte */
    uint32_t at;  /* where in the buffer that is: not at its beginning if the bytes came in a packet */
    uint32_t len; /* filled */
};

/* Numbers are offsets of the data (conn_keys), the first byte is 1: una <= nxt <= end, and chunks hold [una,
 * end) at least. */
struct conn_send {
    uint64_t una, nxt, end; /* [una, nxt) is in flight, [nxt, end) waits */
    /* Highest DSN that the peer's window admits: DATA_ACK and window, the furthest that came. */
    uint64_t edge;
    struct list chunks;
    /* the chunk that holds nxt, for new data to be found at once; NULL: look from the head */
    struct send_chunk *cursor;
    /* first chunk with room that the user is writing to (braid_conn_reserve), not to be freed; NULL: none */
    struct send_chunk *reserved;
    /* current limit on end - una, in bytes; grows with the congestion windows (tune_sndbuf) */
    size_t sndbuf;
    /* to be sent again over another subflow, before new data (reinject.c) */
    struct ranges reinject;
    /* when data that was not sent before last left: the tail is repeated only some time later */
    braid_time news_at;
    uint32_t reinject_cost;   /* what the memory of `reinject` is charged */
    uint32_t blocks;          /* how often the send window was full while more was waiting ... */
    uint8_t backoff;          /* data-level timeouts in a row (data_timeout.c) */
    bool blocked;             /* ... and whether it is */
    bool shutdown;            /* the user will write no more: DATA_FIN has the number `end` */
    bool fin_sent, fin_acked; /* the DATA_FIN */
    /* the user got no room and waits for writable() */
    bool want_writable;
    bool starved; /* memory was short when the user wanted to write */
    /* the user has said whether what waits may be repeated elsewhere (rescue.c); else the scheduler does */
    bool repeat_said : 1;
    bool repeat : 1;
};

/* Sets the numbers to those of a connection on which nothing was sent. */
void conn_send_init(struct braid_conn *c);
/* DATA_ACK and window of a segment; wnd in bytes. */
void conn_data_ack(struct braid_conn *c, uint64_t data_ack, uint64_t wnd, braid_time now);
/* Frees what was not DATA_ACKed, except for the bytes that mappings still refer to. */
void conn_send_free(struct braid_conn *c);
/* The bytes of s are written, and its buffer, which nobody else refers to, is the connection's from now on.
 * False: it was not taken, as there is no room for all of it. */
bool conn_send_append(struct braid_conn *c, const struct slice *s);
/* Bytes of room that the user has reserved and not committed. */
size_t conn_send_reserved(const struct braid_conn *c);
/* A chunk behind all others, for who restores them (send_freeze.c). Takes over the reference of buf, unless
 * memory is short (false). */
bool conn_chunk_append(struct braid_conn *c, const struct send_chunk *k);
/* True if the send buffer can get memory again. */
bool conn_send_has_memory(const struct braid_conn *c);
/* Bytes that may be written and not yet DATA_ACKed now, memory considered. */
size_t conn_send_limit(const struct braid_conn *c);
/* Bytes of the send buffer that have to be free before the user is told that it may write. */
size_t conn_send_step(const struct braid_conn *c);
/* As ops.map_done (struct subflow_ops). */
void flow_map_done(struct subflow *sf, struct tcp_map *m, bool acked);
/* A new mapping of bytes of the send buffer, from dsn on: len of them, or fewer if they lie in many chunks.
 * It belongs to the caller until subflow_send. NULL if memory is short. */
struct mp_map *conn_map_new(struct braid_conn *c, uint64_t dsn, uint32_t len);

/* An empty mapping with places for so many slices. NULL: memory is short. */
struct mp_map *conn_map_alloc(struct braid_conn *c, uint32_t n_slices);

/* The first `room` bytes that wait, or fewer, in up to n pieces; returns how many. */
unsigned conn_send_peek(const struct braid_conn *c, size_t room, struct iovec *iov, unsigned n);
/* So many bytes from send.una on have arrived outside of the data sequence space: those behind them get their
 * numbers. Nothing has left yet. */
void conn_send_skip(struct braid_conn *c, uint32_t len);
/* So many bytes from send.nxt on have left. */
void conn_sent_new(struct braid_conn *c, uint32_t len, braid_time now);

/* Up to which byte new data may go by the peer's window; with several subflows not all of a large one is
 * used. send.nxt may be beyond it. */
uint64_t conn_send_edge(const struct braid_conn *c);
/* Bytes that may be in flight in all: what the peer offers, and what we keep. */
uint64_t conn_send_window(const struct braid_conn *c);

#endif
