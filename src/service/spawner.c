/* See spawner.h. */
#include "service/spawner.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "service/upgrade_channel.h"

/* In the other process: its end of the socket to the daemon. In what it starts: the descriptor for that. */
#define FIXED     (STDERR_FILENO + 1)
#define MOST_OPEN 1024 /* descriptors at the start, by far */

static int helper = -1; /* the daemon's end */

/* ---- the process beside the daemon --------------------------------------------------------------------- */

struct program {
    const char *path;
    char *const *argv;
    sigset_t mask; /* of signals, as the daemon had it */
};

/* What became of exec is written to said, which exec closes. */
__attribute__((noreturn)) static void become(const struct program *p, int fd, int said)
{
    if (dup2(fd, FIXED) == FIXED && sigprocmask(SIG_SETMASK, &p->mask, NULL) == 0)
        execv(p->path, p->argv);
    int why = errno;
    _exit(write(said, &why, sizeof(why)) == sizeof(why) ? 126 : 127);
}

/* The child has the daemon for a parent, as if that had started it. 0, or an errno; *pid is 0 if there is no
 * child. */
static int start(const struct program *p, int fd, pid_t *pid)
{
    int said[2], why = 0;
    *pid = 0;
    if (pipe2(said, O_CLOEXEC) < 0)
        return errno;
    long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        become(p, fd, said[1]);
    if (child < 0)
        why = errno;
    close(said[1]);
    if (child > 0) {
        *pid = (pid_t)child;
        if (read(said[0], &why, sizeof(why)) != sizeof(why))
            why = 0;
    }
    close(said[0]);
    return why;
}

/* Until the daemon has gone. */
__attribute__((noreturn)) static void serve(const struct program *p)
{
    struct upgrade_message m, answer = {.kind = UPGRADE_SPAWNED};
    int fds[UPGRADE_FDS];
    unsigned n;
    while (upgrade_receive(FIXED, -1, &m, fds, &n) == 0 && m.kind == UPGRADE_SPAWN) {
        pid_t pid;
        answer.count = (uint32_t)start(p, fds[0], &pid);
        answer.number = (uint32_t)pid;
        close(fds[0]);
        if (upgrade_send(FIXED, &answer, NULL, 0) < 0)
            break;
    }
    _exit(EXIT_SUCCESS);
}

/* Whatever the daemon has opened so far must not stay open here. */
static void close_others(void)
{
    if (syscall(SYS_close_range, FIXED + 1, ~0u, 0) == 0)
        return;
    for (int fd = FIXED + 1; fd < MOST_OPEN; fd++) /* before Linux 5.9 */
        close(fd);
}

/* Signals to all of a group or a service are for the daemon. Who has taken that over must not write to the
 * memory of this process, by /proc, as one of the same user could. */
__attribute__((noreturn)) static void stand_by(int end, struct program *p, const char *variable)
{
    char number[16];
    sigset_t all;
    snprintf(number, sizeof(number), "%d", FIXED);
    sigfillset(&all);
    if (dup2(end, FIXED) != FIXED || sigprocmask(SIG_SETMASK, &all, &p->mask) < 0 ||
        setenv(variable, number, 1) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        _exit(EXIT_FAILURE);
    close_others();
    prctl(PR_SET_NAME, "braid-spawner");
    serve(p);
}

/* ---- the daemon ---------------------------------------------------------------------------------------- */

int spawner_begin(const char *path, char *const argv[], const char *variable)
{
    struct program program = {.path = path, .argv = argv};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        stand_by(ends[1], &program, variable);
    int why = errno;
    close(ends[1]);
    if (pid > 0) {
        helper = ends[0];
        return 0;
    }
    close(ends[0]);
    errno = why;
    return -1;
}

pid_t spawner_start(int fd)
{
    struct upgrade_message m = {.kind = UPGRADE_SPAWN};
    int fds[UPGRADE_FDS];
    unsigned n;
    if (upgrade_send(helper, &m, &fd, 1) < 0 || upgrade_receive(helper, UPGRADE_SILENCE_MS, &m, fds, &n) < 0)
        return -1;
    pid_t pid = (pid_t)m.number;
    if (m.kind == UPGRADE_SPAWNED && m.count == 0)
        return pid;
    if (m.kind == UPGRADE_SPAWNED && pid > 0)
        waitpid(pid, NULL, 0);
    errno = m.kind == UPGRADE_SPAWNED ? (int)m.count : EPROTO;
    return -1;
}
