/* Whom a client gets of a pool (pool.h).
 *
 * By hash: rendezvous hashing (highest random weight). Each member draws a number from the client's address
 * and its own, and the highest one has the client. A member that goes so moves its own clients only, and one
 * that comes, or whose weight grows, takes clients from others but moves nobody between them. There is no
 * state and no key: every worker, and every other machine with the same targets, finds the same. */
#include <math.h>
#include <string.h>
#include "base/addr.h"
#include "base/hash.h"
#include "role/pool.h"

#define SLOW_START_LEAST 0.1 /* of its weight, that a member begins with */
#define HOST_BYTES       8   /* of an IPv6 address: a device draws the others anew every day (RFC 8981) */

/* Those of one kind come before all of the next. */
enum kind { REGULAR, BACKUP, EJECTED, EJECTED_BACKUP, NEVER };

struct candidate {
    enum kind kind;
    double score; /* the least is best */
    const struct pool_member *member;
};

static enum kind kind_of(const struct pool *p, const struct pool_member *m, braid_time now)
{
    const struct target_params *t = &p->params->targets[m->target];
    if (t->weight == 0 || m->down)
        return NEVER;
    if (pool_is_ejected(m, now))
        return t->backup ? EJECTED_BACKUP : EJECTED;
    return t->backup ? BACKUP : REGULAR;
}

static double weight_of(const struct pool *p, const struct pool_member *m, braid_time now)
{
    double weight = p->params->targets[m->target].weight, full = (double)p->params->slow_start;
    double grown = m->since > 0 && full > 0 ? (double)(now - m->since) / full : 1;
    return weight * (grown < SLOW_START_LEAST ? SLOW_START_LEAST : grown < 1 ? grown : 1);
}

/* Above 0 and below 1: what this client draws for the member. */
static double draw(const struct braid_ip *client, const struct pool_member *m)
{
    static const struct siphash_key none;
    uint8_t of[2 * sizeof(client->b) + 2] = {0};
    memcpy(of, client->b, ip_is_v4(client) ? sizeof(client->b) : HOST_BYTES);
    memcpy(of + sizeof(client->b), m->addr.ip.b, sizeof(m->addr.ip.b));
    of[sizeof(of) - 2] = (uint8_t)(m->addr.port >> 8);
    of[sizeof(of) - 1] = (uint8_t)m->addr.port;
    return ((double)(siphash(&none, of, sizeof(of)) >> 11) + 0.5) / 9007199254740992.0; /* 2^53 */
}

/* at: its place in the order. */
static double score_of(const struct pool *p, const struct pool_member *m, unsigned at,
                       const struct braid_ip *client, braid_time now)
{
    switch (p->params->balance) {
    case BALANCE_LEAST:
        return (m->conns + 1) / weight_of(p, m, now);
    case BALANCE_HASH:
        return -log(draw(client, m)) / weight_of(p, m, now);
    case BALANCE_ORDER:
        break;
    }
    return now < p->preferred_until && addr_equal(&m->addr, &p->preferred) ? -1 : (double)at;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    return a->kind != b->kind ? a->kind < b->kind : a->score < b->score;
}

/* Into its place among the best n so far; behind those that are alike. */
static unsigned insert(struct candidate best[TARGETS_MAX], unsigned n, const struct candidate *c)
{
    unsigned at = n;
    while (at > 0 && is_better(c, &best[at - 1]))
        at--;
    if (at == TARGETS_MAX)
        return n;
    unsigned left = n < TARGETS_MAX ? n : TARGETS_MAX - 1;
    memmove(&best[at + 1], &best[at], (left - at) * sizeof(*c));
    best[at] = *c;
    return left + 1;
}

struct targets pool_choose(struct pool *p, const struct braid_ip *client, braid_time now)
{
    struct candidate best[TARGETS_MAX];
    struct targets out = {.n = 0};
    unsigned n = 0, begin = p->params->balance == BALANCE_LEAST ? p->turn++ : 0;
    for (unsigned i = 0; i < p->n; i++) {
        unsigned at = (begin + i) % p->n;
        const struct pool_member *m = &p->members[p->order[at]];
        struct candidate c = {.kind = kind_of(p, m, now), .member = m};
        if (c.kind == NEVER)
            continue;
        c.score = score_of(p, m, at, client, now);
        n = insert(best, n, &c);
    }
    for (; out.n < n; out.n++)
        out.addr[out.n] = best[out.n].member->addr;
    return out;
}
