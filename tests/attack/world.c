/* The attacked core, an honest client with a core of its own behind a link of 50 Mbit/s, and the attacker's
 * raw packets. The honest client downloads through the whole attack, and opens another connection in the
 * midst of it, over which it uploads. */
#include "attack.h"
#include "cost.h"
#include "harness.h"
#include "heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include "base/addr.h"
#include "base/buf.h"
#include "mptcp/crypto.h"

#define DELAY    (5 * BRAID_MS)
#define RATE     6 /* bytes per microsecond: about 50 Mbit/s */
#define DOWNLOAD (40u << 20)
#define UPLOAD   (1u << 20)
#define ANSWERS  6000 /* icmp_answers in every second of the attack, and one to spare */

struct harness *H;

uint32_t world_random(struct world *w)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 32);
}

struct braid_addr world_server(void)
{
    struct braid_addr a;

    addr_parse("10.9.0.1:80", &a);
    return a;
}

struct braid_addr world_stranger(unsigned n)
{
    uint8_t ip[4] = {66, (uint8_t)(n >> 20), (uint8_t)(n >> 12), (uint8_t)(n >> 4)};

    return (struct braid_addr){ip_from_v4(ip), (uint16_t)(1024 + (n & 15))};
}

static bool is_stranger(const struct braid_addr *a)
{
    return a->ip.b[12] == 66;
}

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 131 + (at >> 8) * 7 + (at >> 16));
}

void harness_fail(const char *why)
{
    if (!H->r->failure[0])
        snprintf(H->r->failure, sizeof(H->r->failure), "%s", why);
}

/* ---- packets ------------------------------------------------------------------------ */

static void fill_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)world_random(&H->w);
}

static struct buf *gather(const struct braid_packet *p)
{
    bool counts = heap_count(false);
    struct buf *b = buf_new(p->header_len + p->payload_len, NULL);
    size_t at = p->header_len;

    memcpy(b->data, p->header, p->header_len);
    for (unsigned i = 0; i < p->n_payload; at += p->payload[i].iov_len, i++)
        memcpy(b->data + at, p->payload[i].iov_base, p->payload[i].iov_len);
    heap_count(counts);
    return b;
}

static void put(struct link *l, struct buf *b, uint16_t gso)
{
    if (l->tail - l->head == QUEUE || l->busy > H->w.now + 100 * BRAID_MS) {
        buf_unref(b);
        return;
    }
    l->busy = (l->busy > H->w.now ? l->busy : H->w.now) + b->cap / RATE;
    l->q[l->tail++ % QUEUE] = (struct flying){l->busy + DELAY, b, b->cap, gso};
}

static void client_output(void *ctx, const struct braid_packet *p)
{
    (void)ctx;
    put(&H->up, gather(p), p->gso_size);
}

static void server_output(void *ctx, const struct braid_packet *p)
{
    struct wire_packet w;
    struct buf *b = gather(p);

    (void)ctx;
    if (packet_parse(b->data, b->cap, false, &w) != WIRE_OK || w.kind != WIRE_TCP) {
        buf_unref(b);
        return;
    }
    if (is_stranger(&w.dst)) {
        if (H->tail - H->head < REPLIES)
            H->replies[H->tail++ % REPLIES] = (struct reply){w.src, w.dst, w.tcp, w.payload_len};
        buf_unref(b);
        return;
    }
    H->w.honest_seq = w.tcp.ack;
    H->w.honest_ack = w.tcp.seq;
    put(&H->down, b, p->gso_size);
}

static void deliver(struct link *l, struct braid_core *to)
{
    struct flying f = l->q[l->head++ % QUEUE];
    struct braid_input in = {.csum_ok = true, .gso_size = f.gso};

    bool counts = heap_count(to == H->w.core);
    struct buf *b = buf_new(f.len, NULL);
    memcpy(b->data, f.b->data, f.len);
    buf_unref(f.b);
    braid_core_input(to, b, 0, f.len, &in, H->w.now);
    buf_unref(b);
    heap_count(counts);
}

void world_send_raw(struct world *w, const uint8_t *packet, size_t len)
{
    struct braid_input in = {.csum_ok = true};
    bool counts = heap_count(true);
    struct buf *b = buf_new(len, NULL);

    memcpy(b->data, packet, len);
    double before = cost_now();
    braid_core_input(w->core, b, 0, len, &in, w->now);
    braid_core_flush(w->core, w->now);
    H->cpu += cost_now() - before;
    buf_unref(b);
    heap_count(counts);
}

void world_send(struct world *w, const struct braid_addr *from, const struct wire_tcp *t, unsigned len)
{
    static uint8_t packet[PACKET_HEADER_MAX + 65536];
    struct packet_spec spec = {
        .src = *from, .dst = world_server(), .tcp = t, .payload_len = len, .hop_limit = 64};
    struct packet_header h;

    if (packet_header_build(&spec, &h) < 0) {
        harness_fail("an attacking packet cannot be built");
        return;
    }
    memset(packet + h.len, 0, len);
    struct iovec iov = {packet + h.len, len};
    packet_checksum_fill(&h, &iov, len > 0);
    memcpy(packet, h.bytes, h.len);
    world_send_raw(w, packet, h.len + len);
}

/* ---- the honest application --------------------------------------------------------- */

static void pump(struct end *e)
{
    uint8_t chunk[16384];

    while (e->conn && e->up && e->sent < e->to_send) {
        size_t n = e->to_send - e->sent < sizeof(chunk) ? e->to_send - e->sent : sizeof(chunk);

        for (size_t i = 0; i < n; i++)
            chunk[i] = pattern(e->sent + i);
        ssize_t took = braid_conn_write(e->conn, chunk, n);
        if (took <= 0)
            return;
        e->sent += (size_t)took;
    }
    if (e->conn && e->up && e->to_send && e->sent == e->to_send)
        braid_conn_shutdown(e->conn);
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct braid_addr local, remote;

    (void)ctx;
    braid_conn_addrs(c, &local, &remote);
    if (remote.port >= IDLE_PORT && !is_stranger(&remote)) {
        H->idle[0][remote.port - IDLE_PORT] = c;
    } else if (!is_stranger(&remote)) {
        struct end *e = &H->server_ends[remote.port != 4000];

        e->conn = c;
        braid_conn_set_user(c, e);
    }
    braid_conn_accept(c);
}

/* Strangers are given as much as they take. */
static void feed(struct braid_conn *c)
{
    static const uint8_t chunk[65536];

    while (braid_conn_write(c, chunk, sizeof(chunk)) > 0)
        ;
}

static void on_established(struct braid_conn *c, void *user)
{
    struct end *e = user;

    if (!e) {
        if (!H->w.a->quiet)
            feed(c);
        return;
    }
    e->up = true;
    e->mptcp = braid_conn_is_mptcp(c);
    pump(e);
}

static void on_readable(struct braid_conn *c, void *user)
{
    struct end *e = user;
    struct iovec iov[16];
    unsigned n;

    if (!e && H->w.a->unread)
        return;
    while ((n = braid_conn_peek(c, iov, 16)) > 0) {
        size_t all = 0;

        for (unsigned i = 0; i < n; i++) {
            for (size_t k = 0; e && k < iov[i].iov_len; k++)
                e->wrong += ((uint8_t *)iov[i].iov_base)[k] != pattern(e->got + all + k);
            all += iov[i].iov_len;
        }
        braid_conn_consume(c, all);
        if (e)
            e->got += all;
    }
    if (e && e->to_get && e->got == e->to_get && !e->done_at)
        e->done_at = H->w.now;
    if (braid_conn_eof(c))
        braid_conn_shutdown(c);
}

static void on_writable(struct braid_conn *c, void *user)
{
    if (user)
        pump(user);
    else
        feed(c);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct end *e = user;

    (void)c;
    if (!e)
        return;
    e->conn = NULL;
    e->closed = true;
    if (why != BRAID_CLOSE_DONE)
        harness_fail("an honest connection did not end in order");
}

static const struct braid_conn_ops ops = {on_incoming, on_established, on_readable, on_writable, on_closed};

struct braid_conn *harness_connect(unsigned port, struct end *e)
{
    struct braid_connect_params p = {.local = H->w.honest,
                                     .remote = world_server(),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .ops = &ops,
                                     .user = e};
    struct braid_conn *c;

    p.local.port = (uint16_t)port;
    c = braid_connect(H->client, &p, H->w.now);
    if (!c)
        harness_fail("braid_connect");
    return c;
}

static void connect_honest(unsigned i)
{
    H->client_ends[i].conn = harness_connect(4000 + i, &H->client_ends[i]);
}

/* ---- the attacker's connections ------------------------------------------------------ */

static struct peer *peer_of(struct world *w, const struct braid_addr *to)
{
    for (unsigned i = 0; i < w->a->conns; i++) {
        unsigned guess = (((unsigned)to->ip.b[13] << 20 | (unsigned)to->ip.b[14] << 12 |
                           (unsigned)to->ip.b[15] << 4 | (to->port - 1024u)) -
                          1000000u + i) %
                         PEERS_MAX;

        if (addr_equal(&w->peers[guess].addr, to))
            return &w->peers[guess];
        if (i > 0)
            break;
    }
    return NULL;
}

static void take_replies(struct world *w)
{
    while (H->head != H->tail) {
        struct reply r = H->replies[H->head++ % REPLIES];
        struct peer *p = peer_of(w, &r.to);

        if (!p)
            continue;
        if ((r.tcp.flags & TCP_SYN) && !p->open)
            peer_handshake(w, p, &r);
        else if (p->open && w->a->reply)
            w->a->reply(w, p, &r);
        if (p->open && r.tcp.seq == p->rcv_nxt)
            p->rcv_nxt += r.len;
    }
}

/* ---- running -------------------------------------------------------------------------- */

static const struct sched_ops *scheduler_of(const struct attack *a)
{
    for (unsigned i = 0; a->sched && sched_algorithms[i]; i++)
        if (strcmp(sched_algorithms[i]->name, a->sched) == 0)
            return sched_algorithms[i];
    return sched_algorithms[0];
}

void harness_begin(const struct attack *a)
{
    struct braid_core_params params;
    struct braid_host server = {.output = server_output, .random = fill_random};
    struct braid_host client = {.output = client_output, .random = fill_random};
    struct braid_listen_params l = {.addr = world_server(),
                                    .name = "attacked",
                                    .cc = cc_algorithms[0],
                                    .sched = scheduler_of(a),
                                    .ops = &ops};

    H->w.a = a;
    H->w.now = HARNESS_BEGIN;
    H->w.random = 42;
    addr_parse("10.1.0.1:4000", &H->w.honest);
    braid_core_params_default(&params);
    H->client = braid_core_new(&params, &client, HARNESS_BEGIN);
    params.memory = (a->memory ? a->memory : 64) << 20;
    params.half_open = a->half_open ? a->half_open : 256;
    params.max_conns = 120000;
    H->r->budget = params.memory;
    heap_count(true);
    H->w.core = braid_core_new(&params, &server, HARNESS_BEGIN);
    braid_listen(H->w.core, &l);
    heap_count(false);
    H->client_ends[0].to_get = H->server_ends[0].to_send = DOWNLOAD;
    H->client_ends[1].to_send = H->server_ends[1].to_get = UPLOAD;
    connect_honest(0);
}

static void flush_all(void)
{
    braid_core_flush(H->client, H->w.now);
    heap_count(true);
    braid_core_flush(H->w.core, H->w.now);
    heap_count(false);
    take_replies(&H->w);
}

static braid_time earlier(braid_time a, braid_time b)
{
    return a < b ? a : b;
}

static braid_time next_event(void)
{
    braid_time at = earlier(braid_core_deadline(H->client), braid_core_deadline(H->w.core));

    if (H->up.head != H->up.tail)
        at = earlier(at, H->up.q[H->up.head % QUEUE].at);
    if (H->down.head != H->down.tail)
        at = earlier(at, H->down.q[H->down.head % QUEUE].at);
    return at;
}

/* Everything that happens before `until`, except for the attack. */
void harness_run(braid_time until)
{
    for (;;) {
        flush_all();
        braid_time at = next_event();
        if (at > until)
            break;
        H->w.now = at > H->w.now ? at : H->w.now;
        if (H->up.head != H->up.tail && H->up.q[H->up.head % QUEUE].at <= H->w.now) {
            deliver(&H->up, H->w.core);
        } else if (H->down.head != H->down.tail && H->down.q[H->down.head % QUEUE].at <= H->w.now) {
            deliver(&H->down, H->client);
        } else {
            braid_core_run(H->client, H->w.now);
            heap_count(true);
            braid_core_run(H->w.core, H->w.now);
            heap_count(false);
        }
    }
    H->w.now = until;
}

static void learn_token(struct world *w)
{
    struct braid_conn_stats st;

    if (H->server_ends[0].conn) {
        braid_conn_stats(H->server_ends[0].conn, &st);
        w->token = st.token;
    }
}

static void run_attack(const struct attack *a, struct result *r)
{
    struct cost cost = {.packets = a->packets};
    braid_time start;

    for (unsigned i = 0; i < a->conns; i++) {
        peer_open(&H->w, i);
        take_replies(&H->w);
        if (i % 64 == 0)
            harness_run(H->w.now + BRAID_MS);
    }
    for (unsigned n = 0; n < a->ramp; n++) {
        for (unsigned i = 0; i < a->conns; i++)
            peer_acknowledge(&H->w, &H->w.peers[i]);
        harness_run(H->w.now + BRAID_MS);
    }
    learn_token(&H->w);
    start = H->w.now;
    for (unsigned i = 0; i < a->packets; i++) {
        if (i == a->packets / 2)
            connect_honest(1);
        H->cpu = 0;
        if (a->send)
            a->send(&H->w, i);
        cost_add(&cost, i, H->cpu);
        r->sent++;
        harness_run(start + (braid_time)((double)ATTACK_TIME * (i + 1) / a->packets));
    }
    cost_judge(&cost, &r->first_us, &r->worst_us);
}

static bool both_done(void)
{
    return H->client_ends[0].done_at && H->server_ends[1].done_at;
}

static void judge(const struct attack *a, struct result *r)
{
    const struct braid_counters *c = braid_core_counters(H->w.core);
    const struct end *down = &H->client_ends[0], *up = &H->server_ends[1];

    uint64_t joins = c->v[COUNT_MP_JOIN_NO_TOKEN];
    if (joins == 0) /* else what is limited are the refusals */
        joins = c->v[COUNT_MP_JOIN_REJECTED] + c->v[COUNT_MP_JOIN_LIMITED];
    r->refused = (unsigned)(c->v[COUNT_MEM_REFUSED] + joins + c->v[COUNT_ICMP_LIMITED]);
    r->late_mptcp = up->mptcp;
    r->peak = heap_peak();
    if (down->wrong || up->wrong)
        harness_fail("a wrong byte");
    else if (!down->done_at)
        harness_fail("the honest download is not complete");
    else if (!up->done_at)
        harness_fail("who connected during the attack was not served");
    else if (r->peak > r->budget)
        harness_fail("more memory than the budget");
    else if (c->v[COUNT_ICMP_OUT_ECHO_REPS] > ANSWERS || c->v[COUNT_ICMP_OUT_UNREACH] > ANSWERS)
        harness_fail("more answers to strangers than the limit");
    else if (a->send && r->worst_us > 8 * r->first_us + 40)
        harness_fail("the work per packet grows");
    if (down->done_at)
        r->goodput = (double)DOWNLOAD * 8 / ((double)(down->done_at - HARNESS_BEGIN) / BRAID_SECOND);
    r->ok = !r->failure[0];
}

static void drop_link(struct link *l)
{
    while (l->head != l->tail)
        buf_unref(l->q[l->head++ % QUEUE].b);
}

void harness_end(void)
{
    braid_core_check(H->w.core);
    braid_core_free(H->client);
    braid_core_free(H->w.core);
    drop_link(&H->up);
    drop_link(&H->down);
}

void world_run(const struct attack *a, struct result *out)
{
    memset(out, 0, sizeof(*out));
    H = calloc(1, sizeof(*H));
    H->r = out;
    heap_reset();
    harness_begin(a);
    harness_run(HARNESS_BEGIN + 200 * BRAID_MS);
    run_attack(a, out);
    while (!both_done() && !out->failure[0] && H->w.now < HARNESS_BEGIN + HARNESS_LIMIT)
        harness_run(H->w.now + 10 * BRAID_MS);
    judge(a, out);
    harness_end();
    free(H);
}
