/* Settings of the kernel, by their files below /proc/sys. */
#ifndef BRAID_IO_SYSCTL_H
#define BRAID_IO_SYSCTL_H

#include <stddef.h>

/* The value of "net/ipv4/ip_forward", without its newline, cut off to size. 0, or -1 with errno. */
int sysctl_read(const char *name, char *value, size_t size);
/* 0, or -1 with errno. */
int sysctl_write(const char *name, const char *value);
/* The same, but what is so already need not be writable: /proc/sys is not in most containers. */
int sysctl_make(const char *name, const char *value);

#endif
