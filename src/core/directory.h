/* Which workers may know a 4-tuple (directory.c). Private to src/core. */
#ifndef BRAID_CORE_DIRECTORY_H
#define BRAID_CORE_DIRECTORY_H

#include "core/inside.h"

/* 0, or -1: memory is short. */
int core_directory_init(struct braid_core *core);
/* There is one flow or TIME_WAIT entry more, or less, with this 4-tuple. */
void core_directory_add(struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote);
void core_directory_remove(struct braid_core *core, const struct braid_addr *local,
                           const struct braid_addr *remote);
/* Whether this worker has SYN cookies out. */
void core_directory_cookies(struct braid_core *core, bool out);
/* The next worker to ask about a 4-tuple, one that is not in `visited` (bit w: worker w); cookie: an ACK,
 * which may be the answer to a SYN cookie. -1: nobody can know it. Without a directory: the next one of all.
 */
int core_directory_next(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote, bool cookie, uint64_t visited);
/* Everything was removed. */
void core_directory_free(struct braid_core *core);

#endif
