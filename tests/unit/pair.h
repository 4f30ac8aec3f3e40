/* Two cores, a client's and a server's, joined by a wire in virtual time. A test may look at, change or drop
 * each packet. The server echoes nothing by itself: the test plays both applications. */
#ifndef BRAID_TESTS_PAIR_H
#define BRAID_TESTS_PAIR_H

#include <assert.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <braid/core.h>
#include "base/addr.h"
#include "base/buf.h"
#include "wire/packet.h"
#include "suite.h"

#define PAIR_DELAY   (5 * BRAID_MS)
#define PAIR_PACKETS 4096

struct pair;

struct side {
    struct pair *pair;
    struct braid_core *core;
    struct braid_conn *conn; /* the last one opened or accepted; NULL once closed */
    bool is_server;
    bool established, closed;
    enum braid_close why;
    uint64_t received, sent; /* bytes of the application */
    bool eof, reading;
    unsigned wrong_bytes; /* not the expected ones */
};

struct flying {
    braid_time at;
    bool to_server;
    struct buf *b;
    size_t len;
    struct braid_input in;
};

struct pair {
    braid_time now;
    uint64_t rng;
    struct side client, server;
    struct braid_listener *listener;
    struct flying queue[PAIR_PACKETS];
    unsigned head, tail;
    /* Sees each packet; false: it is lost. May change p's bytes, and put others into the queue. NULL: nobody
     * looks. */
    bool (*tap)(struct pair *p, bool to_server, uint8_t *packet, size_t len);
    /* How long each packet takes. NULL: PAIR_DELAY. */
    braid_time (*delay)(struct pair *p, bool to_server, const uint8_t *packet, size_t len);
    const struct pm_ops *pm; /* the client's path manager; set before pair_connect, as are these, see there */
    size_t rcvbuf;
    uint8_t traffic_class;
    uint16_t max_segment;
    bool refuse;
    enum braid_refusal how;
    unsigned packets; /* sent so far */
};

static inline uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 131 + (at >> 8) * 7 + (at >> 16));
}

/* In the order in which they arrive. */
static inline void pair_send(struct pair *p, const struct flying *f)
{
    ck_assert_uint_lt(p->tail - p->head, PAIR_PACKETS);
    unsigned at = p->tail++;
    for (; at != p->head && p->queue[(at - 1) % PAIR_PACKETS].at > f->at; at--)
        p->queue[at % PAIR_PACKETS] = p->queue[(at - 1) % PAIR_PACKETS];
    p->queue[at % PAIR_PACKETS] = *f;
}

static inline void pair_output(void *ctx, const struct braid_packet *o)
{
    struct side *s = ctx;
    struct pair *p = s->pair;
    struct flying f = {.at = p->now + PAIR_DELAY,
                       .to_server = !s->is_server,
                       .len = o->header_len + o->payload_len,
                       .in = {.csum_ok = true, .gso_size = o->gso_size}};
    p->packets++;
    f.b = buf_new(f.len, NULL);
    memcpy(f.b->data, o->header, o->header_len);
    size_t at = o->header_len;
    for (unsigned i = 0; i < o->n_payload; at += o->payload[i].iov_len, i++)
        memcpy(f.b->data + at, o->payload[i].iov_base, o->payload[i].iov_len);
    ck_assert_uint_eq(at, f.len);
    if (p->tap && !p->tap(p, f.to_server, f.b->data, f.len)) {
        buf_unref(f.b);
        return;
    }
    if (p->delay)
        f.at = p->now + p->delay(p, f.to_server, f.b->data, f.len);
    pair_send(p, &f);
}

static inline void pair_random(void *ctx, void *out, size_t len)
{
    struct side *s = ctx;
    uint8_t *b = out;
    for (size_t i = 0; i < len; i++) {
        s->pair->rng = s->pair->rng * 6364136223846793005u + 1442695040888963407u;
        b[i] = (uint8_t)(s->pair->rng >> 56);
    }
}

static inline void side_read(struct side *s)
{
    struct iovec iov[8];
    unsigned n;
    while (s->reading && s->conn && (n = braid_conn_peek(s->conn, iov, 8)) > 0) {
        size_t all = 0;
        for (unsigned i = 0; i < n; i++) {
            const uint8_t *b = iov[i].iov_base;
            for (size_t k = 0; k < iov[i].iov_len; k++, s->received++)
                s->wrong_bytes += b[k] != pattern(s->received);
            all += iov[i].iov_len;
        }
        braid_conn_consume(s->conn, all);
    }
    if (s->conn && braid_conn_eof(s->conn))
        s->eof = true;
}

static inline void side_incoming(void *ctx, struct braid_conn *c)
{
    struct pair *p = ctx;
    if (p->refuse) {
        braid_conn_refuse(c, p->how);
        return;
    }
    p->server.conn = c;
    braid_conn_set_user(c, &p->server);
    braid_conn_accept(c);
}

static inline void side_established(struct braid_conn *c, void *user)
{
    (void)c;
    ((struct side *)user)->established = true;
}

static inline void side_readable(struct braid_conn *c, void *user)
{
    (void)c;
    side_read(user);
}

static inline void side_writable(struct braid_conn *c, void *user)
{
    (void)c;
    (void)user;
}

static inline void side_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct side *s = user;
    (void)c;
    s->closed = true;
    s->why = why;
    s->conn = NULL;
}

static const struct braid_conn_ops pair_ops = {.incoming = side_incoming,
                                               .established = side_established,
                                               .readable = side_readable,
                                               .writable = side_writable,
                                               .closed = side_closed};

static inline struct braid_addr pair_addr(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

static inline void pair_new_core(struct pair *p, struct side *s, const struct braid_core_params *params)
{
    struct braid_host host = {.ctx = s, .output = pair_output, .random = pair_random};
    *s = (struct side){.pair = p, .is_server = s == &p->server, .reading = true};
    s->core = braid_core_new(params, &host, p->now);
    ck_assert_ptr_nonnull(s->core);
}

/* Of the server's only listener. */
static inline struct braid_listen_params pair_listen_params(struct pair *p)
{
    return (struct braid_listen_params){.addr = pair_addr("10.0.9.1:80"),
                                        .name = "test",
                                        .cc = cc_algorithms[0],
                                        .sched = sched_algorithms[0],
                                        .ops = &pair_ops,
                                        .ctx = p};
}

/* The server's core has n_rules path rules. */
static inline void pair_init_rules(struct pair *p, bool checksum, const struct braid_ip *signal,
                                   unsigned n_signal, const struct braid_path_rule *rules, unsigned n_rules)
{
    struct braid_core_params params;
    memset(p, 0, sizeof(*p));
    p->now = 1000 * BRAID_SECOND;
    p->rng = 42;
    braid_core_params_default(&params);
    params.time_wait = BRAID_SECOND;
    params.break_before_make = 5 * BRAID_SECOND;
    pair_new_core(p, &p->client, &params);
    params.paths = rules;
    params.n_paths = n_rules;
    pair_new_core(p, &p->server, &params);
    struct braid_listen_params l = pair_listen_params(p);
    l.checksum = checksum;
    l.signal = signal;
    l.n_signal = n_signal;
    p->listener = braid_listen(p->server.core, &l);
    ck_assert_ptr_nonnull(p->listener);
}

static inline void pair_init(struct pair *p, bool checksum, const struct braid_ip *signal, unsigned n_signal)
{
    pair_init_rules(p, checksum, signal, n_signal, NULL, 0);
}

static inline void pair_open(struct pair *p, const char *from, bool plain)
{
    struct braid_connect_params c = {.local = pair_addr(from),
                                     .remote = pair_addr("10.0.9.1:80"),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .pm = p->pm,
                                     .plain = plain,
                                     .rcvbuf = p->rcvbuf,
                                     .traffic_class = p->traffic_class,
                                     .max_segment = p->max_segment,
                                     .ops = &pair_ops,
                                     .user = &p->client};
    p->client.conn = braid_connect(p->client.core, &c, p->now);
    ck_assert_ptr_nonnull(p->client.conn);
}

static inline void pair_connect(struct pair *p, bool plain)
{
    pair_open(p, "10.0.1.2:4000", plain);
}

static inline void pair_deliver(struct pair *p)
{
    struct flying f = p->queue[p->head++ % PAIR_PACKETS];
    struct side *to = f.to_server ? &p->server : &p->client;
    p->now = f.at > p->now ? f.at : p->now;
    braid_core_input(to->core, f.b, 0, f.len, &f.in, p->now);
    buf_unref(f.b);
}

/* Runs until nothing happens any more before `until`, or *stop turns true. */
static inline void pair_run(struct pair *p, braid_time until, const bool *stop)
{
    while (!(stop && *stop)) {
        braid_core_flush(p->client.core, p->now);
        braid_core_flush(p->server.core, p->now);
        braid_core_check(p->client.core);
        braid_core_check(p->server.core);
        if (stop && *stop)
            break;
        braid_time a = braid_core_deadline(p->client.core), b = braid_core_deadline(p->server.core);
        braid_time next = a < b ? a : b;
        if (p->head != p->tail && p->queue[p->head % PAIR_PACKETS].at <= next) {
            if (p->queue[p->head % PAIR_PACKETS].at > until)
                break;
            pair_deliver(p);
            continue;
        }
        if (next > until)
            break;
        p->now = next > p->now ? next : p->now;
        braid_core_run(p->client.core, p->now);
        braid_core_run(p->server.core, p->now);
    }
    if (!(stop && *stop))
        p->now = until;
}

static inline void pair_run_for(struct pair *p, braid_time time)
{
    pair_run(p, p->now + time, NULL);
}

/* Writes what fits of the next n bytes of the pattern. */
static inline size_t side_write(struct side *s, size_t n)
{
    uint8_t chunk[4096];
    size_t done = 0;
    while (done < n && s->conn) {
        size_t len = n - done < sizeof(chunk) ? n - done : sizeof(chunk);
        for (size_t i = 0; i < len; i++)
            chunk[i] = pattern(s->sent + i);
        ssize_t took = braid_conn_write(s->conn, chunk, len);
        if (took <= 0)
            break;
        s->sent += (size_t)took;
        done += (size_t)took;
    }
    return done;
}

/* Writes until `total` bytes were sent and the other side has them. */
static inline void pair_transfer(struct pair *p, struct side *from, uint64_t total, braid_time limit)
{
    struct side *to = from == &p->client ? &p->server : &p->client;
    braid_time end = p->now + limit;
    uint64_t goal = from->sent + total;
    while (to->received < goal && p->now < end && from->conn) {
        side_write(from, goal - from->sent);
        pair_run_for(p, BRAID_MS);
    }
    ck_assert_uint_eq(to->wrong_bytes, 0);
    ck_assert_uint_eq(to->received, goal);
}

static inline void pair_free(struct pair *p)
{
    braid_core_free(p->client.core);
    braid_core_free(p->server.core);
    while (p->head != p->tail)
        buf_unref(p->queue[p->head++ % PAIR_PACKETS].b);
}

static inline struct braid_conn_stats stats_of(const struct side *s)
{
    struct braid_conn_stats st;
    braid_conn_stats(s->conn, &st);
    return st;
}

/* The client opens one more subflow, to the listener's address. */
static inline void pair_join(struct pair *p, const char *local, bool backup)
{
    struct braid_addr l = pair_addr(local), r = pair_addr("10.0.9.1:80");
    pair_run_for(p, 100 * BRAID_MS); /* for the first DSS to arrive */
    ck_assert_int_eq(braid_conn_join(p->client.conn, &l, &r, backup, p->now), 0);
    pair_run_for(p, 100 * BRAID_MS);
}

static inline uint64_t side_count(const struct side *s, enum braid_counter c)
{
    return braid_core_counters(s->core)->v[c];
}

#endif
