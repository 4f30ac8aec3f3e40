/* See rps.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io/rps.h"

#define PATH_BYTES 96

void rps_mask(const unsigned cpus[RPS_CPUS / 32], char mask[RPS_TEXT])
{
    unsigned n = RPS_CPUS / 32;
    while (n > 1 && cpus[n - 1] == 0) /* the kernel takes no more groups than it has CPUs for */
        n--;
    mask += sprintf(mask, "%x", cpus[n - 1]);
    while (--n > 0)
        mask += sprintf(mask, ",%08x", cpus[n - 1]);
}

int rps_set(const char *device, unsigned queue, const char *mask)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "/sys/class/net/%s/queues/rx-%u/rps_cpus", device, queue);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, mask, strlen(mask));
    int why = errno;
    close(fd);
    errno = why;
    return n < 0 ? -1 : 0;
}
