/* See lookups.h. */
#include "service/lookups.h"
#include <stdlib.h>
#include <string.h>

static unsigned count_names(const struct service_params *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->n_edges; i++)
        n += p->edges[i].pool.n;
    for (unsigned i = 0; i < p->n_cpes; i++)
        n += p->cpes[i].n_peers;
    return n;
}

static void note_owners(struct lookups *names, const struct service_params *p)
{
    struct name_owner *o = names->owners;
    for (unsigned i = 0; i < p->n_edges; i++)
        for (unsigned j = 0; j < p->edges[i].pool.n; j++)
            *o++ = (struct name_owner){.i = i, .peer = j};
    for (unsigned i = 0; i < p->n_cpes; i++)
        for (unsigned j = 0; j < p->cpes[i].n_peers; j++)
            *o++ = (struct name_owner){.cpe = true, .i = i, .peer = j};
}

static struct resolver_name name_of(const struct service_params *p, const struct name_owner *o)
{
    if (o->cpe)
        return (struct resolver_name){.kind = "cpe",
                                      .owner = p->cpes[o->i].name,
                                      .key = "peer",
                                      .host = p->cpes[o->i].peers[o->peer].host,
                                      .port = p->cpes[o->i].peers[o->peer].port};
    return (struct resolver_name){.kind = "edge",
                                  .owner = p->edges[o->i].name,
                                  .key = "target",
                                  .host = p->edges[o->i].pool.targets[o->peer].host,
                                  .port = p->edges[o->i].pool.targets[o->peer].port};
}

static int resolve(struct lookups *n, const struct service_params *p, struct event_base *base, char *error)
{
    struct resolver_name *names = calloc(n->n + 1, sizeof(*names));
    if (!names)
        return service_fail(error, "out of memory");
    for (unsigned i = 0; i < n->n; i++)
        names[i] = name_of(p, &n->owners[i]);
    struct resolver_params params = {.names = names,
                                     .n = n->n,
                                     .edges = p->edges,
                                     .n_edges = p->n_edges,
                                     .base = base,
                                     .ttl_min = RESOLVER_TTL_MIN,
                                     .ttl_max = RESOLVER_TTL_MAX,
                                     .period = RESOLVER_PERIOD,
                                     .retry = RESOLVER_RETRY};
    n->resolver = resolver_new(&params);
    free(names);
    if (!n->resolver)
        return service_fail(error, "resolver: out of memory or descriptors");
    resolver_first(n->resolver, RESOLVER_FIRST, n->targets);
    return 0;
}

void lookups_free(struct lookups *n)
{
    resolver_free(n->resolver);
    free(n->owners);
    free(n->targets);
    *n = (struct lookups){.n = 0};
}

int lookups_begin(struct lookups *n, const struct service_params *p, struct event_base *base,
                  char error[SERVICE_ERROR])
{
    *n = (struct lookups){.n = count_names(p)};
    n->owners = calloc(n->n + 1, sizeof(*n->owners));
    n->targets = calloc(n->n + 1, sizeof(*n->targets));
    if (!n->owners || !n->targets) {
        lookups_free(n);
        return service_fail(error, "out of memory");
    }
    note_owners(n, p);
    int result = resolve(n, p, base, error);
    if (result < 0)
        lookups_free(n);
    return result;
}

void lookups_inherit(struct lookups *n, const struct service_params *now, const struct lookups *before,
                     const struct service_params *then)
{
    for (unsigned i = 0; i < n->n; i++) {
        const struct resolver_name name = name_of(now, &n->owners[i]);
        for (unsigned j = 0; name.host && n->targets[i].n == 0 && j < before->n; j++) {
            const struct resolver_name old = name_of(then, &before->owners[j]);
            if (old.host && strcmp(old.host, name.host) == 0 && old.port == name.port)
                n->targets[i] = before->targets[j];
        }
    }
}
