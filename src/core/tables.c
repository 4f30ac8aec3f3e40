/* The tables of 4-tuples: of flows, and of connections that are remembered. Strangers choose half of a
 * 4-tuple, so the hash has a random key: nobody can fill one bucket. */
#include "core/tables.h"

#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

uint64_t core_hash_tuple(const struct siphash_key *hash_key, const struct braid_addr *local,
                         const struct braid_addr *remote)
{
    uint8_t key[36];
    memcpy(key, local->ip.b, 16);
    memcpy(key + 16, remote->ip.b, 16);
    put16(key + 32, local->port);
    put16(key + 34, remote->port);
    return siphash(hash_key, key, sizeof(key));
}

uint64_t core_hash_flow(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote)
{
    return core_hash_tuple(&core->env.hash_key, local, remote);
}

struct mp_subflow *core_find_flow(const struct braid_core *core, const struct braid_addr *local,
                                  const struct braid_addr *remote)
{
    struct hnode *n = htable_first(&core->flows, core_hash_flow(core, local, remote));
    for (; n; n = htable_next(n)) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, hash);
        if (addr_equal(&s->tcp.local, local) && addr_equal(&s->tcp.remote, remote))
            return s;
    }
    return NULL;
}

struct timewait_entry *core_find_timewait(const struct braid_core *core, const struct braid_addr *local,
                                          const struct braid_addr *remote)
{
    /* asked for each SYN and each stray packet, and without an entry there is nothing to hash for */
    if (core->timewaits.count == 0)
        return NULL;
    struct hnode *n = htable_first(&core->timewaits, core_hash_flow(core, local, remote));
    for (; n; n = htable_next(n)) {
        struct timewait_entry *e = list_entry(n, struct timewait_entry, tw.hash);
        if (addr_equal(&e->tw.local, local) && addr_equal(&e->tw.remote, remote))
            return e;
    }
    return NULL;
}

struct braid_conn *braid_core_find(const struct braid_core *core, const struct braid_addr *local,
                                   const struct braid_addr *remote)
{
    struct mp_subflow *s = core_find_flow(core, local, remote);
    return s ? s->conn : NULL;
}

bool braid_core_knows(const struct braid_core *core, const struct braid_addr *local,
                      const struct braid_addr *remote)
{
    return core_find_flow(core, local, remote) || core_find_timewait(core, local, remote);
}
