/* The core lends what has come in the packets that it came in, and room in the connection's send buffer; from
 * one connection to another it moves them. */
#include "relay/end_conn.h"
#include <string.h>

static unsigned conn_peek(const struct end *e, struct iovec *iov, unsigned n)
{
    return braid_conn_peek(e->conn, iov, n);
}

static bool conn_at_end(const struct end *e)
{
    return braid_conn_eof(e->conn);
}

static void conn_consume(struct end *e, size_t n)
{
    braid_conn_consume(e->conn, n);
}

/* It tells by itself: end_conn_closed. */
static bool conn_failed(struct end *e)
{
    (void)e;
    return false;
}

static unsigned conn_reserve(struct end *e, size_t want, struct iovec *iov, unsigned n)
{
    return braid_conn_reserve(e->conn, want, iov, n);
}

static void conn_commit(struct end *e, size_t n)
{
    braid_conn_commit(e->conn, n);
}

/* BRAID_SHUT counts as full: closed() is about to come. */
static ssize_t conn_write(struct end *e, const struct iovec *iov, unsigned n)
{
    ssize_t all = 0;
    for (unsigned i = 0; i < n; i++) {
        ssize_t taken = braid_conn_write(e->conn, iov[i].iov_base, iov[i].iov_len);
        all += taken > 0 ? taken : 0;
        if (taken < (ssize_t)iov[i].iov_len)
            break;
    }
    return all;
}

static size_t conn_move(struct end *e, struct end *from)
{
    ssize_t n = braid_conn_move(e->conn, from->conn);
    return n > 0 ? (size_t)n : 0;
}

static void conn_shutdown(struct end *e)
{
    braid_conn_shutdown(e->conn);
}

static void conn_abort(struct end *e, enum end_abort how)
{
    if (how == END_ABORT_DELIVERED)
        braid_conn_abort_delivered(e->conn);
    else
        braid_conn_abort(e->conn);
}

/* What was written is still under way, and closed() comes when it has arrived. Without an end of the data it
 * would never be over. */
static void conn_close(struct end *e)
{
    if (!e->shut)
        braid_conn_abort(e->conn);
}

static void conn_drop(struct end *e)
{
    braid_conn_release(e->conn);
    end_conn_forget(e);
}

static const struct end_ops conn_end = {.tells_gone = true,
                                        .peek = conn_peek,
                                        .at_end = conn_at_end,
                                        .consume = conn_consume,
                                        .failed = conn_failed,
                                        .reserve = conn_reserve,
                                        .commit = conn_commit,
                                        .write = conn_write,
                                        .move = conn_move,
                                        .shutdown = conn_shutdown,
                                        .abort = conn_abort,
                                        .close = conn_close,
                                        .drop = conn_drop};

void end_conn_init(struct end *e, struct braid_conn *c)
{
    e->ops = &conn_end;
    e->conn = c;
    e->full = true;
    braid_conn_set_user(c, e);
}

void end_conn_restore(struct end *e, struct braid_conn *c)
{
    e->ops = &conn_end;
    e->conn = c;
    e->gone = !c;
    if (c)
        braid_conn_set_user(c, e);
}

bool end_is_conn(const struct end *e)
{
    return e->ops == &conn_end;
}

void end_conn_forget(struct end *e)
{
    braid_conn_set_user(e->conn, NULL);
    e->gone = true;
}

struct end *end_conn_of(const struct braid_conn *c)
{
    const struct braid_conn_ops *ops = braid_conn_get_ops(c);
    return ops && ops->closed == end_conn_closed ? braid_conn_user(c) : NULL;
}

/* ---- what the core tells --------------------------------------------------------------------- */

static void tell_ready(struct end *e, bool readable, bool writable)
{
    if (e)
        e->events->ready(e, readable, writable);
}

void end_conn_established(struct braid_conn *c, void *user)
{
    (void)c;
    tell_ready(user, true, true);
}

void end_conn_readable(struct braid_conn *c, void *user)
{
    (void)c;
    tell_ready(user, true, false);
}

void end_conn_writable(struct braid_conn *c, void *user)
{
    (void)c;
    tell_ready(user, false, true);
}

void end_conn_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    struct end *e = user;
    if (!e)
        return; /* it went away before anybody was told of it */
    end_conn_forget(e);
    e->events->gone(e, why);
}

size_t end_conn_copy(const struct braid_conn *c, uint8_t *out, size_t room)
{
    struct iovec iov[END_CONN_PIECES];
    unsigned pieces = braid_conn_peek(c, iov, END_CONN_PIECES);
    size_t n = 0;
    for (unsigned i = 0; i < pieces && n < room; i++) {
        size_t take = iov[i].iov_len < room - n ? iov[i].iov_len : room - n;
        memcpy(out + n, iov[i].iov_base, take);
        n += take;
    }
    return n;
}
