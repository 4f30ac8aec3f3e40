/* What the machine has. */
#ifndef IO_MACHINE_H
#define IO_MACHINE_H

#include <stddef.h>

/* Bytes of memory that this process may use: the machine's, or the limit of the innermost control group
 * (version 2) that has one. cgroup: the directory that they are mounted at; proc: the file that names ours.
 */
size_t machine_memory(const char *cgroup, const char *proc);

#define MACHINE_CGROUP "/sys/fs/cgroup"
#define MACHINE_PROC   "/proc/self/cgroup"

#endif
