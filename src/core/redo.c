/* Doing to a connection once more what was done to one before (braid/tap.h). What is told of it may be
 * damaged: what the core's own callers guarantee is looked at here. */
#include <stdlib.h>
#include <string.h>

#include "core/inside.h"
#include "core/timewaits.h"
#include "mptcp/marks.h"
#include "mptcp/recvq.h"
#include "mptcp/sendbuf.h"
#include "mptcp/tapped.h"

#define PIECES_MOST 64
#define BYTES_MOST  ((size_t)256 << 20) /* of one write */
#define BUF_MOST    ((size_t)1 << 20)

/* The events that it is about, and what of their numbers means what: braid/tap.h. */

static bool redo_packet(struct braid_core *core, const struct braid_tap_event *e)
{
    struct braid_input in = {.csum_ok = true,
                             .gso_size = (uint16_t)e->n[2],
                             .fragment_size = (uint16_t)e->n[3],
                             .fragment_id = (uint32_t)e->n[4]};
    uint64_t payload = e->n[0], cap = e->n[1], at = e->n[6];
    if (e->count != 7 || cap > BUF_MOST || payload > cap || e->len > cap - payload ||
        at > cap - payload - e->len)
        return false;
    struct buf *b = buf_new(cap, NULL);
    if (!b)
        return false;
    memcpy(b->data + at, e->data, e->len);
    memset(b->data + at + e->len, 0, payload);
    braid_core_input(core, b, at, e->len + payload, &in, e->now);
    buf_unref(b);
    return true;
}

/* Packets for them are nobody's, and not told. */
static void forget_past(struct braid_core *core)
{
    while (!list_empty(&core->timewait_order))
        core_timewait_free(list_entry(core->timewait_order.next, struct timewait_entry, node));
}

static bool redo_time(struct braid_core *core, struct braid_conn *c, const struct braid_tap_event *e)
{
    switch (e->kind) {
    case BRAID_TAP_RUN:
        braid_core_run(core, e->now);
        return true;
    case BRAID_TAP_FLUSH:
        list_remove(&c->dirty_node);
        core_flush_one(core, c, e->now);
        forget_past(core);
        return true;
    case BRAID_TAP_RESUMED:
        braid_core_resumed(core, e->now);
        return true;
    default:
        return false;
    }
}

/* ---- the stream ---- */

static bool redo_write(struct braid_conn *c, uint64_t len)
{
    void *zeros = len > 0 && len <= BYTES_MOST ? calloc(1, len) : NULL;
    if (!zeros && len > 0)
        return false;
    braid_conn_write(c, zeros, len);
    free(zeros);
    return true;
}

static bool redo_append(struct braid_conn *c, uint64_t len, uint64_t at, uint64_t cap)
{
    if (cap > BUF_MOST || at > cap || len > cap - at || len == 0)
        return false;
    struct buf *b = buf_new(cap, NULL);
    if (!b)
        return false;
    memset(b->data, 0, cap);
    struct slice s = {.buf = b, .data = b->data + at, .len = (uint32_t)len};
    if (!conn_send_append(c, &s)) /* else the reference is the connection's now */
        buf_unref(b);
    return true;
}

static bool redo_take_first(struct braid_conn *c)
{
    const struct slice *first = recvq_first(c);
    if (!first)
        return false;
    struct buf *b = first->buf;
    recvq_take_first(c);
    buf_unref(b);
    return true;
}

static bool redo_stream(struct braid_conn *c, const struct braid_tap_event *e)
{
    struct iovec iov[PIECES_MOST];
    switch (e->kind) {
    case BRAID_TAP_CONSUME:
        if (e->n[0] > c->recv.bytes)
            return false;
        braid_conn_consume(c, e->n[0]);
        return true;
    case BRAID_TAP_RESERVE:
        if (e->n[0] > BYTES_MOST || e->n[1] > PIECES_MOST)
            return false;
        braid_conn_reserve(c, e->n[0], iov, (unsigned)e->n[1]);
        return true;
    case BRAID_TAP_COMMIT:
        if (e->n[0] > conn_send_reserved(c))
            return false;
        braid_conn_commit(c, e->n[0]);
        return true;
    case BRAID_TAP_WRITE:
        return redo_write(c, e->n[0]);
    case BRAID_TAP_APPEND:
        return redo_append(c, e->n[0], e->n[1], e->n[2]);
    case BRAID_TAP_TAKE_FIRST:
        return redo_take_first(c);
    case BRAID_TAP_SHUTDOWN:
        braid_conn_shutdown(c);
        return true;
    default:
        return false;
    }
}

/* ---- beginning and end ---- */

static bool redo_answer(struct braid_conn *c, const struct braid_tap_event *e)
{
    static const uint8_t zeros[UINT16_MAX];
    bool waits = c->phase == CONN_PENDING || c->handshake.stateless || c->closing.fail_due;
    switch (e->kind) {
    case BRAID_TAP_ACCEPT:
        if (waits)
            braid_conn_accept_early(c, (uint16_t)e->n[0]);
        return waits;
    case BRAID_TAP_ACCEPT_WITH:
        waits = waits && e->n[0] <= sizeof(zeros);
        if (waits)
            braid_conn_accept_with(c, zeros, e->n[0]);
        return waits;
    case BRAID_TAP_REFUSE:
        waits = waits && e->n[0] <= BRAID_REFUSE_SILENTLY;
        if (waits)
            braid_conn_refuse(c, (enum braid_refusal)e->n[0]);
        return waits;
    default:
        return false;
    }
}

static bool redo_end(struct braid_conn *c, const struct braid_tap_event *e)
{
    switch (e->kind) {
    case BRAID_TAP_FAIL:
        if (e->n[0] > BRAID_CLOSE_FATE)
            return false;
        conn_tap(c, BRAID_TAP_FAIL, 0, e->n[0], e->n[1]);
        conn_fail(c, (enum braid_close)e->n[0], e->n[1]);
        return true;
    case BRAID_TAP_ASK_AGAIN:
        braid_conn_ask_again(c, e->now);
        return true;
    case BRAID_TAP_ABORT_DELIVERED:
        braid_conn_abort_delivered(c);
        return true;
    case BRAID_TAP_RELEASE:
        braid_conn_release(c);
        return true;
    case BRAID_TAP_RESET_SUBFLOW:
        braid_conn_reset_subflow(c, (uint32_t)e->n[0]);
        return true;
    default:
        return false;
    }
}

/* ---- addresses and options ---- */

/* What data is, if it is as long as that. */
static bool copy(const struct braid_tap_event *e, void *out, size_t len)
{
    if (e->len == len)
        memcpy(out, e->data, len);
    return e->len == len;
}

static bool redo_endpoint(struct braid_core *core, struct braid_conn *c, const struct braid_tap_event *e)
{
    struct braid_endpoint at;
    if (!copy(e, &at, sizeof(at)))
        return false;
    if (e->kind == BRAID_TAP_ENDPOINT_ADD)
        braid_conn_endpoint_add(c, &at);
    else
        braid_core_endpoint_add(core, &at);
    return true;
}

static bool redo_ip(struct braid_core *core, struct braid_conn *c, const struct braid_tap_event *e)
{
    struct braid_ip ip;
    if (!copy(e, &ip, sizeof(ip)))
        return false;
    switch (e->kind) {
    case BRAID_TAP_ENDPOINT_REMOVE:
        braid_conn_endpoint_remove(c, &ip);
        return true;
    case BRAID_TAP_CORE_ENDPOINT_REMOVE:
        braid_core_endpoint_remove(core, &ip);
        return true;
    case BRAID_TAP_ASK:
        braid_core_ask(core, &ip, e->now);
        return true;
    case BRAID_TAP_FORBID:
        braid_conn_forbid(c, &ip);
        return true;
    case BRAID_TAP_WITHDRAW:
        braid_conn_withdraw(c, &ip);
        return true;
    default:
        return false;
    }
}

static bool redo_addr(struct braid_conn *c, const struct braid_tap_event *e)
{
    struct braid_addr addr;
    struct braid_pair ends;
    switch (e->kind) {
    case BRAID_TAP_ALLOW:
        return copy(e, &addr, sizeof(addr)) && (braid_conn_allow(c, &addr), true);
    case BRAID_TAP_ANNOUNCE:
        return copy(e, &addr, sizeof(addr)) && (braid_conn_announce(c, &addr), true);
    case BRAID_TAP_JOIN:
        return copy(e, &ends, sizeof(ends)) &&
               (braid_conn_join(c, &ends.local, &ends.remote, e->n[0], e->now), true);
    default:
        return false;
    }
}

static bool is_named(const struct braid_tap_event *e, const char *name)
{
    return strlen(name) == e->len && memcmp(name, e->data, e->len) == 0;
}

static bool redo_algorithm(struct braid_conn *c, const struct braid_tap_event *e)
{
    for (const struct sched_ops *const *a = sched_algorithms; e->kind == BRAID_TAP_SET_SCHED && *a; a++)
        if (is_named(e, (*a)->name))
            return braid_conn_set_sched(c, *a), true;
    for (const struct cc_ops *const *a = cc_algorithms; e->kind == BRAID_TAP_SET_CC && *a; a++)
        if (is_named(e, (*a)->name))
            return braid_conn_set_cc(c, *a, e->now), true;
    for (const struct pm_ops *const *a = pm_algorithms; e->kind == BRAID_TAP_SET_PM && e->len > 0 && *a; a++)
        if (is_named(e, (*a)->name))
            return braid_conn_set_pm(c, *a), true;
    if (e->kind == BRAID_TAP_SET_PM && e->len == 0)
        return braid_conn_set_pm(c, NULL), true;
    return false;
}

static bool redo_option(struct braid_conn *c, const struct braid_tap_event *e)
{
    if (e->kind == BRAID_TAP_SET_BACKUP)
        braid_conn_set_backup(c, (uint32_t)e->n[0], e->n[1]);
    else
        braid_conn_set_option(c, (enum braid_option)e->n[0], (int64_t)e->n[1]);
    return true;
}

bool braid_tap_redo(struct braid_core *core, struct braid_conn *c, const struct braid_tap_event *e)
{
    switch (e->kind) {
    case BRAID_TAP_PACKET:
        return redo_packet(core, e);
    case BRAID_TAP_RUN:
    case BRAID_TAP_FLUSH:
    case BRAID_TAP_RESUMED:
        return redo_time(core, c, e);
    case BRAID_TAP_ACCEPT:
    case BRAID_TAP_ACCEPT_WITH:
    case BRAID_TAP_REFUSE:
        return redo_answer(c, e);
    case BRAID_TAP_CONSUME:
    case BRAID_TAP_RESERVE:
    case BRAID_TAP_COMMIT:
    case BRAID_TAP_WRITE:
    case BRAID_TAP_APPEND:
    case BRAID_TAP_TAKE_FIRST:
    case BRAID_TAP_SHUTDOWN:
        return redo_stream(c, e);
    case BRAID_TAP_ENDPOINT_ADD:
    case BRAID_TAP_CORE_ENDPOINT_ADD:
        return redo_endpoint(core, c, e);
    case BRAID_TAP_ENDPOINT_REMOVE:
    case BRAID_TAP_CORE_ENDPOINT_REMOVE:
    case BRAID_TAP_ASK:
    case BRAID_TAP_FORBID:
    case BRAID_TAP_WITHDRAW:
        return redo_ip(core, c, e);
    case BRAID_TAP_ALLOW:
    case BRAID_TAP_ANNOUNCE:
    case BRAID_TAP_JOIN:
        return redo_addr(c, e);
    case BRAID_TAP_SET_SCHED:
    case BRAID_TAP_SET_CC:
    case BRAID_TAP_SET_PM:
        return redo_algorithm(c, e);
    case BRAID_TAP_SET_OPTION:
    case BRAID_TAP_SET_BACKUP:
        return redo_option(c, e);
    default:
        return redo_end(c, e);
    }
}

void braid_tap_wrap_sched(struct braid_conn *c, const struct sched_ops *ops)
{
    c->sched.ops = ops;
}
