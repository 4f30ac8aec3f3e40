/* See splice.h. Bytes go from the packets that they came in to sendmsg, or from readv into a send buffer;
 * from one connection to another in the packets that they came in, from one socket to another by way of a
 * page that all splices share, where nothing stays: what the second socket does not take was only looked at.
 */
#include <stdlib.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "relay/splice.h"

#define LEND_IOVECS    64
#define RESERVE_IOVECS 32
#define WANT_MIN       14          /* 16 KiB, a power of two: bytes of room for a read */
#define WANT_MAX       18          /* 256 KiB */
#define PASSAGE        (64 * 1024) /* bytes between two sockets at a time */
/* What is read of an end in one turn of the loop is counted in shares: a super-packet's payload, or a little
 * less, so that whole ones use them up. One end alone gives the most; where many have much to give, the least
 * keeps the turns short. */
#define SHARE      (60 * 1024)
#define SHARES_MIN 2
#define SHARES_MAX 4
/* Bytes of all that waited for the turn: what was read is still in the cache when it leaves, and what comes
 * back meanwhile is heard. */
#define TURN_BYTES (512 * 1024)

struct splicer {
    struct list again;  /* splices that spent their budget and have more to read; the next one first */
    unsigned waiting;   /* how many */
    size_t read;        /* bytes read since the last turn of those began */
    struct event event; /* a timeout of zero: the next turn of the loop */
    uint8_t *passage;   /* NULL: not needed yet */
};

static void abort_end(struct splice *s, struct end *e, enum end_abort how)
{
    s->ending = true;
    if (e->gone || e->aborted)
        return;
    e->aborted = how == END_ABORT_NOW;
    e->ops->abort(e, how);
}

static struct end *other_than(struct splice *s, const struct end *e)
{
    return &s->ends[!e->side];
}

static void pump(struct splice *s, struct end *from);

/* Nothing more goes there. What it has sent before that is still to be read. */
static void end_failed(struct splice *s, struct end *e)
{
    if (!e->failed)
        s->owner->events->failed(s, e->side);
    e->failed = true;
    e->ready = true;
    if (e->eof)
        abort_end(s, other_than(s, e), END_ABORT_DELIVERED);
    else
        pump(s, e);
}

static void shut(struct end *to)
{
    to->shut = true;
    to->ops->shutdown(to);
}

/* ---- from an end that lends its bytes -------------------------------------------------------- */

/* Between two of a kind. What is left shows that the other one is full. */
static ssize_t move_all(struct end *from, struct end *to)
{
    struct iovec iov;
    size_t n = to->ops->move(to, from);
    to->full = from->ops->peek(from, &iov, 1) > 0;
    return (ssize_t)n;
}

/* Bytes; END_AGAIN: there are none, or none were taken; or END_FAILED. */
static ssize_t write_some(struct end *from, struct end *to)
{
    if (to->ops->move && to->ops == from->ops)
        return move_all(from, to);
    struct iovec iov[LEND_IOVECS];
    unsigned n_iov = from->ops->peek(from, iov, LEND_IOVECS);
    if (n_iov == 0)
        return END_AGAIN;
    size_t all = 0;
    for (unsigned i = 0; i < n_iov; i++)
        all += iov[i].iov_len;
    ssize_t n = to->ops->write(to, iov, n_iov);
    if (n == END_FAILED)
        return n;
    to->full = (size_t)n < all;
    from->ops->consume(from, (size_t)n);
    return n;
}

static void pump_lent(struct splice *s, struct end *from, struct end *to)
{
    while (!to->full) {
        ssize_t n = write_some(from, to);
        if (n == END_FAILED) {
            end_failed(s, to);
            return;
        }
        if (n == END_AGAIN)
            break;
        s->owner->events->moved(s, from->side, (size_t)n);
    }
    if (!to->full && from->ops->at_end(from)) {
        from->eof = true;
        shut(to);
    }
}

/* ---- from an end that has them elsewhere ------------------------------------------------------ */

/* What one read gave: the room asked for next time follows it, so that a small exchange takes little memory
 * and a bulk transfer few system calls. */
static void adapt(struct end *from, size_t got, size_t room)
{
    if (got == room && from->want < WANT_MAX)
        from->want++;
    else if (got < ((size_t)1 << from->want) / 4 && from->want > WANT_MIN)
        from->want--;
}

/* Nothing could be read: there is nothing yet, or the stream has ended or failed. An end tells its failure
 * once: if that was taken before, what reads like an end may be none. */
static void nothing_read(struct splice *s, struct end *from, struct end *to, ssize_t n)
{
    from->ready = false;
    if (n == END_AGAIN && !from->failed)
        return;
    from->eof = true;
    if (n == END_EOF && !from->failed)
        shut(to);
    /* The event that told of the end may have told of a reset behind it, and an edge comes only once. */
    if (from->failed)
        abort_end(s, to, END_ABORT_DELIVERED);
    else if (n == END_FAILED || (from->broken && from->ops->failed(from)))
        end_failed(s, from);
}

/* A read gave less than it had room for. What comes from now on brings an event of its own. */
static void nothing_more(struct splice *s, struct end *from, struct end *to)
{
    if (!from->broken && !from->patchy) {
        nothing_read(s, from, to, from->last ? END_EOF : END_AGAIN);
        return;
    }
    /* The event that told of the bytes may have told of a failure, too. */
    char byte;
    ssize_t more = from->ops->look(from, &byte, 1);
    if (more == END_AGAIN || more == END_FAILED)
        nothing_read(s, from, to, more);
}

/* Reads once, straight into the room of the other end. The bytes read, 0 if it is no use to go on. */
static size_t read_some(struct splice *s, struct end *from, struct end *to)
{
    struct iovec iov[RESERVE_IOVECS];
    unsigned n_iov = to->ops->reserve(to, (size_t)1 << from->want, iov, RESERVE_IOVECS);
    to->full = n_iov == 0;
    if (n_iov == 0)
        return 0;
    size_t room = 0;
    for (unsigned i = 0; i < n_iov; i++)
        room += iov[i].iov_len;
    ssize_t n = from->ops->read(from, iov, n_iov);
    to->ops->commit(to, n > 0 ? (size_t)n : 0);
    if (n <= 0) {
        nothing_read(s, from, to, n);
        return 0;
    }
    s->owner->events->moved(s, from->side, (size_t)n);
    if ((size_t)n < room)
        nothing_more(s, from, to);
    adapt(from, (size_t)n, room);
    return (size_t)n;
}

/* The same where neither end has memory to lend. */
static size_t pass_some(struct splice *s, struct end *from, struct end *to)
{
    uint8_t *passage = s->owner->splicer->passage;
    ssize_t n = from->ops->look(from, passage, PASSAGE);
    if (n <= 0) {
        nothing_read(s, from, to, n);
        return 0;
    }
    struct iovec iov = {.iov_base = passage, .iov_len = (size_t)n};
    ssize_t taken = to->ops->write(to, &iov, 1);
    if (taken == END_FAILED) {
        end_failed(s, to);
        return 0;
    }
    to->full = taken < n;
    if (taken > 0) {
        from->ops->consume(from, (size_t)taken);
        s->owner->events->moved(s, from->side, (size_t)taken);
    }
    return (size_t)taken;
}

static void next_turn(struct splicer *sp)
{
    static const struct timeval at_once;
    if (!list_empty(&sp->again) && !event_pending(&sp->event, EV_TIMEOUT, NULL))
        event_add(&sp->event, &at_once);
}

void splice_go_on(struct splice *s)
{
    struct splicer *sp = s->owner->splicer;
    if (!list_empty(&s->again))
        return;
    list_append(&sp->again, &s->again);
    sp->waiting++;
    next_turn(sp);
}

void splice_stay(struct splice *s)
{
    if (!list_empty(&s->again))
        s->owner->splicer->waiting--;
    list_remove(&s->again);
}

/* Bytes that an end may give now, with so many others that have more to give as well. */
static size_t budget(const struct splicer *sp)
{
    unsigned shares = SHARES_MAX / (1 + sp->waiting);
    return (size_t)SHARE * (shares > SHARES_MIN ? shares : SHARES_MIN);
}

static bool has_passage(struct splicer *sp)
{
    if (!sp->passage)
        sp->passage = malloc(PASSAGE);
    return sp->passage;
}

static void pump_read(struct splice *s, struct end *from, struct end *to)
{
    struct splicer *sp = s->owner->splicer;
    size_t spent = 0, most = budget(sp);
    if (from->rests)
        return;
    if (!to->ops->reserve && !has_passage(sp)) {
        splice_go_on(s); /* memory is short, perhaps not for long */
        return;
    }
    while (from->ready && !from->eof && !to->full && !to->failed && !s->ending && spent < most)
        spent += to->ops->reserve ? read_some(s, from, to) : pass_some(s, from, to);
    sp->read += spent;
    from->rests = spent >= most;
    if (from->rests)
        splice_go_on(s);
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Moves what can be moved from this end to the other. */
static void pump(struct splice *s, struct end *from)
{
    struct end *to = other_than(s, from);
    if (s->ending || !from->ops || !to->ops || from->gone || from->held || to->gone || to->failed || to->shut)
        return;
    if (from->ops->peek)
        pump_lent(s, from, to);
    else
        pump_read(s, from, to);
}

static bool is_through(const struct end *e)
{
    return e->ops && !e->ops->tells_gone && e->eof && e->shut;
}

static bool is_away(const struct end *e)
{
    return !e->ops || e->gone;
}

/* To be called last: the splice may be freed. */
static void settle(struct splice *s)
{
    struct end *a = &s->ends[0], *b = &s->ends[1];
    if (is_through(a) && is_through(b)) {
        a->ops->close(a);
        b->ops->close(b);
    }
    /* An end that was aborted and does not tell has gone; what is left of the other one ends with it. */
    for (unsigned i = 0; i < 2; i++) {
        struct end *e = &s->ends[i], *o = &s->ends[!i];
        if (s->ending && o->gone && e->ops && !e->gone && !e->ops->tells_gone)
            abort_end(s, e, END_ABORT_NOW);
    }
    if (!is_away(a) || !is_away(b))
        return;
    splice_stay(s);
    s->owner->events->over(s);
}

/* Who does not come to its turn before TURN_BYTES are read stays in front of those that did. */
static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct splicer *sp = arg;
    sp->read = 0;
    for (unsigned due = sp->waiting; due > 0 && sp->waiting > 0 && sp->read < TURN_BYTES; due--) {
        struct splice *s = list_entry(sp->again.next, struct splice, again);
        splice_stay(s);
        s->ends[0].rests = s->ends[1].rests = false;
        pump(s, &s->ends[0]);
        pump(s, &s->ends[1]);
        settle(s);
    }
    next_turn(sp);
}

/* ---- what the ends tell ---------------------------------------------------------------------- */

static void on_ready(struct end *e, bool readable, bool writable)
{
    struct splice *s = splice_of(e);
    const struct end *o = other_than(s, e);
    if (s->ending)
        return;
    /* A reset that no read would notice for now. */
    if (e->broken && (!o->ops || o->full || e->eof) && e->ops->failed(e)) {
        end_failed(s, e);
        settle(s);
        return;
    }
    if (readable)
        e->ready = true;
    if (writable && e->full) {
        e->full = false;
        pump(s, other_than(s, e));
    }
    pump(s, e);
    settle(s);
}

/* A connection that was reset behind its last bytes, as by a server that answers before it has read
 * everything: what it acknowledged goes on as far as there is room, and the reset behind it. */
static void reset_behind(struct splice *s, struct end *e, struct end *o)
{
    if (!s->ending && !e->held && !o->failed && !o->shut)
        pump_lent(s, e, o);
    abort_end(s, o, END_ABORT_DELIVERED);
}

static void on_gone(struct end *e, enum braid_close why)
{
    struct splice *s = splice_of(e);
    struct end *o = other_than(s, e);
    s->owner->events->gone(s, e->side, why);
    if (!is_away(o)) {
        if (why == BRAID_CLOSE_DONE)
            o->ops->close(o);
        else if (why == BRAID_CLOSE_RESET && o->ops->tells_gone)
            reset_behind(s, e, o);
        else
            abort_end(s, o, END_ABORT_NOW);
    }
    s->ending |= why != BRAID_CLOSE_DONE;
    settle(s);
}

static const struct end_events splice_end_events = {.ready = on_ready, .gone = on_gone};

/* ---- life ------------------------------------------------------------------------------------ */

struct splicer *splicer_new(struct event_base *base)
{
    struct splicer *sp = calloc(1, sizeof(*sp));
    if (!sp)
        return NULL;
    list_init(&sp->again);
    evtimer_assign(&sp->event, base, on_again, sp);
    return sp;
}

void splicer_free(struct splicer *sp)
{
    if (!sp)
        return;
    event_del(&sp->event);
    free(sp->passage);
    free(sp);
}

void splice_init(struct splice *s, struct splice_owner *owner)
{
    *s = (struct splice){.owner = owner};
    list_init(&s->again);
    for (unsigned i = 0; i < 2; i++)
        s->ends[i] = (struct end){.events = &splice_end_events, .side = i & 1, .want = WANT_MIN};
}

void splice_start(struct splice *s)
{
    pump(s, &s->ends[0]);
    pump(s, &s->ends[1]);
    settle(s);
}

void splice_hold(struct splice *s, unsigned end)
{
    s->ends[end].held = true;
}

void splice_let_go(struct splice *s, unsigned end)
{
    s->ends[end].held = false;
    pump(s, &s->ends[end]);
    settle(s);
}

void splice_abort(struct splice *s, unsigned end)
{
    abort_end(s, &s->ends[end], END_ABORT_NOW);
    settle(s);
}

void splice_drop(struct splice *s)
{
    splice_stay(s);
    for (unsigned i = 0; i < 2; i++) {
        struct end *e = &s->ends[i];
        if (!is_away(e))
            e->ops->drop(e);
    }
}
