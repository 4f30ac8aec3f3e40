/* New connections per second: each sends a request (of 1 KB, or -q), reads a reply (the same, or -a) up to
 * the server's end of the stream, and closes. A number of them are under way at any time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "load.h"

#define EVENTS     64
#define LONG_PAUSE 5.0

struct exchange {
    int fd;
    uint32_t sent, received;
};

struct rate {
    const struct load *load;
    int epoll;
    uint64_t done, failed;
};

static void begin(struct rate *r, struct exchange *x)
{
    *x = (struct exchange){.fd = load_socket(r->load)};
    fcntl(x->fd, F_SETFL, O_NONBLOCK);
    if (connect(x->fd, (const struct sockaddr *)&r->load->to, r->load->to_len) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    struct epoll_event want = {.events = EPOLLOUT, .data.ptr = x};
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, x->fd, &want) < 0)
        die("epoll: %s", strerror(errno));
}

static void end(struct rate *r, struct exchange *x, bool good)
{
    close(x->fd);
    r->done += good;
    r->failed += !good;
    begin(r, x);
}

/* An order, and zeros behind it, as far as there is room. */
static void send_request(struct rate *r, struct exchange *x)
{
    static char bytes[64 * 1024];
    const struct order order = {SERVE_REPLY, r->load->request, r->load->answer};
    uint32_t left = r->load->request - x->sent;
    if (x->sent == 0)
        memcpy(bytes, &order, sizeof(order)); /* of what follows nobody looks at the bytes */
    ssize_t n = send(x->fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes), MSG_NOSIGNAL);
    if (n < (ssize_t)sizeof(order) && (n <= 0 || x->sent == 0)) {
        end(r, x, false);
        return;
    }
    x->sent += (uint32_t)n;
    if (x->sent < r->load->request)
        return;
    struct epoll_event want = {.events = EPOLLIN, .data.ptr = x};
    epoll_ctl(r->epoll, EPOLL_CTL_MOD, x->fd, &want);
}

static void receive_reply(struct rate *r, struct exchange *x)
{
    static char reply[256 * 1024];
    ssize_t n;
    while ((n = recv(x->fd, reply, sizeof(reply), 0)) > 0)
        x->received += (unsigned)n;
    if (n == 0 || errno != EAGAIN)
        end(r, x, n == 0 && x->received == r->load->answer);
}

static void run_until(struct rate *r, double deadline)
{
    uint64_t seen = r->done;
    double t, last = now();
    while ((t = now()) < deadline) {
        struct epoll_event ready[EVENTS];
        int n = epoll_wait(r->epoll, ready, EVENTS, 100);
        for (int i = 0; i < n; i++) {
            struct exchange *x = ready[i].data.ptr;
            if (x->sent == r->load->request)
                receive_reply(r, x);
            else
                send_request(r, x);
        }
        if (r->done != seen) {
            seen = r->done;
            last = t;
        } else if (t - last > LONG_PAUSE) {
            die("no connection was completed for %.0f s", LONG_PAUSE);
        }
    }
}

void load_rate(const struct load *l)
{
    struct rate r = {.load = l, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    struct exchange *all = calloc(l->connections, sizeof(*all));
    if (!all || r.epoll < 0)
        die("out of memory");
    for (unsigned i = 0; i < l->connections; i++)
        begin(&r, &all[i]);
    run_until(&r, now() + l->ramp);
    struct cpu begun;
    cpu_sample(l, &begun);
    uint64_t done = r.done;
    double start = now();
    run_until(&r, start + l->seconds);
    double seconds = now() - start;
    struct cpu spent = cpu_since(l, &begun);
    printf("{\"connections\": %llu, \"seconds\": %.6f, \"failed\": %llu, \"all\": %llu, ",
           (unsigned long long)(r.done - done), seconds, (unsigned long long)r.failed,
           (unsigned long long)(r.done + r.failed));
    cpu_print(&spent);
    for (unsigned i = 0; i < l->connections; i++)
        close(all[i].fd);
    free(all);
    close(r.epoll);
}
