/* Which workers may know a 4-tuple: the one thing that the cores of a process share. Each core counts its own
 * flows and TIME_WAIT entries by a hash of their 4-tuple, and keeps one bit in a word of the shared array for
 * each count that is not zero. So a packet that a worker does not know visits those who may know it, usually
 * one, and nobody if it is a stranger's. Two 4-tuples with the same place cost a visit in vain. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/inside.h"
#include "core/directory.h"
#include "core/tables.h"

#define PLACES 65536

struct braid_directory {
    struct siphash_key key;
    _Atomic uint64_t cookies;         /* bit w: worker w may have SYN cookies out */
    _Atomic uint64_t workers[PLACES]; /* bit w: worker w has something with that hash */
};

struct braid_directory *braid_directory_new(const uint8_t key[16])
{
    struct braid_directory *d = calloc(1, sizeof(*d));
    if (d)
        d->key = (struct siphash_key){get64(key), get64(key + 8)};
    return d;
}

void braid_directory_free(struct braid_directory *d)
{
    free(d);
}

int core_directory_init(struct braid_core *core)
{
    const struct braid_core_params *p = &core->env.params;
    /* a word has 64 bits; one worker alone has nobody to ask */
    if (!p->directory || p->n_workers < 2 || p->n_workers > 64)
        return 0;
    core->here = calloc(PLACES, sizeof(core->here[0]));
    return core->here ? 0 : -1;
}

/* The process's key, not the core's: all cores look for a 4-tuple in the same place. */
static unsigned place(const struct braid_core *core, const struct braid_addr *local,
                      const struct braid_addr *remote)
{
    return (unsigned)core_hash_tuple(&core->env.params.directory->key, local, remote) % PLACES;
}

static uint64_t own_bit(const struct braid_core *core)
{
    return (uint64_t)1 << core->env.params.worker;
}

/* Relaxed, here and below: the flow's first packet leaves after the bit is set, and what answers it has gone
 * through the kernel. */
void core_directory_add(struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote)
{
    if (!core->here)
        return;
    unsigned i = place(core, local, remote);
    if (core->here[i]++ == 0)
        atomic_fetch_or_explicit(&core->env.params.directory->workers[i], own_bit(core),
                                 memory_order_relaxed);
}

void core_directory_remove(struct braid_core *core, const struct braid_addr *local,
                           const struct braid_addr *remote)
{
    if (!core->here)
        return;
    unsigned i = place(core, local, remote);
    assert(core->here[i] > 0);
    if (--core->here[i] == 0)
        atomic_fetch_and_explicit(&core->env.params.directory->workers[i], ~own_bit(core),
                                  memory_order_relaxed);
}

void core_directory_cookies(struct braid_core *core, bool out)
{
    if (!core->here || core->cookies_noted == out)
        return;
    core->cookies_noted = out;
    if (out)
        atomic_fetch_or_explicit(&core->env.params.directory->cookies, own_bit(core), memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&core->env.params.directory->cookies, ~own_bit(core), memory_order_relaxed);
}

int core_directory_next(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote, bool cookie, uint64_t visited)
{
    const struct braid_core_params *p = &core->env.params;
    if (!core->here)
        return (int)((p->worker + 1) % p->n_workers);
    uint64_t who =
        atomic_load_explicit(&p->directory->workers[place(core, local, remote)], memory_order_relaxed);
    if (cookie)
        who |= atomic_load_explicit(&p->directory->cookies, memory_order_relaxed);
    who &= ~(visited | own_bit(core));
    return who ? __builtin_ctzll(who) : -1;
}

void core_directory_free(struct braid_core *core)
{
    if (!core->here)
        return;
    core_directory_cookies(core, false);
    for (unsigned i = 0; i < PLACES; i++)
        assert(core->here[i] == 0);
    free(core->here);
}
