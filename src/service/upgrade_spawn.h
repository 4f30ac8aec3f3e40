/* The process that is to take over. */
#ifndef BRAID_SERVICE_UPGRADE_SPAWN_H
#define BRAID_SERVICE_UPGRADE_SPAWN_H

#include <sys/types.h>

#define UPGRADE_ENDED 64 /* bytes of what became of one */

/* Starts the program at path with these arguments, our environment, limits and standard descriptors, and a
 * socket of which *channel is our end. Its number; or -1 with errno. */
pid_t upgrade_spawn(const char *path, char *const argv[], int *channel);
/* Ends it, if it does not end by itself at once, and waits for that: "ended with status 1", or "" if it had
 * to be ended. Into text, which is returned. */
const char *upgrade_reap(pid_t pid, char text[UPGRADE_ENDED]);
/* In a process that was started so: its end of the socket. -1: it was not. The first time only. */
int upgrade_given_channel(void);

#endif
