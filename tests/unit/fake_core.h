/* A scripted stand-in for the core, as the relay sees it: a connection's two byte streams are arrays of the
 * test's, and fake_flush() makes the callbacks that braid_core_flush() would make. */
#ifndef BRAID_TESTS_FAKE_CORE_H
#define BRAID_TESTS_FAKE_CORE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <braid/core.h>
#include <braid/events.h>
#include "base/addr.h"

/* What the relay must not do. Whoever is no unit test has another word for it. */
#ifndef FAKE_MUST
#include <check.h>
#define FAKE_MUST(condition) ck_assert(condition)
#endif

#ifndef FAKE_STREAM
#define FAKE_STREAM (4 * 1024 * 1024) /* bytes that a stream may have */
#endif

struct braid_listener {
    struct braid_listen_params params;
    bool rests;
};

struct braid_conn {
    const struct braid_conn_ops *ops;
    void *user;
    struct braid_addr local, remote;
    braid_time opened_at;
    /* What the relay did. */
    bool accepted, refused, shut, aborted, abort_delivered, released;
    enum braid_refusal refusal;
    const struct sched_ops *sched; /* NULL: the listener's */
    const struct cc_ops *cc;
    const struct pm_ops *pm;
    bool repeats, mptcp;
    struct braid_pair flows[16]; /* established, n_flows of them */
    unsigned n_flows;
    /* The client's stream: up[0, up_arrived) has come, up[0, up_taken) was consumed. */
    uint8_t *up;
    size_t up_arrived, up_taken, up_told;
    bool up_end, up_end_told;
    size_t piece; /* bytes per iovec of peek and reserve */
    /* The server's stream: down[0, down_len), of which the client took down_acked. */
    uint8_t *down;
    size_t down_len, down_acked, sndbuf, reserved;
    size_t with_syn; /* bytes of it that the SYN/ACK had */
    bool wants_room;
    bool client_ready, established_told, closed_told;
};

static struct braid_listener *fake_listener; /* the last one */
static struct braid_addr fake_known;         /* the far end of a subflow of the core's */
static bool fake_closing;                    /* it still closes connections that nobody is at */
static unsigned fake_listeners;              /* how many there are that do not rest */

/* ---- the test's side ------------------------------------------------------------------------- */

/* Memory of pages that are there once they are touched: AddressSanitizer marks all of what malloc gives, and
 * most streams are short. A page that nobody may touch lies behind it. */
static inline uint8_t *fake_stream(void)
{
    uint8_t *p = mmap(NULL, FAKE_STREAM + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAKE_MUST(p != MAP_FAILED);
    FAKE_MUST(mprotect(p, FAKE_STREAM, PROT_READ | PROT_WRITE) == 0);
    return p;
}

static inline void fake_stream_free(uint8_t *p)
{
    FAKE_MUST(munmap(p, FAKE_STREAM + 4096) == 0);
}

static inline struct braid_conn *fake_conn_of(const struct braid_conn_ops *ops)
{
    struct braid_conn *c = calloc(1, sizeof(*c));
    c->up = fake_stream();
    c->down = fake_stream();
    c->piece = 1000;
    c->sndbuf = FAKE_STREAM;
    c->client_ready = true;
    c->ops = ops;
    return c;
}

static inline struct braid_conn *fake_conn(void)
{
    FAKE_MUST(fake_listener);
    return fake_conn_of(fake_listener->params.ops);
}

static inline void fake_conn_free(struct braid_conn *c)
{
    fake_stream_free(c->up);
    fake_stream_free(c->down);
    free(c);
}

/* The client's SYN arrives. */
static inline struct braid_conn *fake_syn(void)
{
    struct braid_conn *c = fake_conn();
    c->ops->incoming(fake_listener->params.ctx, c);
    return c;
}

static inline void fake_close(struct braid_conn *c, enum braid_close why)
{
    c->closed_told = true;
    if (!c->released)
        c->ops->closed(c, c->user, why);
}

static inline void fake_flush(struct braid_conn *c)
{
    if (c->refused || c->closed_told || c->released)
        return;
    c->aborted |= c->abort_delivered && c->down_acked == c->down_len;
    if (c->aborted) {
        fake_close(c, BRAID_CLOSE_ABORTED);
        return;
    }
    if (c->accepted && c->client_ready && !c->established_told) {
        c->established_told = true;
        c->ops->established(c, c->user);
    }
    if (!c->established_told)
        return;
    if (c->up_told < c->up_arrived || (c->up_end && !c->up_end_told)) {
        c->up_told = c->up_arrived;
        c->up_end_told = c->up_end;
        c->ops->readable(c, c->user);
    }
    if (c->wants_room && c->down_len - c->down_acked < c->sndbuf && !c->aborted) {
        c->wants_room = false;
        c->ops->writable(c, c->user);
    }
}

/* ---- the relay's side ------------------------------------------------------------------------ */

struct braid_listener *braid_listen(struct braid_core *core, const struct braid_listen_params *params)
{
    (void)core;
    struct braid_listener *l = calloc(1, sizeof(*l));
    l->params = *params;
    fake_listener = l;
    fake_listeners++;
    return l;
}

void braid_listener_change(struct braid_listener *l, const struct braid_listen_params *params)
{
    (void)l;
    (void)params;
}

void braid_listener_rest(struct braid_listener *l)
{
    fake_listeners -= !l->rests;
    l->rests = true;
}

int braid_listener_resume(struct braid_listener *l)
{
    fake_listeners += l->rests;
    l->rests = false;
    return 0;
}

void braid_unlisten(struct braid_listener *l)
{
    if (fake_listener == l)
        fake_listener = NULL;
    fake_listeners -= !l->rests;
    free(l);
}

void braid_conn_set_user(struct braid_conn *c, void *user)
{
    c->user = user;
}

void braid_core_on_event(struct braid_core *core, braid_event_fn *fn, void *ctx)
{
    (void)core;
    (void)fn;
    (void)ctx;
}

const char *braid_conn_listener(const struct braid_conn *c)
{
    (void)c;
    return NULL;
}

void *braid_conn_user(const struct braid_conn *c)
{
    return c->user;
}

const struct braid_conn_ops *braid_conn_get_ops(const struct braid_conn *c)
{
    return c->ops;
}

bool braid_core_has_conns_at(const struct braid_core *core, const struct braid_addr *local)
{
    (void)core;
    (void)local;
    return fake_closing;
}

bool braid_core_knows(const struct braid_core *core, const struct braid_addr *local,
                      const struct braid_addr *remote)
{
    (void)core;
    (void)local;
    return addr_equal(remote, &fake_known);
}

uint64_t braid_conn_id(const struct braid_conn *c)
{
    (void)c;
    return 1;
}

braid_time braid_conn_opened_at(const struct braid_conn *c)
{
    return c->opened_at;
}

/* One subflow, of the first path rule. */
void braid_conn_stats(const struct braid_conn *c, struct braid_conn_stats *out)
{
    *out = (struct braid_conn_stats){.id = 1,
                                     .local = c->local,
                                     .remote = c->remote,
                                     .bytes_in = c->up_taken,
                                     .bytes_out = c->down_acked,
                                     .opened_at = c->opened_at,
                                     .mptcp = true,
                                     .n_subflows = 1};
    out->subflows[0].bytes_in = c->up_taken;
    out->subflows[0].bytes_out = c->down_acked;
}

void braid_conn_addrs(const struct braid_conn *c, struct braid_addr *local, struct braid_addr *remote)
{
    *local = c->local;
    *remote = c->remote;
}

unsigned braid_conn_subflows(const struct braid_conn *c, struct braid_pair *out, unsigned max)
{
    memcpy(out, c->flows, (c->n_flows < max ? c->n_flows : max) * sizeof(*out));
    return c->n_flows;
}

void braid_conn_accept(struct braid_conn *c)
{
    FAKE_MUST(!c->accepted && !c->refused);
    c->accepted = true;
}

size_t braid_conn_readable(const struct braid_conn *c)
{
    return c->up_arrived - c->up_taken;
}

void braid_conn_accept_early(struct braid_conn *c, uint16_t most)
{
    FAKE_MUST(most > 0);
    braid_conn_accept(c);
}

void braid_conn_accept_with(struct braid_conn *c, const void *data, size_t len)
{
    braid_conn_accept(c);
    memcpy(c->down, data, len);
    c->down_len = c->with_syn = len;
}

void braid_conn_refuse(struct braid_conn *c, enum braid_refusal how)
{
    FAKE_MUST(!c->accepted && !c->refused);
    c->refused = true;
    c->refusal = how;
}

void braid_conn_set_sched(struct braid_conn *c, const struct sched_ops *ops)
{
    c->sched = ops;
}

void braid_conn_set_cc(struct braid_conn *c, const struct cc_ops *ops, braid_time now)
{
    FAKE_MUST(now > 0);
    c->cc = ops;
}

void braid_conn_set_pm(struct braid_conn *c, const struct pm_ops *ops)
{
    c->pm = ops;
}

int braid_conn_get_option(const struct braid_conn *c, enum braid_option option, int64_t *value)
{
    FAKE_MUST(option == BRAID_OPT_UNACKED || option == BRAID_OPT_REPEAT || option == BRAID_OPT_MODE);
    if (option == BRAID_OPT_MODE) {
        *value = c->mptcp ? BRAID_MODE_NOT_YET : BRAID_MODE_PLAIN;
        return 0;
    }
    *value = option == BRAID_OPT_REPEAT ? c->repeats : (int64_t)(c->down_len - c->down_acked);
    return 0;
}

int braid_conn_set_option(struct braid_conn *c, enum braid_option option, int64_t value)
{
    FAKE_MUST(option == BRAID_OPT_REPEAT);
    c->repeats = value;
    return 0;
}

const struct sched_ops *braid_conn_sched(const struct braid_conn *c)
{
    return c->sched;
}

static inline unsigned fake_pieces(uint8_t *data, size_t len, size_t piece, struct iovec *iov, unsigned n)
{
    unsigned i = 0;
    for (size_t at = 0; at < len && i < n; at += piece, i++)
        iov[i] = (struct iovec){.iov_base = data + at, .iov_len = len - at < piece ? len - at : piece};
    return i;
}

unsigned braid_conn_peek(const struct braid_conn *c, struct iovec *iov, unsigned n)
{
    return fake_pieces(c->up + c->up_taken, c->up_arrived - c->up_taken, c->piece, iov, n);
}

void braid_conn_consume(struct braid_conn *c, size_t n)
{
    FAKE_MUST(n <= c->up_arrived - c->up_taken);
    c->up_taken += n;
}

bool braid_conn_eof(const struct braid_conn *c)
{
    return c->up_end && c->up_taken == c->up_arrived;
}

unsigned braid_conn_reserve(struct braid_conn *c, size_t want, struct iovec *iov, unsigned n)
{
    FAKE_MUST(c->reserved == 0);
    FAKE_MUST(!c->shut && !c->aborted && !c->abort_delivered);
    size_t room = c->sndbuf - (c->down_len - c->down_acked);
    if (room < want)
        c->wants_room = true;
    size_t len = room < want ? room : want;
    unsigned filled = fake_pieces(c->down + c->down_len, len, c->piece, iov, n);
    for (unsigned i = 0; i < filled; i++)
        c->reserved += iov[i].iov_len;
    return filled;
}

void braid_conn_commit(struct braid_conn *c, size_t n)
{
    FAKE_MUST(n <= c->reserved);
    c->reserved = 0;
    c->down_len += n;
}

ssize_t braid_conn_write(struct braid_conn *c, const void *data, size_t len)
{
    FAKE_MUST(!c->shut && !c->aborted && !c->abort_delivered);
    size_t room = c->sndbuf - (c->down_len - c->down_acked), n = len < room ? len : room;
    memcpy(c->down + c->down_len, data, n);
    c->down_len += n;
    c->wants_room |= n < len;
    return (ssize_t)n;
}

ssize_t braid_conn_move(struct braid_conn *c, struct braid_conn *from)
{
    size_t len = from->up_arrived - from->up_taken;
    ssize_t n = braid_conn_write(c, from->up + from->up_taken, len);
    braid_conn_consume(from, (size_t)n);
    return n;
}

void braid_conn_shutdown(struct braid_conn *c)
{
    FAKE_MUST(!c->shut);
    c->shut = true;
}

void braid_conn_abort(struct braid_conn *c)
{
    FAKE_MUST(!c->aborted);
    c->aborted = true;
}

void braid_conn_abort_delivered(struct braid_conn *c)
{
    FAKE_MUST(!c->aborted && !c->abort_delivered);
    c->abort_delivered = true;
}

void braid_conn_release(struct braid_conn *c)
{
    c->released = true;
}

#endif
