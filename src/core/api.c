/* What a user of the core does with connections, as far as it is no more than a note for the next flush: so
 * it may be done from within any callback, and what follows happens once the callback has returned. */
#include "core/inside.h"

#include <assert.h>
#include <string.h>

#include "base/addr.h"
#include "mptcp/handshake.h"
#include "mptcp/marks.h"
#include "mptcp/open.h"
#include "mptcp/ports.h"
#include "mptcp/tapped.h"

void braid_conn_accept(struct braid_conn *c)
{
    /* the client may have given up in the meantime: then the answer does no harm */
    assert(c->phase == CONN_PENDING || c->handshake.stateless || c->closing.fail_due);
    conn_tap(c, BRAID_TAP_ACCEPT, 0, c->handshake.early);
    c->handshake.accept_due = true;
    c->handshake.incoming_told = true; /* one taken over may be answered before anybody was asked */
    c->handshake.listener = NULL;
    conn_dirty(c);
}

void braid_conn_accept_early(struct braid_conn *c, uint16_t most)
{
    c->handshake.early = syn_data_bound(c, most);
    braid_conn_accept(c);
}

/* Once the client has been answered, with a cookie, the bytes follow in the stream. */
void braid_conn_accept_with(struct braid_conn *c, const void *data, size_t len)
{
    conn_tap(c, BRAID_TAP_ACCEPT_WITH, 0, len);
    if (c->phase == CONN_PENDING && !c->closing.fail_due) {
        handshake_fallback(c->subflows);
    }
    if (!syn_data_offer(c, data, len))
        conn_fail(c, BRAID_CLOSE_RESOURCES, false);
    braid_conn_accept(c);
}

void braid_conn_refuse(struct braid_conn *c, enum braid_refusal how)
{
    assert(c->phase == CONN_PENDING || c->handshake.stateless || c->closing.fail_due);
    conn_tap(c, BRAID_TAP_REFUSE, 0, how);
    c->handshake.refuse_due = true;
    c->handshake.incoming_told = true;
    c->handshake.refusal = how;
    c->closing.told = true;
    conn_dirty(c);
}

/* Chooses the local port, too, if that is left open. */
static enum braid_error may_connect(struct braid_core *core, struct braid_connect_params *p, braid_time now)
{
    struct mptcp_env *env = &core->env;
    if (!ip_is_pair(&p->local.ip, &p->remote.ip) || p->remote.port == 0)
        return BRAID_ERROR_ADDRESS;
    if (env->n_conns >= env->params.max_conns)
        return BRAID_ERROR_LIMIT;
    return ports_find(env, &env->ports, &p->local, &p->remote, now);
}

struct braid_conn *braid_connect(struct braid_core *core, const struct braid_connect_params *params,
                                 braid_time now)
{
    struct braid_connect_params p = *params;
    tap_leave(&core->env.tcp);
    core->error = may_connect(core, &p, now);
    struct braid_conn *c = core->error ? NULL : conn_open_active(&core->env, &p, now);
    if (!c && !core->error)
        core->error = BRAID_ERROR_MEMORY;
    if (c)
        conn_tap_bytes(c, BRAID_TAP_OPENED, NULL, 0);
    return c;
}

void braid_conn_ask_again(struct braid_conn *c, braid_time now)
{
    conn_tap(c, BRAID_TAP_ASK_AGAIN, now);
    if (c->phase == CONN_HANDSHAKE && !c->closing.fail_due && c->subflows)
        subflow_repeat_syn(&c->subflows->tcp, now);
}

enum braid_error braid_core_error(const struct braid_core *core)
{
    return core->error;
}

void braid_core_on_event(struct braid_core *core, braid_event_fn *fn, void *ctx)
{
    core->env.news = (struct news_hook){.fn = fn, .ctx = ctx};
}

void braid_conn_set_user(struct braid_conn *c, void *user)
{
    c->user = user;
}

void *braid_conn_user(const struct braid_conn *c)
{
    return c->user;
}

void braid_conn_set_ops(struct braid_conn *c, const struct braid_conn_ops *ops, void *user)
{
    c->ops = ops;
    c->user = user;
}

const struct braid_conn_ops *braid_conn_get_ops(const struct braid_conn *c)
{
    return c->ops;
}

uint64_t braid_conn_id(const struct braid_conn *c)
{
    return c->id;
}

const char *braid_conn_listener(const struct braid_conn *c)
{
    return c->edge;
}

braid_time braid_conn_opened_at(const struct braid_conn *c)
{
    return c->opened_at;
}

void braid_conn_addrs(const struct braid_conn *c, struct braid_addr *local, struct braid_addr *remote)
{
    *local = c->addresses.local;
    *remote = c->addresses.remote;
}

/* Not while it is only offered: the handshake may still end in plain TCP. */
bool braid_conn_is_mptcp(const struct braid_conn *c)
{
    return conn_is_mptcp(c) && c->fallback.was_mptcp;
}

/* Somebody wants its end: what follows from its own course is not told. */
static void abort_it(struct braid_conn *c)
{
    conn_tap(c, BRAID_TAP_FAIL, 0, BRAID_CLOSE_ABORTED, true);
    conn_fail(c, BRAID_CLOSE_ABORTED, true);
}

void braid_conn_abort(struct braid_conn *c)
{
    abort_it(c);
}

void braid_core_abort(struct braid_core *core, braid_time now)
{
    each_conn (c, &core->env) {
        if (c->phase < CONN_DRAINING)
            abort_it(c);
    }
    braid_core_flush(core, now);
}

void braid_conn_abort_delivered(struct braid_conn *c)
{
    conn_tap(c, BRAID_TAP_ABORT_DELIVERED, 0);
    c->closing.abort_due = true;
    conn_dirty(c);
}

void braid_conn_release(struct braid_conn *c)
{
    conn_tap(c, BRAID_TAP_RELEASE, 0);
    c->ops = NULL;
    c->closing.told = true;
    c->recv.discard = true;
    /* RFC 9293 section 3.6.1: who closes with data unread, or gets more afterwards, tells the peer that it is
     * lost. */
    bool unread = c->recv.bytes > 0;
    braid_conn_consume(c, c->recv.bytes);
    if (!c->send.shutdown || unread)
        conn_fail(c, BRAID_CLOSE_ABORTED, true);
}

void braid_conn_close(struct braid_conn *c)
{
    bool unanswered = (c->phase == CONN_PENDING || c->handshake.stateless) && !c->handshake.accept_due;
    if (unanswered) {
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    /* One of ours without an answer yet is given up at once: nobody waits for its end of data. */
    if (c->handshake.passive || c->phase >= CONN_ESTABLISHED)
        braid_conn_shutdown(c);
    braid_conn_release(c);
}

ssize_t braid_conn_read(struct braid_conn *c, void *buf, size_t len)
{
    struct iovec iov[16];
    unsigned n = braid_conn_peek(c, iov, sizeof(iov) / sizeof(iov[0]));
    size_t done = 0;
    for (unsigned i = 0; i < n && done < len; i++) {
        size_t take = len - done < iov[i].iov_len ? len - done : iov[i].iov_len;
        memcpy((uint8_t *)buf + done, iov[i].iov_base, take);
        done += take;
    }
    if (done > 0)
        braid_conn_consume(c, done);
    else if (len > 0 && !braid_conn_eof(c))
        return BRAID_AGAIN;
    return (ssize_t)done;
}

int braid_conn_reset_subflow(struct braid_conn *c, uint32_t subflow_id)
{
    conn_tap(c, BRAID_TAP_RESET_SUBFLOW, 0, subflow_id);
    each_flow (s, c) {
        if (s->id == subflow_id && !s->closing.dead) {
            flow_reset(s, c->closing.reset_reason);
            return 0;
        }
    }
    return -1;
}

const char *braid_error_text(enum braid_error error)
{
    static const char *const texts[] = {
        [BRAID_ERROR_NONE] = "no error",
        [BRAID_ERROR_MEMORY] = "out of memory",
        [BRAID_ERROR_LIMIT] = "as many as there may be",
        [BRAID_ERROR_ADDRESS] = "no such pair of addresses and ports",
        [BRAID_ERROR_TAKEN] = "the address is in use",
        [BRAID_ERROR_PORTS] = "no port is free",
        [BRAID_ERROR_NOT_YET] = "not established yet",
        [BRAID_ERROR_PLAIN] = "the connection is plain TCP",
        [BRAID_ERROR_CLOSED] = "the connection has ended",
        [BRAID_ERROR_UNWANTED] = "the peer wants no subflows there",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_ERROR_UNWANTED + 1, "a text for each error");
    return texts[error];
}

const char *braid_close_text(enum braid_close why)
{
    static const char *const texts[] = {
        [BRAID_CLOSE_DONE] = "done",
        [BRAID_CLOSE_RESET] = "reset by peer",
        [BRAID_CLOSE_TIMEOUT] = "timed out",
        [BRAID_CLOSE_REFUSED] = "refused",
        [BRAID_CLOSE_UNREACHABLE] = "unreachable",
        [BRAID_CLOSE_PROTOCOL] = "protocol error",
        [BRAID_CLOSE_RESOURCES] = "out of memory",
        [BRAID_CLOSE_ABORTED] = "aborted",
        [BRAID_CLOSE_FATE] = "its first subflow has ended",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_CLOSE_FATE + 1, "a text for each reason");
    return texts[why];
}
