/* See state_file.h. Words of 64 bits: how many counters there are, and these in the order of struct
 * worker_counters, to which later versions append. Both processes are on one machine. */
#include "service/state_file.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNTERS (sizeof(struct worker_counters) / sizeof(uint64_t))

#define HEAD (sizeof(uint64_t) + sizeof(struct worker_counters))

/* It has no pages but those that are written to. Whoever asks may keep to himself where it is for a while. */
static uint8_t *grow(void *ctx, size_t cap)
{
    struct state_writer *w = ctx;
    if (ftruncate(w->fd, (off_t)cap) < 0)
        return NULL;
    void *map = mremap(w->memory.data, w->memory.cap, cap, MREMAP_MAYMOVE);
    if (map == MAP_FAILED)
        return NULL;
    w->memory.data = map;
    w->memory.cap = cap;
    return map;
}

int state_file_create(struct state_writer *w, size_t room)
{
    size_t size = HEAD + room;
    *w = (struct state_writer){.fd = memfd_create("braid-state", MFD_CLOEXEC)};
    if (w->fd < 0)
        return -1;
    void *map = MAP_FAILED;
    if (ftruncate(w->fd, (off_t)size) == 0)
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, w->fd, 0);
    if (map != MAP_FAILED) {
        w->memory = (struct braid_memory){.data = map, .cap = size, .grow = grow, .ctx = w};
        return 0;
    }
    int why = errno;
    state_file_forget(w);
    errno = why;
    return -1;
}

void state_file_begin(struct state_writer *w, const struct worker_counters *counters)
{
    const uint64_t n = COUNTERS;
    memcpy(w->memory.data, &n, sizeof(n));
    memcpy(w->memory.data + sizeof(n), counters, sizeof(*counters));
    w->memory.len = HEAD;
}

int state_file_end(struct state_writer *w)
{
    munmap(w->memory.data, w->memory.cap);
    w->memory.data = NULL;
    return ftruncate(w->fd, (off_t)w->memory.len);
}

void state_file_forget(struct state_writer *w)
{
    if (w->memory.data)
        munmap(w->memory.data, w->memory.cap);
    if (w->fd >= 0)
        close(w->fd);
    *w = (struct state_writer){.fd = -1};
}

int state_file_open(int fd, struct state_file *out)
{
    struct stat st;
    uint64_t n;
    *out = (struct state_file){.map = MAP_FAILED};
    if (fstat(fd, &st) < 0)
        return -1;
    out->size = (size_t)st.st_size;
    if (out->size < sizeof(n)) {
        errno = EBADMSG;
        return -1;
    }
    out->map = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (out->map == MAP_FAILED)
        return -1;
    memcpy(&n, out->map, sizeof(n));
    if (n > (out->size - sizeof(n)) / sizeof(uint64_t)) {
        state_file_close(out);
        errno = EBADMSG;
        return -1;
    }
    memcpy(&out->counters, (uint8_t *)out->map + sizeof(n), (n < COUNTERS ? n : COUNTERS) * sizeof(uint64_t));
    size_t before = sizeof(n) + n * sizeof(uint64_t);
    out->node = (uint8_t *)out->map + before;
    out->len = out->size - before;
    return 0;
}

void state_file_close(struct state_file *f)
{
    if (f->map != MAP_FAILED)
        munmap(f->map, f->size);
    f->map = MAP_FAILED;
}
