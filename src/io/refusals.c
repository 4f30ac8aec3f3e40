/* See refusals.h. The thread is there before the filter, and is in every loop of its own: a call that nobody
 * answers would wait for ever. */
#include "io/refusals.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "io/log.h"

#define CALLS 1024 /* numbers that are told apart; others are counted only */

static atomic_ullong refused;

/* Of the one filter that a process has. A later kernel may have more to say than our headers know. */
static struct {
    char *(*name)(uint32_t arch, int number);
    int ends[2]; /* a pipe that the listener comes by */
    struct seccomp_notif *call;
    struct seccomp_notif_resp *answer;
    size_t call_size, answer_size;
    bool said[CALLS];
} own;

/* ---- the thread -----------------------------------------------------------------------------------------
 */

static void say(const struct seccomp_data *call)
{
    unsigned number = (unsigned)call->nr;
    if (number >= CALLS || own.said[number])
        return;
    own.said[number] = true;
    char *name = own.name(call->arch, call->nr);
    log_warn(
        "seccomp: the system call %s (%u) is not on the daemon's list, and is refused (EPERM); what wanted "
        "it does without. Only its first time is said; braid_system_calls_refused_total counts all",
        name ? name : "of an unknown name", number);
    free(name);
}

/* One that is gone meanwhile (ENOENT) was ended by a signal. */
static bool answer_one(int listener)
{
    memset(own.call, 0, own.call_size);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, own.call) < 0)
        return errno == EINTR || errno == ENOENT;
    memset(own.answer, 0, own.answer_size);
    own.answer->id = own.call->id;
    own.answer->error = -EPERM;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, own.answer);
    say(&own.call->data);
    atomic_fetch_add(&refused, 1);
    return true;
}

static void *answer_all(void *arg)
{
    int listener = -1;
    (void)arg;
    pthread_setname_np(pthread_self(), "braid-refuses");
    if (read(own.ends[0], &listener, sizeof(listener)) != sizeof(listener))
        listener = -1;
    close(own.ends[0]);
    while (listener >= 0 && answer_one(listener))
        ;
    return NULL;
}

/* ---- life -----------------------------------------------------------------------------------------------
 */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int make_room(void)
{
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return -1;
    own.call_size = larger(sizes.seccomp_notif, sizeof(*own.call));
    own.answer_size = larger(sizes.seccomp_notif_resp, sizeof(*own.answer));
    own.call = calloc(1, own.call_size);
    own.answer = calloc(1, own.answer_size);
    return own.call && own.answer ? 0 : -1;
}

/* It hears no signals, which are for others. */
static int start(void)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = pthread_create(&thread, NULL, answer_all, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (why == 0)
        pthread_detach(thread);
    errno = why;
    return why == 0 ? 0 : -1;
}

int refusals_begin(char *(*name)(uint32_t arch, int number))
{
    own.name = name;
    if (make_room() < 0 || pipe2(own.ends, O_CLOEXEC) < 0)
        return -1;
    if (start() == 0)
        return 0;
    close(own.ends[0]);
    close(own.ends[1]);
    return -1;
}

void refusals_listen(int listener)
{
    if (listener >= 0 && write(own.ends[1], &listener, sizeof(listener)) < 0)
        log_error("seccomp: nobody answers refused calls: %s", strerror(errno)); /* a pipe has room for one */
    close(own.ends[1]);
}

uint64_t refusals_count(void)
{
    return atomic_load(&refused);
}
