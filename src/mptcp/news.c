/* See news.h. What is told is made here, from what a connection knows anyway, and only if somebody listens;
 * that it was established is noted beside the marks of its handshake. */
#include "mptcp/news.h"

#include "mptcp/close_reason.h"
#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/known.h"

static void tell(const struct braid_conn *c, const struct braid_event *e)
{
    const struct news_hook *h = &c->env->news;
    if (h->fn && (c->handshake.complete || e->kind == BRAID_EVENT_CLOSED))
        h->fn(h->ctx, c, e);
}

static struct braid_event of_conn(const struct braid_conn *c, enum braid_event_kind kind)
{
    return (struct braid_event){
        .kind = kind, .local = c->addresses.local, .remote = c->addresses.remote, .reset = -1};
}

static struct braid_event of_subflow(const struct mp_subflow *s, enum braid_event_kind kind)
{
    return (struct braid_event){.kind = kind,
                                .subflow = s->id,
                                .local = s->tcp.local,
                                .remote = s->tcp.remote,
                                .backup = s->backup.ours || s->backup.peer,
                                .reset = -1};
}

static struct braid_event of_beginning(const struct braid_conn *c)
{
    struct braid_event e = of_conn(c, BRAID_EVENT_ESTABLISHED);
    e.mptcp = c->fallback.was_mptcp;
    return e;
}

static struct braid_event of_subflow_up(const struct mp_subflow *s)
{
    struct braid_event e = of_subflow(s, BRAID_EVENT_SUBFLOW_UP);
    e.by_peer = s->tcp.syn.passive;
    return e;
}

static struct braid_event of_address(const struct braid_conn *c, bool announced, uint8_t id,
                                     const struct braid_addr *addr)
{
    struct braid_event e = of_conn(c, announced ? BRAID_EVENT_ANNOUNCED : BRAID_EVENT_WITHDRAWN);
    e.address_id = id;
    e.remote = *addr;
    return e;
}

void news_established(struct mp_subflow *first)
{
    first->conn->handshake.complete = true;
    struct braid_event e = of_beginning(first->conn);
    tell(first->conn, &e);
    news_joined(first);
}

void news_joined(struct mp_subflow *s)
{
    struct braid_event e = of_subflow_up(s);
    tell(s->conn, &e);
}

static enum braid_close why_gone(const struct mp_subflow *s)
{
    return close_reason(s, BRAID_CLOSE_ABORTED);
}

/* Of one that a stranger may have asked for nothing is told. */
void news_gone(struct mp_subflow *s)
{
    if (!s->confirmed && s->tcp.syn.passive)
        return;
    struct braid_event e = of_subflow(s, s->confirmed ? BRAID_EVENT_SUBFLOW_DOWN : BRAID_EVENT_FAILED);
    e.why = why_gone(s);
    if (s->closing.peer_rst >= 0)
        e.reset = s->closing.peer_rst;
    else if (s->closing.why == SUBFLOW_CLOSED_LOCAL)
        e.reset = s->closing.rst_reason;
    tell(s->conn, &e);
}

/* Of one that is not up yet, its coming will tell. */
void news_priority(struct mp_subflow *s, bool by_peer)
{
    if (!s->confirmed)
        return;
    struct braid_event e = of_subflow(s, BRAID_EVENT_PRIORITY);
    e.by_peer = by_peer;
    tell(s->conn, &e);
}

/* As with priority. */
void news_silent(struct mp_subflow *s, bool silent)
{
    if (!s->confirmed)
        return;
    struct braid_event e = of_subflow(s, silent ? BRAID_EVENT_SILENT : BRAID_EVENT_HEARD);
    tell(s->conn, &e);
}

void news_address(struct braid_conn *c, bool announced, uint8_t id, const struct braid_addr *addr)
{
    struct braid_event e = of_address(c, announced, id, addr);
    tell(c, &e);
}

void news_fallback(struct braid_conn *c)
{
    struct braid_event e = of_conn(c, BRAID_EVENT_FALLBACK);
    tell(c, &e);
}

/* What is reset with the connection shares its reason. One whose user had released it before it was aborted
 * has none noted. */
void news_closed(struct braid_conn *c)
{
    struct braid_event e = of_conn(c, BRAID_EVENT_CLOSED);
    e.established = c->handshake.complete;
    e.why = c->closing.fastclose && c->closing.why == BRAID_CLOSE_DONE ? BRAID_CLOSE_ABORTED : c->closing.why;
    each_flow (s, c) {
        struct braid_event down = of_subflow(s, BRAID_EVENT_SUBFLOW_DOWN);
        down.why = e.why;
        if (s->confirmed)
            tell(c, &down);
    }
    tell(c, &e);
}

/* ---- how it is ---------------------------------------------------------------------------------------- */

static void tell_present(const struct braid_conn *c, struct braid_event e, braid_event_fn *fn, void *ctx)
{
    e.present = true;
    fn(ctx, c, &e);
}

void braid_conn_tell(const struct braid_conn *c, braid_event_fn *fn, void *ctx)
{
    const struct conn_known *m = c->pm.known;
    if (!c->handshake.complete)
        return;
    tell_present(c, of_beginning(c), fn, ctx);
    if (c->mode == MODE_FALLBACK)
        tell_present(c, of_conn(c, BRAID_EVENT_FALLBACK), fn, ctx);
    each_flow (s, c) {
        if (flow_usable(s))
            tell_present(c, of_subflow_up(s), fn, ctx);
    }
    for (unsigned i = 1; m && i < m->n_remotes; i++)
        if (m->remotes[i].usable)
            tell_present(c, of_address(c, true, m->remotes[i].id, &m->remotes[i].addr), fn, ctx);
}

const char *braid_event_text(enum braid_event_kind kind)
{
    static const char *const texts[] = {
        [BRAID_EVENT_ESTABLISHED] = "established",
        [BRAID_EVENT_SUBFLOW_UP] = "subflow-up",
        [BRAID_EVENT_SUBFLOW_DOWN] = "subflow-down",
        [BRAID_EVENT_FAILED] = "subflow-failed",
        [BRAID_EVENT_PRIORITY] = "priority",
        [BRAID_EVENT_SILENT] = "path-silent",
        [BRAID_EVENT_HEARD] = "path-heard",
        [BRAID_EVENT_ANNOUNCED] = "announced",
        [BRAID_EVENT_WITHDRAWN] = "withdrawn",
        [BRAID_EVENT_FALLBACK] = "fallback",
        [BRAID_EVENT_CLOSED] = "closed",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_EVENT_KINDS, "a text for each kind");
    return texts[kind];
}
