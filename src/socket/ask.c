/* Each question has a connection of its own: no descriptor stays with a program that may close, count or
 * inherit descriptors as it likes, there is nothing to mend after fork or a restart of the daemon, and
 * threads have nothing in common. */
#include "socket/ask.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "app/channel.h"
#include "socket/real.h"
#include "socket/times.h"

#define APP_SOCKET "/run/braid/app.sock"
#define PATIENCE   2000 /* milliseconds, for all of it */
#define PAUSE      2    /* milliseconds, where the daemon has no room for us */

/* False: the time is over. */
static bool wait_until(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = deadline - now_ms();
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

/* secure_getenv: a program with more rights than its user does not let him name the daemon. */
static void name_daemon(struct sockaddr_un *sun)
{
    const char *path = secure_getenv("BRAID_APP_SOCKET");
    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    strncpy(sun->sun_path, path ? path : APP_SOCKET, sizeof(sun->sun_path) - 1);
}

/* -1 with errno: EAGAIN: its queue is full. */
static int open_channel(void)
{
    struct sockaddr_un sun;
    int fd = real_socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    name_daemon(&sun);
    if (fd >= 0 && real_connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
        int why = errno;
        real_close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* DONE; AGAIN: the time is over; OVER: it has hung up, since it has no room, or has just ended. */
static enum channel exchange(int channel, const struct app_message *request, int fd,
                             struct app_message *answer, int64_t deadline)
{
    enum channel how = channel_send(channel, request, fd);
    struct channel_descriptors came = {.n = 0};
    if (how != CHANNEL_DONE)
        return how;
    do {
        if (!wait_until(channel, POLLIN, deadline))
            return CHANNEL_AGAIN;
        how = channel_receive(channel, answer, &came);
    } while (how == CHANNEL_AGAIN);
    while (came.n > 0) /* unasked for */
        real_close(came.fd[--came.n]);
    return how == CHANNEL_DONE && (answer->kind != APP_ANSWER || answer->number != request->number)
               ? CHANNEL_OVER
               : how;
}

/* Whether the program has come to a limit, rather than that there is no daemon. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* kept: the channel in which the answer came, the caller's from now on; NULL: it is closed. */
static enum asked ask_until(struct app_message *request, int fd, struct app_message *answer, int *kept)
{
    int64_t deadline = now_ms() + PATIENCE;
    request->number = (uint32_t)deadline;
    for (;;) {
        int channel = open_channel();
        if (channel < 0 && errno != EAGAIN && errno != EINTR)
            return is_shortage(errno) ? ASKED_LATE : ASKED_NONE;
        enum channel how = channel >= 0 ? exchange(channel, request, fd, answer, deadline) : CHANNEL_OVER;
        if (kept && how == CHANNEL_DONE)
            *kept = channel;
        else if (channel >= 0)
            real_close(channel);
        if (how == CHANNEL_DONE)
            return ASKED;
        if (how == CHANNEL_AGAIN || now_ms() >= deadline)
            return ASKED_LATE;
        poll(NULL, 0, PAUSE);
    }
}

/* Options of sockets are no cancellation points, and a thread that ended here would leave a descriptor. */
static enum asked ask_by(struct app_message *request, int fd, struct app_message *answer, int *kept)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    enum asked how = ask_until(request, fd, answer, kept);
    pthread_setcancelstate(before, NULL);
    return how;
}

enum asked ask_daemon(struct app_message *request, int fd, struct app_message *answer)
{
    return ask_by(request, fd, answer, NULL);
}

enum asked ask_and_stay(struct app_message *request, int fd, struct app_message *answer, int *channel)
{
    return ask_by(request, fd, answer, channel);
}
