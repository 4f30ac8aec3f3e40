/* The edges of one worker: listening, the patience of clients, draining, and what can be asked about them.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/netlink.h"
#include "role/bypass.h"
#include "role/relay.h"

static const struct {
    const char *name, *help;
} counter_texts[EDGE_COUNTER_MAX] = {
#define X(id, name, help) [id] = {name, help},
    EDGE_COUNTERS(X)
#undef X
};

const char *edge_counter_name(enum edge_counter c)
{
    assert(c < EDGE_COUNTER_MAX);
    return counter_texts[c].name;
}

const char *edge_counter_help(enum edge_counter c)
{
    assert(c < EDGE_COUNTER_MAX);
    return counter_texts[c].help;
}

/* ---- for the relays -------------------------------------------------------------------------- */

static void on_patience_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    relay_expire(arg, clock_now());
}

/* All clients of an edge have the same patience, so the first one's is over first. */
void edge_expire_at(struct edge *e, braid_time deadline)
{
    if (event_pending(&e->patience_timer, EV_TIMEOUT, NULL))
        return;
    braid_time left = deadline - clock_now();
    if (left < 0)
        left = 0;
    struct timeval tv = {.tv_sec = left / BRAID_SECOND, .tv_usec = left % BRAID_SECOND};
    event_add(&e->patience_timer, &tv);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    relay_run_again(arg);
}

void edge_run_again(struct edges *es)
{
    static const struct timeval at_once;
    if (!event_pending(&es->again_event, EV_TIMEOUT, NULL))
        event_add(&es->again_event, &at_once);
}

void edge_relay_gone(struct edge *e)
{
    struct edges *es = e->owner;
    if (--es->n_relays == 0 && es->drained)
        es->drained(es->drained_arg);
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct braid_listener *listen_at(struct edge *e, const struct braid_addr *addr)
{
    const struct edge_params *p = e->params;
    struct braid_listen_params listen = {.addr = *addr,
                                         .port_first = p->port_first,
                                         .port_last = p->port_last,
                                         .wants = edge_bypasses(p) ? edge_wants : NULL,
                                         .name = p->name,
                                         .cc = p->cc,
                                         .sched = p->sched,
                                         .pm = p->pm,
                                         .checksum = p->checksum,
                                         .no_join = p->no_join,
                                         .signal = p->signal,
                                         .n_signal = p->n_signal,
                                         .ops = &relay_ops,
                                         .ctx = e};
    return braid_listen(e->owner->core, &listen);
}

static int edge_listen(struct edge *e)
{
    if (!e->params->transparent) {
        e->listeners[0] = listen_at(e, &e->params->listen);
        return e->listeners[0] ? 0 : -1;
    }
    const struct braid_addr any[2] = {{.ip = ip_from_v4((const uint8_t[4]){0})}, {.port = 0}};
    for (unsigned i = 0; i < 2; i++) {
        e->listeners[i] = listen_at(e, &any[i]);
        if (!e->listeners[i])
            return -1;
    }
    return 0;
}

static int unproven_new(struct edges *es, const struct unproven_limits *limits)
{
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    assert(got == sizeof(key)); /* so few bytes are never cut short */
    return unproven_init(&es->unproven, limits, &key);
}

struct edges *edges_new(struct braid_core *core, struct event_base *base,
                        const struct unproven_limits *limits, const struct edge_params *params,
                        const struct targets *targets, unsigned n)
{
    struct edges *es = calloc(1, sizeof(*es) + n * sizeof(es->edges[0]));
    if (!es)
        return NULL;
    es->core = core;
    es->base = base;
    source_init(&es->source, core);
    list_init(&es->again);
    evtimer_assign(&es->again_event, base, on_again, es);
    if (unproven_new(es, limits) < 0 || edges_bypass_new(es, params, n) < 0) {
        edges_free(es);
        return NULL;
    }
    for (unsigned i = 0; i < n; i++) {
        struct edge *e = &es->edges[es->n++];
        *e = (struct edge){.owner = es, .params = &params[i], .targets = targets[i]};
        list_init(&e->connecting);
        list_init(&e->late);
        list_init(&e->open);
        evtimer_assign(&e->patience_timer, base, on_patience_timer, e);
        if (edge_listen(e) < 0) {
            edges_free(es);
            return NULL;
        }
    }
    return es;
}

void edges_set_targets(struct edges *es, unsigned i, const struct targets *targets)
{
    es->edges[i].targets = *targets;
    es->edges[i].preferred_until = 0;
}

static void stop_listening(struct edge *e)
{
    list_each (n, tmp, &e->connecting)
        relay_refuse(list_entry(n, struct relay, link), BRAID_REFUSE_RESET);
    for (unsigned i = 0; i < 2; i++) {
        if (e->listeners[i])
            braid_unlisten(e->listeners[i]);
        e->listeners[i] = NULL;
    }
}

void edges_drain(struct edges *es, void (*done)(void *arg), void *arg)
{
    for (unsigned i = 0; i < es->n; i++)
        stop_listening(&es->edges[i]);
    es->drained = done;
    es->drained_arg = arg;
    if (es->n_relays == 0)
        done(arg);
}

void edges_free(struct edges *es)
{
    if (!es)
        return;
    es->drained = NULL;
    for (unsigned i = 0; i < es->n; i++) {
        struct edge *e = &es->edges[i];
        stop_listening(e);
        struct list *const all[] = {&e->connecting, &e->late, &e->open};
        for (unsigned j = 0; j < 3; j++)
            while (!list_empty(all[j]))
                relay_drop(list_entry(all[j]->next, struct relay, link));
        event_del(&e->patience_timer);
    }
    event_del(&es->again_event);
    bypass_free(es->bypass);
    unproven_free(&es->unproven);
    source_close(&es->source);
    netlink_close(es->netlink);
    free(es);
}

/* ---- looking inside -------------------------------------------------------------------------- */

const char *edge_listen_text(const struct edge_params *p, char text[EDGE_TEXT])
{
    if (!p->transparent)
        return addr_text(&p->listen, text);
    if (p->port_first == p->port_last)
        snprintf(text, EDGE_TEXT, "any:%u", p->port_first);
    else if (p->port_first > 1 || p->port_last < 65535)
        snprintf(text, EDGE_TEXT, "any:%u-%u", p->port_first, p->port_last);
    else
        snprintf(text, EDGE_TEXT, "any");
    return text;
}

unsigned edges_count(const struct edges *es)
{
    return es->n;
}

const struct edge_params *edges_params(const struct edges *es, unsigned i)
{
    return es->edges[i].params;
}

const struct edge_counters *edges_counters(const struct edges *es, unsigned i)
{
    return &es->edges[i].counters;
}

int edges_server(const struct edges *es, const struct braid_conn *c, struct braid_addr *out)
{
    const struct relay *r = braid_conn_user(c);
    if (!r || r->edge->owner != es || (!r->dial && !event_initialized(&r->event)))
        return -1;
    *out = r->server;
    return 0;
}
