/* Who listens where. Private to src/core. */
#ifndef BRAID_CORE_LISTENERS_H
#define BRAID_CORE_LISTENERS_H

#include "core/inside.h"

/* What it takes of enum braid_clients. */
bool core_takes_plain(const struct braid_listener *l);
/* The key of the hash is another one now. */
void core_rehash_listeners(struct braid_core *core);
/* The listener for an address: of its port, of any port, or a wildcard one. */
struct braid_listener *core_find_listener(const struct braid_core *core, const struct braid_addr *addr);

#endif
