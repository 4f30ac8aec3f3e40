/* A header of one page, then each worker's ledger, in pages of its own. All pages are allocated in advance: a
 * full file system must not kill the process in the middle of a write to memory. A lock tells whether the
 * process that left the file is still there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/heirlooms.h"
#include "io/ledgerfile.h"

#define MAGIC       "braid-1" /* changes with the layout */
#define PAGE        4096u
#define WORKERS_MAX 1024 /* in a file that is to be believed */

struct header {
    char magic[8];
    uint32_t entry_bytes, n_workers, each;
};

struct ledgerfile {
    char *path;
    int fd;
    uint8_t *map;
    size_t size;
    unsigned n_workers;
    uint32_t each;
    struct braid_ledger_entry *orphans;
    size_t n_orphans;
    bool nameless; /* another process has the name */
};

__attribute__((format(printf, 2, 3))) static int fail(char error[LEDGERFILE_ERROR], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, LEDGERFILE_ERROR, format, args);
    va_end(args);
    return -1;
}

/* Bytes of one worker's ledger. */
static size_t stride(uint32_t each)
{
    size_t bytes = sizeof(struct braid_ledger) + (size_t)each * sizeof(struct braid_ledger_entry);
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

static bool is_sound(const struct braid_ledger_entry *e)
{
    return e->used == 1 && e->local.port && e->remote.port && !ip_is_multicast(&e->remote.ip) &&
           !ip_is_unspecified(&e->remote.ip) && ip_is_v4(&e->local.ip) == ip_is_v4(&e->remote.ip);
}

/* What an old file holds of one worker's. */
static void take_ledger(struct ledgerfile *f, const struct braid_ledger *l, uint32_t each)
{
    uint32_t top = l->top < each ? l->top : each;
    for (uint32_t i = 0; i < top; i++) {
        if (is_sound(&l->entries[i]))
            f->orphans[f->n_orphans++] = l->entries[i];
    }
}

/* Reads what an earlier process left; a file that is not such a thing has nothing. -1: memory is short. */
static int take_old(struct ledgerfile *f)
{
    struct header h;
    struct stat st;
    if (pread(f->fd, &h, sizeof(h), 0) != sizeof(h) || memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 ||
        h.entry_bytes != sizeof(struct braid_ledger_entry) || h.n_workers > WORKERS_MAX ||
        fstat(f->fd, &st) < 0 || (uint64_t)st.st_size != PAGE + h.n_workers * (uint64_t)stride(h.each))
        return 0;
    const uint8_t *old = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, f->fd, 0);
    if (old == MAP_FAILED)
        return -1;
    f->orphans = calloc((size_t)h.n_workers * h.each + 1, sizeof(*f->orphans));
    for (uint32_t i = 0; f->orphans && i < h.n_workers; i++)
        take_ledger(f, (const struct braid_ledger *)(old + PAGE + i * stride(h.each)), h.each);
    munmap((void *)old, (size_t)st.st_size);
    return f->orphans ? 0 : -1;
}

static int lock(struct ledgerfile *f, char error[LEDGERFILE_ERROR])
{
    struct stat st;
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->fd < 0)
        return fail(error, "%s: %s", f->path, strerror(errno));
    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
        return fail(error, "%s is not a file that only this user may read and write; remove it", f->path);
    if (flock(f->fd, LOCK_EX | LOCK_NB) < 0)
        return fail(error, "%s is in use by another process", f->path);
    return 0;
}

/* A file without a name is gone with its last user, whatever becomes of this process. */
static int open_nameless(struct ledgerfile *f, char error[LEDGERFILE_ERROR])
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(f->path, '/') - f->path) + 1, f->path);
    f->nameless = true;
    f->fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (f->fd < 0 || flock(f->fd, LOCK_EX | LOCK_NB) < 0)
        return fail(error, "%s: %s", f->path, strerror(errno));
    return 0;
}

/* Throws away what the file holds, makes room, and maps it. */
static int begin(struct ledgerfile *f, char error[LEDGERFILE_ERROR])
{
    f->size = PAGE + f->n_workers * stride(f->each);
    int why = ftruncate(f->fd, 0) < 0 ? errno : posix_fallocate(f->fd, 0, (off_t)f->size);
    if (why)
        return fail(error, "%s: no room for %zu bytes: %s", f->path, f->size, strerror(why));
    f->map = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (f->map == MAP_FAILED) {
        f->map = NULL;
        return fail(error, "%s: cannot be mapped: %s", f->path, strerror(errno));
    }
    struct header h = {
        .entry_bytes = sizeof(struct braid_ledger_entry), .n_workers = f->n_workers, .each = f->each};
    memcpy(h.magic, MAGIC, sizeof(h.magic));
    memcpy(f->map, &h, sizeof(h));
    for (unsigned i = 0; i < f->n_workers; i++)
        ledgerfile_ledger(f, i)->size = f->each;
    return 0;
}

static void release(struct ledgerfile *f)
{
    if (f->map)
        munmap(f->map, f->size);
    if (f->fd >= 0)
        close(f->fd);
    free(f->orphans);
    free(f->path);
    free(f);
}

struct ledgerfile *ledgerfile_open(const char *path, unsigned n_workers, uint32_t each,
                                   char error[LEDGERFILE_ERROR])
{
    struct ledgerfile *f = calloc(1, sizeof(*f));
    if (!f) {
        fail(error, "memory is short");
        return NULL;
    }
    *f = (struct ledgerfile){.path = strdup(path), .fd = -1, .n_workers = n_workers, .each = each};
    if (!f->path)
        fail(error, "memory is short");
    else if (heirlooms_are_others() ? open_nameless(f, error) == 0 : lock(f, error) == 0) {
        if (take_old(f) < 0)
            fail(error, "%s: cannot be read: memory is short", path);
        else if (begin(f, error) == 0)
            return f;
    }
    release(f);
    return NULL;
}

int ledgerfile_settle(struct ledgerfile *f)
{
    char ours[64], next[PATH_MAX];
    if (!f->nameless)
        return 0;
    snprintf(ours, sizeof(ours), "/proc/self/fd/%d", f->fd);
    if (snprintf(next, sizeof(next), "%s.next", f->path) >= (int)sizeof(next)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    unlink(next);
    if (linkat(AT_FDCWD, ours, AT_FDCWD, next, AT_SYMLINK_FOLLOW) < 0 || rename(next, f->path) < 0)
        return -1;
    f->nameless = false;
    return 0;
}

struct braid_ledger *ledgerfile_ledger(struct ledgerfile *f, unsigned worker)
{
    return (struct braid_ledger *)(f->map + PAGE + worker * stride(f->each));
}

const struct braid_ledger_entry *ledgerfile_orphans(const struct ledgerfile *f, size_t *n)
{
    *n = f->n_orphans;
    return f->orphans;
}

void ledgerfile_close(struct ledgerfile *f)
{
    if (!f)
        return;
    if (!f->nameless)
        unlink(f->path);
    release(f);
}
