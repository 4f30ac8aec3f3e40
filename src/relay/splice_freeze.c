/* See splice_freeze.h. What the kernel has told of a socket it tells again, as the new process waits for it
 * anew; what an end has told its splice, and its splice has done, is in the bits. */
#include "relay/splice_freeze.h"
#include "io/poller.h"
#include "relay/end_conn.h"
#include "relay/end_socket.h"

enum { SPLICE_END = 1, SPLICE_ENDING, SPLICE_AGAIN };
enum { END_KIND = 1, END_CONN, END_FD, END_BITS, END_WANT };
enum kind { KIND_NONE, KIND_CONN, KIND_SOCKET };

#define WANT_LEAST 14 /* as of splice.c: powers of two */
#define WANT_MOST  18

/* Bits keep their places for good. */
#define BITS(X)                                                                                              \
    X(0, gone)                                                                                               \
    X(1, last)                                                                                               \
    X(2, broken)                                                                                             \
    X(3, patchy)                                                                                             \
    X(4, wrote)                                                                                              \
    X(5, eager)                                                                                              \
    X(6, ready)                                                                                              \
    X(7, eof)                                                                                                \
    X(8, held)                                                                                               \
    X(9, failed)                                                                                             \
    X(10, full)                                                                                              \
    X(11, shut)                                                                                              \
    X(12, aborted)
FREEZE_BITS(BITS, struct end)

/* ---- writing ---------------------------------------------------------------------------------- */

static void freeze_one(const struct end *e, struct freezer *f, struct refs_out *out)
{
    size_t g = freeze_begin(f, SPLICE_END);
    enum kind kind = !e->ops ? KIND_NONE : end_is_conn(e) ? KIND_CONN : KIND_SOCKET;
    freeze_number(f, END_KIND, kind);
    freeze_number(f, END_BITS, BITS_freeze(e));
    freeze_number(f, END_WANT, e->want);
    if (kind == KIND_CONN && !e->gone)
        freeze_number(f, END_CONN, braid_conn_id(e->conn));
    if (kind == KIND_SOCKET && !e->gone)
        refs_put(f, END_FD, out, e->fd);
    freeze_end(f, g);
}

void splice_freeze(const struct splice *s, struct freezer *f, unsigned tag, struct refs_out *out)
{
    size_t g = freeze_begin(f, tag);
    freeze_one(&s->ends[0], f, out);
    freeze_one(&s->ends[1], f, out);
    freeze_number(f, SPLICE_ENDING, s->ending);
    freeze_number(f, SPLICE_AGAIN, !list_empty(&s->again));
    freeze_end(f, g);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Of gone, last, broken, eof, failed, shut, aborted: nothing has happened to an end that is not there yet. */
#define PAST_BITS (1u << 0 | 1u << 1 | 1u << 2 | 1u << 7 | 1u << 9 | 1u << 11 | 1u << 12)

struct read_end {
    uint64_t bits;
    unsigned kind, want;
    bool has_conn, has_fd;
    struct thaw_item conn, fd;
};

static struct read_end read_one(const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct read_end r = {.want = WANT_LEAST};
    while (thaw_next(&t, &i)) {
        if (i.tag == END_KIND) {
            r.kind = (unsigned)thaw_number(&i, KIND_SOCKET);
        } else if (i.tag == END_BITS) {
            r.bits = thaw_number(&i, (1u << 13) - 1);
        } else if (i.tag == END_WANT) {
            r.want = (unsigned)thaw_number(&i, WANT_MOST);
        } else if (i.tag == END_CONN) {
            r.conn = i;
            r.has_conn = true;
        } else if (i.tag == END_FD) {
            r.fd = i;
            r.has_fd = true;
        } else {
            thaw_unknown(&i);
        }
    }
    return r;
}

/* The connection or the socket; gone, if there is none. */
static void attach(struct end *e, const struct read_end *r, struct splice_thaw *with)
{
    struct refs_conn **conn = &with->conns[e->side];
    if (r->kind == KIND_CONN) {
        *conn = r->has_conn ? refs_conn(with->refs, &r->conn, with->ops[e->side]) : NULL;
        end_conn_restore(e, *conn ? (*conn)->conn : NULL);
    } else {
        int fd = r->has_fd ? refs_fd(with->refs, &r->fd) : -1;
        if (end_socket_restore(e, with->poller, fd) < 0)
            thaw_fail(with->all, THAW_MEMORY);
    }
}

static void thaw_one(struct end *e, const struct thaw_item *group, struct splice_thaw *with)
{
    struct read_end r = read_one(group);
    bool gone = r.bits & 1, conn = r.kind == KIND_CONN;
    bool may_be = conn ? with->ops[e->side] != NULL : r.kind == KIND_NONE || with->sockets[e->side];
    bool fits = r.kind == KIND_NONE ? !r.has_conn && !r.has_fd && !(r.bits & PAST_BITS)
                                    : r.has_conn == (conn && !gone) && r.has_fd == (!conn && !gone);
    if (!may_be || !fits || r.want < WANT_LEAST)
        thaw_fail(group->all, THAW_WRONG);
    if (!thaw_fine(group->all))
        return;
    if (r.kind != KIND_NONE)
        attach(e, &r, with);
    bool lost = e->gone; /* not to be had after all */
    BITS_thaw(e, r.bits);
    e->gone |= lost;
    e->want = (uint8_t)r.want;
}

void splice_thaw(struct splice *s, const struct thaw_item *group, struct splice_thaw *with)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    unsigned ends = 0;
    bool again = false;
    with->all = group->all;
    while (thaw_next(&t, &i)) {
        if (i.tag == SPLICE_END && ends < 2)
            thaw_one(&s->ends[ends++], &i, with);
        else if (i.tag == SPLICE_ENDING)
            s->ending = thaw_number(&i, 1);
        else if (i.tag == SPLICE_AGAIN)
            again = thaw_number(&i, 1);
        else
            thaw_unknown(&i);
    }
    if (ends < 2)
        thaw_fail(group->all, THAW_WRONG);
    if (again && thaw_fine(group->all))
        splice_go_on(s);
}

void splice_forget(struct splice *s)
{
    splice_stay(s);
    for (unsigned i = 0; i < 2; i++) {
        struct end *e = &s->ends[i];
        if (!e->ops || e->gone)
            continue;
        if (end_is_conn(e))
            end_conn_forget(e);
        else
            end_socket_forget(e);
    }
}
