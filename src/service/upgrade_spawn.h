/* The process that is to take over. */
#ifndef BRAID_SERVICE_UPGRADE_SPAWN_H
#define BRAID_SERVICE_UPGRADE_SPAWN_H

#include <sys/types.h>

#define UPGRADE_ENDED 64 /* bytes of what became of one */

/* Once, before there is a second thread: forks what will start the program at path with these arguments, and
 * the environment, limits and standard descriptors that we have now (spawner.h). 0, or -1 with errno. */
int upgrade_prepare(const char *path, char *const argv[]);
/* Starts that program with a socket of which *channel is our end. Its number; or -1 with errno, as of
 * spawner_start. */
pid_t upgrade_spawn(int *channel);
/* Ends it, if it does not end by itself at once, and waits for that: "ended with status 1", or "" if it had
 * to be ended. Into text, which is returned. */
const char *upgrade_reap(pid_t pid, char text[UPGRADE_ENDED]);
/* In a process that was started so: its end of the socket. -1: it was not. The first time only. */
int upgrade_given_channel(void);

#endif
