/* What the machine has. */
#include "io/machine.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The number in DIR/memory.max; SIZE_MAX if it has none ("max", or no such file). */
static size_t group_limit(const char *dir)
{
    char path[PATH_MAX];
    unsigned long long bytes;
    if (snprintf(path, sizeof(path), "%s/memory.max", dir) >= (int)sizeof(path))
        return SIZE_MAX;
    FILE *f = fopen(path, "re");
    if (!f)
        return SIZE_MAX;
    size_t limit = fscanf(f, "%llu", &bytes) == 1 ? (size_t)bytes : SIZE_MAX;
    fclose(f);
    return limit;
}

/* Our group in the unified hierarchy: the line "0::/PATH". False: there is none. */
static bool own_group(const char *proc, char *path, size_t len)
{
    char line[PATH_MAX];
    bool found = false;
    FILE *f = fopen(proc, "re");
    while (f && !found && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "0::/", 4) == 0 && strlen(line) - 3 < len;
        if (found)
            strcpy(path, line + 3);
    }
    if (f)
        fclose(f);
    return found;
}

size_t machine_memory(const char *cgroup, const char *proc)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t least = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
    char group[PATH_MAX], dir[2 * PATH_MAX];
    if (!own_group(proc, group, sizeof(group)))
        return least;
    for (;;) { /* from ours up to the root: each limits all below it */
        snprintf(dir, sizeof(dir), "%s%s", cgroup, group);
        size_t limit = group_limit(dir);
        least = limit < least ? limit : least;
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}
