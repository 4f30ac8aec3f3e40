/* See cgroups.h. The number of a group is the inode of its directory. */
#include "io/cgroups.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define KNOWN 256 /* numbers that are remembered; the one that was learned first makes way */

struct place {
    const char *path; /* below the root, without a leading slash */
    uint32_t bits;
};

struct known {
    uint64_t number; /* 0: none */
    uint32_t bits;
};

struct cgroups {
    const char *root;
    struct place *places;
    unsigned n;
    struct known known[KNOWN];
    unsigned next; /* that makes way */
};

const char *cgroups_root(void)
{
    static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    struct statfs fs;
    for (unsigned i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (statfs(roots[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return roots[i];
    return NULL;
}

struct cgroups *cgroups_new(const char *root)
{
    struct cgroups *cg = calloc(1, sizeof(*cg));
    if (cg)
        cg->root = root;
    return cg;
}

void cgroups_free(struct cgroups *cg)
{
    if (!cg)
        return;
    free(cg->places);
    free(cg);
}

int cgroups_add(struct cgroups *cg, const char *path, unsigned bit)
{
    struct place *grown = realloc(cg->places, (cg->n + 1) * sizeof(*grown));
    if (!grown)
        return -1;
    cg->places = grown;
    cg->places[cg->n++] = (struct place){.path = path + strspn(path, "/"), .bits = 1u << bit};
    return 0;
}

/* ---- looking ------------------------------------------------------------------------------------------ */

/* Whether the directory with this number is below the one at fd, which is closed. *left: directories that may
 * still be looked into. */
static bool is_below(int fd, uint64_t number, unsigned depth, unsigned *left)
{
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;
    bool found = false;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (!found && (e = readdir(dir))) {
        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        found = e->d_ino == number;
        if (!found && depth > 0 && *left > 0) {
            --*left;
            found =
                is_below(openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), number, depth - 1, left);
        }
    }
    closedir(dir);
    return found;
}

static bool is_within(int root, const char *path, uint64_t number, unsigned *left)
{
    int fd = openat(root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == number) {
        close(fd);
        return true;
    }
    return is_below(fd, number, CGROUPS_DEPTH, left);
}

static uint32_t look(const struct cgroups *cg, uint64_t number)
{
    uint32_t bits = 0;
    unsigned left = CGROUPS_LOOK;
    int root = open(cg->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; root >= 0 && i < cg->n; i++)
        if ((bits & cg->places[i].bits) == 0 && is_within(root, cg->places[i].path, number, &left))
            bits |= cg->places[i].bits;
    if (root >= 0)
        close(root);
    return bits;
}

uint32_t cgroups_of(struct cgroups *cg, uint64_t number)
{
    if (number == 0 || cg->n == 0)
        return 0;
    for (unsigned i = 0; i < KNOWN; i++)
        if (cg->known[i].number == number)
            return cg->known[i].bits;
    uint32_t bits = look(cg, number);
    cg->known[cg->next] = (struct known){.number = number, .bits = bits};
    cg->next = (cg->next + 1) % KNOWN;
    return bits;
}
