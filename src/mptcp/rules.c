/* Path rules: their matching, and the count of bytes against their quotas. An operator has a handful of them,
 * and each subflow is matched once in its life, so a list in the order of the configuration does. */
#include "mptcp/rules.h"

#include <assert.h>
#include <stdlib.h>

#include "base/addr.h"
#include "mptcp/conn.h"

int rules_init(struct rules *p, const struct braid_path_rule *rules, unsigned n)
{
    *p = (struct rules){.n = n, .none.says.weight = 1};
    if (n == 0)
        return 0;
    p->v = calloc(n, sizeof(*p->v));
    if (!p->v)
        return -1;
    for (unsigned i = 0; i < n; i++) {
        /* The configuration has been checked (src/conf). A weight of 0 would make schedulers divide by it. */
        assert(rules[i].local_bits <= 128 && rules[i].remote_bits <= 128 && rules[i].also_bits <= 128 &&
               rules[i].weight > 0);
        p->v[i].says = rules[i];
    }
    return 0;
}

void rules_free(struct rules *p)
{
    free(p->v);
    *p = (struct rules){0};
}

static bool is_local(const struct braid_path_rule *r, const struct braid_ip *local)
{
    return ip_in_prefix(local, &r->local, r->local_bits) ||
           (r->also_bits > 0 && ip_in_prefix(local, &r->also, r->also_bits));
}

/* Addresses of both families have 128 bits (IPv4 as v4-mapped), so that 0 bits match any of either. */
struct rule *rules_find(struct rules *p, const struct braid_ip *local, const struct braid_ip *remote)
{
    for (unsigned i = 0; i < p->n; i++) {
        const struct braid_path_rule *r = &p->v[i].says;
        if (is_local(r, local) && ip_in_prefix(remote, &r->remote, r->remote_bits))
            return &p->v[i];
    }
    return &p->none;
}

int rules_place(const struct rules *p, const struct rule *rule)
{
    return rule == &p->none ? -1 : (int)(rule - p->v);
}

struct rule *rule_of(const struct mp_subflow *s)
{
    return (struct rule *)s->tcp.books;
}

/* What other workers carry arrives here once a second (src/service/quotas.c): in between a quota may be
 * exceeded. */
bool rule_over_quota(const struct rule *p)
{
    return p->says.quota > 0 && p->used + p->elsewhere >= p->says.quota;
}

/* Payload in both directions, in order or sent for the first time: what is sent again is not charged twice.
 * Called at each flush, and when the subflow is freed, so that no bytes are left out. */
void rule_account(struct mp_subflow *s)
{
    struct rule *r = rule_of(s);
    /* The low halves tell, as less than 4 GiB come between two flushes. */
    uint32_t in = (uint32_t)subflow_bytes_in(&s->tcp) - s->accounted.in;
    uint32_t out = (uint32_t)subflow_bytes_out(&s->tcp) - s->accounted.out;
    s->accounted.in += in;
    s->accounted.out += out;
    r->bytes_in += in;
    r->bytes_out += out;
    r->used += (uint64_t)in + out;
}

void rule_describe(const struct mp_subflow *s, struct sched_path *out)
{
    const struct rule *r = rule_of(s);
    out->cost = r->says.cost;
    out->weight = r->says.weight;
    out->over_quota = rule_over_quota(r);
}
