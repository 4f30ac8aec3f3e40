/* A page: the client gets objects of several sizes over a few connections, each of which asks for the next
 * one when it has got the last, as a browser does with HTTP/1.1. What is measured is the time until the last
 * object is there. */
#include <stdlib.h>
#include "study.h"

#define CONNECTIONS 6
#define OBJECTS     100
#define OBJECT_MIN  1024
#define OBJECT_MAX  (128 * 1024)
#define REQUEST     400 /* bytes; the first one is the number of the object */

struct visitor {
    struct end client, server;
    uint64_t wanted; /* bytes that the client has when its object is there */
    uint32_t heard;  /* bytes of a request that the server has */
    uint8_t asked;   /* the object */
};

struct page {
    struct visitor visitors[CONNECTIONS];
    uint32_t size[OBJECTS];
    unsigned next;  /* the object that is asked for next */
    unsigned taken; /* connections that the server has */
};

static uint64_t fill_sizes(uint64_t seed, uint32_t *size)
{
    struct rng r = rng_make(seed, 3);
    uint64_t all = 0;

    for (unsigned i = 0; i < OBJECTS; i++) {
        size[i] = (uint32_t)rng_log_range(&r, OBJECT_MIN, OBJECT_MAX);
        all += size[i];
    }
    return all;
}

uint64_t page_bytes(uint64_t seed)
{
    uint32_t size[OBJECTS];

    return fill_sizes(seed, size);
}

/* ---- the client -------------------------------------------------------------------- */

/* Small, as the send buffer is empty whenever something is asked for. */
static void ask(struct visitor *v)
{
    struct page *p = v->client.study->page;
    struct iovec iov;

    if (p->next == OBJECTS)
        return;
    if (braid_conn_reserve(v->client.conn, REQUEST, &iov, 1) != 1 || iov.iov_len < REQUEST) {
        sim_fail(&v->client.study->w, "no room for a request");
        return;
    }
    app_fill(0, 0, iov.iov_base, REQUEST);
    *(uint8_t *)iov.iov_base = (uint8_t)p->next;
    braid_conn_commit(v->client.conn, REQUEST);
    v->wanted += p->size[p->next++];
}

static void get(struct visitor *v)
{
    struct study *s = v->client.study;
    struct iovec iov[16];
    unsigned n;

    while ((n = braid_conn_peek(v->client.conn, iov, 16)) > 0) {
        size_t all = 0;

        for (unsigned i = 0; i < n; i++)
            all += iov[i].iov_len;
        braid_conn_consume(v->client.conn, all);
        v->client.read += all;
        s->ends[SIM_CLIENT].read += all;
        meter_read(s);
    }
    s->complete = s->ends[SIM_CLIENT].read == s->cell->bytes;
    if (v->client.read == v->wanted)
        ask(v);
}

/* ---- the server -------------------------------------------------------------------- */

static void hear(struct visitor *v, const uint8_t *data, size_t len)
{
    struct page *p = v->server.study->page;

    for (size_t i = 0; i < len; i++) {
        if (v->heard == 0)
            v->asked = data[i];
        if (++v->heard < REQUEST)
            continue;
        v->heard = 0;
        v->server.produced += p->size[v->asked];
        v->server.study->ends[SIM_SERVER].written += p->size[v->asked];
    }
}

static void serve(struct visitor *v)
{
    struct iovec iov[4];
    unsigned n;

    while ((n = braid_conn_peek(v->server.conn, iov, 4)) > 0) {
        size_t all = 0;

        for (unsigned i = 0; i < n; i++) {
            hear(v, iov[i].iov_base, iov[i].iov_len);
            all += iov[i].iov_len;
        }
        braid_conn_consume(v->server.conn, all);
    }
    study_write(&v->server);
}

/* ---- callbacks --------------------------------------------------------------------- */

static struct visitor *of_client(struct end *e)
{
    return (struct visitor *)((char *)e - offsetof(struct visitor, client));
}

static struct visitor *of_server(struct end *e)
{
    return (struct visitor *)((char *)e - offsetof(struct visitor, server));
}

static bool is_client(const struct end *e)
{
    return e->joined[study_first(e->study->cell)];
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct study *s = ctx;
    struct page *p = s->page;

    /* Beyond that they are joins that a path has stripped. */
    if (p->taken < CONNECTIONS) {
        study_accept(&p->visitors[p->taken++].server, c);
    } else {
        braid_conn_set_user(c, NULL);
        braid_conn_accept(c);
    }
    s->ends[SIM_SERVER].conn = p->visitors[0].server.conn;
}

static void on_established(struct braid_conn *c, void *user)
{
    struct end *e = user;

    if (!e)
        return;
    study_established(e, c);
    if (is_client(e))
        ask(of_client(e));
}

static void on_readable(struct braid_conn *c, void *user)
{
    struct end *e = user;

    (void)c;
    if (e && is_client(e))
        get(of_client(e));
    else if (e)
        serve(of_server(e));
}

static const struct braid_conn_ops ops = {on_incoming, on_established, on_readable, study_on_writable,
                                          study_on_closed};

/* ---- life -------------------------------------------------------------------------- */

void page_begin(struct study *s)
{
    s->page = calloc(1, sizeof(*s->page));
    if (!s->page)
        abort();
    fill_sizes(s->cell->seed, s->page->size);
    study_listen(s, STUDY_MEASURED, s->cell->sched, &ops);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct visitor *v = &s->page->visitors[i];

        v->client.study = v->server.study = s;
        study_connect(&v->client, STUDY_MEASURED, s->cell->sched, &ops);
    }
    s->ends[SIM_CLIENT].conn = s->page->visitors[0].client.conn;
}

void page_free(struct study *s)
{
    free(s->page);
}
