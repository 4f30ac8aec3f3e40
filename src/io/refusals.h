/* System calls that a filter has refused: who makes one waits, by the kernel, until a thread of ours has said
 * that it fails (seccomp_unotify(2)); so each is counted, and said once, whatever signals its thread may have
 * blocked. */
#ifndef BRAID_IO_REFUSALS_H
#define BRAID_IO_REFUSALS_H

#include <stdint.h>

/* Starts the thread, which makes no call by then that no filter lets pass. name: that of a call, malloc's, or
 * NULL. To be called before there is the filter. 0, or -1 with errno: there is no thread, and nobody may
 * listen. */
int refusals_begin(char *(*name)(uint32_t arch, int number));
/* The filter's listener, which is the thread's from then on; -1: there is none, and the thread ends. Each
 * refused call fails with EPERM. */
void refusals_listen(int listener);
/* Calls so far. From any thread. */
uint64_t refusals_count(void);

#endif
