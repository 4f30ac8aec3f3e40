/* Life of a client, and the lists and numbers of its edge that it is in. */
#include <assert.h>
#include <stdlib.h>
#include "relay/end_conn.h"
#include "role/edge_client.h"

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
    list_each (n, tmp, &e->connecting)
        client_refuse(list_entry(n, struct client, link), BRAID_REFUSE_RESET);
}

void client_opened(struct client *cl)
{
    if (cl->opening && cl->opening->established && !cl->connecting)
        end_opening(cl);
}

void client_connected(struct client *cl)
{
    struct edge *e = client_edge(cl);
    cl->connecting = false;
    e->counters.connecting--;
    e->counters.open++;
    list_remove(&cl->link);
    list_append(&e->open, &cl->link);
}

void client_free(struct client *cl)
{
    struct edge *e = client_edge(cl);
    if (cl->connecting)
        e->counters.connecting--;
    else
        e->counters.open--;
    end_opening(cl);
    list_remove(&cl->link);
    free(cl);
    node_leave(e->owner->role.node);
}
