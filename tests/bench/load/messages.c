/* Messages of 64 bytes to the server and back over many connections: each with so many under way at a time,
 * one (who sends waits for the answer) or more (a stream of them). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "load.h"

#define MESSAGE    64
#define EVENTS     64
#define LONG_PAUSE 5.0

struct talker {
    int fd;
    uint64_t sent, received; /* bytes */
};

/* Sends one by one what may be under way. */
static void talk(struct talker *t, uint64_t window)
{
    static const char message[MESSAGE];
    while (t->sent + MESSAGE <= t->received + window) {
        ssize_t n = send(t->fd, message, MESSAGE, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n != MESSAGE)
            die("send: %s", n < 0 ? strerror(errno) : "a part of a message");
        t->sent += MESSAGE;
    }
}

static void hear(struct talker *t)
{
    static char bytes[64 * 1024];
    ssize_t n = recv(t->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the connection ended in the middle: %s", n < 0 ? strerror(errno) : "end of stream");
    t->received += (uint64_t)n;
}

/* Returns how many messages have come back. */
static uint64_t talk_until(const struct load *l, int epoll, double end)
{
    uint64_t bytes = 0;
    double t, last = now();
    while ((t = now()) < end) {
        struct epoll_event ready[EVENTS];
        int n = epoll_wait(epoll, ready, EVENTS, 100);
        for (int i = 0; i < n; i++) {
            struct talker *talker = ready[i].data.ptr;
            uint64_t before = talker->received;
            hear(talker);
            bytes += talker->received - before;
            talk(talker, (uint64_t)l->window * MESSAGE);
            last = t;
        }
        if (t - last > LONG_PAUSE)
            die("no message came back for %.0f s", LONG_PAUSE);
    }
    return bytes / MESSAGE;
}

void load_messages(const struct load *l)
{
    int *fds = load_open_all(l, SERVE_ECHO), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct talker *all = calloc(l->connections, sizeof(*all));
    if (!all || epoll < 0)
        die("out of memory");
    for (unsigned i = 0; i < l->connections; i++) {
        struct epoll_event want = {.events = EPOLLIN, .data.ptr = &all[i]};
        all[i].fd = fds[i];
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &want) < 0)
            die("epoll: %s", strerror(errno));
        talk(&all[i], (uint64_t)l->window * MESSAGE);
    }
    talk_until(l, epoll, now() + l->ramp);
    struct cpu begun;
    cpu_sample(l, &begun);
    double start = now();
    uint64_t count = talk_until(l, epoll, start + l->seconds);
    double seconds = now() - start;
    struct cpu spent = cpu_since(l, &begun);
    printf("{\"count\": %llu, \"seconds\": %.6f, ", (unsigned long long)count, seconds);
    cpu_print(&spent);
    free(all);
    close(epoll);
    load_close_all(l, fds);
}
