/* See state_file.h. Words of 64 bits: how many counters there are, and these in the order of struct
 * worker_counters, to which later versions append. Both processes are on one machine. */
#include "service/state_file.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNTERS (sizeof(struct worker_counters) / sizeof(uint64_t))

/* -1 with errno. */
static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int state_file_write(const struct worker_counters *counters, const uint8_t *node, size_t len)
{
    const uint64_t n = COUNTERS;
    int fd = memfd_create("braid-state", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write_all(fd, (const uint8_t *)&n, sizeof(n)) == 0 &&
        write_all(fd, (const uint8_t *)counters, sizeof(*counters)) == 0 && write_all(fd, node, len) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
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
    out->map = mmap(NULL, out->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
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
