/* What the examples of this folder share: addresses as text, a connection, and waiting for an event. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <arpa/inet.h>
#include <braid/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

static inline void usage(const char *program, const char *words)
{
    fprintf(stderr, "usage: %s %s\n", program, words);
    exit(2);
}

static inline socklen_t size_of(const union tcp_multipath_address *a)
{
    return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

/* An address of either family. */
static inline union tcp_multipath_address address(const char *text, const char *port)
{
    union tcp_multipath_address a = {.in6 = {0}};
    if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
        a.in.sin_family = AF_INET;
        a.in.sin_port = htons((uint16_t)atoi(port));
    } else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons((uint16_t)atoi(port));
    } else {
        fprintf(stderr, "%s is not an address\n", text);
        exit(2);
    }
    return a;
}

/* Without its port; a static string, one of four. */
static inline const char *text(const union tcp_multipath_address *a)
{
    static char texts[4][INET6_ADDRSTRLEN];
    static unsigned next;
    const void *raw = a->sa.sa_family == AF_INET6 ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr;
    return inet_ntop(a->sa.sa_family, raw, texts[next++ % 4], INET6_ADDRSTRLEN);
}

static inline int open_socket(const union tcp_multipath_address *server)
{
    int fd = socket(server->sa.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    return fd;
}

/* Bound to an address of this machine; it does not listen yet. */
static inline int bind_socket(const union tcp_multipath_address *own)
{
    int fd = open_socket(own), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &own->sa, size_of(own)) < 0)
        die("bind");
    return fd;
}

/* With libbraid-socket.so, connect() does the same. */
static inline void connect_socket(int fd, const union tcp_multipath_address *server)
{
    if (braid_socket_connect(fd, &server->sa, size_of(server)) < 0)
        die("connect");
}

static inline void set(int fd, int option, const char *name, const void *value, size_t len)
{
    if (braid_setsockopt(fd, IPPROTO_TCP, option, value, (socklen_t)len) < 0)
        die(name);
}
#define SET(fd, option, value, len) set(fd, option, #option, value, len)

/* A line to an echo server and back. Subflows can be opened once some data was acknowledged. */
static inline void exchange(int fd)
{
    char line[] = "hello\n";
    const size_t len = strlen(line);
    if (write(fd, line, len) != (ssize_t)len)
        die("write");
    for (size_t n = 0; n < len;) {
        ssize_t got = read(fd, line + n, len - n);
        if (got <= 0)
            die("read");
        n += (size_t)got;
    }
}

/* The other side of that. */
static inline void answer(int fd)
{
    char line[6];
    for (size_t n = 0; n < sizeof(line);) {
        ssize_t got = read(fd, line + n, sizeof(line) - n);
        if (got <= 0)
            die("read");
        n += (size_t)got;
    }
    if (write(fd, line, sizeof(line)) != (ssize_t)sizeof(line))
        die("write");
}

static inline int watch(int fd)
{
    int events = braid_socket_events(fd);
    if (events < 0)
        die("braid_socket_events");
    return events;
}

/* The next event of this kind; others are passed over. */
static inline struct braid_socket_event wait_for(int events, uint32_t kind)
{
    struct braid_socket_event e;
    do
        if (braid_socket_event_read(events, &e) <= 0)
            die("braid_socket_event_read");
    while (e.kind != kind);
    return e;
}

#endif
