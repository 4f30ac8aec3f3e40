/* Drives one subflow in virtual time: an owner that speaks plain TCP, and a record of all that it sends. A
 * test injects segments at chosen times and says exactly what has to come out. Included by each test_tcp_*.c.
 */
#ifndef TESTS_TCP_HARNESS_H
#define TESTS_TCP_HARNESS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "tcp/subflow.h"
#include "suite.h"

#define H_MAX_SEGMENTS 512
#define H_WINDOW       65535u /* what the owner advertises unless told otherwise */
#define H_MTU          1500
#define US             ((braid_time)1)

/* The algorithm of the tests: cwnd stays as it is but for losses, which halve it, so that tests can predict
 * it. */
static void fixed_init(struct cc *cc, braid_time now)
{
    (void)cc;
    (void)now;
}

static void fixed_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    cc->priv[0] += ack->acked;
    cc->priv[1] = ack->cwnd_limited;
}

static void fixed_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    (void)loss;
    if (cc->saved) {
        cc->saved[0] = cc->cwnd;
        cc->saved[1] = cc->ssthresh;
    }
    cc->ssthresh = cc->cwnd / 2 > 2 * cc->mss ? cc->cwnd / 2 : 2 * cc->mss;
}

static void fixed_on_undo(struct cc *cc, braid_time now)
{
    (void)now;
    cc->cwnd = cc->saved[0];
    cc->ssthresh = cc->saved[1];
}

/* Not paced, unless a test asks for cc_paced. */
static uint64_t fixed_rate(const struct cc *cc)
{
    (void)cc;
    return 0;
}

static const struct cc_ops cc_fixed = {
    .name = "fixed",
    .priv_size = 2 * sizeof(uint64_t),
    .saved_size = 2 * sizeof(uint64_t),
    .pacing_rate = fixed_rate,
    .init = fixed_init,
    .on_ack = fixed_on_ack,
    .on_loss = fixed_on_loss,
    .on_undo = fixed_on_undo,
};

struct sent_segment {
    struct wire_packet p;
    uint16_t gso_size;
    uint8_t *payload; /* a copy */
};

struct harness {
    struct tcp_env env;
    struct tcp_keepalive keepalive;
    struct subflow sf; /* first, so that an op can find its harness */
    struct mem_account account;
    braid_time now;
    uint64_t window;
    uint32_t syn_len; /* payload of the first SYN or SYN/ACK */
    uint8_t syn_payload[3000];

    struct sent_segment out[H_MAX_SEGMENTS];
    unsigned n_out, taken; /* produced; looked at by the test */

    uint8_t in[1 << 20]; /* what ops->data delivered */
    size_t n_in;
    uint64_t next_byte; /* of the stream that h_send makes up */

    unsigned established, fins, resets, timeouts, wakes, handshakes, segments, closed, syns_again, maps_acked,
        maps_lost;
    enum subflow_closed why;
    enum subflow_verdict verdict_handshake, verdict_segment;
    const struct cc_ops *cc;
    bool careless;             /* the test resets n_in, so that offsets are not comparable */
    struct wire_mptcp options; /* put on every pure ACK and RST if `has` is set */

    /* The peer, as the test speaks for it. */
    uint32_t peer_iss;
    uint32_t peer_ts;
    bool ts, sack, wscale;
};

static inline struct harness *h_of(struct subflow *sf)
{
    return list_entry(sf, struct harness, sf);
}

static inline uint8_t h_byte(uint64_t i)
{
    return (uint8_t)(i * 2654435761u >> 11);
}

/* Forgets what was sent but for the last segment, whose TSval is echoed. */
static inline void h_forget(struct harness *h)
{
    struct sent_segment last = h->out[h->n_out - 1];

    for (unsigned i = 0; i + 1 < h->n_out; i++)
        free(h->out[i].payload);
    h->out[0] = last;
    h->n_out = h->taken = 1;
}

static void h_output(void *ctx, const struct braid_packet *packet)
{
    struct harness *h = ctx;
    if (h->careless && h->n_out == H_MAX_SEGMENTS)
        h_forget(h);
    ck_assert_uint_lt(h->n_out, H_MAX_SEGMENTS);
    struct sent_segment *s = &h->out[h->n_out++];
    size_t len = packet->header_len + packet->payload_len, at = packet->header_len;
    uint8_t *bytes = malloc(len);

    memcpy(bytes, packet->header, packet->header_len);
    for (unsigned i = 0; i < packet->n_payload; i++) {
        memcpy(bytes + at, packet->payload[i].iov_base, packet->payload[i].iov_len);
        at += packet->payload[i].iov_len;
    }
    ck_assert_uint_eq(at, len);
    ck_assert_uint_le(len, 65535);
    ck_assert_int_eq(packet_parse(bytes, len, false, &s->p), WIRE_OK);
    s->gso_size = packet->gso_size;
    s->payload = bytes;
    ck_assert_uint_eq(packet->csum_start, ip_is_v4(&s->p.src.ip) ? 20 : 40);
}

static void h_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    memset(buf, 0x5a, len);
}

static enum subflow_verdict h_handshake(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    (void)p;
    (void)now;
    h_of(sf)->handshakes++;
    return h_of(sf)->verdict_handshake;
}

static void h_syn_again(struct subflow *sf, const struct wire_packet *p)
{
    (void)p;
    h_of(sf)->syns_again++;
}

static void h_established(struct subflow *sf, braid_time now)
{
    (void)now;
    h_of(sf)->established++;
}

static enum subflow_verdict h_segment(struct subflow *sf, const struct wire_packet *p, uint64_t off,
                                      braid_time now)
{
    (void)p;
    (void)off;
    (void)now;
    h_of(sf)->segments++;
    return h_of(sf)->verdict_segment;
}

static void h_data(struct subflow *sf, uint64_t off, struct slice s, braid_time now)
{
    struct harness *h = h_of(sf);

    (void)now;
    if (!h->careless)
        ck_assert_uint_eq(off, h->n_in + 1);
    ck_assert_uint_le(h->n_in + s.len, sizeof(h->in));
    memcpy(h->in + h->n_in, s.data, s.len);
    h->n_in += s.len;
    slice_drop(&s);
}

static void h_fin(struct subflow *sf, braid_time now)
{
    (void)now;
    h_of(sf)->fins++;
}

static void h_reset(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    (void)p;
    (void)now;
    h_of(sf)->resets++;
}

static void h_map_done(struct subflow *sf, struct tcp_map *m, bool acked)
{
    if (acked)
        h_of(sf)->maps_acked++;
    else
        h_of(sf)->maps_lost++;
    for (uint32_t i = 0; i < m->n_slices; i++)
        slice_drop(&m->slices[i]);
    free(m->slices);
    free(m);
}

static void h_timeout(struct subflow *sf, braid_time now)
{
    (void)now;
    h_of(sf)->timeouts++;
}

static void h_wake(struct subflow *sf)
{
    h_of(sf)->wakes++;
}

static void h_closed(struct subflow *sf, enum subflow_closed why, braid_time now)
{
    (void)now;
    h_of(sf)->closed++;
    h_of(sf)->why = why;
}

static void h_options(struct subflow *sf, enum subflow_segment kind, const struct tcp_map *map,
                      unsigned space, struct wire_tcp *t)
{
    struct harness *h = h_of(sf);

    ck_assert_uint_eq(t->mp.has, 0);
    ck_assert((kind == SUBFLOW_DATA) == (map != NULL));
    if ((kind == SUBFLOW_ACK || kind == SUBFLOW_RST) && mptcp_options_size(&h->options) <= space)
        t->mp = h->options;
}

/* Of the first SYN or SYN/ACK. */
static unsigned h_syn_payload(struct subflow *sf, uint32_t room, struct iovec *iov, unsigned n)
{
    struct harness *h = h_of(sf);

    ck_assert_uint_ge(n, 1);
    if (h->syn_len == 0 || sf->syn.retries > 0)
        return 0;
    for (uint32_t i = 0; i < h->syn_len; i++)
        h->syn_payload[i] = h_byte(i);
    iov[0] = (struct iovec){h->syn_payload, room < h->syn_len ? room : h->syn_len};
    return 1;
}

static struct tcp_keepalive h_keepalive(const struct subflow *sf)
{
    return list_entry(sf, struct harness, sf)->keepalive;
}

static uint64_t h_window(struct subflow *sf)
{
    return h_of(sf)->window;
}

static const struct subflow_ops h_ops = {
    .handshake = h_handshake,
    .syn_again = h_syn_again,
    .established = h_established,
    .segment = h_segment,
    .data = h_data,
    .fin = h_fin,
    .reset = h_reset,
    .map_done = h_map_done,
    .timeout = h_timeout,
    .wake = h_wake,
    .closed = h_closed,
    .options_out = h_options,
    .syn_payload = h_syn_payload,
    .window = h_window,
    .keepalive = h_keepalive,
};

static inline struct braid_addr h_addr(const char *text)
{
    struct braid_addr a;

    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* A fresh harness; the peer of the test speaks timestamps, SACK and window scaling unless the fields are
 * cleared. */
static inline struct harness *h_new(void)
{
    struct harness *h = calloc(1, sizeof(*h));

    h->now = 10 * BRAID_SECOND;
    h->cc = &cc_fixed;
    wheel_init(&h->env.wheel, h->now);
    h->env.host = (struct braid_host){.ctx = h, .output = h_output, .random = h_random};
    h->env.min_mss = 128;
    h->env.challenge_limit = 200;
    h->env.mtu = H_MTU;
    h->env.rcvbuf_max = H_WINDOW;
    h->env.syn_timeout = 20 * BRAID_SECOND;
    h->account.limit = 1 << 20;
    h->window = H_WINDOW;
    h->peer_iss = 1000;
    h->peer_ts = 7000;
    h->ts = h->sack = h->wscale = true;
    h->env.ops = &h_ops;
    h->sf.env = &h->env;
    h->sf.account = &h->account;
    h->sf.local = h_addr("10.0.0.1:80");
    h->sf.remote = h_addr("10.0.0.2:5000");
    return h;
}

static inline void h_free(struct harness *h)
{
    subflow_destroy(&h->sf);
    ck_assert_uint_eq(h->account.used, 0);
    ck_assert_int_eq(wheel_next(&h->env.wheel), BRAID_NEVER);
    for (unsigned i = 0; i < h->n_out; i++)
        free(h->out[i].payload);
    free(h);
}

/* Runs timers until `until`, flushing after each as the core would. */
static inline void h_run_to(struct harness *h, braid_time until)
{
    for (;;) {
        braid_time next = wheel_next(&h->env.wheel);

        if (next > until)
            break;
        h->now = next > h->now ? next : h->now;
        wheel_run(&h->env.wheel, h->now);
        subflow_flush(&h->sf, h->now);
        subflow_check(&h->sf);
    }
    h->now = until;
    wheel_run(&h->env.wheel, h->now);
}

static inline void h_run(struct harness *h, braid_time span)
{
    h_run_to(h, h->now + span);
}

/* ---- what the peer says: offsets count from its SYN, acknowledgements from ours ---- */

struct say {
    uint8_t flags; /* besides ACK */
    uint64_t seq, ack;
    uint32_t len;    /* payload, made by h_byte at seq - 1 */
    uint32_t window; /* 0: H_WINDOW; use no_window for zero */
    bool no_window, no_ack, no_ts;
    uint32_t tsval, tsecr; /* 0: the peer's clock; the last TSval we sent */
    uint32_t seg_size;
    struct range sack[TCP_SACK_MAX]; /* offsets of ours */
    uint16_t mp_prio;                /* carries an MP_PRIO */
};

static inline uint32_t h_last_tsval(const struct harness *h)
{
    return h->n_out ? h->out[h->n_out - 1].p.tcp.tsval : 0;
}

static inline void h_fill_options(const struct harness *h, const struct say *s, struct wire_tcp *t)
{
    t->has_ts = h->ts && !s->no_ts;
    t->tsval = s->tsval ? s->tsval : h->peer_ts;
    t->tsecr = s->no_ack ? 0 : s->tsecr ? s->tsecr : h_last_tsval(h);
    if (s->flags & TCP_SYN) {
        t->has_mss = true;
        t->mss = 1460;
        t->sack_ok = h->sack;
        t->has_wscale = h->wscale;
        t->wscale = 0;
    }
    for (; t->n_sack < TCP_SACK_MAX && s->sack[t->n_sack].start != s->sack[t->n_sack].end; t->n_sack++)
        t->sack[t->n_sack] = (struct wire_sack){h->sf.syn.iss + (uint32_t)s->sack[t->n_sack].start,
                                                h->sf.syn.iss + (uint32_t)s->sack[t->n_sack].end};
    if (s->mp_prio)
        t->mp.has = MPTCP_HAS(MPTCP_PRIO);
}

static inline struct wire_packet h_packet(struct harness *h, const struct say *s, struct buf **b)
{
    struct wire_packet p = {.kind = WIRE_TCP, .src = h->sf.remote, .dst = h->sf.local, .payload_len = s->len};

    p.tcp.flags = s->flags | (s->no_ack ? 0 : TCP_ACK);
    p.tcp.seq = h->peer_iss + (uint32_t)s->seq;
    p.tcp.ack = s->no_ack ? 0 : h->sf.syn.iss + (uint32_t)s->ack;
    p.tcp.window = s->no_window ? 0 : s->window ? (uint16_t)s->window : H_WINDOW;
    h_fill_options(h, s, &p.tcp);
    *b = buf_new(s->len + 1, NULL);
    for (uint32_t i = 0; i < s->len; i++)
        (*b)->data[i] = h_byte(s->seq - !(s->flags & TCP_SYN) + i);
    p.payload = (*b)->data;
    return p;
}

/* The segment arrives, without a flush. */
static inline void h_input(struct harness *h, struct say s)
{
    struct buf *b;
    struct wire_packet p = h_packet(h, &s, &b);

    subflow_input(&h->sf, &p, b, s.seg_size, h->now);
    subflow_check(&h->sf);
    buf_unref(b);
}

/* The segment arrives and the batch ends. */
static inline void h_say(struct harness *h, struct say s)
{
    h_input(h, s);
    subflow_flush(&h->sf, h->now);
    subflow_check(&h->sf);
}
#define SAY(h, ...) h_say(h, (struct say){__VA_ARGS__})

/* ---- what we say ---- */

static inline const struct sent_segment *h_next(struct harness *h)
{
    ck_assert_msg(h->taken < h->n_out, "a segment was expected, but none was sent");
    return &h->out[h->taken++];
}

static inline void h_nothing(struct harness *h)
{
    if (h->taken == h->n_out)
        return;
    const struct wire_packet *p = &h->out[h->taken].p;
    ck_abort_msg("unexpected segment: flags %02x seq %u ack %u len %u", p->tcp.flags,
                 p->tcp.seq - h->sf.syn.iss, p->tcp.ack - h->peer_iss, p->payload_len);
}

/* The next segment has exactly these flags, offsets and length. */
static inline const struct wire_tcp *h_expect(struct harness *h, uint8_t flags, uint64_t seq, uint64_t ack,
                                              uint32_t len)
{
    const struct sent_segment *s = h_next(h);
    const struct wire_tcp *t = &s->p.tcp;

    ck_assert_msg(t->flags == flags && t->seq - h->sf.syn.iss == (uint32_t)seq &&
                      (!(flags & TCP_ACK) || t->ack - h->peer_iss == (uint32_t)ack) &&
                      s->p.payload_len == len,
                  "sent flags %02x seq %u ack %u len %u, expected flags %02x seq %llu ack %llu len %u",
                  t->flags, t->seq - h->sf.syn.iss, t->ack - h->peer_iss, s->p.payload_len, flags,
                  (unsigned long long)seq, (unsigned long long)ack, len);
    for (uint32_t i = 0; i < len; i++)
        if (s->p.payload[i] != h_byte(seq - !(flags & TCP_SYN) + i))
            ck_abort_msg("byte %u of the segment at %llu is wrong", i, (unsigned long long)seq);
    return t;
}

static inline const struct wire_tcp *h_expect_ack(struct harness *h, uint64_t seq, uint64_t ack)
{
    return h_expect(h, TCP_ACK, seq, ack, 0);
}

/* The last SACK blocks, as offsets of the peer's. */
static inline struct range h_sack(const struct harness *h, const struct wire_tcp *t, unsigned i)
{
    ck_assert_uint_lt(i, t->n_sack);
    return (struct range){t->sack[i].start - h->peer_iss, t->sack[i].end - h->peer_iss};
}

static inline void h_expect_sack(const struct harness *h, const struct wire_tcp *t, unsigned i,
                                 uint64_t start, uint64_t end)
{
    struct range r = h_sack(h, t, i);

    ck_assert_msg(r.start == start && r.end == end, "SACK block %u is %llu-%llu", i,
                  (unsigned long long)r.start, (unsigned long long)r.end);
}

/* Hands len bytes to the subflow without asking for space. */
static inline void h_send_raw(struct harness *h, uint32_t len)
{
    struct tcp_map *m = calloc(1, sizeof(*m));
    struct buf *b = buf_new(len, NULL);

    for (uint32_t i = 0; i < len; i++)
        b->data[i] = h_byte(h->next_byte + i);
    h->next_byte += len;
    m->len = len;
    m->n_slices = 1;
    m->slices = malloc(sizeof(*m->slices));
    m->slices[0] = slice_of(b, b->data, len);
    buf_unref(b);
    subflow_send(&h->sf, m, h->now);
    subflow_check(&h->sf);
}

/* Sends as much of len bytes as there is space for, in maps of at most `each`; returns bytes sent. */
static inline uint64_t h_send(struct harness *h, uint64_t len, uint32_t each)
{
    uint64_t sent = 0;

    while (sent < len) {
        uint64_t n = subflow_space(&h->sf, h->now);

        n = n < each ? n : each;
        n = n < len - sent ? n : len - sent;
        if (n == 0)
            break;
        h_send_raw(h, (uint32_t)n);
        sent += n;
    }
    return sent;
}

/* The peer's SYN came and was answered; the SYN/ACK is taken. */
static inline struct harness *h_half_open(struct harness *h)
{
    struct buf *b;
    struct say syn = {.flags = TCP_SYN, .no_ack = true};
    struct wire_packet p = h_packet(h, &syn, &b);

    subflow_open_passive(&h->sf, &p, h->cc, h->now);
    buf_unref(b);
    subflow_answer(&h->sf, h->now);
    h_expect(h, TCP_SYN | TCP_ACK, 0, 1, 0);
    return h;
}

/* A connection opened by the peer, established at rtt after the SYN/ACK; all handshake segments are taken. */
static inline struct harness *h_passive(struct harness *h, braid_time rtt)
{
    h_half_open(h);
    h_run(h, rtt);
    SAY(h, .seq = 1, .ack = 1);
    ck_assert_uint_eq(h->established, 1);
    h_nothing(h);
    return h;
}

/* Our TSval at a time. */
static inline uint32_t h_tsval_at(const struct harness *h, braid_time t)
{
    return (uint32_t)(t / BRAID_MS) + h->sf.ts.offset;
}

#endif
