/* From one connection of a core to another. Payload that fills a good part of the buffer that it came in goes
 * with it, and the charge for the buffer, too: it is the sender's memory now, and counts for its limits until
 * the peer has acknowledged the bytes. Everything else is copied, as any user's writing is: small pieces,
 * which would each hold a packet's buffer, and those whose buffer others look into. */
#include <sys/uio.h>

#include "mptcp/conn.h"
#include "mptcp/recvq.h"
#include "mptcp/sendbuf.h"

#define WHOLE_LEAST 4096u /* bytes, of a slice: less is copied in no time, and costs a chunk of its own */

/* Nobody else refers to its buffer, and not much of that is empty. */
static bool may_go_whole(const struct braid_conn *from, const struct slice *s)
{
    const struct buf *b = s->buf;
    return b && b->refs == 1 && (!b->account || b->account == &from->mem) && s->len >= WHOLE_LEAST &&
           (uint64_t)s->len * 2 >= b->cap;
}

/* Bytes; 0: nothing was there, or it is full; or BRAID_SHUT. */
static ssize_t move_some(struct braid_conn *c, struct braid_conn *from)
{
    struct iovec iov;
    const struct slice *s = recvq_first(from);
    if (s && may_go_whole(from, s) && conn_send_append(c, s)) {
        uint32_t len = s->len;
        recvq_take_first(from);
        return len;
    }
    if (braid_conn_peek(from, &iov, 1) == 0)
        return 0;
    ssize_t n = braid_conn_write(c, iov.iov_base, iov.iov_len);
    if (n > 0)
        braid_conn_consume(from, (size_t)n);
    return n;
}

ssize_t braid_conn_move(struct braid_conn *c, struct braid_conn *from)
{
    size_t done = 0;
    for (;;) {
        ssize_t n = move_some(c, from);
        if (n <= 0)
            return done > 0 ? (ssize_t)done : n;
        done += (size_t)n;
    }
}
