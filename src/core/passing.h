/* What is not ours, and wildcard listeners (passing.c). Private to src/core. */
#ifndef BRAID_CORE_PASSING_H
#define BRAID_CORE_PASSING_H

#include "base/freeze.h"
#include "base/thaw.h"
#include "core/inside.h"

/* Adds a listener without an address. -1: another has some of its ports. */
int core_wildcard_add(struct braid_core *core, struct braid_listener *l);
/* NULL: none, or the address is our own. */
struct braid_listener *core_find_wildcard(const struct braid_core *core, const struct braid_addr *addr);
uint64_t core_hash_ip(const struct braid_core *core, const struct braid_ip *ip);
/* Notes an address as our own. -1: memory is short. */
int core_own_add(struct braid_core *core, const struct braid_ip *ip);
/* For good: an address does not cease to be our own when its listener goes. */
bool core_owns(const struct braid_core *core, const struct braid_ip *ip);
void core_own_free(struct braid_core *core);
/* As state. */
void core_freeze_own(const struct braid_core *core, struct freezer *f, unsigned tag);
void core_thaw_own(struct braid_core *core, const struct thaw_item *i);
/* The key of the hash is another one now. */
void core_rehash_own(struct braid_core *core);
/* True if a packet to this address that we have no use for is to be passed back. */
bool core_passes(const struct braid_core *core, const struct braid_ip *dst);
/* Sends a TCP packet out as it came in. */
void core_pass_back(struct braid_core *core, const struct wire_packet *p, const uint8_t *data,
                    const struct braid_input *in);

#endif
