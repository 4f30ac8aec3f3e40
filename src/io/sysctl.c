/* See sysctl.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io/sysctl.h"

#define PATH_BYTES 192

static int sysctl_open(const char *name, int flags)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    return open(path, flags | O_CLOEXEC);
}

static void close_keeping_errno(int fd)
{
    int why = errno;
    close(fd);
    errno = why;
}

int sysctl_read(const char *name, char *value, size_t size)
{
    int fd = sysctl_open(name, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, value, size - 1);
    close_keeping_errno(fd);
    if (n < 0)
        return -1;
    value[n] = '\0';
    value[strcspn(value, "\n")] = '\0';
    return 0;
}

int sysctl_write(const char *name, const char *value)
{
    int fd = sysctl_open(name, O_WRONLY);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, value, strlen(value));
    close_keeping_errno(fd);
    return n < 0 ? -1 : 0;
}

int sysctl_make(const char *name, const char *value)
{
    char now[32];
    if (sysctl_read(name, now, sizeof(now)) == 0 && strcmp(now, value) == 0)
        return 0;
    return sysctl_write(name, value);
}
