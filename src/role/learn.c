/* Servers that speak MPTCP themselves, and would serve their clients better without us in between: a
 * transparent edge asks each new server for MPTCP, and leaves those that take it up to their clients for a
 * while. */
#include <assert.h>
#include <sys/random.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "role/bypass.h"
#include "role/edge_mode.h"
#include "role/edge_services.h"
#include "role/learn.h"

bool edge_bypasses(const struct edge *e)
{
    return e->mode->learns && e->params->bypass > 0;
}

int edges_bypass_new(struct edges *es)
{
    struct siphash_key key;
    bool wanted = false;
    for (unsigned i = 0; i < es->n; i++)
        wanted |= edge_bypasses(es->edges[i]);
    if (!wanted || es->bypass)
        return 0;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    assert(got == sizeof(key)); /* so few bytes are never cut short */
    es->bypass = bypass_new(&key, BYPASS_MAX);
    return es->bypass ? 0 : -1;
}

bool edge_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *server)
{
    struct edge *e = ctx;
    if (!access_allows(&e->params->access, &client->ip))
        return true; /* to be refused, whatever its server is */
    if (edge_wants_plain(ctx, client, server))
        return false; /* the server answers by itself, and does not know MPTCP */
    if (!edge_bypasses(e) || !bypass_pass(e->owner->bypass, e->number, server, clock_now()))
        return true;
    e->counters.v[EDGE_BYPASSED]++;
    return false;
}

bool edge_probes(const struct edge *e, const struct braid_addr *server)
{
    return edge_bypasses(e) &&
           bypass_find(e->owner->bypass, e->number, server, clock_now()) == BYPASS_UNKNOWN;
}

void edge_found(struct edge *e, const struct braid_addr *server, bool mptcp)
{
    struct edges *es = e->owner;
    braid_time now = clock_now(), until = now + e->params->bypass;
    char text[ADDR_TEXT];
    /* it did when the server was asked, by another configuration */
    if (!edge_bypasses(e))
        return;
    bypass_learn(es->bypass, e->number, server, mptcp ? BYPASS_MPTCP : BYPASS_PLAIN, until, now);
    if (!mptcp)
        return;
    log_debug("edge %s: %s speaks MPTCP: left to its clients", e->params->name, addr_text(server, text));
    if (es->learned)
        es->learned(es->learned_arg, e->number, server, until);
}

void edges_on_learned(struct edges *es,
                      void (*learned)(void *arg, unsigned i, const struct braid_addr *server,
                                      braid_time until),
                      void *arg)
{
    es->learned = learned;
    es->learned_arg = arg;
}

void edges_learn(struct edges *es, unsigned number, const struct braid_addr *server, braid_time until)
{
    if (es->bypass)
        bypass_learn(es->bypass, number, server, BYPASS_MPTCP, until, clock_now());
}

size_t edges_bypass_count(const struct edges *es)
{
    return es->bypass ? bypass_count(es->bypass) : 0;
}

/* Edges are told by their places from here on. */
size_t edges_bypass_list(const struct edges *es, braid_time now, struct bypass_entry *out, size_t max)
{
    size_t n = es->bypass ? bypass_list(es->bypass, now, out, max) : 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned place = 0; place < es->n; place++) {
            if (es->edges[place]->number != out[i].edge)
                continue;
            out[kept] = out[i];
            out[kept++].edge = place;
            break;
        }
    return kept;
}

void edges_bypass_clear(struct edges *es)
{
    if (es->bypass)
        bypass_clear(es->bypass);
}
