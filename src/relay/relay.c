/* The splice between a client's connection and a server's socket, without a copy in user space: bytes go from
 * the packets they came in to sendmsg, and from readv into the connection's send buffer. Conversion of ends:
 *   client's EOF -> shutdown(SHUT_WR); server's EOF -> braid_conn_shutdown;
 *   client's abort or silence -> RST to the server; server's RST -> braid_conn_abort_delivered, once what it
 *   sent before has been read. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "io/log.h"
#include "io/upstream.h"
#include "relay/relay.h"

#define SEND_IOVECS 64
#define RECV_IOVECS 32
#define READ_MIN    (16 * 1024)
#define READ_MAX    (128 * 1024)
#define READ_BUDGET (128 * 1024) /* bytes per relay and turn of the loop */

/* The connection may outlive it: it has its own farewell to finish. */
static void relay_free(struct relay *r)
{
    struct edge *e = r->edge;
    braid_conn_set_user(r->conn, NULL);
    if (r->connecting)
        e->counters.connecting--;
    else
        e->counters.open--;
    if (!r->established)
        e->unproven--;
    list_remove(&r->link);
    list_remove(&r->again);
    free(r);
    edge_relay_gone(e);
}

static void detach_socket(struct relay *r, bool reset)
{
    if (!event_initialized(&r->event))
        return;
    int fd = (int)event_get_fd(&r->event);
    event_del(&r->event);
    if (reset)
        upstream_reset(fd);
    else
        close(fd);
}

/* The server's side failed before it sent anything. closed() follows in the next flush. */
static void abort_client(struct relay *r)
{
    r->broken = true;
    braid_conn_abort(r->conn);
}

/* Everything that a server sent before it broke was read: the client gets that, then a reset. */
static void abort_behind_data(struct relay *r)
{
    r->broken = true;
    r->rx_ready = false;
    braid_conn_abort_delivered(r->conn);
}

/* ---- client to server ------------------------------------------------------------------------ */

/* Sends what can be peeked at once. The bytes the socket took; 0: nothing to send, or it would block; -1:
 * broken. */
static ssize_t send_some(struct relay *r)
{
    struct iovec iov[SEND_IOVECS];
    struct msghdr msg = {.msg_iov = iov};
    msg.msg_iovlen = braid_conn_peek(r->conn, iov, SEND_IOVECS);
    if (msg.msg_iovlen == 0)
        return 0;
    size_t all = 0;
    for (size_t i = 0; i < msg.msg_iovlen; i++)
        all += iov[i].iov_len;
    ssize_t n;
    do {
        n = sendmsg((int)event_get_fd(&r->event), &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN)
        return -1;
    r->tx_blocked = n < 0 || (size_t)n < all;
    return n < 0 ? 0 : n;
}

static void pump_to_client(struct relay *r);

/* The server has reset the connection, or its host fell silent: nothing more goes there. What it sent before
 * that is still in the socket, and the client's. */
static void server_broke(struct relay *r)
{
    if (!r->reset)
        r->edge->counters.v[EDGE_SERVER_RESET]++;
    r->reset = true;
    r->rx_ready = true;
    if (r->rx_eof)
        abort_behind_data(r);
    else
        pump_to_client(r);
}

static void pump_to_server(struct relay *r)
{
    if (r->connecting || r->reset || r->broken || r->tx_shut)
        return;
    while (!r->tx_blocked) {
        ssize_t n = send_some(r);
        if (n < 0) {
            server_broke(r);
            return;
        }
        if (n == 0)
            break;
        braid_conn_consume(r->conn, (size_t)n);
        r->edge->counters.v[EDGE_TO_SERVER] += (uint64_t)n;
    }
    if (!r->tx_blocked && braid_conn_eof(r->conn)) {
        r->tx_shut = true;
        shutdown((int)event_get_fd(&r->event), SHUT_WR);
    }
}

/* ---- server to client ------------------------------------------------------------------------ */

/* What one readv gave: the room asked for next time follows it, so that a small exchange takes little memory
 * and a bulk transfer few system calls. */
static void adapt(struct relay *r, size_t got, size_t room)
{
    if (got == room && r->want < READ_MAX)
        r->want *= 2;
    else if (got < r->want / 4 && r->want > READ_MIN)
        r->want /= 2;
}

/* Nothing could be read: there is nothing yet, or the server's stream has ended or failed. A socket tells its
 * error once: if that was taken before, what reads like an end may be none. */
static void end_of_server(struct relay *r, ssize_t n)
{
    if (n < 0 && (errno == EINTR || (errno == EAGAIN && !r->reset))) {
        r->rx_ready = errno == EINTR;
        return;
    }
    r->rx_ready = false;
    r->rx_eof = true;
    if (n == 0 && !r->reset)
        braid_conn_shutdown(r->conn);
    /* The event that told of the end may have told of a RST behind it, and an edge comes only once. */
    if (r->reset)
        abort_behind_data(r);
    else if (n < 0 || upstream_error((int)event_get_fd(&r->event)) != 0)
        server_broke(r);
}

/* The socket seems to be empty. The event that told of the bytes may have told of an end or an error, too:
 * so look. */
static void look_again(struct relay *r)
{
    char byte;
    ssize_t n = recv((int)event_get_fd(&r->event), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        end_of_server(r, n);
}

/* True if everything that the server sent so far has arrived at the client. */
static bool all_acknowledged(const struct relay *r)
{
    int64_t unacked = 0;
    braid_conn_get_option(r->conn, BRAID_OPT_UNACKED, &unacked);
    return unacked == 0;
}

/* Reads once, straight into the connection's send buffer. The bytes read, 0 if it is no use to go on. */
static size_t receive_some(struct relay *r)
{
    struct iovec iov[RECV_IOVECS];
    unsigned n_iov = braid_conn_reserve(r->conn, r->want, iov, RECV_IOVECS);
    r->rx_waiting = n_iov == 0;
    if (n_iov == 0)
        return 0;
    size_t room = 0;
    for (unsigned i = 0; i < n_iov; i++)
        room += iov[i].iov_len;
    bool watched = r->profile && r->profile->interactive, idle = watched && all_acknowledged(r);
    ssize_t n = readv((int)event_get_fd(&r->event), iov, (int)n_iov);
    int why = errno;
    braid_conn_commit(r->conn, n > 0 ? (size_t)n : 0);
    errno = why;
    if (n <= 0) {
        end_of_server(r, n);
        return 0;
    }
    r->edge->counters.v[EDGE_FROM_SERVER] += (uint64_t)n;
    if (watched)
        relay_profile_watch(r, (size_t)n, idle);
    if ((size_t)n < room)
        look_again(r);
    adapt(r, (size_t)n, room);
    return (size_t)n;
}

static void pump_to_client(struct relay *r)
{
    size_t spent = 0;
    while (r->established && r->rx_ready && !r->rx_waiting && !r->rx_eof && !r->broken) {
        if (spent >= READ_BUDGET) {
            if (list_empty(&r->again)) {
                list_append(&r->edge->owner->again, &r->again);
                edge_run_again(r->edge->owner);
            }
            return;
        }
        spent += receive_some(r);
    }
}

void relay_run_again(struct edges *es)
{
    struct list due;
    list_init(&due);
    while (!list_empty(&es->again)) {
        struct list *first = es->again.next;
        list_remove(first);
        list_append(&due, first);
    }
    while (!list_empty(&due)) {
        struct relay *r = list_entry(due.next, struct relay, again);
        list_remove(&r->again);
        pump_to_client(r);
    }
}

/* ---- the server's socket --------------------------------------------------------------------- */

static enum braid_refusal refusal_of(struct edge *e, int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
        e->counters.v[EDGE_REFUSED]++;
        return BRAID_REFUSE_RESET;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EADDRNOTAVAIL:
        e->counters.v[EDGE_FAILED]++;
        log_warn("edge %s: no socket to the server: out of descriptors, memory or ports", e->params->name);
        return BRAID_REFUSE_RESET;
    default:
        e->counters.v[EDGE_UNREACHABLE]++;
        return BRAID_REFUSE_UNREACHABLE;
    }
}

/* The server cannot be had: refuses the client and frees, or aborts it if it was answered before. */
static void server_failed(struct relay *r, int error)
{
    enum braid_refusal how = refusal_of(r->edge, error);
    if (r->accepted) {
        list_remove(&r->link);
        list_append(&r->edge->late, &r->link);
        abort_client(r);
    } else {
        relay_refuse(r, how);
    }
}

/* A firewall on the way may answer unknown options with a RST. */
static bool refuses_probe(const struct relay *r, int error)
{
    return r->probing && !r->plainly && (error == ECONNREFUSED || error == ECONNRESET);
}

static void accept_client(struct relay *r)
{
    r->accepted = true;
    braid_conn_accept(r->conn);
}

static void server_answered(struct relay *r)
{
    struct edge *e = r->edge;
    r->connecting = false;
    e->counters.connecting--;
    e->counters.open++;
    e->counters.v[EDGE_ACCEPTED]++;
    list_remove(&r->link);
    list_append(&e->open, &r->link);
    if (r->probing)
        edge_found(e, &r->server, upstream_is_mptcp((int)event_get_fd(&r->event)));
    if (r->accepted)
        pump_to_server(r);
    else
        accept_client(r);
}

static void ask_plainly(struct relay *r);

static void on_server(evutil_socket_t fd, short what, void *arg)
{
    struct relay *r = arg;
    if (r->broken)
        return;
    if (r->connecting) {
        int error = upstream_error((int)fd);
        if (refuses_probe(r, error))
            ask_plainly(r);
        else if (error)
            server_failed(r, error);
        else
            server_answered(r);
        if (error)
            return;
    }
    /* A RST that no read would notice for now. */
    if ((r->rx_waiting || r->rx_eof) && upstream_error((int)fd) != 0) {
        server_broke(r);
        return;
    }
    if (what & EV_READ)
        r->rx_ready = true;
    if (what & EV_WRITE && r->tx_blocked) {
        r->tx_blocked = false;
        pump_to_server(r);
    }
    pump_to_client(r);
}

/* ---- the client's connection ----------------------------------------------------------------- */

static int attach_socket(struct relay *r, int fd)
{
    const short what = EV_READ | EV_WRITE | EV_ET | EV_PERSIST;
    return event_assign(&r->event, r->edge->owner->base, fd, what, on_server, r) < 0
               ? -1
               : event_add(&r->event, NULL);
}

/* Connects to r->server. May free the relay. */
static void connect_server(struct relay *r)
{
    struct edge *e = r->edge;
    bool connected;
    struct braid_addr meant, client;
    braid_conn_addrs(r->conn, &meant, &client);
    int fd = (r->probing && !r->plainly ? upstream_probe : upstream_connect)(
        &r->server, e->params->client_source ? &client : NULL, &connected);
    if (fd < 0) {
        server_failed(r, errno);
        return;
    }
    if (attach_socket(r, fd) < 0) {
        server_failed(r, ENOMEM); /* closes it */
        return;
    }
    if (connected) {
        server_answered(r);
        return;
    }
    list_remove(&r->link);
    list_append(&e->connecting, &r->link);
    braid_time timeout = e->params->connect_timeout;
    r->connect_deadline = edge_now() + (timeout ? timeout : EDGE_CONNECT_TIMEOUT);
    edge_expire_at(e, r->connect_deadline);
}

/* May free the relay. */
static void ask_server(struct relay *r)
{
    struct braid_addr meant, client;
    braid_conn_addrs(r->conn, &meant, &client);
    r->server = r->edge->params->transparent ? meant : r->edge->target;
    r->probing = edge_probes(r->edge, &r->server);
    connect_server(r);
}

/* Asks the server again, without MPTCP. May free the relay. */
static void ask_plainly(struct relay *r)
{
    detach_socket(r, false);
    memset(&r->event, 0, sizeof(r->event));
    r->plainly = true;
    connect_server(r);
}

static struct relay *relay_new(struct edge *e, struct braid_conn *c)
{
    struct relay *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->edge = e;
    r->conn = c;
    r->want = READ_MIN;
    r->connecting = true;
    list_init(&r->again);
    list_append(&e->late, &r->link);
    e->unproven++;
    e->counters.connecting++;
    e->owner->n_relays++;
    braid_conn_set_user(c, r);
    return r;
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct edge *e = ctx;
    e->counters.v[EDGE_INCOMING]++;
    unsigned limit = e->params->unproven_max ? e->params->unproven_max : EDGE_UNPROVEN_MAX;
    bool late = e->unproven >= limit;
    struct relay *r = relay_new(e, c);
    if (!r) {
        braid_conn_refuse(c, refusal_of(e, ENOMEM));
        return;
    }
    relay_profile_begin(r);
    if (late)
        accept_client(r);
    else
        ask_server(r);
}

static void on_established(struct braid_conn *c, void *user)
{
    (void)c;
    struct relay *r = user;
    r->established = true;
    r->edge->unproven--;
    if (r->connecting)
        ask_server(r);
    else
        pump_to_client(r);
}

static void on_readable(struct braid_conn *c, void *user)
{
    (void)c;
    pump_to_server(user);
}

static void on_writable(struct braid_conn *c, void *user)
{
    (void)c;
    struct relay *r = user;
    r->rx_waiting = false;
    pump_to_client(r);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    struct relay *r = user;
    if (!r)
        return; /* it went away before we were told of it */
    uint64_t *count = r->edge->counters.v;
    if (why == BRAID_CLOSE_DONE)
        count[EDGE_CLOSED]++;
    else if (why == BRAID_CLOSE_TIMEOUT)
        count[EDGE_TIMEOUT]++;
    else if (!r->broken)
        count[EDGE_CLIENT_RESET]++;
    detach_socket(r, why != BRAID_CLOSE_DONE);
    relay_free(r);
}

const struct braid_conn_ops relay_ops = {.incoming = on_incoming,
                                         .established = on_established,
                                         .readable = on_readable,
                                         .writable = on_writable,
                                         .closed = on_closed};

void relay_expire(struct edge *e, braid_time now)
{
    while (!list_empty(&e->connecting)) {
        struct relay *r = list_entry(e->connecting.next, struct relay, link);
        if (r->connect_deadline > now) {
            edge_expire_at(e, r->connect_deadline);
            return;
        }
        server_failed(r, ETIMEDOUT);
    }
}

void relay_refuse(struct relay *r, enum braid_refusal how)
{
    assert(r->connecting);
    braid_conn_refuse(r->conn, how);
    detach_socket(r, false);
    relay_free(r);
}

void relay_drop(struct relay *r)
{
    braid_conn_release(r->conn);
    detach_socket(r, true);
    relay_free(r);
}
