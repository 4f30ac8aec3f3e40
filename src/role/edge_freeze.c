/* See edge_freeze.h. An edge is known by its name and kind. Who was the client of one that the configuration
 * does not have (any more) is one of an edge that leaves, as after a change of configuration. */
#include "role/edge_freeze.h"
#include <stdlib.h>
#include <string.h>
#include "base/durations_freeze.h"
#include "io/clock.h"
#include "role/bypass.h"
#include "role/edge_client.h"
#include "role/edge_mode.h"
#include "role/learn.h"
#include "role/pool_freeze.h"

enum { EDGES_EDGE = 1 };
enum {
    EDGE_NAME = 1,
    EDGE_KIND,
    EDGE_LISTEN,
    EDGE_COUNTS,
    EDGE_PREFERRED,
    EDGE_PREFERRED_UNTIL,
    EDGE_CLIENT,
    EDGE_PROXY_PROTOCOL,
    EDGE_DRAINED,
    EDGE_BYPASS,
    EDGE_POOL,
    EDGE_TIMES_TAKEN
};

#define NAME_LEN 255

static const char *name_of(unsigned i)
{
    return edge_counter_name((enum edge_counter)i);
}

static const char *time_name(unsigned i)
{
    return edge_time_name((enum edge_time)i);
}

unsigned edges_ops_number(const struct braid_conn_ops *ops)
{
    if (ops == edge_convert.ops)
        return 2;
    return ops == edge_explicit.ops; /* those of the transparent one are the same */
}

const struct braid_conn_ops *edges_ops_of(unsigned number)
{
    return number == 2 ? edge_convert.ops : number == 1 ? edge_explicit.ops : NULL;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static void freeze_clients(const struct list *clients, enum client_place place, struct freezer *f,
                           struct refs_out *out)
{
    for (const struct list *at = clients->next; at != clients; at = at->next)
        client_freeze(list_entry(at, struct client, link), place, f, EDGE_CLIENT, out);
}

static void freeze_edge(const struct edge *e, struct freezer *f, struct refs_out *out)
{
    size_t g = freeze_begin(f, EDGES_EDGE);
    freeze_text(f, EDGE_NAME, e->params->name);
    freeze_number(f, EDGE_KIND, e->params->kind);
    for (unsigned i = 0; i < e->params->n_listen; i++)
        freeze_addr(f, EDGE_LISTEN, &e->params->listen[i]);
    if (e->params->proxy_protocol != PROXY_NONE) /* whoever knows it not would leave headers out */
        freeze_number(f, EDGE_PROXY_PROTOCOL, e->params->proxy_protocol);
    counters_freeze(f, EDGE_COUNTS, e->counters.v, EDGE_COUNTER_MAX, name_of);
    if (e->drained && !e->leaving)
        freeze_number(f, EDGE_DRAINED, 1);
    freeze_clients(&e->connecting, PLACE_CONNECTING, f, out);
    freeze_clients(&e->late, PLACE_LATE, f, out);
    freeze_clients(&e->limited, PLACE_LIMITED, f, out);
    freeze_clients(&e->open, PLACE_OPEN, f, out);
    if (edge_bypasses(e))
        bypass_freeze(e->owner->bypass, e->number, clock_now(), f, FREEZE_OPTIONAL + EDGE_BYPASS);
    if (!e->leaving)
        pool_freeze(&e->pool, f, FREEZE_OPTIONAL + EDGE_POOL);
    durations_freeze(f, FREEZE_OPTIONAL + EDGE_TIMES_TAKEN, e->counters.times, EDGE_TIME_MAX, time_name);
    freeze_end(f, g);
}

void edges_freeze(const struct edges *es, struct freezer *f, unsigned tag, struct refs_out *out)
{
    size_t g = freeze_begin(f, tag);
    for (unsigned i = 0; i < es->n; i++)
        freeze_edge(es->edges[i], f, out);
    for (const struct list *at = es->leaving.next; at != &es->leaving; at = at->next)
        freeze_edge(list_entry(at, struct edge, link), f, out);
    freeze_end(f, g);
}

/* ---- an edge that leaves ---------------------------------------------------------------------------- */

/* What was said of it, until its last client is gone. */
struct former {
    struct hold hold;
    struct edge_params params;
    char name[NAME_LEN + 1];
};

static void former_over(struct hold *h)
{
    free(list_entry(h, struct former, hold));
}

static struct edge *make_former(struct edges *es, const struct edge_params *was)
{
    const struct targets nowhere = {.n = 0};
    struct former *was_so = calloc(1, sizeof(*was_so));
    struct edge *e = NULL;
    if (!was_so)
        return NULL;
    *was_so = (struct former){.hold = {.users = 1, .over = former_over}, .params = *was};
    memcpy(was_so->name, was->name, strlen(was->name));
    was_so->params.name = was_so->name;
    e = edge_new(es, &was_so->params, &nowhere);
    if (!e) {
        free(was_so);
        return NULL;
    }
    e->leaving = true;
    e->hold = &was_so->hold;
    list_append(&es->leaving, &e->link);
    return e;
}

static struct edge *find_leaving(struct edges *es, const struct edge_params *was)
{
    list_each (at, next, &es->leaving) {
        struct edge *e = list_entry(at, struct edge, link);
        if (strcmp(e->params->name, was->name) == 0 && e->params->kind == was->kind)
            return e;
    }
    return NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* An edge as it was, while what it had is read. */
struct was {
    struct edge_params params;
    char name[NAME_LEN + 1];
};

/* On this node; NULL: memory is short. */
static struct edge *edge_on(void *arg, struct node *node)
{
    const struct was *w = arg;
    struct edges *es = edges_of(node);
    struct edge *e = es ? edges_find(es, w->name) : NULL;
    if (!es || (e && e->params->kind == w->params.kind))
        return e;
    e = find_leaving(es, &w->params);
    return e ? e : make_former(es, &w->params);
}

static void read_name(const struct thaw_item *i, struct was *w)
{
    if (i->len > NAME_LEN)
        thaw_fail(i->all, THAW_WRONG);
    else
        memcpy(w->name, i->data, i->len);
}

static struct was read_was(const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct was w = {.params = {.n_listen = 0}};
    while (thaw_next(&in, &i)) {
        if (i.tag == EDGE_NAME)
            read_name(&i, &w);
        else if (i.tag == EDGE_KIND)
            w.params.kind = (enum edge_kind)thaw_number(&i, EDGE_CONVERT);
        else if (i.tag == EDGE_LISTEN && w.params.n_listen < EDGE_LISTENERS)
            thaw_struct(&i, addr_fields, &w.params.listen[w.params.n_listen++]);
        else if (i.tag == EDGE_PROXY_PROTOCOL)
            w.params.proxy_protocol = (enum proxy_version)thaw_number(&i, PROXY_V2);
    }
    return w;
}

/* On all workers alike, whose listeners rest once all is read (edges_settle): until then whoever is pending
 * looks for them. Where each worker goes on in one of its own, each has it from that. */
static void drain_everywhere(const struct role_thaw *t, const char *name)
{
    for (size_t n = 0; n < t->params->n; n++) {
        struct edges *es = edges_of(t->apart ? t->home : t->params->nodes[n]);
        struct edge *e = es ? edges_find(es, name) : NULL;
        if (e)
            e->drained = true;
    }
}

void edges_settle(struct edges *es)
{
    for (unsigned i = 0; i < es->n; i++)
        edge_rest(es->edges[i]);
}

/* Of an edge that is there: what it has counted, and knows of servers. */
static void take_common(const struct thaw_item *i, struct edge *e)
{
    bool learns = e->params && edge_bypasses(e);
    if (i->tag == EDGE_COUNTS)
        counters_thaw(i, e->counters.v, EDGE_COUNTER_MAX, name_of);
    else if (i->tag == EDGE_TIMES_TAKEN)
        durations_thaw(i, e->counters.times, EDGE_TIME_MAX, time_name);
    else if (i->tag == EDGE_POOL && e->params)
        pool_thaw(&e->pool, i);
    else if (i->tag == EDGE_BYPASS && learns)
        bypass_thaw(e->owner->bypass, e->number, i);
    else if (i->tag != EDGE_NAME && i->tag != EDGE_KIND && i->tag != EDGE_LISTEN &&
             i->tag != EDGE_PROXY_PROTOCOL && i->tag != EDGE_BYPASS && i->tag != EDGE_POOL)
        thaw_unknown(i);
}

static void thaw_edge(struct role_thaw *t, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct was w = read_was(group);
    struct edges *home = edges_of(t->home);
    struct edge *e = home ? edges_find(home, w.name) : NULL, nobody = {.owner = home};
    w.params.name = w.name;
    while (thaw_next(&in, &i)) {
        if (i.tag == EDGE_CLIENT)
            client_thaw(t, &i, edge_on, &w);
        else if (i.tag == EDGE_DRAINED)
            drain_everywhere(t, w.name);
        else
            take_common(&i, e ? e : &nobody);
    }
}

void edges_thaw(struct role_thaw *t, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        if (i.tag == EDGES_EDGE)
            thaw_edge(t, &i);
        else
            thaw_unknown(&i);
    }
}

/* ---- all for nothing -------------------------------------------------------------------------------- */

static void forget_all(struct list *clients)
{
    while (!list_empty(clients))
        client_forget(list_entry(clients->next, struct client, link));
}

static void forget_edge(struct edge *e)
{
    forget_all(&e->connecting);
    forget_all(&e->late);
    forget_all(&e->limited);
    forget_all(&e->open);
}

void edges_forget(struct edges *es)
{
    for (unsigned i = 0; i < es->n; i++)
        forget_edge(es->edges[i]);
    list_each (at, next, &es->leaving)
        forget_edge(list_entry(at, struct edge, link));
}
