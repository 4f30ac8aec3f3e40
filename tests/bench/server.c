/* The server behind the proxies: plain TCP (with -M: the kernel's MPTCP), one thread, level-triggered epoll.
 * What a connection gets is chosen by its first byte (load.h). server [-M] ADDRESS PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include "load/load.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define CHUNK   (256 * 1024)
#define EVENTS  64
#define BACKLOG 4096

static int epoll;
static char zeros[CHUNK];

struct peer {
    int fd;
    char mode;     /* 0: its first byte has not come yet */
    bool flowing;  /* SERVE_SOURCE: it has asked for the stream */
    unsigned seen; /* SERVE_REPLY: bytes of the request so far ... */
    unsigned sent; /* ... and of the answer */
    struct order order;
};

void die(const char *format, ...)
{
    fprintf(stderr, "server: %s: %s\n", format, strerror(errno));
    exit(1);
}

static void hang_up(struct peer *p)
{
    close(p->fd);
    free(p);
}

/* True if a result of recv or send means that the connection is over. */
static bool over(ssize_t n)
{
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool serve_source(struct peer *p, uint32_t events)
{
    if (!p->flowing) {
        char start;
        ssize_t n = recv(p->fd, &start, 1, 0);
        p->flowing = n == 1;
        struct epoll_event want = {.events = EPOLLOUT, .data.ptr = p};
        if (p->flowing)
            epoll_ctl(epoll, EPOLL_CTL_MOD, p->fd, &want);
        return !over(n);
    }
    return !(events & (EPOLLERR | EPOLLHUP)) && !over(send(p->fd, zeros, CHUNK, MSG_NOSIGNAL));
}

static bool serve_echo(struct peer *p)
{
    char bytes[512];
    ssize_t n = recv(p->fd, bytes, sizeof(bytes), 0);
    return n > 0 ? send(p->fd, bytes, (size_t)n, MSG_NOSIGNAL) == n : !over(n);
}

/* True: there is more to send. */
static bool send_answer(struct peer *p)
{
    ssize_t n;
    do {
        uint32_t left = p->order.answer - p->sent;
        n = send(p->fd, zeros, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);
        p->sent += n > 0 ? (unsigned)n : 0;
    } while (n > 0 && p->sent < p->order.answer);
    return p->sent < p->order.answer && !over(n);
}

static bool serve_reply(struct peer *p)
{
    if (!p->seen) {
        if (recv(p->fd, &p->order, sizeof(p->order), 0) != sizeof(p->order))
            return false;
        p->seen = sizeof(p->order);
    }
    if (p->seen < p->order.request) {
        ssize_t n = recv(p->fd, NULL, CHUNK, MSG_TRUNC);
        p->seen += n > 0 ? (unsigned)n : 0;
        if (p->seen < p->order.request)
            return !over(n);
    }
    struct epoll_event want = {.events = EPOLLOUT, .data.ptr = p};
    if (!send_answer(p))
        return false;
    epoll_ctl(epoll, EPOLL_CTL_MOD, p->fd, &want);
    return true;
}

/* False: the connection is to be closed. */
static bool serve(struct peer *p, uint32_t events)
{
    if (!p->mode && recv(p->fd, &p->mode, 1, MSG_PEEK) <= 0)
        return false;
    switch (p->mode) {
    case SERVE_ECHO:
        return serve_echo(p);
    case SERVE_REPLY:
        return serve_reply(p);
    case SERVE_SOURCE:
        if (!p->seen++)
            return serve_echo(p);
        return serve_source(p, events);
    case SERVE_SINK:
        if (!p->seen) {
            p->seen = 1;
            return recv(p->fd, zeros, 1, 0) == 1 && send(p->fd, &p->mode, 1, MSG_NOSIGNAL) == 1;
        }
        return !over(recv(p->fd, NULL, CHUNK, MSG_TRUNC)); /* discarded by the kernel, not copied */
    default:
        return false;
    }
}

static void welcome(int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *p = calloc(1, sizeof(*p));
        struct epoll_event want = {.events = EPOLLIN, .data.ptr = p};
        if (!p || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want) < 0)
            die("a new connection");
        p->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
}

static int listen_at(const char *address, const char *port, int protocol)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, BACKLOG) < 0)
        die("listen");
    struct epoll_event want = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &want);
    return fd;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    int protocol = getopt(argc, argv, "M") == 'M' ? IPPROTO_MPTCP : IPPROTO_TCP;
    if (argc - optind != 2)
        die("usage: server [-M] ADDRESS PORT");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_at(argv[optind], argv[optind + 1], protocol);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event ready[EVENTS];
        int n = epoll_wait(epoll, ready, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct peer *p = ready[i].data.ptr;
            if (!p)
                welcome(listener);
            else if (!serve(p, ready[i].events))
                hang_up(p);
        }
    }
}
