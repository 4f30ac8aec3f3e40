/* Life of a client, and the lists and numbers of its edge that it is in. */
#include <assert.h>
#include <stdlib.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/upstream.h"
#include "relay/end_conn.h"
#include "role/edge_client.h"

/* ---- by the port of the socket to the server ----------------------------------------------------- */

/* Each client keeps that port, in two bytes that were free, from when a program asks for the first time: on
 * most machines none does. */
struct client_ports {
    struct client *last; /* NULL: look through all clients, if there is any with this port */
    unsigned n;
};

static void enter_port(struct edges *es, struct client *cl)
{
    es->by_port[cl->port].last = cl;
    es->by_port[cl->port].n++;
}

static void note_port(struct client *cl)
{
    struct edges *es = client_edge(cl)->owner;
    const struct end *e = &cl->splice.ends[SERVER_END];
    struct braid_addr ours;
    if (!es->by_port)
        return;
    if (!e->gone && upstream_local(e->fd, &ours))
        cl->port = ours.port;
    enter_port(es, cl);
}

static void forget_port(struct client *cl)
{
    struct edges *es = client_edge(cl)->owner;
    struct client_ports *at = es->by_port ? &es->by_port[cl->port] : NULL;
    if (!at)
        return;
    at->n--;
    if (at->last == cl)
        at->last = NULL;
}

static bool has_socket(const struct client *cl, const struct braid_addr *ours,
                       const struct braid_addr *server)
{
    const struct end *e = &cl->splice.ends[SERVER_END];
    struct braid_addr local;
    return cl->port == ours->port && addr_equal(&cl->server, server) && !e->gone &&
           upstream_local(e->fd, &local) && addr_equal(&local, ours);
}

static struct client *look_at_edge(struct edge *e, const struct braid_addr *ours,
                                   const struct braid_addr *server)
{
    list_each (at, next, &e->open) {
        struct client *cl = list_entry(at, struct client, link);
        if (has_socket(cl, ours, server))
            return cl;
    }
    return NULL;
}

/* Sockets to different servers may have one port. */
static struct client *look_through(struct edges *es, const struct braid_addr *ours,
                                   const struct braid_addr *server)
{
    struct client *found = NULL;
    for (unsigned i = 0; i < es->n && !found; i++)
        found = look_at_edge(es->edges[i], ours, server);
    list_each (at, next, &es->leaving)
        found = found ? found : look_at_edge(list_entry(at, struct edge, link), ours, server);
    return found;
}

static void note_ports(struct edge *e)
{
    list_each (at, next, &e->open)
        note_port(list_entry(at, struct client, link));
}

static bool have_ports(struct edges *es)
{
    if (es->by_port)
        return true;
    es->by_port = calloc(UINT16_MAX + 1, sizeof(es->by_port[0]));
    for (unsigned i = 0; es->by_port && i < es->n; i++)
        note_ports(es->edges[i]);
    list_each (at, next, &es->leaving)
        if (es->by_port)
            note_ports(list_entry(at, struct edge, link));
    return es->by_port;
}

static struct client *open_with_socket(struct edges *es, const struct braid_addr *ours,
                                       const struct braid_addr *server)
{
    if (es->by_port[ours->port].n == 0)
        return NULL;
    struct client *last = es->by_port[ours->port].last;
    return last && has_socket(last, ours, server) ? last : look_through(es, ours, server);
}

/* True: one of these has been opened, or was about to be, and may be gone. */
static bool settle(struct list *clients, const struct braid_addr *ours, const struct braid_addr *server)
{
    list_each (at, next, clients) {
        struct dial *d = list_entry(at, struct client, link)->opening->dial;
        if (d && dial_settle(d, ours, server))
            return true;
    }
    return false;
}

/* A server knows that its client is there before we are told that the server is: the last segment of the
 * handshake is the kernel's, and the loop may have other things to do. */
static bool is_news(struct edges *es, const struct braid_addr *ours, const struct braid_addr *server)
{
    bool found = false;
    for (unsigned i = 0; i < es->n && !found; i++)
        found = settle(&es->edges[i]->connecting, ours, server) || settle(&es->edges[i]->late, ours, server);
    list_each (at, next, &es->leaving)
        found = found || settle(&list_entry(at, struct edge, link)->late, ours, server);
    return found;
}

struct client *client_with_socket(struct edges *es, const struct braid_addr *ours,
                                  const struct braid_addr *server)
{
    if (!have_ports(es))
        return NULL;
    struct client *cl = open_with_socket(es, ours, server);
    return !cl && is_news(es, ours, server) ? open_with_socket(es, ours, server) : cl;
}

/* ---- life ------------------------------------------------------------------------------------------ */

struct client *client_new(struct edge *e, struct braid_conn *c)
{
    struct client *cl = calloc(1, sizeof(*cl));
    struct opening *o = calloc(1, sizeof(*o));
    if (!cl || !o) {
        free(cl);
        free(o);
        return NULL;
    }
    splice_init(&cl->splice, &e->splices);
    end_conn_init(&cl->splice.ends[CLIENT_END], c);
    cl->opening = o;
    cl->connecting = true;
    list_append(&e->connecting, &cl->link);
    e->counters.connecting++;
    node_enter(e->owner->role.node);
    return cl;
}

static void end_opening(struct client *cl)
{
    struct opening *o = cl->opening;
    if (!o)
        return;
    dial_free(o->dial);
    unproven_leave(&client_edge(cl)->owner->unproven, &o->unproven);
    unproven_leave(&client_edge(cl)->pending, &o->conversion.pending);
    free(o);
    cl->opening = NULL;
}

void client_refuse(struct client *cl, enum braid_refusal how)
{
    assert(cl->connecting && !cl->opening->accepted);
    braid_conn_refuse(client_conn(cl), how);
    end_conn_forget(&cl->splice.ends[CLIENT_END]);
    client_free(cl);
}

void clients_refuse(struct edge *e)
{
    list_each (n, tmp, &e->connecting) {
        struct client *cl = list_entry(n, struct client, link);
        cl->why = FAREWELL_DRAINED;
        client_refuse(cl, BRAID_REFUSE_RESET);
    }
}

void client_opened(struct client *cl)
{
    if (cl->opening && cl->opening->established && !cl->connecting)
        end_opening(cl);
}

void client_asks(struct client *cl)
{
    cl->opening->asked = clock_now();
}

void client_hears(struct client *cl)
{
    cl->heard = true;
    durations_take(&client_edge(cl)->counters.times[EDGE_FIRST_BYTE],
                   clock_now() - braid_conn_opened_at(client_conn(cl)));
}

void client_connected(struct client *cl)
{
    struct edge *e = client_edge(cl);
    if (cl->opening->asked > 0)
        durations_take(&e->counters.times[EDGE_CONNECT], clock_now() - cl->opening->asked);
    cl->connecting = false;
    e->counters.connecting--;
    e->counters.open++;
    list_remove(&cl->link);
    list_append(&e->open, &cl->link);
    note_port(cl);
}

/* The connection is still there: whoever ends it forgets it, and the core frees it later. */
static void say_farewell(const struct client *cl)
{
    struct edge *e = client_edge(cl);
    const struct node *node = e->owner->role.node;
    const struct braid_conn *c = client_conn(cl);
    braid_time now = clock_now();
    if (!cl->connecting)
        durations_take(&e->counters.times[EDGE_LENGTH], now - braid_conn_opened_at(c));
    if (!node->farewells)
        return;
    const struct farewell what = {.edge = e->params->name,
                                  .client = cl->presented ? &cl->presented->client : NULL,
                                  .server = cl->server.port > 0 ? &cl->server : NULL,
                                  .now = now,
                                  .why = cl->why};
    farewells_say(node->farewells, c, &what);
}

void client_free(struct client *cl)
{
    struct edge *e = client_edge(cl);
    say_farewell(cl);
    if (cl->connecting)
        e->counters.connecting--;
    else {
        e->counters.open--;
        forget_port(cl);
    }
    end_opening(cl);
    pool_leave(&e->pool, cl->place);
    list_remove(&cl->link);
    free(cl->presented);
    free(cl);
    /* not at once: the caller may go on with the edge */
    if (e->leaving && edge_is_empty(e))
        role_expire_at(&e->owner->role, clock_now());
    node_leave(e->owner->role.node);
}
