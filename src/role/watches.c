/* See watches.h. Those of single connections are in a table by the connection's number, those of all in a
 * list. */
#include "role/watches.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/addr.h"
#include "base/hash.h"
#include "base/list.h"
#include "role/node.h"
#include "role/uplinks.h"

/* Where a subflow that was up came from: when it is gone its uplink may have another address, or none. */
struct origin {
    uint32_t subflow;
    struct braid_ip outer;
};

struct watching {
    struct list link;
    struct hnode hash;
    struct watch *watch;
    uint64_t conn; /* 0: all of them */
    const struct uplinks *us;
    unsigned n_origins;
    struct origin origins[BRAID_STATS_SUBFLOWS]; /* a ring, if there were more */
};

struct watches {
    struct braid_core *core;
    const struct node *node; /* whose roles know more of connections; NULL: nobody does */
    unsigned worker;
    struct list all;       /* every watching; those of all connections come first */
    braid_event_fn *first; /* who is told before them; NULL: nobody */
    void *first_ctx;
    struct htable by_conn; /* those of one */
};

static uint64_t hash_of(uint64_t conn)
{
    return conn * 0x9e3779b97f4a7c15u;
}

/* ---- telling ------------------------------------------------------------------------------------------ */

static bool is_of_subflow(const struct braid_event *e)
{
    return e->kind == BRAID_EVENT_SUBFLOW_UP || e->kind == BRAID_EVENT_SUBFLOW_DOWN ||
           e->kind == BRAID_EVENT_PRIORITY || e->kind == BRAID_EVENT_SILENT || e->kind == BRAID_EVENT_HEARD;
}

static const struct origin *origin_of(const struct watching *w, uint32_t subflow)
{
    for (unsigned i = 0; i < w->n_origins && i < BRAID_STATS_SUBFLOWS; i++)
        if (w->origins[i].subflow == subflow)
            return &w->origins[i];
    return NULL;
}

/* The outer address in the place of an uplink's inner one. */
static struct braid_ip outer_of(const struct uplinks *us, const struct braid_ip *ip)
{
    int i = uplinks_find(us, ip);
    return i < 0 ? *ip : us->all[i].ways[uplink_family(ip)].outer;
}

static void show_outer(struct watching *w, struct braid_event *e)
{
    const struct origin *known = is_of_subflow(e) ? origin_of(w, e->subflow) : NULL;
    e->local.ip = known ? known->outer : outer_of(w->us, &e->local.ip);
    if (e->kind == BRAID_EVENT_SUBFLOW_UP && !known)
        w->origins[w->n_origins++ % BRAID_STATS_SUBFLOWS] = (struct origin){e->subflow, e->local.ip};
}

/* While its role has it: of what a CPE carries over the uplinks the core knows no name. */
static void name_conn(const struct watches *ws, struct watch_event *out, const struct braid_conn *c)
{
    struct braid_addr local;
    struct relayed told = {.cpe = NULL};
    const char *name = braid_conn_listener(c);
    braid_conn_addrs(c, &local, &out->client);
    if (ws->node && node_tell(ws->node, c, &told) && told.cpe) {
        name = told.cpe;
        out->client = told.client;
    }
    snprintf(out->edge, sizeof(out->edge), "%s", name ? name : "");
}

static void tell(struct watches *ws, struct watching *w, const struct braid_conn *c,
                 const struct braid_event *e)
{
    struct watch_event out = {.worker = ws->worker, .conn = braid_conn_id(c), .event = *e};
    name_conn(ws, &out, c);
    if (w->us)
        show_outer(w, &out.event);
    watch_tell(w->watch, &out, w->conn > 0 && e->kind == BRAID_EVENT_CLOSED);
}

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_event *e);

/* The core tells nothing while nobody wants to know. */
static void listen_or_not(struct watches *ws)
{
    bool wanted = ws->first || !list_empty(&ws->all);
    braid_core_on_event(ws->core, wanted ? on_event : NULL, ws);
}

static void forget(struct watches *ws, struct watching *w)
{
    list_remove(&w->link);
    if (w->conn > 0)
        htable_remove(&ws->by_conn, &w->hash);
    free(w);
    listen_or_not(ws);
}

static struct watching *first_of(const struct watches *ws, uint64_t conn)
{
    struct hnode *n = htable_first(&ws->by_conn, hash_of(conn));
    return n ? list_entry(n, struct watching, hash) : NULL;
}

/* The hash of a number is that of no other. */
static struct watching *next_of(const struct watching *w)
{
    struct hnode *n = htable_next(&w->hash);
    return n ? list_entry(n, struct watching, hash) : NULL;
}

/* A flood of SYNs is no news to who watches all. */
static void on_event(void *ctx, const struct braid_conn *c, const struct braid_event *e)
{
    struct watches *ws = ctx;
    bool over = e->kind == BRAID_EVENT_CLOSED;
    if (ws->first)
        ws->first(ws->first_ctx, c, e);
    list_each (at, tmp, &ws->all) {
        struct watching *w = list_entry(at, struct watching, link);
        if (w->conn > 0)
            break;
        if (!over || e->established)
            tell(ws, w, c, e);
    }
    for (struct watching *w = first_of(ws, braid_conn_id(c)), *next; w; w = next) {
        next = next_of(w);
        tell(ws, w, c, e);
        if (over)
            forget(ws, w);
    }
}

void watches_tell_target(struct watches *ws, const char *edge, const struct braid_addr *target, bool ejected)
{
    struct watch_event e = {.worker = ws->worker, .target = ejected ? WATCH_EJECTED : WATCH_BACK};
    snprintf(e.edge, sizeof(e.edge), "%s", edge);
    e.event.remote = *target;
    list_each (at, tmp, &ws->all) {
        struct watching *w = list_entry(at, struct watching, link);
        if (w->conn > 0)
            break;
        if (!w->us)
            watch_tell(w->watch, &e, false);
    }
}

/* ---- coming and going --------------------------------------------------------------------------------- */

struct watches *watches_new(struct braid_core *core, unsigned worker)
{
    struct watches *ws = calloc(1, sizeof(*ws));
    if (!ws)
        return NULL;
    ws->core = core;
    ws->worker = worker;
    list_init(&ws->all);
    if (htable_init(&ws->by_conn) < 0) {
        free(ws);
        return NULL;
    }
    return ws;
}

void watches_free(struct watches *ws)
{
    if (!ws)
        return;
    list_each (at, next, &ws->all)
        forget(ws, list_entry(at, struct watching, link));
    watches_tell_first(ws, NULL, NULL);
    htable_free(&ws->by_conn);
    free(ws);
}

void watches_know(struct watches *ws, const struct node *node)
{
    ws->node = node;
}

void watches_tell_first(struct watches *ws, braid_event_fn *fn, void *ctx)
{
    ws->first = fn;
    ws->first_ctx = ctx;
    listen_or_not(ws);
}

struct beginning {
    struct watches *ws;
    struct watching *w;
};

static void on_present(void *ctx, const struct braid_conn *c, const struct braid_event *e)
{
    const struct beginning *b = ctx;
    tell(b->ws, b->w, c, e);
}

int watches_add(struct watches *ws, struct watch *watch, const struct braid_conn *c, const struct uplinks *us)
{
    struct watching *w = calloc(1, sizeof(*w));
    if (!w)
        return -1;
    *w = (struct watching){.watch = watch, .conn = c ? braid_conn_id(c) : 0, .us = us};
    if (c)
        list_append(&ws->all, &w->link);
    else
        list_prepend(&ws->all, &w->link);
    listen_or_not(ws);
    if (!c)
        return 0;
    htable_insert(&ws->by_conn, &w->hash, hash_of(w->conn));
    braid_conn_tell(c, on_present, &(struct beginning){ws, w});
    return 0;
}

void watches_forget(struct watches *ws, const struct watch *watch)
{
    list_each (at, next, &ws->all) {
        struct watching *w = list_entry(at, struct watching, link);
        if (w->watch == watch)
            forget(ws, w);
    }
}
