/* See upgrade_spawn.h. The environment names the socket, so that arguments stay what the operator gave; a
 * program that does not know of it starts as usual, finds that the TUN is in use, and ends. */
#include "service/upgrade_spawn.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "service/spawner.h"

#define VARIABLE   "BRAID_TAKE_OVER"
#define GRACE_MS   500 /* that a process may take to end by itself */
#define GRACE_STEP 10  /* ms between two looks */

int upgrade_prepare(const char *path, char *const argv[])
{
    return spawner_begin(path, argv, VARIABLE);
}

pid_t upgrade_spawn(int *channel)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid_t pid = spawner_start(ends[1]);
    int why = errno;
    close(ends[1]);
    if (pid > 0) {
        *channel = ends[0];
        return pid;
    }
    close(ends[0]);
    errno = why;
    return -1;
}

const char *upgrade_reap(pid_t pid, char text[UPGRADE_ENDED])
{
    static const struct timespec step = {.tv_nsec = GRACE_STEP * 1000000};
    int status = 0;
    pid_t gone = 0;
    text[0] = '\0';
    for (unsigned ms = 0; gone == 0 && ms < GRACE_MS; ms += GRACE_STEP) {
        gone = waitpid(pid, &status, WNOHANG);
        if (gone == 0)
            nanosleep(&step, NULL);
    }
    if (gone == pid && WIFEXITED(status))
        snprintf(text, UPGRADE_ENDED, "ended with status %d", WEXITSTATUS(status));
    else if (gone == pid && WIFSIGNALED(status))
        snprintf(text, UPGRADE_ENDED, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    if (gone != 0)
        return text;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return text;
}

int upgrade_given_channel(void)
{
    const char *value = getenv(VARIABLE);
    int channel = value ? atoi(value) : -1, type = 0;
    socklen_t len = sizeof(type);
    unsetenv(VARIABLE);
    if (channel <= STDERR_FILENO || getsockopt(channel, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        type != SOCK_SEQPACKET)
        return -1;
    return channel;
}
