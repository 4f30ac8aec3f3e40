/* Path rules: their matching, and the count of bytes against their quotas. An operator has a handful of them,
 * and each subflow is matched once in its life, so a list in the order of the configuration does. */
#include "mptcp/rules.h"

#include <assert.h>
#include <stdlib.h>

#include "base/addr.h"
#include "mptcp/conn.h"
#include "tcp/tap_hook.h"

/* NULL: memory is short. */
static struct rule *rule_new(const struct braid_path_rule *says)
{
    /* The configuration has been checked (src/conf). A weight of 0 would make schedulers divide by it. */
    assert(says->local_bits <= 128 && says->remote_bits <= 128 && says->also_bits <= 128 && says->weight > 0);
    struct rule *r = calloc(1, sizeof(*r));
    if (r)
        r->says = *says;
    return r;
}

/* Those of `before` stay as they are. */
static struct rule **make(struct rule *const *before, const struct braid_path_rule *rules, unsigned n,
                          const int *was)
{
    struct rule **v = calloc(n + 1, sizeof(struct rule *)); /* + 1: there may be none */
    bool made = v;
    for (unsigned i = 0; i < n && made; i++) {
        v[i] = was && was[i] >= 0 ? before[was[i]] : rule_new(&rules[i]);
        made = v[i];
    }
    if (made)
        return v;
    for (unsigned i = 0; v && i < n; i++)
        if (!was || was[i] < 0)
            free(v[i]);
    free(v);
    return NULL;
}

int rules_init(struct rules *p, const struct braid_path_rule *rules, unsigned n)
{
    *p = (struct rules){.v = make(NULL, rules, n, NULL), .none = {.says.weight = 1, .place = -1}};
    if (!p->v)
        return -1;
    p->n = n;
    for (unsigned i = 0; i < n; i++)
        p->v[i]->place = (int)i;
    return 0;
}

int rules_change(struct rules *p, const struct braid_path_rule *rules, unsigned n, const int *was)
{
    struct rule **v = make(p->v, rules, n, was);
    if (!v)
        return -1;
    for (unsigned i = 0; i < p->n; i++)
        p->v[i]->place = -1;
    for (unsigned i = 0; i < n; i++) {
        v[i]->says = rules[i];
        v[i]->place = (int)i;
    }
    for (unsigned i = 0; i < p->n; i++) {
        p->v[i]->gone = p->v[i]->place < 0;
        if (p->v[i]->gone && p->v[i]->subflows == 0)
            free(p->v[i]);
    }
    free(p->v);
    p->v = v;
    p->n = n;
    return 0;
}

void rule_enter(struct rule *r)
{
    r->subflows++;
}

void rule_leave(struct rule *r)
{
    if (--r->subflows == 0 && r->gone)
        free(r);
}

void rules_free(struct rules *p)
{
    for (unsigned i = 0; i < p->n; i++)
        free(p->v[i]);
    free(p->v);
    *p = (struct rules){.n = 0};
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
        const struct braid_path_rule *r = &p->v[i]->says;
        if (is_local(r, local) && ip_in_prefix(remote, &r->remote, r->remote_bits))
            return p->v[i];
    }
    return &p->none;
}

int rules_place(const struct rule *rule)
{
    return rule->place;
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

void rule_for_choice(const struct mp_subflow *s, struct sched_path *out)
{
    rule_describe(s, out);
    if (rule_of(s)->says.quota > 0)
        out->over_quota = tap_bool(s->tcp.env, BRAID_VALUE_QUOTA, out->over_quota);
}
