/* The bytes are in the kernel: they go to and from the other end's memory by one system call. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/poller.h"
#include "io/upstream.h"
#include "relay/end_socket.h"

/* The result of a system call that receives. */
static ssize_t received(ssize_t n)
{
    if (n > 0)
        return n;
    if (n == 0)
        return END_EOF;
    return errno == EAGAIN ? END_AGAIN : END_FAILED;
}

static ssize_t socket_read(struct end *e, const struct iovec *iov, unsigned n)
{
    ssize_t got;
    do {
        got = readv(e->fd, iov, (int)n);
    } while (got < 0 && errno == EINTR);
    return received(got);
}

static ssize_t socket_look(struct end *e, void *data, size_t len)
{
    ssize_t got;
    do {
        got = recv(e->fd, data, len, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return received(got);
}

/* TCP throws away what it is asked for without a place to put it (MSG_TRUNC). */
static void socket_consume(struct end *e, size_t n)
{
    while (n > 0) {
        ssize_t got = recv(e->fd, NULL, n, MSG_TRUNC | MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return; /* cannot be: they were seen */
        n -= (size_t)got;
    }
}

static bool socket_failed(struct end *e)
{
    e->broken = false;
    return upstream_error(e->fd) != 0;
}

static ssize_t socket_write(struct end *e, const struct iovec *iov, unsigned n)
{
    const struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
    ssize_t sent;
    /* What is written first is not held back by Nagle's algorithm: nothing is in flight. */
    if (e->wrote && !e->eager) {
        upstream_set_nodelay(e->fd);
        e->eager = true;
    }
    e->wrote = true;
    do {
        sent = sendmsg(e->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN ? END_AGAIN : END_FAILED;
    return sent;
}

static void socket_shutdown(struct end *e)
{
    shutdown(e->fd, SHUT_WR);
}

static void leave(struct end *e)
{
    poller_remove(e->poller, e->fd, e);
    e->gone = true;
}

/* What waits in the kernel to be sent is lost: it has no way to reset behind it. */
static void socket_abort(struct end *e, enum end_abort how)
{
    (void)how;
    leave(e);
    upstream_reset(e->fd);
}

static void socket_close(struct end *e)
{
    leave(e);
    close(e->fd);
}

static void socket_drop(struct end *e)
{
    socket_abort(e, END_ABORT_NOW);
}

static const struct end_ops socket_end = {.read = socket_read,
                                          .look = socket_look,
                                          .consume = socket_consume,
                                          .failed = socket_failed,
                                          .write = socket_write,
                                          .shutdown = socket_shutdown,
                                          .abort = socket_abort,
                                          .close = socket_close,
                                          .drop = socket_drop};

static void on_ready(void *ctx, unsigned state)
{
    struct end *e = ctx;
    e->broken |= (state & POLLER_FAILED) != 0;
    e->patchy |= (state & POLLER_URGENT) != 0;
    e->last = (state & POLLER_ENDED) && !e->patchy;
    e->events->ready(e, state & POLLER_READABLE, state & POLLER_WRITABLE);
}

struct poller *end_socket_poller(struct event_base *base)
{
    return poller_new(base, on_ready);
}

void end_socket_use(struct poller *p)
{
    poller_on_ready(p, on_ready);
}

void end_socket_is_mptcp(struct end *e)
{
    e->patchy = true;
}

void end_socket_has_written(struct end *e)
{
    e->wrote = true;
}

int end_socket_restore(struct end *e, struct poller *poller, int fd)
{
    e->ops = &socket_end;
    e->poller = poller;
    e->fd = fd;
    e->gone = fd < 0 || poller_add_later(poller, fd, e) < 0;
    return fd >= 0 && e->gone ? -1 : 0;
}

void end_socket_forget(struct end *e)
{
    leave(e);
}

int end_socket_init(struct end *e, struct poller *poller, int fd)
{
    if (poller_add(poller, fd, e) < 0) {
        close(fd);
        return -1;
    }
    e->ops = &socket_end;
    e->poller = poller;
    e->fd = fd;
    return 0;
}
