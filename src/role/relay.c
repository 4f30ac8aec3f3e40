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
#include "role/relay.h"

#define SEND_IOVECS 64
#define RECV_IOVECS 32
#define READ_MAX    (128 * 1024)
#define READ_BUDGET (128 * 1024) /* bytes per relay and turn of the loop */

void relay_free(struct relay *r)
{
    struct edge *e = r->edge;
    dial_free(r->dial);
    braid_conn_set_user(r->conn, NULL);
    if (r->connecting)
        e->counters.connecting--;
    else
        e->counters.open--;
    unproven_leave(&e->owner->unproven, &r->unproven);
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
    else if (got < r->want / 4 && r->want > RELAY_READ_MIN)
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

static void on_server(evutil_socket_t fd, short what, void *arg)
{
    struct relay *r = arg;
    if (r->broken)
        return;
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

int relay_attach(struct relay *r, int fd)
{
    const short what = EV_READ | EV_WRITE | EV_ET | EV_PERSIST;
    if (event_assign(&r->event, r->edge->owner->base, fd, what, on_server, r) == 0 &&
        event_add(&r->event, NULL) == 0)
        return 0;
    memset(&r->event, 0, sizeof(r->event));
    close(fd);
    return -1;
}

void relay_pump(struct relay *r)
{
    pump_to_server(r);
    pump_to_client(r);
}

/* ---- the client's connection ----------------------------------------------------------------- */

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

const struct braid_conn_ops relay_ops = {.incoming = relay_incoming,
                                         .established = relay_established,
                                         .readable = on_readable,
                                         .writable = on_writable,
                                         .closed = on_closed};

void relay_drop(struct relay *r)
{
    braid_conn_release(r->conn);
    detach_socket(r, true);
    relay_free(r);
}
