/* Which control groups (version 2) of certain paths hold the group that the kernel names by its number. */
#ifndef BRAID_IO_CGROUPS_H
#define BRAID_IO_CGROUPS_H

#include <stdint.h>

#define CGROUPS_DEPTH 16  /* levels below a path that are looked at, ... */
#define CGROUPS_LOOK  512 /* ... and groups in all, for one number */

struct cgroups;

/* Where the hierarchy is mounted; NULL: nowhere. A static string. */
const char *cgroups_root(void);

/* root: where it is mounted; outlives this, as paths do. NULL: memory is short. */
struct cgroups *cgroups_new(const char *root);
/* NULL is allowed. */
void cgroups_free(struct cgroups *cg);
/* The groups at this path and below have this bit; several paths may have the same. Such a group need not
 * exist yet. 0, or -1: memory is short. */
int cgroups_add(struct cgroups *cg, const char *path, unsigned bit);
/* The bits of the group with this number. The first question for a number looks at the directories of all
 * paths; what it gives is remembered, as numbers are never used again. */
uint32_t cgroups_of(struct cgroups *cg, uint64_t number);

#endif
