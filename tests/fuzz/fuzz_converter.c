/* Plays the clients of a converter's edge and the servers behind it, from the first byte to the last: what
 * comes with SYNs, what follows in whatever pieces, who leaves when, how long servers take and what becomes
 * of them. The edge, its splices and its sockets are the daemon's; the core is a scripted one
 * (tests/unit/fake_core.h), and so are the dialling of servers and the clock.
 *
 * Whatever happens: a client reads one message of the protocol first, then what its server has sent; the
 * server reads what came behind the client's message; nothing is connected that may not be; and nothing is
 * left at the end, neither memory nor descriptors nor connections that are counted. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "must.h"

#define FAKE_MUST   MUST
#define FAKE_STREAM (64 * 1024)

#include "../unit/fake_core.h"
#include "io/upstream.h"
#include "relay/dial.h"
#include "role/edge.h"
#include "role/node.h"
#include "role/reach.h"
#include "role/unproven.h"
#include "wire/convert.h"

#define CLIENTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
struct dial *__wrap_dial_new(struct event_base *base, const struct dial_params *p);
void __wrap_dial_begin(struct dial *d);
void __wrap_dial_free(struct dial *d);
braid_time __wrap_clock_now(void);

/* Who is being asked. */
struct dial {
    struct dial_params params;
    struct braid_addr server;
    bool begun;
};

/* A client, and the far end of its server's socket. */
struct peer {
    struct braid_conn *conn;   /* NULL: there is none */
    struct dial *dial;         /* under way; NULL: none */
    int server;                /* -1: none */
    size_t message;            /* bytes of the client's message, once a server was asked for */
    size_t to_server;          /* bytes that the server has read */
    uint8_t sent[FAKE_STREAM]; /* what the server has sent */
    size_t n_sent;
};

static const uint8_t *in;
static size_t left;
static struct event_base *base;
static struct node *node;
static struct edges *edges;
static struct edge_params params;
static struct peer peers[CLIENTS];
static struct peer *current; /* whose turn it is: the dial that begins is its own */
static braid_time now;
static int listener = -1;

/* ---- the script --------------------------------------------------------------------------------- */

static uint8_t next8(void)
{
    if (left == 0)
        return 0;
    left--;
    return *in++;
}

static size_t next_bytes(uint8_t *out, size_t n)
{
    n = n < left ? n : left;
    memcpy(out, in, n);
    in += n;
    left -= n;
    return n;
}

/* ---- what stands for the rest of the daemon ------------------------------------------------------ */

braid_time __wrap_clock_now(void)
{
    return now;
}

/* Nobody is asked before the client's message is complete and names a server that may be reached. */
struct dial *__wrap_dial_new(struct event_base *b, const struct dial_params *p)
{
    struct dial *d = calloc(1, sizeof(*d));
    struct convert_message m;
    MUST(d && b == base && p->targets->n == 1 && !current->dial);
    d->params = *p;
    d->server = p->targets->addr[0];
    MUST(convert_parse(CONVERT_BY_CLIENT, current->conn->up, current->conn->up_arrived, &m) ==
         CONVERT_COMPLETE);
    MUST(m.has_connect && addr_equal(&m.connect, &d->server));
    MUST(!reach_is_special(&d->server.ip, false));
    current->message = m.len;
    current->dial = d;
    return d;
}

void __wrap_dial_begin(struct dial *d)
{
    d->begun = true;
}

void __wrap_dial_free(struct dial *d)
{
    for (unsigned i = 0; d && i < CLIENTS; i++)
        if (peers[i].dial == d)
            peers[i].dial = NULL;
    free(d);
}

/* On a machine that is busy the handshake takes a moment, and libFuzzer's own alarm may interrupt the waiting
 * for it: the handshake goes on all the same. */
static void connect_to_listener(int fd)
{
    struct sockaddr_in sa;
    socklen_t len = sizeof(sa);
    MUST(getsockname(listener, (struct sockaddr *)&sa, &len) == 0);
    if (connect(fd, (struct sockaddr *)&sa, len) == 0)
        return;
    MUST(errno == EINTR);
    struct pollfd done = {.fd = fd, .events = POLLOUT};
    while (poll(&done, 1, -1) < 0)
        MUST(errno == EINTR);
    int error;
    socklen_t error_len = sizeof(error);
    MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 && error == 0);
}

static int accept_from_listener(void)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0)
        MUST(errno == EINTR);
    return fd;
}

/* A connection over loopback: fd is the daemon's socket, *far the other one. */
static int connect_pair(int *far)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    MUST(fd >= 0);
    connect_to_listener(fd);
    *far = accept_from_listener();
    MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

/* ---- what must hold ------------------------------------------------------------------------------ */

static void check_client(const struct peer *p)
{
    const struct braid_conn *c = p->conn;
    struct convert_message m;
    if (c->down_len == 0)
        return;
    MUST(convert_parse(CONVERT_BY_CONVERTER, c->down, c->down_len, &m) == CONVERT_COMPLETE);
    MUST(m.has_error || m.has_supported || p->message > 0);
    size_t rest = c->down_len - m.len;
    MUST(rest <= p->n_sent && memcmp(c->down + m.len, p->sent, rest) == 0);
}

static void server_reads(struct peer *p)
{
    uint8_t bytes[4096];
    ssize_t n;
    while (p->server >= 0 && (n = recv(p->server, bytes, sizeof(bytes), 0)) > 0) {
        MUST(p->message + p->to_server + (size_t)n <= p->conn->up_arrived);
        MUST(memcmp(bytes, p->conn->up + p->message + p->to_server, (size_t)n) == 0);
        p->to_server += (size_t)n;
    }
}

/* ---- what happens -------------------------------------------------------------------------------- */

static void server_gone(struct peer *p)
{
    if (p->server >= 0)
        upstream_reset(p->server);
    p->server = -1;
}

/* The connection has ended: of a client's memory nothing may be used any more. */
static void forget(struct peer *p)
{
    MUST(!p->dial);
    server_gone(p);
    fake_conn_free(p->conn);
    *p = (struct peer){.server = -1};
}

static bool ended(const struct braid_conn *c)
{
    return c->refused || c->closed_told || c->released;
}

static void settle(struct peer *p)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    if (!p->conn)
        return;
    if (p->conn->sndbuf > 0)
        fake_flush(p->conn);
    check_client(p);
    if (ended(p->conn))
        forget(p);
}

static void syn(struct peer *p, uint8_t how)
{
    struct braid_conn *c = p->conn = fake_conn_of(fake_listener->params.ops);
    c->client_ready = how & 1;
    c->piece = 1 + next8();
    c->sndbuf = how & 2 ? 1000 : FAKE_STREAM;
    c->local = params.listen[0];
    addr_parse(how & 4 ? "[2001:db8::7]:7" : "203.0.113.7:7", &c->remote);
    c->up_arrived = next_bytes(c->up, next8() * 8u);
    c->ops->incoming(fake_listener->params.ctx, c);
}

static void client_sends(struct braid_conn *c, size_t n)
{
    if (!c->up_end && c->up_arrived + n < FAKE_STREAM)
        c->up_arrived += next_bytes(c->up + c->up_arrived, n);
}

static void server_answers(struct peer *p, uint8_t how)
{
    static const int errors[] = {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH,
                                 EMFILE,       ENOMEM,    EACCES,      EPROTO};
    struct dial *d = p->dial;
    if (!d || !d->begun)
        return;
    p->dial = NULL;
    if (how & 8) {
        *d->params.icmp_code = (how & 7) - 1;
        d->params.failed(d->params.arg, errors[how & 7]);
    } else {
        d->params.connected(d->params.arg, connect_pair(&p->server), &d->server);
    }
    free(d);
}

static void server_sends(struct peer *p, size_t n)
{
    uint8_t bytes[256];
    n = next_bytes(bytes, n);
    if (p->server < 0 || p->n_sent + n > FAKE_STREAM || send(p->server, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        return;
    memcpy(p->sent + p->n_sent, bytes, n);
    p->n_sent += n;
}

static void time_passes(braid_time by)
{
    struct role *r = node->roles[0];
    now += by;
    if (r->expires > now)
        return;
    r->expires = BRAID_NEVER;
    r->ops->expire(r, now);
}

enum {
    SYN,
    CLIENT_SENDS,
    CLIENT_READY,
    CLIENT_ENDS,
    CLIENT_RESETS,
    ANSWER,
    SERVER_SENDS,
    SERVER_ENDS,
    SERVER_RESETS,
    TIME,
    N_STEPS
};

static void step(void)
{
    uint8_t what = next8(), how = next8();
    struct peer *p = current = &peers[(what >> 4) % CLIENTS];
    struct braid_conn *c = p->conn;
    what = (what & 15) % N_STEPS;
    if (what == TIME)
        time_passes(how * 50 * BRAID_MS);
    else if (what == SYN && !c)
        syn(p, how);
    if (!c) {
        settle(p);
        return;
    }
    switch (what) {
    case CLIENT_SENDS:
        client_sends(c, how);
        c->down_acked = c->down_len;
        break;
    case CLIENT_READY:
        c->client_ready = true;
        break;
    case CLIENT_ENDS:
        c->up_end = true;
        break;
    case CLIENT_RESETS:
        fake_close(c, BRAID_CLOSE_RESET);
        break;
    case ANSWER:
        server_answers(p, how);
        break;
    case SERVER_SENDS:
        server_sends(p, how);
        break;
    case SERVER_ENDS:
        if (p->server >= 0)
            shutdown(p->server, SHUT_WR);
        break;
    case SERVER_RESETS:
        server_gone(p);
    }
    settle(p);
    server_reads(p);
}

/* ---- beginning and end --------------------------------------------------------------------------- */

static void begin(void)
{
    struct unproven_limits limits = {.all = 100, .per_source = 100};
    struct targets none = {.n = 0};
    uint8_t how = next8();
    now = BRAID_SECOND;
    params = (struct edge_params){.name = "fuzz", .kind = EDGE_CONVERT, .n_listen = 1};
    params.convert = (struct convert_params){.cookie = (how & 3) % 3, .pending = how & 4 ? 1 : 100};
    params.convert.open = !(how & 8);
    params.convert.ignore_bare_syn = how & 16;
    params.convert.early = how & 64;
    strcpy(params.convert.psk, "0123456789abcdef");
    limits.all = how & 32 ? 0 : 100;
    addr_parse("198.51.100.1:5124", &params.listen[0]);
    for (unsigned i = 0; i < CLIENTS; i++)
        peers[i] = (struct peer){.server = -1};
    base = event_base_new();
    node = node_new(NULL, base);
    MUST(base && node);
    edges = edges_new(node, &limits, &params, &none, 1);
    MUST(edges);
}

/* Clients that are left are reset, or the daemon ends under them. */
static void end(bool abruptly)
{
    const struct edge_counters *count = edges_counters(edges, 0);
    for (unsigned i = 0; i < CLIENTS && !abruptly; i++) {
        struct braid_conn *c = peers[i].conn;
        if (!c)
            continue;
        if (!ended(c))
            fake_close(c, c->accepted ? BRAID_CLOSE_RESET : BRAID_CLOSE_REFUSED);
        forget(&peers[i]);
    }
    MUST(abruptly || (count->open == 0 && count->connecting == 0 && node->n_conns == 0));
    node_free(node);
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (!peers[i].conn)
            continue;
        MUST(ended(peers[i].conn) && !peers[i].dial);
        forget(&peers[i]);
    }
    event_base_free(base);
    MUST(fake_listeners == 0);
}

/* The number that the next descriptor gets. */
static int lowest_descriptor(void)
{
    int fd = dup(listener);
    MUST(fd >= 0);
    close(fd);
    return fd;
}

static void listen_once(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listener >= 0 && bind(listener, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
         listen(listener, 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (listener < 0)
        listen_once();
    in = data;
    left = len;
    int lowest = lowest_descriptor();
    begin();
    while (left > 0)
        step();
    end(len & 1);
    MUST(lowest_descriptor() == lowest);
    return 0;
}
