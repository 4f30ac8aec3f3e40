/* A device of a LAN, a router with a CPE, and the world behind its uplinks: three cores in virtual time, with
 * a wire that a test may look into. The device and the world's servers are played by the test. */
#ifndef BRAID_TESTS_CPE_WORLD_H
#define BRAID_TESTS_CPE_WORLD_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <event2/event.h>
#include <braid/core.h>
#include "base/addr.h"
#include "base/buf.h"
#include "io/clock.h"
#include "role/convert_cookie.h"
#include "role/cpe.h"
#include "role/node.h"
#include "role/uplinks.h"
#include "strip.h"
#include "suite.h"
#include "wire/convert.h"
#include "wire/packet.h"

#define LAN_DELAY    BRAID_MS
#define WAN_DELAY    (5 * BRAID_MS)
#define SECRET       "correct-horse-battery"
#define WORLD_FLYING 8192
#define WORLD_ROOM   (1 << 20) /* bytes that an end of a connection may receive */

enum where { DEVICE, ROUTER, WORLD, PLACES };

/* What a server of the world does with a SYN. The rest are a converter's: with the Connect TLV in the SYN;
 * with an error in the SYN/ACK; with one that comes when it has accepted; with another protocol; without an
 * answer; when the test says so; if it is shown the cookie that it has given to this address, or a code. */
enum manners {
    ACCEPTS,
    REFUSES,
    UNREACHABLE,
    HOLDS,
    CONVERTS,
    CONVERTS_NOT,
    CONVERTS_LATE,
    BABBLES,
    MUMBLES,
    CONVERTS_SLOWLY,
    CONVERTS_KNOWN,
    CONVERTS_SECRET
};

/* One end of a connection that the test plays; connections that it had before are not heard. */
struct app {
    struct braid_conn *conn; /* NULL: none yet, or closed */
    bool established, eof, closed, reading;
    enum manners manners;  /* of a converter's */
    bool asking, answered; /* a converter: it waits for the Connect TLV; it has answered */
    bool by_syn;           /* ... the TLV was in the SYN */
    enum braid_close why;
    uint8_t got[WORLD_ROOM];
    size_t n;
};

struct flying {
    braid_time at;
    enum where to;
    struct buf *b;
    size_t len;
    struct braid_input in;
};

static struct {
    braid_time now;
    uint64_t rng;
    struct braid_core *cores[PLACES];
    struct event_base *base;
    struct node *node;
    struct cpes *cpes;
    struct cpe_params params;
    struct cpe_neighbours neighbours;
    struct uplinks uplinks;
    struct app device, server;
    struct app denied; /* the end of a connection that a converter has denied */
    enum manners manners;
    struct braid_addr good; /* the converter here CONVERTS, whatever the others do; port 0: none */
    const char *babble;     /* BABBLES: of n_babble bytes; NULL: HTTP */
    size_t n_babble;
    uint8_t error;           /* CONVERTS_NOT, CONVERTS_LATE: its code */
    struct braid_addr asked; /* whom a converter was asked for last; port 0: nobody */
    unsigned questions;      /* connections by which a converter was asked for nobody */
    uint8_t cookie[CONVERT_MESSAGE_MAX];
    size_t n_cookie;           /* that it was shown then */
    uint8_t recipe;            /* CONVERTS_KNOWN: its cookies differ with it */
    size_t n_recipe;           /* ... and are so long */
    bool fickle;               /* ... and it changes with each that is given */
    unsigned refused;          /* CONVERTS_KNOWN, CONVERTS_SECRET: connections that were shown nothing good */
    struct braid_addr through; /* at which address */
    bool bare;                 /* what SYNs carry is not looked at */
    bool asked_mptcp;          /* a converter is to tell whether the server speaks MPTCP ... */
    bool speaks_mptcp;         /* ... and it does */
    bool deaf;                 /* converters do not know that option */
    bool strips;               /* option 30 is taken away from all but SYNs */
    struct braid_addr itself;  /* a server that is no converter, whatever the manners are; port 0: none */
    unsigned loss;             /* of 100 packets between the router and the world so many are lost */
    bool silent[UPLINKS_MAX];  /* what comes from this inner address is lost */
    unsigned syns[UPLINKS_MAX];
    uint16_t traffic_class, max_segment; /* of the device's SYN; 0: as ever */
    struct braid_addr other;             /* the device's own, besides the usual ones; port 0: none */
    struct braid_addr dead;              /* SYNs to it are lost; port 0: none */
    unsigned passed;                     /* packets that the router has passed back */
    bool forged;                         /* what the router sends may be anything */
    struct flying flying[WORLD_FLYING];
    unsigned head, tail;
} world;

/* The role's clock is the test's. */
braid_time clock_now(void)
{
    return world.now;
}

static inline struct braid_addr at(const char *text)
{
    struct braid_addr a;
    ck_assert_msg(addr_parse(text, &a) == 0, "%s", text);
    return a;
}

/* ---- the wire ---------------------------------------------------------------------------------- */

static inline void fly(const struct flying *f)
{
    ck_assert_uint_lt(world.tail - world.head, WORLD_FLYING);
    unsigned i = world.tail++;
    for (; i != world.head && world.flying[(i - 1) % WORLD_FLYING].at > f->at; i--)
        world.flying[i % WORLD_FLYING] = world.flying[(i - 1) % WORLD_FLYING];
    world.flying[i % WORLD_FLYING] = *f;
}

static inline bool is_device(const struct braid_ip *ip)
{
    struct braid_addr v4 = at("192.168.77.2:1"), v6 = at("[fd77::2]:1");
    return ip_equal(ip, &v4.ip) || ip_equal(ip, &v6.ip) ||
           (world.other.port && ip_equal(ip, &world.other.ip));
}

/* False: it is lost, or has left by the kernel. */
static inline bool leaves_router(const struct wire_packet *p, struct flying *f)
{
    int i = uplinks_find(&world.uplinks, &p->src.ip);
    if (is_device(&p->src.ip)) {
        world.passed++;
        return false;
    }
    f->to = is_device(&p->dst.ip) ? DEVICE : WORLD;
    f->at = world.now + (f->to == DEVICE ? LAN_DELAY : WAN_DELAY);
    if (f->to == DEVICE)
        return true;
    ck_assert_msg(i >= 0 || world.forged, "a packet that no uplink sends");
    world.syns[i < 0 ? 0 : i] += (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return i >= 0 && !world.silent[i] && !(world.dead.port && addr_equal(&p->dst, &world.dead));
}

static inline void world_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    uint8_t *b = out;
    for (size_t i = 0; i < len; i++) {
        world.rng = world.rng * 6364136223846793005u + 1442695040888963407u;
        b[i] = (uint8_t)(world.rng >> 56);
    }
}

static inline void world_output(void *ctx, const struct braid_packet *o)
{
    enum where from = (enum where)(uintptr_t)ctx;
    struct flying f = {.at = world.now + (from == DEVICE ? LAN_DELAY : WAN_DELAY),
                       .to = ROUTER,
                       .len = o->header_len + o->payload_len,
                       .in = {.csum_ok = true, .gso_size = o->gso_size}};
    f.b = buf_new(f.len, NULL);
    memcpy(f.b->data, o->header, o->header_len);
    size_t used = o->header_len;
    for (unsigned i = 0; i < o->n_payload; used += o->payload[i].iov_len, i++)
        memcpy(f.b->data + used, o->payload[i].iov_base, o->payload[i].iov_len);
    struct wire_packet p;
    memset(&p, 0, sizeof(p));
    bool tcp = packet_parse(f.b->data, f.len, false, &p) == WIRE_OK && p.kind == WIRE_TCP;
    if (world.strips && tcp && !(p.tcp.flags & TCP_SYN))
        strip_mptcp((uint8_t *)p.header);
    if (from == ROUTER && tcp && !leaves_router(&p, &f)) {
        buf_unref(f.b);
        return;
    }
    uint8_t chance = UINT8_MAX;
    if (world.loss > 0 && (from == WORLD || f.to == WORLD))
        world_random(NULL, &chance, 1);
    bool many = world.forged && world.tail - world.head > WORLD_FLYING / 2;
    if (chance * 100u < world.loss * 256u || many) {
        buf_unref(f.b);
        return;
    }
    if (from == ROUTER && !tcp) /* ICMP, about the device's SYN */
        f.to = DEVICE;
    fly(&f);
}

/* ---- the applications ------------------------------------------------------------------------- */

static inline void app_read(struct app *a)
{
    if (!a->conn || !a->reading)
        return;
    ssize_t n;
    while ((n = braid_conn_read(a->conn, a->got + a->n, WORLD_ROOM - a->n)) > 0)
        a->n += (size_t)n;
    a->eof = braid_conn_eof(a->conn);
}

static inline void app_established(struct braid_conn *c, void *user);

static inline void app_readable(struct braid_conn *c, void *user);

static inline void app_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct app *a = user;
    if (a->conn != c)
        return;
    app_read(a);
    a->closed = true;
    a->why = why;
    a->conn = NULL;
}

/* Takes the Connect TLV off the stream. False: it is not here yet. */
static inline bool converter_hears(struct braid_conn *c)
{
    uint8_t bytes[CONVERT_MESSAGE_MAX];
    struct iovec iov[4];
    struct convert_message m;
    struct braid_addr remote;
    size_t len = 0;
    for (unsigned i = 0, n = braid_conn_peek(c, iov, 4); i < n && len < sizeof(bytes); i++) {
        size_t take = iov[i].iov_len < sizeof(bytes) - len ? iov[i].iov_len : sizeof(bytes) - len;
        memcpy(bytes + len, iov[i].iov_base, take);
        len += take;
    }
    if (convert_parse(CONVERT_BY_CLIENT, bytes, len, &m) != CONVERT_COMPLETE)
        return false;
    ck_assert(m.has_connect != m.has_info);
    world.questions += m.has_info;
    if (m.has_info)
        return false;
    world.asked = m.connect;
    world.asked_mptcp = convert_option_has(m.connect_options, 30);
    world.n_cookie = m.has_cookie ? m.cookie.n : 0;
    if (m.has_cookie)
        memcpy(world.cookie, m.cookie.at, m.cookie.n);
    braid_conn_addrs(c, &world.through, &remote);
    braid_conn_consume(c, m.len);
    return true;
}

static inline size_t converter_says(uint8_t out[CONVERT_MESSAGE_MAX], bool error)
{
    static const uint8_t options[16] = {2, 4, 5, 180, 30, 12, 1, 1};
    struct convert_writer w;
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    if (error)
        convert_put_error(&w, world.error, NULL, 0);
    else if (world.asked_mptcp)
        convert_put_extended_header(&w, options, world.speaks_mptcp ? sizeof(options) : 4);
    return convert_end(&w);
}

/* The cookie of who is at the other end. */
static inline size_t recipe(const struct braid_conn *c, uint8_t out[CONVERT_MESSAGE_MAX])
{
    struct braid_addr local, remote;
    braid_conn_addrs(c, &local, &remote);
    memset(out, world.recipe, world.n_recipe);
    out[0] = remote.ip.b[15];
    return world.n_recipe;
}

/* What a client that has been heard is refused with; 0: nothing. */
static inline size_t converter_doubts(const struct braid_conn *c, uint8_t out[CONVERT_MESSAGE_MAX])
{
    uint8_t right[CONVERT_MESSAGE_MAX];
    struct convert_writer w;
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    if (world.deaf) {
        if (!world.asked_mptcp)
            return 0;
        convert_put_error(&w, CONVERT_UNSUPPORTED_OPTION, (const uint8_t[]){30}, 1);
    } else if (world.manners == CONVERTS_SECRET) {
        if (convert_psk_check(SECRET, &world.asked, time(NULL), world.cookie, world.n_cookie) ==
            CONVERT_COOKIE_GOOD)
            return 0;
        convert_put_error(&w, CONVERT_NOT_AUTHORIZED, NULL, 0);
    } else {
        size_t n = recipe(c, right);
        if (world.n_cookie == n && memcmp(world.cookie, right, n) == 0)
            return 0;
        if (world.n_cookie > 0)
            convert_put_error(&w, CONVERT_NOT_AUTHORIZED, NULL, 0);
        else
            convert_put_error_echo(&w, CONVERT_MISSING_COOKIE, right, n);
        world.recipe += world.fickle;
    }
    world.refused++;
    return convert_end(&w);
}

static inline void converter_incoming(struct app *a, struct braid_conn *c)
{
    uint8_t out[CONVERT_MESSAGE_MAX];
    struct braid_addr local, remote;
    braid_conn_addrs(c, &local, &remote);
    unsigned questions = world.questions;
    bool good = world.good.port && addr_equal(&local, &world.good), heard = converter_hears(c);
    if (world.questions > questions) {
        braid_conn_set_user(c, &world.denied);
        braid_conn_accept(c);
        return;
    }
    bool doubting = world.deaf || world.manners >= CONVERTS_KNOWN;
    size_t doubts = doubting && heard && !good ? converter_doubts(c, out) : 0;
    bool denies = world.manners == CONVERTS_NOT || (world.manners == BABBLES && world.babble);
    if ((denies && !good) || doubts > 0)
        a = &world.denied;
    *a = (struct app){.reading = true, .manners = good ? CONVERTS : world.manners, .conn = c};
    a->asking = !heard;
    a->by_syn = heard;
    braid_conn_set_user(c, a);
    if (a->manners == CONVERTS_NOT && !a->asking)
        braid_conn_accept_with(c, out, converter_says(out, true));
    else if (doubts > 0)
        braid_conn_accept_with(c, out, doubts);
    else if (a->manners != CONVERTS_SLOWLY)
        braid_conn_accept(c);
    a->answered = doubts > 0;
}

/* It has been asked, by the SYN or by the stream. */
static inline void converter_answers(struct app *a)
{
    uint8_t out[CONVERT_MESSAGE_MAX];
    size_t len =
        (world.deaf || a->manners >= CONVERTS_KNOWN) && !a->by_syn ? converter_doubts(a->conn, out) : 0;
    if (len > 0) { /* whoever comes next is another one */
        world.denied = *a;
        braid_conn_set_user(a->conn, &world.denied);
    }
    if (len == 0)
        len = converter_says(out, a->manners == CONVERTS_NOT || a->manners == CONVERTS_LATE);
    a->answered = true;
    if (a->manners == BABBLES && world.babble)
        braid_conn_write(a->conn, world.babble, world.n_babble);
    else if (a->manners == BABBLES)
        braid_conn_write(a->conn, "HTTP/1.1 400 Bad Request\r\n", 26);
    else if (a->manners != MUMBLES)
        braid_conn_write(a->conn, out, len);
}

static inline void server_incoming(void *ctx, struct braid_conn *c)
{
    struct app *a = ctx;
    struct braid_addr local, remote;
    braid_conn_addrs(c, &local, &remote);
    bool itself = world.itself.port && addr_equal(&local, &world.itself);
    if (world.manners >= CONVERTS && !itself) {
        converter_incoming(a, c);
        return;
    }
    if (world.manners == REFUSES || world.manners == UNREACHABLE) {
        braid_conn_refuse(c, world.manners == REFUSES ? BRAID_REFUSE_RESET : BRAID_REFUSE_UNREACHABLE);
        return;
    }
    *a = (struct app){.reading = true, .conn = c};
    braid_conn_set_user(c, a);
    if (world.manners == ACCEPTS || itself)
        braid_conn_accept(c);
}

static inline void app_established(struct braid_conn *c, void *user)
{
    struct app *a = user;
    a->established = a->established || a->conn == c;
    bool converts = a->conn == c && a->manners >= CONVERTS && a->manners != CONVERTS_NOT;
    if (converts && !a->asking && !a->answered)
        converter_answers(a);
}

static inline void app_readable(struct braid_conn *c, void *user)
{
    struct app *a = user;
    if (a->conn == c && a->asking && converter_hears(c)) {
        a->asking = false;
        converter_answers(a);
    }
    if (a->conn == c && !a->asking)
        app_read(a);
}

static const struct braid_conn_ops app_ops = {.incoming = server_incoming,
                                              .established = app_established,
                                              .readable = app_readable,
                                              .closed = app_closed};

static inline struct braid_listener *serve(const char *addr, enum braid_clients clients)
{
    struct braid_listen_params l = {.addr = at(addr),
                                    .clients = clients,
                                    .name = "server",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .syn_data = world.bare ? 0 : 1460,
                                    .ops = &app_ops,
                                    .ctx = &world.server};
    struct braid_listener *made = braid_listen(world.cores[WORLD], &l);
    ck_assert_ptr_nonnull(made);
    return made;
}

/* The device connects, from a port that is its own each time. */
static inline void device_connects(const char *to)
{
    static uint16_t port = 40000;
    struct braid_addr remote = at(to);
    struct braid_connect_params p = {.local = ip_is_v4(&remote.ip) ? at("192.168.77.2:1") : at("[fd77::2]:1"),
                                     .remote = remote,
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .plain = true,
                                     .traffic_class = (uint8_t)world.traffic_class,
                                     .max_segment = world.max_segment,
                                     .ops = &app_ops,
                                     .user = &world.device};
    p.local.port = ++port;
    if (world.other.port) {
        p.local.ip = world.other.ip;
        world.other.port = port;
    }
    world.device = world.server = (struct app){.reading = true};
    world.device.conn = braid_connect(world.cores[DEVICE], &p, world.now);
    ck_assert_ptr_nonnull(world.device.conn);
}

/* ---- time -------------------------------------------------------------------------------------- */

static inline void world_flush(void)
{
    for (unsigned i = 0; i < PLACES; i++) {
        do
            braid_core_flush(world.cores[i], world.now);
        while (braid_core_dirty(world.cores[i]));
        braid_core_check(world.cores[i]);
    }
}

/* The earliest of what the cores and the role wait for. */
static inline braid_time world_deadline(void)
{
    braid_time next = world.node->roles[0]->expires;
    for (unsigned i = 0; i < PLACES; i++) {
        braid_time at = braid_core_deadline(world.cores[i]);
        next = at < next ? at : next;
    }
    return next;
}

static inline void world_expire(void)
{
    struct role *r = world.node->roles[0];
    for (unsigned i = 0; i < PLACES; i++)
        braid_core_run(world.cores[i], world.now);
    if (r->expires <= world.now) {
        r->expires = BRAID_NEVER;
        r->ops->expire(r, world.now);
    }
}

/* The next packet arrives; nobody is flushed. */
static inline void land(void)
{
    struct flying f = world.flying[world.head++ % WORLD_FLYING];
    world.now = f.at > world.now ? f.at : world.now;
    braid_core_input(world.cores[f.to], f.b, 0, f.len, &f.in, world.now);
    buf_unref(f.b);
}

/* Lets time pass, until *stop if it is not NULL. */
static inline void run_for(braid_time time, const bool *stop)
{
    braid_time until = world.now + time;
    for (;;) {
        world_flush();
        if (stop && *stop)
            return;
        braid_time next = world_deadline();
        const struct flying *first = &world.flying[world.head % WORLD_FLYING];
        bool flies = world.head != world.tail && first->at <= next;
        if ((flies ? first->at : next) > until)
            break;
        if (flies) {
            land();
        } else {
            world.now = next > world.now ? next : world.now;
            world_expire();
        }
    }
    world.now = until;
}

/* Until it is so, at most for so long. */
static inline void until(const bool *it, braid_time limit)
{
    run_for(limit, it);
    ck_assert(*it);
}

static inline void say(struct app *a, const char *text)
{
    ck_assert_int_eq(braid_conn_write(a->conn, text, strlen(text)), (ssize_t)strlen(text));
}

static inline void expect_got(const struct app *a, const char *text)
{
    ck_assert_uint_eq(a->n, strlen(text));
    ck_assert_mem_eq(a->got, text, a->n);
}

static inline uint64_t counted(enum cpe_counter c)
{
    return cpes_counters(world.cpes, 0)->v[c];
}

/* ---- life ---------------------------------------------------------------------------------------- */

/* The router's CPE, of world.params. */
static inline void make_cpe(void)
{
    world.node = node_new(world.cores[ROUTER], world.base);
    ck_assert_ptr_nonnull(world.node);
    world.cpes = cpes_new(world.node, &world.neighbours, &world.params, 1);
    ck_assert_ptr_nonnull(world.cpes);
    cpes_set_uplinks(world.cpes, &world.uplinks);
}

static inline void add_uplink(unsigned i)
{
    static const char *const names[] = {"dsl", "lte", "sat"};
    struct uplink *u = &world.uplinks.all[i];
    *u = (struct uplink){.name = names[i], .usable = {true, true}};
    u->inner[UPLINK_V4] = ip_from_v4((const uint8_t[]){10, 200, 0, (uint8_t)(i + 1)});
    u->inner[UPLINK_V6] = (struct braid_ip){{0xfd, 0, 2, [15] = (uint8_t)(i + 1)}};
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        struct braid_endpoint e = {.addr.ip = u->inner[f], .subflow = true};
        ck_assert_int_eq(braid_core_endpoint_add(world.cores[ROUTER], &e), 0);
    }
    world.uplinks.n = i + 1;
}

extern const struct pm_ops pm_fullmesh;

static inline void world_begin(void)
{
    struct braid_core_params params;
    memset(&world, 0, sizeof(world));
    world.now = 1000 * BRAID_SECOND;
    world.rng = 42;
    world.base = event_base_new();
    braid_core_params_default(&params);
    params.time_wait = BRAID_SECOND;
    for (unsigned i = 0; i < PLACES; i++) {
        struct braid_host host = {
            .ctx = (void *)(uintptr_t)i, .output = world_output, .random = world_random};
        world.cores[i] = braid_core_new(&params, &host, world.now);
        ck_assert_ptr_nonnull(world.cores[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        add_uplink(i);
    world.params = (struct cpe_params){.name = "lan",
                                       .port_first = 1,
                                       .port_last = 65535,
                                       .sched = sched_algorithms[0],
                                       .cc = cc_algorithms[0],
                                       .pm = &pm_fullmesh};
}

static inline void world_end(void)
{
    node_free(world.node);
    for (unsigned i = 0; i < PLACES; i++)
        braid_core_free(world.cores[i]);
    while (world.head != world.tail)
        buf_unref(world.flying[world.head++ % WORLD_FLYING].b);
    event_base_free(world.base);
}

#endif
