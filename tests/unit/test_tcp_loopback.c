/* Two subflows against each other through a pipe that delays, loses, reorders, duplicates and resegments, in
 * virtual time, with many seeds. Every byte is compared, and invariants are asserted after every event. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "tcp/subflow.h"
#include "suite.h"

extern const struct cc_ops cc_cubic, cc_lia;

#define MAX_FLYING 4096
#define TIME_LIMIT (3000 * BRAID_SECOND)

struct world;

struct end {
    struct subflow sf;
    struct tcp_env env;
    struct mem_account account;
    struct world *w;
    struct end *peer;
    uint64_t to_send, queued; /* bytes of our stream; given to the subflow */
    uint64_t got;             /* bytes delivered to us */
    uint64_t unread;          /* of them, waiting for the application, which takes them at times */
    uint64_t buffer;
    bool established, fin, closed, closing;
    enum subflow_closed why;
    unsigned maps;
};

struct flying {
    braid_time at;
    struct end *to;
    struct buf *b;
    uint32_t len, seg_size;
    uint32_t quoted, mtu; /* mtu > 0: an ICMP error instead of a packet */
};

/* Parts per thousand. */
struct link {
    unsigned loss, reorder, duplicate;
    braid_time delay, jitter;
    uint64_t rate; /* bytes per second, 0: unlimited */
    braid_time busy_until[2];
    bool segment;                   /* take super-packets apart */
    bool no_ts, no_sack, no_wscale; /* a middlebox takes these out of SYNs */
    uint64_t queue;                 /* bytes that wait for a limited rate at most, 0: any number */
    uint32_t mtu;                   /* of a hop in the middle that says so, 0: as large as needed */
    braid_time dark_from, dark_to;  /* nothing gets through */
    unsigned forged;
};

struct world {
    struct end end[2];
    struct link link;
    struct flying flying[MAX_FLYING];
    unsigned n_flying;
    uint64_t rng;
    braid_time now;
    unsigned dropped;
};

static uint64_t draw(struct world *w)
{
    w->rng ^= w->rng << 13;
    w->rng ^= w->rng >> 7;
    w->rng ^= w->rng << 17;
    return w->rng;
}

static bool chance(struct world *w, unsigned permille)
{
    return draw(w) % 1000 < permille;
}

static uint8_t stream_byte(const struct end *e, uint64_t i)
{
    return (uint8_t)((i * 2654435761u + (e == &e->w->end[0] ? 17 : 91)) >> 9);
}

/* ---- the pipe ---- */

static void launch(struct world *w, struct end *to, const uint8_t *bytes, uint32_t len, uint32_t seg_size)
{
    int way = to == &w->end[1];
    struct link *l = &w->link;

    bool dark = l->dark_from <= w->now && w->now < l->dark_to;
    braid_time waiting = l->rate && l->busy_until[way] > w->now ? l->busy_until[way] - w->now : 0;
    bool full = l->queue && (uint64_t)waiting * l->rate / BRAID_SECOND > l->queue;
    if (dark || full || chance(w, l->loss) || w->n_flying == MAX_FLYING) {
        w->dropped++;
        return;
    }
    braid_time start = l->busy_until[way] > w->now ? l->busy_until[way] : w->now;
    if (l->rate) {
        start += (braid_time)(len * (uint64_t)BRAID_SECOND / l->rate);
        l->busy_until[way] = start;
    }
    braid_time at = start + l->delay + (l->jitter ? (braid_time)(draw(w) % (uint64_t)l->jitter) : 0);
    if (chance(w, l->reorder))
        at += (braid_time)(draw(w) % (uint64_t)(l->delay + 2));
    struct buf *b = buf_new(len, NULL);
    memcpy(b->data, bytes, len);
    w->flying[w->n_flying++] = (struct flying){.at = at, .to = to, .b = b, .len = len, .seg_size = seg_size};
}

static void send_bytes(struct world *w, struct end *to, const struct packet_spec *spec,
                       const uint8_t *payload, uint32_t seg_size)
{
    static uint8_t bytes[70000];
    struct packet_header h;
    struct iovec iov = {(void *)payload, spec->payload_len};

    ck_assert_int_eq(packet_header_build(spec, &h), 0);
    packet_checksum_fill(&h, &iov, 1);
    memcpy(bytes, h.bytes, h.len);
    memcpy(bytes + h.len, payload, spec->payload_len);
    launch(w, to, bytes, h.len + spec->payload_len, seg_size);
    if (chance(w, w->link.duplicate))
        launch(w, to, bytes, h.len + spec->payload_len, seg_size);
}

/* A router's word that a packet of e's was too big. */
static void launch_icmp(struct world *w, struct end *e, uint32_t seq)
{
    if (w->n_flying < MAX_FLYING)
        w->flying[w->n_flying++] =
            (struct flying){.at = w->now + w->link.delay, .to = e, .quoted = seq, .mtu = w->link.mtu};
}

static void strip(const struct link *l, struct wire_tcp *t)
{
    if (!(t->flags & TCP_SYN))
        return;
    t->has_ts &= !l->no_ts;
    t->sack_ok &= !l->no_sack;
    t->has_wscale &= !l->no_wscale;
}

static void output(void *ctx, const struct braid_packet *packet)
{
    static uint8_t bytes[70000];
    struct end *e = ctx;
    struct wire_packet p;
    uint32_t len = packet->header_len;

    memcpy(bytes, packet->header, len);
    for (unsigned i = 0; i < packet->n_payload; i++) {
        memcpy(bytes + len, packet->payload[i].iov_base, packet->payload[i].iov_len);
        len += (uint32_t)packet->payload[i].iov_len;
    }
    ck_assert_int_eq(packet_parse(bytes, len, false, &p), WIRE_OK);
    uint32_t step =
        packet->gso_size && (e->w->link.segment || chance(e->w, 300)) ? packet->gso_size : p.payload_len;
    struct wire_tcp t = p.tcp;
    strip(&e->w->link, &t);
    struct packet_spec spec = {.src = p.src, .dst = p.dst, .tcp = &t, .hop_limit = 64};
    uint32_t at = 0;
    do {
        spec.payload_len = p.payload_len - at < step ? p.payload_len - at : step;
        t.seq = p.tcp.seq + at;
        t.flags = p.tcp.flags & (at + spec.payload_len < p.payload_len ? ~(TCP_FIN | TCP_PSH) : 0xff);
        uint32_t wire = packet->header_len +
                        (packet->gso_size && step > packet->gso_size ? packet->gso_size : spec.payload_len);
        if (e->w->link.mtu && wire > e->w->link.mtu)
            launch_icmp(e->w, e, t.seq);
        else
            send_bytes(e->w, e->peer, &spec, p.payload + at,
                       packet->gso_size && step > packet->gso_size ? packet->gso_size : 0);
        at += step;
    } while (at < p.payload_len);
}

static void random_bytes(void *ctx, void *buf, size_t len)
{
    struct end *e = ctx;

    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)(draw(e->w) >> 20);
}

/* ---- the owners ---- */

static struct end *end_of(struct subflow *sf)
{
    return list_entry(sf, struct end, sf);
}

static enum subflow_verdict on_handshake(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    return (void)sf, (void)p, (void)now, SUBFLOW_OK;
}

static void on_established(struct subflow *sf, braid_time now)
{
    (void)now, end_of(sf)->established = true;
}

static enum subflow_verdict on_segment(struct subflow *sf, const struct wire_packet *p, uint64_t off,
                                       braid_time now)
{
    return (void)sf, (void)p, (void)off, (void)now, SUBFLOW_OK;
}

static void on_data(struct subflow *sf, uint64_t off, struct slice s, braid_time now)
{
    struct end *e = end_of(sf);

    (void)now;
    ck_assert_uint_eq(off, e->got + 1);
    for (uint32_t i = 0; i < s.len; i++)
        if (s.data[i] != stream_byte(e->peer, e->got + i))
            ck_abort_msg("byte %llu is wrong", (unsigned long long)(e->got + i));
    e->got += s.len;
    e->unread += s.len;
    ck_assert_uint_le(e->unread, e->buffer);
    slice_drop(&s);
}

static void on_fin(struct subflow *sf, braid_time now)
{
    (void)now, end_of(sf)->fin = true;
}

static void on_reset(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    (void)sf, (void)p, (void)now;
    ck_abort_msg("nobody sent a RST");
}

static void on_map_done(struct subflow *sf, struct tcp_map *m, bool acked)
{
    (void)acked, end_of(sf)->maps--;
    for (uint32_t i = 0; i < m->n_slices; i++)
        slice_drop(&m->slices[i]);
    free(m->slices);
    free(m);
}

static void on_nothing(struct subflow *sf, braid_time now)
{
    (void)sf, (void)now;
}

static void on_wake(struct subflow *sf)
{
    (void)sf;
}

static void on_closed(struct subflow *sf, enum subflow_closed why, braid_time now)
{
    (void)now, end_of(sf)->closed = true, end_of(sf)->why = why;
}

static void on_options(struct subflow *sf, enum subflow_segment kind, const struct tcp_map *map,
                       unsigned space, struct wire_tcp *t)
{
    (void)sf, (void)kind, (void)map, (void)space, (void)t;
}

static void on_syn_again(struct subflow *sf, const struct wire_packet *p)
{
    (void)sf, (void)p;
}

static unsigned on_syn_payload(struct subflow *sf, uint32_t room, struct iovec *iov, unsigned n)
{
    return (void)sf, (void)room, (void)iov, (void)n, 0;
}

static uint64_t on_window(struct subflow *sf)
{
    struct end *e = end_of(sf);
    uint64_t free_bytes = e->buffer - e->unread,
             promised = sf->rcv.adv > sf->rcv.nxt ? sf->rcv.adv - sf->rcv.nxt : 0;

    /* The right edge never moves left, though the scale rounds. */
    free_bytes &= ~((UINT64_C(1) << sf->syn.rcv_wscale) - 1);
    return free_bytes > promised ? free_bytes : promised;
}

static struct tcp_keepalive on_keepalive(const struct subflow *sf)
{
    return (void)sf, (struct tcp_keepalive){.idle = 0};
}

static const struct subflow_ops ops = {
    .handshake = on_handshake,
    .established = on_established,
    .segment = on_segment,
    .data = on_data,
    .fin = on_fin,
    .reset = on_reset,
    .map_done = on_map_done,
    .timeout = on_nothing,
    .wake = on_wake,
    .closed = on_closed,
    .options_out = on_options,
    .syn_payload = on_syn_payload,
    .syn_again = on_syn_again,
    .window = on_window,
    .keepalive = on_keepalive,
};

static void send_map(struct end *e, uint32_t len)
{
    struct tcp_map *m = calloc(1, sizeof(*m));
    uint32_t at = 0, n = 1 + (uint32_t)(draw(e->w) % 3);

    m->slices = calloc(n, sizeof(*m->slices));
    for (uint32_t i = 0; i < n && at < len; i++) {
        uint32_t piece = i == n - 1 ? len - at : 1 + (uint32_t)(draw(e->w) % (len - at));
        struct buf *b = buf_new(piece, NULL);

        for (uint32_t k = 0; k < piece; k++)
            b->data[k] = stream_byte(e, e->queued + at + k);
        m->slices[m->n_slices++] = slice_of(b, b->data, piece);
        buf_unref(b);
        at += piece;
    }
    m->len = len;
    e->queued += len;
    e->maps++;
    subflow_send(&e->sf, m, e->w->now);
}

/* What an owner does at the end of a batch. */
static void pump(struct end *e)
{
    struct world *w = e->w;

    if (e->closed)
        return;
    while (e->queued < e->to_send) {
        uint64_t n = subflow_space(&e->sf, w->now), left = e->to_send - e->queued;

        if (n == 0)
            break;
        n = n < left ? n : left;
        if (chance(w, 50))
            n = 1 + draw(w) % n;
        send_map(e, (uint32_t)n);
    }
    if (e->established)
        subflow_set_blocked(&e->sf, e->queued < e->to_send && e->sf.snd.wnd < e->sf.size.mss, w->now);
    if (e->queued == e->to_send && e->established && !e->closing && (e->closing = true))
        subflow_close(&e->sf, w->now);
    subflow_flush(&e->sf, w->now);
    subflow_check(&e->sf);
}

/* ---- the world ---- */

static void end_init(struct world *w, int i, uint64_t buffer)
{
    struct end *e = &w->end[i];

    e->w = w;
    e->peer = &w->end[1 - i];
    e->buffer = buffer;
    wheel_init(&e->env.wheel, w->now);
    e->env.host = (struct braid_host){.ctx = e, .output = output, .random = random_bytes};
    e->env.min_mss = 128;
    e->env.challenge_limit = 200;
    e->env.mtu = 1500;
    e->env.rcvbuf_max = buffer;
    e->env.syn_timeout = 200 * BRAID_SECOND;
    e->account.limit = 4 << 20;
    e->env.ops = &ops;
    e->sf.env = &e->env;
    e->sf.account = &e->account;
    ck_assert_int_eq(addr_parse(i ? "[2001:db8::2]:2" : "[2001:db8::1]:1", &e->sf.local), 0);
    ck_assert_int_eq(addr_parse(i ? "[2001:db8::1]:1" : "[2001:db8::2]:2", &e->sf.remote), 0);
}

static void arrive(struct world *w, struct flying f)
{
    struct wire_packet p;
    struct end *e = f.to;

    if (f.mtu) {
        p = (struct wire_packet){.kind = WIRE_ICMP_ERROR, .src = e->sf.local, .dst = e->sf.remote};
        p.icmp = WIRE_ICMP_TOO_BIG;
        p.quoted_seq = f.quoted;
        p.mtu = f.mtu;
        if (e->sf.state != TCP_STATE_CLOSED)
            subflow_icmp(&e->sf, &p, w->now);
        return;
    }
    ck_assert_int_eq(packet_parse(f.b->data, f.len, true, &p), WIRE_OK);
    if (e->sf.state == TCP_STATE_CLOSED && !e->closed) {
        if ((p.tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
            subflow_open_passive(&e->sf, &p, chance(w, 500) ? &cc_cubic : &cc_lia, w->now);
            subflow_answer(&e->sf, w->now);
        }
    } else if (e->sf.state == TCP_STATE_TIME_WAIT) {
        /* As timewait.c would: the peer's FIN is acknowledged again. */
        if (p.payload_len > 0 || (p.tcp.flags & TCP_FIN)) {
            struct wire_tcp t = {
                .flags = TCP_ACK, .seq = p.tcp.ack, .ack = e->sf.syn.irs + (uint32_t)e->sf.rcv.nxt};
            t.has_ts = p.tcp.has_ts;
            t.tsval = p.tcp.tsecr;
            t.tsecr = p.tcp.tsval;
            struct packet_spec spec = {.src = e->sf.local, .dst = e->sf.remote, .tcp = &t, .hop_limit = 64};
            send_bytes(w, e->peer, &spec, (const uint8_t *)"", 0);
        }
    } else {
        subflow_input(&e->sf, &p, f.b, f.seg_size, w->now);
    }
    if (e->sf.state != TCP_STATE_CLOSED || e->closed)
        subflow_check(&e->sf);
    buf_unref(f.b);
}

static braid_time next_event(const struct world *w)
{
    braid_time at = w->now + 100 * BRAID_MS; /* the applications read now and then */

    for (unsigned i = 0; i < w->n_flying; i++)
        at = w->flying[i].at < at ? w->flying[i].at : at;
    for (int i = 0; i < 2; i++) {
        braid_time t = wheel_next(&w->end[i].env.wheel);

        at = t < at ? t : at;
    }
    return at > w->now ? at : w->now;
}

/* What somebody who can guess a lot but not everything may send: all of it must be without effect. */
static void forge(struct world *w, struct end *e)
{
    uint64_t span = draw(w) % 4;
    struct wire_packet p = {.kind = WIRE_TCP, .src = e->sf.remote, .dst = e->sf.local};
    struct buf *b = buf_new(2000, NULL);

    if (!subflow_synchronized(&e->sf) || e->sf.state == TCP_STATE_TIME_WAIT) {
        buf_unref(b);
        return;
    }
    memset(b->data, 0xee, b->cap);
    p.payload = b->data;
    p.tcp.seq = e->sf.syn.irs + (uint32_t)e->sf.rcv.nxt + 1 + (uint32_t)(draw(w) % 100000);
    p.tcp.ack = e->sf.syn.iss + (uint32_t)e->sf.snd.una;
    p.tcp.window = (uint16_t)draw(w);
    if (span == 0) {
        p.tcp.flags = TCP_RST | TCP_ACK;
    } else if (span == 1) {
        p.tcp.flags = TCP_SYN | (draw(w) % 2 ? TCP_ACK : 0);
    } else if (span == 2) { /* acknowledges what was not sent */
        p.tcp.flags = TCP_ACK | (draw(w) % 2 ? TCP_FIN : 0);
        p.tcp.ack = e->sf.syn.iss + (uint32_t)e->sf.snd.nxt + 1 + (uint32_t)(draw(w) % 1000000);
        p.payload_len = (uint32_t)(draw(w) % 2000);
    } else { /* entirely old, or from before the beginning */
        p.tcp.flags = TCP_ACK;
        p.payload_len = 1 + (uint32_t)(draw(w) % 1999);
        p.tcp.seq = e->sf.syn.irs + (uint32_t)e->sf.rcv.nxt - p.payload_len - (uint32_t)(draw(w) % 5000);
        p.tcp.n_sack = 1;
        p.tcp.sack[0] =
            (struct wire_sack){p.tcp.ack - (uint32_t)(draw(w) % 9999), p.tcp.ack + (uint32_t)draw(w)};
        if (draw(w) % 2)
            p.tcp.ack -= (uint32_t)(draw(w) % 200000);
    }
    subflow_input(&e->sf, &p, b, 0, w->now);
    subflow_check(&e->sf);
    buf_unref(b);
}

static void step(struct world *w)
{
    w->now = next_event(w);
    for (unsigned i = 0; i < w->n_flying;) {
        if (w->flying[i].at > w->now) {
            i++;
            continue;
        }
        struct flying f = w->flying[i];

        memmove(&w->flying[i], &w->flying[i + 1], (--w->n_flying - i) * sizeof(f));
        arrive(w, f);
        if (w->now % 3 == 0)
            break;
    }
    for (int i = 0; i < 2; i++) {
        struct end *e = &w->end[i];

        wheel_run(&e->env.wheel, w->now);
        if (chance(w, w->link.forged))
            forge(w, e);
        if (e->sf.state == TCP_STATE_CLOSED)
            continue;
        if (chance(w, 700))
            e->unread -= chance(w, 500) ? e->unread : draw(w) % (e->unread + 1);
        pump(e);
    }
}

static void choose(struct world *w)
{
    struct link *l = &w->link;
    static const braid_time delays[] = {50, 500, 5000, 40000};

    l->delay = delays[draw(w) % 4];
    l->loss = (unsigned)(draw(w) % 4 ? draw(w) % 20 : draw(w) % 120);
    l->reorder = (unsigned)(draw(w) % 3 ? 0 : draw(w) % 300);
    l->duplicate = (unsigned)(draw(w) % 4 ? 0 : draw(w) % 100);
    l->jitter = draw(w) % 2 ? 0 : (braid_time)(draw(w) % 1000);
    l->rate = draw(w) % 2 ? 0 : 100000 + draw(w) % 10000000;
    l->segment = draw(w) % 4 != 0;
    l->queue = draw(w) % 2 ? 0 : 20000 + draw(w) % 200000;
    l->no_ts = draw(w) % 8 == 0;
    l->no_sack = draw(w) % 8 == 0;
    l->no_wscale = draw(w) % 16 == 0;
    l->mtu = draw(w) % 6 ? 0 : 1280 + (uint32_t)(draw(w) % 220);
    if (draw(w) % 8 == 0) {
        l->dark_from = w->now + (braid_time)(draw(w) % (2 * BRAID_SECOND));
        l->dark_to = l->dark_from + (braid_time)(draw(w) % (20 * BRAID_SECOND));
        l->loss /= 10; /* after darkness attempts are few */
    }
    l->forged = draw(w) % 4 ? 0 : 50;
}

static void run_world(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    w->rng = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        draw(w);
    w->now = BRAID_SECOND;
    choose(w);
    for (int i = 0; i < 2; i++) {
        end_init(w, i, 4000 + draw(w) % (draw(w) % 2 ? 20000 : 1000000));
        w->end[i].to_send = draw(w) % 3 ? draw(w) % 400000 : draw(w) % 3000;
    }
    subflow_open_active(&w->end[0].sf, &cc_cubic, w->now);
    if (draw(w) % 10 == 0)
        subflow_open_active(&w->end[1].sf, &cc_lia, w->now);
    while (!(w->end[0].closed && w->end[1].closed)) {
        step(w);
        ck_assert_msg(w->now < TIME_LIMIT, "seed %llu: %s/%s after %lld s: got %llu of %llu, %llu of %llu",
                      (unsigned long long)seed, tcp_state_text(w->end[0].sf.state),
                      tcp_state_text(w->end[1].sf.state), (long long)(w->now / BRAID_SECOND),
                      (unsigned long long)w->end[1].got, (unsigned long long)w->end[0].to_send,
                      (unsigned long long)w->end[0].got, (unsigned long long)w->end[1].to_send);
    }
    for (int i = 0; i < 2; i++) {
        struct end *e = &w->end[i];

        ck_assert_msg(e->why == SUBFLOW_CLOSED_DONE, "seed %llu: end %d closed for reason %d",
                      (unsigned long long)seed, i, e->why);
        ck_assert_uint_eq(e->got, e->peer->to_send);
        ck_assert(e->fin);
        subflow_destroy(&e->sf);
        ck_assert_uint_eq(e->maps, 0);
        ck_assert_uint_eq(e->account.used, 0);
    }
    if (getenv("BRAID_VERBOSE"))
        fprintf(stderr, "seed %llu: %lld ms, delay %lld loss %u: %llu+%llu bytes, %llu+%llu retransmitted\n",
                (unsigned long long)seed, (long long)((w->now - BRAID_SECOND) / 1000),
                (long long)w->link.delay, w->link.loss, (unsigned long long)w->end[0].to_send,
                (unsigned long long)w->end[1].to_send, (unsigned long long)w->end[0].sf.snd.retransmits,
                (unsigned long long)w->end[1].sf.snd.retransmits);
    for (unsigned i = 0; i < w->n_flying; i++)
        buf_unref(w->flying[i].b); /* NULL for an ICMP error */
    free(w);
}

#define SEEDS_PER_TEST 25
#define TESTS          12

START_TEST(every_byte_arrives_whatever_the_pipe_does)
{
    const char *only = getenv("BRAID_SEED");

    if (only) {
        if (_i == 0)
            run_world(strtoull(only, NULL, 0));
        return;
    }
    const char *many = getenv("BRAID_SEEDS");
    uint64_t n = many ? strtoull(many, NULL, 0) / TESTS : SEEDS_PER_TEST;
    for (uint64_t seed = 0; seed < n; seed++)
        run_world((uint64_t)_i * n + seed);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp loopback");
    TCase *tc = tcase_create("seeds");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_byte_arrives_whatever_the_pipe_does, 0, TESTS);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
