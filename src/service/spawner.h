/* A process beside the daemon, "braid-spawner", that starts one program for it, and nothing else. It has no
 * filter of system calls (seccomp.h), and so has none to pass on: the daemon's own lets no program be
 * started, each version has its own list, and filters do not pile up from upgrade to upgrade. It ends with
 * the daemon, whose signals are none of its business. Main thread only. */
#ifndef BRAID_SERVICE_SPAWNER_H
#define BRAID_SERVICE_SPAWNER_H

#include <sys/types.h>

/* Forks it, before there is a second thread. path, argv: what it will start, as they are now; variable: of
 * its environment, which then names a descriptor. All that is settled here, since whoever has taken over the
 * daemon may ask for anything later. 0, or -1 with errno. */
int spawner_begin(const char *path, char *const argv[], const char *variable);
/* Starts the program with this descriptor, under another number, and the standard ones, as a child of this
 * process. The descriptor stays the caller's. Its pid; or -1 with errno: ECONNRESET or EPIPE if there is no
 * such process any more. */
pid_t spawner_start(int fd);

#endif
