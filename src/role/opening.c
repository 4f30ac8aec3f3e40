/* The opening of a relayed connection: who is asked first, the client or the server, and when the client is
 * answered (docs/architecture.md, "Rules of conversion"). Until the server is there, what the client sends,
 * its end included, waits in the connection's receive buffer. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/rtnetlink.h"
#include "io/upstream.h"
#include "role/relay.h"
#include "relay/targets.h"

/* ---- the server does not come ------------------------------------------------------------------ */

/* What a failure to connect means, for the counters, for the client, and for the log. */
struct failure {
    enum edge_counter counter;
    enum braid_refusal refusal;
    const char *text; /* NULL: strerror tells */
};

static struct failure failure_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
        return (struct failure){EDGE_REFUSED, BRAID_REFUSE_RESET, "refused the connection"};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EADDRNOTAVAIL:
        return (struct failure){EDGE_FAILED, BRAID_REFUSE_RESET,
                                "was not asked: out of descriptors, memory or ports"};
    case EDESTADDRREQ:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, "has no known address"};
    case ETIMEDOUT:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, "did not answer in time"};
    default:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, NULL};
    }
}

/* server NULL: the target as the configuration names it. */
static void complain(struct edge *e, const struct braid_addr *server, int error)
{
    const struct failure f = failure_of(error);
    char address[ADDR_TEXT], since[64] = "";
    unsigned unsaid;
    if (!complaint_due(&e->complaint, clock_now(), &unsaid))
        return;
    if (unsaid > 0)
        snprintf(since, sizeof(since), " (%u more such failures since the last line)", unsaid);
    log_write(LOG_LEVEL_WARN, NULL, "edge %s: server %s %s%s%s", e->params->name,
              server ? addr_text(server, address) : e->params->target_host,
              f.text ? f.text : "is unreachable: ", f.text ? "" : strerror(error), since);
}

/* Refuses the client and frees, or aborts it if it was answered before: closed() follows then. */
static void server_failed(struct relay *r, int error)
{
    const struct failure f = failure_of(error);
    r->edge->counters.v[f.counter]++;
    complain(r->edge, error == EDESTADDRREQ ? NULL : &r->server, error);
    if (r->accepted) {
        r->broken = true;
        braid_conn_abort(r->conn);
    } else {
        relay_refuse(r, f.refusal);
    }
}

void relay_refuse(struct relay *r, enum braid_refusal how)
{
    assert(r->connecting && !r->accepted);
    braid_conn_refuse(r->conn, how);
    relay_free(r);
}

/* ---- the client is answered -------------------------------------------------------------------- */

static void answer_client(struct relay *r)
{
    r->accepted = true;
    braid_conn_accept(r->conn);
}

/* Before the server has answered. */
static void answer_early(struct relay *r)
{
    list_remove(&r->link);
    list_append(&r->edge->late, &r->link);
    answer_client(r);
}

void relay_expire(struct edge *e, braid_time now)
{
    while (!list_empty(&e->connecting)) {
        struct relay *r = list_entry(e->connecting.next, struct relay, link);
        if (r->patience > now) {
            edge_expire_at(e, r->patience);
            return;
        }
        answer_early(r);
    }
}

/* ---- the server is asked ------------------------------------------------------------------------ */

/* The address that has answered lately when others did not comes first. */
static struct targets in_order(const struct edge *e)
{
    struct targets out = e->targets;
    if (clock_now() < e->preferred_until)
        targets_prefer(&out, &e->preferred);
    return out;
}

static void remember_answer(struct edge *e, const struct braid_addr *asked_first,
                            const struct braid_addr *server)
{
    if (addr_equal(asked_first, server))
        return;
    e->preferred = *server;
    e->preferred_until = clock_now() + EDGE_PREFERENCE;
}

static void on_connected(void *arg, int fd, const struct braid_addr *server)
{
    struct relay *r = arg;
    struct edge *e = r->edge;
    r->dial = NULL;
    if (relay_attach(r, fd) < 0) {
        server_failed(r, ENOMEM);
        return;
    }
    remember_answer(e, &r->server, server);
    r->server = *server;
    r->connecting = false;
    e->counters.connecting--;
    e->counters.open++;
    e->counters.v[EDGE_ACCEPTED]++;
    list_remove(&r->link);
    list_append(&e->open, &r->link);
    if (r->probing)
        edge_found(e, &r->server, upstream_is_mptcp(fd));
    if (r->accepted)
        relay_pump(r);
    else
        answer_client(r);
}

static void on_failed(void *arg, int error)
{
    struct relay *r = arg;
    r->dial = NULL;
    server_failed(r, error);
}

/* May free the relay. */
static void ask_server(struct relay *r)
{
    const struct edge_params *p = r->edge->params;
    struct braid_addr meant, client;
    braid_conn_addrs(r->conn, &meant, &client);
    struct targets targets = p->transparent ? (struct targets){.addr = {meant}, .n = 1} : in_order(r->edge);
    r->server = targets.addr[0];
    r->probing = edge_probes(r->edge, &r->server);
    struct dial_params params = {.targets = &targets,
                                 .client = p->client_source ? &client : NULL,
                                 .source = &r->edge->owner->source,
                                 .probe = r->probing,
                                 .timeout = p->connect_timeout ? p->connect_timeout : EDGE_CONNECT_TIMEOUT,
                                 .connected = on_connected,
                                 .failed = on_failed,
                                 .arg = r};
    r->dial = targets.n > 0 ? dial_new(r->edge->owner->base, &params) : NULL;
    if (r->dial)
        dial_begin(r->dial);
    else
        server_failed(r, targets.n > 0 ? ENOMEM : EDESTADDRREQ);
}

/* ---- the client comes ---------------------------------------------------------------------------- */

static struct relay *relay_new(struct edge *e, struct braid_conn *c)
{
    struct relay *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->edge = e;
    r->conn = c;
    r->want = RELAY_READ_MIN;
    r->connecting = true;
    list_init(&r->again);
    list_append(&e->connecting, &r->link);
    e->counters.connecting++;
    e->owner->n_relays++;
    braid_conn_set_user(c, r);
    return r;
}

/* Whether the edge may connect to the server that the client means. */
static bool reaches(const struct edge *e, const struct braid_ip *server)
{
    const struct edge_params *p = e->params;
    struct edges *es = e->owner;
    if (!p->transparent)
        return true;
    if (!es->netlink)
        es->netlink = rtnetlink_open();
    bool local = es->netlink && rtnetlink_is_local(es->netlink, server);
    return reach_allows(p->reach, p->n_reach, server, local);
}

void relay_incoming(void *ctx, struct braid_conn *c)
{
    struct edge *e = ctx;
    struct braid_addr meant, client;
    e->counters.v[EDGE_INCOMING]++;
    braid_conn_addrs(c, &meant, &client);
    if (!reaches(e, &meant.ip)) {
        e->counters.v[EDGE_FORBIDDEN]++;
        braid_conn_refuse(c, BRAID_REFUSE_UNREACHABLE);
        return;
    }
    struct relay *r = relay_new(e, c);
    if (!r) {
        e->counters.v[EDGE_FAILED]++;
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    relay_profile_begin(r);
    if (!unproven_enter(&e->owner->unproven, &r->unproven, &client.ip)) {
        answer_early(r);
        return;
    }
    r->patience = clock_now() + (e->params->patience ? e->params->patience : EDGE_PATIENCE);
    edge_expire_at(e, r->patience);
    ask_server(r);
}

void relay_established(struct braid_conn *c, void *user)
{
    (void)c;
    struct relay *r = user;
    r->established = true;
    unproven_leave(&r->edge->owner->unproven, &r->unproven);
    if (r->connecting && !r->dial)
        ask_server(r);
    else
        relay_pump(r);
}
