/* See upgrade_spawn.h. The environment names the socket, so that arguments stay what the operator gave; a
 * program that does not know of it starts as usual, finds that the TUN is in use, and ends. */
#include "service/upgrade_spawn.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VARIABLE   "BRAID_TAKE_OVER"
#define GRACE_MS   500 /* that a process may take to end by itself */
#define GRACE_STEP 10  /* ms between two looks */

/* Copies of the pointers only. NULL: memory is short. */
static char **environment_with(char *more)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **env = malloc((n + 2) * sizeof(*env));
    if (!env)
        return NULL;
    memcpy(env, environ, n * sizeof(*env));
    env[n] = more;
    env[n + 1] = NULL;
    return env;
}

/* The child inherits this one descriptor beside the standard ones: to duplicate it onto itself makes it stay.
 */
static int start(const char *path, char *const argv[], int theirs, pid_t *pid)
{
    char variable[sizeof(VARIABLE) + 16];
    snprintf(variable, sizeof(variable), VARIABLE "=%d", theirs);
    char **env = environment_with(variable);
    posix_spawn_file_actions_t files;
    if (!env)
        return ENOMEM;
    int why = posix_spawn_file_actions_init(&files);
    if (why == 0) {
        why = posix_spawn_file_actions_adddup2(&files, theirs, theirs);
        if (why == 0)
            why = posix_spawn(pid, path, &files, NULL, argv, env);
        posix_spawn_file_actions_destroy(&files);
    }
    free(env);
    return why;
}

pid_t upgrade_spawn(const char *path, char *const argv[], int *channel)
{
    int ends[2];
    pid_t pid = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    errno = start(path, argv, ends[1], &pid);
    int why = errno;
    close(ends[1]);
    if (why == 0) {
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
