/* See farewell.h. */
#include "role/farewell.h"
#include <braid/events.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/log.h"
#include "role/farewell_state.h"

static const char other[] = "-"; /* of subflows that no path is for, as in the metrics */

const char *const farewell_protocols[] = {"mptcp", "fallback", "tcp", NULL};

/* A path's name, which outlives the configuration that it is of. */
struct name {
    struct list link;
    char text[];
};

struct farewells {
    struct list all;
    struct htable by_conn;
    struct list names;     /* that there ever were */
    const char **of_place; /* of each path rule, one of these */
    unsigned n_places;
};

/* ---- what paths carried ------------------------------------------------------------------------------- */

/* Each name has one address. */
void farewell_add(struct tally *t, const char *path, uint64_t in, uint64_t out)
{
    unsigned i = 0;
    while (i < t->n && t->paths[i].path != path)
        i++;
    if (i == t->n && t->n < FAREWELL_PATHS)
        t->paths[t->n++].path = path;
    if (i == FAREWELL_PATHS)
        t->paths[i].path = other;
    t->paths[i].in += in;
    t->paths[i].out += out;
}

static void add_subflow(const struct farewells *f, struct tally *t, const struct braid_subflow_stats *s)
{
    bool known = s->path_rule >= 0 && (unsigned)s->path_rule < f->n_places;
    farewell_add(t, known ? f->of_place[s->path_rule] : other, s->bytes_in, s->bytes_out);
    t->subflows++;
}

static void add_conn(const struct farewells *f, struct tally *t, const struct braid_conn_stats *stats)
{
    t->protocol = farewell_protocols[stats->mptcp ? 0 : stats->fell_back ? 1 : 2];
    for (unsigned i = 0; i < stats->n_subflows; i++)
        add_subflow(f, t, &stats->subflows[i]);
}

/* ---- subflows that end before their connection --------------------------------------------------------- */

static uint64_t hash_of(uint64_t conn)
{
    return conn * 0x9e3779b97f4a7c15u;
}

struct past *farewell_past(const struct farewells *f, uint64_t conn)
{
    struct hnode *n = htable_first(&f->by_conn, hash_of(conn));
    return n ? list_entry(n, struct past, hash) : NULL; /* the hash of a number is that of no other */
}

static void forget(struct farewells *f, struct past *p)
{
    if (!p)
        return;
    list_remove(&p->link);
    htable_remove(&f->by_conn, &p->hash);
    free(p);
}

struct past *farewell_past_made(struct farewells *f, uint64_t conn)
{
    struct past *p = farewell_past(f, conn);
    if (p)
        return p;
    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->conn = conn;
    list_append(&f->all, &p->link);
    htable_insert(&f->by_conn, &p->hash, hash_of(conn));
    return p;
}

static void note_down(struct farewells *f, const struct braid_conn *c, uint32_t subflow)
{
    struct braid_conn_stats stats;
    struct past *p = farewell_past_made(f, braid_conn_id(c));
    braid_conn_stats(c, &stats);
    for (unsigned i = 0; p && i < stats.n_subflows; i++)
        if (stats.subflows[i].id == subflow)
            add_subflow(f, &p->tally, &stats.subflows[i]);
}

/* The line of one without a user was written already. */
void farewells_hear(void *ctx, const struct braid_conn *c, const struct braid_event *e)
{
    struct farewells *f = ctx;
    struct past *p = e->kind == BRAID_EVENT_CLOSED ? farewell_past(f, braid_conn_id(c)) : NULL;
    if (p && !p->kept)
        forget(f, p);
    else if (e->kind == BRAID_EVENT_SUBFLOW_DOWN && braid_conn_user(c))
        note_down(f, c, e->subflow);
}

/* ---- life --------------------------------------------------------------------------------------------- */

struct farewells *farewells_new(void)
{
    struct farewells *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    list_init(&f->all);
    list_init(&f->names);
    if (htable_init(&f->by_conn) < 0) {
        free(f);
        return NULL;
    }
    return f;
}

void farewells_free(struct farewells *f)
{
    if (!f)
        return;
    list_each (at, next, &f->all)
        forget(f, list_entry(at, struct past, link));
    list_each (at, next, &f->names)
        free(list_entry(at, struct name, link));
    free(f->of_place);
    htable_free(&f->by_conn);
    free(f);
}

/* NULL: memory is short. */
static const char *name_kept(struct farewells *f, const char *text)
{
    list_each (at, next, &f->names) {
        struct name *known = list_entry(at, struct name, link);
        if (strcmp(known->text, text) == 0)
            return known->text;
    }
    size_t size = strlen(text) + 1;
    struct name *n = malloc(sizeof(*n) + size);
    if (!n)
        return NULL;
    memcpy(n->text, text, size);
    list_append(&f->names, &n->link);
    return n->text;
}

const char *farewell_path(struct farewells *f, const char *text)
{
    return strcmp(text, other) == 0 ? other : name_kept(f, text);
}

int farewells_set_paths(struct farewells *f, const char *const *names, unsigned n)
{
    const char **places = calloc(n + 1, sizeof(*places));
    for (unsigned i = 0; places && i < n; i++) {
        places[i] = name_kept(f, names[i]);
        if (places[i])
            continue;
        free(places);
        places = NULL;
    }
    free(f->of_place);
    f->of_place = places;
    f->n_places = places ? n : 0;
    return places ? 0 : -1;
}

/* ---- the line ------------------------------------------------------------------------------------------ */

static void say_addr(struct log_record *r, const char *key, const struct braid_addr *a)
{
    char text[ADDR_TEXT];
    log_record_text(r, key, a ? addr_text(a, text) : NULL);
}

/* over_uplinks: what comes from the client leaves by them. */
static void say_paths(struct log_record *r, const struct tally *t, bool over_uplinks)
{
    log_record_open(r, "paths");
    for (unsigned i = 0; i <= FAREWELL_PATHS && t->paths[i].path; i++) {
        const struct carried_bytes *b = &t->paths[i];
        log_record_open(r, b->path);
        log_record_uint(r, "in", over_uplinks ? b->out : b->in);
        log_record_uint(r, "out", over_uplinks ? b->in : b->out);
        log_record_close(r);
    }
    log_record_close(r);
}

static void say_line(const struct farewell *what, const struct tally *t)
{
    struct log_record r;
    if (what->why == FAREWELL_UNSAID)
        return;
    log_record_begin(&r, LOG_LEVEL_INFO, "connection ended");
    log_record_text(&r, "edge", what->edge);
    log_record_text(&r, "cpe", what->cpe);
    say_addr(&r, "client", what->client);
    say_addr(&r, "service", what->service);
    say_addr(&r, "server", what->server);
    log_record_text(&r, "why", farewell_word(what->why));
    log_record_seconds(&r, "seconds", what->now - what->opened);
    log_record_text(&r, "protocol", t->protocol);
    log_record_uint(&r, "in", what->in);
    log_record_uint(&r, "out", what->out);
    log_record_uint(&r, "subflows", t->subflows);
    say_paths(&r, t, what->cpe != NULL);
    log_put(&r);
}

void farewells_say(struct farewells *f, const struct braid_conn *c, const struct farewell *what)
{
    struct braid_conn_stats stats;
    struct farewell line = *what;
    struct past *p = farewell_past(f, braid_conn_id(c));
    struct tally t = p ? p->tally : (struct tally){.n = 0};
    forget(f, p);
    braid_conn_stats(c, &stats);
    add_conn(f, &t, &stats);
    line.client = what->client ? what->client : &stats.remote;
    line.service = &stats.local;
    line.opened = stats.opened_at;
    line.in = stats.bytes_in;
    line.out = stats.bytes_out;
    say_line(&line, &t);
}

/* ---- of a CPE ------------------------------------------------------------------------------------------ */

void farewells_keep(struct farewells *f, const struct braid_conn *c)
{
    struct braid_conn_stats stats;
    struct past *p = farewell_past_made(f, braid_conn_id(c));
    if (!p)
        return;
    p->kept = true;
    braid_conn_stats(c, &stats);
    add_conn(f, &p->tally, &stats);
}

void farewells_keep_ends(struct farewells *f, uint64_t conn, const struct braid_addr *client,
                         const struct braid_addr *service)
{
    struct past *p = farewell_past_made(f, conn);
    if (!p)
        return;
    p->has_ends = true;
    p->client = *client;
    p->service = *service;
}

void farewells_say_kept(struct farewells *f, uint64_t conn, const struct farewell *what)
{
    static const struct tally none;
    struct farewell line = *what;
    struct past *p = conn > 0 ? farewell_past(f, conn) : NULL;
    if (p && p->has_ends && !line.client) {
        line.client = &p->client;
        line.service = &p->service;
    }
    say_line(&line, p ? &p->tally : &none);
    forget(f, p);
}
