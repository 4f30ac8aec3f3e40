/* The tables of 4-tuples. Private to src/core. */
#ifndef BRAID_CORE_TABLES_H
#define BRAID_CORE_TABLES_H

#include "core/inside.h"

/* Of a 4-tuple, with any key, and with that of this core. */
uint64_t core_hash_tuple(const struct siphash_key *key, const struct braid_addr *local,
                         const struct braid_addr *remote);
uint64_t core_hash_flow(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote);
/* What has this 4-tuple; NULL: nothing. */
struct mp_subflow *core_find_flow(const struct braid_core *core, const struct braid_addr *local,
                                  const struct braid_addr *remote);
struct timewait_entry *core_find_timewait(const struct braid_core *core, const struct braid_addr *local,
                                          const struct braid_addr *remote);

#endif
