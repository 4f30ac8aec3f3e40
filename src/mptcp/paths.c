/* Path rules: their matching, and the count of bytes against their quotas. */
#include "mptcp/paths.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "mptcp/conn.h"

int paths_init(struct paths *p, const struct braid_path_rule *rules, unsigned n)
{
    *p = (struct paths){.n = n};
    if (n == 0)
        return 0;
    p->v = calloc(n, sizeof(*p->v));
    if (!p->v)
        return -1;
    for (unsigned i = 0; i < n; i++) {
        assert(rules[i].local_bits <= 128 && rules[i].remote_bits <= 128 && rules[i].weight > 0);
        p->v[i].rule = rules[i];
    }
    return 0;
}

void paths_free(struct paths *p)
{
    free(p->v);
    *p = (struct paths){0};
}

struct path *paths_find(const struct paths *p, const struct braid_ip *local, const struct braid_ip *remote)
{
    for (unsigned i = 0; i < p->n; i++) {
        const struct braid_path_rule *r = &p->v[i].rule;
        if (ip_in_prefix(local, &r->local, r->local_bits) && ip_in_prefix(remote, &r->remote, r->remote_bits))
            return &p->v[i];
    }
    return NULL;
}

bool path_over_quota(const struct path *p)
{
    return p->rule.quota > 0 && p->used + p->elsewhere >= p->rule.quota;
}

void path_account(struct mp_subflow *s)
{
    uint64_t carried = s->tcp.stats.bytes_in + s->tcp.stats.bytes_out;
    if (s->path)
        s->path->used += carried - s->accounted;
    s->accounted = carried;
}

void path_describe(const struct mp_subflow *s, struct sched_path *out)
{
    out->cost = s->path ? s->path->rule.cost : 0;
    out->weight = s->path ? s->path->rule.weight : 1;
    out->over_quota = s->path && path_over_quota(s->path);
}
