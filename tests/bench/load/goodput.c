/* Bytes per second in one direction, over connections that stay open. Bytes are counted at the client after a
 * ramp, when the buffers on the way are as full as they will be. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "load.h"

#define CHUNK      (256 * 1024)
#define EVENTS     64
#define LONG_PAUSE 5.0 /* seconds without a byte after which it has failed */

static char buffer[CHUNK];

/* MSG_TRUNC: the kernel discards the bytes instead of copying them, so that the generator is not what limits.
 */
static ssize_t move(int fd, bool download)
{
    ssize_t n = download ? recv(fd, NULL, CHUNK, MSG_TRUNC | MSG_DONTWAIT)
                         : send(fd, buffer, CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        die("the connection ended in the middle: %s", n < 0 ? strerror(errno) : "end of stream");
    return n;
}

static int watch(const struct load *l, const int *fds, bool download)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < l->connections; i++) {
        struct epoll_event want = {.events = download ? EPOLLIN : EPOLLOUT, .data.fd = fds[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &want) < 0)
            die("epoll: %s", strerror(errno));
    }
    return epoll;
}

/* Moves bytes until then and returns how many. */
static uint64_t move_until(int epoll, bool download, double end)
{
    uint64_t bytes = 0;
    double t = now(), last = t;
    while ((t = now()) < end) {
        struct epoll_event ready[EVENTS];
        int n = epoll_wait(epoll, ready, EVENTS, 100);
        for (int i = 0; i < n; i++) {
            bytes += (uint64_t)move(ready[i].data.fd, download);
            last = t;
        }
        if (t - last > LONG_PAUSE)
            die("no byte moved for %.0f s", LONG_PAUSE);
    }
    return bytes;
}

void load_goodput(const struct load *l, bool download)
{
    int *fds = load_open_all(l, download ? SERVE_SOURCE : SERVE_SINK);
    for (unsigned i = 0; download && i < l->connections; i++) {
        if (send(fds[i], "", 1, 0) != 1)
            die("send: %s", strerror(errno));
    }
    int epoll = watch(l, fds, download);
    move_until(epoll, download, now() + l->ramp);
    struct cpu begun;
    cpu_sample(l, &begun);
    double start = now();
    uint64_t bytes = move_until(epoll, download, start + l->seconds);
    double seconds = now() - start;
    struct cpu spent = cpu_since(l, &begun);
    struct flows sum;
    load_flows(l, fds, &sum);
    printf("{\"bytes\": %llu, \"seconds\": %.6f, \"flows\": [%llu, %llu], ", (unsigned long long)bytes,
           seconds, (unsigned long long)sum.bytes[0], (unsigned long long)sum.bytes[1]);
    cpu_print(&spent);
    close(epoll);
    load_close_all(l, fds);
}
