/* What a program, or an operator, asks of one connection in numbers and by name (REQ7, 9, 10, 12 and 13 of
 * RFC 6897). */
#ifndef BRAID_ROLE_DEMANDS_H
#define BRAID_ROLE_DEMANDS_H

#include "app/message.h"
#include "role/profile.h"

/* A plain value; zeroed: nothing is asked. */
struct demands {
    const struct pm_ops *path_manager; /* NULL: it is not asked for */
    struct app_numbers numbers;
};

/* The path manager of this name; NULL: there is none. */
const struct pm_ops *demands_path_manager(const char *name);
/* Of these, those that are no matter of the core's. */
struct profile_own demands_own(const struct demands *d);
/* Of connection c, whose stream begins with `before` bytes of ours that are not the program's. 0, or an
 * errno: ENOENT: its first subflow is gone, whose fate it is to share; EINVAL: as many subflows as the core
 * allows none; ENOBUFS. */
uint32_t demands_core(struct braid_conn *c, const struct app_numbers *n, uint64_t before);
/* One of them, as it is now. */
int64_t demands_core_tell(const struct braid_conn *c, enum app_number which);

#endif
