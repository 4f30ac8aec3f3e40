/* The opening of a relayed connection: who is asked first, the client or the server, and when the client is
 * answered (docs/architecture.md, "Rules of conversion"). Until the server is there, what the client sends,
 * its end included, waits in the connection's receive buffer. */
#include <errno.h>
#include <string.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/upstream.h"
#include "relay/dial_freeze.h"
#include "relay/end_conn.h"
#include "relay/end_socket.h"
#include "role/edge_client.h"
#include "role/edge_mode.h"
#include "role/edge_services.h"
#include "role/introduce.h"
#include "role/learn.h"
#include "role/opening.h"
#include "role/presented.h"
#include "role/unserved.h"
#include "role/watches.h"

/* By hash a client that loses one SYN to its server, which is repeated after a second, does not get another
 * server. */
#define HASH_DELAY (1250 * BRAID_MS)

/* ---- the client is answered -------------------------------------------------------------------- */

static void answer_client(struct client *cl)
{
    cl->opening->accepted = true;
    braid_conn_accept(client_conn(cl));
}

/* Before the server has answered. */
static void answer_early(struct client *cl)
{
    list_remove(&cl->link);
    list_append(&client_edge(cl)->late, &cl->link);
    answer_client(cl);
}

/* All clients of an edge have the same patience, so the first one's is over first. */
static void expire_connecting(struct edge *e, braid_time now)
{
    while (!list_empty(&e->connecting)) {
        struct client *cl = list_entry(e->connecting.next, struct client, link);
        if (cl->opening->patience > now) {
            role_expire_at(&e->owner->role, cl->opening->patience);
            return;
        }
        answer_early(cl);
    }
}

/* ---- the server is asked ------------------------------------------------------------------------ */

/* Whoever watches (watches.h). */
static void tell_target(const struct edge *e, const struct braid_addr *server, bool ejected)
{
    struct watches *ws = e->owner->role.node->watches;
    if (ws)
        watches_tell_target(ws, e->params->name, server, ejected);
}

/* That has answered. */
static void take_server(struct client *cl, const struct braid_addr *server)
{
    struct edge *e = client_edge(cl);
    char text[ADDR_TEXT];
    if (pool_answered(&e->pool, &cl->server, server, clock_now())) {
        log_info("edge %s: target %s answers again", e->params->name, addr_text(server, text));
        tell_target(e, server, false);
    }
    pool_leave(&e->pool, cl->place);
    cl->place = pool_enter(&e->pool, server);
    cl->server = *server;
}

static void on_missed(void *arg, const struct braid_addr *server, int error)
{
    struct edge *e = client_edge(arg);
    const struct failure f = failure_of(error);
    char text[ADDR_TEXT];
    if (f.counter == EDGE_FAILED || !pool_failed(&e->pool, server, clock_now()))
        return;
    log_warn("edge %s: target %s is not asked for %lld s, unless no other is left: %u connections in a row "
             "came to nothing; at last it %s%s",
             e->params->name, addr_text(server, text), (long long)(e->params->pool.eject_time / BRAID_SECOND),
             e->params->pool.eject, f.text ? f.text : "was unreachable: ", f.text ? "" : strerror(error));
    tell_target(e, server, true);
}

static void on_connected(void *arg, int fd, const struct braid_addr *server)
{
    struct client *cl = arg;
    struct opening *o = cl->opening;
    struct edge *e = client_edge(cl);
    o->dial = NULL;
    if (introduce_client(cl, fd) < 0) {
        int why = errno;
        upstream_reset(fd);
        client_unserved(cl, why);
        return;
    }
    if (end_socket_init(&cl->splice.ends[SERVER_END], e->owner->role.node->sockets, fd) < 0) {
        client_unserved(cl, ENOMEM);
        return;
    }
    if (e->params->proxy_protocol != PROXY_NONE)
        end_socket_has_written(&cl->splice.ends[SERVER_END]);
    if (o->probing)
        end_socket_is_mptcp(&cl->splice.ends[SERVER_END]);
    take_server(cl, server);
    client_connected(cl);
    e->counters.v[EDGE_ACCEPTED]++;
    if (o->probing)
        edge_found(e, &cl->server, upstream_is_mptcp(fd));
    if (!o->accepted) {
        answer_client(cl);
        return;
    }
    client_opened(cl);
    splice_start(&cl->splice);
}

static void on_failed(void *arg, int error)
{
    struct client *cl = arg;
    cl->opening->dial = NULL;
    client_unserved(cl, error);
}

/* May free the client. */
static void ask_server(struct client *cl)
{
    struct edge *e = client_edge(cl);
    const struct edge_params *p = e->params;
    struct braid_addr meant, client;
    client_addrs(cl, &meant, &client);
    struct targets targets = e->mode->targets(e, &client.ip, &meant);
    cl->server = targets.addr[0];
    cl->place = pool_enter(&e->pool, &cl->server);
    cl->opening->probing = edge_probes(e, &cl->server);
    client_asks(cl);
    struct dial_params params = {.targets = &targets,
                                 .client = p->client_source ? &client : NULL,
                                 .source = &e->owner->source,
                                 .probe = cl->opening->probing,
                                 .delay = p->pool.balance == BALANCE_HASH ? HASH_DELAY : 0,
                                 .missed = on_missed,
                                 .timeout = p->connect_timeout ? p->connect_timeout : EDGE_CONNECT_TIMEOUT,
                                 .connected = on_connected,
                                 .failed = on_failed,
                                 .arg = cl};
    cl->opening->dial = targets.n > 0 ? dial_new(e->owner->role.node->base, &params) : NULL;
    if (cl->opening->dial)
        dial_begin(cl->opening->dial);
    else
        client_unserved(cl, targets.n > 0 ? ENOMEM : pool_is_down(&e->pool) ? EHOSTDOWN : EDESTADDRREQ);
}

struct dial *opening_resume(struct client *cl, const struct thaw_item *i, struct refs *refs)
{
    struct edge *e = client_edge(cl);
    struct braid_addr meant, client;
    braid_conn_addrs(client_conn(cl), &meant, &client);
    const struct dial_params params = {.client = e->params->client_source ? &client : NULL,
                                       .source = &e->owner->source,
                                       .delay = e->params->pool.balance == BALANCE_HASH ? HASH_DELAY : 0,
                                       .missed = on_missed,
                                       .connected = on_connected,
                                       .failed = on_failed,
                                       .arg = cl};
    return dial_thaw(i, e->owner->role.node->base, &params, refs);
}

/* ---- a balancer in front ------------------------------------------------------------------------- */

/* It is answered at once, since what it says of the client comes behind its handshake. */
static void await_header(struct client *cl)
{
    struct edge *e = client_edge(cl);
    struct opening *o = cl->opening;
    braid_time patience = e->params->header_patience;
    o->awaits_header = true;
    o->conversion.deadline = clock_now() + (patience ? patience : EDGE_HEADER_PATIENCE);
    list_remove(&cl->link);
    list_append(&e->limited, &cl->link);
    role_expire_at(&e->owner->role, o->conversion.deadline);
    answer_client(cl);
}

/* No header is waited for any more. */
static void end_wait(struct client *cl)
{
    cl->opening->awaits_header = false;
    list_remove(&cl->link);
    list_append(&client_edge(cl)->late, &cl->link);
}

/* closed() follows. */
static void dismiss(struct client *cl, enum edge_counter counter, enum farewell_reason why)
{
    end_wait(cl);
    client_edge(cl)->counters.v[counter]++;
    cl->why = (uint8_t)why;
    splice_abort(&cl->splice, CLIENT_END);
}

static void read_header(struct client *cl)
{
    struct edge *e = client_edge(cl);
    struct braid_addr meant, client;
    switch (presented_read(cl)) {
    case PRESENTED_MORE:
        break;
    case PRESENTED_NOTHING:
        dismiss(cl, EDGE_CLOSED, FAREWELL_CLOSED);
        break;
    case PRESENTED_BADLY:
        dismiss(cl, EDGE_MALFORMED, FAREWELL_DENIED);
        break;
    case PRESENTED_NO_MEMORY:
        dismiss(cl, EDGE_FAILED, FAREWELL_MEMORY);
        break;
    case PRESENTED:
        client_addrs(cl, &meant, &client);
        if (!access_allows(&e->params->access, &client.ip)) {
            dismiss(cl, EDGE_DENIED, FAREWELL_DENIED);
            return;
        }
        end_wait(cl);
        ask_server(cl);
    }
}

static void expire_limited(struct edge *e, braid_time now)
{
    while (!list_empty(&e->limited)) {
        struct client *cl = list_entry(e->limited.next, struct client, link);
        if (cl->opening->conversion.deadline > now) {
            role_expire_at(&e->owner->role, cl->opening->conversion.deadline);
            return;
        }
        presented_complain(cl, "in time");
        dismiss(cl, EDGE_OVERDUE, FAREWELL_DENIED);
    }
}

void opening_expire(struct edge *e, braid_time now)
{
    expire_connecting(e, now);
    expire_limited(e, now);
}

/* ---- the client comes ---------------------------------------------------------------------------- */

static void turn_away(struct edge *e, struct braid_conn *c, enum edge_counter why, enum braid_refusal how)
{
    e->counters.v[why]++;
    braid_conn_refuse(c, how);
}

/* A client that is denied is told by a RST. Silence would hide nothing, since others are answered at this
 * address, and who hears nothing takes it for a network that drops MPTCP, and does without it towards
 * everybody for a while. */
static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct edge *e = ctx;
    struct braid_addr meant, client;
    e->counters.v[EDGE_INCOMING]++;
    braid_conn_addrs(c, &meant, &client);
    bool balancer = presented_by(e->params, &client.ip);
    if (!balancer && !access_allows(&e->params->access, &client.ip)) {
        turn_away(e, c, EDGE_DENIED, BRAID_REFUSE_RESET);
        return;
    }
    if (!e->mode->reaches(e, &meant.ip)) {
        turn_away(e, c, EDGE_FORBIDDEN, BRAID_REFUSE_UNREACHABLE);
        return;
    }
    struct client *cl = client_new(e, c);
    if (!cl) {
        turn_away(e, c, EDGE_FAILED, BRAID_REFUSE_RESET);
        return;
    }
    client_profile_begin(cl, meant.port);
    edge_service_begin(cl, &client, &meant);
    if (balancer) {
        await_header(cl);
        return;
    }
    if (!unproven_enter(&e->owner->unproven, &cl->opening->unproven, &client.ip)) {
        answer_early(cl);
        return;
    }
    cl->opening->patience = clock_now() + (e->params->patience ? e->params->patience : EDGE_PATIENCE);
    role_expire_at(&e->owner->role, cl->opening->patience);
    ask_server(cl);
}

static void on_established(struct braid_conn *c, void *user)
{
    struct client *cl = client_of_user(user);
    struct opening *o = cl->opening;
    o->established = true;
    unproven_leave(&client_edge(cl)->owner->unproven, &o->unproven);
    if (o->awaits_header)
        read_header(cl);
    else if (cl->connecting && !o->dial)
        ask_server(cl);
    client_opened(cl);
    end_conn_established(c, user);
}

static void on_readable(struct braid_conn *c, void *user)
{
    struct client *cl = user ? client_of_user(user) : NULL;
    if (cl && cl->opening && cl->opening->awaits_header)
        read_header(cl);
    else
        end_conn_readable(c, user);
}

const struct braid_conn_ops opening_conn_ops = {.incoming = on_incoming,
                                                .established = on_established,
                                                .readable = on_readable,
                                                .writable = end_conn_writable,
                                                .closed = end_conn_closed};
