/* A table of clients by their networks: see unproven.h. */
#include "base/addr.h"
#include "base/list.h"
#include "role/unproven.h"

#define SINGLE_V4 128 /* bits of the v4-mapped address */
#define SINGLE_V6 64

static struct braid_ip network_of(const struct braid_ip *ip, bool single)
{
    return single ? ip_prefix(ip, ip_is_v4(ip) ? SINGLE_V4 : SINGLE_V6) : ip_network(ip);
}

int unproven_init(struct unproven *u, const struct unproven_limits *limits, const struct siphash_key *key)
{
    u->limits = *limits;
    u->key = *key;
    return htable_init(&u->clients);
}

void unproven_free(struct unproven *u)
{
    htable_free(&u->clients);
}

bool unproven_enter(struct unproven *u, struct unproven_client *c, const struct braid_ip *ip)
{
    struct braid_ip network = network_of(ip, u->limits.single);
    uint64_t hash = siphash(&u->key, network.b, sizeof(network.b));
    unsigned same = 0;
    if (u->clients.count >= u->limits.all)
        return false;
    for (struct hnode *n = htable_first(&u->clients, hash); n; n = htable_next(n))
        same += ip_equal(&list_entry(n, struct unproven_client, node)->network, &network);
    if (same >= u->limits.per_source)
        return false;
    c->network = network;
    c->entered = true;
    htable_insert(&u->clients, &c->node, hash);
    return true;
}

void unproven_leave(struct unproven *u, struct unproven_client *c)
{
    if (c->entered)
        htable_remove(&u->clients, &c->node);
    c->entered = false;
}
